//! Compiles the screens.

use std::env;

fn main() {
    // Tests and benches look for elements by name and by what they say; a package has no use for it.
    let named = env::var("PROFILE").is_ok_and(|profile| profile == "debug")
        || env::var_os("SLINT_EMIT_DEBUG_INFO").is_some();
    let config = slint_build::CompilerConfiguration::new()
        .with_style("fluent-dark".into())
        .with_debug_info(named);
    slint_build::compile_with_config("app_window.slint", config).expect("the screen compiles");
}
