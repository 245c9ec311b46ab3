//! Kiosk and bench on strings: one command a line, words separated by tabs; one answer a line.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use i_slint_backend_testing::{
    AccessibleRole, ElementHandle, ElementRoot, TestingBackend, TestingBackendOptions,
};
use slint::{ComponentHandle, Weak};
use wardkeep::bridge::AppWindow;
use wardkeep::simulated::{Simulated, Wish};
use wardkeep_bench::BenchWindow;

/// Says that this process is the puppet.
pub const PUPPET: &str = "WARDKEEP_WARD_PUPPET";

pub fn is_wanted() -> bool {
    std::env::var_os(PUPPET).is_some()
}

/// Runs the program as it was asked for on the command line, on a screen that nobody sees.
pub fn run() {
    wardkeep_model::telemetry::start();
    let backend = TestingBackend::new(TestingBackendOptions {
        mock_time: false,
        threading: true,
        renderer_name: Some("software".into()),
    });
    slint::platform::set_platform(Box::new(backend)).expect("the first platform");
    let simulated = Simulated::begin(asked()).expect("the program starts");
    let (kiosk, bench) = (simulated.running.window.as_weak(), simulated.bench.as_weak());
    std::thread::Builder::new()
        .name("strings".into())
        .spawn(move || obey(&kiosk, &bench))
        .expect("a thread");
    simulated.run().expect("the program ends in order");
}

fn asked() -> Wish {
    let mut wish = Wish::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--simulate" => {}
            "--windowed" => wish.windowed = true,
            "--empty" => wish.empty = true,
            "--keep" => wish.keep = true,
            "--state" => wish.state = words.next().map(PathBuf::from),
            other => panic!("unknown word {other:?}"),
        }
    }
    wish
}

fn obey(kiosk: &Weak<AppWindow>, bench: &Weak<BenchWindow>) {
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("the newcomer writes lines");
        let words: Vec<&str> = line.split('\t').collect();
        let done = match words.as_slice() {
            ["value", "kiosk", label] => value(kiosk, label),
            ["value", "bench", label] => value(bench, label),
            ["texts", "kiosk"] => Some(texts(kiosk)),
            ["texts", "bench"] => Some(texts(bench)),
            ["press", "kiosk", label] => press(kiosk, label),
            ["press", "bench", label] => press(bench, label),
            // Answered before it is done: the program that would answer is gone by then.
            ["leave", "bench", label] => {
                answer(Some(String::new()));
                press(bench, label);
                continue;
            }
            other => panic!("unknown command {other:?}"),
        };
        answer(done);
    }
}

fn answer(value: Option<String>) {
    let text = value.map_or_else(|| "none".to_owned(), |value| format!("ok\t{value}"));
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{text}\n").as_bytes()).expect("the newcomer listens");
    out.flush().expect("the newcomer listens");
}

/// Runs `act` on the main thread and brings back what it says; `None` from a program that is ending.
fn on_screen<W, T>(
    window: &Weak<W>,
    act: impl FnOnce(&W) -> Option<T> + Send + 'static,
) -> Option<T>
where
    W: ComponentHandle + 'static,
    T: Send + 'static,
{
    let (tell, told) = mpsc::sync_channel(1);
    let asked = window.upgrade_in_event_loop(move |window| {
        if tell.send(act(&window)).is_err() {
            // The other side has given up.
        }
    });
    asked.ok()?;
    told.recv_timeout(Duration::from_secs(10)).ok()?
}

/// The value of the first element with this label; the label where it has no value.
fn value<W: ComponentHandle + 'static>(window: &Weak<W>, label: &str) -> Option<String> {
    let label = label.to_owned();
    on_screen(window, move |window| {
        let mut found = ElementHandle::find_by_accessible_label(window, &label).peekable();
        found.peek()?;
        let values = found.filter_map(|element| element.accessible_value());
        let told = values.map(String::from).find(|value| !value.is_empty());
        Some(told.unwrap_or(label))
    })
}

/// Everything that is written, or said by a screen reader, in order.
fn texts<W: ComponentHandle + 'static>(window: &Weak<W>) -> String {
    let all = on_screen(window, |window| {
        let mut found = Vec::new();
        for element in window.root_element().query_descendants().find_all() {
            for text in [element.accessible_label(), element.accessible_value()] {
                found.extend(text.filter(|text| !text.is_empty()).map(String::from));
            }
        }
        Some(found.join("|"))
    });
    all.unwrap_or_default().replace('\n', " ")
}

fn press<W: ComponentHandle + 'static>(window: &Weak<W>, label: &str) -> Option<String> {
    let label = label.to_owned();
    on_screen(window, move |window| {
        let mut found = ElementHandle::find_by_accessible_label(window, &label);
        let button = found.find(|element| {
            !matches!(element.accessible_role(), None | Some(AccessibleRole::Text))
                && element.accessible_enabled() != Some(false)
        })?;
        button.invoke_accessible_default_action();
        Some(String::new())
    })
}
