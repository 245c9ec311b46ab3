//! The loudspeaker driver against the real sound system: ALSA with a device that writes files, and a
//! sound server with a clock of its own.
//!
//! ALSA reads its configuration from the environment of the process, so each case runs the driver in
//! a child process of this test program, which performs a script.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::measure::{Pulse, index_at, pulses};
use kit::namespace::{say, skipped};
use tokio::sync::mpsc;
use wardkeep_hardware::speaker;
use wardkeep_model::alarm::{Priority, Sound};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::Event;

const SCRIPT: &str = "WARDKEEP_SPEAKER_SCRIPT";
const RATE_HZ: u32 = 48_000;

/// The child: words of the script are priorities to set, `silence`, `again` before something new of the same
/// priority, `reminder` before what is one, and milliseconds to wait.
#[test]
#[expect(clippy::print_stdout, reason = "the child reports to its parent")]
fn driver_in_a_child_process() {
    let Ok(script) = std::env::var(SCRIPT) else { return };
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let (events, mut inbox) = mpsc::channel(8);
    let handle = speaker::spawn(events).unwrap();
    let (mut onset, mut is_reminder) = (1, false);
    for word in script.split_whitespace() {
        let priority = match word {
            "high" => Some(Priority::High),
            "medium" => Some(Priority::Medium),
            "low" => Some(Priority::Low),
            "silence" => None,
            "again" => {
                onset += 1;
                continue;
            }
            "reminder" => {
                is_reminder = true;
                continue;
            }
            wait => {
                thread::sleep(Duration::from_millis(wait.parse().unwrap()));
                continue;
            }
        };
        println!("\nset {word} {}", Moment::read().boot.0.as_millis());
        handle.set(priority.map(|priority| Sound { priority, onset, is_reminder }));
    }
    drop(handle);
    while let Ok(event) = inbox.try_recv() {
        if let Event::Speaker(health) = event {
            println!("\nhealth {health:?}");
        }
    }
    println!("\ndone");
}

fn start(script: &str, alsa_config: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "speaker::driver_in_a_child_process", "--nocapture"])
        .env(SCRIPT, script)
        .env("ALSA_CONFIG_PATH", alsa_config)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What the child reported, line by line.
fn finish(child: Child) -> Vec<String> {
    let output = child.wait_with_output().unwrap();
    let lines: Vec<String> =
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert!(output.status.success() && lines.iter().any(|line| line == "done"), "{lines:?}");
    lines
}

fn health(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| line.strip_prefix("health ")).collect()
}

fn set_at(lines: &[String], word: &str) -> BootTime {
    let prefix = format!("set {word} ");
    let milliseconds = lines.iter().find_map(|line| line.strip_prefix(&prefix)).unwrap();
    BootTime(Duration::from_millis(milliseconds.parse().unwrap()))
}

/// An ALSA configuration whose default device writes each stream into a file of its own. It takes
/// samples as fast as they come.
fn recorder(folder: &Path) -> String {
    let file = folder.join("stream.wav");
    format!(
        "pcm.!default {{\n type plug\n slave.pcm recorder\n slave.format S16_LE\n \
         slave.rate {RATE_HZ}\n slave.channels 1\n}}\n\
         pcm.recorder {{\n type file\n slave.pcm nothing\n file \"{}\"\n format wav\n \
         truncate false\n}}\n\
         pcm.nothing {{\n type null\n}}\n",
        file.display()
    )
}

/// The recorded streams that hold sound, oldest first.
fn recordings(folder: &Path) -> Vec<(std::time::SystemTime, Vec<Pulse>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        if !path.to_string_lossy().contains("stream.wav") {
            continue;
        }
        let Ok(mut wav) = hound::WavReader::open(&path) else { continue };
        let limit = RATE_HZ as usize * 6; // The device takes silence faster than it can be stopped.
        let samples: Vec<f32> =
            wav.samples::<i16>().take(limit).map(|s| f32::from(s.unwrap()) / 32_768.0).collect();
        let pulses = pulses(&samples, RATE_HZ);
        if !pulses.is_empty() {
            found.push((written, pulses));
        }
    }
    found.sort_by_key(|(written, _)| *written);
    found
}

fn recorded(script: &str) -> Vec<(std::time::SystemTime, Vec<Pulse>)> {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("asound.conf");
    fs::write(&config, recorder(folder.path())).unwrap();
    finish(start(script, &config));
    recordings(folder.path())
}

#[test]
fn s9_something_new_is_heard_at_once_at_a_priority_that_sounds_already() {
    let recordings = recorded("600 medium 2000 again medium 1500 silence");
    assert_eq!(recordings.len(), 2, "not only after the interval");
    let apart = recordings[1].0.duration_since(recordings[0].0).unwrap();
    assert!(apart < Duration::from_secs(4), "{apart:?}");
}

#[test]
fn a_reminder_is_one_burst() {
    let recordings = recorded("600 reminder medium 12500 again medium 1500 silence");
    assert_eq!(recordings.len(), 2, "it does not repeat; the next one does");
}

fn assert_onsets(pulses: &[Pulse], expected: &[f64]) {
    let onsets: Vec<f64> = pulses.iter().map(|pulse| pulse.rise_90 - pulses[0].rise_90).collect();
    assert_eq!(onsets.len(), expected.len(), "{onsets:?}");
    for (onset, expected) in onsets.iter().zip(expected) {
        assert!((onset - expected).abs() < 0.003, "{onsets:?}");
    }
}

const HIGH_ONSETS: [f64; 10] = [0.0, 0.24, 0.48, 0.96, 1.2, 2.04, 2.28, 2.52, 3.0, 3.24];
const MEDIUM_ONSETS: [f64; 3] = [0.0, 0.3, 0.6];

#[test]
fn bursts_reach_the_device_and_repeat_after_their_interval() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("asound.conf");
    fs::write(&config, recorder(folder.path())).unwrap();
    let lines = finish(start("600 medium 1500 high 6000 silence", &config));
    assert_eq!(health(&lines), ["Ready"]);
    let recordings = recordings(folder.path());
    assert_eq!(recordings.len(), 3, "one medium, two high");
    assert_onsets(&recordings[0].1, &MEDIUM_ONSETS);
    assert_onsets(&recordings[1].1, &HIGH_ONSETS);
    assert_onsets(&recordings[2].1, &HIGH_ONSETS);
    let apart = recordings[2].0.duration_since(recordings[1].0).unwrap();
    assert!((3.9..6.0).contains(&apart.as_secs_f64()), "{apart:?}");
}

#[test]
fn s9_a_new_onset_sounds_at_once_even_if_the_silence_before_was_too_short_to_notice() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("asound.conf");
    fs::write(&config, recorder(folder.path())).unwrap();
    finish(start("600 low 1000 low 200 silence again low 2000", &config));
    let recordings = recordings(folder.path());
    assert_eq!(recordings.len(), 2, "one for each onset");
    assert_onsets(&recordings[1].1, &MEDIUM_ONSETS[..2]);
}

#[test]
fn without_a_device_it_says_so_once_and_sounds_when_one_appears() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("asound.conf");
    let child = start("high 11000 silence", &config);
    thread::sleep(Duration::from_millis(4_000));
    fs::write(&config, recorder(folder.path())).unwrap();
    let lines = finish(child);
    assert_eq!(health(&lines), ["NoDevice", "Ready"]);
    let recordings = recordings(folder.path());
    assert_onsets(&recordings.first().expect("a late burst").1, &HIGH_ONSETS);
}

#[test]
fn a_device_that_cannot_be_opened_is_no_device() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("asound.conf");
    fs::write(&config, "pcm.!default {\n type hw\n card 31\n}\n").unwrap();
    assert_eq!(health(&finish(start("high 1500 low 1500", &config))), ["NoDevice"]);
}

/// What a sound server's device played, with the time at which the samples up to an index arrived.
#[derive(Default)]
struct Heard {
    samples: Vec<f32>,
    arrivals: Vec<(usize, BootTime)>,
}

impl Heard {
    /// Says `begun` when the recording runs.
    fn listen(mut pipe: impl Read, begun: &SyncSender<()>) -> Self {
        let mut heard = Self::default();
        let mut bytes = [0_u8; 960]; // 10 ms.
        while pipe.read_exact(&mut bytes).is_ok() {
            let (samples, _) = bytes.as_chunks::<2>();
            heard
                .samples
                .extend(samples.iter().map(|b| f32::from(i16::from_le_bytes(*b)) / 32_768.0));
            if heard.arrivals.is_empty() {
                begun.send(()).unwrap();
            }
            heard.arrivals.push((heard.samples.len(), Moment::read().boot));
        }
        heard
    }

    fn when(&self, seconds: f64) -> BootTime {
        let index = index_at(seconds, f64::from(RATE_HZ));
        self.arrivals.iter().find(|(end, _)| *end > index).unwrap().1
    }
}

/// A sound server whose device has a clock but no loudspeaker, and a recorder on it.
struct SoundServer {
    daemon: Child,
    recorder: Child,
    folder: tempfile::TempDir,
}

impl SoundServer {
    fn start() -> std::io::Result<(Self, thread::JoinHandle<Heard>)> {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("pulse.sock");
        let server = format!("unix:{}", socket.display());
        let config = format!("pcm.!default {{\n type pulse\n server \"{server}\"\n}}\n");
        fs::write(folder.path().join("asound.conf"), config)?;
        let quiet = |program: &str| {
            let mut command = Command::new(program);
            command.env("XDG_RUNTIME_DIR", folder.path()).env("HOME", folder.path());
            command.stdin(Stdio::null()).stderr(Stdio::null());
            command
        };
        let mut daemon = quiet("pulseaudio")
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"])
            .args(["-L", "module-null-sink sink_name=cart rate=48000", "-L"])
            .arg(format!(
                "module-native-protocol-unix socket={} auth-anonymous=1",
                socket.display()
            ))
            .spawn()?;
        let since = Moment::read().boot;
        while !socket.exists() && Moment::read().boot.since(since) < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(20));
        }
        let recorder = quiet("parec")
            .args(["-d", "cart.monitor", "--raw", "--format=s16le", "--latency-msec=20"])
            .args([
                format!("--server={server}"),
                format!("--rate={RATE_HZ}"),
                "--channels=1".into(),
            ])
            .stdout(Stdio::piped())
            .spawn();
        let mut recorder = match recorder {
            Ok(recorder) => recorder,
            Err(error) => {
                end(&mut daemon);
                return Err(error);
            }
        };
        let pipe = recorder.stdout.take().expect("piped");
        let (begun, recording) = sync_channel(1);
        let heard = thread::spawn(move || Heard::listen(pipe, &begun));
        recording.recv_timeout(Duration::from_secs(60)).expect("the sound server delivers");
        Ok((Self { daemon, recorder, folder }, heard))
    }
}

impl Drop for SoundServer {
    fn drop(&mut self) {
        end(&mut self.recorder);
        end(&mut self.daemon);
    }
}

fn end(child: &mut Child) {
    child.kill().expect("our own child");
    child.wait().expect("our own child");
}

/// From silence: what the driver and the sound server take together, which the first sample's place in the recording
/// tells to 10 ms.
#[test]
fn onsets_from_silence_are_heard_at_once() {
    let test = "onsets_from_silence_are_heard_at_once";
    let (server, listening) = match SoundServer::start() {
        Ok(started) if alsa_reaches_sound_servers() => started,
        Ok(_) | Err(_) => {
            return skipped(test, "needs pulseaudio, pulseaudio-utils and libasound2-plugins");
        }
    };
    let config = server.folder.path().join("asound.conf");
    let script = "500 ".to_owned() + &"again medium 1300 silence 500 ".repeat(12) + "2000";
    let lines = finish(start(&script, &config));
    drop(server);
    let heard = listening.join().unwrap();
    let pulses = pulses(&heard.samples, RATE_HZ);
    let firsts: Vec<&Pulse> = pulses.iter().step_by(3).collect();
    let set = lines.iter().filter_map(|line| line.strip_prefix("set medium "));
    let set: Vec<BootTime> =
        set.map(|at| BootTime(Duration::from_millis(at.parse().unwrap()))).collect();
    assert_eq!((firsts.len(), set.len()), (12, 12));
    let delays = firsts.iter().zip(&set).map(|(pulse, set)| heard.when(pulse.rise_90).since(*set));
    let mut delays: Vec<Duration> = delays.collect();
    delays.sort();
    let at = |share: usize| delays[(delays.len() - 1) * share / 100];
    say(&format!("from silence: median {:?}, p95 {:?}, longest {:?}", at(50), at(95), at(100)));
    assert!(at(100) < Duration::from_secs(1), "S-9: {:?}", at(100));
}

/// ALSA's way to a sound server, from libasound2-plugins.
fn alsa_reaches_sound_servers() -> bool {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders
        .map(|folder| folder.path().join("alsa-lib/libasound_module_pcm_pulse.so"))
        .any(|so| so.exists())
}

#[test]
fn s9_a_higher_priority_is_heard_within_a_second_and_half_of_its_burst_completes() {
    let (server, listening) = match SoundServer::start() {
        Ok(started) if alsa_reaches_sound_servers() => started,
        Ok(_) | Err(_) => {
            let test =
                "s9_a_higher_priority_is_heard_within_a_second_and_half_of_its_burst_completes";
            let reason = "needs pulseaudio, pulseaudio-utils and libasound2-plugins";
            return skipped(test, reason);
        }
    };
    let config = server.folder.path().join("asound.conf");
    let lines = finish(start("1000 medium 300 high 1800 silence 2000", &config));
    drop(server);
    let heard = listening.join().unwrap();
    let pulses = pulses(&heard.samples, RATE_HZ);
    assert_eq!(health(&lines), ["Ready"]);
    assert_eq!(pulses.len(), 3 + 5, "{pulses:?}");
    assert_onsets(&pulses[..3], &MEDIUM_ONSETS);
    assert_onsets(&pulses[3..], &HIGH_ONSETS[..5]);
    for (word, first) in [("medium", pulses[0]), ("high", pulses[3])] {
        let delay = heard.when(first.rise_90).since(set_at(&lines, word));
        say(&format!("{word} is heard after {delay:?}"));
        assert!(delay < Duration::from_secs(1), "S-9: {word} is heard after {delay:?}");
    }
}
