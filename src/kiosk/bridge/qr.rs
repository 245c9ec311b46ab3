//! The recovery key as a QR code (ISO/IEC 18004), one pixel to the module, with its quiet zone.

use qrcode::{Color as Module, QrCode};
use slint::{Color, Image, Rgba8Pixel, SharedPixelBuffer};

/// Light modules around the code (ISO/IEC 18004, 6.3.8).
const QUIET: usize = 4;

/// The code for `text`; an empty image if it is too long for one.
pub(super) fn draw(text: &str, ink: Color, ground: Color) -> Image {
    let Ok(code) = QrCode::new(text.as_bytes()) else { return Image::default() };
    let inner = code.width();
    let side = inner + 2 * QUIET;
    let Ok(side_px) = u32::try_from(side) else { return Image::default() };
    let mut picture = SharedPixelBuffer::<Rgba8Pixel>::new(side_px, side_px);
    let modules = code.to_colors();
    for (y, row) in picture.make_mut_slice().chunks_exact_mut(side).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            let inside = x.checked_sub(QUIET).zip(y.checked_sub(QUIET));
            let dark = inside
                .filter(|(x, y)| *x < inner && *y < inner)
                .and_then(|(x, y)| modules.get(y * inner + x))
                .is_some_and(|module| *module == Module::Dark);
            let color = if dark { ink } else { ground };
            *pixel = Rgba8Pixel { r: color.red(), g: color.green(), b: color.blue(), a: 255 };
        }
    }
    Image::from_rgba8(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_has_a_quiet_zone_and_three_finders() {
        let (ink, ground) = (Color::from_rgb_u8(0, 0, 0), Color::from_rgb_u8(255, 255, 255));
        let words = "abandon ".repeat(23) + "art";
        let picture = draw(&words, ink, ground).to_rgba8().unwrap();
        let (side, quiet) = (picture.width() as usize, QUIET);
        let dark = |x: usize, y: usize| picture.as_slice()[y * side + x].r == 0;
        assert!((0..side).all(|n| !dark(n, quiet - 1) && !dark(quiet - 1, n)));
        for (x, y) in [(quiet, quiet), (side - quiet - 7, quiet), (quiet, side - quiet - 7)] {
            assert!((0..7).all(|n| dark(x + n, y) && dark(x, y + n) && dark(x + n, y + 6)));
            assert!(dark(x + 3, y + 3) && !dark(x + 1, y + 1));
        }
    }

    #[test]
    fn a_text_too_long_for_a_code_gives_none() {
        let ink = Color::from_rgb_u8(0, 0, 0);
        assert_eq!(draw(&"x".repeat(9000), ink, ink).size().width, 0);
    }
}
