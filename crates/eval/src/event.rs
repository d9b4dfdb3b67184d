//! The format of recorded runs: JSON lines.

use serde::Deserialize;
use serde_json::Value;

/// One line of a recorded run.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Event {
    /// Its id, unique in the file.
    pub id: String,
    /// The run that it belongs to.
    pub session: String,
    /// When, in ms since the run began.
    #[serde(default)]
    pub ts_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub happening: Happening,
}

/// What happened.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(tag = "ev", rename_all = "snake_case")]
pub enum Happening {
    /// The run began.
    SessionStart {
        /// Who acts for whom.
        #[serde(default)]
        principal: Principal,
        /// What the person asked for.
        #[serde(default)]
        goal: String,
        /// The tools: `name`, `description`, `schema`, and perhaps `annotations`.
        #[serde(default)]
        tools: Vec<Value>,
    },
    /// The person said more.
    UserMessage {
        /// What.
        #[serde(default)]
        text: String,
    },
    /// The model said something. A decision point before tools does not see it.
    ModelOutput {},
    /// The agent attempted something.
    Action {
        /// The tool.
        tool: String,
        /// The arguments.
        #[serde(default)]
        args: Value,
    },
    /// What an action gave.
    Result {
        /// The action.
        of: String,
        /// What came back.
        #[serde(default)]
        output: Value,
        /// Why it failed.
        #[serde(default)]
        error: Option<Value>,
    },
}

/// Who acts for whom.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub struct Principal {
    /// The agent.
    #[serde(default)]
    pub agent: String,
    /// The person.
    #[serde(default)]
    pub user: String,
}

/// Why a line is not an event.
#[derive(Debug, thiserror::Error)]
#[error("not an event of a recorded run; each line is a JSON object with `id`, `session` and `ev`")]
pub struct EventError(#[source] serde_json::Error);

impl Event {
    /// The longest line that is read, in bytes.
    pub const BYTES_MAX: usize = 64 << 20;

    /// Reads one line.
    ///
    /// # Errors
    ///
    /// [`EventError`] when it is not of this format.
    pub fn parse(line: &str) -> Result<Self, EventError> {
        serde_json::from_str(line).map_err(EventError)
    }
}
