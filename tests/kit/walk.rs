//! A walk over every item of a window that finds what a person could not read or touch. Nothing is drawn.

use i_slint_core::accessibility::AccessibleStringProperty;
use i_slint_core::item_tree::ItemRc;
use i_slint_core::items::{
    AccessibleRole, Clip, ComplexText, Flickable, Opacity, Orientation, SimpleText, TextWrap,
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

/// A rule that something breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A text is wider than its room, or one of its words is.
    CutAcross,
    /// A text is higher than its room.
    CutBelow,
    /// A text is outside the window, or outside what can be scrolled to.
    TextOutside,
    /// A control is outside the window, or outside what can be scrolled to.
    ControlOutside,
    /// A control is smaller than a gloved finger.
    Small,
    /// Two controls overlap.
    Overlapping,
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

struct Control {
    label: SharedString,
    area: LogicalRect,
    /// What of it is on the screen without scrolling.
    shown: LogicalRect,
}

struct Walk {
    adapter: WindowAdapterRc,
    seen: Seen,
    controls: Vec<Control>,
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

/// Walks over the window as it would be drawn now.
pub fn walk(window: &slint::Window) -> Seen {
    let inner = WindowInner::from_pub(window);
    // What is made when it is drawn first is made here.
    inner.ensure_tree_instantiated();
    let root = ItemRc::new_root(inner.component());
    let mut walk =
        Walk { adapter: inner.window_adapter(), seen: Seen::default(), controls: Vec::new() };
    let size = window.size().to_logical(window.scale_factor());
    let screen = LogicalRect::new((0.0, 0.0).into(), (size.width, size.height).into());
    walk.visit(&root, Around { origin: LogicalRect::default(), reach: screen, shown: screen });
    walk.compare();
    walk.seen
}

impl Walk {
    fn visit(&mut self, item: &ItemRc, around: Around) {
        let own = item.geometry().translate(around.origin.origin.to_vector());
        if is_hidden(item) {
            return;
        }
        self.read(item, own, around.reach);
        self.feel(item, own, around);
        let mut below = Around { origin: own, ..around };
        if item.borrow().as_ref().clips_children() {
            let shown = around.shown.intersection(&own).unwrap_or_default();
            let reach = around.reach.intersection(&own).unwrap_or_default();
            below = Around {
                origin: own,
                reach: scrolled(item, own, around.reach).unwrap_or(reach),
                shown,
            };
        }
        let mut child = item.first_child();
        while let Some(one) = child {
            self.visit(&one, below);
            child = one.next_sibling();
        }
    }

    fn read(&mut self, item: &ItemRc, own: LogicalRect, reach: LogicalRect) {
        let Some((text, wrap)) = text_of(item) else { return };
        self.seen.texts += 1;
        let ask = |orientation, cross| {
            item.borrow().as_ref().layout_info(orientation, cross, &self.adapter, item)
        };
        let across = ask(Orientation::Horizontal, -1.0);
        let width = if wrap == TextWrap::NoWrap { across.preferred } else { across.min };
        let mut height = ask(Orientation::Vertical, own.width()).preferred;
        if text.chars().all(|letter| "– ".contains(letter)) {
            height = 0.0;
        } else if text.chars().all(|letter| "0123456789/.,:".contains(letter)) {
            height *= DIGITS;
        }
        let mut found = |rule, why: String| {
            self.seen.faults.push(Fault { rule, what: text.to_string(), why });
        };
        if width > own.width() + SLACK {
            found(Rule::CutAcross, format!("{width} px wide in {}", own.width()));
        }
        if height > own.height() + SLACK {
            found(Rule::CutBelow, format!("{height} px high in {}", own.height()));
        }
        if !inside(own, reach) {
            found(Rule::TextOutside, format!("{own:?} of {reach:?}"));
        }
    }

    fn feel(&mut self, item: &ItemRc, own: LogicalRect, around: Around) {
        let role = item.accessible_role();
        if !matches!(role, AccessibleRole::Button | AccessibleRole::Tab | AccessibleRole::TextInput)
        {
            return;
        }
        let label =
            item.accessible_string_property(AccessibleStringProperty::Label).unwrap_or_default();
        self.seen.controls += 1;
        let mut found = |rule, why: String| {
            self.seen.faults.push(Fault { rule, what: label.to_string(), why });
        };
        if own.width() < TARGET_PX - SLACK || own.height() < TARGET_PX - SLACK {
            found(Rule::Small, format!("{} x {} px", own.width(), own.height()));
        }
        if !inside(own, around.reach) {
            found(Rule::ControlOutside, format!("{own:?} of {:?}", around.reach));
        }
        let shown = own.intersection(&around.shown).unwrap_or_default();
        self.controls.push(Control { label, area: own, shown });
    }

    fn compare(&mut self) {
        for (number, one) in self.controls.iter().enumerate() {
            for other in &self.controls[number + 1..] {
                let common = one.shown.intersection(&other.shown).unwrap_or_default();
                if common.width() > SLACK && common.height() > SLACK {
                    let why = format!("{:?} and {:?}: {:?}", one.area, other.label, other.area);
                    self.seen.faults.push(Fault {
                        rule: Rule::Overlapping,
                        what: one.label.to_string(),
                        why,
                    });
                }
            }
        }
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
    let scrolls =
        flickable.interactive() && flickable.content_height().get() > own.height() + SLACK;
    // Only what is itself on the screen can be scrolled to its end.
    (scrolls && inside(own, reach)).then(|| {
        let x = own.min_x() + flickable.content_x().get();
        let y = own.min_y() + flickable.content_y().get();
        let size = (own.width(), flickable.content_height().get());
        LogicalRect::new((x, y).into(), size.into())
    })
}

fn text_of(item: &ItemRc) -> Option<(SharedString, TextWrap)> {
    let simple =
        item.downcast::<SimpleText>().map(|text| (text.as_pin_ref().text(), TextWrap::NoWrap));
    let complex = || {
        let text = item.downcast::<ComplexText>()?;
        Some((text.as_pin_ref().text(), text.as_pin_ref().wrap()))
    };
    simple.or_else(complex).filter(|(text, _)| !text.is_empty())
}

fn inside(own: LogicalRect, reach: LogicalRect) -> bool {
    own.min_x() >= reach.min_x() - SLACK
        && own.min_y() >= reach.min_y() - SLACK
        && own.max_x() <= reach.max_x() + SLACK
        && own.max_y() <= reach.max_y() + SLACK
}
