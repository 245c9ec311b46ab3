//! A change of keys as the thread has it: the copy that is made elsewhere, and what waits for the vault to come
//! back.

use std::time::Duration;

use crate::staff::copying::Copying;
use crate::worker::importing::Importing;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::keeping::{AuditAct, Command};
use wardkeep_model::moment::BootTime;

/// At most this often it is told how far it is.
pub const TELL_EVERY: Duration = Duration::from_millis(100);
/// Commands that wait for the vault.
const WAITING_MAX: usize = 64;

/// A revocation that has still to be answered, and what the audit log calls it.
pub type Asked = (Attempt, (AuditAct, Option<OperatorId>));

/// A vault that is written anew.
pub struct Rekeying {
    /// Where it is.
    pub copy: Copying,
    /// The session's, which goes on afterwards.
    pub import: Importing,
    /// Who asked; nobody where an earlier change goes on.
    pub asked: Option<Asked>,
    /// What needs the vault, in its order.
    pub waiting: Vec<Command>,
    /// When it is to be told next how far it is.
    pub tell_at: BootTime,
}

impl Rekeying {
    /// Has a command wait for the vault. Gives one back where as many wait as may.
    pub fn hold(&mut self, command: Command) -> Option<Command> {
        hold(&mut self.waiting, command)
    }
}

/// A question that is asked again takes the place of the earlier one, whose answer nobody would look at: however
/// long somebody turns pages, what they do is not refused for it.
fn hold(waiting: &mut Vec<Command>, command: Command) -> Option<Command> {
    waiting.retain(|earlier| !supersedes(&command, earlier));
    if waiting.len() >= WAITING_MAX {
        return Some(command);
    }
    waiting.push(command);
    None
}

/// Whether one question asks what an earlier one asked, perhaps of another time.
fn supersedes(command: &Command, earlier: &Command) -> bool {
    if let (Command::Trend(query), Command::Trend(earlier)) = (command, earlier) {
        return (query.code, query.unit) == (earlier.code, earlier.unit);
    }
    matches!(
        (command, earlier),
        (Command::ListPatients, Command::ListPatients) | (Command::History(_), Command::History(_))
    )
}

/// Whether a command can be done with the open vault alone.
pub fn needs_vault(command: &Command) -> bool {
    match command {
        Command::Administer(..)
        | Command::History(_)
        | Command::ListPatients
        | Command::AddPatient(..)
        | Command::Spot(..)
        | Command::Trend(_) => true,
        Command::Initialise(..)
        | Command::Identify(..)
        | Command::Unlock(..)
        | Command::FingerMissed(_)
        | Command::Close(..)
        | Command::OpenEmergency(..)
        | Command::Record(_)
        | Command::RecordWave(_)
        | Command::Audit(_)
        | Command::RecordAlarm(_)
        | Command::KeepSpot(_)
        | Command::SaveCart(_)
        | Command::Retry => false,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use wardkeep_model::encounter::SubjectId;
    use wardkeep_model::keeping::{Administration, HistoryQuery, TrendQuery};
    use wardkeep_model::moment::Moment;
    use wardkeep_model::vitals::nomenclature::{HEART_RATE, Mdc, SPO2, Unit};

    fn trend(code: Mdc, columns: u16) -> Command {
        let (since, until) = (Timestamp::MIN, Timestamp::MAX);
        let unit = Unit::Percent;
        Command::Trend(TrendQuery { subject: SubjectId(1), code, unit, since, until, columns })
    }

    fn history(number: u64) -> Command {
        let (since, until) = (Timestamp::MIN, Timestamp::MAX);
        let (attempt, subject) = (Attempt(number), SubjectId(1));
        Command::History(HistoryQuery { attempt, subject, since, until, with_values: true })
    }

    fn act(number: u64) -> Command {
        let what = Box::new(Administration::ListPeople);
        Command::Administer(Attempt(number), what, Moment::read())
    }

    #[test]
    fn somebody_who_turns_pages_is_answered_and_never_refused_an_act() {
        let mut waiting = Vec::new();
        for number in 0..1_000 {
            for question in [
                history(number),
                Command::ListPatients,
                trend(SPO2, 9),
                trend(HEART_RATE, u16::try_from(number).expect("small")),
            ] {
                assert!(hold(&mut waiting, question).is_none(), "{number}");
            }
        }
        assert_eq!(waiting.len(), 4);
        let [Command::History(last), Command::ListPatients, .., Command::Trend(wide)] =
            waiting.as_slice()
        else {
            panic!("{waiting:?}")
        };
        assert_eq!((last.attempt, wide.columns), (Attempt(999), 999));
        let before = waiting.len() as u64;
        for number in before..WAITING_MAX as u64 {
            assert!(hold(&mut waiting, act(number)).is_none(), "{number}");
        }
        assert!(hold(&mut waiting, act(64)).is_some(), "no more acts than fit");
        // Asked again it stands behind what was done since.
        assert!(hold(&mut waiting, Command::ListPatients).is_none());
        assert!(matches!(waiting.last(), Some(Command::ListPatients)));
    }
}
