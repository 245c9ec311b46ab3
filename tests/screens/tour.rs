//! The tour writes pictures in both orientations and both languages. Here it draws the bedside alone: whether
//! every stop can be laid out is what `layout` looks at, and pictures are for people (`packaging/dev tour`).

use wardkeep::tour::Look;

#[test]
fn a_stop_is_drawn_in_both_orientations_and_languages() {
    let out = tempfile::tempdir().unwrap();
    let written = wardkeep::tour::run(out.path(), "bedside", &Look::default()).unwrap();
    let wanted = wardkeep::tour::stops::all();
    let wanted = wanted.iter().filter(|stop| stop.name.contains("bedside")).count();
    assert!(wanted > 5 && written == wanted * 4, "{written} of {wanted} stops");
    for name in ["bedside-landscape.png", "bedside-de-portrait.png"] {
        let size = std::fs::metadata(out.path().join(name)).unwrap().len();
        assert!(size > 5_000, "{name} has {size} bytes");
    }
}
