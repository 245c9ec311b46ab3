//! The whole story and every pair of factors on the real stack: a real window under Xvfb, a real pcscd with a virtual badge, the
//! real btleplug against a pretended BlueZ on a real D-Bus, the real store.
//!
//! Three processes: this one enters namespaces of its own and starts itself again beside the daemons
//! ("the house"); the house starts itself once more as the kiosk ("the puppet"), which runs the program
//! as `main.rs` does and lets the house press and read what is on its screen by accessible label.
//! Killing the puppet is a power cut.

mod pairs;
mod spots;
mod story;

use kit::house::{self, puppet};
use kit::namespace;
use kit::readers::piv_card;

fn all(house: &mut house::House) {
    stories(house);
    pairs::tell(house);
}

fn stories(house: &mut house::House) {
    story::tell(house);
    spots::tell(house);
}

#[expect(clippy::print_stdout, reason = "a test program without a harness reports by itself")]
fn main() {
    if puppet::is_wanted() {
        return puppet::run();
    }
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("end_to_end: test");
        return;
    }
    let pairs = match pairs::missing() {
        Some(reason) => {
            namespace::skipped("end_to_end pairs", reason);
            false
        }
        // Built before the namespaces are entered: inside there is no network.
        None => piv_card::program().exists(),
    };
    namespace::isolated("end_to_end", || {
        house::enter(if pairs { all } else { stories });
    });
    println!("\nrunning 1 test\ntest end_to_end ... ok\n");
    println!("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
}
