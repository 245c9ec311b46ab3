//! A waveform as columns of pixels: which span of each column the trace covers.
//!
//! Every column keeps the lowest and the highest point of the trace inside it, so a narrow beat never
//! vanishes whatever the sample rate, and tests compare columns instead of pictures.

use std::ops::Range;

/// Sweep speed: 25 mm/s on a 10 inch screen of 1280 x 800 (151 px to the inch).
pub(super) const PX_PER_S: f64 = 150.0;
/// Width of the erased part ahead of the newest sample, px.
pub(super) const GAP_PX: u64 = 28;
/// Half the width of the pen, px.
const PEN_PX: f32 = 1.25;
/// What the pen reaches above and below a point from one column to the side, px.
const PEN_BESIDE_PX: f32 = 0.75;

/// Vertical span of the trace in one column, from the top: px, or inside the sweep a share of its height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    /// Highest point.
    pub top: f32,
    /// Lowest point.
    pub bottom: f32,
}

/// The trace on a lane of fixed size.
pub(super) struct Sweep {
    columns: Vec<Option<Span>>,
    height: f32,
    /// Place of the newest sample, px since the first one.
    at: f64,
    level: Option<f32>,
}

impl Sweep {
    /// An empty lane of this size in px.
    pub(super) fn new(width: usize, height: usize) -> Self {
        let mut sweep = Self { columns: vec![None; width], height: 0.0, at: 0.0, level: None };
        sweep.set_height(height);
        sweep
    }

    /// The lane became higher or lower, as when an alarm takes a line above it: the trace stays.
    pub(super) fn set_height(&mut self, height: usize) {
        self.height = f32::from(u16::try_from(height).unwrap_or(u16::MAX));
    }

    /// The columns on the lane, counted since the first sample.
    pub(super) fn shown(&self) -> Range<u64> {
        let end = column_of(self.at) + GAP_PX + 1;
        let width = u64::try_from(self.columns.len()).unwrap_or(u64::MAX);
        end.saturating_sub(width)..end
    }

    /// Width in px.
    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Draws samples in 0.0..=1.0 and returns the columns to paint, counted since the first sample;
    /// column `n` lies at `n % width`.
    pub(super) fn advance(&mut self, samples: &[f32], rate_hz: u16) -> Range<u64> {
        let first = column_of(self.at);
        if self.columns.is_empty() || rate_hz == 0 {
            return first..first;
        }
        let step = PX_PER_S / f64::from(rate_hz);
        for sample in samples {
            let level = 1.0 - sample.clamp(0.0, 1.0);
            let from = self.level.unwrap_or(level);
            self.line((self.at, from), (self.at + step, level));
            self.at += step;
            self.level = Some(level);
        }
        first.saturating_sub(1)..column_of(self.at) + GAP_PX + 1
    }

    /// What the pen covers of column `n`; `None` where nothing is drawn.
    pub(super) fn span(&self, n: u64) -> Option<Span> {
        let own = self.at_column(n)?;
        let mut drawn = Span { top: own.top - PEN_PX, bottom: own.bottom + PEN_PX };
        // A steep flank is one column wide; the round pen makes it as bold as a level line.
        for beside in [n.checked_sub(1), Some(n + 1)].into_iter().flatten() {
            if let Some(other) = self.at_column(beside) {
                drawn.top = drawn.top.min(other.top - PEN_BESIDE_PX);
                drawn.bottom = drawn.bottom.max(other.bottom + PEN_BESIDE_PX);
            }
        }
        Some(drawn)
    }

    fn at_column(&self, n: u64) -> Option<Span> {
        let span = self.columns.get(self.place(n)).copied().flatten()?;
        let px = (self.height - 1.0).max(0.0);
        Some(Span { top: span.top * px, bottom: span.bottom * px })
    }

    fn place(&self, n: u64) -> usize {
        let width = u64::try_from(self.columns.len()).unwrap_or(u64::MAX).max(1);
        usize::try_from(n % width).unwrap_or(0)
    }

    fn line(&mut self, (x0, y0): (f64, f32), (x1, y1): (f64, f32)) {
        for n in column_of(x0)..=column_of(x1) {
            let (left, right) = ((n as f64).max(x0), (n as f64 + 1.0).min(x1));
            let (a, b) = (between(x0, x1, left, y0, y1), between(x0, x1, right, y0, y1));
            // A new column forgets what was there a whole sweep ago; so does the gap ahead.
            let fresh = n > column_of(x0) || self.level.is_none();
            let (here, ahead) = (self.place(n), self.place(n + GAP_PX));
            if let Some(column) = self.columns.get_mut(here) {
                let before = if fresh { None } else { *column };
                let (top, bottom) = (a.min(b), a.max(b));
                *column = Some(before.map_or(Span { top, bottom }, |span| Span {
                    top: span.top.min(top),
                    bottom: span.bottom.max(bottom),
                }));
            }
            if let Some(column) = self.columns.get_mut(ahead) {
                *column = None;
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a column is a whole number of px, never negative"
)]
fn column_of(x: f64) -> u64 {
    x as u64
}

#[expect(clippy::cast_possible_truncation, reason = "a share of 0 to 1 needs no double precision")]
fn between(x0: f64, x1: f64, x: f64, y0: f32, y1: f32) -> f32 {
    let share = if x1 > x0 { ((x - x0) / (x1 - x0)) as f32 } else { 1.0 };
    y0 + (y1 - y0) * share
}

/// How much of the pixel row `y` a span covers, 0.0..=1.0.
pub(super) fn coverage(span: Span, y: u16) -> f32 {
    let y = f32::from(y);
    ((y + 1.0).min(span.bottom + 0.5) - y.max(span.top + 0.5)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(sweep: &Sweep) -> Vec<u64> {
        (0..sweep.width() as u64).filter(|n| sweep.span(*n).is_some()).collect()
    }

    #[test]
    fn a_spike_of_one_sample_reaches_its_full_height() {
        // 500 samples a second are 3.3 to a column: a picked sample would miss most spikes.
        for place in 0..20 {
            let mut sweep = Sweep::new(100, 101);
            let mut samples = [0.0_f32; 60];
            samples[place + 20] = 1.0;
            sweep.advance(&samples, 500);
            let top =
                (0..100).filter_map(|n| sweep.span(n)).map(|span| span.top).fold(101.0, f32::min);
            assert!(top <= 0.0, "spike at sample {place} only reaches {top}");
        }
    }

    #[test]
    fn the_trace_has_no_holes_at_any_rate() {
        for rate_hz in [25, 75, 125, 250, 500] {
            let mut sweep = Sweep::new(400, 100);
            let samples: Vec<f32> = (0..rate_hz).map(|n| f32::from(n % 7) / 7.0).collect();
            sweep.advance(&samples, rate_hz);
            let columns = drawn(&sweep);
            assert_eq!(columns, (0..columns.len() as u64).collect::<Vec<_>>(), "{rate_hz} Hz");
            assert!(columns.len() >= 149, "{rate_hz} Hz fills {} px", columns.len());
        }
    }

    #[test]
    fn what_lies_ahead_of_the_newest_sample_is_erased() {
        let mut sweep = Sweep::new(300, 100);
        sweep.advance(&[0.5; 75 * 3], 75);
        let empty: Vec<u64> = (0..300).filter(|n| sweep.at_column(*n).is_none()).collect();
        assert_eq!(empty.len() as u64, GAP_PX);
    }

    #[test]
    fn a_lane_of_another_height_keeps_its_trace() {
        let mut sweep = Sweep::new(300, 201);
        sweep.advance(&[0.75; 75], 75);
        let before = sweep.span(100).map(|span| span.top);
        sweep.set_height(101);
        assert_eq!((before, sweep.span(100).map(|span| span.top)), (Some(48.75), Some(23.75)));
        assert!(sweep.shown().contains(&100));
    }

    #[test]
    fn only_what_changed_is_painted() {
        let mut sweep = Sweep::new(300, 100);
        sweep.advance(&[0.5; 75], 75);
        let columns = sweep.advance(&[0.5; 3], 75);
        assert!(columns.end - columns.start <= 6 + GAP_PX + 3, "{columns:?}");
    }

    proptest! {
        #[test]
        fn any_samples_at_any_rate_stay_on_the_lane(
            chunks in prop::collection::vec((prop::collection::vec(any::<f32>(), 0..40), any::<u16>()), 0..20),
            width in 0_usize..90,
            height in 0_usize..90,
        ) {
            let mut sweep = Sweep::new(width, height);
            for (samples, rate_hz) in chunks {
                sweep.advance(&samples, rate_hz.max(20));
                for n in 0..width as u64 {
                    if let Some(span) = sweep.at_column(n) {
                        prop_assert!(span.top >= -1.0 && span.bottom <= height as f32);
                        prop_assert!(span.top <= span.bottom);
                    }
                }
            }
        }
    }
}
