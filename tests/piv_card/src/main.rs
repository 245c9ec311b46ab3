//! A PIV smart card in software, written by others: Nitrokey's applet in a process of its own.
//!
//! ```text
//! piv_card issue STATE PIN SIGN AGREE DRAWS    make a blank card somebody's; see issue.rs
//! piv_card serve STATE PORT                    lie in the virtual reader at a port of this machine
//! ```
//!
//! STATE is a file (and a second one, `STATE.ext`) with everything the card keeps; SIGN and AGREE are
//! `p256`, `p384` or `rsa2048`. For tests alone: the random numbers are the same in every process.

mod backend;
mod card;
mod issue;

use std::path::PathBuf;

use trussed::virt::{StorageConfig, StoreConfig, with_platform};

use backend::{Dispatch, ORDER};
use card::Card;
use issue::{Wishes, issue};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["issue", state, pin, sign, agree, draws] => {
            let (sign, agree) = (algorithm(sign), algorithm(agree));
            let draws = draws.parse().expect("a number of keys");
            let wishes = Wishes { pin: (*pin).to_owned(), sign, agree, draws };
            with_card(state, |card| issue(card, &wishes));
        }
        ["serve", state, port] => {
            let port = port.parse().expect("a port");
            // An error means that the reader has closed.
            with_card(state, |card| eprintln!("the reader is gone: {:?}", card.serve(port)));
        }
        _ => panic!("usage: piv_card issue STATE PIN SIGN AGREE DRAWS | serve STATE PORT"),
    }
}

/// SP 800-78-4, table 6-2.
fn algorithm(name: &str) -> u8 {
    match name {
        "p256" => 0x11,
        "p384" => 0x14,
        "rsa2048" => 0x07,
        _ => panic!("there is no algorithm {name}"),
    }
}

fn with_card(state: &str, act: impl FnOnce(&mut Card<'_>)) {
    let store = StoreConfig {
        internal: StorageConfig::filesystem(PathBuf::from(state)),
        external: StorageConfig::filesystem(PathBuf::from(format!("{state}.ext"))),
        volatile: StorageConfig::ram(),
    };
    with_platform(store, |platform| {
        platform.run_client_with_backends("piv", Dispatch::default(), ORDER, |client| {
            act(&mut Card::new(client));
        });
    });
}
