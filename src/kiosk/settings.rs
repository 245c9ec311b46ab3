//! Reads the configuration file: one reader with one limit, for the kiosk and for every verb.
//!
//! S-9, S-11: nothing that can be wrong with the file keeps a kiosk from starting. Whatever is not used is
//! named ([`Ignored`]), on the lock screen and by `wardkeepctl doctor`.

use std::path::Path;

use wardkeep_core::config::{Config, Ignored};

use crate::text::{Text, Written, bytes_of};

/// Largest configuration file, in bytes: a hundred times what every setting takes.
pub const BYTES_MAX: u64 = 64 * 1024;

/// Reads the settings, and what of the file was not used; without a file every setting is at its default.
pub fn read(path: Option<&Path>) -> (Config, Vec<Ignored>) {
    let Some(path) = path else { return (Config::default(), vec![]) };
    let content = match bytes_of(path, BYTES_MAX) {
        Ok(content) => content,
        Err(why) => {
            let ignored = Ignored::File { path: path.to_owned(), why: why.to_string() };
            return (Config::default(), vec![ignored]);
        }
    };
    let text = Text::of(&content);
    let (config, mut ignored) = Config::parse(text.as_str());
    match text.written() {
        Written::Utf8 => {}
        Written::Otherwise(name) => ignored.push(Ignored::Encoding { read_as: name }),
        Written::Mixed => {
            let before = text.as_str().split(char::REPLACEMENT_CHARACTER).next();
            let line = before.unwrap_or_default().matches('\n').count() + 1;
            ignored.push(Ignored::NotUtf8 { line });
        }
    }
    (config, ignored)
}

/// Keys of the settings in the file that are used.
pub fn used(path: Option<&Path>) -> Vec<String> {
    let content = path.and_then(|path| bytes_of(path, BYTES_MAX).ok()).unwrap_or_default();
    Config::used(Text::of(&content).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_2_a_file_is_read_whole_or_every_setting_is_at_its_default() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let lead = "[cart]\nbed = \"Bed 12\"\n#";
        let most = usize::try_from(BYTES_MAX).unwrap();
        std::fs::write(&path, format!("{lead}{}", "x".repeat(most - lead.len()))).unwrap();
        let (config, ignored) = read(Some(&path));
        assert_eq!((config.bed.as_str(), ignored), ("Bed 12", vec![]));
        let refused = |path: &Path, sentence: &str| {
            let (config, ignored) = read(Some(path));
            assert_eq!(config, Config::default());
            let said: Vec<String> = ignored.iter().map(ToString::to_string).collect();
            assert!(matches!(&said[..], [said] if said.contains(sentence)), "{said:?}");
        };
        std::fs::write(&path, "#".repeat(70_000)).unwrap();
        refused(&path, "larger than 64 KiB");
        refused(dir.path(), "no file");
        refused(&dir.path().join("none"), "No such file");
        assert_eq!(read(None), (Config::default(), vec![]));
    }

    #[test]
    fn config_1_settings_in_another_encoding_are_read_and_it_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let case = b"[cart]\nbed = \"Bett 12\"\nward = \"Station S\xFCd\"\nlanguage = \"de\"\n[alarms]\nspo2_low = 94\n";
        for ends in ["\n", "\r\n"] {
            let case: Vec<u8> =
                case.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(ends.as_bytes());
            std::fs::write(&path, case).unwrap();
            let (config, ignored) = read(Some(&path));
            assert_eq!(
                (config.bed.as_str(), config.ward.as_str()),
                ("Bett 12", "Station S\u{fc}d")
            );
            assert_eq!(ignored, [Ignored::Encoding { read_as: "windows-1252" }]);
            let keys = ["alarms.spo2_low", "cart.bed", "cart.language", "cart.ward"];
            assert_eq!(used(Some(&path)), keys);
        }
        std::fs::write(
            &path,
            "[cart]\nbed = \"B\u{e4}tt".bytes().chain(*b"\xFF\"\n").collect::<Vec<_>>(),
        )
        .unwrap();
        let (config, ignored) = read(Some(&path));
        assert_eq!(config.bed, "B\u{e4}tt\u{FFFD}");
        assert_eq!(ignored, [Ignored::NotUtf8 { line: 2 }]);
    }
}
