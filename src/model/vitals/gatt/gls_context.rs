//! Glucose Service, 0x1808: Glucose Measurement Context (2A34).
//!
//! Meals, exercise, medication and an HbA1c typed into the meter belong to the glucose record with the
//! same sequence number. None of them is a vital sign, so all of them are events.

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Counter, Quantity, Topic, from_one};
use crate::vitals::nomenclature::Unit;

const CARBOHYDRATE_PRESENT: u8 = 1 << 0;
const MEAL_PRESENT: u8 = 1 << 1;
const TESTER_HEALTH_PRESENT: u8 = 1 << 2;
const EXERCISE_PRESENT: u8 = 1 << 3;
const MEDICATION_PRESENT: u8 = 1 << 4;
const MEDICATION_IN_LITRES: u8 = 1 << 5;
const HBA1C_PRESENT: u8 = 1 << 6;
const EXTENDED_FLAGS_PRESENT: u8 = 1 << 7;

// Each list starts at 1; zero and what lies beyond are reserved. 15 is "not available" where it exists.
const CARBOHYDRATES: &[&str] =
    &["breakfast", "lunch", "dinner", "snack", "drink", "supper", "brunch"];
const MEALS: &[&str] = &["preprandial", "postprandial", "fasting", "casual", "bedtime"];
const TESTERS: &[&str] = &["self", "professional", "laboratory"];
const HEALTHS: &[&str] = &["minor-issues", "major-issues", "during-menses", "under-stress", "none"];
const MEDICATIONS: &[&str] = &[
    "rapid-acting-insulin",
    "short-acting-insulin",
    "intermediate-acting-insulin",
    "long-acting-insulin",
    "premixed-insulin",
];

/// Reads flags, sequence and whatever context the flags announce.
pub(super) fn context(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let flags = cursor.u8("flags")?;
    decoded.count(Counter::Sequence, u32::from(cursor.u16("sequence number")?));
    if flags & EXTENDED_FLAGS_PRESENT != 0 {
        cursor.u8("extended flags")?;
    }
    if flags & CARBOHYDRATE_PRESENT != 0 {
        let source = cursor.u8("carbohydrate id")?;
        decoded.label(Topic::CarbohydrateSource, choice(CARBOHYDRATES, source));
        let mass = cursor.sfloat("carbohydrate")?;
        decoded.quantity(Quantity::Carbohydrate, mass, Unit::Kilogram);
    }
    if flags & MEAL_PRESENT != 0 {
        decoded.label(Topic::Meal, choice(MEALS, cursor.u8("meal")?));
    }
    if flags & TESTER_HEALTH_PRESENT != 0 {
        let byte = cursor.u8("tester and health")?;
        decoded.label(Topic::Tester, choice(TESTERS, byte & 0x0F));
        decoded.label(Topic::Health, choice(HEALTHS, byte >> 4));
    }
    if flags & EXERCISE_PRESENT != 0 {
        let duration = cursor.scaled("exercise duration", 1, 0)?;
        decoded.quantity(Quantity::ExerciseDuration, duration, Unit::Second);
        let intensity = cursor.u8("exercise intensity")?;
        let intensity = crate::vitals::sfloat::Reading::of(i64::from(intensity), 0);
        decoded.quantity(Quantity::ExerciseIntensity, intensity, Unit::Percent);
    }
    if flags & MEDICATION_PRESENT != 0 {
        let medication = cursor.u8("medication id")?;
        decoded.label(Topic::Medication, choice(MEDICATIONS, medication));
        let litres = flags & MEDICATION_IN_LITRES != 0;
        let unit = if litres { Unit::Litre } else { Unit::Kilogram };
        let dose = cursor.sfloat("medication")?;
        decoded.quantity(Quantity::MedicationDose, dose, unit);
    }
    if flags & HBA1C_PRESENT != 0 {
        let hba1c = cursor.sfloat("hba1c")?;
        decoded.quantity(Quantity::Hba1c, hba1c, Unit::Percent);
    }
    Ok(())
}

/// The word of a choice in a list that starts at 1; 15 is "not available" where it exists.
fn choice(list: &[&'static str], number: u8) -> &'static str {
    if number == 15 { "not-available" } else { from_one(list, number) }
}

#[cfg(test)]
mod tests {
    use crate::vitals::gatt::testing::{Expect, assert_decodes};

    #[test]
    fn s7_context_holds_no_vital() {
        assert_decodes(
            0x2A34,
            &[
                (
                    "02 05 00 03",
                    Expect { events: &["sequence 5", "meal fasting"], ..Expect::NOTHING },
                ),
                // Everything: extended flags, 50 g at lunch, postprandial, self-tested in stress, an hour at
                // 80 %, 10 mg rapid insulin, HbA1c 6.5 %.
                (
                    "df 06 00 00 02 32 d0 02 41 10 0e 50 01 0a a0 41 f0",
                    Expect {
                        events: &[
                            "sequence 6",
                            "carbohydrate-source lunch",
                            "carbohydrate 0.050 kg",
                            "meal postprandial",
                            "tester self",
                            "health under-stress",
                            "exercise-duration 3600 s",
                            "exercise-intensity 80 %",
                            "medication rapid-acting-insulin",
                            "medication-dose 0.000010 kg",
                            "hba1c 6.5 %",
                        ],
                        ..Expect::NOTHING
                    },
                ),
                (
                    "30 07 00 0f 0a d0",
                    Expect {
                        events: &[
                            "sequence 7",
                            "medication not-available",
                            "medication-dose 0.010 L",
                        ],
                        ..Expect::NOTHING
                    },
                ),
                (
                    "42 08 00 00 ff 07",
                    Expect {
                        events: &["sequence 8", "meal reserved", "hba1c not-a-number"],
                        ..Expect::NOTHING
                    },
                ),
            ],
        );
    }

    #[test]
    fn missing_bytes_name_their_field() {
        assert_decodes(
            0x2A34,
            &[
                ("80 05 00", Expect { error: Some("truncated extended flags"), ..Expect::NOTHING }),
                (
                    "01 05 00 01 32",
                    Expect { error: Some("truncated carbohydrate"), ..Expect::NOTHING },
                ),
                ("02 05 00", Expect { error: Some("truncated meal"), ..Expect::NOTHING }),
                (
                    "04 05 00",
                    Expect { error: Some("truncated tester and health"), ..Expect::NOTHING },
                ),
                (
                    "08 05 00 10 0e",
                    Expect { error: Some("truncated exercise intensity"), ..Expect::NOTHING },
                ),
                (
                    "10 05 00 01 0a",
                    Expect { error: Some("truncated medication"), ..Expect::NOTHING },
                ),
                ("40 05 00 41", Expect { error: Some("truncated hba1c"), ..Expect::NOTHING }),
            ],
        );
    }
}
