//! The tool calls that a model emits: each gets its identity, and where no other enforcement point stands
//! in its way its decision, before the agent sees it.

use std::collections::BTreeMap;

use bytes::Bytes;
use pathwarden_decide::Permit;
use pathwarden_json::edit::splice;
use pathwarden_json::{Json, Kind, Pointer, canonical, push_string};
use pathwarden_lens_llm::{Call, Ruling};
use pathwarden_pep::{Final, in_time, settle};
use pathwarden_types::{ActionId, DecidedAt, Digest, Effect, Emission, Obligation, Outcome, Ratio};
use pathwarden_wire::{Ask, Emitted, Fault, Held, Refusal, Report};

use crate::reply::{GONE, Reply};
use crate::visit::Visit;

/// The calls of one answer.
pub(crate) struct Emitting<'a> {
    visit: &'a Visit,
    model_call: ActionId,
    /// Calls of each name that stand in the window without an id: they are counted by name.
    before: BTreeMap<String, usize>,
    /// The identities, by the number of the call in the answer.
    pub(crate) actions: BTreeMap<usize, ActionId>,
    count: usize,
}

impl<'a> Emitting<'a> {
    pub(crate) const fn new(
        visit: &'a Visit,
        model_call: ActionId,
        before: BTreeMap<String, usize>,
    ) -> Self {
        Self { visit, model_call, before, actions: BTreeMap::new(), count: 0 }
    }

    /// What becomes of each call. Doubt is no release.
    pub(crate) async fn rule(
        &mut self,
        calls: &[Call],
        confidence: Option<Ratio>,
        reply: &mut Reply,
    ) -> Vec<Ruling> {
        let mut rulings = Vec::with_capacity(calls.len());
        for call in calls {
            let ruling = match self.rule_one(call, confidence, reply).await {
                Ok(ruling) => ruling,
                Err(fault) => {
                    tracing::error!(%fault, advice = fault.advice, "a call is not released");
                    Ruling::Instead(instead(&call.name, "pathwarden", &fault.advice, None))
                }
            };
            self.count += 1;
            rulings.push(ruling);
        }
        rulings
    }

    async fn rule_one(
        &mut self,
        call: &Call,
        confidence: Option<Ratio>,
        reply: &mut Reply,
    ) -> Result<Ruling, Fault> {
        let Some(canonical) = canonical_digest(&call.arguments) else {
            let advice = "emit the arguments as one JSON object with unique keys";
            return Ok(Ruling::Instead(instead(&call.name, "unreadable", advice, None)));
        };
        let emitted = Emitted {
            session: self.visit.session,
            model_call: self.model_call,
            call: self.id_in_window(call),
            name: call.name.clone(),
            arguments: call.arguments.clone(),
            canonical,
            confidence,
        };
        let pdp = &self.visit.pdp;
        let emission = in_time(&self.visit.patience, pdp.emitted(emitted)).await?;
        self.actions.insert(self.count, emission.action);
        match emission.decided {
            DecidedAt::Execution => Ok(Ruling::Release),
            DecidedAt::Emission => self.decide(call, &emission, reply).await,
        }
    }

    /// The id by which the agent will tell the result of a call. One that was made from the place of the
    /// call in this answer counts those before it in the window.
    fn id_in_window(&self, call: &Call) -> String {
        let counted = call.id.strip_prefix(&call.name).and_then(|rest| rest.strip_prefix('#'));
        match (counted.and_then(|number| number.parse::<usize>().ok()), self.before.get(&call.name))
        {
            (Some(number), Some(before)) => format!("{}#{}", call.name, number + before),
            _ => call.id.clone(),
        }
    }

    async fn decide(
        &self,
        call: &Call,
        emission: &Emission,
        reply: &mut Reply,
    ) -> Result<Ruling, Fault> {
        let ask = Ask {
            session: self.visit.session,
            operation: emission.operation.clone(),
            arguments: call.arguments.clone(),
            canonical: emission.canonical,
            parent: Some(self.model_call),
            near_person: false,
            resume: None,
            minted: Some(emission.action),
        };
        let patience = &self.visit.patience;
        let first = in_time(patience, self.visit.pdp.ask(ask)).await?;
        let hint = reply.hints();
        let mut signs = |held: &Held, _told: u64| {
            // A comment keeps the connection alive and says nothing to the model's client.
            hint(Bytes::from(format!(": waiting for approval {}\n\n", held.approval)));
        };
        let settled = settle(&*self.visit.pdp, patience, first, emission.canonical, &mut signs);
        let answer = tokio::select! {
            // First, so that a permit that is there is not dropped.
            biased;
            answer = settled => answer?,
            () = reply.gone() => {
                return Ok(Ruling::Instead(instead(&call.name, "gone", GONE, Some(emission.action))));
            }
        };
        match answer {
            Final::Release(permit) => self.release(call, permit).await,
            Final::Refuse(Refusal { action, code, advice }) => {
                Ok(Ruling::Instead(instead(&call.name, &code, &advice, Some(action))))
            }
            Final::Waits(Held { action, approval, .. }) => {
                let advice =
                    format!("a person is asked (approval {approval}); call it again later");
                Ok(Ruling::Instead(instead(&call.name, "held", &advice, Some(action))))
            }
            Final::AskPerson(_) => {
                let advice = "a person must approve this, with `pathwarden approvals`";
                Ok(Ruling::Instead(instead(&call.name, "held", advice, Some(emission.action))))
            }
        }
    }

    /// The permit is spent on this call. Its effect is what the agent tells the model it was.
    async fn release(&self, call: &Call, permit: Permit) -> Result<Ruling, Fault> {
        let changed = rewritten(&call.arguments, permit.obligations());
        let release = permit.into_release();
        match changed {
            Ok(None) => Ok(Ruling::Release),
            Ok(Some(arguments)) => Ok(Ruling::Rewrite(arguments)),
            Err(words) => {
                let effect = Effect {
                    outcome: Outcome::Failed,
                    request_bytes: 0,
                    response_bytes: 0,
                    elapsed_ms: 0,
                    detail: format!("not released, because {words}"),
                    measured: None,
                };
                let (session, action) = (self.visit.session, release.action);
                let report = Report { session, action, effect, result: None };
                in_time(&self.visit.patience, self.visit.pdp.report(report)).await?;
                let advice = "leave out what may not be passed on";
                Ok(Ruling::Instead(instead(&call.name, "unfulfilled", advice, Some(action))))
            }
        }
    }
}

/// What the agent is told in place of a call, as words of the model.
fn instead(tool: &str, code: &str, advice: &str, action: Option<ActionId>) -> String {
    let tool: String = tool.chars().take(128).collect();
    let action = action.map(|action| format!("\nAction: {action}")).unwrap_or_default();
    format!(
        "[Pathwarden] The call of `{tool}` was stopped before it was made.\nCode: {code}\n\
         Instead: {advice}{action}"
    )
}

/// Digest of arguments in canonical form; `None` when they are not an object that every parser reads alike.
pub(crate) fn canonical_digest(arguments: &str) -> Option<Digest> {
    let value = Json::parse(arguments.as_bytes()).ok()?;
    (value.kind() == Kind::Object).then(|| Digest::of(&canonical(value)))
}

/// The arguments with what obligations put in place of strings; `None` when they leave them alone.
fn rewritten(arguments: &str, obligations: &[Obligation]) -> Result<Option<String>, String> {
    let value = Json::parse(arguments.as_bytes()).map_err(|fault| fault.to_string())?;
    let mut parts = Vec::new();
    for obligation in obligations {
        let Obligation::Rewrite { pointer, value: text } = obligation else {
            match obligation {
                Obligation::Redact { .. } => return Err("a redaction was not resolved".to_owned()),
                Obligation::RateLimit { .. } | Obligation::Watch | Obligation::Rewrite { .. } => {
                    continue;
                }
            }
        };
        let way: Pointer = pointer.parse().map_err(|_| format!("`{pointer}` is no pointer"))?;
        let target = way.find(value).filter(|target| target.kind() == Kind::String);
        let target = target.ok_or_else(|| format!("there is no text at `{pointer}`"))?;
        let mut new = String::new();
        push_string(&mut new, text);
        parts.push((target.span(), new));
    }
    if parts.is_empty() {
        return Ok(None);
    }
    String::from_utf8(splice(arguments, parts)).map(Some).map_err(|_| "it is no text".to_owned())
}

#[cfg(test)]
mod tests {
    use pathwarden_types::Obligation;

    use super::rewritten;

    #[test]
    fn obligations_change_the_string_they_name_and_nothing_else() {
        let rewrite = |pointer: &str| Obligation::Rewrite {
            pointer: pointer.to_owned(),
            value: "cut".to_owned(),
        };
        let arguments = r#"{ "to": "a", "n": 1.0 }"#;
        let of = |obligations: &[Obligation]| rewritten(arguments, obligations);
        assert_eq!(of(&[Obligation::Watch]), Ok(None));
        assert_eq!(of(&[rewrite("/to")]), Ok(Some(r#"{ "to": "cut", "n": 1.0 }"#.to_owned())));
        assert!(of(&[rewrite("/n")]).is_err());
        assert!(of(&[rewrite("/nothing")]).is_err());
        let redact = Obligation::Redact { pointer: "/to".to_owned(), classes: Vec::new() };
        assert!(of(&[redact]).is_err());
    }
}
