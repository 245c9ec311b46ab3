//! Compiles the bench window and bundles its translations.

fn main() {
    let config = slint_build::CompilerConfiguration::new()
        .with_style("fluent-dark".into())
        .with_bundled_translations("lang")
        // Tests look for elements by what they say.
        .with_debug_info(true);
    println!("cargo::rerun-if-changed=lang");
    slint_build::compile_with_config("bench_window.slint", config).expect("the window compiles");
}
