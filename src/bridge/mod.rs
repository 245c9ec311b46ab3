//! The screen's side of the program. `view` is what the core projects; everything that names a
//! generated UI type lives in this folder and nowhere else.

pub mod intent;
pub mod view;

/// What the Slint compiler generates from `ui/`.
#[cfg(feature = "gui")]
#[allow(
    clippy::all,
    clippy::unwrap_used,
    clippy::todo,
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
pub mod ui {
    slint::include_modules!();
}
