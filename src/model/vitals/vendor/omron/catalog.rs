//! Which Omron cuff lays out its memory in which way, as data.
//!
//! Facts: `eigger/hass-omron` (device_catalog.py), which has them from the manufacturer's own descriptors
//! and from recorded sessions. A model that is not listed is not guessed at: read by another model's layout
//! a record gives believable numbers of nobody.

/// How one record lies in the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Systolic - 25, diastolic, pulse, year, then two words of bits, least significant byte first.
    ByteAligned,
    /// Diastolic, systolic - 25, year, pulse, then two words of bits, most significant byte first.
    BitPacked,
    /// Six bytes of time, then the numbers, flags at byte 11.
    Dated,
    /// As the first, with a sequence number at byte 10 and an error at byte 17.
    Watch,
}

/// How the clock lies in its block of the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// Ten bytes; from the third: year, month, day, hour, minute, second. The last is the sum.
    Linear,
    /// Ten bytes; from the third: month, year, hour, day, second, minute. The last is the sum.
    Mixed,
    /// Sixteen bytes; the linear order from the ninth, the sum at the fifteenth.
    LinearAt8,
    /// Sixteen bytes; the mixed order from the ninth, the sum at the fifteenth.
    MixedAt8,
    /// Sixteen bytes; the linear order from the first, no sum.
    Prefix,
}

/// Models that lay out their memory alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    pub record: Layout,
    /// Length of a record in bytes.
    pub len: usize,
    pub clock: Clock,
    /// Model numbers without the `HEM-` before them.
    models: &'static str,
}

const FAMILIES: &[Family] = &[
    Family {
        record: Layout::ByteAligned,
        len: 14,
        clock: Clock::Linear,
        models: "6320T 6320T-SH 6320T-Z 6321T 6321T-Z 6322T-SH 6323T 6324T 6325T 7320T 7320T-CA \
            7320T-CACS 7320T-TI-CA 7320T-TI-Z 7320T-ZV 8725T-WM",
    },
    Family {
        record: Layout::Dated,
        len: 16,
        clock: Clock::Prefix,
        models: "6401T 6401T-Z 6402T-Z",
    },
    Family {
        record: Layout::Dated,
        len: 32,
        clock: Clock::Prefix,
        models: "6410T 6410T-Z 6410T-Z-BP 6410T-Z-BP+EV 6411T-MAE",
    },
    Family {
        record: Layout::BitPacked,
        len: 14,
        clock: Clock::Mixed,
        models: "7270C 7271T 7280T-AP 7280T-D 7280T-E 7280T-TI-D 7280T-TI-E 7281T 7282T 7321T-CA \
            7321T-TI-CA 7321T-TI-Z 7321T-ZV 7322T 7322T-D 7322T-E 7325T 7511T 7600T 7600T-E \
            7600T-SH3BK 7600T-W 7600T-W-SH3W 7600T-W-Z 7600T-Z 7600T-ZCD6BK 7600T2-JF 8732K \
            8732K-SH 8732T 8732T-SH",
    },
    Family {
        record: Layout::Watch,
        len: 24,
        clock: Clock::Linear,
        models: "9601T 9601T-E3 9601T-J3 9601T2-BR3 9700T",
    },
    Family {
        record: Layout::BitPacked,
        len: 14,
        clock: Clock::MixedAt8,
        models: "6161T 6161T-D 6161T-E 6161T-RU 6161T2-BR 6231T 6231T-SH 6231T-Z 6231T2-JC 6231T2-JE \
            6231T2-JT3 6232T 6232T-AP 6232T-D 6232T-E 6232T-Z 6233T 7136T 7136T-SH3 7138JT-SH \
            7138T-SH 7139T-SH3 7271L-SH3 7271P-SH3 7271T-SH3 7530T 7530T-AP3 7530T-E3 7530T-J3 \
            7530T-JT3 7530T-Z 7530T1-BR3 8630T-SH",
    },
    Family {
        record: Layout::ByteAligned,
        len: 16,
        clock: Clock::LinearAt8,
        models: "1026T2 1026T2-AJC 1026T2-AJE 1026T2-AKA 7150T 7150T-CA 7150T-Z 7151T 7151T-Z 7153JT \
            7153JT-ASH 7153T-ASH 7155T 7155T-ALRU 7155T-AP 7155T-ASH3BK 7155T-ASH3SL 7155T-D \
            7155T-EBK 7155T-EBL 7155T-ESL 7155T-ESL1 7155T-K4 7155T-K4-D 7155T-K4-EBK \
            7155T-K4-ESL 7155T-MW 7155T-MW3 7156T-AAP 7156T-AP 7156T-BR 7156T-LA 7157T 7157T-AP \
            7158T-AP3 7158T-JC 7159T-AP3 7183T1-AP 7183T1-CAP 7183T1-FLBIN 7183T1-FLIN \
            7183T1-LAP 7188T1 7188T1-LE 7188T1-LEO 7191T1 7191T1-LZ 7194T1-FLAP 7194T1-FLBIN \
            7194T1-FLCAP 7194T1-FLIN 7196T1 7196T1-FLE 7196T1-FLEO 7340T-CA 7340T-K4-CA \
            7340T-K4-Z 7340T-Z 7341T-K4-Z 7341T-Z 7342T 7342T-CA 7342T-Z 7342T1-ACACD6 7343T \
            7343T-Z 7344JT-ASH3 7344T-ASH3BK 7344T-ASH3SL 7346T-ABR3 7346T-AJC3 7346T-AJE3 \
            7346T-AP3 7346T2-AJC32 7346T2-AJE32 7347T-AJC3 7347T-AJE3 7347T2-AJC32 7347T2-AJE32 \
            7349T-ABR 7361T 7361T-ALRU 7361T-AP 7361T-D 7361T-EBK 7361T-ESL 7361T1-BS 7376T1 \
            7376T1-ACACD6 7376T1-Z 7377T1 7377T1-ZAZ 7380T 7380T1 7380T1-EBK 7380T1-EOSL \
            7381T1-AZ 7382T1 7382T1-AZAZ 7383T1-AP 7384T1-NBBR 7385T1-AJAZ3 7386T1 7386T1-AJF3 \
            7387T1-AJAZ3 7388T1-AJF3 7389T1-JM3",
    },
    Family {
        record: Layout::ByteAligned,
        len: 14,
        clock: Clock::LinearAt8,
        models: "7138K-SH 7140T1-AP 7141T1-AP 7142T1-AP 7142T2 7142T2-AP 7142T2-JAZ 7142T2-Z \
            7142T2-ZAZ 7143T1-AIN 7143T1-AP 7143T1-D 7143T1-E 7143T1-EBK 7143T2-E 7143T2-ESL \
            7144T1-AU 7144T2-BR 7144T2-LA 7146T 7146T2 7146T2-EBK 7146T2-ESL 7146T2-JD 7146T2-JF \
            7149T2-E 716BT2 716BT2-ZAZ 716CT2-Z 716DT2-LA",
    },
];

/// The family of a model number as Device Information or a box has it: `HEM-7142T2_JAZ`, `hem-7600t-e`.
pub(super) fn family(model: &str) -> Option<&'static Family> {
    let plain = model.trim().to_ascii_uppercase().replace('_', "-");
    let number = plain.strip_prefix("HEM-").unwrap_or(&plain);
    FAMILIES.iter().find(|family| family.models.split(' ').any(|listed| listed == number))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_model_is_in_one_family() {
        let models: Vec<&str> =
            FAMILIES.iter().flat_map(|family| family.models.split(' ')).collect();
        let distinct: BTreeSet<&str> = models.iter().copied().collect();
        assert_eq!(models.len(), distinct.len());
        for model in models {
            let plain = model.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+'));
            assert!(plain && model.len() > 4, "{model:?}");
            let found = family(&format!("HEM-{model}")).expect("listed");
            assert!(found.len == 16 || found.record != Layout::Dated || found.len == 32, "{model}");
        }
    }

    #[test]
    fn a_model_is_found_however_it_is_spelt() {
        for model in ["HEM-7142T2_JAZ", "hem-7142t2-jaz", " 7142T2-JAZ "] {
            let found = family(model).expect(model);
            assert_eq!((found.record, found.len), (Layout::ByteAligned, 14));
            assert_eq!(found.clock, Clock::LinearAt8);
        }
        for model in ["", "HEM-", "HEM-7142", "HEM-7142T2-NEW", "HBF-702T", "7142T2 7142T2-AP"] {
            assert!(family(model).is_none(), "{model}");
        }
    }
}
