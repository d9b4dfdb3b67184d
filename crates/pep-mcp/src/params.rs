//! Which parameters of which tools are repeated in headers, as far as servers have said.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use pathwarden_lens_mcp::headers::Param;
use pathwarden_types::Name;

/// The parameters that are repeated in headers, by server and tool: those of the lists that passed. At
/// most so many tools; the oldest go first. A header for what is not known is not passed on.
pub(crate) struct Params {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    tools: BTreeMap<Key, Vec<Param>>,
    order: VecDeque<Key>,
}

type Key = (Name, String);

/// The most tools whose parameters are known.
const TOOLS_MAX: usize = 4_096;

impl Params {
    pub(crate) fn new() -> Self {
        Self { known: Mutex::default() }
    }

    /// A server said what parameters a tool has.
    pub(crate) fn learn(&self, server: &Name, tool: String, params: Vec<Param>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (server.clone(), tool);
        if params.is_empty() {
            known.tools.remove(&key);
            return;
        }
        if known.tools.insert(key.clone(), params).is_none() {
            known.order.push_back(key);
        }
        while known.order.len() > TOOLS_MAX {
            let Some(oldest) = known.order.pop_front() else { break };
            known.tools.remove(&oldest);
        }
    }

    /// The parameters of a tool that are repeated in headers.
    pub(crate) fn of(&self, server: &Name, tool: &str) -> Vec<Param> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.tools.get(&(server.clone(), tool.to_owned())).cloned().unwrap_or_default()
    }
}
