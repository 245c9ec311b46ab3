//! Compiles the bench window.

fn main() {
    let config = slint_build::CompilerConfiguration::new()
        .with_style("fluent-dark".into())
        // Tests look for elements by what they say.
        .with_debug_info(true);
    slint_build::compile_with_config("bench_window.slint", config).expect("the window compiles");
}
