//! Where a backend's key comes from.

use secrecy::{ExposeSecret, SecretString};

use crate::config::{BackendConfig, BackendType};

/// Looks up an environment variable.
pub type Environment = fn(&str) -> Option<String>;

/// A key that is looked up each time it is needed, so that none is kept longer than a request.
#[derive(Clone)]
pub(super) struct Key {
    configured: Option<SecretString>,
    variable: Option<String>,
    environment: Environment,
}

impl Key {
    pub(super) fn of(config: &BackendConfig, environment: Environment) -> Self {
        Self {
            configured: config.api_key.as_ref().and_then(trimmed),
            variable: config.key_variable().map(str::to_owned),
            environment,
        }
    }

    /// The key; `None` where the configuration speaks of none.
    ///
    /// # Errors
    /// With the variable's name, when the key should be in a variable and is not.
    pub(super) fn read(&self) -> Result<Option<SecretString>, String> {
        if let Some(key) = &self.configured {
            return Ok(Some(key.clone()));
        }
        let Some(variable) = &self.variable else {
            return Ok(None);
        };
        let found = (self.environment)(variable).map(SecretString::from);
        match found.as_ref().and_then(trimmed) {
            Some(key) => Ok(Some(key)),
            None => Err(variable.clone()),
        }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Key")
            .field("configured", &self.configured.is_some())
            .field("variable", &self.variable)
            .finish_non_exhaustive()
    }
}

/// A key read from a file ends in a newline more often than not, which no header can carry.
fn trimmed(key: &SecretString) -> Option<SecretString> {
    let key = key.expose_secret().trim();
    (!key.is_empty()).then(|| key.into())
}

/// How a person sets the key of a backend of this type, for a hint.
pub(super) fn how_to_set(kind: BackendType, variable: Option<&str>) -> String {
    match (variable, kind) {
        (Some(variable), BackendType::Gemini) => {
            format!("export {variable}=... (keys are made at https://aistudio.google.com/apikey)")
        }
        (Some(variable), _) => format!("export {variable}=..."),
        (None, _) => "name the variable that holds the key in `apiKeyEnv`, and export it".into(),
    }
}
