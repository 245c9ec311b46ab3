//! The architecture: floors, their rooms, and what each may import.
//!
//! Cargo keeps the floors apart. Inside a floor a room imports only what its row names, and only rooms that
//! stand above it in the table, so there is no circle. Whoever needs another import changes the table, and
//! `docs/develop.md`, which shows the same one.

use std::collections::{BTreeMap, BTreeSet};

use crate::paths::{Module, module_of, named};
use crate::sources::{files, none, read};

/// A floor's folder, the floors that it stands on, and its rooms in their order.
struct Floor {
    folder: &'static str,
    on: &'static [&'static str],
    rooms: &'static [(&'static str, &'static [&'static str])],
}

const FLOORS: &[Floor] = &[
    Floor {
        folder: "src/model",
        on: &[],
        rooms: &[
            ("confidential", &[]),
            ("moment", &[]),
            ("telemetry", &[]),
            ("untrusted", &[]),
            ("access", &["confidential", "moment", "untrusted"]),
            ("notice", &["access"]),
            ("encounter", &["confidential", "untrusted"]),
            ("vitals", &["confidential", "encounter", "moment"]),
            ("alarm", &["access", "confidential", "encounter", "moment", "vitals"]),
            ("ports", &["access", "confidential", "moment", "vitals"]),
            (
                "keeping",
                &["access", "alarm", "confidential", "encounter", "moment", "untrusted", "vitals"],
            ),
        ],
    },
    Floor {
        folder: "src/core",
        on: &["model"],
        rooms: &[
            ("inventory", &[]),
            ("alarms", &["inventory"]),
            ("effect", &[]),
            ("pairing", &[]),
            ("session", &[]),
            ("config", &["alarms", "inventory", "session"]),
            ("monitor", &["alarms", "effect", "inventory", "pairing"]),
            ("kiosk::page", &[]),
            ("kiosk::view", &["alarms", "config", "inventory", "kiosk::page", "session"]),
            (
                "kiosk",
                &[
                    "alarms",
                    "config",
                    "effect",
                    "inventory",
                    "kiosk::page",
                    "kiosk::view",
                    "monitor",
                    "pairing",
                    "session",
                ],
            ),
        ],
    },
    Floor {
        folder: "src/store",
        on: &["model"],
        rooms: &[
            ("crypto", &[]),
            ("disk", &["crypto"]),
            ("machine", &["crypto", "disk"]),
            ("keys", &["crypto", "disk", "machine"]),
            ("record", &[]),
            ("log", &["crypto", "record"]),
            ("cart", &["crypto", "disk", "keys", "machine"]),
            ("inbox", &["cart", "crypto", "disk", "keys", "machine", "record"]),
            ("freshness", &["crypto", "disk", "inbox", "keys"]),
            ("vault", &["crypto", "disk", "freshness", "inbox", "keys", "log", "record"]),
            ("import", &["crypto", "disk", "inbox", "keys", "record", "vault"]),
            ("open", &["cart", "crypto", "disk", "inbox", "keys", "machine", "record", "vault"]),
            ("backup", &["cart", "crypto", "disk", "inbox", "keys", "machine", "open", "vault"]),
            (
                "staff",
                &["backup", "cart", "crypto", "disk", "import", "inbox", "keys", "open", "vault"],
            ),
            ("worker", &["crypto", "disk", "import", "inbox", "open", "record", "staff", "vault"]),
            (
                "tools",
                &[
                    "backup", "cart", "crypto", "disk", "import", "inbox", "keys", "log",
                    "machine", "open", "record", "staff", "vault",
                ],
            ),
        ],
    },
    Floor {
        folder: "src/hardware",
        on: &["model"],
        rooms: &[
            ("outlet", &[]),
            ("thread", &[]),
            ("presence", &[]),
            ("trust", &[]),
            ("ble", &[]),
            ("card", &["trust"]),
            ("speaker", &["thread"]),
            ("fingerprint", &["outlet", "thread"]),
            ("usb_badge", &["outlet", "presence", "thread"]),
            ("pcsc", &["card", "outlet", "presence", "thread", "trust"]),
        ],
    },
    Floor {
        folder: "src/sim",
        on: &["model"],
        rooms: &[
            ("factors", &[]),
            ("frames", &[]),
            ("physiology", &[]),
            ("spot", &["frames", "physiology"]),
            ("device", &["frames", "physiology", "spot"]),
            ("ward", &["device", "factors", "physiology", "spot"]),
        ],
    },
    Floor {
        folder: "src/kiosk",
        on: &["bench", "core", "hardware", "model", "sim", "store", "ui"],
        rooms: &[
            ("text", &[]),
            ("settings", &["text"]),
            ("glyphs", &[]),
            ("bridge", &["glyphs"]),
            ("bench", &["bridge"]),
            ("app", &["bridge", "settings"]),
            ("ctl", &["glyphs", "settings", "text"]),
            ("tour", &["bridge"]),
            ("ready_ward", &[]),
            ("simulated", &["app", "bench", "ready_ward"]),
        ],
    },
];

/// Files that import each other in a circle, and why they do.
const CIRCLES: &[(&str, &str)] = &[];

/// The longest room that this path lies in.
fn room<'a>(floor: &'a Floor, path: &[String]) -> Option<&'a str> {
    let inside = |room: &str| room.split("::").zip(path).filter(|(a, b)| a == *b).count();
    let whole = |room: &&str| inside(room) == room.split("::").count();
    let rooms = floor.rooms.iter().map(|(room, _)| *room).filter(whole);
    rooms.max_by_key(|room| room.len())
}

/// Every import from one room of a floor into another: from, to, where.
fn imports(floor: &Floor) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for source in files(&[floor.folder], "rs") {
        let Some(module) = module_of(&source.path, floor.folder) else { continue };
        let Some(from) = room(floor, &module) else {
            if source.product_code().next().is_some() {
                found.push((module.join("::"), String::new(), source.path.clone()));
            }
            continue;
        };
        for (line, path) in named(&source, &module) {
            if let Some(to) = room(floor, &path).filter(|to| *to != from) {
                found.push((from.into(), to.into(), format!("{}:{line}", source.path)));
            }
        }
    }
    found
}

#[test]
fn a_room_imports_only_what_the_table_allows() {
    let mut violations = Vec::new();
    for floor in FLOORS {
        let mut used = BTreeSet::new();
        for (from, to, place) in imports(floor) {
            let row = floor.rooms.iter().find(|(room, _)| *room == from);
            match row {
                Some((_, may)) if may.contains(&to.as_str()) => {
                    used.insert((from, to));
                }
                Some(_) => violations.push(format!("{place} in room {from} imports {to}")),
                None => violations.push(format!("{place} is in no room of the table")),
            }
        }
        for (from, may) in floor.rooms {
            for to in *may {
                if !used.contains(&((*from).to_owned(), (*to).to_owned())) {
                    violations
                        .push(format!("{}: {from} may import {to} and does not", floor.folder));
                }
            }
        }
    }
    none(violations, "the table of rooms in tests/guards/floors.rs is the architecture");
}

/// The page that people read shows this table, not one that was true once.
#[test]
fn the_developers_page_shows_the_same_rooms() {
    let mut rows = vec!["| room | imports |".to_owned(), "|---|---|".to_owned()];
    for floor in FLOORS {
        let on: Vec<String> = floor.on.iter().map(|on| format!("`{on}`")).collect();
        let on = if on.is_empty() { String::new() } else { format!(", on {}", on.join(" ")) };
        rows.push(format!("| **`{}`**{on} | |", floor.folder));
        for (room, may) in floor.rooms {
            let may: Vec<String> = may.iter().map(|may| format!("`{may}`")).collect();
            rows.push(format!("| `{room}` | {} |", may.join(" ")));
        }
    }
    let page = read("docs/develop.md");
    let table = rows.join("\n");
    assert!(page.contains(&table), "docs/develop.md has to show this table:\n{table}");
}

#[test]
fn rooms_import_only_rooms_above_them() {
    let mut violations = Vec::new();
    for floor in FLOORS {
        let mut above = BTreeSet::new();
        for (room, may) in floor.rooms {
            for to in may.iter().filter(|to| !above.contains(*to)) {
                violations
                    .push(format!("{}: {room} imports {to}, which is not above it", floor.folder));
            }
            above.insert(*room);
        }
    }
    none(violations, "without an arrow back there is no circle");
}

#[test]
fn floors_stand_on_the_floors_of_the_table() {
    let mut violations = Vec::new();
    for floor in FLOORS {
        let manifest = read(&format!("{}/Cargo.toml", floor.folder));
        let end = manifest.find("[dev-dependencies]").unwrap_or(manifest.len());
        let on: BTreeSet<&str> = manifest[..end]
            .lines()
            .filter_map(|line| line.strip_prefix("wardkeep-")?.split(['.', ' ']).next())
            .collect();
        if on != floor.on.iter().copied().collect() {
            violations.push(format!("{} stands on {on:?}, not on {:?}", floor.folder, floor.on));
        }
    }
    none(violations, "a floor stands on what the table says");
}

/// Files of one room that import each other: none can be read or changed alone.
#[test]
fn files_of_a_room_form_no_circle() {
    let mut violations = Vec::new();
    for floor in FLOORS {
        let arrows = arrows(floor);
        for circle in circles(&arrows) {
            if !CIRCLES.iter().any(|(files, reason)| *files == circle && !reason.is_empty()) {
                violations.push(format!("{}: {circle}", floor.folder));
            }
        }
    }
    none(violations, "a circle of files has a reason in CIRCLES");
}

/// Which module imports which, by the deepest file that holds what is named. What lies between a module and
/// those above or below it in the same branch is one unit and no arrow.
fn arrows(floor: &Floor) -> BTreeMap<Module, BTreeSet<Module>> {
    let sources = files(&[floor.folder], "rs");
    let modules: BTreeSet<Module> =
        sources.iter().filter_map(|source| module_of(&source.path, floor.folder)).collect();
    let mut arrows: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for source in &sources {
        let Some(module) = module_of(&source.path, floor.folder) else { continue };
        for (_, path) in named(source, &module) {
            let holder = (1..=path.len()).rev().map(|n| &path[..n]).find(|n| modules.contains(*n));
            let Some(holder) = holder else { continue };
            let related = module.starts_with(holder) || holder.starts_with(&module);
            if !related {
                arrows.entry(module.clone()).or_default().insert(holder.to_vec());
            }
        }
    }
    arrows
}

/// Every set of modules in which each can reach each other, as one line.
fn circles(arrows: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<String> {
    let reach: BTreeMap<&Module, BTreeSet<&Module>> = arrows
        .keys()
        .map(|from| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
            while let Some(to) = next.pop().and_then(|at| arrows.get(at)) {
                next.extend(to.iter().filter(|to| seen.insert(*to)));
            }
            (from, seen)
        })
        .collect();
    let together = |a: &Module, b: &Module| {
        let to = |a: &Module, b: &Module| reach.get(a).is_some_and(|seen| seen.contains(b));
        to(a, b) && to(b, a)
    };
    let name = |module: &Module| module.join("::");
    reach
        .keys()
        .filter(|module| together(module, module))
        .map(|module| {
            let circle = reach.keys().filter(|other| together(module, other));
            circle.map(|other| name(other)).collect::<Vec<_>>().join(" ")
        })
        .collect()
}
