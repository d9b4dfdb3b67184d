//! The light verdicts: what was decided before, found in a microsecond; and what is taken from whom.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use pathwarden_types::{HostAct, HostVerb, Name, Target, Verb};
use pathwarden_wire::Orders;

use crate::asker::{Asker, CALL_DEADLINE, Question, Said};
use crate::question::{self, Actor};
use crate::terrain::Terrain;

/// The most questions that are asked again at once when everything must be.
const ASKED_AGAIN_MAX: usize = 128;

/// The most verdicts that are kept at hand.
const QUICK_MAX: usize = 65_536;

/// What is asked and how it was answered, by what it does and whose process it is.
type Quick = HashMap<(HostAct, Option<Name>), Said>;

/// Decides for one session, by what is known or by asking.
pub(crate) struct Decider {
    pub(crate) asker: Arc<Asker>,
    pub(crate) terrain: Arc<Terrain>,
    quick: Mutex<Quick>,
    taken: RwLock<Taken>,
    /// Files of the workspace that have a name outside of it as well.
    strangers: HashSet<(u64, u64)>,
    ready: AtomicBool,
    generation: AtomicU64,
    /// How many effects were out of order when verdicts were last forgotten for that.
    pub(crate) alarms: AtomicU64,
}

/// What is taken from the session and from each tool server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Taken {
    pub(crate) session: Vec<Verb>,
    pub(crate) servers: BTreeMap<Name, Vec<Verb>>,
}

impl Taken {
    /// What orders take from whom, as far as it is done on this machine.
    pub(crate) fn of(orders: &Orders) -> Self {
        let mut taken = Self::default();
        for restriction in orders.restrictions() {
            match &restriction.target {
                Target::Session { .. } | Target::Agent { .. } => {
                    taken.session.push(restriction.verb);
                }
                Target::Server { server } => {
                    taken.servers.entry(server.clone()).or_default().push(restriction.verb);
                }
            }
        }
        taken
    }

    /// Whether something is taken from the process of this server, or from the agent's own.
    pub(crate) fn has(&self, verb: Verb, server: Option<&Name>) -> bool {
        let of_server = server.and_then(|server| self.servers.get(server));
        self.session.contains(&verb) || of_server.is_some_and(|verbs| verbs.contains(&verb))
    }

    /// Whether it is taken from anybody.
    pub(crate) fn has_any(&self, verb: Verb) -> bool {
        self.session.contains(&verb) || self.servers.values().any(|verbs| verbs.contains(&verb))
    }
}

impl Decider {
    pub(crate) fn new(
        asker: Arc<Asker>,
        terrain: Arc<Terrain>,
        strangers: HashSet<(u64, u64)>,
    ) -> Self {
        let (quick, taken) = (Mutex::default(), RwLock::default());
        Self {
            asker,
            terrain,
            quick,
            taken,
            strangers,
            ready: true.into(),
            generation: 0.into(),
            alarms: 0.into(),
        }
    }

    /// What is done to the file at a path that is this very file.
    pub(crate) fn act(&self, verb: HostVerb, path: &Path, file: Option<FileId>) -> HostAct {
        let is_stranger = file.is_some_and(|file| {
            file.links > 1 && self.strangers.contains(&(file.device, file.inode))
        });
        if !is_stranger {
            return self.terrain.on_path(verb, path);
        }
        HostAct { place: "elsewhere".to_owned(), ..self.terrain.exactly(verb, path) }
    }

    /// The verdict about one act, where it is known.
    pub(crate) fn known(&self, act: &HostAct, actor: &Actor) -> Option<Said> {
        if !self.is_ready() {
            return Some(Said::Refuse);
        }
        self.quick().get(&(act.clone(), actor.server.clone())).copied()
    }

    /// The verdict about one act, asked for where it is not known.
    pub(crate) fn decide(&self, act: HostAct, actor: &Actor, most: Duration) -> Said {
        if let Some(said) = self.known(&act, actor) {
            return said;
        }
        let generation = self.generation();
        let said = self.asker.ask_within(&question::act(act.clone(), actor), most);
        self.keep((act, actor.server.clone()), said, generation);
        said
    }

    /// The verdict about a program.
    pub(crate) fn exec(&self, question: &Question, most: Duration) -> Said {
        if !self.is_ready() {
            return Said::Refuse;
        }
        self.asker.ask_within(question, most)
    }

    /// Only what is allowed is kept at hand, a refusal may be one of the moment; and only what was decided
    /// since everything was last to be asked again.
    fn keep(&self, key: (HostAct, Option<Name>), said: Said, generation: u64) {
        if said == Said::Allow {
            let mut quick = self.quick();
            if self.generation() != generation {
                return;
            }
            if quick.len() >= QUICK_MAX {
                quick.clear();
            }
            quick.insert(key, said);
        }
    }

    fn quick(&self) -> MutexGuard<'_, Quick> {
        self.quick.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something is taken from the processes of a server, or from the agent's own.
    pub(crate) fn is_taken(&self, verb: Verb, server: Option<&Name>) -> bool {
        self.taken.read().unwrap_or_else(PoisonError::into_inner).has(verb, server)
    }

    /// Puts what is taken in force, and forgets every verdict; gives what was allowed about files.
    pub(crate) fn renew(&self, taken: Taken) -> Vec<(HostAct, Actor)> {
        *self.taken.write().unwrap_or_else(PoisonError::into_inner) = taken;
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.asker.forget();
        let usual = std::mem::take(&mut *self.quick());
        let usual = usual.into_keys().filter(|(act, _)| act.verb != HostVerb::Reach);
        let actor = |server| Actor { program: String::new(), server };
        usual.take(ASKED_AGAIN_MAX).map(|(act, server)| (act, actor(server))).collect()
    }

    /// What is being decided now does not outlast its use.
    pub(crate) fn outdate(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Forgets every verdict, because something was out of order.
    pub(crate) fn distrust(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.asker.forget();
        self.quick().clear();
    }

    /// Asks again what was allowed, so that nobody has to wait for it where waiting is short.
    pub(crate) fn ask_again(&self, usual: Vec<(HostAct, Actor)>) {
        for (act, actor) in usual {
            let _ = self.decide(act, &actor, CALL_DEADLINE);
        }
    }

    /// Counts how often everything was to be asked again.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// An enforcement point that lets a canary through denies everything new.
    pub(crate) fn set_ready(&self, is_ready: bool) {
        self.ready.store(is_ready, Ordering::Relaxed);
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }
}

/// Which file it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// How many names it has.
    pub(crate) links: u64,
}
