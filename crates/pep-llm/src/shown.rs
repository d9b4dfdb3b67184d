//! What a model is shown: the window as the node sees it, and the texts as they were decided to be shown.

use std::collections::BTreeMap;

use bytes::Bytes;
use pathwarden_lens_llm::{Part, PartKind, Provider, Request, ServerTool};
use pathwarden_types::{Digest, Obligation, ObservationKind};
use pathwarden_wire::{Ask, Piece, ShownWindow};
use serde_json::{Value, json};

use crate::memo::Shown;
use crate::unread;
use crate::visit::Visit;

/// The most pieces that may be new in a window at once: more than any conversation grows in one turn, and
/// about what one takes that is resumed.
const NEW_PIECES_MAX: usize = 4_096;

/// How the texts of a window are to be shown. Besides its parts, two texts are decided that cannot be
/// changed: the declarations of tools, and whatever else the provider reads.
pub(crate) struct Texts {
    policy: Digest,
    /// What else decides how a text may be shown: to whom, and with which tools in reach.
    scope: Digest,
    /// What the node wants to be shown otherwise; that is what is decided then.
    cut: BTreeMap<usize, String>,
    /// The words of parts that are images and the like.
    media: BTreeMap<usize, String>,
    /// What was decided to be shown otherwise, of earlier calls.
    earlier: BTreeMap<usize, String>,
    /// Parts that are decided now, in the order in which they are asked about.
    asked: Vec<usize>,
    tools: String,
    unread: String,
    server_tools: Value,
}

/// A window has too much that is new.
pub(crate) struct TooMuch;

impl Texts {
    /// Of a window that no node has seen yet. Nothing is recorded of one that has too much that is new.
    pub(crate) fn of(
        visit: &Visit,
        request: &Request,
        only_counted: bool,
    ) -> Result<Self, TooMuch> {
        let parts = request.parts();
        let server_tools = server_tools(visit.provider(), request);
        let reach = server_tools.to_string();
        let scope = [
            visit.name.as_str().as_bytes(),
            &[0],
            request.model().as_bytes(),
            &[0, u8::from(only_counted)],
            reach.as_bytes(),
        ];
        let media = parts.iter().enumerate().filter(|(_, part)| part.kind == PartKind::Media);
        let texts = Self {
            policy: Digest::of(b""),
            scope: Digest::of_parts(&scope),
            cut: BTreeMap::new(),
            media: media.map(|(number, part)| (number, unread::words(&part.text))).collect(),
            earlier: BTreeMap::new(),
            asked: Vec::new(),
            tools: tools_text(request),
            unread: unread::of(request),
            server_tools,
        };
        let known = |text: &str| visit.shared.memo.knows(visit.session, &texts.key(text));
        let all = parts.iter().enumerate().map(|(number, part)| texts.text(number, part));
        let new =
            all.chain([texts.tools.as_str(), texts.unread.as_str()]).filter(|text| !known(text));
        let (count, bytes) =
            new.fold((0, 0), |(count, bytes), text| (count + 1, bytes + text.len()));
        if count > NEW_PIECES_MAX || bytes > Ask::ARGUMENTS_BYTES_MAX {
            return Err(TooMuch);
        }
        Ok(texts)
    }

    /// The same once the node has seen the window.
    pub(crate) fn seen(
        mut self,
        visit: &Visit,
        parts: &[Part],
        policy: Digest,
        cut: Vec<(usize, String)>,
    ) -> Self {
        self.policy = policy;
        self.cut = cut.into_iter().collect();
        for (number, part) in parts.iter().enumerate() {
            match self.decided(visit, self.text(number, part)) {
                Some(Shown::Instead(text)) => {
                    self.earlier.insert(number, text.to_string());
                }
                Some(Shown::AsItIs) => {}
                None => self.asked.push(number),
            }
        }
        self
    }

    fn decided(&self, visit: &Visit, text: &str) -> Option<Shown> {
        visit.shared.memo.of(visit.session, self.policy, &self.key(text))
    }

    /// The text of a part before anything was decided of it.
    fn text<'a>(&'a self, number: usize, part: &'a Part) -> &'a str {
        let cut = self.cut.get(&number).or_else(|| self.media.get(&number));
        cut.map_or(part.text.as_str(), String::as_str)
    }

    fn key(&self, text: &str) -> Digest {
        Digest::of_parts(&[self.scope.as_bytes(), text.as_bytes()])
    }

    /// What is decided: what is new in the window, and what the model is given to use.
    pub(crate) fn arguments(&self, visit: &Visit, only_counted: bool, request: &Request) -> String {
        let parts = request.parts();
        let asked = self.asked.iter().filter_map(|number| Some((*number, parts.get(*number)?)));
        let new: Vec<&str> = asked.map(|(number, part)| self.text(number, part)).collect();
        let tools: Vec<&str> = request.tools().iter().map(|tool| tool.name.as_str()).collect();
        let fresh = |text: &str| self.decided(visit, text).is_none().then(|| text.to_owned());
        json!({
            "model": request.model(),
            "new": new,
            "parts": parts.len(),
            "tools": tools,
            "declared": fresh(&self.tools),
            "else": fresh(&self.unread),
            "server_tools": self.server_tools,
            "continues": request.continues(),
            "only_counted": only_counted,
        })
        .to_string()
    }

    /// The body with what obligations want, of this call and of earlier ones; all other bytes are as they
    /// came.
    pub(crate) fn fulfil(
        self,
        visit: &Visit,
        request: &Request,
        obligations: &[Obligation],
    ) -> Result<Bytes, String> {
        let parts = request.parts();
        let fresh = self.fresh(obligations)?;
        let decided = self.asked.iter().filter_map(|number| {
            let shown = match fresh.get(number) {
                Some(text) => Shown::Instead(text.as_str().into()),
                None => Shown::AsItIs,
            };
            Some((self.key(self.text(*number, parts.get(*number)?)), shown))
        });
        let others = [&self.tools, &self.unread].map(|text| (self.key(text), Shown::AsItIs));
        let decided: Vec<_> = decided.chain(others).collect();
        // What was decided last holds most.
        let Self { policy, mut cut, earlier, .. } = self;
        cut.extend(earlier);
        cut.extend(fresh);
        let mut changes = Vec::with_capacity(cut.len());
        for (number, text) in cut {
            let part = parts.get(number).ok_or_else(|| format!("there is no part {number}"))?;
            changes.push((part.pointer.clone(), text));
        }
        let body = if changes.is_empty() {
            request.body().to_vec()
        } else {
            request.rewrite(&changes).map_err(|fault| fault.to_string())?
        };
        visit.shared.memo.keep(visit.session, policy, decided.into_iter());
        Ok(body.into())
    }

    /// What obligations put in the place of parts, by the number of the part.
    fn fresh(&self, obligations: &[Obligation]) -> Result<BTreeMap<usize, String>, String> {
        let mut fresh = BTreeMap::new();
        for obligation in obligations {
            match obligation {
                Obligation::Rewrite { pointer, value } => {
                    let number = pointer.strip_prefix("/new/").and_then(|at| at.parse().ok());
                    let part = number.and_then(|number: usize| self.asked.get(number));
                    let part = part.ok_or_else(|| format!("there is no part at `{pointer}`"))?;
                    fresh.insert(*part, value.clone());
                }
                Obligation::Redact { .. } => return Err("a redaction was not resolved".to_owned()),
                Obligation::RateLimit { .. } | Obligation::Watch => {}
            }
        }
        Ok(fresh)
    }
}

/// The window as the node is to see it.
pub(crate) fn window(visit: &Visit, request: &Request) -> ShownWindow {
    let piece = |part: &Part| Piece {
        kind: match part.kind {
            PartKind::System => ObservationKind::SystemPrompt,
            PartKind::User => ObservationKind::UserTurn,
            PartKind::Assistant | PartKind::Reasoning | PartKind::Call | PartKind::Compaction => {
                ObservationKind::AssistantTurn
            }
            PartKind::ToolResult => ObservationKind::ToolResult,
            PartKind::Document => ObservationKind::Document,
            PartKind::Media if is_sealed(part) => ObservationKind::AssistantTurn,
            PartKind::Media => ObservationKind::Media,
        },
        text: part.text.clone(),
        call: part.call.clone(),
        name: part.name.clone(),
    };
    ShownWindow {
        session: visit.session,
        provider: visit.name.clone(),
        model: request.model().to_owned(),
        pieces: request.parts().iter().map(piece).collect(),
        tools: (!request.tools().is_empty() || !request.server_tools().is_empty())
            .then(|| tools_text(request)),
        continues: request.continues(),
    }
}

/// Whether a part is what the model thought before, sealed by its provider. Results of searches are sealed
/// as well, deeper in a message, and are somebody else's.
fn is_sealed(part: &Part) -> bool {
    let steps: Vec<&str> = part.pointer.split('/').collect();
    matches!(
        steps.as_slice(),
        ["", "input", _, "encrypted_content"]
            | ["", "messages", _, "content", _, "signature"]
            | ["", "contents", _, "parts", _, "thoughtSignature" | "thought_signature"]
    )
}

/// The declarations of all tools, without credentials.
fn tools_text(request: &Request) -> String {
    let own = request.tools().iter().map(|tool| tool.text.as_str());
    let all = own.chain(request.server_tools().iter().map(|tool| tool.text.as_str()));
    format!("[{}]", all.collect::<Vec<_>>().join(","))
}

/// The tools that the provider runs, and the calls of such tools that the agent approves by itself.
fn server_tools(provider: Provider, request: &Request) -> Value {
    let declared = request.server_tools().iter().map(|tool| {
        json!({
            "kind": tool.kind,
            "name": tool.name,
            "server_url": address(tool),
            "approval": approval(provider, tool),
        })
    });
    let approved = (0..unread::approvals(request)).map(|_| {
        json!({
            "kind": "mcp_approval_response",
            "name": "",
            "server_url": "",
            "approval": "given",
        })
    });
    declared.chain(approved).collect()
}

/// The address of a server that the provider calls; empty for what only the provider can follow.
fn address(tool: &ServerTool) -> &str {
    let url = tool.server_url.as_deref().unwrap_or_default();
    if url.contains("://") { url } else { "" }
}

/// Whether the provider asks before it calls a server: OpenAI does unless it is told not to, Anthropic
/// never does.
fn approval(provider: Provider, tool: &ServerTool) -> String {
    match (&tool.approval, tool.kind.as_str(), provider) {
        (Some(text), ..) => text.trim_matches('"').to_owned(),
        (None, "mcp", Provider::OpenAi) => "always".to_owned(),
        (None, "mcp", _) => "never".to_owned(),
        (None, ..) => String::new(),
    }
}
