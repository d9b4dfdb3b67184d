//! What servers offer: pinned, ruled on, switched, and withheld from lists.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use pathwarden_decide::{host_attempt, is_listed};
use pathwarden_json::{Json, canonical};
use pathwarden_store::Append;
use pathwarden_supply::{Judged, Offer, Pin, Registry, steering};
use pathwarden_types::{
    Action, Digest, Event, Finding, FindingKind, HostAttempt, Item, ItemKind, Millis, Name,
    Observation, Operation, OperationKind, Record, SessionId, Supply, Trust,
};
use pathwarden_wire::{
    Catalogue, CatalogueItem, Fault, FaultKind, FindingRow, Found, Observe, PinRow, PinShown, Pins,
    RulePin, SwitchRow, SwitchTool, Withheld,
};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::explain::unreadable;
use crate::{Caller, Warden, internal, ledger_unavailable};

/// The most findings that are listed; older ones are still in the ledger.
pub const FINDINGS_LISTED_MAX: usize = 1_000;

/// How often one and the same finding of no session is recorded at most, in ms: it may be made by
/// whoever can reach a port.
const SAME_FINDING_MS: u64 = 60_000;

/// The longest that one call waits for a change, in ms; the caller calls again.
const CHANGE_MS_MAX: u64 = 60_000;

/// How often, and with what time between, a form is looked for that is on its way to the ledger.
const FORM_TRIES: u32 = 50;
const FORM_WAIT: Duration = Duration::from_millis(20);

/// The longest note of a person, in bytes.
const NOTE_BYTES_MAX: usize = 4 << 10;

/// What is known of servers and of what was out of order, node-wide.
pub(crate) struct Supplies {
    registry: Mutex<Registry>,
    /// Held while a person's ruling or switch is made durable: one at a time.
    ruling: tokio::sync::Mutex<()>,
    changed: watch::Sender<u64>,
    findings: Mutex<VecDeque<FindingRow>>,
}

impl Supplies {
    pub(crate) fn new(registry: Registry, findings: VecDeque<FindingRow>) -> Self {
        // 0 is what a caller begins with, so that its first call answers at once.
        let changed = watch::Sender::new(registry.version().wrapping_add(1));
        Self {
            registry: Mutex::new(registry),
            ruling: tokio::sync::Mutex::default(),
            changed,
            findings: Mutex::new(findings),
        }
    }

    /// How what an action uses stands now.
    pub(crate) fn of_action(&self, action: &Action, agent: &Name) -> Result<Option<Supply>, Fault> {
        let programs = programs_of(action)?;
        if programs.is_empty() {
            return self.of(&action.operation, agent);
        }
        let registry = self.registry.lock().map_err(|_| internal())?;
        Ok(registry.supply_of(programs.iter().map(|one| (&one.item, one.content))))
    }

    /// How what an operation uses stands now.
    pub(crate) fn of(&self, operation: &Operation, agent: &Name) -> Result<Option<Supply>, Fault> {
        Ok(self.registry.lock().map_err(|_| internal())?.supply(operation, agent))
    }

    fn announce(&self) {
        self.changed.send_modify(|version| *version = version.wrapping_add(1));
    }
}

/// Adds a finding to a list of bounded length.
pub(crate) fn keep(findings: &mut VecDeque<FindingRow>, record: &Record) {
    if let Event::Found { finding } = &record.event {
        if findings.len() >= FINDINGS_LISTED_MAX {
            findings.pop_front();
        }
        let (at, session) = (record.at, record.session);
        findings.push_back(FindingRow { at, session, finding: finding.clone() });
    }
}

/// One item of a catalogue with its canonical form.
struct Offered {
    item: Item,
    text: String,
    content: Digest,
}

impl Warden {
    /// Whether a caller of the interface may say what this server offers.
    ///
    /// # Errors
    ///
    /// A fault when the node's own gateway reaches the server: what it sees there needs no word of an
    /// agent, which may lie. And when it has the name of the machine, whose programs are pinned as they run.
    pub fn may_report(&self, server: &Name) -> Result<(), Fault> {
        if server.as_str() == HostAttempt::SERVER {
            let advice = "give the server another name";
            return Err(Fault::new(FaultKind::Forbidden, "this name is the machine's own", advice));
        }
        if self.reached.contains(server) {
            let message =
                format!("the gateway of this node sees for itself what `{server}` offers");
            let advice = "reach it through the gateway, or give the wrapped server another name";
            return Err(Fault::new(FaultKind::Forbidden, message, advice));
        }
        Ok(())
    }

    /// Records a catalogue and what is new in it; gives what its agent is not to see.
    pub(crate) fn catalogue(
        &self,
        caller: &Caller,
        catalogue: Catalogue,
    ) -> Result<Withheld, Fault> {
        let Catalogue { session, server, kind, content, items } = catalogue;
        let offered = read_items(&server, &content, items)?;
        let observation = Observation { kind, server: server.clone(), action: None };
        self.observe(caller, Observe { session, observation, content })?;
        let is_inside = self.snapshot.load().settings().server(&server).inside;
        self.pin(self.judge_news(&offered)?, is_inside)?;
        self.withheld(caller, session, &offered)
    }

    /// Records what is new of the programs that an action would run. They speak to nobody, so that nothing
    /// but their content tells.
    pub(crate) fn pin_programs(&self, action: &Action) -> Result<(), Fault> {
        let programs = programs_of(action)?;
        self.pin(programs.iter().map(|one| (one, Judged::default())).collect(), true)
    }

    /// Records what is new of what a server offers.
    fn pin(&self, news: Vec<(&Offered, Judged)>, is_inside: bool) -> Result<(), Fault> {
        let mut registry = self.supplies.registry.lock().map_err(|_| internal())?;
        let mut changed = false;
        for (Offered { item, text, content }, judged) in news {
            let Some(offer) = registry.offer(self.now(), item, *content, is_inside, judged) else {
                continue;
            };
            let was_shown = registry.pin(item).map(|pin| pin.trust);
            let event = Event::Offered {
                item: item.clone(),
                content: offer.content,
                trust: offer.trust,
                reasons: offer.reasons.clone(),
            };
            let at = self.record_apart(None, event.clone(), vec![text.clone().into_bytes()])?;
            registry.apply(at, &event);
            changed |= was_shown.is_some_and(|before| before != offer.trust);
            for finding in findings_of(item, &offer) {
                self.note_finding(None, finding)?;
            }
        }
        drop(registry);
        if changed {
            self.supplies.announce();
        }
        Ok(())
    }

    /// What is new, with how much it steers. Texts are read without the lock that every decision takes:
    /// there may be many, and they are of the server's choice.
    fn judge_news<'a>(&self, offered: &'a [Offered]) -> Result<Vec<(&'a Offered, Judged)>, Fault> {
        let Some(server) = offered.first().map(|offered| &offered.item.server) else {
            return Ok(Vec::new());
        };
        let now = self.now();
        let (news, mut others) = {
            let registry = self.supplies.registry.lock().map_err(|_| internal())?;
            let is_news = |one: &&Offered| registry.is_news(now, &one.item, one.content);
            let news: Vec<&Offered> = offered.iter().filter(is_news).collect();
            let is_left_out = |one: &&Offered| registry.pin(&one.item).is_none() && !is_news(one);
            let left_out = offered.iter().filter(is_left_out).count();
            if left_out > 0 {
                tracing::warn!(%server, left_out, "items beyond what is pinned of one server");
            }
            if news.is_empty() {
                return Ok(Vec::new());
            }
            (news, registry.tools_of_others(server))
        };
        // Its own tools it may speak of, also those that are new in this list.
        for Offered { item, .. } in offered {
            others.remove(&item.name);
        }
        let judged = |one: &'a Offered| (one, steering(&one.text, &others));
        Ok(news.into_iter().map(judged).collect())
    }

    fn withheld(
        &self,
        caller: &Caller,
        session: SessionId,
        offered: &[Offered],
    ) -> Result<Withheld, Fault> {
        let mut shard = self.shard(session)?;
        let (engine, live) = self.live(&mut shard, session, caller)?;
        let agent = live.state.agent().name.clone();
        let at_rest = live.state.at_rest();
        let mut names = BTreeSet::new();
        for Offered { item, content, .. } in offered {
            let registry = self.supplies.registry.lock().map_err(|_| internal())?;
            let is_shown = registry.shows(item, *content, &agent);
            drop(registry);
            if !is_shown || !is_listed(engine, &at_rest, &use_of(item)) {
                names.insert(item.name.clone());
            }
        }
        Ok(Withheld { names })
    }

    /// Waits until what agents may see has changed.
    pub(crate) async fn changes(&self, since: u64, up_to_ms: u64) -> Result<u64, Fault> {
        let until = Instant::now() + Duration::from_millis(up_to_ms.min(CHANGE_MS_MAX));
        let mut changed = self.supplies.changed.subscribe();
        let moved = changed.wait_for(|version| *version != since);
        match timeout_at(until, moved).await {
            Ok(Ok(version)) => Ok(*version),
            Ok(Err(_)) => Err(internal()),
            Err(_) => Ok(since),
        }
    }

    /// Everything that servers offer, with its pins, and what is switched off.
    ///
    /// # Errors
    ///
    /// A fault when a lock is broken.
    pub fn pins(&self) -> Result<Pins, Fault> {
        let registry = self.supplies.registry.lock().map_err(|_| internal())?;
        let items = registry.pins().map(|(item, pin)| row(item, pin)).collect();
        let disabled = registry.switched_off().map(|(server, tool, switch)| SwitchRow {
            server: server.clone(),
            tool: tool.to_owned(),
            agent: switch.agent.clone(),
            by: switch.by.clone(),
        });
        Ok(Pins { items, disabled: disabled.collect() })
    }

    /// The forms of an item, for a person to compare.
    ///
    /// # Errors
    ///
    /// A fault when no server offers it, or the ledger cannot be read.
    pub fn pin_shown(&self, id: Digest) -> Result<PinShown, Fault> {
        let pin = {
            let registry = self.supplies.registry.lock().map_err(|_| internal())?;
            let mut pins = registry.pins();
            let (item, pin) = pins.find(|(item, _)| item.id() == id).ok_or_else(no_item)?;
            row(item, pin)
        };
        let accepted = pin.accepted.map(|form| self.form(form)).transpose()?.flatten();
        let current = self.form(pin.current)?;
        Ok(PinShown { pin, accepted, current })
    }

    fn current(&self, item: &Item) -> Result<Digest, Fault> {
        let registry = self.supplies.registry.lock().map_err(|_| internal())?;
        Ok(registry.pin(item).ok_or_else(no_item)?.current)
    }

    /// A form that was shown. The latest may still be on its way to the ledger.
    fn form(&self, content: Digest) -> Result<Option<String>, Fault> {
        for _ in 0..FORM_TRIES {
            let text = self.history.text(&content).map_err(unreadable)?;
            if text.is_some() {
                return Ok(text);
            }
            std::thread::sleep(FORM_WAIT);
        }
        Ok(None)
    }

    /// Takes a person's ruling on an item. It is on disk before anything follows from it.
    ///
    /// # Errors
    ///
    /// A fault when no server offers it, or shows another form by now than the person saw.
    pub async fn rule_pin(&self, rule: RulePin) -> Result<PinRow, Fault> {
        let RulePin { item, content, ruling, by, note } = rule;
        if note.len() > NOTE_BYTES_MAX {
            let message = format!("a note of more than {NOTE_BYTES_MAX} bytes");
            return Err(Fault::new(FaultKind::TooMuch, message, "say it in fewer words"));
        }
        let _one_at_a_time = self.supplies.ruling.lock().await;
        if self.current(&item)? != content {
            let message = format!("{item} has another form by now than the one that was shown");
            return Err(Fault::new(FaultKind::Conflict, message, "look at it again"));
        }
        let event = Event::Ruled { item: item.clone(), content, ruling, by, note };
        self.rule(event).await?;
        let registry = self.supplies.registry.lock().map_err(|_| internal())?;
        Ok(row(&item, registry.pin(&item).ok_or_else(no_item)?))
    }

    /// Switches a tool off or on. It is on disk before anything follows from it.
    ///
    /// # Errors
    ///
    /// A fault when too many tools are off, or the ledger takes no records.
    pub async fn switch_tool(&self, switch: SwitchTool) -> Result<Pins, Fault> {
        let SwitchTool { server, tool, agent, disabled, by } = switch;
        if tool.is_empty() || tool.len() > Name::BYTES_MAX {
            let message = format!("a tool's name has 1 to {} bytes", Name::BYTES_MAX);
            return Err(Fault::new(
                FaultKind::Malformed,
                message,
                "see `pathwarden mcp pins list`",
            ));
        }
        let _one_at_a_time = self.supplies.ruling.lock().await;
        if disabled && !self.has_room_for_switches()? {
            let message = format!("{} tools are switched off", Registry::SWITCHES_MAX);
            return Err(Fault::new(FaultKind::TooMuch, message, "switch some on again"));
        }
        self.rule(Event::Switched { server, tool, agent, disabled, by }).await?;
        self.pins()
    }

    fn has_room_for_switches(&self) -> Result<bool, Fault> {
        let registry = self.supplies.registry.lock().map_err(|_| internal())?;
        Ok(registry.has_room_for_switches())
    }

    async fn rule(&self, event: Event) -> Result<(), Fault> {
        let record = self.record(self.now(), None, event);
        let entry = record.to_bytes().map_err(|_| internal())?;
        self.append(Append { entry, payloads: Vec::new() }).await?;
        let mut registry = self.supplies.registry.lock().map_err(|_| internal())?;
        registry.apply(record.at, &record.event);
        drop(registry);
        self.supplies.announce();
        Ok(())
    }

    /// Records that something is out of order, as a caller found it in its session.
    pub(crate) fn found(&self, caller: &Caller, found: Found) -> Result<(), Fault> {
        let Found { session, finding } = found;
        {
            let mut shard = self.shard(session)?;
            self.live(&mut shard, session, caller)?;
        }
        self.note_finding(Some(session), finding)
    }

    /// Records that something is out of order outside every session. Whoever reaches a port can make
    /// such findings, so one of a kind is recorded in a minute.
    pub fn note_intrusion(&self, finding: Finding) {
        let finding = finding.bounded();
        let now = self.now();
        let is_known = self.supplies.findings.lock().is_ok_and(|findings| {
            let recent =
                findings.iter().rev().take_while(|row| now.since(row.at) < SAME_FINDING_MS);
            let mut of_kind =
                recent.filter(|row| row.session.is_none() && row.finding.kind == finding.kind);
            of_kind.next().is_some()
        });
        if is_known {
            return;
        }
        if let Err(fault) = self.note_finding(None, finding) {
            tracing::warn!(%fault, "a finding is not recorded");
        }
    }

    pub(crate) fn note_finding(
        &self,
        session: Option<SessionId>,
        finding: Finding,
    ) -> Result<(), Fault> {
        let finding = finding.bounded();
        tracing::warn!(kind = finding.kind.as_str(), subject = ?finding.subject, "out of order");
        let event = Event::Found { finding };
        if let Some(session) = session
            && let Some(live) = self.shard(session)?.sessions.get_mut(&session)
        {
            let record = self.commit_apart(live, session, event, Vec::new(), None)?;
            keep(&mut *self.supplies.findings.lock().map_err(|_| internal())?, &record);
            return Ok(());
        }
        let record = self.record(self.now(), None, event);
        self.append_record(&record, Vec::new())?;
        keep(&mut *self.supplies.findings.lock().map_err(|_| internal())?, &record);
        Ok(())
    }

    /// The latest findings, oldest first.
    ///
    /// # Errors
    ///
    /// A fault when a lock is broken.
    pub fn findings(&self) -> Result<Vec<FindingRow>, Fault> {
        Ok(self.supplies.findings.lock().map_err(|_| internal())?.iter().cloned().collect())
    }

    /// Hands a record of no session to the ledger; gives when.
    fn record_apart(
        &self,
        session: Option<SessionId>,
        event: Event,
        payloads: Vec<Vec<u8>>,
    ) -> Result<Millis, Fault> {
        let record = self.record(self.now(), session, event);
        self.append_record(&record, payloads)?;
        Ok(record.at)
    }

    fn append_record(&self, record: &Record, payloads: Vec<Vec<u8>>) -> Result<(), Fault> {
        let entry = record.to_bytes().map_err(|_| internal())?;
        let outcome = self.store.append_batched(Append { entry, payloads });
        self.note_outcome(&outcome);
        outcome.map(drop).map_err(|error| ledger_unavailable(&error.to_string()))
    }
}

/// The items of a catalogue in canonical form.
fn read_items(
    server: &Name,
    content: &str,
    items: Vec<CatalogueItem>,
) -> Result<Vec<Offered>, Fault> {
    if items.len() > Catalogue::ITEMS_MAX {
        let message = format!("a catalogue of more than {} items", Catalogue::ITEMS_MAX);
        return Err(Fault::new(FaultKind::TooMuch, message, "let the server list it in pages"));
    }
    let wrong = || {
        Fault::new(FaultKind::Malformed, "an item of the catalogue is not JSON", "check the client")
    };
    let read = |item: CatalogueItem| {
        let CatalogueItem { kind, name, start, end } = item;
        let text = content.get(start..end).ok_or_else(wrong)?;
        let value = Json::parse(text.as_bytes()).map_err(|_| wrong())?;
        let text = String::from_utf8(canonical(value)).map_err(|_| wrong())?;
        let content = Digest::of(text.as_bytes());
        Ok(Offered { item: Item { server: server.clone(), kind, name }, text, content })
    };
    items.into_iter().map(read).collect()
}

/// The programs that an action would run, as items that are pinned.
fn programs_of(action: &Action) -> Result<Vec<Offered>, Fault> {
    if action.operation.kind != OperationKind::Exec {
        return Ok(Vec::new());
    }
    let programs = host_attempt(action).map(|attempt| attempt.programs).unwrap_or_default();
    let offered = |(path, sha256): (String, Digest)| {
        let form = serde_json::json!({ "path": path, "sha256": sha256 }).to_string();
        let form = Json::parse(form.as_bytes()).map_err(|_| internal())?;
        let text = String::from_utf8(canonical(form)).map_err(|_| internal())?;
        let content = Digest::of(text.as_bytes());
        let server = action.operation.server.clone();
        Ok(Offered { item: Item { server, kind: ItemKind::Program, name: path }, text, content })
    };
    programs.into_iter().map(offered).collect()
}

/// What an agent would do with an item.
fn use_of(item: &Item) -> Operation {
    let kind = match item.kind {
        ItemKind::Tool => OperationKind::ToolCall,
        ItemKind::Prompt | ItemKind::Instructions => OperationKind::PromptGet,
        ItemKind::Template | ItemKind::Program => OperationKind::ResourceRead,
    };
    Operation { kind, server: item.server.clone(), name: item.name.clone() }
}

fn findings_of(item: &Item, offer: &Offer) -> Vec<Finding> {
    let mut kinds = Vec::new();
    if offer.shadows {
        kinds.push(FindingKind::ItemShadows);
    }
    match offer.trust {
        Trust::Changed => kinds.push(FindingKind::ItemChanged),
        // Of a shadow alone there is nothing more to say.
        Trust::Suspect if !offer.shadows || offer.reasons.len() > 1 => {
            kinds.push(FindingKind::ItemSteers);
        }
        Trust::Known | Trust::Suspect | Trust::Revoked | Trust::Disabled => {}
    }
    let finding = |kind| Finding {
        kind,
        server: Some(item.server.clone()),
        subject: item.to_string(),
        detail: offer.reasons.join("; "),
        action: None,
    };
    kinds.into_iter().map(finding).collect()
}

fn row(item: &Item, pin: &Pin) -> PinRow {
    PinRow {
        item: item.clone(),
        trust: pin.trust,
        reasons: pin.reasons.clone(),
        accepted: pin.accepted,
        current: pin.current,
        first_seen: pin.first_seen,
        touched: pin.touched,
        ruled_by: pin.ruled_by.clone(),
    }
}

fn no_item() -> Fault {
    let advice = "see `pathwarden mcp pins list`; a server is pinned when its lists are asked for";
    Fault::new(FaultKind::NotFound, "no server has shown this", advice)
}
