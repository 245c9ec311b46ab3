//! Every time constant of the Bluetooth driver, and its clock: tests run it faster.

use std::time::Duration;

use wardkeep_model::moment::Moment;

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
    /// First wait after a failure; doubles up to `retry_max`. Each wait is up to a quarter longer.
    pub retry_first: Duration,
    /// Longest wait after a failure.
    pub retry_max: Duration,
    /// Longest wait for a place on a controller that is full, before it is asked for again.
    pub full_retry: Duration,
    /// A link that releases is given up so long after the device's last measurement.
    pub idle: Duration,
    /// So long after it was made, if the device has measured nothing.
    pub idle_unused: Duration,
    /// A device that was let go and still advertises is left alone for so long; doubles up to `rest_max`
    /// while nothing comes of its links.
    pub rest_first: Duration,
    /// Longest such rest.
    pub rest_max: Duration,
    /// How long a pairing window is open.
    pub window: Duration,
    /// Longest wait for a device that is paired to be heard.
    pub reach: Duration,
    /// A device that was paired and is not wanted is let go after this.
    pub hand_over: Duration,
    /// Longest wait for the answer to a write (ATT transactions end after 30 s: Core Specification Vol 3
    /// Part F 3.3.3).
    pub write: Duration,
    /// Longest wait for the answer to a question of a vendor's protocol, before the next is written.
    pub answer: Duration,
    /// Scanning without any advertisement for this long restarts the scan, while somebody is waited for;
    /// after half of it BlueZ is asked whom it hears.
    pub scan_watchdog: Duration,
    /// How often ages are checked.
    pub tick: Duration,
    /// How the clocks are read by which a suspend of the machine is noticed.
    pub clock: fn() -> Moment,
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
            full_retry: Duration::from_secs(30),
            idle: Duration::from_secs(10),
            idle_unused: Duration::from_secs(120),
            rest_first: Duration::from_secs(10),
            rest_max: Duration::from_secs(300),
            window: Duration::from_secs(60),
            reach: Duration::from_secs(15),
            hand_over: Duration::from_secs(5),
            write: Duration::from_secs(31),
            answer: Duration::from_secs(2),
            scan_watchdog: Duration::from_secs(8),
            tick: Duration::from_millis(500),
            clock: Moment::read,
        }
    }
}
