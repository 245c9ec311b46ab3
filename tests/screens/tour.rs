//! The tour writes a picture of every stop, in both orientations and both languages.

use std::path::PathBuf;

#[test]
fn every_stop_is_drawn_in_both_orientations_and_languages() {
    // WARDKEEP_TOUR_OUT keeps the pictures for looking at.
    let kept = std::env::var_os("WARDKEEP_TOUR_OUT").map(PathBuf::from);
    let folder = tempfile::tempdir().unwrap();
    let out = kept.unwrap_or_else(|| folder.path().to_owned());
    let written = wardkeep::tour::run(&out, "").unwrap();
    assert_eq!(written, wardkeep::tour::stops::all().len() * 4);
    for name in ["lock-landscape.png", "bedside-de-portrait.png"] {
        let size = std::fs::metadata(out.join(name)).unwrap().len();
        assert!(size > 5_000, "{name} has {size} bytes");
    }
}
