//! Colours of screens: how they are written, how bright they look, and how well one is read on another.

use std::fmt;
use std::str::FromStr;

/// A colour of sRGB, written as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// A text that is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a colour is written as # and six hexadecimal digits, like #0f766e")]
pub struct InvalidColour;

/// Lightness (0 to 1), chroma and hue (radians) of OKLCH (Ottosson 2020), in which equal steps look equal.
#[derive(Debug, Clone, Copy)]
struct Oklch {
    lightness: f64,
    chroma: f64,
    hue: f64,
}

impl Colour {
    /// Of its three parts.
    #[must_use]
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    /// How well it is read on another: 1 to 21 (WCAG 2.2, contrast ratio).
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Its lightness in OKLCH, 0 to 1.
    #[must_use]
    pub fn lightness(self) -> f64 {
        self.oklch().lightness
    }

    /// The same hue at another lightness, with at most so much chroma, and less where a screen cannot show it.
    #[must_use]
    pub fn at_lightness(self, lightness: f64, chroma_max: f64) -> Self {
        let own = self.oklch();
        let lightness = lightness.clamp(0.0, 1.0);
        let mut chroma = own.chroma.min(chroma_max);
        loop {
            match shown(Oklch { lightness, chroma, hue: own.hue }) {
                Some(colour) => return colour,
                None if chroma < 0.002 => return grey(lightness),
                None => chroma *= 0.95,
            }
        }
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn oklch(self) -> Oklch {
        let [red, green, blue] = self.0.map(linear);
        let l = (0.412_221_470_8 * red + 0.536_332_536_3 * green + 0.051_445_992_9 * blue).cbrt();
        let m = (0.211_903_498_2 * red + 0.680_699_545_1 * green + 0.107_396_956_6 * blue).cbrt();
        let s = (0.088_302_461_9 * red + 0.281_718_837_6 * green + 0.629_978_700_5 * blue).cbrt();
        let a = 1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s;
        let b = 0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s;
        Oklch {
            lightness: 0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
            chroma: a.hypot(b),
            hue: b.atan2(a),
        }
    }
}

/// What a screen shows of it; none where no screen of sRGB can.
fn shown(colour: Oklch) -> Option<Colour> {
    let (a, b) = (colour.chroma * colour.hue.cos(), colour.chroma * colour.hue.sin());
    let l = (colour.lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (colour.lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (colour.lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    let parts = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ];
    let fits = parts.iter().all(|part| (-0.000_5..=1.000_5).contains(part));
    fits.then(|| Colour(parts.map(encoded)))
}

fn grey(lightness: f64) -> Colour {
    Colour([encoded(lightness.powi(3)); 3])
}

fn linear(part: u8) -> f64 {
    let part = f64::from(part) / 255.0;
    if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
}

fn encoded(part: f64) -> u8 {
    let part = part.clamp(0.0, 1.0);
    let part = if part <= 0.003_130_8 { part * 12.92 } else { 1.055 * part.powf(1.0 / 2.4) - 0.055 };
    // Clamped before: 0 to 255.
    (part * 255.0).round() as u8
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl FromStr for Colour {
    type Err = InvalidColour;

    fn from_str(text: &str) -> Result<Self, InvalidColour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(InvalidColour)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(InvalidColour);
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| InvalidColour)?;
        let [_, red, green, blue] = value.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        text.parse().expect("a colour")
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        let (black, white) = (colour("#000000"), colour("#FFFFFF"));
        assert!((black.contrast(white) - 21.0).abs() < 1e-9 && (white.contrast(white) - 1.0).abs() < 1e-9);
        // The best known pair: the darkest grey that fails and the lightest that passes on white.
        assert!(colour("#777777").contrast(white) < 4.5 && colour("#767676").contrast(white) > 4.5);
    }

    #[test]
    fn a_colour_at_its_own_lightness_is_itself() {
        for text in ["#0f766e", "#facc15", "#1b1f3b", "#4f46e5", "#ff0000", "#000000", "#ffffff", "#808080"] {
            let one = colour(text);
            let same = one.at_lightness(one.lightness(), 1.0);
            let apart = one.0.iter().zip(same.0).map(|(a, b)| a.abs_diff(b)).max();
            assert!(apart <= Some(1), "{text} became {same}");
            assert_eq!(one.to_string(), text);
        }
    }

    #[test]
    fn every_lightness_of_a_hue_can_be_shown_and_grows() {
        let yellow = colour("#facc15");
        let steps: Vec<f64> =
            (0..=20).map(|step| yellow.at_lightness(f64::from(step) / 20.0, 1.0).luminance()).collect();
        assert!(steps.is_sorted(), "{steps:?}");
    }

    #[test]
    fn only_six_digits_are_a_colour() {
        for bad in ["", "red", "#fff", "#12345", "#1234567", "0f766e", "#+12345", "#12345g", "#éé12"] {
            assert_eq!(bad.parse::<Colour>(), Err(InvalidColour), "{bad}");
        }
    }
}
