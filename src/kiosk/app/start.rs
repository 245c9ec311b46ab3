//! Assembles the running program: store, drivers or simulator, core, shell, screen.
//!
//! Shutdown is dropping the handles in order: the screen's end of the intent queue ends the shell, the
//! shell drops drivers and store, the store flushes, seals and closes before its thread ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use jiff::tz::TimeZone;
use slint::ComponentHandle;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

use wardkeep_core::config::Config;
use wardkeep_core::kiosk::{Kiosk, Surroundings};
use wardkeep_model::moment::Moment;
use wardkeep_store as store;

use crate::app::drivers::Drivers;
use crate::app::{HARDWARE_MAX, INTENTS_MAX, Inputs, OUTCOMES_MAX, Outputs, Refused, WAVES_MAX};
use crate::bridge::{self, AppWindow, Bridge};
use crate::settings;

/// How long the end of the program waits for the shell and its drivers.
const END_MAX: Duration = Duration::from_secs(5);

/// How the program was started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Directory of the store.
    pub state: PathBuf,
    /// Configuration file, if there is one.
    pub config: Option<PathBuf>,
    /// In a window instead of the whole screen.
    pub windowed: bool,
    /// On a simulated bedside (feature `sim`).
    pub simulate: bool,
    /// The store derives its keys as fast as in tests, and protects nothing (feature `sim`).
    #[cfg(feature = "sim")]
    pub quick_keys: bool,
}

/// The program, running. Its windows belong to the main thread.
pub struct Running {
    /// The kiosk's window.
    pub window: AppWindow,
    /// The simulator, when simulating.
    #[cfg(feature = "sim")]
    pub simulator: Option<wardkeep_sim::SimHandle>,
    pub(crate) bridge: Bridge,
    is_simulated: bool,
    runtime: Runtime,
    shell: tokio::task::JoinHandle<()>,
    store: JoinHandle<()>,
}

/// Starts everything but the event loop.
///
/// # Errors
/// There is no display, or the system refuses threads.
pub fn start(options: &Options) -> anyhow::Result<Running> {
    let (config, ignored) = settings::read(options.config.as_deref());
    for why in &ignored {
        tracing::warn!(%why, "a setting was not used");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("shell")
        .enable_all()
        .build()
        .context("the runtime does not start")?;
    let (intents, intent_inbox) = mpsc::channel(INTENTS_MAX);
    let (events, hardware_inbox) = mpsc::channel(HARDWARE_MAX);
    let (outcomes, outcome_inbox) = mpsc::channel(OUTCOMES_MAX);
    let (waves, wave_inbox) = mpsc::channel(WAVES_MAX);

    let mut keeping = store::Options::new(&options.state)
        .with_policy(config.policy)
        .with_retention(config.retention);
    #[cfg(feature = "sim")]
    if options.quick_keys {
        keeping = keeping.with_cost_for_tests();
    }
    if options.simulate {
        keeping = keeping.on_any_disk();
    } else {
        keeping = keeping
            .with_anchor(store::anchor_of_this_machine())
            .with_witness(config.witness.clone());
    }
    let (store, store_thread) =
        store::spawn(keeping, outcomes).context("the store does not start")?;
    let site = config.clone();
    let protection = store::machine::device_secret::from_environment(&options.state).protection();
    let around = Surroundings {
        protection: Some(protection),
        ..surroundings(config, !ignored.is_empty(), options.simulate)?
    };
    let kiosk = Kiosk::new(around, Moment::read());
    let (views, shown) = watch::channel(Arc::new(kiosk.view(Moment::read())));

    let (window, bridge) = bridge::open_window(intents).context("no window can be opened")?;
    bridge.set_text_percent(site.text_percent);
    bridge.apply(&shown.borrow());
    let pump = bridge.connect(shown, wave_inbox);
    if !options.windowed {
        bridge.go_full_screen();
    }
    if !options.simulate {
        bridge.keep_open();
    }
    let drivers = drivers(&runtime, events, &site, options.simulate)?;
    let outputs = Outputs {
        store: Box::new(move |command| store.try_send(command).map_err(|_| Refused)),
        hardware: drivers.commands,
        sound: drivers.sound,
        views,
        waves,
    };
    let inputs =
        Inputs { intents: intent_inbox, outcomes: outcome_inbox, hardware: hardware_inbox };
    let shell = runtime.spawn(crate::app::run(kiosk, inputs, outputs));
    runtime.spawn(pump.run());
    Ok(Running {
        window,
        #[cfg(feature = "sim")]
        simulator: drivers.simulator,
        bridge,
        is_simulated: options.simulate,
        runtime,
        shell,
        store: store_thread,
    })
}

#[cfg(feature = "sim")]
fn drivers(
    runtime: &Runtime,
    events: mpsc::Sender<wardkeep_model::ports::Event>,
    site: &Config,
    simulate: bool,
) -> anyhow::Result<Drivers> {
    if simulate {
        return Drivers::simulated(runtime.handle(), events).context("a driver does not start");
    }
    Drivers::real(runtime.handle(), events, site).context("a driver does not start")
}

#[cfg(not(feature = "sim"))]
fn drivers(
    runtime: &Runtime,
    events: mpsc::Sender<wardkeep_model::ports::Event>,
    site: &Config,
    simulate: bool,
) -> anyhow::Result<Drivers> {
    anyhow::ensure!(!simulate, "this build has no simulated bedside");
    Drivers::real(runtime.handle(), events, site).context("a driver does not start")
}

fn surroundings(
    config: Config,
    config_ignored: bool,
    simulated: bool,
) -> anyhow::Result<Surroundings> {
    let mut run = [0_u8; 8];
    getrandom::fill(&mut run).context("the system gives no random numbers")?;
    let identities = || {
        let mut bytes = [0_u8; 16];
        // The same source answered a moment ago; should it fail now, nothing may go on.
        getrandom::fill(&mut bytes).expect("the system's random source answers");
        u128::from_le_bytes(bytes)
    };
    Ok(Surroundings {
        config,
        config_ignored,
        zone: TimeZone::system(),
        run: u64::from_le_bytes(run),
        identities: Box::new(identities),
        simulated,
        protection: None,
    })
}

impl Running {
    /// Shows the window and runs until a signal comes or the shell ends; on a simulated bedside also until
    /// the window is closed.
    ///
    /// # Errors
    /// The screen is lost, the event loop fails, or the shell panicked: the caller has to end with a
    /// failure, so that the program is started again and comes up locked (S-1).
    pub fn run(self) -> anyhow::Result<()> {
        self.window.show().context("no window can be shown")?;
        let shell = self.shell.abort_handle();
        let is_asked = Arc::new(AtomicBool::new(false));
        let says = Arc::clone(&is_asked);
        self.runtime.spawn(async move {
            let mut poll = tokio::time::interval(Duration::from_millis(100));
            let mut asked = Box::pin(asked_to_end());
            while !shell.is_finished() {
                tokio::select! {
                    _ = poll.tick() => {}
                    () = &mut asked => break,
                }
            }
            says.store(true, Ordering::Release);
            if let Err(error) = slint::quit_event_loop() {
                tracing::warn!(%error, "the event loop had ended");
            }
        });
        slint::run_event_loop().context("the event loop failed")?;
        let may_end = is_asked.load(Ordering::Acquire) || self.is_simulated;
        self.finish()?;
        // Nobody asked for it: whoever keeps the kiosk running has to start it again.
        anyhow::ensure!(may_end, "the screen is gone");
        Ok(())
    }

    /// Ends everything in order and waits for the store to close.
    ///
    /// # Errors
    /// The shell or the store failed.
    pub fn finish(self) -> anyhow::Result<()> {
        let Self { window, bridge, runtime, shell, store, .. } = self;
        window.hide().context("the window cannot be hidden")?;
        drop(bridge);
        drop(window);
        let ended = runtime.block_on(async { tokio::time::timeout(END_MAX, shell).await });
        runtime.shutdown_timeout(END_MAX);
        ended.context("the shell did not end")?.context("the shell failed")?;
        store.join().map_err(|_| anyhow::anyhow!("the store failed"))
    }
}

/// Waits for SIGTERM or SIGINT.
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::warn!(%error, "signals cannot be received");
            std::future::pending::<()>().await;
        }
    }
}
