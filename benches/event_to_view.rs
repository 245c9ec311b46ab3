//! What one frame of a device costs, from the event to the view, on each page: time, and bytes allocated. A page
//! with a long list must not cost more than a page with a short one.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use kit::kiosk::{Bedside, STRAP, heart_rate};
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{Patient, Sex, SubjectId};

/// Counts what is asked for.
struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "an allocator that counts and hands on")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn patient(number: u128) -> Patient {
    Patient {
        id: SubjectId(number),
        family: Phi::new(format!("Okonkwo-Brandt {number}")),
        given: Phi::new("Margaret Elisabeth".into()),
        born: Phi::new("1944-03-02".parse().ok()),
        sex: Phi::new(Sex::Female),
        mrn: Phi::new(format!("{number:07}")),
        allergies: Phi::new("Penicillin".into()),
    }
}

/// A nurse or an IT person on this page, with so many rows.
fn on(page: Page, rows: u128) -> Bedside {
    let mut bedside = Bedside::monitoring();
    if page == Page::People {
        bedside.intent(frame::Intent::Lock);
        bedside.store.role = Role::It;
        for number in 0..rows {
            let name = format!("Person Number {number}");
            bedside.store.register.insert(OperatorId(number + 100), (&name, "PN"), Role::Nurse);
        }
        bedside.unlock();
    } else {
        bedside.store.patients.extend((0..rows).map(|number| patient(number + 1_000)));
    }
    bedside.intent(frame::Intent::Open(page));
    bedside
}

fn frame_to_view(bedside: &mut Bedside) {
    bedside.frame(STRAP, heart_rate(72));
    bedside.clock.wait(Duration::from_millis(1));
    black_box(bedside.view());
}

fn pages(c: &mut Criterion) {
    let mut group = c.benchmark_group("event to view");
    for (name, page, rows) in [
        ("bedside", Page::Bedside, 0),
        ("patients, 5", Page::Patients, 5),
        ("patients, 500", Page::Patients, 500),
        ("people, 200", Page::People, 200),
    ] {
        let mut bedside = on(page, rows);
        frame_to_view(&mut bedside);
        let before = ALLOCATED.load(Ordering::Relaxed);
        for _ in 0..10 {
            frame_to_view(&mut bedside);
        }
        let bytes = (ALLOCATED.load(Ordering::Relaxed) - before) / 10;
        println!("event to view/{name}: {bytes} bytes allocated an event");
        group.bench_function(name, |b| b.iter(|| frame_to_view(&mut bedside)));
        bedside.store.records.clear();
    }
    group.finish();
}

criterion_group!(benches, pages);
criterion_main!(benches);
