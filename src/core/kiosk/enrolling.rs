//! Enrolling somebody's factor, in front of the page it was begun from. The machine is
//! [`crate::session::enrolment`].
//!
//! While somebody is enrolled, badges, cards and fingers belong to the wizard: they neither switch nor
//! lock the session, but the lock button, the idle time and the operator's own badge or card still do.
//! What came as a guest also leaves as a guest, even after the wizard has ended: only the operator's own
//! badge or card that was there before locks the session when it is taken away.

use wardkeep_model::access::factor::{Attempt, Finger, TokenKind};
use wardkeep_model::access::policy::Permission;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::Command as StoreCommand;
use wardkeep_model::ports::{CardSeen, Command as HardwareCommand, ReaderKind};

use crate::kiosk::Effect;
use crate::kiosk::desk::{Desk, Scene, WIZARD_FROM};
use crate::kiosk::gate::Need;
use crate::kiosk::open::Open;
use crate::kiosk::pad;
use crate::kiosk::pages::Front;
use crate::kiosk::view::access::Enrolment as EnrolmentPage;
use crate::kiosk::view::{PinPrompt, PinPurpose};
use crate::session::enrolment::{self, EnrolKind, Enrolment, Goal, Start, Step};

/// What people do in the wizard; its PINs are typed on the pad of the login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Enrol this finger.
    ChooseFinger(Finger),
    /// A one-time code instead of a typed PIN.
    IssueCode,
    /// Go on: the code was handed over, or nothing else is to be enrolled.
    Done,
}

pub(super) fn need(intent: &Intent) -> Need {
    match intent {
        Intent::ChooseFinger(_) | Intent::IssueCode | Intent::Done => {
            Need::Role(Permission::ManagePeople)
        }
    }
}

impl From<Intent> for enrolment::Event {
    fn from(intent: Intent) -> Self {
        match intent {
            Intent::ChooseFinger(finger) => enrolment::Event::ChooseFinger(finger),
            Intent::IssueCode => enrolment::Event::IssueCode,
            Intent::Done => enrolment::Event::Finish,
        }
    }
}

/// Whether a question was asked by a wizard, of this session or of one before.
pub(super) fn is_wizards(attempt: Attempt) -> bool {
    attempt.0 > WIZARD_FROM
}

/// The wizard, and who is there as its guest.
#[derive(Default)]
pub(super) struct Wizard {
    running: Option<Enrolment>,
    /// The badge in the field, and the card in the reader, came during an enrolment: the session does
    /// not know of them and must not hear of their leaving.
    pub(super) has_guest_badge: bool,
    pub(super) guest_card: Option<CardSeen>,
}

impl Wizard {
    /// PINs, badges, cards and fingers are its own.
    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// A badge, a card or a finger is what it waits for; `None` where there is no wizard.
    pub(super) fn waits_for_reader(&self) -> Option<bool> {
        self.running.as_ref().map(Enrolment::waits_for_reader)
    }

    /// The store's answer to this attempt is its own.
    pub(super) fn awaits(&self, attempt: Attempt) -> bool {
        let step = self.running.as_ref().map(Enrolment::step);
        matches!(step, Some(Step::Writing(asked, _)) if *asked == attempt)
    }

    /// The step that waits.
    pub(super) fn view(&self, scene: Scene<'_>) -> Option<EnrolmentPage> {
        self.running.as_ref().map(|wizard| step_page(scene, wizard))
    }
}

impl Open {
    /// Puts a wizard in front of the page.
    pub(super) fn begin_enrolment(
        &mut self,
        desk: &mut Desk<'_>,
        goal: Goal,
        fingers: Vec<Finger>,
    ) -> Vec<Effect> {
        let own = desk.session.token().cloned();
        let inserted = self.wizard.guest_card.clone();
        let start =
            Start { own, fingers, count: desk.counts.wizard, inserted, places: desk.site.places() };
        let (wizard, wanted) = Enrolment::begin(goal, start);
        desk.notices.clear();
        self.wizard.running = Some(wizard);
        self.perform_enrolment(desk, wanted)
    }

    /// Hands an event to the wizard, if there is one.
    pub(super) fn in_enrolment(
        &mut self,
        desk: &mut Desk<'_>,
        event: enrolment::Event,
    ) -> Vec<Effect> {
        let Some(wizard) = &mut self.wizard.running else { return vec![] };
        let before = wizard.count();
        let wanted = wizard.handle(desk.now.boot, event);
        if wizard.count() != before {
            // A step further: what was said about the last one is over.
            desk.notices.clear();
        }
        self.perform_enrolment(desk, wanted)
    }

    fn perform_enrolment(
        &mut self,
        desk: &mut Desk<'_>,
        wanted: Vec<enrolment::Effect>,
    ) -> Vec<Effect> {
        if let Some(wizard) = &self.wizard.running {
            desk.counts.wizard = wizard.count();
            if matches!(wizard.step(), Step::Over) {
                self.wizard.running = None;
            }
        }
        let mut effects = Vec::new();
        for effect in wanted {
            match effect {
                enrolment::Effect::Administer(attempt, what) => {
                    effects.push(Effect::Store(StoreCommand::Administer(attempt, what, desk.now)));
                }
                enrolment::Effect::Identify(attempt, token) => {
                    effects.push(Effect::Store(StoreCommand::Identify(attempt, token, desk.now)));
                }
                enrolment::Effect::Card(command) => {
                    effects.push(Effect::Hardware(HardwareCommand::Card(command)));
                }
                enrolment::Effect::Finger(command) => {
                    effects.push(Effect::Hardware(HardwareCommand::Finger(command)));
                }
                enrolment::Effect::Notify(notice) => desk.notify(notice),
                enrolment::Effect::Added(person) => {
                    desk.counts.forms += 1;
                    if let Front::People(staff) = &mut self.front {
                        staff.open(person);
                    }
                }
                enrolment::Effect::Refresh => effects.extend(self.refresh(desk)),
            }
        }
        effects
    }

    /// Whose factor is being enrolled, as far as the list tells; nobody's for one's own PIN.
    pub(super) fn enrolling(&self) -> Option<Phi<String>> {
        match self.wizard.running.as_ref()?.goal() {
            Goal::Person { new, .. } => Some(new.name.clone()),
            Goal::Factor(id, _) => {
                let Front::People(staff) = &self.front else { return None };
                staff.person(*id).map(|person| person.name.clone())
            }
            Goal::OwnPin => None,
        }
    }
}

fn step_page(scene: Scene<'_>, wizard: &Enrolment) -> EnrolmentPage {
    let badge_reader = scene.health.reader(ReaderKind::Badge);
    let card_reader = scene.health.reader(ReaderKind::SmartCard);
    let pad = |purpose, busy| pad::empty(purpose, wizard.count(), busy);
    let card_pad = |purpose, tries_left: Option<u8>, busy: bool| PinPrompt {
        token: TokenKind::Card,
        refused: tries_left.is_some() && !busy,
        tries_left,
        ..pad(purpose, busy)
    };
    match wizard.step() {
        Step::Badge(first) => EnrolmentPage::Badge { reader: badge_reader, again: first.is_some() },
        Step::Pin(_) => {
            let code_offered = matches!(wizard.goal(), Goal::Factor(..));
            EnrolmentPage::Pin { prompt: pad(PinPurpose::Choose, false), code_offered }
        }
        Step::Repeat(..) => {
            let prompt = pad(PinPurpose::Repeat, false);
            EnrolmentPage::Pin { prompt, code_offered: false }
        }
        Step::Card => EnrolmentPage::Card { reader: card_reader },
        Step::CardPin(prompted) => EnrolmentPage::CardPin {
            subject: prompted.seen.subject.clone(),
            prompt: card_pad(PinPurpose::SignTest, prompted.tries_left, false),
        },
        Step::CardTest(prompted, _) => EnrolmentPage::CardPin {
            subject: prompted.seen.subject.clone(),
            prompt: card_pad(PinPurpose::SignTest, prompted.tries_left, true),
        },
        Step::FingerChoice => EnrolmentPage::FingerChoice { fingers: wizard.free_fingers() },
        Step::Finger(stages) => EnrolmentPage::Finger {
            finger: stages.finger,
            done: stages.done,
            total: stages.total,
            advice: stages.advice,
        },
        Step::SecondPerson => EnrolmentPage::SecondPerson { badge_reader },
        Step::SecondKnown(..) => EnrolmentPage::SecondPin(card_pad(PinPurpose::Vouch, None, true)),
        Step::SecondPin(voucher) | Step::SecondTest(voucher, _) => {
            let busy = matches!(wizard.step(), Step::SecondTest(..));
            EnrolmentPage::SecondPin(match voucher.token.kind() {
                TokenKind::Badge => pad(PinPurpose::Vouch, busy),
                TokenKind::Card => card_pad(PinPurpose::Vouch, voucher.tries_left, busy),
            })
        }
        Step::Writing(..) | Step::Over => EnrolmentPage::Working,
        Step::Code(code) => EnrolmentPage::Code(code.clone()),
        Step::Done => {
            let kind = match wizard.goal() {
                Goal::Factor(_, kind) => *kind,
                Goal::Person { .. } => EnrolKind::Badge,
                Goal::OwnPin => EnrolKind::Pin,
            };
            EnrolmentPage::Done { kind, another_finger: wizard.suggests_another_finger() }
        }
    }
}
