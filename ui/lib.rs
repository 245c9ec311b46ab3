//! What the Slint compiler generates from the `.slint` files beside it, and nothing else: it is compiled
//! again only when a screen changes.

#![allow(clippy::all, reason = "generated code follows its generator's style")]

slint::include_modules!();
