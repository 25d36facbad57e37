//! What holds of a configuration that was merely found: one rule for all who read one.

use super::places::{self, Chosen, ConfigPlace};
use crate::config::Config;
use crate::error::Failure;
use crate::supervisor;

/// What holds of `config`, which was read at `place`: all of it, where the person named it or said yes to it.
///
/// # Errors
/// When a profile that it names cannot be read, and nothing is left out.
pub fn in_force(config: Config, place: &ConfigPlace) -> Result<Config, Failure> {
    if place.chosen != Chosen::InWorkingFolder {
        return Ok(config);
    }
    let trusted = places::trusted(|name| std::env::var_os(name));
    let held = supervisor::held_of(&config, &place.path, trusted.as_deref())?;
    Ok(held.map_or_else(|| config.clone(), |held| held.without(&config)))
}
