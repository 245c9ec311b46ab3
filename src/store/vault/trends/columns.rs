//! The columns of a trend, and how fine the values have to be that fill them.

use crate::vault::trends::block::{Aggregate, Resolution};
use wardkeep_model::keeping::{TrendColumn, TrendQuery};

/// Most columns of a picture.
const COLUMNS_MAX: u16 = 4096;
/// Longest time that is drawn from single values, in microseconds: 2 days.
const SINGLES_US_MAX: i64 = 2 * 24 * 3_600_000_000;
/// Longest time that is drawn from minutes, in microseconds: 45 days.
const MINUTES_US_MAX: i64 = 45 * 24 * 3_600_000_000;

/// A picture that is being filled.
///
/// All columns are equally wide. A value belongs to the column in which its entry begins, and an entry
/// that began before the picture belongs to the first: where minutes or hours serve, every edge is
/// rounded up to the next whole one, and the first edge down.
pub struct Columns {
    resolution: Resolution,
    since_us: i64,
    until_us: i64,
    filled: Vec<Option<Aggregate>>,
}

impl Columns {
    /// Empty columns of a question.
    pub fn of(query: &TrendQuery) -> Self {
        let (since_us, until_us) = (query.since.as_microsecond(), query.until.as_microsecond());
        let filled = vec![None; usize::from(query.columns.min(COLUMNS_MAX))];
        Self { resolution: resolution(query), since_us, until_us, filled }
    }

    /// How fine the values are that fill it.
    pub fn resolution(&self) -> Resolution {
        self.resolution
    }

    /// Nothing can be in it.
    pub fn is_empty(&self) -> bool {
        self.filled.is_empty() || self.since_us >= self.until_us
    }

    /// Entries of a resolution that belong to it: from this start up to, but not at, that one.
    pub fn span(&self, resolution: Resolution) -> (i64, i64) {
        let last = resolution.entry_of(self.until_us.saturating_sub(1));
        (resolution.entry_of(self.since_us), last + resolution.entry_us())
    }

    /// Adds an entry that begins at this instant; one of another time is left out.
    pub fn add(&mut self, resolution: Resolution, at_us: i64, values: Aggregate) {
        if at_us <= self.since_us - resolution.entry_us() || at_us >= self.until_us {
            return;
        }
        // As far as it fits, in the machine's own numbers: a day has 86,400 values.
        let width = self.until_us.abs_diff(self.since_us);
        let offset = at_us.max(self.since_us).abs_diff(self.since_us);
        let columns = self.filled.len() as u64;
        let column = offset.checked_mul(columns).map_or_else(
            || u128::from(offset) * u128::from(columns) / u128::from(width),
            |scaled| u128::from(scaled / width),
        );
        let column = usize::try_from(column).ok();
        let Some(column) = column.and_then(|column| self.filled.get_mut(column)) else { return };
        match column {
            Some(present) => present.merge(values),
            None => *column = Some(values),
        }
    }

    /// The columns, oldest first.
    pub fn finish(self) -> Vec<TrendColumn> {
        let empty = TrendColumn { count: 0, min: 0.0, max: 0.0, mean: 0.0 };
        self.filled.into_iter().map(|column| column.map_or(empty, drawn)).collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a mean lies between two 32-bit numbers")]
fn drawn(values: Aggregate) -> TrendColumn {
    let Aggregate { count, min, max, sum } = values;
    TrendColumn { count, min, max, mean: (sum / f64::from(count)) as f32 }
}

/// The finest values of which few blocks have to be read; finer ones where a column would be narrower
/// than an entry.
fn resolution(query: &TrendQuery) -> Resolution {
    let length = query.until.as_microsecond().saturating_sub(query.since.as_microsecond());
    let width = length / i64::from(query.columns.clamp(1, COLUMNS_MAX));
    if length <= SINGLES_US_MAX || width < Resolution::Minute.entry_us() {
        Resolution::Single
    } else if length <= MINUTES_US_MAX || width < Resolution::Hour.entry_us() {
        Resolution::Minute
    } else {
        Resolution::Hour
    }
}
