//! `wardkeepctl enroll`: another factor for somebody who was added.

use clap::{Args, Subcommand};

use crate::ctl::access::{self, Access, named};
use crate::ctl::args::{Entrance, Places, Words, one_of, word_of};
use crate::ctl::factors::readers::Readers;
use crate::ctl::factors::{self, Desk};
use crate::ctl::failure::{Answer, Failure};
use crate::ctl::people::error::PeopleError;
use crate::ctl::people::{at_the_desk, code_json, find};
use crate::ctl::terminal;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::{Badge, Finger, Pin};
use wardkeep_model::keeping::{Administration, NewPin};

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl enroll \"Amara Kone\" badge --code
  wardkeepctl enroll \"Amara Kone\" card
  wardkeepctl enroll \"Amara Kone\" finger --finger right-index

These ask for your badge or card and your PIN, and then for the new factor. A person whose name is
that of a kind is given by the identity that `wardkeepctl users list` shows.";

const BADGE_EXAMPLES: &str = "\
Examples:
  wardkeepctl enroll \"Amara Kone\" badge
  wardkeepctl enroll \"Amara Kone\" badge --code
  wardkeepctl enroll \"Amara Kone\" badge --recovery";

const CARD_EXAMPLES: &str = "\
Examples:
  wardkeepctl enroll \"Amara Kone\" card";

const PIN_EXAMPLES: &str = "\
Examples:
  wardkeepctl enroll \"Amara Kone\" pin

The PIN is typed twice at the terminal, unseen; it is no word of the command line.";

const FINGER_EXAMPLES: &str = "\
Examples:
  wardkeepctl enroll \"Amara Kone\" finger --finger right-index";

/// A person and what is enrolled for them.
#[derive(Args, Clone, Debug)]
pub struct Enroll {
    /// The person's name or identity
    person: String,
    #[command(subcommand)]
    kind: Kind,
}

/// What is enrolled.
#[derive(Subcommand, Clone, Debug)]
enum Kind {
    /// A badge, with a PIN for all the person's badges
    #[command(after_help = BADGE_EXAMPLES)]
    Badge(NewBadge),
    /// A smart card, with its own PIN
    #[command(after_help = CARD_EXAMPLES)]
    Card(Places),
    /// Another PIN for all the person's badges
    #[command(after_help = PIN_EXAMPLES)]
    Pin(Places),
    /// A finger
    #[command(after_help = FINGER_EXAMPLES)]
    Finger(NewFinger),
}

#[derive(Args, Clone, Debug)]
struct NewBadge {
    /// Print a one-time code instead of asking for the person's PIN; with --recovery it always is one
    #[arg(long)]
    code: bool,
    #[command(flatten)]
    entrance: Entrance,
    #[command(flatten)]
    places: Places,
}

#[derive(Args, Clone, Debug)]
struct NewFinger {
    /// Which finger
    #[arg(long, value_parser = one_of(FINGERS))]
    finger: Finger,
    #[command(flatten)]
    places: Places,
}

/// The words of the fingers.
const FINGERS: Words<Finger> = &[
    ("right-index", Finger::RightIndex),
    ("left-index", Finger::LeftIndex),
    ("right-thumb", Finger::RightThumb),
    ("left-thumb", Finger::LeftThumb),
    ("right-middle", Finger::RightMiddle),
    ("left-middle", Finger::LeftMiddle),
];

/// The word of a finger.
pub fn finger_word(finger: Finger) -> &'static str {
    word_of(FINGERS, finger)
}

impl Enroll {
    /// Does it.
    ///
    /// # Errors
    /// It was not done.
    pub fn run(self) -> Result<Answer, Failure> {
        let Self { person, kind } = self;
        match kind {
            Kind::Badge(verb) => access::with(&verb.places, verb.entrance, |access| {
                let id = named(&access.people()?, &person)?.id;
                let (badge, pin) = verb.present(access)?;
                let done = access.administer(Administration::EnrolBadge(id, badge, pin))?;
                Ok(code_json(id, done)?.into())
            }),
            Kind::Card(places) => with_new(&places, &person, |desk, id| {
                terminal::complain("Insert the new card.");
                let seen = desk.readers().card()?;
                terminal::complain(&format!("The card belongs to {}.", seen.subject.reveal()));
                let pin = factors::pin("The card's PIN: ")?;
                let enrolment = desk.readers().enrol_card(seen.card, pin)?;
                Ok(Administration::EnrolCard(id, enrolment))
            }),
            Kind::Pin(places) => with_new(&places, &person, |_, id| {
                Ok(Administration::SetPin(id, NewPin::Chosen(twice()?)))
            }),
            Kind::Finger(NewFinger { finger, places }) => with_new(&places, &person, |desk, id| {
                terminal::complain(
                    "Lay the finger on the reader, and lift it each time you are told.",
                );
                let template = desk.readers().enrol_finger(finger)?;
                Ok(Administration::EnrolFinger(id, template))
            }),
        }
    }
}

/// Enrols what `take` gets of the person at the desk.
fn with_new(
    places: &Places,
    person: &str,
    take: impl FnOnce(&mut Desk, OperatorId) -> Result<Administration, Failure>,
) -> Result<Answer, Failure> {
    at_the_desk(places, |desk| {
        let id = find(desk, person)?;
        let what = take(desk, id)?;
        Ok(code_json(id, desk.administer(what)?)?.into())
    })
}

impl NewBadge {
    /// The new badge and its PIN.
    fn present(&self, access: &mut Access) -> Result<(Badge, NewPin), Failure> {
        match access {
            Access::Factors(desk) => {
                let badge = tapped_twice(desk.readers())?;
                let pin = if self.code { NewPin::OneTimeCode } else { NewPin::Chosen(twice()?) };
                Ok((badge, pin))
            }
            // Whoever has the words may be alone with somebody else's badge: a code has to be passed on.
            Access::Words(words) => {
                let (_, _, config) = words.as_ref();
                let mut readers = Readers::start(config)?;
                terminal::complain("Tap the new badge.");
                Ok((readers.badge()?, NewPin::OneTimeCode))
            }
        }
    }
}

fn tapped_twice(readers: &mut Readers) -> Result<Badge, Failure> {
    terminal::complain("Tap the new badge.");
    let badge = readers.badge()?;
    terminal::complain("Tap it again.");
    if readers.badge()? != badge {
        return Err(PeopleError::BadgesDiffer.into());
    }
    Ok(badge)
}

fn twice() -> Result<Pin, Failure> {
    let pin = factors::pin("The person's new PIN: ")?;
    if factors::pin("The same PIN again: ")? != pin {
        return Err(PeopleError::PinsDiffer.into());
    }
    Ok(pin)
}
