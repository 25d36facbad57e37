//! The time zone of this machine, by name: a distance from UTC alone does not say when summer ends.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::Local;
use chrono_tz::Tz;

/// The time zone in which people on this machine read clocks: its name in the IANA database (`Europe/Berlin`),
/// or where that is not told, its distance from UTC at this moment (`+02:00`).
///
/// It goes by the environment variable `TZ`, then by the link at `/etc/localtime`, as tzset(3) does. A program
/// that was started with another `TZ` reads other clocks.
pub fn local_zone() -> String {
    let variable = std::env::var("TZ").ok();
    let link = std::fs::read_link("/etc/localtime").ok();
    let named = named(variable.as_deref(), link);
    named.unwrap_or_else(|| Local::now().offset().to_string())
}

/// `None` where what decides is no name of a zone.
fn named(variable: Option<&str>, link: Option<PathBuf>) -> Option<String> {
    let name = match variable {
        Some("") => "UTC".to_owned(),
        Some(variable) => {
            let variable = variable.strip_prefix(':').unwrap_or(variable);
            if variable.starts_with('/') {
                let target = std::fs::read_link(variable);
                let target = target.unwrap_or_else(|_| PathBuf::from(variable));
                below_database(&target)?
            } else {
                variable.to_owned()
            }
        }
        None => below_database(&link?)?,
    };
    Tz::from_str(&name).is_ok().then_some(name)
}

/// What a path says behind the folder of the database.
fn below_database(path: &Path) -> Option<String> {
    let path = path.to_str()?;
    let (_, name) = path.split_once("zoneinfo/")?;
    let name = name.strip_prefix("posix/").unwrap_or(name);
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_comes_before_the_link_and_only_names_count() {
        let link = |path: &str| Some(PathBuf::from(path));
        let berlin = "/usr/share/zoneinfo/Europe/Berlin";
        for (variable, path, expected) in [
            (
                Some("America/New_York"),
                link(berlin),
                Some("America/New_York"),
            ),
            (Some(":Asia/Tokyo"), link(berlin), Some("Asia/Tokyo")),
            (
                Some("/usr/share/zoneinfo/Asia/Kolkata"),
                None,
                Some("Asia/Kolkata"),
            ),
            (Some(""), link(berlin), Some("UTC")),
            (None, link(berlin), Some("Europe/Berlin")),
            (
                None,
                link("../usr/share/zoneinfo/posix/Europe/Berlin"),
                Some("Europe/Berlin"),
            ),
            (
                None,
                link("/var/db/timezone/zoneinfo/America/Argentina/Ushuaia"),
                Some("America/Argentina/Ushuaia"),
            ),
            // a rule in place of a name is worked out by the system: its distance is taken
            (Some("CST6CDT,M3.2.0,M11.1.0"), link(berlin), None),
            (Some("/no/such/file"), link(berlin), None),
            (None, link("/etc/zones/mine"), None),
            (None, link("/usr/share/zoneinfo/Mars/Olympus"), None),
            (None, None, None),
        ] {
            assert_eq!(
                named(variable, path.clone()).as_deref(),
                expected,
                "{variable:?} {path:?}"
            );
        }
    }

    #[test]
    fn a_distance_is_written_with_its_sign() {
        for (seconds, text) in [(7_200, "+02:00"), (-12_600, "-03:30"), (0, "+00:00")] {
            let offset = chrono::FixedOffset::east_opt(seconds).unwrap();
            assert_eq!(offset.to_string(), text);
        }
        assert!(!local_zone().is_empty());
    }
}
