//! Every time constant of the Bluetooth driver: tests run it faster.

use std::time::Duration;

/// Every time constant of the driver.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Shortest time between two `Seen` of one device.
    pub seen_every: Duration,
    /// A device unheard for this long is `Gone`.
    pub gone_after: Duration,
    /// A live link without a frame for this long is asked whether it still is one.
    pub silence: Duration,
    /// Longest wait for the answer to a short question to BlueZ. With `silence` it stays below 5 s.
    pub question: Duration,
    /// Longest wait for a connection with its services resolved.
    pub connect: Duration,
    /// Longest wait for each step of discovery and subscription.
    pub setup: Duration,
    /// Longest wait for BlueZ to let a connection go (it takes 2 s itself).
    pub release: Duration,
    /// First wait after a failure; doubles up to `retry_max`.
    pub retry_first: Duration,
    /// Longest wait after a failure.
    pub retry_max: Duration,
    /// Scanning without any advertisement for this long restarts the scan.
    pub scan_watchdog: Duration,
    /// How often ages are checked.
    pub tick: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            seen_every: Duration::from_secs(1),
            gone_after: Duration::from_secs(10),
            silence: Duration::from_secs(4),
            question: Duration::from_millis(900),
            connect: Duration::from_secs(25),
            setup: Duration::from_secs(10),
            release: Duration::from_secs(3),
            retry_first: Duration::from_millis(500),
            retry_max: Duration::from_secs(4),
            scan_watchdog: Duration::from_secs(30),
            tick: Duration::from_millis(500),
        }
    }
}
