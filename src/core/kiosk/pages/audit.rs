//! The audit log, and its signed checkpoint for a witness.

use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::policy::Permission;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault, AuditRow, Finding, OpenFinding,
};

use crate::kiosk::Effect;
use crate::kiosk::desk::{Desk, Scene};
use crate::kiosk::gate::Need;
use crate::kiosk::open::{Open, ask};
use crate::kiosk::pages::Front;
use crate::kiosk::pages::kept::Kept;
use crate::kiosk::view::access::{Audit, AuditLine};
use crate::kiosk::view::records::{Checkpoint, FindingLine, OpenFindingLine};

/// Entries of the audit log that the screen shows.
const AUDIT_ROWS_MAX: u32 = 200;

/// What people do on the audit page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Show the signed checkpoint of the log.
    ShowCheckpoint,
    /// What was found wrong was looked into.
    AcknowledgeFindings,
}

pub(in crate::kiosk) fn need(intent: &Intent) -> Need {
    match intent {
        Intent::ShowCheckpoint | Intent::AcknowledgeFindings => Need::Role(Permission::ReadAudit),
    }
}

pub(in crate::kiosk) fn handle(
    open: &mut Open,
    desk: &mut Desk<'_>,
    intent: Intent,
) -> Vec<Effect> {
    let Front::Audit(log) = &mut open.front else { return vec![] };
    match intent {
        Intent::ShowCheckpoint => log.ask_checkpoint(desk),
        Intent::AcknowledgeFindings => log.acknowledge(desk),
    }
}

/// What the page holds.
pub(in crate::kiosk) struct Log {
    rows: Option<Vec<AuditRow>>,
    lines: Kept<AuditLine>,
    checkpoint: Checkpoint,
    asked_rows: Option<Attempt>,
    asked_checkpoint: Option<Attempt>,
    asked_findings: Option<Attempt>,
}

impl Log {
    /// Asks for the log.
    pub(in crate::kiosk) fn begin(desk: &mut Desk<'_>) -> (Self, Effect) {
        let attempt = desk.counts.next_attempt();
        let log = Self {
            rows: None,
            lines: Kept::default(),
            checkpoint: Checkpoint::Hidden,
            asked_rows: Some(attempt),
            asked_checkpoint: None,
            asked_findings: None,
        };
        (log, ask(desk, attempt, Administration::ReadAudit(AUDIT_ROWS_MAX)))
    }

    /// The store signs what the log says up to now, and audits that.
    fn ask_checkpoint(&mut self, desk: &mut Desk<'_>) -> Vec<Effect> {
        if self.asked_checkpoint.is_some() {
            return vec![];
        }
        let attempt = desk.counts.next_attempt();
        self.asked_checkpoint = Some(attempt);
        self.checkpoint = Checkpoint::Asked;
        vec![ask(desk, attempt, Administration::Checkpoint)]
    }

    /// The store audits it, and says what is open then.
    fn acknowledge(&mut self, desk: &mut Desk<'_>) -> Vec<Effect> {
        if self.asked_findings.is_some() {
            return vec![];
        }
        let attempt = desk.counts.next_attempt();
        self.asked_findings = Some(attempt);
        vec![ask(desk, attempt, Administration::AcknowledgeFindings)]
    }

    pub(in crate::kiosk) fn hide_checkpoint(&mut self) {
        self.checkpoint = Checkpoint::Hidden;
        self.asked_checkpoint = None;
    }

    pub(in crate::kiosk) fn awaits(&self, attempt: Attempt) -> bool {
        [self.asked_rows, self.asked_checkpoint, self.asked_findings].contains(&Some(attempt))
    }

    pub(in crate::kiosk) fn answered(
        &mut self,
        attempt: Attempt,
        answer: Result<Administered, AdministrationFault>,
    ) -> Result<(), AdministrationFault> {
        if self.asked_checkpoint.take_if(|asked| *asked == attempt).is_some() {
            self.checkpoint = match &answer {
                Ok(Administered::Checkpoint(text)) => Checkpoint::Shown(text.clone()),
                Ok(_) | Err(_) => Checkpoint::Hidden,
            };
            return answer.map(|_| ());
        }
        if self.asked_findings.take_if(|asked| *asked == attempt).is_some() {
            return answer.map(|_| ());
        }
        self.asked_rows = None;
        if let Administered::Audit(mut rows) = answer? {
            rows.sort_by_key(|row| std::cmp::Reverse(row.seq));
            self.rows = Some(rows);
            self.lines.forget();
        }
        Ok(())
    }

    pub(in crate::kiosk) fn view(&self, scene: Scene<'_>) -> Audit {
        Audit {
            rows: {
                let rows = self.rows.iter().flatten().map(|row| line(scene, row));
                self.lines.of(scene.today(), rows)
            },
            loading: self.rows.is_none(),
            checkpoint: self.checkpoint.clone(),
            open: scene.open_findings.iter().map(|open| open_line(scene, open)).collect(),
            acknowledging: self.asked_findings.is_some(),
        }
    }
}

fn line(scene: Scene<'_>, row: &AuditRow) -> AuditLine {
    AuditLine {
        seq: row.seq,
        day: scene.site.local_day(row.entry.at),
        at: scene.site.time_of_day(row.entry.at),
        act: row.entry.act,
        operator: row.operator.clone().unwrap_or_default(),
        person: row.person.clone().unwrap_or_default(),
        pair: row.entry.pair,
        reason: row.entry.reason,
        result: row.entry.result,
        finding: row.entry.finding.as_ref().map(|finding| finding_line(scene, finding)),
        refusal: row.entry.refusal,
        times: row.entry.times,
        detail: Phi::new(row.entry.detail.clone().unwrap_or_default()),
    }
}

fn open_line(scene: Scene<'_>, open: &OpenFinding) -> OpenFindingLine {
    let OpenFinding { finding, first, last, times } = open;
    let when = (scene.site.local(*first), scene.site.local(*last));
    OpenFindingLine { finding: finding_line(scene, finding), when, times: *times }
}

fn finding_line(scene: Scene<'_>, finding: &Finding) -> FindingLine {
    let Finding { kind, count, found, expected, span } = *finding;
    let span = span.map(|(from, to)| (scene.site.local(from), scene.site.local(to)));
    FindingLine { kind, count, found, expected, span }
}
