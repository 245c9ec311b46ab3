//! What the operator is told: for each notice one sentence of fact and one of advice, no blame, no jargon.

use wardkeep_model::access::guessable::Weakness;
use wardkeep_model::notice::Notice;

use crate::bridge::words::{Said, Sentence, Words, tr};

/// What a notice says.
pub(in crate::bridge) fn notice(words: &Words, notice: Notice) -> Said {
    let (fact, advice) = sentences(notice);
    Said { fact: words.say(fact), advice: words.say(advice) }
}

#[expect(clippy::too_many_lines, reason = "one row for each notice")]
fn sentences(notice: Notice) -> (Sentence, Sentence) {
    match notice {
        Notice::BadgeOrPinWrong => (
            tr("The badge or the PIN is not right."),
            tr("Check that it is your badge, then type the PIN again."),
        ),
        Notice::TriesExhausted => {
            (tr("All PIN tries are used up."), tr("Ask IT to set this badge up again."))
        }
        Notice::TryLater => {
            (tr("There were too many wrong PINs."), tr("Wait a little, then try again."))
        }
        Notice::BadgeLeftTooSoon => {
            (tr("The badge left too soon."), tr("Hold it still on the reader for a second."))
        }
        Notice::BadgePulled => {
            (tr("Locked: the badge was taken away."), tr("Tap it again to go on."))
        }
        Notice::TwoBadges => {
            (tr("There are two badges on the reader."), tr("Hold only yours to the reader."))
        }
        Notice::BadgeUnreadable => {
            (tr("This badge could not be read."), tr("Try once more, or ask IT for another badge."))
        }
        Notice::PinTimedOut => (tr("The PIN took too long."), tr("Tap your badge again.")),
        Notice::LockedIdle => {
            (tr("Locked: nobody touched the screen."), tr("Tap your badge to go on."))
        }
        Notice::LockedByBadge => (tr("Locked with your badge."), tr("Monitoring goes on.")),
        Notice::LockedForOther => {
            (tr("Locked: another badge was tapped."), tr("Its owner can type the PIN."))
        }
        Notice::VaultDamaged => (
            tr("Your factors are right, but the records could not be opened."),
            tr("Monitoring, alarms and recording go on. IT: run `wardkeepctl store check`."),
        ),
        Notice::StoreSuspected => (
            tr("Nobody can log in: newer records of this cart were seen elsewhere."),
            tr("Monitoring, alarms and recording go on. IT: run `wardkeepctl store accept`."),
        ),
        Notice::CounterSilent => (
            tr("Badges do not open this cart: its security chip does not answer."),
            tr("Use a smart card. Monitoring goes on. IT: run `wardkeepctl doctor`."),
        ),
        Notice::PinsDiffer => {
            (tr("The two PINs are not the same."), tr("Choose one again and type it twice."))
        }
        Notice::PinGuessable(why) => guessable(why),
        Notice::BadgeNotUsable => (tr("This badge cannot be used."), tr("Tap another one.")),
        Notice::StoreNotMade => (
            tr("The store could not be made."),
            tr("Check that the disk has space, then begin again."),
        ),
        Notice::ConfigIgnored => (
            tr("Some settings of this cart were not used."),
            tr("Ask IT to check the configuration."),
        ),
        Notice::PatientIncomplete => {
            (tr("A name is missing or too long."), tr("Fill in family name and given name."))
        }
        Notice::SoundTested => (
            tr("You should hear three tones now."),
            tr("If you do not, stay within sight of the screen and call IT."),
        ),
        Notice::NameDeceptive => (
            tr("The name has signs in it that cannot be seen."),
            tr("Type it again, letter by letter."),
        ),
        Notice::PatientNumberTaken => (
            tr("A patient with this number is here already."),
            tr("Find them in the list, or correct the number."),
        ),
        Notice::PatientLooksKnown => (
            tr("Somebody of this name and birth date is here already."),
            tr("Look in the list first. If it is somebody else, save again."),
        ),
        Notice::PatientNotSaved => {
            (tr("The patient was not saved."), tr("What you typed is still there. Save again."))
        }
        Notice::BadgeRandom => (
            tr("This badge gives another number at every tap."),
            tr("It can be nobody's badge. Take another one."),
        ),
        Notice::NoToken => (
            tr("This person has no badge yet."),
            tr("Enrol a badge first; a PIN or a code goes with it."),
        ),
        Notice::NameIncomplete => (
            tr("A name or initials are missing or too long."),
            tr("Fill in a name and up to three initials."),
        ),
        Notice::BirthDateWrong => (
            tr("The date of birth is not a possible date."),
            tr("Type it as 1944-03-02 or 02.03.1944."),
        ),
        Notice::CardLeftTooSoon => {
            (tr("The card left too soon."), tr("Push it in and leave it there."))
        }
        Notice::CardNotPiv => (
            tr("This card is not made for logging in here."),
            tr("Use your badge, or the card you got from IT."),
        ),
        Notice::CardUnreadable => {
            (tr("This card could not be read."), tr("Take it out and put it in again, chip first."))
        }
        Notice::CardPulled => {
            (tr("Locked: the card was taken out."), tr("Put it in again to go on."))
        }
        Notice::CardChanged => (
            tr("Another card is in the reader than before."),
            tr("Begin again with your own card."),
        ),
        Notice::CardPinWrong => {
            (tr("The card says that the PIN is wrong."), tr("Type the card's own PIN again."))
        }
        Notice::CardLastTry => (
            tr("Only one PIN try is left on this card."),
            tr("It is kept, so that the card is not blocked: ask IT, or use your badge."),
        ),
        Notice::CardBlocked => {
            (tr("The card has blocked its PIN."), tr("Ask IT to unblock it, or use your badge."))
        }
        Notice::CardNoKey => (
            tr("This card lacks the key that opens the data."),
            tr("Use your badge, or ask IT for another card."),
        ),
        Notice::CardNotTrusted => (
            tr("This cart does not trust the issuer of this card."),
            tr("Use your badge, or ask IT to check the card."),
        ),
        Notice::CardExpired => {
            (tr("The card is not valid today."), tr("Use your badge, or ask IT for a new card."))
        }
        Notice::CardRevoked => (
            tr("This card was withdrawn by its issuer."),
            tr("Use your badge, or ask IT for a new card."),
        ),
        Notice::RevocationListOld => (
            tr("The list of withdrawn cards is missing or too old."),
            tr("Use your badge, and tell IT to renew the list."),
        ),
        Notice::CardWanted => {
            (tr("Badges do not open this cart."), tr("Insert your card instead."))
        }
        Notice::FingerNotMatched => {
            (tr("The finger was not recognised."), tr("Lay it on again, or type the PIN."))
        }
        Notice::FingerOff => {
            (tr("The finger does not count for now."), tr("Type the PIN this time."))
        }
        Notice::FingerNotFitted => (
            tr("No fingerprint reader answers."),
            tr("Check that it is plugged in, or go on without it."),
        ),
        Notice::FingerInUse => {
            (tr("This finger is enrolled already."), tr("Choose another finger."))
        }
        Notice::FingerNotTaken => {
            (tr("The finger was not taken to the end."), tr("Choose a finger and begin again."))
        }
        Notice::ShiftOver => {
            (tr("Your shift here is over."), tr("Type your PIN to begin another."))
        }
        Notice::PersonExpired => {
            (tr("Your access to this cart has ended."), tr("Ask IT to renew it."))
        }
        Notice::BadgesDiffer => {
            (tr("Two different badges were tapped."), tr("Begin again and tap the same one twice."))
        }
        Notice::TokenInUse => (
            tr("This badge or card is enrolled already."),
            tr("Use another one, or take it from its owner first."),
        ),
        Notice::PersonAdded => (tr("The person was added."), tr("Enrol a badge or a card next.")),
        Notice::FactorRevoked => (
            tr("It was taken away and opens nothing any more."),
            tr("The other factors go on working."),
        ),
        Notice::PersonRevoked => {
            (tr("The person was taken away."), tr("Nothing of theirs opens this cart any more."))
        }
        Notice::KeysUnchanged => (
            tr("It was taken away, but the records could not be encrypted anew yet."),
            tr("The next login tries again. See whether the disk has room."),
        ),
        Notice::PinChanged => {
            (tr("The new PIN counts from now on."), tr("Use it at the next login."))
        }
        Notice::LastAdministrator => {
            (tr("Nobody could manage people any more."), tr("Add another IT person first."))
        }
        Notice::VoucherWrong => (
            tr("The second person could not be confirmed."),
            tr("Another IT person has to tap their badge and type their PIN."),
        ),
        Notice::DayWrong => (
            tr("The last day is not a possible date."),
            tr("Type it as 2027-03-31 or 31.03.2027, or leave it empty."),
        ),
        Notice::TooMany => (
            tr("No more people or factors fit on this cart."),
            tr("Take away what is not used any more."),
        ),
        Notice::NotWritten => (
            tr("It was not done: the disk could not be written."),
            tr("Try again. If it stays like this, free space on the disk."),
        ),
        Notice::NotAllowed => {
            (tr("Your role may not do that."), tr("Ask somebody whose role may."))
        }
        Notice::ClockSet => (
            tr("The clock of this cart was set."),
            tr("Times before and after may not fit together. Monitoring went on."),
        ),
        Notice::LimitsChanged => (
            tr("The new limits are in force."),
            tr("They stay until they are changed, or another patient comes."),
        ),
        Notice::ReadingWaits => (
            tr("The reading is in nobody's record."),
            tr("It waits under Devices until somebody says whose it is."),
        ),
        Notice::ReadingPutBack => (
            tr("The reading is in nobody's record any more."),
            tr("It waits under Devices until somebody says whose it is."),
        ),
        Notice::ReadingNotFiled => (
            tr("The reading could not be filed."),
            tr("It waits under Devices. Try again, or call IT."),
        ),
        Notice::MeasurementFailed => (
            tr("The device could not measure."),
            tr("Check how it sits, let the patient rest, and measure again."),
        ),
        Notice::ControlSolution => (
            tr("The meter measured its control solution."),
            tr("That is nobody's value and is not filed."),
        ),
        Notice::MeasurementImplausible => (
            tr("The device sent a value that nobody can have."),
            tr("Measure again. If it comes back, use another device and call medical technology."),
        ),
        Notice::PatientLeft => (
            tr("Nobody is at this bed."),
            tr("The devices measure nobody until somebody is chosen and they are assigned."),
        ),
        Notice::DeviceBlinks => {
            (tr("The device shows itself now."), tr("It blinks, beeps or shakes for ten seconds."))
        }
        Notice::DeviceCannotBlink => {
            (tr("This device cannot show itself."), tr("Compare its label and its serial number."))
        }
        Notice::DeviceNotFound => (
            tr("No device of this cart has this label or serial number."),
            tr("Link it once, then write its label at its page."),
        ),
        Notice::DeviceDescribed => {
            (tr("The device's label and calibration are kept."), tr("Its page shows them."))
        }
        Notice::LabelTaken => (
            tr("Another device has this label."),
            tr("Use a label once, so that nobody takes one device for another."),
        ),
        Notice::LabelWrong => {
            (tr("This label cannot be used."), tr("Use up to 40 letters that all can be seen."))
        }
        Notice::PauseUsedUp => (
            tr("The sound cannot be paused any longer."),
            tr("Acknowledge the alarm once you have seen to it."),
        ),
        Notice::EmergencyUnknown => (
            tr("This badge or card is not known here."),
            tr("Use one that is enrolled on this cart."),
        ),
        Notice::EmergencyNothing => (
            tr("Nothing is kept here about a patient at this bed."),
            tr("Use another source, such as the patient record."),
        ),
        Notice::EmergencyOver => (tr("The emergency view is closed."), tr("Log in to see more.")),
        Notice::StoreBroken => (
            tr("Nobody can log in: the cart's records cannot be opened."),
            tr("Call IT. Monitoring and alarms work."),
        ),
        Notice::StoreBack => {
            (tr("The cart's records can be opened again."), tr("Log in as usual."))
        }
    }
}

/// Why a PIN is not taken, and what is one.
fn guessable(why: Weakness) -> (Sentence, Sentence) {
    let another = tr("Choose digits that nobody tries first.");
    match why {
        Weakness::Short => (tr("This PIN is too short."), tr("A PIN has at least six digits.")),
        Weakness::Repeated => (tr("This PIN repeats itself."), another),
        Weakness::Run => (tr("The digits of this PIN follow each other."), another),
        Weakness::Mirrored => (tr("This PIN reads the same from behind."), another),
        Weakness::Keypad => (tr("This PIN is a figure on the keypad."), another),
        Weakness::Date => (tr("This PIN is a date."), another),
        Weakness::WellKnown => (tr("Many people have this PIN."), another),
        Weakness::Own => (tr("This PIN stands on your badge or at the bed."), another),
        Weakness::Code => (tr("This is the code you were given."), tr("Choose a PIN of your own.")),
    }
}
