//! Shift shares by themselves: what opens them, what ends them, and where their salts are.

use super::*;
use wardkeep_model::access::factor::{Badge, CardId, ReaderFamily};

const HOUR: Duration = Duration::from_secs(3600);

fn badge(number: u8) -> Token {
    Token::Badge(Badge::new(ReaderFamily::PcscUid, &[number, 2, 3, 4]).unwrap())
}

fn template(id: u128) -> Template {
    let sensor = Sensor { driver: "virtual".into(), device: "0".into(), serial: String::new() };
    let print = Secret::new(vec![7; 300]);
    Template { id: TemplateId(id), finger: Finger::RightIndex, sensor, print }
}

fn start() -> Clocks {
    let wall = jiff::Timestamp::from_second(1_790_000_000).unwrap();
    let now = Moment { boot: BootTime(Duration::from_secs(500)), wall };
    Clocks { now, slept: Duration::from_secs(100) }
}

fn later(seconds: u64) -> Clocks {
    let clocks = start();
    Clocks { now: clocks.now + Duration::from_secs(seconds), ..clocks }
}

struct Bench {
    keys: DeviceKeys,
    shifts: Shifts,
    private: Key,
}

impl Bench {
    fn new() -> Self {
        let keys = DeviceKeys::new(Key::random().unwrap());
        Self { keys, shifts: Shifts::default(), private: Key::random().unwrap() }
    }

    fn grant(&self, person: u128, token: &Token) -> Grant {
        let index = self.keys.token_index(token);
        let openers = vec![ShiftOpener { index, share: self.keys.token_share(token) }];
        Grant { operator: OperatorId(person), openers, length: 4 * HOUR }
    }

    fn keep(&mut self, person: u128, token: &Token, clocks: Clocks) {
        let grant = self.grant(person, token);
        let templates = [template(1), template(2)];
        self.shifts.keep(&grant, (&self.private, &templates), clocks).unwrap();
    }

    fn opens(&mut self, token: &Token, clocks: Clocks) -> bool {
        // With a finger: what the token alone opens ends with the next person's login.
        self.shifts.open(&self.keys, (token, Some(TemplateId(1))), clocks).is_some()
    }

    fn salts_left(&self) -> usize {
        let salts = self.shifts.salts.as_ref().unwrap();
        salts.page.0.iter().filter(|salt| salt.iter().any(|byte| *byte != 0)).count()
    }
}

#[test]
fn s3_a_share_opens_with_its_token_and_a_finger_it_knows() {
    let mut bench = Bench::new();
    bench.keep(7, &badge(1), start());
    let private = bench.private.clone();
    let mut open = |token: &Token, finger: Option<u128>| {
        let finger = finger.map(TemplateId);
        bench.shifts.open(&bench.keys, (token, finger), later(60))
    };
    for finger in [None, Some(1), Some(2)] {
        let reopened = open(&badge(1), finger).unwrap();
        assert_eq!(reopened.operator, OperatorId(7));
        assert!(reopened.private == private);
    }
    assert!(open(&badge(1), Some(3)).is_none(), "a finger of nobody");
    assert!(open(&badge(2), None).is_none(), "another badge");
    assert!(open(&Token::Card(CardId([1; 32])), None).is_none(), "a card");
    let offered = bench.shifts.templates(&bench.keys, &badge(1), later(60)).unwrap();
    assert_eq!(offered, [template(1), template(2)]);
    assert!(bench.shifts.templates(&bench.keys, &badge(2), later(60)).is_none());
}

#[test]
fn s3_without_the_tokens_number_nothing_kept_opens() {
    let mut bench = Bench::new();
    bench.keep(7, &badge(1), start());
    // Whoever has this memory and the device secret knows the look-up, the salt and the person.
    let share = &bench.shifts.shares[0];
    let salts = bench.shifts.salts.as_ref().unwrap();
    let index = Key::from_slice(&share.doors[0].index).unwrap();
    for guess in [index, bench.keys.token_share(&badge(2)), bench.keys.cart()] {
        let key = salts.key(share.place, share.operator, &guess).unwrap();
        assert!(open(&key, PRIVATE, &share.doors[0].private).is_none());
        assert!(open(&key, &1_u128.to_be_bytes(), &share.doors[0].templates[0].print).is_none());
    }
    let right = bench.keys.token_share(&badge(1));
    let key = salts.key(share.place, share.operator, &right).unwrap();
    assert!(open(&key, PRIVATE, &share.doors[0].private).is_some());
}

#[test]
fn s3_a_share_ends_with_its_time_a_set_clock_or_a_long_sleep() {
    let moved = |clocks: Clocks, by: i64| {
        let wall = clocks.now.wall.saturating_add(SignedDuration::from_secs(by)).unwrap();
        Clocks { now: Moment { wall, ..clocks.now }, ..clocks }
    };
    let slept = |clocks: Clocks, by: u64| Clocks {
        slept: clocks.slept + Duration::from_secs(by),
        ..clocks
    };
    let whole = 4 * 3600;
    for (name, clocks, alive) in [
        ("a second before its end", later(whole - 1), true),
        ("at its end", later(whole), false),
        ("the clock was corrected a little", moved(later(60), 300), true),
        ("the clock was set forward", moved(later(60), 301), false),
        ("the clock was set back a little", moved(later(60), -300), true),
        ("the clock was set back", moved(later(60), -301), false),
        ("the clock was set back to before the login", moved(later(60), -9_000), false),
        ("a short sleep", slept(later(3600), 900), true),
        ("a long sleep", slept(later(3600), 901), false),
    ] {
        let mut bench = Bench::new();
        bench.keep(7, &badge(1), start());
        assert_eq!(bench.opens(&badge(1), clocks), alive, "{name}");
        assert_eq!(bench.salts_left(), usize::from(alive), "{name}");
        assert_eq!(bench.opens(&badge(1), later(61)), alive, "{name}: once over, always over");
    }
}

#[test]
fn s3_a_share_ends_unasked_when_it_is_looked_at() {
    let mut bench = Bench::new();
    assert_eq!(bench.shifts.check_at(), None);
    bench.keep(7, &badge(1), start());
    assert_eq!(bench.shifts.check_at(), Some(start().now.boot + CHECK_EVERY));
    bench.shifts.end_over(later(4 * 3600));
    assert_eq!((bench.salts_left(), bench.shifts.check_at()), (0, None));
}

#[test]
fn s3_no_shift_is_longer_than_twelve_hours() {
    let mut bench = Bench::new();
    let grant = Grant { length: 100 * HOUR, ..bench.grant(7, &badge(1)) };
    bench.shifts.keep(&grant, (&bench.private, &[template(1)]), start()).unwrap();
    assert!(bench.opens(&badge(1), later(12 * 3600 - 1)));
    assert!(!bench.opens(&badge(1), later(12 * 3600)));
}

#[test]
fn s3_five_misses_in_a_row_end_only_that_persons_share() {
    let mut bench = Bench::new();
    bench.keep(7, &badge(1), start());
    bench.keep(8, &badge(2), start());
    let missed = bench.keys.token_index(&badge(1));
    for misses in [4, 4, 5] {
        assert!(bench.opens(&badge(1), later(1)), "a match forgives earlier misses");
        for _ in 0..misses {
            bench.shifts.missed(&missed);
        }
    }
    assert!(!bench.opens(&badge(1), later(1)));
    assert!(bench.opens(&badge(2), later(1)));
    assert_eq!(bench.salts_left(), 1);
}

#[test]
fn s3_a_person_has_one_share_and_their_end_ends_it() {
    let mut bench = Bench::new();
    let card = Token::Card(CardId([9; 32]));
    bench.keep(7, &badge(1), start());
    bench.keep(7, &card, later(3600));
    bench.keep(8, &badge(2), later(3600));
    assert_eq!((bench.shifts.shares.len(), bench.salts_left()), (2, 2));
    assert!(bench.opens(&badge(1), later(4 * 3600)), "the later login counts for all tokens");
    assert!(bench.opens(&card, later(4 * 3600)));
    bench.shifts.end(OperatorId(7));
    assert!(!bench.opens(&badge(1), later(1)) && !bench.opens(&card, later(1)));
    assert!(bench.opens(&badge(2), later(1)));
    bench.keep(9, &badge(2), later(2));
    assert_eq!(bench.shifts.shares.len(), 1, "a token that changed hands leaves no share behind");
}

#[test]
fn s11_shares_are_bounded_and_the_oldest_makes_room() {
    let mut bench = Bench::new();
    let tokens: Vec<Token> = (0..=64).map(badge).collect();
    for (person, token) in (0..).zip(&tokens) {
        bench.keep(person, token, later(u64::try_from(person).unwrap()));
    }
    assert_eq!((bench.shifts.shares.len(), bench.salts_left()), (PEOPLE_MAX, PEOPLE_MAX));
    assert!(!bench.opens(&tokens[0], later(100)));
    assert!(tokens[1..].iter().all(|token| bench.opens(token, later(100))));
}

#[test]
fn s3_salts_are_in_memory_that_is_never_swapped_out() {
    let mut bench = Bench::new();
    bench.keep(7, &badge(1), start());
    let page = bench.shifts.salts.as_ref().unwrap().page.0.as_ptr().addr();
    assert_eq!(page % 4096, 0);
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut here = false;
    let mut flags = None;
    for line in maps.lines() {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        let hex = |text| usize::from_str_radix(text, 16).ok();
        if let Some((Some(from), Some(to))) = range.map(|(from, to)| (hex(from), hex(to))) {
            here = (from..to).contains(&page);
        } else if here && line.starts_with("VmFlags:") {
            flags = Some(line);
        }
    }
    let flags = flags.expect("the page is mapped");
    assert!(flags.split(' ').any(|flag| flag == "lo"), "{flags}");
}
