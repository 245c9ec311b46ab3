//! Logs: to standard error, where the journal takes them. S-10: the types that hold patient data and
//! secrets cannot be printed, and the panic hook writes a place in the source, never a message.

use tracing_subscriber::EnvFilter;

/// Starts logging. `WARDKEEP_LOG` sets the filter, e.g. `wardkeep=debug`; `info` without it.
pub fn start() {
    let filter = EnvFilter::try_from_env("WARDKEEP_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,winit=error,i_slint=error"));
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).finish();
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        // A test process has started it already.
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        // A task of the Bluetooth library may panic harmlessly; the shell watches its own.
        tracing::error!(place, thread = thread.name().unwrap_or("unnamed"), "panic");
    }));
}
