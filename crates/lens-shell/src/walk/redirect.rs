//! Where commands read from and write to.

use super::Walk;
use crate::plan::{Act, Doubt};
use crate::syntax::{Redirect, RedirectKind, Word};
use crate::value::{Flow, Taint, Value};

/// The ends of a command after its redirections.
#[derive(Default)]
struct Ends {
    input: Option<Flow>,
    /// The file that its output goes to: the last one, those before it stay empty.
    output: Option<Value>,
}

impl Walk<'_> {
    pub(super) fn redirected(
        &mut self,
        redirects: &[Redirect],
        input: &Flow,
        walk: impl FnOnce(&mut Self, &Flow) -> Flow,
    ) -> Flow {
        if redirects.is_empty() {
            return walk(self, input);
        }
        let mut ends = Ends::default();
        for redirect in redirects {
            self.redirect(redirect, &mut ends);
        }
        let flow = walk(self, ends.input.as_ref().unwrap_or(input));
        let Some(output) = ends.output else { return flow };
        self.remember(&output.text, &flow);
        Flow::silent()
    }

    fn redirect(&mut self, redirect: &Redirect, ends: &mut Ends) {
        let to_input = matches!(redirect.descriptor, None | Some(0));
        let to_output = matches!(redirect.descriptor, None | Some(1));
        match &redirect.kind {
            RedirectKind::Read(word) => {
                let target = self.single(word);
                let flow = self.opened(&target, Act::Read);
                ends.input = if to_input { Some(flow) } else { ends.input.take() };
            }
            RedirectKind::ReadWrite(word) => {
                let target = self.single(word);
                self.opened(&target, Act::Write);
                let flow = self.opened(&target, Act::Read);
                ends.input = if to_input { Some(flow) } else { ends.input.take() };
            }
            RedirectKind::Write(word) => self.output(word, to_output, ends),
            RedirectKind::Both(word) => self.output(word, true, ends),
            RedirectKind::Duplicate(word) => self.duplicate(word, to_input, ends),
            RedirectKind::HereString(word) => {
                let mut value = self.single(word);
                value.text.push('\n');
                ends.input = Some(document(&value));
            }
            RedirectKind::HereDocument(body) => {
                let value = body.get().map(|word| self.single(word)).unwrap_or_default();
                ends.input = Some(document(&value));
            }
        }
    }

    fn output(&mut self, word: &Word, captures: bool, ends: &mut Ends) {
        let target = self.single(word);
        self.opened(&target, Act::Write);
        if captures && target.source.is_none() {
            ends.output = Some(target);
        }
    }

    /// `>&2` and `<&3` name descriptors; `>&file` is the old spelling of `&>file`.
    fn duplicate(&mut self, word: &Word, to_input: bool, ends: &mut Ends) {
        let target = self.single(word);
        let name = target.text.trim_end_matches('-');
        if !name.bytes().all(|byte| byte.is_ascii_digit()) && !target.taint.unknown {
            self.opened(&target, Act::Write);
            ends.output = Some(target);
        } else if self.connected && to_input && !matches!(name, "" | "0" | "1" | "2") {
            let taint = Taint { fetched: true, ..Taint::default() };
            ends.input = Some(Flow::unknown().tainted(taint));
        }
    }

    /// What is read when a file is opened.
    fn opened(&mut self, target: &Value, act: Act) -> Flow {
        if target.source.is_none() {
            self.touch(act, target);
        }
        if self.is_connection(&target.text) {
            self.doubt(Doubt::Listens);
            self.connected = true;
            let taint = Taint { fetched: true, ..Taint::default() };
            return Flow::unknown().tainted(taint);
        }
        self.content(target)
    }
}

/// Text that stands in the script itself; a part that is not known leaves the rest readable.
fn document(value: &Value) -> Flow {
    Flow::text(value.text.as_str()).tainted(value.taint)
}
