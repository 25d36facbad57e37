//! Which model servers there are.

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Seconds, is_default};

/// The base URL that a backend of type `openaiCompat` has by default: LM Studio on the original's port.
pub const DEFAULT_OPENAI_URL: &str = "http://127.0.0.1:11211/v1";
/// The base URL that a backend of type `gemini` has by default.
/// Source: <https://ai.google.dev/api>.
pub const DEFAULT_GEMINI_URL: &str = "https://generativelanguage.googleapis.com/v1beta";
/// The environment variable that holds the key of a `gemini` backend by default.
pub const DEFAULT_GEMINI_KEY_VARIABLE: &str = "GEMINI_API_KEY";

/// Which kind of model server a backend speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BackendType {
    /// `POST {baseUrl}/chat/completions`: LM Studio, Ollama, llama.cpp, vLLM, groq, OpenAI.
    OpenaiCompat,
    /// Google's `generateContent`.
    Gemini,
    /// No server: a table of rules over what is known of the screen.
    Builtin,
}

impl BackendType {
    /// The name as it stands in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenaiCompat => "openaiCompat",
            Self::Gemini => "gemini",
            Self::Builtin => "builtin",
        }
    }
}

/// What decides while a backend's server does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Fallback {
    /// Nothing: the agent is left alone, and that is said.
    #[default]
    Hold,
    /// The built-in rules.
    Builtin,
}

/// One model server.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackendConfig {
    /// The wire format.
    #[serde(rename = "type")]
    pub kind: BackendType,
    /// Where the server is; each type has a default.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "http_url"
    )]
    pub base_url: Option<String>,
    /// The model's name there; each type has a default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The key itself. Better: `apiKeyEnv`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "expose"
    )]
    #[schemars(with = "Option<String>")]
    pub api_key: Option<SecretString>,
    /// The environment variable that holds the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// What decides while this server does not answer (decide backend only).
    #[serde(default, skip_serializing_if = "is_default")]
    pub fallback: Fallback,
    /// How long one request may take, in seconds (decide: 60, review: 300).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_sec: Option<Seconds>,
}

impl BackendConfig {
    /// A backend of type `kind` with that type's defaults.
    pub const fn of(kind: BackendType) -> Self {
        Self {
            kind,
            base_url: None,
            model: None,
            api_key: None,
            api_key_env: None,
            fallback: Fallback::Hold,
            timeout_sec: None,
        }
    }

    pub(super) fn default_review() -> Self {
        Self::of(BackendType::Gemini)
    }

    /// Where the server is, without a slash at the end; empty for `builtin`.
    pub fn base_url(&self) -> &str {
        let default = match self.kind {
            BackendType::OpenaiCompat => DEFAULT_OPENAI_URL,
            BackendType::Gemini => DEFAULT_GEMINI_URL,
            BackendType::Builtin => "",
        };
        self.base_url
            .as_deref()
            .unwrap_or(default)
            .trim_end_matches('/')
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        let default = match self.kind {
            BackendType::OpenaiCompat => "local-model",
            BackendType::Gemini => "gemini-2.5-pro",
            BackendType::Builtin => "rules",
        };
        self.model.as_deref().unwrap_or(default)
    }

    /// The variable that is asked for a key where the configuration holds none.
    pub fn key_variable(&self) -> Option<&str> {
        let default = (self.kind == BackendType::Gemini).then_some(DEFAULT_GEMINI_KEY_VARIABLE);
        self.api_key_env.as_deref().or(default)
    }
}

impl Default for BackendConfig {
    fn default() -> Self {
        Self::of(BackendType::OpenaiCompat)
    }
}

impl PartialEq for BackendConfig {
    fn eq(&self, other: &Self) -> bool {
        let key = |backend: &Self| {
            backend
                .api_key
                .as_ref()
                .map(|key| key.expose_secret().to_owned())
        };
        self.kind == other.kind
            && self.base_url == other.base_url
            && self.model == other.model
            && key(self) == key(other)
            && self.api_key_env == other.api_key_env
            && self.fallback == other.fallback
            && self.timeout_sec == other.timeout_sec
    }
}

/// The one place where a key leaves its wrapper: into the person's own file, which held it before.
#[expect(clippy::ref_option, reason = "the form that serde calls")]
fn expose<S: Serializer>(key: &Option<SecretString>, to: S) -> Result<S::Ok, S::Error> {
    key.as_ref().map(ExposeSecret::expose_secret).serialize(to)
}

fn http_url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let url = Option::<String>::deserialize(from)?;
    match url.as_deref() {
        Some(text) if !(text.starts_with("http://") || text.starts_with("https://")) => {
            Err(de::Error::invalid_value(
                de::Unexpected::Str(text),
                &"a URL that begins with http:// or https://",
            ))
        }
        _ => Ok(url),
    }
}
