//! What the Slint compiler generates from the `.slint` files of the bench window, and nothing else. A crate
//! of its own, so that the kiosk's screens are the same with the simulator and without: they are compiled
//! once, and a package has nothing of the bench.

#![allow(
    clippy::all,
    clippy::todo,
    clippy::indexing_slicing,
    clippy::unimplemented,
    clippy::dbg_macro,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::let_underscore_must_use,
    clippy::cast_possible_truncation,
    clippy::too_many_lines,
    clippy::too_many_arguments,
    clippy::redundant_clone,
    clippy::semicolon_if_nothing_returned,
    missing_docs,
    reason = "generated code follows its generator's style"
)]

slint::include_modules!();
