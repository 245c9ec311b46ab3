//! A walk over every item of a window that finds what a person could not read or touch. Nothing is drawn.

use std::fmt;

use i_slint_core::accessibility::AccessibleStringProperty;
use i_slint_core::item_tree::ItemRc;
use i_slint_core::items::{
    AccessibleRole, BasicBorderRectangle, Clip, ComplexText, Flickable, Opacity, Orientation,
    Rectangle, SimpleText, TextHorizontalAlignment, TextWrap,
};
use i_slint_core::lengths::LogicalRect;
use i_slint_core::window::{WindowAdapterRc, WindowInner};
use slint::SharedString;

/// Least width and height of what is touched, px.
pub const TARGET_PX: f32 = 56.0;
/// Lengths are rounded to whole px.
const SLACK: f32 = 0.6;
/// Height of digits by that of their line: neither accent nor descender.
const DIGITS: f32 = 0.56;
/// Of a line's height, what is empty above and below its letters.
const LEADING: f32 = 0.2;

/// A rule that something breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A text is wider than its room, or one of its words is.
    CutAcross,
    /// A text is higher than its room.
    CutBelow,
    /// A text leaves the window, what can be scrolled to, or the control or row it belongs to.
    TextOutside,
    /// Two texts lie on each other.
    TextOverlapping,
    /// A control is called nothing.
    Nameless,
    /// A control is smaller than a gloved finger.
    Small,
    /// A control is outside the window, or outside what can be scrolled to.
    ControlOutside,
    /// Two controls overlap.
    ControlOverlapping,
}

/// What breaks a rule.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The rule.
    pub rule: Rule,
    /// What it says, or is called.
    pub what: String,
    /// Where it is and what it lacks.
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?} {:?}: {}", self.rule, self.what, self.why)
    }
}

/// What a walk has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// How many texts.
    pub texts: usize,
    /// How many controls.
    pub controls: usize,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// Walks over the window as it would be drawn now.
pub fn walk(window: &slint::Window) -> Seen {
    let inner = WindowInner::from_pub(window);
    // What is made when it is drawn first is made here.
    inner.ensure_tree_instantiated();
    let root = ItemRc::new_root(inner.component());
    let adapter = inner.window_adapter();
    let size = window.size().to_logical(window.scale_factor());
    let screen = LogicalRect::new((0.0, 0.0).into(), (size.width, size.height).into());
    let mut walk = Walk { adapter, seen: Seen::default(), texts: vec![], controls: vec![] };
    walk.visit(&root, Around { origin: LogicalRect::default(), reach: screen, shown: screen });
    for (texts, rule) in [(true, Rule::TextOverlapping), (false, Rule::ControlOverlapping)] {
        let found = overlaps(if texts { &walk.texts } else { &walk.controls }, rule);
        walk.seen.faults.extend(found);
    }
    walk.seen
}

/// Where an item's children may be.
#[derive(Clone, Copy)]
struct Around {
    origin: LogicalRect,
    /// Where something can be seen, if need be after scrolling.
    reach: LogicalRect,
    /// Where something can be seen now.
    shown: LogicalRect,
}

/// A text or a control, and what of it is on the screen without scrolling.
struct Shown {
    name: SharedString,
    area: LogicalRect,
}

struct Walk {
    adapter: WindowAdapterRc,
    seen: Seen,
    texts: Vec<Shown>,
    controls: Vec<Shown>,
}

impl Walk {
    fn visit(&mut self, item: &ItemRc, around: Around) {
        if is_hidden(item) {
            return;
        }
        let own = item.geometry().translate(around.origin.origin.to_vector());
        self.cover(item, own);
        self.read(item, own, around);
        let role = item.accessible_role();
        let mut below = Around { origin: own, ..around };
        let is_control = matches!(
            role,
            AccessibleRole::Button | AccessibleRole::Tab | AccessibleRole::TextInput
        );
        if is_control {
            self.feel(item, own, around);
        }
        if is_control || role == AccessibleRole::ListItem {
            below.reach = around.reach.intersection(&own).unwrap_or_default();
        }
        if item.borrow().as_ref().clips_children() {
            below.shown = below.shown.intersection(&own).unwrap_or_default();
            below.reach = scrolled(item, own, around.reach)
                .unwrap_or_else(|| below.reach.intersection(&own).unwrap_or_default());
        }
        let mut child = item.first_child();
        while let Some(one) = child {
            self.visit(&one, below);
            child = one.next_sibling();
        }
    }

    /// What lies behind something opaque is not seen: a panel over a screen.
    fn cover(&mut self, item: &ItemRc, own: LogicalRect) {
        let plain = item.downcast::<Rectangle>().map(|one| one.as_pin_ref().background());
        let background = plain.or_else(|| {
            item.downcast::<BasicBorderRectangle>().map(|one| one.as_pin_ref().background())
        });
        if background.is_some_and(|brush| brush.color().alpha() == 255) {
            self.controls.retain(|control| !inside(control.area, own));
            self.texts.retain(|text| !inside(text.area, own));
            for text in &mut self.texts {
                text.area = left_of(text.area, own);
            }
        }
    }

    fn read(&mut self, item: &ItemRc, own: LogicalRect, around: Around) {
        let Some((text, wrap, side)) = text_of(item) else { return };
        self.seen.texts += 1;
        let ask = |orientation, cross| {
            item.borrow().as_ref().layout_info(orientation, cross, &self.adapter, item)
        };
        let across = ask(Orientation::Horizontal, -1.0);
        let width = if wrap == TextWrap::NoWrap { across.preferred } else { across.min };
        let line = ask(Orientation::Vertical, own.width()).preferred;
        let height = line * part_of_line(&text);
        let mut found = |rule, why: String| {
            self.seen.faults.push(Fault { rule, what: text.to_string(), why });
        };
        if width > own.width() + SLACK {
            found(Rule::CutAcross, format!("{width} px wide in {}", own.width()));
        }
        if height > own.height() + SLACK {
            found(Rule::CutBelow, format!("{height} px high in {}", own.height()));
        }
        if !inside(own, around.reach) {
            found(Rule::TextOutside, format!("{own:?} of {:?}", around.reach));
        }
        let written = across.preferred.min(own.width());
        let x = if side == TextHorizontalAlignment::Right {
            own.max_x() - written
        } else if side == TextHorizontalAlignment::Center {
            own.center().x - written / 2.0
        } else {
            own.min_x()
        };
        let high = line.min(own.height());
        let y = own.center().y - high * (0.5 - LEADING);
        let size = (written, high * (1.0 - 2.0 * LEADING));
        let letters = LogicalRect::new((x, y).into(), size.into());
        let area = letters.intersection(&around.shown).unwrap_or_default();
        self.texts.push(Shown { name: text, area });
    }

    fn feel(&mut self, item: &ItemRc, own: LogicalRect, around: Around) {
        let name =
            item.accessible_string_property(AccessibleStringProperty::Label).unwrap_or_default();
        self.seen.controls += 1;
        let mut found = |rule, why: String| {
            self.seen.faults.push(Fault { rule, what: name.to_string(), why });
        };
        if name.is_empty() {
            found(Rule::Nameless, format!("{own:?}"));
        }
        if own.width() < TARGET_PX - SLACK || own.height() < TARGET_PX - SLACK {
            found(Rule::Small, format!("{} x {} px", own.width(), own.height()));
        }
        if !inside(own, around.reach) {
            found(Rule::ControlOutside, format!("{own:?} of {:?}", around.reach));
        }
        let area = own.intersection(&around.shown).unwrap_or_default();
        self.controls.push(Shown { name, area });
    }
}

fn overlaps(all: &[Shown], rule: Rule) -> Vec<Fault> {
    let mut found = Vec::new();
    for (number, one) in all.iter().enumerate() {
        for other in &all[number + 1..] {
            let common = one.area.intersection(&other.area).unwrap_or_default();
            if common.width() > SLACK && common.height() > SLACK {
                let why = format!("{:?} and {:?}: {:?}", one.area, other.name, other.area);
                found.push(Fault { rule, what: one.name.to_string(), why });
            }
        }
    }
    found
}

/// What is left of an area when its upper or lower part is covered.
fn left_of(area: LogicalRect, cover: LogicalRect) -> LogicalRect {
    let across = cover.min_x() <= area.min_x() && cover.max_x() >= area.max_x();
    if !across || !cover.intersects(&area) {
        return area;
    }
    let (mut area, cover) = (area.to_box2d(), cover.to_box2d());
    if cover.min.y <= area.min.y {
        area.min.y = cover.max.y;
    } else {
        area.max.y = cover.min.y;
    }
    area.to_rect()
}

/// Of a line's height, what has to be seen of this text.
fn part_of_line(text: &str) -> f32 {
    if text.chars().all(|letter| "–-: ".contains(letter)) {
        0.0
    } else if text.chars().all(|letter| "0123456789/.,:".contains(letter)) {
        DIGITS
    } else {
        1.0
    }
}

fn is_hidden(item: &ItemRc) -> bool {
    let clipped = item.downcast::<Clip>().is_some_and(|clip| {
        let clip = clip.as_pin_ref();
        clip.is_visibility_clip() && clip.clip()
    });
    clipped || item.downcast::<Opacity>().is_some_and(|one| one.as_pin_ref().opacity() == 0.0)
}

/// What can be scrolled to, if the item scrolls.
fn scrolled(item: &ItemRc, own: LogicalRect, reach: LogicalRect) -> Option<LogicalRect> {
    let flickable = item.downcast::<Flickable>()?;
    let flickable = flickable.as_pin_ref();
    let high = flickable.content_height().get();
    // Only what is itself on the screen can be scrolled to its end.
    (flickable.interactive() && high > own.height() + SLACK && inside(own, reach)).then(|| {
        let (x, y) = (flickable.content_x().get(), flickable.content_y().get());
        LogicalRect::new((own.min_x() + x, own.min_y() + y).into(), (own.width(), high).into())
    })
}

fn text_of(item: &ItemRc) -> Option<(SharedString, TextWrap, TextHorizontalAlignment)> {
    let simple = item.downcast::<SimpleText>().map(|text| {
        let text = text.as_pin_ref();
        (text.text(), TextWrap::NoWrap, text.horizontal_alignment())
    });
    let complex = || {
        let text = item.downcast::<ComplexText>()?;
        let text = text.as_pin_ref();
        Some((text.text(), text.wrap(), text.horizontal_alignment()))
    };
    simple.or_else(complex).filter(|(text, ..)| !text.is_empty())
}

fn inside(own: LogicalRect, reach: LogicalRect) -> bool {
    own.min_x() >= reach.min_x() - SLACK
        && own.min_y() >= reach.min_y() - SLACK
        && own.max_x() <= reach.max_x() + SLACK
        && own.max_y() <= reach.max_y() + SLACK
}
