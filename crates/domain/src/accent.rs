//! A publisher's colour on pages, light and dark: given once or twice, and never where it cannot be read.

use std::fmt;

use crate::Colour;

/// What text needs on what it stands on (WCAG 2.2, 1.4.3 AA).
const OF_TEXT: f64 = 4.5;
/// What a button needs to be seen on the page (WCAG 2.2, 1.4.11 AA).
const OF_BUTTONS: f64 = 3.0;
const WHITE: Colour = Colour::new(0xff, 0xff, 0xff);
const INK: Colour = Colour::new(0x12, 0x15, 0x1a);
/// How far the lightness of a button moves under the pointer.
const HOVER_STEP: f64 = 0.05;
const STEP: f64 = 0.005;

/// What stands behind accents in one of the two themes.
struct Ground {
    name: &'static str,
    /// Cards and bars, on which buttons stand.
    surface: Colour,
    /// What is hardest to read on: the background under the pointer.
    hardest: Colour,
    /// Lightness and chroma of a tinted background.
    tint: (f64, f64),
    /// The way to more contrast with the ground.
    away: f64,
}

const LIGHT: Ground = Ground {
    name: "light",
    surface: WHITE,
    hardest: Colour::new(0xe9, 0xec, 0xf1),
    tint: (0.96, 0.03),
    away: -STEP,
};
const DARK: Ground = Ground {
    name: "dark",
    surface: Colour::new(0x13, 0x16, 0x1b),
    hardest: Colour::new(0x24, 0x2a, 0x33),
    tint: (0.27, 0.06),
    away: STEP,
};

/// Everything that is made of the accent in one theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tone {
    /// Buttons and marks.
    pub solid: Colour,
    /// Buttons under the pointer.
    pub hover: Colour,
    /// Text on both.
    pub on_solid: Colour,
    /// Links and what is current; read on every background of the theme.
    pub text: Colour,
    /// The background of what is current.
    pub tint: Colour,
}

/// The accent in both themes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accent {
    /// Where it is light.
    pub light: Tone,
    /// Where it is dark.
    pub dark: Tone,
}

/// A colour that cannot be read or seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaintAccent {
    /// Whether it is the one of the dark theme.
    pub is_dark: bool,
    /// What is wrong, with the ratio, and the nearest colour that would do.
    pub message: String,
}

impl fmt::Display for FaintAccent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Accent {
    /// Of one colour for the light theme, and another for the dark one. Without the other, the first is made lighter
    /// until it is seen.
    ///
    /// # Errors
    /// A colour that was given does not stand out in its theme.
    pub fn of(light: Colour, dark: Option<Colour>) -> Result<Self, FaintAccent> {
        let faint = |ground: &Ground, colour| {
            seen(ground, colour).map_err(|message| FaintAccent {
                is_dark: ground.name == DARK.name,
                message: match nearest(ground, colour) {
                    Some(near) => format!("{message}; the nearest that has it is {near}"),
                    None => message,
                },
            })
        };
        faint(&LIGHT, light)?;
        let dark = match dark {
            Some(dark) => faint(&DARK, dark).map(|()| dark)?,
            None => nearest(&DARK, light).unwrap_or(light),
        };
        Ok(Self { light: tone(&LIGHT, light), dark: tone(&DARK, dark) })
    }
}

/// Whether a button of this colour is seen on its theme, and its words on it.
fn seen(ground: &Ground, colour: Colour) -> Result<(), String> {
    let name = ground.name;
    let ratio = colour.contrast(ground.surface);
    if ratio < OF_BUTTONS {
        let (surface, ratio) = (ground.surface, shown(ratio));
        return Err(format!(
            "{colour} has a contrast of {ratio} to {surface}, on which buttons of the {name} theme stand; {} is needed",
            shown(OF_BUTTONS)
        ));
    }
    let ink = on(colour);
    let ratio = colour.contrast(ink);
    if ratio < OF_TEXT {
        return Err(format!(
            "words on a button of {colour} have a contrast of {} at best, in {ink}; {} is needed",
            shown(ratio),
            shown(OF_TEXT)
        ));
    }
    Ok(())
}

/// Rounded down, so that nothing seems to have what it has not.
fn shown(ratio: f64) -> String {
    format!("{:.2}:1", (ratio * 100.0).floor() / 100.0)
}

/// White or ink, whichever is read better.
fn on(colour: Colour) -> Colour {
    if colour.contrast(WHITE) >= colour.contrast(INK) { WHITE } else { INK }
}

/// The nearest lightness of the same hue that is seen.
fn nearest(ground: &Ground, colour: Colour) -> Option<Colour> {
    let own = colour.lightness();
    let steps = (0..=200).map(|step| f64::from(step) * STEP);
    let mut tries = steps.flat_map(|step| [own + step, own - step]).filter(|l| (0.0..=1.0).contains(l));
    if seen(ground, colour).is_ok() {
        return Some(colour);
    }
    tries.find_map(|l| Some(colour.at_lightness(l, 1.0)).filter(|near| seen(ground, *near).is_ok()))
}

fn tone(ground: &Ground, solid: Colour) -> Tone {
    let on_solid = on(solid);
    let hover = solid.lightness() + if on_solid == WHITE { -HOVER_STEP } else { HOVER_STEP };
    let (lightness, chroma) = ground.tint;
    let tint = solid.at_lightness(lightness, chroma);
    let is_read = |colour: &Colour| {
        [ground.hardest, ground.surface, tint].iter().all(|behind| colour.contrast(*behind) >= OF_TEXT)
    };
    let tries = (0..=200).map(|step| solid.lightness() + f64::from(step) * ground.away);
    let text = tries.map(|l| solid.at_lightness(l, 1.0)).find(is_read);
    Tone { solid, hover: solid.at_lightness(hover, 1.0), on_solid, text: text.unwrap_or(on(tint)), tint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        text.parse().expect("a colour")
    }

    /// Ratios of everything that is read or seen in a theme, with the least that each needs.
    fn ratios(ground: &Ground, tone: &Tone) -> [(f64, f64); 6] {
        [
            (tone.solid.contrast(ground.surface), OF_BUTTONS),
            (tone.solid.contrast(tone.on_solid), OF_TEXT),
            (tone.hover.contrast(tone.on_solid), OF_TEXT),
            (tone.text.contrast(ground.hardest), OF_TEXT),
            (tone.text.contrast(ground.surface), OF_TEXT),
            (tone.text.contrast(tone.tint), OF_TEXT),
        ]
    }

    #[test]
    fn whatever_is_taken_is_read_in_both_themes() {
        let parts = [0x00, 0x1f, 0x47, 0x6b, 0x77, 0x9f, 0xc4, 0xff];
        let all = parts.iter().flat_map(|red| {
            parts.iter().flat_map(move |green| parts.map(|blue| Colour::new(*red, *green, blue)))
        });
        let mut taken = 0;
        for colour in all {
            let Ok(accent) = Accent::of(colour, None) else { continue };
            taken += 1;
            let both = [ratios(&LIGHT, &accent.light), ratios(&DARK, &accent.dark)];
            for (ratio, least) in both.into_iter().flatten() {
                assert!(ratio >= least, "{colour}: {ratio} in {accent:?}");
            }
        }
        assert!(taken > 200, "{taken}");
    }

    #[test]
    fn a_yellow_is_refused_on_white_with_its_ratio_and_one_that_would_do() {
        let yellow = colour("#facc15");
        let fault = Accent::of(yellow, None).expect_err("nobody sees it");
        assert!(
            !fault.is_dark && fault.message.contains("1.5") && fault.message.contains("3.00:1"),
            "{fault}"
        );
        let near = fault.message.rsplit(' ').next().map(colour).expect("a colour");
        let accent = Accent::of(near, Some(yellow)).expect("both are seen");
        assert_eq!((accent.dark.solid, accent.dark.on_solid), (yellow, INK));
    }

    #[test]
    fn a_dark_colour_is_lightened_for_the_dark_theme_and_refused_where_it_is_given_for_it() {
        let dark = colour("#1b1f3b");
        let accent = Accent::of(dark, None).expect("it is seen on white");
        assert_eq!(accent.light.solid, dark);
        assert!(accent.dark.solid.lightness() > dark.lightness());
        assert!(Accent::of(dark, Some(dark)).expect_err("nobody sees it").is_dark);
    }
}
