//! What holds of the patient's values and of their devices that may be an alarm condition. The machine
//! in [`crate::alarms`] does the rest.

use std::time::Duration;

use wardkeep_model::alarm::Priority;
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::Link;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::parameter::Parameter;

use crate::alarms::{AlarmText, Condition, Fact};
use crate::monitor::Monitor;
use crate::pairing::{BATTERY_LOW_PERCENT, Device};

/// A link that comes back within this raises no alarm (its numbers turn to dashes at once).
const LINK_DELAY: Duration = Duration::from_secs(3);
/// A sensor may be off the patient this long before it is missed.
const NO_VALUE_DELAY: Duration = Duration::from_secs(10);

impl Monitor {
    /// Everything that holds now.
    pub(crate) fn facts(&self, now: Moment) -> Vec<Fact> {
        let crossings = Parameter::all().filter_map(|parameter| self.crossing(now, parameter));
        let devices = self.devices().flat_map(|(id, device)| self.device_facts(now, id, device));
        crossings.chain(devices).collect()
    }

    fn crossing(&self, now: Moment, parameter: Parameter) -> Option<Fact> {
        let numeric = self.live.current(now.boot, parameter)?;
        let crossing = self.rules.limits.crossing(parameter, numeric.value)?;
        let (value, limit) = (numeric.value.to_string(), crossing.limit.to_string());
        let (condition, text) = if crossing.low {
            (Condition::Low(parameter), AlarmText::Low { parameter, value, limit })
        } else {
            (Condition::High(parameter), AlarmText::High { parameter, value, limit })
        };
        Some(Fact { condition, priority: crossing.priority, text, delay: crossing.delay })
    }

    fn device_facts(&self, now: Moment, id: DeviceId, device: &Device) -> Vec<Fact> {
        let name = || self.name(id);
        let mut facts = Vec::new();
        if device.assignment.is_none() && !self.is_watched(id) {
            return facts;
        }
        if device.assignment.is_some_and(|assignment| now.wall >= assignment.until) {
            facts.push(Fact {
                condition: Condition::AssignmentEnded(id),
                priority: Priority::Medium,
                text: AlarmText::AssignmentEnded { device: name() },
                delay: Duration::ZERO,
            });
            return facts;
        }
        if device.was_live && device.link != Link::Live {
            facts.push(Fact {
                condition: Condition::LinkLost(id),
                priority: Priority::Medium,
                text: AlarmText::LinkLost { device: name() },
                delay: LINK_DELAY,
            });
        }
        let main = Parameter::led_by(device.kind);
        let is_silent = |main| self.live.current(now.boot, main).is_none();
        if device.link == Link::Live && main.is_some_and(is_silent) {
            facts.push(Fact {
                condition: Condition::NoValue(id),
                priority: Priority::Low,
                text: AlarmText::NoValue { device: name() },
                delay: NO_VALUE_DELAY,
            });
        }
        if let Some(percent) = device.battery_percent.filter(|p| *p < BATTERY_LOW_PERCENT) {
            facts.push(Fact {
                condition: Condition::Battery(id),
                priority: Priority::Low,
                text: AlarmText::BatteryLow { device: name(), percent },
                delay: Duration::ZERO,
            });
        }
        facts
    }
}
