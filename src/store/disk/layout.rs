//! Names of what lies in a store.

/// Directory of the key slots.
pub const SLOTS: &str = "slots";
/// Directory of the inbox.
pub const INBOX: &str = "inbox";
/// The vault's file.
pub const VAULT: &str = "vault.db";
/// Extensions of the files that lie beside the vault and its log: its head and its tables of pages.
pub const BESIDE: [&str; 3] = ["head", "pages0", "pages1"];
/// Directory of unsaved forms.
pub const DRAFTS: &str = "drafts";
/// The emergency card.
pub const EMERGENCY: &str = "emergency";
/// The audit log's newest checkpoint.
pub const CHECKPOINT: &str = "checkpoint";
