//! The kiosk's window on the main thread, and everything that stands behind it there.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use slint::{ComponentHandle, ModelRc, SharedString, Timer, TimerMode, VecModel, Weak};
use tokio::sync::{mpsc, watch};

use crate::bridge::lane::Lane;
use crate::bridge::pin_pad::PinPad;
use crate::bridge::{
    Pump, WaveChunk, connect, emergency, enrolment, lines, oversight, people, projection, records,
    vocabulary,
};
use wardkeep_core::config::Language;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::view::{PatientRow, View};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::PatientForm;
use wardkeep_ui::{self as ui, AppWindow};

/// Touches are reported as activity at most this often.
const ACTIVITY_EVERY: Duration = Duration::from_millis(500);

/// Opens the window and connects its controls to `intents`. Full: the tap is dropped with a warning.
///
/// # Errors
/// There is no display to open a window on.
pub fn open_window(
    intents: mpsc::Sender<Intent>,
) -> Result<(AppWindow, Bridge), slint::PlatformError> {
    let window = AppWindow::new()?;
    let theme = window.global::<ui::Wave>();
    let lane = Rc::new(Lane::new(theme.get_ink(), theme.get_paper()));
    let inner = Rc::new(Inner {
        window: window.as_weak(),
        intents,
        models: Models::default(),
        lane,
        pad: RefCell::new(PinPad::default()),
        language: Cell::new(None),
        forms_saved: Cell::new(None),
        draft_taken: Cell::new(false),
        people_saved: Cell::new(None),
        patients: RefCell::new(Vec::new()),
        quiet: Timer::default(),
    });
    inner.models.hand_to(&window);
    window.global::<ui::Wave>().set_strips(ModelRc::from(inner.lane.strips()));
    connect::all(&inner, &window);
    Ok((window, Bridge(inner)))
}

/// The main thread's half of the screen. Keep it as long as the window.
pub struct Bridge(Rc<Inner>);

impl Bridge {
    /// Takes views and waveforms from now on. The returned half belongs on the runtime.
    pub fn connect(&self, views: watch::Receiver<View>, waves: mpsc::Receiver<WaveChunk>) -> Pump {
        self.0.lane.connect(waves);
        let pump = Pump::new(views.clone(), self.0.window.clone());
        let (inner, pending) = (Rc::downgrade(&self.0), pump.pending());
        if let Some(window) = self.0.window.upgrade() {
            window.global::<ui::Frame>().on_refresh(move || {
                // Cleared first: a view that arrives from here on posts the next refresh.
                pending.store(false, std::sync::atomic::Ordering::SeqCst);
                if let Some(inner) = inner.upgrade() {
                    inner.apply(&views.borrow().clone());
                }
            });
        }
        pump
    }

    /// Shows `view` at once. For callers on the main thread.
    pub fn apply(&self, view: &View) {
        self.0.apply(view);
    }

    /// Covers the whole screen, as a kiosk does.
    pub fn go_full_screen(&self) {
        if let Some(window) = self.0.window.upgrade() {
            window.window().set_fullscreen(true);
        }
    }

    /// Changes between the day and the night theme.
    pub fn set_day(&self, day: bool) {
        if let Some(window) = self.0.window.upgrade() {
            window.global::<ui::Theme>().set_day(day);
            let wave = window.global::<ui::Wave>();
            self.0.lane.recolour(wave.get_ink(), wave.get_paper());
        }
    }

    /// Advances the bedside lane by one frame without its timer. For pictures and tests.
    pub fn sweep_one_frame(&self) {
        self.0.lane.tick();
    }

    /// The bedside lane neither moves nor holds a trace.
    pub fn lane_is_at_rest(&self) -> bool {
        self.0.lane.is_at_rest()
    }
}

/// Rows of the screen's lists.
#[derive(Default)]
pub struct Models {
    /// Readers on the lock screen.
    pub readers: Rc<VecModel<ui::ReaderLine>>,
    /// Tiles of the bedside.
    pub vitals: Rc<VecModel<ui::VitalLine>>,
    /// Devices near this bed.
    pub devices: Rc<VecModel<ui::DeviceLine>>,
    /// Patients that match the search.
    pub patients: Rc<VecModel<ui::PatientChoice>>,
    /// The recovery key.
    pub words: Rc<VecModel<ui::RecoveryWord>>,
    /// Pages of the rail.
    pub pages: Rc<VecModel<ui::PageName>>,
    /// The emergency view.
    pub emergency: emergency::Models,
    /// People and one person.
    pub staff: people::Models,
    /// Enrolment.
    pub enrolment: enrolment::Models,
    /// Audit log and cart.
    pub oversight: oversight::Models,
    /// What is monitored while nobody can log in.
    pub records: records::Models,
}

impl Models {
    fn hand_to(&self, window: &AppWindow) {
        window.global::<ui::Lock>().set_readers(ModelRc::from(Rc::clone(&self.readers)));
        window.global::<ui::Bedside>().set_vitals(ModelRc::from(Rc::clone(&self.vitals)));
        window.global::<ui::Devices>().set_rows(ModelRc::from(Rc::clone(&self.devices)));
        window.global::<ui::Patients>().set_rows(ModelRc::from(Rc::clone(&self.patients)));
        window.global::<ui::FirstStart>().set_words(ModelRc::from(Rc::clone(&self.words)));
        window.global::<ui::Frame>().set_pages(ModelRc::from(Rc::clone(&self.pages)));
        self.emergency.hand_to(window);
        self.staff.hand_to(window);
        self.enrolment.hand_to(window);
        self.oversight.hand_to(window);
        self.records.hand_to(window);
    }
}

/// State behind the window. It holds the window weakly: the window's callbacks hold it.
pub struct Inner {
    /// The window.
    pub window: Weak<AppWindow>,
    /// The queue to the shell.
    pub intents: mpsc::Sender<Intent>,
    /// Lists.
    pub models: Models,
    /// Waveform of the bedside.
    pub lane: Rc<Lane>,
    /// Digits being typed.
    pub pad: RefCell<PinPad>,
    /// Language shown.
    pub language: Cell<Option<Language>>,
    /// The last count of accepted patient forms.
    pub forms_saved: Cell<Option<u64>>,
    /// The draft of an earlier session was put into the form, or is out of date.
    pub draft_taken: Cell<bool>,
    /// The last count of accepted forms for a person.
    pub people_saved: Cell<Option<u64>>,
    /// All patients of the chooser, before the search.
    pub patients: RefCell<Vec<PatientRow>>,
    quiet: Timer,
}

impl Inner {
    /// Shows `view`.
    pub fn apply(&self, view: &View) {
        if let Some(window) = self.window.upgrade() {
            projection::apply(self, &window, view);
        }
    }

    /// Passes an intent on. S-11: if the queue is full the tap is ignored, with a line in the log for
    /// each.
    pub fn send(&self, intent: Intent) {
        match self.intents.try_send(intent) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                tracing::warn!("a touch was ignored: the intent queue is full");
            }
            Err(mpsc::error::TrySendError::Closed(_)) => {
                tracing::info!("a touch was ignored: the program is ending");
            }
        }
    }

    /// Somebody touched the screen or typed.
    pub fn activity(&self) {
        if self.quiet.running() {
            return;
        }
        self.quiet.start(TimerMode::SingleShot, ACTIVITY_EVERY, || {});
        self.send(Intent::Activity);
    }

    /// Tells the PIN pad how many digits there are.
    pub fn count_digits(&self, window: &AppWindow) {
        let pad = self.pad.borrow();
        let global = window.global::<ui::Pin>();
        global.set_entered(lines::count(pad.entered()));
        global.set_complete(pad.is_complete());
    }

    /// Empties and closes the new-patient form.
    pub fn empty_form(&self, window: &AppWindow) {
        let form = window.global::<ui::Patients>();
        form.set_adding(false);
        form.set_family(SharedString::default());
        form.set_given(SharedString::default());
        form.set_born(SharedString::default());
        form.set_mrn(SharedString::default());
        form.set_allergies(SharedString::default());
        form.set_sex(ui::SexWord::Unknown);
        form.set_resumed(false);
    }

    /// What stands in the new-patient form.
    pub fn patient_form(&self, window: &AppWindow) -> PatientForm {
        let form = window.global::<ui::Patients>();
        let typed = |text: SharedString| Phi::new(text.trim().to_owned());
        PatientForm {
            family: typed(form.get_family()),
            given: typed(form.get_given()),
            born: typed(form.get_born()),
            sex: Phi::new(vocabulary::chosen_sex(form.get_sex())),
            mrn: typed(form.get_mrn()),
            allergies: typed(form.get_allergies()),
        }
    }

    /// Opens the new-patient form with what was typed when the last session ended, once.
    pub fn resume_form(&self, window: &AppWindow, draft: &PatientForm) {
        let form = window.global::<ui::Patients>();
        if self.draft_taken.replace(true) || form.get_adding() {
            return;
        }
        form.set_family(draft.family.reveal().into());
        form.set_given(draft.given.reveal().into());
        form.set_born(draft.born.reveal().into());
        form.set_mrn(draft.mrn.reveal().into());
        form.set_allergies(draft.allergies.reveal().into());
        form.set_sex(vocabulary::sex(*draft.sex.reveal()));
        form.set_resumed(true);
        form.set_adding(true);
    }

    /// Lists the patients whose name or number contains what was typed into the search.
    pub fn list_patients(&self, window: &AppWindow) {
        let global = window.global::<ui::Patients>();
        let wanted = global.get_search().to_lowercase();
        let all = self.patients.borrow();
        global.set_total(lines::count(all.len()));
        let rows = all.iter().map(lines::choice).filter(|choice| {
            choice.patient.name.to_lowercase().contains(wanted.as_str())
                || choice.patient.mrn.to_lowercase().contains(wanted.as_str())
        });
        lines::sync(&self.models.patients, rows.collect());
    }
}
