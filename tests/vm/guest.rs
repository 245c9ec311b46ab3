//! The Bluetooth driver in a machine of its own: real kernel, real bluetoothd, devices that Bumble plays.
//!
//! Runs every scenario and prints a line for each; the last line is `N scenarios hold` if all do. `run.sh`
//! boots the machine, `guest.sh` starts this in it, and `world.py` are the devices.

mod bench;
mod devices;
mod links;
mod pairing;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::pin::Pin;
use std::process::ExitCode;

use tokio::runtime::Runtime;
use tokio::time::Instant;

use bench::Bench;

type Scenario = fn(&Bench) -> Pin<Box<dyn Future<Output = ()> + '_>>;

/// Scenarios with their names.
macro_rules! scenarios {
    ($($room:ident::$name:ident),* $(,)?) => {
        [$((
            concat!(stringify!($room), "::", stringify!($name)),
            (|bench| Box::pin($room::$name(bench))) as Scenario,
        )),*]
    };
}

#[expect(clippy::print_stdout, reason = "that is what it is for")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, line, out, words @ ..] = arguments.as_slice() else {
        println!("usage: vm_guest CONTROL-PORT LOG-DIRECTORY [WORD]");
        return ExitCode::from(2);
    };
    log_to(&Path::new(out).join("driver.log"));
    let began = Instant::now();
    let runtime = Runtime::new().expect("a runtime");
    let bench = runtime.block_on(Bench::start(line, Path::new(out)));
    println!("bluetoothd and a controller are up ({:.1} s)", began.elapsed().as_secs_f32());
    let (mut held, mut failed) = (0, 0);
    for (name, scenario) in scenarios![
        links::frames_arrive_as_they_were_sent,
        links::a_link_that_breaks_comes_back,
        pairing::without_a_window_nothing_is_bonded,
        pairing::just_works_in_a_window,
        pairing::a_stored_bond_is_used_without_asking,
        pairing::a_bond_that_is_lost_is_told,
        pairing::numbers_are_compared,
        pairing::a_wrong_passkey_is_no_bond,
        pairing::a_passkey_is_typed_here,
        pairing::a_passkey_is_typed_there,
        pairing::a_refusal_and_a_cancel_leave_nothing,
    ] {
        if !words.iter().all(|word| name.contains(word)) {
            continue;
        }
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(scenario(&bench))));
        let took = began.elapsed().as_secs_f32();
        match outcome {
            Ok(()) => {
                held += 1;
                println!("holds   {name} ({took:.1} s)");
            }
            Err(_) => {
                failed += 1;
                println!("FAILED  {name} ({took:.1} s): see above");
            }
        }
    }
    if failed > 0 {
        println!("{failed} scenarios failed, {held} hold");
        return ExitCode::FAILURE;
    }
    println!("{held} scenarios hold");
    ExitCode::SUCCESS
}

/// What the driver logs is read when something failed.
fn log_to(file: &Path) {
    let log = File::create(file).expect("the directory is ours");
    tracing_subscriber::fmt()
        .with_env_filter("info,wardkeep_hardware=debug")
        .with_ansi(false)
        .with_writer(log)
        .init();
}
