//! What an agent sends: the whole window with each call, and a little more than the time before.

use std::fmt::Write as _;

use anyhow::Result;
use bytes::Bytes;

use super::provider::{Model, path};
use crate::work::{TASK, prose};

/// How the agent is instructed, as often as it makes 1 KB.
const INSTRUCTION: &str =
    "You answer vendors for accounts payable. Read what is on file before you write to anybody. ";

const INSTRUCTIONS: usize = 10;

/// The agent's own tools.
const TOOLS: &str = r#"[{"type":"function","function":{"name":"read_file","description":"Reads a file of the notes.","parameters":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}}]"#;

/// One conversation with a model.
pub(super) struct Conversation {
    model: Model,
    messages: String,
    results: u64,
}

impl Conversation {
    /// A new one; `number` is another for each.
    pub(super) fn begin(model: Model, number: u64) -> Self {
        let system = INSTRUCTION.repeat(INSTRUCTIONS);
        let messages = format!(
            r#"{{"role":"system","content":"{system}"}},{{"role":"user","content":"{TASK}"}}"#
        );
        // Far enough from the next that no two results of a run have a line in common.
        Self { model, messages, results: number << 20 }
    }

    /// One that is over after this question.
    pub(super) fn question(model: Model, number: u64) -> Self {
        let mut conversation = Self::begin(model, number);
        let _ = write!(
            conversation.messages,
            r#",{{"role":"user","content":"What does note {number} say of the form?"}}"#
        );
        conversation
    }

    pub(super) const fn model(&self) -> Model {
        self.model
    }

    /// Length of the window in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.messages.len()
    }

    /// The request.
    pub(super) fn body(&self) -> Bytes {
        let Self { model, messages, .. } = self;
        let (name, is_stream) = (model.name(), *model != Model::Short);
        Bytes::from(format!(
            r#"{{"model":"{name}","stream":{is_stream},"messages":[{messages}],"tools":{TOOLS}}}"#
        ))
    }

    /// Adds what the model answered, and for each of its calls a result of about `bytes`.
    pub(super) fn go_on(&mut self, calls: &[String], bytes: usize) -> Result<()> {
        let said: String = (0..self.model.words()).map(|word| format!("word-{word} ")).collect();
        let said = if said.is_empty() { "null".to_owned() } else { format!("\"{said}\"") };
        let made: Vec<_> = calls.iter().map(|id| made(id)).collect();
        let made = made.join(",");
        write!(self.messages, r#",{{"role":"assistant","content":{said},"tool_calls":[{made}]}}"#)?;
        for id in calls {
            self.results += 1_000;
            let text = serde_json::to_string(&prose(self.results, bytes))?;
            write!(self.messages, r#",{{"role":"tool","tool_call_id":"{id}","content":{text}}}"#)?;
        }
        Ok(())
    }
}

fn made(id: &str) -> String {
    let path = path(id).replace('"', r#"\""#);
    format!(
        r#"{{"id":"{id}","type":"function","function":{{"name":"read_file","arguments":"{{\"path\":{path}}}"}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::Conversation;
    use crate::llm::provider::Model;

    #[test]
    fn each_call_repeats_the_window_of_the_one_before() {
        let mut conversation = Conversation::begin(Model::Step, 1);
        let before: Value = serde_json::from_slice(&conversation.body()).unwrap();
        conversation.go_on(&["call_00000001".to_owned()], 300).unwrap();
        let after: Value = serde_json::from_slice(&conversation.body()).unwrap();
        let messages = |body: &Value| body["messages"].as_array().unwrap().clone();
        assert_eq!(messages(&after)[..2], messages(&before)[..]);
        let arguments = &messages(&after)[2]["tool_calls"][0]["function"]["arguments"];
        let arguments: Value = serde_json::from_str(arguments.as_str().unwrap()).unwrap();
        assert_eq!(arguments["path"], "notes/call_00000001.txt");
        assert_eq!(messages(&after).len(), 4);
    }
}
