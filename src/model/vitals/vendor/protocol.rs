//! The protocols by name: the support table.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::vitals::nomenclature::Mdc;
use crate::vitals::vendor::about::{About, Endpoint};
use crate::vitals::vendor::{
    bci, contec, dexcom, mgb, nonin, o2ring, omron, pc60fw, polar, s400, taidoc, yonker,
};

/// A vendor's own protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Nonin 3230 oximeter.
    Nonin3230,
    /// Viatom and Wellue rings and clips.
    O2ring,
    /// Viatom PC-60FW and other fingertip oximeters.
    Pc60fw,
    /// BerryMed BM1000 and other oximeters with five-byte packets.
    Bci,
    /// Contec CMS50D-BT oximeter.
    ContecCms50d,
    /// TaiDoc and FORA meters.
    Taidoc,
    /// A record of an Omron cuff's memory.
    OmronRecord,
    /// The clock in an Omron cuff's memory.
    OmronClock,
    /// A block of an Omron device's memory as it travels.
    OmronPacket,
    /// A record of an Omron scale's memory.
    OmronHbf,
    /// Yonker cuffs.
    YonkerBp,
    /// Polar straps and armbands.
    PolarPmd,
    /// SWAN, Icomon and YG scales.
    MgbScale,
    /// The Xiaomi S400 scale.
    XiaomiS400,
    /// Dexcom G5 and G6.
    DexcomG6,
    /// Dexcom G7 and ONE+.
    DexcomG7,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Protocol; 16] = [
        Protocol::Nonin3230,
        Protocol::O2ring,
        Protocol::Pc60fw,
        Protocol::Bci,
        Protocol::ContecCms50d,
        Protocol::Taidoc,
        Protocol::OmronRecord,
        Protocol::OmronClock,
        Protocol::OmronPacket,
        Protocol::OmronHbf,
        Protocol::YonkerBp,
        Protocol::PolarPmd,
        Protocol::MgbScale,
        Protocol::XiaomiS400,
        Protocol::DexcomG6,
        Protocol::DexcomG7,
    ];

    fn about(self) -> &'static About {
        match self {
            Protocol::Nonin3230 => &nonin::ABOUT,
            Protocol::O2ring => &o2ring::ABOUT,
            Protocol::Pc60fw => &pc60fw::ABOUT,
            Protocol::Bci => &bci::ABOUT,
            Protocol::ContecCms50d => &contec::ABOUT,
            Protocol::Taidoc => &taidoc::ABOUT,
            Protocol::OmronRecord => &omron::record::ABOUT,
            Protocol::OmronClock => &omron::clock::ABOUT,
            Protocol::OmronPacket => &omron::packet::ABOUT,
            Protocol::OmronHbf => &omron::hbf::ABOUT,
            Protocol::YonkerBp => &yonker::ABOUT,
            Protocol::PolarPmd => &polar::ABOUT,
            Protocol::MgbScale => &mgb::ABOUT,
            Protocol::XiaomiS400 => &s400::ABOUT,
            Protocol::DexcomG6 => &dexcom::g6::ABOUT,
            Protocol::DexcomG7 => &dexcom::g7::ABOUT,
        }
    }

    /// Its stable name.
    pub fn word(self) -> &'static str {
        self.about().word
    }

    /// Who speaks it, for people.
    pub fn device(self) -> &'static str {
        self.about().device
    }

    /// The protocol of this name, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.word().eq_ignore_ascii_case(word))
    }

    /// Every code that its frames can chart; none where they carry waveforms, clocks or framing alone.
    pub fn measures(self) -> &'static [Mdc] {
        self.about().measures
    }

    /// Which fields of [`crate::vitals::vendor::Device`] it cannot be read without.
    pub fn needs(self) -> &'static [&'static str] {
        self.about().needs
    }

    /// Where it lives on air.
    pub fn endpoint(self) -> &'static Endpoint {
        &self.about().endpoint
    }
}

/// By its name.
impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Protocol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::from_word(&word).ok_or_else(|| D::Error::custom("no such protocol"))
    }
}
