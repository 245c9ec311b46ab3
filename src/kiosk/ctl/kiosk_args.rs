//! The words of `wardkeep` itself. They live beside those of `wardkeepctl` so that the manual pages of
//! both come from the definitions that parse them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::ctl::args::Places;

const EXAMPLES: &str = "\
Examples:
  wardkeep
  wardkeep --windowed --state /tmp/ward --config ./config.toml
  wardkeep --simulate --windowed
  wardkeep --simulate --empty --windowed

`wardkeepctl doctor` tells what works on this machine.
Exit status: 0 done, 1 failed, 2 the command line was not understood.";

const TOUR_EXAMPLES: &str = "\
Examples:
  wardkeep tour --out /tmp/screens
  wardkeep tour --out /tmp/screens --only login
  wardkeep tour --out /tmp/screens --text 200 --size 1024x600
  wardkeep tour --show bedside";

/// Live vitals at the bedside, behind two factors, in an encrypted store.
#[derive(Parser, Clone, Debug, PartialEq, Eq)]
#[command(name = "wardkeep", version, after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct KioskCli {
    #[command(flatten)]
    places: Places,
    /// Run in a window instead of the whole screen
    #[arg(long)]
    pub windowed: bool,
    /// Run on a simulated bedside: a ready ward with a bench, forgotten at the end (builds with the
    /// feature sim)
    #[arg(long)]
    pub simulate: bool,
    /// With --simulate: the first start instead of a ready ward
    #[arg(long, requires = "simulate")]
    pub empty: bool,
    /// With --simulate: keep this run's ward, and say where it is
    #[arg(long, requires = "simulate")]
    pub keep: bool,
    /// Something else than the kiosk.
    #[command(subcommand)]
    pub errand: Option<Errand>,
}

/// What the program does instead of being the kiosk.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Draw every screen as a picture, without a display (builds with the feature sim)
    #[command(after_help = TOUR_EXAMPLES)]
    Tour(Tour),
}

/// Which pictures, and where to.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Tour {
    /// Directory for the pictures
    #[arg(long, value_name = "DIR", required_unless_present = "show")]
    pub out: Option<PathBuf>,
    /// Open a window with the first screen that has this word in its name, instead of drawing any
    #[arg(long, value_name = "WORD", conflicts_with_all = ["out", "only"])]
    pub show: Option<String>,
    /// Only screens with this word in their name
    #[arg(long, value_name = "WORD", default_value = "", hide_default_value = true)]
    pub only: String,
    /// Size of the text in percent
    #[arg(long, value_name = "PERCENT", default_value = "100", value_parser = ["100", "125", "150", "200"])]
    pub text: String,
    /// Size of the screen, instead of 1280x800 and 800x1280
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    pub size: Option<(u32, u32)>,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let (width, height) = text.split_once('x').ok_or("write it as 1280x800")?;
    let px = |text: &str| text.parse().map_err(|_| format!("{text:?} is no number of px"));
    Ok((px(width)?, px(height)?))
}

impl KioskCli {
    /// Directory of the store.
    pub fn state(&self) -> PathBuf {
        self.places.state()
    }

    /// The same, if the words name it: the simulated bedside never touches a real store.
    pub fn given_state(&self) -> Option<PathBuf> {
        self.places.given_state()
    }

    /// File of settings. The simulated bedside has those of this machine only if they are named.
    pub fn config(&self) -> Option<PathBuf> {
        if self.simulate { self.places.given_config() } else { self.places.config() }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn understood(words: &[&str]) -> Result<KioskCli, clap::error::ErrorKind> {
        let words = ["wardkeep"].iter().chain(words);
        KioskCli::try_parse_from(words).map_err(|error| error.kind())
    }

    #[test]
    fn the_definition_holds_together() {
        KioskCli::command().debug_assert();
    }

    #[test]
    fn the_kiosk_and_the_tour_are_told_apart() {
        let kiosk = understood(&["--state", "d", "--config", "c", "--windowed"]).unwrap();
        assert_eq!((kiosk.state(), kiosk.config()), ("d".into(), Some("c".into())));
        assert!(kiosk.windowed && !kiosk.simulate && kiosk.errand.is_none());
        let simulated = understood(&["--simulate"]).unwrap();
        assert!(!simulated.empty && !simulated.keep && simulated.given_state().is_none());
        assert_eq!(simulated.config(), None);
        let tour = understood(&["tour", "--out", "p", "--only", "login"]).unwrap().errand;
        let expected = Tour {
            out: Some("p".into()),
            show: None,
            only: "login".into(),
            text: "100".into(),
            size: None,
        };
        assert_eq!(tour, Some(Errand::Tour(expected)));
        let small = understood(&["tour", "--out", "p", "--size", "1024x600"]).unwrap().errand;
        assert!(matches!(small, Some(Errand::Tour(Tour { size: Some((1024, 600)), .. }))));
        for words in [
            &["tour"][..],
            &["tour", "--out", "p", "--show", "bedside"],
            &["tour", "--out", "p", "--size", "1024"],
            &["tour", "--out", "p", "--text", "110"],
            &["--out", "p"],
            &["tour", "tour", "--out", "p"],
            &["--empty"],
            &["--keep"],
            &["--windowed", "tour", "--out", "p"],
            &["tour", "--out", "p", "--state", "d"],
        ] {
            assert!(understood(words).is_err(), "{words:?}");
        }
    }
}
