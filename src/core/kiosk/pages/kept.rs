//! The lines of a long list, made once: a view is projected after every event, and most events concern
//! something else.

use std::cell::RefCell;
use std::sync::Arc;

use jiff::civil::Date;

/// Lines, and the day on which they are true: ages and days that are over change with it.
pub(super) struct Kept<T> {
    made: RefCell<Option<(Date, Arc<[T]>)>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { made: RefCell::new(None) }
    }
}

impl<T> Kept<T> {
    /// The lines of this day, made of `rows` unless they are there.
    pub(super) fn of(&self, today: Date, rows: impl Iterator<Item = T>) -> Arc<[T]> {
        let mut made = self.made.borrow_mut();
        match &*made {
            Some((day, lines)) if *day == today => Arc::clone(lines),
            Some(_) | None => {
                let lines: Arc<[T]> = rows.collect();
                *made = Some((today, Arc::clone(&lines)));
                lines
            }
        }
    }

    /// What they are made of has changed.
    pub(super) fn forget(&mut self) {
        *self.made.get_mut() = None;
    }
}
