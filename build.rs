//! Compiles the screen. Without the feature `gui` there is nothing to do.

fn main() {
    #[cfg(feature = "gui")]
    screen::compile();
}

#[cfg(feature = "gui")]
mod screen {
    use std::path::Path;

    /// The kiosk's root file, and the one that also exports the simulator's bench window.
    const KIOSK: &str = "ui/app_window.slint";
    const WITH_BENCH: &str = "ui/bench/with_bench.slint";

    pub fn compile() {
        let simulator = cfg!(feature = "sim");
        let root = if simulator && Path::new(WITH_BENCH).exists() { WITH_BENCH } else { KIOSK };
        let config = slint_build::CompilerConfiguration::new()
            .with_style("fluent-dark".into())
            .with_bundled_translations("ui/lang")
            // Names of elements and components are needed to look for them in tests, and only there.
            .with_debug_info(simulator);
        println!("cargo::rerun-if-changed={WITH_BENCH}");
        println!("cargo::rerun-if-changed=ui/lang");
        slint_build::compile_with_config(root, config).expect("the screen compiles");
    }
}
