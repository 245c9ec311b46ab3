//! Compiles the screens and bundles their translations.

use std::env;

/// The kiosk's root file, and the one that also exports the simulator's bench window.
const KIOSK: &str = "app_window.slint";
const WITH_BENCH: &str = "bench/with_bench.slint";

fn main() {
    let simulator = env::var_os("CARGO_FEATURE_SIM").is_some();
    let config = slint_build::CompilerConfiguration::new()
        .with_style("fluent-dark".into())
        .with_bundled_translations("lang")
        // Names of elements and components are needed to look for them in tests, and only there.
        .with_debug_info(simulator);
    println!("cargo::rerun-if-changed=lang");
    let root = if simulator { WITH_BENCH } else { KIOSK };
    slint_build::compile_with_config(root, config).expect("the screen compiles");
}
