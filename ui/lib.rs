//! What the Slint compiler generates from the `.slint` files beside it, and nothing else: it is compiled
//! again only when a screen changes.

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
