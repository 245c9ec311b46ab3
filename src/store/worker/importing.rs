//! The import of what was sealed while locked, as the thread runs it: from unlock until the inbox is empty.

use crate::import::opener::Delivery;
use crate::import::{ImportRun, Step};
use crate::open::opened::Open;
use wardkeep_model::keeping::{Finding, Import, StoreFault};
use wardkeep_model::moment::Moment;

/// Not planned yet, running, or done.
#[derive(Default)]
pub struct Importing {
    planned: bool,
    run: Option<Box<ImportRun>>,
}

/// What is to be told of an import.
pub enum News {
    /// How far it is.
    Progress(Import),
    /// It is done, and this is not as it was sealed.
    Done(Import, Vec<Finding>),
}

impl Importing {
    /// Plans it, unless that was done.
    ///
    /// # Errors
    /// As writing the inbox's head or reading the vault; to be tried again.
    pub fn plan(&mut self, open: &mut Open) -> Result<(), StoreFault> {
        if self.planned {
            return Ok(());
        }
        let (vault, keys, locked) = open.parts();
        // The head must know the last number before the segments that show it are deleted.
        locked.inbox_mut().roll()?;
        self.run = Some(Box::new(ImportRun::plan(locked.inbox(), vault, keys)?));
        self.planned = true;
        Ok(())
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// The run, for the thread to wait for.
    pub(super) fn run_mut(&mut self) -> Option<&mut ImportRun> {
        self.run.as_deref_mut()
    }

    /// Keeps what was opened.
    ///
    /// # Errors
    /// As reading the inbox or writing the vault; the next call tries the same again.
    pub fn step(
        &mut self,
        open: &mut Open,
        opened: Option<Delivery>,
        now: Moment,
    ) -> Result<Option<News>, StoreFault> {
        let Some(run) = &mut self.run else { return Ok(None) };
        let (vault, keys, locked) = open.parts();
        match run.step(opened, (locked.inbox(), keys), vault, now.wall)? {
            Step::More => Ok(run.news(now.boot).map(News::Progress)),
            Step::Done(imported) => {
                let findings = run.findings(now.wall);
                self.run = None;
                open.set_imported();
                Ok(Some(News::Done(imported, findings)))
            }
        }
    }

    /// Ends a run before its time: what it found, and how far it was.
    pub fn end(self, now: Moment) -> Option<(Vec<Finding>, Import)> {
        self.run.map(|run| (run.findings(now.wall), run.progress()))
    }
}
