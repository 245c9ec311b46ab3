//! What is wrong with the store, in the screen's words.

use wardkeep_core::kiosk::view::records::{Checkpoint, FindingGroup, Watch};
use wardkeep_model::keeping::{AuditResult, FindingKind};
use wardkeep_ui as ui;

/// What is monitored while nobody can log in.
pub(crate) fn watch(watch: &Watch) -> ui::WatchWord {
    match watch {
        Watch::Nothing { .. } => ui::WatchWord::Nothing,
        Watch::Bed(_) => ui::WatchWord::Bed,
        Watch::Unknown { .. } => ui::WatchWord::Unknown,
    }
}

/// How far a checkpoint is.
pub(crate) fn checkpoint(checkpoint: &Checkpoint) -> ui::CheckpointWord {
    match checkpoint {
        Checkpoint::Hidden => ui::CheckpointWord::Hidden,
        Checkpoint::Asked => ui::CheckpointWord::Asked,
        Checkpoint::Shown(_) => ui::CheckpointWord::Shown,
    }
}

/// How an act of the audit log ended.
pub(crate) fn result(result: AuditResult) -> ui::ResultWord {
    match result {
        AuditResult::Done => ui::ResultWord::Done,
        AuditResult::Refused => ui::ResultWord::Refused,
        AuditResult::Failed => ui::ResultWord::Failed,
    }
}

/// The sentence that tells findings to whoever is logged in.
pub(crate) fn group(group: FindingGroup) -> ui::FindingWord {
    match group {
        FindingGroup::Missing => ui::FindingWord::Missing,
        FindingGroup::Older => ui::FindingWord::Older,
        FindingGroup::OlderStore => ui::FindingWord::OlderStore,
        FindingGroup::Replaced => ui::FindingWord::Replaced,
        FindingGroup::Altered => ui::FindingWord::Altered,
        FindingGroup::Restarted => ui::FindingWord::Restarted,
        FindingGroup::OlderFiles => ui::FindingWord::OlderFiles,
        FindingGroup::Misplaced => ui::FindingWord::Misplaced,
        FindingGroup::WavesGivenUp => ui::FindingWord::WavesGivenUp,
        FindingGroup::CounterReset => ui::FindingWord::CounterReset,
        FindingGroup::Mended => ui::FindingWord::Mended,
    }
}

/// What a line of the audit log says was found.
pub(crate) fn found(kind: FindingKind) -> ui::FoundWord {
    match kind {
        FindingKind::RecordsMissing => ui::FoundWord::RecordsMissing,
        FindingKind::RecordsForged => ui::FoundWord::RecordsForged,
        FindingKind::RecordsRepeated => ui::FoundWord::RecordsRepeated,
        FindingKind::RecordsMoved => ui::FoundWord::RecordsMoved,
        FindingKind::BacklogRestarted => ui::FoundWord::BacklogRestarted,
        FindingKind::VaultOlder => ui::FoundWord::VaultOlder,
        FindingKind::PagesReplaced => ui::FoundWord::PagesReplaced,
        FindingKind::HeadOlder => ui::FoundWord::HeadOlder,
        FindingKind::SlotOlder => ui::FoundWord::SlotOlder,
        FindingKind::CartOlder => ui::FoundWord::CartOlder,
        FindingKind::KeyringOlder => ui::FoundWord::KeyringOlder,
        FindingKind::InboxOlder => ui::FoundWord::InboxOlder,
        FindingKind::StoreOlder => ui::FoundWord::StoreOlder,
        FindingKind::WaveformsGivenUp => ui::FoundWord::WaveformsGivenUp,
        FindingKind::AnchorReset => ui::FoundWord::AnchorReset,
        FindingKind::CopyUsed => ui::FoundWord::CopyUsed,
    }
}
