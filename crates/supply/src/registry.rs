//! What servers offer: a fold over what was recorded of it.

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_types::{
    Digest, Event, Item, ItemKind, Millis, Name, Operation, OperationKind, Ruling, Supply, Trust,
};

use crate::likeness::{plain, skeleton};
use crate::steer::{Judged, STEERS_AT};

/// What servers offer, what people said of it, and what they switched off. Equal records give equal
/// registries.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Registry {
    pins: BTreeMap<Item, Pin>,
    switches: BTreeMap<(Name, String), Vec<Switch>>,
    /// Tools by what their names have in common with names that look alike.
    likes: BTreeMap<String, BTreeSet<(Name, String)>>,
    version: u64,
}

/// One item, as it is pinned.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pin {
    /// The form that is trusted: the first one, or the last that a person accepted; `None` when there
    /// never was one.
    pub accepted: Option<Digest>,
    /// The form that the server showed last.
    pub current: Digest,
    /// Where the item stands.
    pub trust: Trust,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// When it was first seen.
    pub first_seen: Millis,
    /// When it was last recorded: seen in another form, or ruled on.
    pub touched: Millis,
    /// Who ruled on it last, if anybody did.
    pub ruled_by: Option<Name>,
}

/// A tool that is switched off.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Switch {
    /// For this agent; for all when `None`.
    pub agent: Option<Name>,
    /// Who switched it off.
    pub by: Name,
}

/// What must be recorded of an item that a server offers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Offer {
    /// Its form.
    pub content: Digest,
    /// Where it stands in this form.
    pub trust: Trust,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// Whether it has the name of another server's tool, or one that looks like it.
    pub shadows: bool,
}

impl Registry {
    /// The most items of one server that are pinned. Beyond it nothing new of it is shown or recorded.
    pub const ITEMS_OF_SERVER_MAX: usize = 2_048;
    /// The most items that are pinned in all; as above.
    pub const ITEMS_MAX: usize = 65_536;
    /// The longest name of an item that is pinned, in bytes.
    pub const NAME_BYTES_MAX: usize = 1_024;
    /// How long a form that is not trusted stands before a further one is recorded, in ms: a server must
    /// not fill the ledger by showing another each time.
    pub const NEXT_FORM_MS: u64 = 60_000;
    /// The most tools that are switched off.
    pub const SWITCHES_MAX: usize = 4_096;

    /// Counts what changed, so that whoever waits for a change can tell.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Every item with its pin, in order.
    pub fn pins(&self) -> impl Iterator<Item = (&Item, &Pin)> {
        self.pins.iter()
    }

    /// The pin of an item.
    #[must_use]
    pub fn pin(&self, item: &Item) -> Option<&Pin> {
        self.pins.get(item)
    }

    /// Every tool that is switched off, for whom and by whom.
    pub fn switched_off(&self) -> impl Iterator<Item = (&Name, &str, &Switch)> {
        let each = self.switches.iter();
        each.flat_map(|((server, tool), all)| all.iter().map(move |one| (server, &**tool, one)))
    }

    /// Whether there is room to switch one more tool off.
    #[must_use]
    pub fn has_room_for_switches(&self) -> bool {
        self.switches.len() < Self::SWITCHES_MAX
    }

    /// Takes a record into account.
    pub fn apply(&mut self, at: Millis, event: &Event) {
        match event {
            Event::Offered { item, content, trust, reasons } => {
                self.offered(at, item, *content, *trust, reasons);
            }
            Event::Ruled { item, content, ruling, by, .. } => {
                self.ruled(at, item, *content, *ruling, by);
            }
            Event::Switched { server, tool, agent, disabled, by } => {
                let key = (server.clone(), tool.clone());
                let mut all = self.switches.remove(&key).unwrap_or_default();
                all.retain(|switch| switch.agent != *agent);
                if *disabled {
                    all.push(Switch { agent: agent.clone(), by: by.clone() });
                }
                if !all.is_empty() {
                    self.switches.insert(key, all);
                }
            }
            _ => return,
        }
        self.version = self.version.wrapping_add(1);
    }

    fn offered(
        &mut self,
        at: Millis,
        item: &Item,
        content: Digest,
        trust: Trust,
        reasons: &[String],
    ) {
        if item.kind == ItemKind::Tool {
            let same = self.likes.entry(skeleton(&item.name)).or_default();
            same.insert((item.server.clone(), item.name.clone()));
        }
        let is_trusted = trust == Trust::Known;
        let pin = self.pins.entry(item.clone()).or_insert_with(|| Pin {
            accepted: is_trusted.then_some(content),
            current: content,
            trust,
            reasons: Vec::new(),
            first_seen: at,
            touched: at,
            ruled_by: None,
        });
        // A ruling may have been recorded since the offer was judged, and it stands.
        pin.trust = match trust {
            _ if pin.trust == Trust::Revoked => Trust::Revoked,
            Trust::Known if pin.accepted != Some(content) => Trust::Changed,
            other => other,
        };
        (pin.current, pin.touched) = (content, at);
        pin.reasons = reasons.to_vec();
    }

    fn ruled(&mut self, at: Millis, item: &Item, content: Digest, ruling: Ruling, by: &Name) {
        let Some(pin) = self.pins.get_mut(item) else { return };
        match ruling {
            Ruling::Accept => {
                pin.accepted = Some(content);
                let is_current = pin.current == content;
                pin.trust = if is_current { Trust::Known } else { Trust::Changed };
                pin.reasons.clear();
            }
            Ruling::Revoke => {
                pin.accepted = None;
                pin.trust = Trust::Revoked;
                pin.reasons = vec!["a person withdrew it".to_owned()];
            }
        }
        (pin.touched, pin.ruled_by) = (at, Some(by.clone()));
    }

    /// Whether there is something to record of an item that a server offers in this form: not when it is
    /// as it was last, or there is no room for it.
    #[must_use]
    pub fn is_news(&self, now: Millis, item: &Item, content: Digest) -> bool {
        let Some(pin) = self.pins.get(item) else { return self.has_room(item) };
        let waits = pin.trust != Trust::Known && now.since(pin.touched) < Self::NEXT_FORM_MS;
        pin.current != content && !waits
    }

    /// What must be recorded of an item that a server offers in this form, if it [is
    /// news](Registry::is_news). `is_inside` says that the operator runs the server; `judged` is the
    /// [`steering`] of the text, with the [`Registry::tools_of_others`].
    ///
    /// First use is trusted, unless the item looks like an attack. What changed afterwards is not, nor
    /// does it become so by changing back: the server has shown that it shows different things.
    ///
    /// [`steering`]: crate::steering
    #[must_use]
    pub fn offer(
        &self,
        now: Millis,
        item: &Item,
        content: Digest,
        is_inside: bool,
        judged: Judged,
    ) -> Option<Offer> {
        if !self.is_news(now, item, content) {
            return None;
        }
        Some(match self.pins.get(item) {
            None => self.first_seen(item, content, is_inside, judged),
            Some(pin) if pin.trust == Trust::Revoked => {
                let reasons = pin.reasons.clone();
                Offer { content, trust: Trust::Revoked, reasons, shadows: false }
            }
            Some(pin) => changed(item, content, pin.accepted, judged),
        })
    }

    fn has_room(&self, item: &Item) -> bool {
        let first =
            Item { server: item.server.clone(), kind: ItemKind::ALL[0], name: String::new() };
        let of_server = self.pins.range(first..).take_while(|(of, _)| of.server == item.server);
        item.name.len() <= Self::NAME_BYTES_MAX
            && self.pins.len() < Self::ITEMS_MAX
            && of_server.count() < Self::ITEMS_OF_SERVER_MAX
    }

    fn first_seen(
        &self,
        item: &Item,
        content: Digest,
        is_inside: bool,
        (score, mut reasons): Judged,
    ) -> Offer {
        let mut suspect = score >= STEERS_AT;
        if !suspect {
            reasons.clear();
        }
        let shadowed = self.shadowed(item, content);
        if let Some((server, name)) = &shadowed {
            reasons.push(format!("has the name of, or looks like, `{name}` of `{server}`"));
            // An operator may run two servers with a tool of one name; a look-alike has no excuse.
            suspect |= !is_inside || plain(name) != plain(&item.name);
        }
        let trust = if suspect { Trust::Suspect } else { Trust::Known };
        Offer { content, trust, reasons, shadows: shadowed.is_some() }
    }

    /// The tool of another server whose name this tool has, or looks as if it had. The same software
    /// behind two names is no shadow: its items are the same to the letter.
    fn shadowed(&self, item: &Item, content: Digest) -> Option<(Name, String)> {
        if item.kind != ItemKind::Tool {
            return None;
        }
        let like = self.likes.get(&skeleton(&item.name))?;
        let is_other = |(server, name): &&(Name, String)| {
            let other = Item { server: server.clone(), kind: ItemKind::Tool, name: name.clone() };
            let is_same_software = self.pins.get(&other).is_some_and(|pin| pin.current == content);
            server != &item.server && !is_same_software
        };
        like.iter().find(is_other).cloned()
    }

    /// The names of tools of other servers, which a description may not speak of.
    #[must_use]
    pub fn tools_of_others(&self, server: &Name) -> BTreeSet<String> {
        let own: BTreeSet<&str> = self.tools(|of| of == server).collect();
        self.tools(|of| of != server)
            .filter(|name| !own.contains(name))
            .map(str::to_owned)
            .collect()
    }

    fn tools(&self, of: impl Fn(&Name) -> bool) -> impl Iterator<Item = &str> {
        let tools = self.pins.keys().filter(|item| item.kind == ItemKind::Tool);
        tools.filter(move |item| of(&item.server)).map(|item| &*item.name)
    }

    /// Whether this tool is switched off for this agent, and by whom.
    #[must_use]
    pub fn switch(&self, server: &Name, tool: &str, agent: &Name) -> Option<&Switch> {
        let all = self.switches.get(&(server.clone(), tool.to_owned()))?;
        all.iter().find(|switch| switch.agent.as_ref().is_none_or(|of| of == agent))
    }

    /// How what an operation uses stands; `None` when no server has listed it and nobody has switched
    /// it off.
    #[must_use]
    pub fn supply(&self, operation: &Operation, agent: &Name) -> Option<Supply> {
        let Operation { kind, server, name } = operation;
        let kind = match kind {
            OperationKind::ToolCall => Some(ItemKind::Tool),
            OperationKind::PromptGet => Some(ItemKind::Prompt),
            OperationKind::ResourceRead
            | OperationKind::Sampling
            | OperationKind::Elicitation
            | OperationKind::Roots
            | OperationKind::Reply
            | OperationKind::ModelCall
            | OperationKind::Exec
            | OperationKind::File
            | OperationKind::Connect
            | OperationKind::Effect => None,
        };
        let item = |kind, name: &str| Item { server: server.clone(), kind, name: name.to_owned() };
        let own = kind.map(|kind| item(kind, name));
        if own.as_ref().is_some_and(|own| !self.pins.contains_key(own) && !self.has_room(own)) {
            let reasons = vec!["its server offers more than is pinned of one".to_owned()];
            return Some(Supply { trust: Trust::Suspect, reasons });
        }
        let whole = ItemKind::ALL.into_iter().filter(|kind| kind.is_whole_server());
        let items = own.into_iter().chain(whole.map(|kind| item(kind, "")));
        let pins: Vec<&Pin> = items.filter_map(|item| self.pins.get(&item)).collect();
        let switch = match kind {
            Some(ItemKind::Tool) => self.switch(server, name, agent),
            _ => None,
        };
        if let Some(Switch { by, .. }) = switch {
            let reasons = vec![format!("{by} switched it off")];
            return Some(Supply { trust: Trust::Disabled, reasons });
        }
        let worst = pins.iter().map(|pin| pin.trust).max()?;
        let restrained = pins.iter().filter(|pin| pin.trust != Trust::Known);
        let reasons = restrained.flat_map(|pin| pin.reasons.iter().cloned()).collect();
        Some(Supply { trust: worst, reasons })
    }

    /// How items stand that are used in these forms; `None` when none of them is pinned. What has another
    /// form than the one that was shown last is not what was trusted, whether or not that is recorded yet.
    #[must_use]
    pub fn supply_of<'a>(&self, used: impl Iterator<Item = (&'a Item, Digest)>) -> Option<Supply> {
        let mut worst: Option<Supply> = None;
        for (item, content) in used {
            let Some(pin) = self.pins.get(item) else { continue };
            let is_known = pin.trust == Trust::Known;
            let trust = if is_known && pin.current != content { Trust::Changed } else { pin.trust };
            let all = worst.get_or_insert(Supply { trust, reasons: Vec::new() });
            all.trust = all.trust.max(trust);
            all.reasons.extend(pin.reasons.iter().filter(|_| !is_known).cloned());
        }
        worst
    }

    /// Whether an agent is to see an item of this form in a list. Lists are read side by side, so that
    /// another form may have been recorded since.
    #[must_use]
    pub fn shows(&self, item: &Item, content: Digest, agent: &Name) -> bool {
        let is_known = self
            .pins
            .get(item)
            .is_some_and(|pin| pin.trust == Trust::Known && pin.current == content);
        let is_off =
            item.kind == ItemKind::Tool && self.switch(&item.server, &item.name, agent).is_some();
        is_known && !is_off
    }
}

/// An item in another form than before.
fn changed(
    item: &Item,
    content: Digest,
    accepted: Option<Digest>,
    (score, mut reasons): Judged,
) -> Offer {
    let trust = if accepted.is_some() { Trust::Changed } else { Trust::Suspect };
    if score < STEERS_AT {
        reasons.clear();
    }
    let words = match accepted {
        Some(form) if form == content => "is what it was again, but was not in between",
        _ => "is not what it was",
    };
    reasons.insert(0, format!("{item} {words}"));
    Offer { content, trust, reasons, shadows: false }
}

#[cfg(test)]
mod tests;
