//! How things look: colours for dark and for light terminals, and none at all.
//!
//! What a colour says is always also said by a mark or a word. Nothing here draws; [`view`](super::view) does.

use std::ffi::OsString;

use ratatui::style::{Color, Modifier, Style};

/// Which colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// Light text on dark ground.
    Dark,
    /// Dark text on light ground.
    Light,
    /// No colours: bold, faint, underlined and reversed only.
    Plain,
}

/// What a text is to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// As it is.
    Usual,
    /// Of little weight: hints, times, what is off.
    Faint,
    /// A heading.
    Heading,
    /// The person is needed.
    Needs,
    /// Something did not go as it should.
    Warning,
    /// It failed, or is gone.
    Bad,
    /// It is well.
    Good,
    /// It is being worked on.
    Busy,
    /// The row that keys act on.
    Highlighted,
    /// It must not be overlooked: all typing is stopped.
    Alarm,
}

impl Palette {
    /// The palette by the environment: none where `NO_COLOR` says something (no-color.org), else by the ground in
    /// `COLORFGBG` (rxvt's variable, which others set too: `foreground;background`, by number), else dark.
    pub fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            return Self::Plain;
        }
        let colours = variable("COLORFGBG").and_then(|value| value.into_string().ok());
        let ground = colours.and_then(|colours| colours.rsplit(';').next()?.parse::<u8>().ok());
        match ground {
            Some(7 | 9..=15) => Self::Light,
            _ => Self::Dark,
        }
    }

    /// Whether colours are used at all.
    pub const fn has_colours(self) -> bool {
        !matches!(self, Self::Plain)
    }

    /// How `look` looks.
    pub fn style(self, look: Look) -> Style {
        let style = Style::new();
        let (colour, modifier) = match look {
            Look::Usual => return style,
            Look::Faint => (None, Modifier::DIM),
            Look::Heading => (None, Modifier::BOLD),
            Look::Needs => (Some((Color::Yellow, Color::Magenta)), Modifier::BOLD),
            Look::Warning => (Some((Color::Yellow, Color::Magenta)), Modifier::empty()),
            Look::Bad => (Some((Color::LightRed, Color::Red)), Modifier::BOLD),
            Look::Good => (Some((Color::Green, Color::Green)), Modifier::empty()),
            Look::Busy => (Some((Color::Cyan, Color::Blue)), Modifier::empty()),
            Look::Highlighted => (None, Modifier::REVERSED),
            Look::Alarm => (
                Some((Color::LightRed, Color::Red)),
                Modifier::BOLD.union(Modifier::REVERSED),
            ),
        };
        let style = style.add_modifier(modifier);
        match (self, colour) {
            (Self::Dark, Some((dark, _))) => style.fg(dark),
            (Self::Light, Some((_, light))) => style.fg(light),
            _ => style,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_follows_the_environment() {
        for (variables, palette) in [
            (&[][..], Palette::Dark),
            (&[("NO_COLOR", "1")][..], Palette::Plain),
            (&[("NO_COLOR", ""), ("COLORFGBG", "15;0")], Palette::Dark),
            (&[("COLORFGBG", "0;15")], Palette::Light),
            (&[("COLORFGBG", "0;default;7")], Palette::Light),
            (&[("COLORFGBG", "15;default;8")], Palette::Dark),
            (&[("COLORFGBG", "12;nonsense")], Palette::Dark),
            (&[("NO_COLOR", "1"), ("COLORFGBG", "0;15")], Palette::Plain),
        ] {
            let found = Palette::of(|name| {
                let found = variables.iter().find(|(other, _)| *other == name);
                found.map(|(_, value)| OsString::from(value))
            });
            assert_eq!(found, palette, "{variables:?}");
        }
    }

    #[test]
    fn without_colours_everything_can_still_be_told_apart_from_the_usual() {
        for look in [
            Look::Needs,
            Look::Bad,
            Look::Highlighted,
            Look::Alarm,
            Look::Heading,
        ] {
            let style = Palette::Plain.style(look);
            assert_eq!((style.fg, style.bg), (None, None));
            assert_ne!(style, Style::new());
        }
    }
}
