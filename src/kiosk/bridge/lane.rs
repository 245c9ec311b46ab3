//! The bedside lane's pixels: 32 px strips of which only those under the sweep's head are painted
//! again (0.1 ms a frame against 4 ms for a path).
//!
//! The timer runs only while the lane is on the screen and fed. S-1: hiding the lane forgets the trace
//! and whatever waits in the queue.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use slint::{Color, Image, Model, Rgba8Pixel, SharedPixelBuffer, Timer, TimerMode, VecModel};
use tokio::sync::mpsc;

use crate::bridge::sweep::{Sweep, coverage};
use crate::bridge::wave::WaveChunk;

/// Frames a second of the lane, and so the longest a sample waits for its pixel.
const FRAME: Duration = Duration::from_millis(33);
const FRAMES_PER_S: f64 = 1000.0 / 33.0;
const STRIP_PX: usize = 32;
/// Above this backlog the trace runs a little faster until it has caught up, s.
const BACKLOG_S: f64 = 0.4;
/// Above this backlog the oldest samples are left out, s.
const BACKLOG_S_MAX: f64 = 2.0;

/// The lane's trace, strips and queue. Lives on the main thread.
pub(super) struct Lane {
    state: RefCell<Trace>,
    strips: Rc<VecModel<Image>>,
    timer: Timer,
}

struct Trace {
    sweep: Sweep,
    width: usize,
    height: u32,
    buffers: Vec<SharedPixelBuffer<Rgba8Pixel>>,
    waiting: VecDeque<f32>,
    rate_hz: u16,
    credit: f64,
    source: Option<mpsc::Receiver<WaveChunk>>,
    ink: Color,
    paper: Color,
}

impl Lane {
    /// A lane without size, samples or source.
    pub(super) fn new(ink: Color, paper: Color) -> Self {
        let state = Trace {
            sweep: Sweep::new(0, 0),
            width: 0,
            height: 0,
            buffers: Vec::new(),
            waiting: VecDeque::new(),
            rate_hz: 0,
            credit: 0.0,
            source: None,
            ink,
            paper,
        };
        Self {
            state: RefCell::new(state),
            strips: Rc::new(VecModel::default()),
            timer: Timer::default(),
        }
    }

    /// The strips, left to right, for the screen.
    pub(super) fn strips(&self) -> Rc<VecModel<Image>> {
        Rc::clone(&self.strips)
    }

    /// Where samples come from.
    pub(super) fn connect(&self, source: mpsc::Receiver<WaveChunk>) {
        self.state.borrow_mut().source = Some(source);
    }

    /// The theme changed: the lane is painted anew in these colours.
    pub(super) fn recolour(&self, ink: Color, paper: Color) {
        let mut state = self.state.borrow_mut();
        (state.ink, state.paper) = (ink, paper);
        drop(state);
        if self.timer.running() {
            self.repaint();
        }
    }

    /// The lane got this size in px. With another width the trace begins anew.
    pub(super) fn resize(&self, width: usize, height: u32) {
        let mut state = self.state.borrow_mut();
        (state.width, state.height) = (width, height);
        drop(state);
        if self.timer.running() {
            self.repaint();
        }
    }

    /// Paints the whole lane in the size it has on the screen.
    fn repaint(&self) {
        let mut state = self.state.borrow_mut();
        let high = usize::try_from(state.height).unwrap_or(0);
        if state.sweep.width() == state.width {
            state.sweep.set_height(high);
        } else {
            state.sweep = Sweep::new(state.width, high);
        }
        let mut blank = SharedPixelBuffer::<Rgba8Pixel>::new(32, state.height);
        blank.make_mut_slice().fill(opaque(state.paper));
        state.buffers = vec![blank; state.width.div_ceil(STRIP_PX)];
        let images: Vec<Image> = state.buffers.iter().cloned().map(Image::from_rgba8).collect();
        self.strips.set_vec(images);
        let columns = state.sweep.shown();
        let painted = state.paint(columns, &self.strips);
        drop(state);
        for (place, image) in painted {
            self.strips.set_row_data(place, image);
        }
    }

    /// Starts the sweep if it does not run.
    pub(super) fn show(self: &Rc<Self>) {
        if self.timer.running() {
            return;
        }
        self.forget();
        self.repaint();
        let lane = Rc::downgrade(self);
        self.timer.start(TimerMode::Repeated, FRAME, move || {
            if let Some(lane) = lane.upgrade() {
                lane.tick();
            }
        });
    }

    /// Stops the sweep and forgets the trace (S-1).
    pub(super) fn hide(&self) {
        if !self.timer.running() {
            return;
        }
        self.timer.stop();
        self.forget();
        self.strips.set_vec(Vec::new());
        let mut state = self.state.borrow_mut();
        state.buffers.clear();
        state.sweep = Sweep::new(0, 0);
    }

    /// Nothing moves and nothing is held.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.timer.running() && self.strips.row_count() == 0
    }

    /// Draws one frame's worth of samples.
    pub(super) fn tick(&self) {
        let mut state = self.state.borrow_mut();
        state.fetch();
        let samples = state.due();
        let rate_hz = state.rate_hz;
        let columns = state.sweep.advance(&samples, rate_hz);
        let painted = state.paint(columns, &self.strips);
        drop(state);
        for (place, image) in painted {
            self.strips.set_row_data(place, image);
        }
    }

    fn forget(&self) {
        let mut state = self.state.borrow_mut();
        state.fetch();
        state.waiting.clear();
        state.credit = 0.0;
    }
}

impl Trace {
    fn fetch(&mut self) {
        let Some(source) = &mut self.source else { return };
        while let Ok(chunk) = source.try_recv() {
            if chunk.rate_hz != self.rate_hz {
                self.waiting.clear();
                self.rate_hz = chunk.rate_hz;
            }
            self.waiting.extend(chunk.samples);
        }
        let most = whole(f64::from(self.rate_hz) * BACKLOG_S_MAX);
        if self.waiting.len() > most {
            self.waiting.drain(..self.waiting.len() - most);
        }
    }

    fn due(&mut self) -> Vec<f32> {
        let rate = f64::from(self.rate_hz);
        let behind = self.waiting.len() > whole(rate * BACKLOG_S);
        let pace = if behind { 1.25 } else { 1.0 };
        self.credit += rate / FRAMES_PER_S * pace;
        let take = whole(self.credit).min(self.waiting.len());
        // What did not arrive in time is not owed.
        self.credit = (self.credit - whole(self.credit) as f64).max(0.0);
        self.waiting.drain(..take).collect()
    }

    fn paint(&mut self, columns: Range<u64>, strips: &VecModel<Image>) -> Vec<(usize, Image)> {
        let width = u64::try_from(self.sweep.width()).unwrap_or(0);
        let mut touched: Vec<usize> = Vec::new();
        if width == 0 || columns.is_empty() {
            return Vec::new();
        }
        let (ink, paper) = (self.ink, self.paper);
        for n in columns {
            let place = usize::try_from(n % width).unwrap_or(0);
            let (strip, x) = (place / STRIP_PX, place % STRIP_PX);
            let span = self.sweep.span(n);
            let Some(buffer) = self.buffers.get_mut(strip) else { continue };
            if !touched.contains(&strip) {
                // With Slint's reference gone the buffer is changed in place instead of copied.
                strips.set_row_data(strip, Image::default());
                touched.push(strip);
            }
            for (y, row) in buffer.make_mut_slice().chunks_exact_mut(STRIP_PX).enumerate() {
                let covered =
                    span.map_or(0.0, |span| coverage(span, u16::try_from(y).unwrap_or(u16::MAX)));
                if let Some(pixel) = row.get_mut(x) {
                    *pixel = opaque(ink.mix(&paper, covered));
                }
            }
        }
        touched
            .into_iter()
            .filter_map(|strip| Some((strip, Image::from_rgba8(self.buffers.get(strip)?.clone()))))
            .collect()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a count of samples, never negative, far below 2^32"
)]
fn whole(x: f64) -> usize {
    x as usize
}

fn opaque(color: Color) -> Rgba8Pixel {
    Rgba8Pixel { r: color.red(), g: color.green(), b: color.blue(), a: 255 }
}
