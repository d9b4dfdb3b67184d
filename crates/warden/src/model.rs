//! Models: windows and what stands in them, calls that models emit, and who carries them out.

use std::collections::BTreeSet;

use pathwarden_context::{Artifact, Placed, Window, mark_of_text};
use pathwarden_decide::{Claimed, Reading, State};
use pathwarden_json::Json;
use pathwarden_types::{
    Action, ActionId, Claim, DecidedAt, Digest, Effect, Emission, Event, Finding, FindingKind,
    Integrity, Mark, MarkKind, Name, Observation, ObservationKind, Operation, OperationKind,
    Outcome, SessionId, Trust,
};
use pathwarden_wire::{
    Ask, Asking, Emitted, Fault, FaultKind, ModelPdp, Observe, Piece, Said, Seen, ShownWindow,
};

use crate::live::Live;
use crate::memory::Read;
use crate::pdp::{Seen as SeenText, random};
use crate::{Caller, Door, Warden, internal};

/// The server of tools that an agent runs itself, in policies and records.
pub const LOCAL: &str = "local";

/// The most that one window may hold, in bytes.
const WINDOW_BYTES_MAX: usize = 24 << 20;

/// How much of a name is kept as words of a mark, in bytes.
const WORDS_BYTES_MAX: usize = 256;

impl ModelPdp for Door {
    fn window(&self, window: ShownWindow) -> Asking<'_, Seen> {
        Box::pin(async move { self.warden().see_window(self.caller(), window) })
    }

    fn emitted(&self, emitted: Emitted) -> Asking<'_, Emission> {
        Box::pin(async move { self.warden().see_emitted(self.caller(), emitted) })
    }

    fn said(&self, said: Said) -> Asking<'_, ()> {
        Box::pin(async move { self.warden().see_said(self.caller(), said) })
    }
}

/// A piece of a window with what is found of it before any lock is taken.
struct Looked {
    piece: Piece,
    content: Digest,
    /// What it holds, where that is not known yet and matters.
    reading: Option<Reading>,
}

impl Warden {
    fn see_window(&self, caller: &Caller, shown: ShownWindow) -> Result<Seen, Fault> {
        let ShownWindow { session, provider, model, mut pieces, tools, continues } = shown;
        let bytes: usize = pieces.iter().map(|piece| piece.text.len()).sum();
        if pieces.len() > Window::ARTIFACTS_MAX || bytes > WINDOW_BYTES_MAX {
            let most = Window::ARTIFACTS_MAX;
            let message =
                format!("a window of more than {most} pieces or {WINDOW_BYTES_MAX} bytes");
            return Err(Fault::new(FaultKind::TooMuch, message, "begin a new conversation"));
        }
        let instead = self.cut_memory(&mut pieces)?;
        let looked = self.look_at(caller, session, pieces)?;
        let mut shard = self.shard(session)?;
        let (engine, live) = self.live(&mut shard, session, caller)?;
        let settings = engine.snapshot().settings().clone();
        let policy = engine.snapshot().version();
        let mut answered = Vec::new();
        for one in &looked {
            answered.extend(self.close_answered(&settings, live, session, one)?);
        }
        let action = ActionId::from_bytes(random()?).map_err(|_| internal())?;
        let artifacts =
            looked.iter().map(|one| artifact(&live.state, one)).collect::<Vec<Artifact>>();
        let tools = tools.map(String::into_bytes);
        let window = Window {
            artifacts,
            model: model.clone(),
            tools: tools.as_deref().map(Digest::of),
            continues,
        };
        let models = live.state.models();
        let placed = models.threads().place(action, &window, |text| models.told(text));
        let marks = marks(&live.state.agent().name, &provider, &looked, tools.as_deref());
        self.record_unwatched(live, session, action, &provider, &window, &looked)?;
        self.record_window(live, session, (action, &provider), &placed, looked, tools)?;
        drop(shard);
        self.note_marks(session, marks)?;
        for (action, server, read) in answered {
            self.note_memory(session, &server, action, &read)?;
        }
        if !instead.is_empty() {
            self.note_cut(session, action, &provider)?;
        }
        Ok(Seen { action, policy, instead })
    }

    /// Cuts out of the pieces what a person wants no agent to see; gives those that it changes. What the
    /// model said itself stays. Only texts that are somebody's own words count here: a window may hold any
    /// short one by chance, and whoever fills memory with common words must not blind the others.
    fn cut_memory(&self, pieces: &mut [Piece]) -> Result<Vec<(usize, String)>, Fault> {
        let mut instead = Vec::new();
        let held = self.held_in_windows()?;
        for (number, piece) in pieces.iter_mut().enumerate() {
            if piece.kind == ObservationKind::AssistantTurn {
                continue;
            }
            if let Some(text) = held.cut_or_replace(&piece.text, is_content(piece.kind)) {
                piece.text.clone_from(&text);
                instead.push((number, text));
            }
        }
        Ok(instead)
    }

    fn note_cut(&self, session: SessionId, call: ActionId, provider: &Name) -> Result<(), Fault> {
        let finding = Finding {
            kind: FindingKind::MemoryCut,
            server: Some(provider.clone()),
            subject: provider.to_string(),
            detail: "a quarantined entry was cut out of a window".to_owned(),
            action: Some(call),
        };
        self.note_finding(Some(session), finding)
    }

    /// Reads what is new and came by no way that anybody watched. No lock is held while it is read.
    fn look_at(
        &self,
        caller: &Caller,
        session: SessionId,
        pieces: Vec<Piece>,
    ) -> Result<Vec<Looked>, Fault> {
        let mut looked: Vec<Looked> = pieces
            .into_iter()
            .map(|piece| {
                let content = Digest::of(piece.text.as_bytes());
                Looked { piece, content, reading: None }
            })
            .collect();
        let new: BTreeSet<usize> = {
            let mut shard = self.shard(session)?;
            let (_, live) = self.live(&mut shard, session, caller)?;
            let models = live.state.models();
            let waits = |one: &Looked| {
                let call = one.piece.call.as_deref();
                let emission = call.and_then(|call| models.by_call(call));
                emission.is_some_and(|emission| live.state.open_permit(emission.action).is_some())
            };
            let is_new = |one: &Looked| {
                is_content(one.piece.kind) && (models.shown(&one.content).is_none() || waits(one))
            };
            looked.iter().enumerate().filter(|(_, one)| is_new(one)).map(|(at, _)| at).collect()
        };
        for (at, one) in looked.iter_mut().enumerate() {
            if new.contains(&at) {
                one.reading = Some(match one.piece.kind {
                    ObservationKind::Media => Reading::unread(&one.piece.text),
                    _ => Reading::of(&one.piece.text),
                });
            }
        }
        Ok(looked)
    }

    /// What a tool of the agent's own returned, as the agent tells it to the model, is the effect of the
    /// call that the model emitted.
    fn close_answered(
        &self,
        settings: &pathwarden_decide::Settings,
        live: &mut Live,
        session: SessionId,
        one: &Looked,
    ) -> Result<Option<(ActionId, Name, Read)>, Fault> {
        let (ObservationKind::ToolResult, Some(call), Some(reading)) =
            (one.piece.kind, &one.piece.call, &one.reading)
        else {
            return Ok(None);
        };
        let Some(emission) = live.state.models().by_call(call) else { return Ok(None) };
        let (action, decided) = (emission.action, emission.decided);
        let Some(permit) = live.state.open_permit(action) else { return Ok(None) };
        if decided != DecidedAt::Emission {
            return Ok(None);
        }
        let (server, at) = (permit.server.clone(), permit.at);
        let effect = Effect {
            outcome: Outcome::Done,
            request_bytes: 0,
            response_bytes: u64::try_from(one.piece.text.len()).unwrap_or(u64::MAX),
            elapsed_ms: self.now().since(at),
            detail: "as the agent tells it to the model".to_owned(),
            measured: None,
        };
        let seen = SeenText::read(one.piece.text.clone(), reading.clone());
        let read = self.take_result(settings, live, session, (action, &server), (seen, &effect))?;
        let event = Event::Closed { action, effect };
        self.commit_apart(live, session, event, Vec::new(), None)?;
        Ok(Some((action, server, read)))
    }

    /// Records content that is new and came by no way that anybody watched: it may be anybody's.
    fn record_unwatched(
        &self,
        live: &mut Live,
        session: SessionId,
        call: ActionId,
        provider: &Name,
        window: &Window,
        looked: &[Looked],
    ) -> Result<(), Fault> {
        for (one, artifact) in looked.iter().zip(&window.artifacts) {
            let Some(reading) = &one.reading else { continue };
            if artifact.integrity != Integrity::Untrusted || is_watched(&live.state, one) {
                continue;
            }
            let observation =
                Observation { kind: one.piece.kind, server: provider.clone(), action: Some(call) };
            let label = pathwarden_decide::unwatched_label(reading);
            let event = Event::Observed {
                observation,
                content: one.content,
                content_bytes: artifact.bytes,
                label,
            };
            let payloads = vec![one.piece.text.clone().into_bytes()];
            self.commit_apart(live, session, event, payloads, Some(reading))?;
        }
        Ok(())
    }

    fn record_window(
        &self,
        live: &mut Live,
        session: SessionId,
        (call, provider): (ActionId, &Name),
        placed: &Placed,
        looked: Vec<Looked>,
        tools: Option<Vec<u8>>,
    ) -> Result<(), Fault> {
        let text = serde_json::to_string(placed).map_err(|_| internal())?;
        let models = live.state.models();
        let is_new = |content: &Digest| models.shown(content).is_none();
        let mut payloads = vec![text.clone().into_bytes()];
        let mut kept = BTreeSet::new();
        payloads.extend(tools.filter(|tools| is_new(&Digest::of(tools))));
        for one in looked.into_iter().skip(placed.kept) {
            if is_new(&one.content) && kept.insert(one.content) {
                payloads.push(one.piece.text.into_bytes());
            }
        }
        let reading = Reading::unread(&text);
        let event = Event::Observed {
            observation: Observation {
                kind: ObservationKind::Window,
                server: provider.clone(),
                action: Some(call),
            },
            content: Digest::of(text.as_bytes()),
            content_bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
            label: pathwarden_decide::own_label(),
        };
        self.commit_apart(live, session, event, payloads, Some(&reading)).map(drop)
    }

    fn see_emitted(&self, caller: &Caller, emitted: Emitted) -> Result<Emission, Fault> {
        let Emitted { session, model_call, call, name, arguments, canonical, confidence } = emitted;
        if arguments.len() > Ask::ARGUMENTS_BYTES_MAX {
            let message = format!("arguments of more than {} bytes", Ask::ARGUMENTS_BYTES_MAX);
            return Err(Fault::new(FaultKind::TooMuch, message, "do it in smaller pieces"));
        }
        let mut shard = self.shard(session)?;
        let (engine, live) = self.live(&mut shard, session, caller)?;
        let settings = engine.snapshot().settings();
        let agent = &live.state.agent().name;
        // Whoever may offer a tool of any name would take the agent's own tools out of anybody's sight.
        let is_governed = |server: &Name, tool: &str| {
            let (kind, server) = (OperationKind::ToolCall, server.clone());
            let operation = Operation { kind, server, name: tool.to_owned() };
            let standing = self.supplies.of(&operation, agent).ok().flatten();
            settings.server(&operation.server).inside
                && standing.is_some_and(|supply| supply.trust == Trust::Known)
        };
        let meant = live.state.meant_by(&name, is_governed);
        let (server, tool, decided) = match meant {
            Some((server, tool)) => (server.clone(), tool.to_owned(), DecidedAt::Execution),
            None => (LOCAL.parse().map_err(|_| internal())?, name, DecidedAt::Emission),
        };
        let cut = call.floor_char_boundary(Emission::CALL_BYTES_MAX);
        let emission = Emission {
            action: ActionId::from_bytes(random()?).map_err(|_| internal())?,
            model_call,
            call: call.get(..cut).unwrap_or_default().to_owned(),
            operation: Operation { kind: OperationKind::ToolCall, server, name: tool },
            words: words(&arguments),
            arguments: Digest::of(arguments.as_bytes()),
            canonical,
            decided,
            confidence,
        };
        let event = Event::Emitted { emission: emission.clone() };
        self.commit_apart(live, session, event, vec![arguments.into_bytes()], None)?;
        Ok(emission)
    }

    fn see_said(&self, caller: &Caller, said: Said) -> Result<(), Fault> {
        let Said { session, action, provider, asked, served, content } = said;
        let kind = ObservationKind::ModelOutput;
        let observation = Observation { kind, server: provider.clone(), action: Some(action) };
        let agent = {
            let mut shard = self.shard(session)?;
            let (_, live) = self.live(&mut shard, session, caller)?;
            live.state.agent().name.clone()
        };
        self.observe(caller, Observe { session, observation, content })?;
        let Some(served) = served else { return Ok(()) };
        let of = format!("{provider}/{asked}");
        let form = Digest::of(served.as_bytes());
        let mark = Mark { agent, kind: MarkKind::Model, of, form, words: cut(&served) };
        self.note_marks(session, vec![mark])
    }

    /// Records marks that are new; one that earlier sessions of the agent did not have is out of order.
    fn note_marks(&self, session: SessionId, marks: Vec<Mark>) -> Result<(), Fault> {
        for mark in marks {
            let news = {
                let mut known = self.marks.lock().map_err(|_| internal())?;
                let news = known.news(session, &mark);
                if news.is_some() {
                    known.apply(Some(session), &mark);
                }
                news
            };
            let Some(is_shift) = news else { continue };
            let event = Event::Marked { mark: mark.clone() };
            self.record_in(session, event)?;
            if is_shift {
                let (what, of) = (mark.kind.as_str(), &mark.of);
                let detail = match mark.words.as_str() {
                    "" => "is none that earlier sessions had".to_owned(),
                    words => format!("is `{words}`, which earlier sessions did not have"),
                };
                self.note_finding(
                    Some(session),
                    Finding {
                        kind: FindingKind::MarkShifted,
                        server: None,
                        subject: format!("{what} of {} at {of}", mark.agent),
                        detail,
                        action: None,
                    },
                )?;
            }
        }
        Ok(())
    }
}

fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(WORDS_BYTES_MAX)).unwrap_or_default().to_owned()
}

/// Whether a piece is what somebody else has made, and not what the agent, its user or its model say.
const fn is_content(kind: ObservationKind) -> bool {
    matches!(kind, ObservationKind::ToolResult | ObservationKind::Document | ObservationKind::Media)
}

/// Whether a piece is what some enforcement point has seen a call return, or what we said instead.
fn is_watched(state: &State, one: &Looked) -> bool {
    let call = one.piece.call.as_deref();
    let Some(emission) = call.and_then(|call| state.models().by_call(call)) else { return false };
    state.is_from(emission.action, &one.piece.text) || is_refusal(&one.piece.text, emission.action)
}

/// Whether a text is little more than what an agent is told in place of a result.
fn is_refusal(text: &str, action: ActionId) -> bool {
    text.len() <= REFUSAL_BYTES_MAX
        && text.contains("Pathwarden")
        && text.contains(&format!("Action: {action}"))
}

/// The longest of our refusals, with what clients put around it, in bytes.
const REFUSAL_BYTES_MAX: usize = 1 << 10;

/// A piece of a window with what is known of where it came from. What was shown before is what it was.
fn artifact(state: &State, one: &Looked) -> Artifact {
    let Piece { kind, text, call, name } = &one.piece;
    let integrity = match (kind, state.models().shown(&one.content)) {
        (kind, Some(known)) if !is_content(*kind) => known,
        (ObservationKind::SystemPrompt, _) => Integrity::FirstParty,
        (ObservationKind::UserTurn, _)
            if state.task_is_stated() && text.trim() == state.task_text() =>
        {
            Integrity::Trusted
        }
        (ObservationKind::ToolResult, known) if is_watched(state, one) => match known {
            Some(known) => known,
            None if state.holds_untrusted(text) => Integrity::Untrusted,
            None => Integrity::FirstParty,
        },
        (kind, _) if is_content(*kind) => Integrity::Untrusted,
        _ if state.holds_untrusted(text) => Integrity::Untrusted,
        _ => Integrity::FirstParty,
    };
    Artifact {
        kind: *kind,
        content: one.content,
        bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
        integrity,
        call: call.clone(),
        name: name.clone(),
    }
}

fn marks(agent: &Name, provider: &Name, looked: &[Looked], tools: Option<&[u8]>) -> Vec<Mark> {
    let is_system = |one: &&Looked| one.piece.kind == ObservationKind::SystemPrompt;
    let system: Vec<&str> =
        looked.iter().filter(is_system).map(|one| one.piece.text.as_str()).collect();
    let mark = |kind, form| Mark {
        agent: agent.clone(),
        kind,
        of: provider.to_string(),
        form,
        words: String::new(),
    };
    let prompt = (!system.is_empty())
        .then(|| mark(MarkKind::SystemPrompt, mark_of_text(&system.join("\n"))));
    let tools = tools.map(|tools| mark(MarkKind::ToolSet, Digest::of(tools)));
    prompt.into_iter().chain(tools).collect()
}

/// Digests of the longer strings among arguments.
fn words(arguments: &str) -> Vec<Digest> {
    let Ok(value) = Json::parse(arguments.as_bytes()) else { return Vec::new() };
    let texts = value.members().filter_map(|(_, value)| value.string());
    let long = texts.filter(|text| text.len() >= Emission::WORD_BYTES_MIN);
    long.take(Emission::WORDS_MAX).map(|text| Digest::of(text.as_bytes())).collect()
}

impl Warden {
    /// Gives an action the identity that it was born with, and says what it has to do with what a model
    /// emitted.
    pub(crate) fn identify(
        &self,
        caller: &Caller,
        ask: &Ask,
        action: &mut Action,
    ) -> Result<(), Fault> {
        let mut shard = self.shard(ask.session)?;
        let (_, live) = self.live(&mut shard, ask.session, caller)?;
        if let Some(minted) = ask.minted {
            return take_minted(&live.state, minted, action);
        }
        if ask.operation.kind == OperationKind::ModelCall {
            return Err(not_minted());
        }
        let found = live.state.models().claim(&ask.operation, ask.canonical, &live.claimed);
        let Some(Claimed { action: born, parent, claim }) = found else { return Ok(()) };
        action.claim = Some(claim);
        action.parent = parent.or(action.parent);
        // One that was altered is another action: the call that was emitted may still come.
        if let Some(born) = born {
            live.claimed.insert(born);
            action.id = born;
        }
        drop(shard);
        self.note_claim(action)
    }

    fn note_claim(&self, action: &Action) -> Result<(), Fault> {
        let Operation { server, name, .. } = &action.operation;
        let (kind, detail) = match action.claim {
            Some(Claim::Altered) => (
                FindingKind::CallAltered,
                "carried out with other arguments than the model emitted",
            ),
            Some(Claim::Orphan) => {
                (FindingKind::CallOrphan, "no model call of the session emitted it")
            }
            Some(Claim::Emitted) | None => return Ok(()),
        };
        self.note_finding(
            Some(action.session),
            Finding {
                kind,
                server: Some(server.clone()),
                subject: name.clone(),
                detail: detail.to_owned(),
                action: Some(action.id),
            },
        )
    }
}

fn take_minted(state: &State, minted: ActionId, action: &mut Action) -> Result<(), Fault> {
    match action.operation.kind {
        OperationKind::ModelCall => {
            if !state.models().is_minted(minted) {
                return Err(not_minted());
            }
        }
        _ => {
            let emission = state.models().emission(minted).filter(|emission| {
                emission.decided == DecidedAt::Emission
                    && emission.operation == action.operation
                    && emission.canonical == action.canonical
            });
            let emission = emission.ok_or_else(not_minted)?;
            action.parent = Some(emission.model_call);
            action.claim = Some(Claim::Emitted);
        }
    }
    action.id = minted;
    Ok(())
}

fn not_minted() -> Fault {
    let advice = "reach the model through the gateway of the node";
    Fault::new(FaultKind::Malformed, "no model call or tool call is known by this id", advice)
}
