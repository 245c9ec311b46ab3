//! Where the tiles and lanes of a bed stand and how large their digits are: a pure function of how many
//! there are, of the room and of the text.
//!
//! A parameter keeps its row and column for the whole stay. They follow from its number in the order of
//! the stay and from the width, never from lanes, alarms and notices that come and go above and below.
//! Where the room is too low a lane gives way first; then the grid is higher than its room, and whoever
//! shows it scrolls.
//!
//! The lengths are those of `ui/theme.slint`; a test of the screens finds what they no longer fit.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, VecModel};

use wardkeep_ui::{self as ui, AppWindow, LanePlace, TilePlace};

/// Between neighbours, px (`snug`).
const BETWEEN: f32 = 12.0;
/// Inside a tile, at its sides (`space`) and at its top and bottom (`gap`), px.
const SIDE: f32 = 16.0;
const EDGE: f32 = 8.0;
/// Lines of a tile at text size 1, px: its name, two lines about its source, the column of its limits.
const NAME: f32 = 28.0;
const SOURCE: f32 = 50.0;
const LIMITS: f32 = 40.0;
/// Dashes and, below them, a line about the last value, px at text size 1.
const EARLIER: f32 = 32.0;
/// Name and source where they stand beside the digits, px at text size 1.
const LABELS: f32 = 240.0;
/// From this text size on the limits make room for the digits.
const LIMITS_BELOW: f32 = 2.0;
/// Height of a digit, and width of the widest single value and of a pair of pressures, by its size.
const DIGIT: f32 = 0.8;
const SINGLE: f32 = 2.0;
const PAIR: f32 = 3.9;
/// Sizes of digits, px. The last one is the least that is read across a room.
const SIZES: [f32; 13] =
    [304.0, 248.0, 208.0, 184.0, 152.0, 136.0, 112.0, 96.0, 80.0, 72.0, 64.0, 56.0, DIGITS_MIN];
const DIGITS_MIN: f32 = 48.0;
/// Least height of a lane, and height of a tile that lanes leave where there is room, px at text size 1.
const LANE: f32 = 56.0;
const TILE: f32 = 190.0;

/// Answers the screen's question for places.
pub(super) fn connect(window: &AppWindow) {
    window.global::<ui::Grid>().on_places(|tiles, lanes, width, height, text| {
        let count = |many| usize::try_from(many).unwrap_or(0);
        let places = places(count(tiles), count(lanes), width, height, text);
        ui::GridPlaces {
            tiles: ModelRc::from(Rc::new(VecModel::from(places.tiles))),
            lanes: ModelRc::from(Rc::new(VecModel::from(places.lanes))),
            height: places.height,
        }
    });
}

/// Where everything stands.
#[derive(Debug)]
struct Places {
    /// One for each tile, in the order of the stay.
    tiles: Vec<TilePlace>,
    /// From the top; fewer than there are lanes where the room is low.
    lanes: Vec<LanePlace>,
    /// Of it all: at least that of the room.
    height: f32,
}

fn places(tiles: usize, lanes: usize, width: f32, height: f32, text: f32) -> Places {
    let columns = columns(width / text).min(tiles).max(1);
    let tile = Tile { width: share(width, columns), text };
    let rows = tiles.div_ceil(columns);
    let least = stacked(rows, tile.least_height());
    let lane_least = LANE * text;
    let fits = |lanes: usize| least + px(lanes) * (lane_least + BETWEEN) <= height;
    let lanes = (0..=lanes).rev().find(|lanes| fits(*lanes)).unwrap_or(0);
    let lane_height = {
        let spare = height - stacked(rows, TILE * text) - px(lanes) * BETWEEN;
        let most = height * 0.42 / (px(lanes) + 0.4);
        (spare / px(lanes).max(1.0)).min(most).max(lane_least)
    };
    let top = px(lanes) * (lane_height + BETWEEN);
    let height = height.max(least);
    let tile_height = share(height - top, rows.max(1));
    let lane = |number| LanePlace {
        x: 0.0,
        y: px(number) * (lane_height + BETWEEN),
        width,
        height: lane_height,
    };
    let place = |number: usize| TilePlace {
        x: px(number % columns) * (tile.width + BETWEEN),
        y: top + px(number / columns) * (tile_height + BETWEEN),
        ..tile.of_height(tile_height)
    };
    Places { tiles: (0..tiles).map(place).collect(), lanes: (0..lanes).map(lane).collect(), height }
}

/// Most tiles side by side in this width at text size 1: a single column for large text, two where the
/// screen stands, three where it lies.
fn columns(width: f32) -> usize {
    if width < 540.0 {
        1
    } else if width < 890.0 {
        2
    } else {
        3
    }
}

/// A tile whose height is not known yet.
struct Tile {
    width: f32,
    text: f32,
}

impl Tile {
    /// With this height, in the form that makes its digits larger.
    fn of_height(&self, height: f32) -> TilePlace {
        let below = (self.digits_width(0.0), height - 2.0 * EDGE - (NAME + SOURCE) * self.text);
        let beside = (self.digits_width(LABELS * self.text + SIDE), height - 2.0 * EDGE);
        let size = |(width, height): (f32, f32)| digits(width / SINGLE, height);
        let is_beside = self.may_be_beside() && size(beside) > size(below);
        let (width, high) = if is_beside { beside } else { below };
        TilePlace {
            width: self.width,
            height,
            beside: is_beside,
            digits: digits(width / SINGLE, high),
            pair: digits(width / PAIR, high),
            ..TilePlace::default()
        }
    }

    /// Below this something would be cut.
    fn least_height(&self) -> f32 {
        let words = (NAME + SOURCE) * self.text;
        let digits = (DIGITS_MIN * DIGIT).max(EARLIER * self.text);
        2.0 * EDGE + if self.may_be_beside() { words.max(digits) } else { words + digits }
    }

    /// Whether name and source leave enough width for a pair of pressures.
    fn may_be_beside(&self) -> bool {
        self.digits_width(LABELS * self.text + SIDE) >= DIGITS_MIN * PAIR
    }

    fn digits_width(&self, taken: f32) -> f32 {
        let limits = if self.text < LIMITS_BELOW { LIMITS * self.text + EDGE } else { 0.0 };
        self.width - 2.0 * SIDE - limits - taken
    }
}

/// The largest size up to `size` whose digits are no higher than `height`.
fn digits(size: f32, height: f32) -> f32 {
    SIZES.into_iter().find(|one| *one <= size && one * DIGIT <= height).unwrap_or(DIGITS_MIN)
}

/// Length of each of `count` neighbours that share `length`.
fn share(length: f32, count: usize) -> f32 {
    (length - px(count - 1) * BETWEEN) / px(count)
}

/// Height of `count` things of this height, one below the other.
fn stacked(count: usize, height: f32) -> f32 {
    (px(count) * (height + BETWEEN) - BETWEEN).max(0.0)
}

#[expect(clippy::cast_precision_loss, reason = "a count of tiles")]
fn px(count: usize) -> f32 {
    count as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Area {
        x: f32,
        y: f32,
        right: f32,
        bottom: f32,
    }

    fn areas(places: &Places) -> Vec<Area> {
        let area = |x, y, width, height| Area { x, y, right: x + width, bottom: y + height };
        let tiles = places.tiles.iter().map(|one| area(one.x, one.y, one.width, one.height));
        let lanes = places.lanes.iter().map(|one| area(one.x, one.y, one.width, one.height));
        tiles.chain(lanes).collect()
    }

    /// Row and column of each tile.
    fn cells(places: &Places) -> Vec<(usize, usize)> {
        let rank = |of: fn(&TilePlace) -> f32, tile: &TilePlace| {
            let mut before: Vec<f32> = places.tiles.iter().map(of).collect();
            before.sort_by(f32::total_cmp);
            before.dedup();
            before.iter().position(|one| *one == of(tile)).unwrap()
        };
        places.tiles.iter().map(|tile| (rank(|one| one.y, tile), rank(|one| one.x, tile))).collect()
    }

    fn texts() -> impl Strategy<Value = f32> {
        prop::sample::select(vec![1.0_f32, 1.2, 1.25, 1.5, 1.8, 2.0, 2.4])
    }

    proptest! {
        #[test]
        fn nothing_overlaps_or_stands_outside(
            tiles in 0_usize..=12, lanes in 0_usize..=3,
            width in 400.0_f32..2000.0, height in 0.0_f32..1200.0, text in texts(),
        ) {
            let places = places(tiles, lanes, width, height, text);
            prop_assert_eq!(places.tiles.len(), tiles);
            prop_assert!(places.lanes.len() <= lanes && places.height >= height);
            let areas = areas(&places);
            for (number, one) in areas.iter().enumerate() {
                prop_assert!(one.x >= 0.0 && one.y >= 0.0 && one.x < one.right && one.y < one.bottom);
                prop_assert!(one.right <= width + 0.1 && one.bottom <= places.height + 0.1);
                for other in &areas[number + 1..] {
                    let apart = one.right < other.x || other.right < one.x
                        || one.bottom < other.y || other.bottom < one.y;
                    prop_assert!(apart, "{:?}", places);
                }
            }
        }

        #[test]
        fn a_tile_is_never_too_low_for_what_it_says_and_digits_never_too_small(
            tiles in 1_usize..=12, lanes in 0_usize..=3,
            width in 400.0_f32..2000.0, height in 0.0_f32..1200.0, text in texts(),
        ) {
            for tile in places(tiles, lanes, width, height, text).tiles {
                prop_assert!(tile.digits >= tile.pair && tile.pair >= DIGITS_MIN);
                let words = (NAME + SOURCE) * text;
                let digits = tile.digits * DIGIT;
                let needed = if tile.beside { words.max(digits) } else { words + digits };
                prop_assert!(tile.height + 0.1 >= needed + 2.0 * EDGE, "{:?}", tile);
                let labels = if tile.beside { LABELS * text } else { 0.0 };
                prop_assert!(tile.width >= labels + tile.digits * SINGLE, "{:?}", tile);
            }
        }

        #[test]
        fn a_parameter_keeps_its_place_while_others_come_behind_it(
            tiles in 1_usize..12, lanes in 0_usize..=3, other_lanes in 0_usize..=3,
            width in 400.0_f32..2000.0, height in 0.0_f32..1200.0, other_height in 0.0_f32..1200.0,
            text in texts(),
        ) {
            let before = places(tiles, lanes, width, height, text);
            let after = places(tiles + 1, other_lanes, width, other_height, text);
            prop_assert_eq!(&cells(&before)[..], &cells(&after)[..tiles]);
        }

        #[test]
        fn lanes_give_way_before_anybody_has_to_scroll(
            tiles in 1_usize..=12, width in 400.0_f32..2000.0, height in 0.0_f32..1200.0, text in texts(),
        ) {
            let (without, with) = (places(tiles, 0, width, height, text), places(tiles, 3, width, height, text));
            prop_assert_eq!(without.height, with.height);
            prop_assert!(with.height == height || with.lanes.is_empty());
        }
    }

    #[test]
    fn the_everyday_bed_has_large_digits() {
        for (width, height, least) in
            [(1144.0, 690.0, 136.0), (768.0, 1090.0, 136.0), (888.0, 496.0, 96.0)]
        {
            let places = places(3, 1, width, height, 1.0);
            assert_eq!(places.lanes.len(), 1);
            assert!(places.tiles.iter().all(|tile| tile.digits >= least), "{width}: {places:?}");
        }
    }
}
