//! What a model is shown: the window as the node sees it, and the texts as they were decided to be shown.

use std::collections::BTreeMap;

use bytes::Bytes;
use pathwarden_lens_llm::{Part, PartKind, Provider, Request, ServerTool};
use pathwarden_types::{Digest, Obligation, ObservationKind};
use pathwarden_wire::{Piece, ShownWindow};
use serde_json::json;

use crate::memo::Shown;
use crate::visit::Visit;

/// What holds no words that are known here is read all the same up to this length, in bytes: words may
/// stand in a block of a kind that is new. A longer one is an image.
const MEDIA_READ_BYTES_MAX: usize = 32 << 10;

/// How the texts of a window are to be shown, by the number of the part.
pub(crate) struct Texts {
    policy: Digest,
    /// What the node wants to be shown otherwise; that is what is decided then.
    cut: BTreeMap<usize, String>,
    /// What was decided to be shown otherwise, of earlier calls.
    earlier: BTreeMap<usize, String>,
    /// Parts that are decided now, in the order in which they are asked about.
    asked: Vec<usize>,
}

impl Texts {
    pub(crate) fn new(
        visit: &Visit,
        parts: &[Part],
        policy: Digest,
        cut: Vec<(usize, String)>,
    ) -> Self {
        let cut = cut.into_iter().collect();
        let mut texts = Self { policy, cut, earlier: BTreeMap::new(), asked: Vec::new() };
        for (number, part) in parts.iter().enumerate() {
            let known = visit.shared.memo.of(visit.session, policy, &texts.digest(number, part));
            match known {
                Some(Shown::Instead(text)) => {
                    texts.earlier.insert(number, text.to_string());
                }
                Some(Shown::AsItIs) => {}
                None if part.kind != PartKind::Media || part.text.len() <= MEDIA_READ_BYTES_MAX => {
                    texts.asked.push(number);
                }
                None => {}
            }
        }
        texts
    }

    /// The text of a part before anything was decided of it.
    fn text<'a>(&'a self, number: usize, part: &'a Part) -> &'a str {
        self.cut.get(&number).map_or(part.text.as_str(), String::as_str)
    }

    fn digest(&self, number: usize, part: &Part) -> Digest {
        Digest::of(self.text(number, part).as_bytes())
    }

    /// What is decided: what is new in the window, and what the model is given to use.
    pub(crate) fn arguments(
        &self,
        provider: Provider,
        only_counted: bool,
        request: &Request,
    ) -> String {
        let parts = request.parts();
        let asked = self.asked.iter().filter_map(|number| Some((*number, parts.get(*number)?)));
        let new: Vec<&str> = asked.map(|(number, part)| self.text(number, part)).collect();
        let tools: Vec<&str> = request.tools().iter().map(|tool| tool.name.as_str()).collect();
        let server_tools = request.server_tools().iter().map(|tool| {
            json!({
                "kind": tool.kind,
                "name": tool.name,
                "server_url": address(tool),
                "approval": approval(provider, tool),
            })
        });
        json!({
            "model": request.model(),
            "new": new,
            "parts": parts.len(),
            "tools": tools,
            "server_tools": server_tools.collect::<Vec<_>>(),
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
            Some((self.digest(*number, parts.get(*number)?), shown))
        });
        let decided: Vec<_> = decided.collect();
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
