//! What the records of a transcript say of calls that failed.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{is_main, kind, text_of};

/// A call that ended at a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// What the agent says of it; the reset time, where there is one, stands in it.
    pub text: String,
    /// When it was written: what `text` says of times is relative to it.
    pub at: Option<DateTime<Utc>>,
}

impl RateLimit {
    /// Whether it is the limit of a plan, which ends at a time, and not one of calls per minute, after which
    /// the agent just waits for its next text.
    pub fn is_of_plan(&self) -> bool {
        let text = self.text.to_lowercase();
        ["resets", "limit reached", "hit your"]
            .iter()
            .any(|part| text.contains(part))
    }
}

/// Whether the agent itself marks the record as an error, and not as the model's words.
pub(in crate::evidence) fn is_error(record: &Value) -> bool {
    record["isApiErrorMessage"] == true
}

/// Both must say it: the text of an answer alone may quote anything.
pub(super) fn is_rate_limit(record: &Value) -> bool {
    record["error"] == "rate_limit"
        && record["apiErrorStatus"]
            .as_u64()
            .is_none_or(|code| code == 429)
}

/// Whether an error says that the conversation does not fit into the model's context any more. The texts, and what
/// the server said of it, as 2.1.197 writes them; the last two are for a context that is full again at once after it
/// was summed up, and for an answer that broke off at the end of it.
pub(super) fn is_context_full(error: &Value) -> bool {
    let text = text_of(error).unwrap_or_default();
    let details = error["errorDetails"].as_str().unwrap_or_default();
    let details = details.to_lowercase();
    text.starts_with("Prompt is too long")
        || details.contains("prompt is too long")
        || details.contains("exceed context limit")
        || text.starts_with("Autocompact is thrashing: the context refilled to the limit")
        || text.starts_with("API Error: The model has reached its context window limit")
}

/// Whether the agent notes here that it has summed its conversation up.
pub(super) fn is_compaction(record: &Value) -> bool {
    is_main(record) && kind(record) == "system" && record["subtype"] == "compact_boundary"
}
