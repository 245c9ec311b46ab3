//! The recovery key as a QR code (ISO/IEC 18004), one pixel to the module, with its quiet zone.

use qrcode::{Color as Module, QrCode};
use slint::{Color, Image, Rgba8Pixel, SharedPixelBuffer};

/// Light modules around the code (ISO/IEC 18004, 6.3.8).
const QUIET: usize = 4;

/// The code for `text`; an empty image if it is too long for one.
pub fn draw(text: &str, ink: Color, ground: Color) -> Image {
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
