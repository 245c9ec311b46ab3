//! What the alarm log of a patient comes to: how often and how long something was wrong, and which limit was
//! crossed most.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use wardkeep_model::alarm::{AlarmChange, AlarmRecord, Happened, Kind, Priority};
use wardkeep_model::vitals::parameter::Parameter;

use crate::alarms::limits::Side;

/// A condition from its begin to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// Which, as the log names it.
    pub id: String,
    /// What it is of.
    pub kind: Kind,
    /// How urgent it became.
    pub priority: Priority,
    /// The value that crossed its limit last, and the limit.
    pub crossed: Option<(String, String)>,
    /// When it began.
    pub from: Timestamp,
    /// When it ended; it has not where there is nothing.
    pub to: Option<Timestamp>,
    /// When somebody acknowledged it, and who.
    pub seen: Option<(Timestamp, String)>,
}

impl Episode {
    /// How long it was present, if it is `now`.
    pub fn length(&self, now: Timestamp) -> Duration {
        between(self.from, self.to.unwrap_or(now))
    }

    /// The end of a parameter that it is of.
    pub fn limit(&self) -> Option<(Parameter, Side)> {
        let (word, name) = self.id.split_once(':')?;
        let side = Side::ALL.into_iter().find(|side| side.bound().name() == word)?;
        Parameter::all().find(|one| one.row().name == name).map(|parameter| (parameter, side))
    }
}

/// How often and how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// How many alarms.
    pub count: usize,
    /// How long altogether.
    pub length: Duration,
}

impl Load {
    fn add(&mut self, length: Duration) {
        self.count += 1;
        self.length += length;
    }
}

/// Conditions of the last day, newest first, and what they come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Burden {
    /// Newest first.
    pub episodes: Vec<Episode>,
    /// In the whole time.
    pub whole: Load,
    /// In its last two hours.
    pub late: Load,
    /// Of each parameter, in the order of the screen; what was never wrong is left out.
    pub parameters: Vec<(Parameter, Load)>,
    /// Of what monitors the patient.
    pub equipment: Load,
    /// The limit that was crossed most often.
    pub noisiest: Option<(Parameter, Side)>,
    /// How long something about the patient waited for somebody at most.
    pub unanswered: Duration,
}

/// The end of the time in which alarms are late.
const LATE: Duration = Duration::from_secs(2 * 3_600);

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Reckons with a patient's log, oldest line first.
pub fn burden(log: &[AlarmRecord], now: Timestamp) -> Burden {
    let mut burden = Burden { episodes: episodes(log), ..Burden::default() };
    let mut parameters: BTreeMap<Parameter, Load> = BTreeMap::new();
    let mut limits: BTreeMap<(Parameter, Side), usize> = BTreeMap::new();
    for episode in &burden.episodes {
        let length = episode.length(now);
        match episode.kind {
            Kind::Technical => {
                burden.equipment.add(length);
                continue;
            }
            Kind::Physiological => burden.whole.add(length),
        }
        if between(episode.from, now) <= LATE {
            burden.late.add(length);
        }
        let answered = episode.seen.as_ref().map(|(at, _)| *at).or(episode.to).unwrap_or(now);
        burden.unanswered = burden.unanswered.max(between(episode.from, answered));
        if let Some((parameter, side)) = episode.limit() {
            parameters.entry(parameter).or_default().add(length);
            *limits.entry((parameter, side)).or_default() += 1;
        }
    }
    burden.parameters = parameters.into_iter().collect();
    burden.noisiest = limits.into_iter().max_by_key(|(_, count)| *count).map(|(limit, _)| limit);
    burden
}

/// Newest first. What a start of the program left open ended with the log of that start.
fn episodes(log: &[AlarmRecord]) -> Vec<Episode> {
    let mut open: BTreeMap<(u64, &str), Episode> = BTreeMap::new();
    let mut done = Vec::new();
    let mut last: BTreeMap<u64, Timestamp> = BTreeMap::new();
    for record in log {
        last.insert(record.record.run, record.at);
        let Happened::Condition { id, kind, change, priority, crossed } = &record.happened else {
            continue;
        };
        let key = (record.record.run, id.as_str());
        let crossed = crossed.as_ref().map(|crossed| crossed.reveal().clone());
        let episode = open.entry(key).or_insert_with(|| Episode {
            id: id.clone(),
            kind: *kind,
            priority: *priority,
            crossed: None,
            from: record.at,
            to: None,
            seen: None,
        });
        episode.priority = episode.priority.max(*priority);
        episode.crossed = crossed.or(episode.crossed.take());
        match change {
            AlarmChange::Acknowledged => {
                episode.seen.get_or_insert((record.at, record.initials.clone()));
            }
            AlarmChange::Ended => {
                episode.to = Some(record.at);
                done.extend(open.remove(&key));
            }
            AlarmChange::Began
            | AlarmChange::Became
            | AlarmChange::Moved(_)
            | AlarmChange::Escalated => {}
        }
    }
    let newest = log.last().map(|record| record.record.run);
    done.extend(open.into_iter().map(|((run, _), episode)| {
        let ended = last.get(&run).copied().filter(|_| Some(run) != newest);
        Episode { to: ended, ..episode }
    }));
    done.sort_by_key(|episode| std::cmp::Reverse(episode.from));
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardkeep_model::alarm::AlarmState;
    use wardkeep_model::confidential::Phi;
    use wardkeep_model::moment::BootTime;
    use wardkeep_model::vitals::RecordId;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
    }

    fn line(run: u64, minute: i64, id: &str, change: AlarmChange) -> AlarmRecord {
        let kind = if id.contains("battery") { Kind::Technical } else { Kind::Physiological };
        let crossed = Some(Phi::new(("88".to_owned(), "90".to_owned())));
        AlarmRecord {
            record: RecordId { run, seq: 1 },
            at: at(minute),
            since_boot: BootTime::default(),
            subject: None,
            operator: None,
            initials: if change == AlarmChange::Acknowledged { "AK".into() } else { String::new() },
            device: None,
            happened: Happened::Condition {
                id: id.into(),
                kind,
                change,
                priority: Priority::Medium,
                crossed: crossed.filter(|_| kind == Kind::Physiological),
            },
        }
    }

    #[test]
    fn episodes_are_counted_and_the_noisiest_limit_is_named() {
        use AlarmChange::{Acknowledged, Began, Ended, Moved};
        let log = [
            line(1, 0, "low:spo2", Began),
            line(1, 1, "low:spo2", Moved(AlarmState::ValueLost)),
            line(1, 4, "low:spo2", Acknowledged),
            line(1, 10, "low:spo2", Ended),
            line(1, 20, "high:heart-rate", Began),
            line(2, 300, "low:spo2", Began),
            line(2, 301, "battery:A", Began),
            line(2, 305, "low:spo2", Ended),
            line(2, 310, "no-pulse", Began),
        ];
        let burden = burden(&log, at(320));
        let minutes = |load: Load| (load.count, load.length.as_secs() / 60);
        assert_eq!(minutes(burden.whole), (4, 10 + 5 + 10));
        assert_eq!(minutes(burden.late), (2, 15));
        assert_eq!(minutes(burden.equipment), (1, 19));
        let of: Vec<_> = burden.parameters.iter().map(|(one, load)| (*one, load.count)).collect();
        assert_eq!(of, [(Parameter::HeartRate, 1), (Parameter::SpO2, 2)]);
        assert_eq!(burden.noisiest, Some((Parameter::SpO2, Side::Low)));
        assert_eq!(burden.unanswered, Duration::from_secs(600), "nobody has seen the pulse");
        let ids: Vec<&str> = burden.episodes.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["no-pulse", "battery:A", "low:spo2", "high:heart-rate", "low:spo2"]);
        assert_eq!(burden.episodes[0].to, None);
        assert_eq!(burden.episodes[3].to, Some(at(20)), "its program ended");
        assert_eq!(burden.episodes[4].seen, Some((at(4), "AK".into())));
    }
}
