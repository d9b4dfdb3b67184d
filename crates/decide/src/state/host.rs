//! What processes do to a machine, in the state of a session.

use pathwarden_types::{Decided, Millis, Verdict};

use super::{OpenPermit, State};
use crate::sources::Standing;

impl State {
    /// Programs probe what they may not have, and know nothing of refusals: neither their number nor their
    /// repetition says anything of the agent.
    pub(super) fn decide_on_host(&mut self, at: Millis, decided: &Decided) {
        match decided.verdict {
            Verdict::Hold => self.hold(decided),
            Verdict::Allow | Verdict::Constrain => self.release_on_host(at, decided),
            Verdict::Deny | Verdict::Isolate => {}
        }
        self.forget_spent_questions();
    }

    fn release_on_host(&mut self, at: Millis, decided: &Decided) {
        self.use_approval(decided);
        let (server, standing) = (decided.operation.server.clone(), Standing::default());
        let has_effect = decided.class.has_effect();
        self.open.insert(decided.action, OpenPermit { at, server, standing, has_effect });
    }
}
