//! The wizard of the first start, as people see it. The machine is `session::setup`.

use wardkeep_model::confidential::Phi;
use wardkeep_model::ports::ReaderKind;

use crate::kiosk::health::Health;
use crate::kiosk::pad;
use crate::kiosk::view::{FirstStart, PinPurpose};
use crate::session::setup::{Event, Setup, Step};

/// What people do in the wizard; its PIN is typed on the pad of the login.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Go on from the welcome screen.
    Begin,
    /// Name and initials of the first IT admin.
    NameAdmin {
        /// Full name.
        name: Phi<String>,
        /// Two or three letters.
        initials: String,
    },
    /// The recovery words were written down.
    RecoveryWritten,
}

impl From<Intent> for Event {
    fn from(intent: Intent) -> Self {
        match intent {
            Intent::Begin => Event::Begin,
            Intent::NameAdmin { name, initials } => Event::Named(name, initials),
            Intent::RecoveryWritten => Event::WrittenDown,
        }
    }
}

/// The step that waits.
pub(super) fn view(setup: &Setup, health: &Health) -> FirstStart {
    let badge_reader = health.reader(ReaderKind::Badge);
    let pin = |purpose| FirstStart::Pin(pad::empty(purpose, setup.prompt(), false));
    match setup.step() {
        Step::Welcome => FirstStart::Welcome { badge_reader },
        Step::Name => FirstStart::Name,
        Step::Badge => FirstStart::Badge { badge_reader },
        Step::Pin => pin(PinPurpose::Choose),
        Step::Repeat => pin(PinPurpose::Repeat),
        Step::Working | Step::Done => FirstStart::Working,
        Step::Recovery(words) => FirstStart::Recovery(words.clone()),
    }
}
