//! The pixels of the bedside's lanes: 32 px strips of which only those under the sweep's head are painted
//! again (0.1 ms a frame against 4 ms for a path).
//!
//! A lane's timer runs only while it is on the screen and fed. S-1: hiding a lane forgets the trace
//! and whatever waits for it.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use slint::{Color, Image, Model, Rgba8Pixel, SharedPixelBuffer, Timer, TimerMode, VecModel};
use tokio::sync::mpsc;

use crate::bridge::sweep::{Sweep, coverage};
use crate::bridge::wave::WaveChunk;
use wardkeep_model::vitals::wave::WaveKind;

/// Frames a second of the lane, and so the longest a sample waits for its pixel.
const FRAME: Duration = Duration::from_millis(33);
const FRAMES_PER_S: f64 = 1000.0 / 33.0;
const STRIP_PX: usize = 32;
/// Above this backlog the trace runs a little faster until it has caught up, s.
const BACKLOG_S: f64 = 0.4;
/// Above this backlog the oldest samples are left out, s.
const BACKLOG_S_MAX: f64 = 2.0;

/// Chunks that wait for a lane nobody draws, the newest ones.
const WAITING_MAX: usize = 64;

/// Samples on their way from the one queue to the lanes.
struct Waves {
    source: RefCell<mpsc::Receiver<WaveChunk>>,
    waiting: RefCell<BTreeMap<WaveKind, VecDeque<WaveChunk>>>,
}

impl Waves {
    /// What has come for one lane.
    fn take(&self, kind: WaveKind) -> VecDeque<WaveChunk> {
        let (mut source, mut waiting) = (self.source.borrow_mut(), self.waiting.borrow_mut());
        while let Ok(chunk) = source.try_recv() {
            let lane = waiting.entry(chunk.kind).or_default();
            if lane.len() >= WAITING_MAX {
                lane.pop_front();
            }
            lane.push_back(chunk);
        }
        waiting.remove(&kind).unwrap_or_default()
    }
}

/// A lane for each waveform.
pub(super) struct Lanes(Vec<(WaveKind, Rc<Lane>)>);

impl Lanes {
    /// Lanes without size, samples or source, each in its colour.
    pub(super) fn new(ink: impl Fn(WaveKind) -> Color, paper: Color) -> Self {
        let lane = |kind| (kind, Rc::new(Lane::new(kind, ink(kind), paper)));
        Self(WaveKind::ALL.map(lane).to_vec())
    }

    /// The lane of a waveform.
    pub(super) fn of(&self, kind: WaveKind) -> Option<&Rc<Lane>> {
        self.0.iter().find(|(one, _)| *one == kind).map(|(_, lane)| lane)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Rc<Lane>> {
        self.0.iter().map(|(_, lane)| lane)
    }

    /// Where samples come from.
    pub(super) fn connect(&self, source: mpsc::Receiver<WaveChunk>) {
        let waiting = RefCell::default();
        let waves = Rc::new(Waves { source: RefCell::new(source), waiting });
        for lane in self.iter() {
            lane.state.borrow_mut().source = Some(Rc::clone(&waves));
        }
    }

    /// The theme changed: the lanes are painted anew in these colours.
    pub(super) fn recolour(&self, ink: impl Fn(WaveKind) -> Color, paper: Color) {
        for (kind, lane) in &self.0 {
            lane.recolour(ink(*kind), paper);
        }
    }
}

/// One lane's trace and strips. Lives on the main thread.
pub(super) struct Lane {
    state: RefCell<Trace>,
    strips: Rc<VecModel<Image>>,
    timer: Timer,
}

struct Trace {
    kind: WaveKind,
    sweep: Sweep,
    width: usize,
    height: u32,
    buffers: Vec<SharedPixelBuffer<Rgba8Pixel>>,
    waiting: VecDeque<f32>,
    rate_hz: u16,
    credit: f64,
    source: Option<Rc<Waves>>,
    ink: Color,
    paper: Color,
}

impl Lane {
    fn new(kind: WaveKind, ink: Color, paper: Color) -> Self {
        let state = Trace {
            kind,
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

    fn recolour(&self, ink: Color, paper: Color) {
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
        self.forget();
        if !self.timer.running() {
            return;
        }
        self.timer.stop();
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
        let Some(source) = &self.source else { return };
        for chunk in source.take(self.kind) {
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
