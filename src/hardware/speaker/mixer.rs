//! Whether the sound card's own mixer lets anything through: somebody turned it off, or down to nothing.
//!
//! Only what a card's main path goes through is looked at; a muted microphone says nothing. A system without
//! a mixer lets everything through.

use alsa::mixer::{Mixer, Selem, SelemChannelId};

/// Names of the controls that everything played goes through, on the cards in use.
const MAIN: [&str; 5] = ["Master", "PCM", "Speaker", "Front", "Digital"];

/// One control of the main path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Control {
    /// Its switch is off.
    is_off: bool,
    /// It stands at its lowest.
    is_down: bool,
}

/// Nothing that is played can be heard.
pub(super) fn is_muted() -> bool {
    match Mixer::new("default", false) {
        Ok(mixer) => blocks(&controls(&mixer)),
        Err(error) => {
            tracing::debug!(%error, "no mixer");
            false
        }
    }
}

fn controls(mixer: &Mixer) -> Vec<Control> {
    let control = |element: alsa::mixer::Elem<'_>| {
        let element = Selem::new(element)?;
        let id = element.get_id();
        let name = id.get_name().ok()?;
        if !MAIN.contains(&name) {
            return None;
        }
        let channels =
            SelemChannelId::all().iter().filter(|one| element.has_playback_channel(**one));
        let channels: Vec<SelemChannelId> = channels.copied().collect();
        let is_off = element.has_playback_switch()
            && channels.iter().all(|one| element.get_playback_switch(*one).is_ok_and(|on| on == 0));
        let (lowest, highest) = element.get_playback_volume_range();
        let is_lowest = |one: &SelemChannelId| {
            element.get_playback_volume(*one).is_ok_and(|volume| volume <= lowest)
        };
        let is_down =
            element.has_playback_volume() && lowest < highest && channels.iter().all(is_lowest);
        Some(Control {
            is_off: is_off && !channels.is_empty(),
            is_down: is_down && !channels.is_empty(),
        })
    };
    mixer.iter().filter_map(control).collect()
}

/// One closed control in the path is enough.
fn blocks(controls: &[Control]) -> bool {
    controls.iter().any(|control| control.is_off || control.is_down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_closed_control_keeps_everything_back() {
        let open = Control { is_off: false, is_down: false };
        let (off, down) = (Control { is_off: true, ..open }, Control { is_down: true, ..open });
        assert!(!blocks(&[]) && !blocks(&[open, open]));
        assert!(blocks(&[open, off]) && blocks(&[down, open]));
    }
}
