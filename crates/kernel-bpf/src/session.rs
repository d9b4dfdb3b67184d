//! One session under watch.

use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Mutex;

use libbpf_rs::{Link, MapCore, MapFlags, MapHandle};

use crate::decode::Reader;
use crate::object::Loaded;
use crate::ring::{Ring, lock};
use crate::{AttachError, Destination, DrainError, Egress, Event, ExecApproval, Protocol, Traffic};

/// The key of maps with one entry.
const ONLY: [u8; 4] = [0; 4];

/// A map could not be read or changed. What was to be set is not set.
#[derive(Debug, thiserror::Error)]
#[error("the kernel's map `{map}` does not take this; is it full?")]
pub struct MapError {
    /// The map.
    pub map: &'static str,
    /// Why.
    pub source: libbpf_rs::Error,
}

impl MapError {
    fn on_attach(self) -> AttachError {
        AttachError::Map { name: self.map, source: self.source }
    }
}

/// The programs of one session's cgroup, in their places until this is dropped.
///
/// It begins with [`Egress::Open`] and without approvals being asked for: set both before the first
/// process comes in.
#[must_use = "the session is watched only as long as this is kept"]
pub struct Session {
    settings: Mutex<Settings>,
    config: Map,
    approvals: Map,
    verdicts: Map,
    cut: Map,
    exempt: Map,
    passes: Map,
    /// The session's own, by its id.
    cgroup: u64,
    traffic: Map,
    lost: Map,
    ring: Ring,
    /// Last, because what they keep in place uses everything above.
    links: Vec<Link>,
}

impl Session {
    /// Watches the cgroup and all below it. It stands `level` steps below the topmost cgroup, and its
    /// tools one step below it. Takes about 100 ms.
    ///
    /// # Errors
    ///
    /// [`AttachError`]; nothing is attached then.
    pub fn attach(cgroup: &Path, level: u32) -> Result<Self, AttachError> {
        let loaded = Loaded::new(cgroup, level)?;
        let map = |name| loaded.map(name).map(|handle| Map { name, handle });
        let (events, config, traffic) = (map("events")?, map("config")?, map("traffic")?);
        let settings = Settings { egress: Egress::Open, epoch: 1, enforce_exec: false };
        config.put(&ONLY, &settings.to_bytes()).map_err(MapError::on_attach)?;
        let cgroup = loaded.cgroup();
        make_room_for_the_rest(&traffic, cgroup).map_err(MapError::on_attach)?;
        Ok(Self {
            cgroup,
            settings: Mutex::new(settings),
            config,
            approvals: map("approvals")?,
            verdicts: map("verdicts")?,
            cut: map("cut")?,
            exempt: map("exempt")?,
            passes: map("passes")?,
            traffic,
            lost: map("lost")?,
            ring: Ring::new(&events.handle, events.name)?,
            links: loaded.attach()?,
        })
    }

    /// Sets what the session may reach, from now on and for established connections.
    ///
    /// # Errors
    ///
    /// The kernel refused; what was set before still holds.
    pub fn set_egress(&self, egress: Egress) -> Result<(), MapError> {
        self.set(|settings| settings.egress = egress)
    }

    /// Sets whether a program without an approval is killed when it starts.
    ///
    /// # Errors
    ///
    /// The kernel refused; what was set before still holds.
    pub fn enforce_exec(&self, on: bool) -> Result<(), MapError> {
        self.set(|settings| settings.enforce_exec = on)
    }

    /// Lets this thread turn into this program, once. An approval that it has already is replaced. It ends
    /// with the exec, the thread, or [`Self::withdraw_exec`].
    ///
    /// # Errors
    ///
    /// The kernel refused, as when 8192 approvals are unused: do not let the exec go on.
    pub fn approve_exec(&self, tid: u32, approval: &ExecApproval) -> Result<(), MapError> {
        self.approvals.put(&tid.to_le_bytes(), &approval.to_bytes())
    }

    /// Takes an approval back, as after an exec that failed.
    pub fn withdraw_exec(&self, tid: u32) {
        // The one way to fail is that there is none.
        let _ = self.approvals.handle.delete(&tid.to_le_bytes());
    }

    /// The present epoch, to be read before anything is decided by it.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        lock(&self.settings).epoch
    }

    /// Lets a destination be reached whatever is taken from the session or its tools, and whatever the
    /// epoch: for who governs the session. The kernel takes 256.
    ///
    /// # Errors
    ///
    /// The kernel refused.
    pub fn exempt(&self, to: Destination) -> Result<(), MapError> {
        self.exempt.put(&to.to_bytes(), &[1])
    }

    /// Remembers what was decided in an epoch about a destination, for the tool whose cgroup, one level below
    /// the session's, has this id, or for all that is in no tool's. It holds until the epoch changes: what
    /// was begun in an earlier one is refused. The kernel keeps 16384 and forgets what was used least; what
    /// is forgotten is refused.
    ///
    /// # Errors
    ///
    /// The kernel refused; what was known of the destination before still holds.
    pub fn judge(
        &self,
        to: Destination,
        tool: Option<u64>,
        allowed: bool,
        epoch: u32,
    ) -> Result<(), MapError> {
        let mut value = Vec::from(epoch.to_le_bytes());
        value.extend(u32::from(allowed).to_le_bytes());
        self.verdicts.put(&flow(tool.unwrap_or(self.cgroup), to), &value)
    }

    /// Lets one thread connect to a destination once, whatever the epoch is by then: it waits for what was
    /// decided. Not while nothing may leave.
    ///
    /// # Errors
    ///
    /// The kernel refused; the connection will be.
    pub fn pass(&self, tid: u32, to: Destination) -> Result<(), MapError> {
        self.passes.put(&tid.to_le_bytes(), &to.to_bytes())
    }

    /// Takes back what one thread may connect to once.
    pub fn withdraw_pass(&self, tid: u32) {
        // The one way to fail is that there is none.
        let _ = self.passes.handle.delete(&tid.to_le_bytes());
    }

    /// Lets all verdicts about destinations lapse. Established connections go on.
    ///
    /// # Errors
    ///
    /// The kernel refused; all verdicts still hold.
    pub fn next_epoch(&self) -> Result<(), MapError> {
        self.set(|settings| settings.epoch = settings.epoch.wrapping_add(1))
    }

    /// Takes all egress from the tool whose cgroup, one level below the session's, has this id; or gives
    /// it back. Packets count by the cgroup in which their socket was made.
    ///
    /// # Errors
    ///
    /// The kernel refused, as when 1024 tools are cut off.
    pub fn cut(&self, cgroup_id: u64, on: bool) -> Result<(), MapError> {
        let key = cgroup_id.to_le_bytes();
        if on {
            return self.cut.put(&key, &[1]);
        }
        match self.cut.get(&key)? {
            Some(_) => self.cut.handle.delete(&key).map_err(|source| self.cut.fault(source)),
            None => Ok(()),
        }
    }

    /// The descriptors that keep the programs in their places: whoever holds them, too, keeps in force what
    /// was set when this process is gone.
    pub fn holds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.links.iter().map(AsFd::as_fd)
    }

    /// Hands on every event that is there, oldest first per processor, and says how many there were. Never
    /// waits: call it every few milliseconds. In one call, at most 131072.
    ///
    /// # Errors
    ///
    /// The ring cannot be read.
    pub fn drain(&self, each: &mut dyn FnMut(Event)) -> Result<usize, DrainError> {
        self.ring.drain(each)
    }

    /// What went over the network since the session was attached.
    ///
    /// # Errors
    ///
    /// The kernel refused.
    pub fn traffic(&self) -> Result<Vec<Traffic>, MapError> {
        let mut out = Vec::new();
        for key in self.traffic.handle.keys() {
            if let Some(value) = self.traffic.get(&key)? {
                out.extend(read_traffic(&key, &value).filter(|traffic| traffic.packets > 0));
            }
        }
        Ok(out)
    }

    /// How many events never came: the ring had no room, or they could not be read. What was enforced was
    /// enforced all the same.
    ///
    /// # Errors
    ///
    /// The kernel refused.
    pub fn lost(&self) -> Result<u64, MapError> {
        let lost = &self.lost;
        let per_processor = lost.handle.lookup_percpu(&ONLY, MapFlags::ANY);
        let per_processor = per_processor.map_err(|source| lost.fault(source))?;
        let counts =
            per_processor.iter().flatten().filter_map(|bytes| Reader { rest: bytes }.u64());
        Ok(counts.fold(self.ring.garbled(), u64::saturating_add))
    }

    fn set(&self, change: impl FnOnce(&mut Settings)) -> Result<(), MapError> {
        let mut settings = lock(&self.settings);
        let mut changed = *settings;
        change(&mut changed);
        self.config.put(&ONLY, &changed.to_bytes())?;
        *settings = changed;
        Ok(())
    }
}

/// `struct config` of `bpf/wire.h`.
#[derive(Clone, Copy)]
struct Settings {
    egress: Egress,
    epoch: u32,
    enforce_exec: bool,
}

impl Settings {
    fn to_bytes(self) -> Vec<u8> {
        let words = [self.egress.number(), self.epoch, u32::from(self.enforce_exec), 0];
        words.into_iter().flat_map(u32::to_le_bytes).collect()
    }
}

/// A map with its name, for errors.
struct Map {
    name: &'static str,
    handle: MapHandle,
}

impl Map {
    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), MapError> {
        self.handle.update(key, value, MapFlags::ANY).map_err(|source| self.fault(source))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, MapError> {
        self.handle.lookup(key, MapFlags::ANY).map_err(|source| self.fault(source))
    }

    fn fault(&self, source: libbpf_rs::Error) -> MapError {
        MapError { map: self.name, source }
    }
}

/// One entry that takes what finds no place of its own, so that no byte goes uncounted.
fn make_room_for_the_rest(traffic: &Map, session: u64) -> Result<(), MapError> {
    let nowhere = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let rest = Destination { addr: nowhere, port: 0, protocol: Protocol::Other(0) };
    traffic.put(&flow(session, rest), &[0; 24])
}

/// As `struct flow` of `bpf/wire.h`.
fn flow(cgroup: u64, remote: Destination) -> Vec<u8> {
    let mut flow = Vec::from(cgroup.to_le_bytes());
    flow.extend(remote.to_bytes());
    flow.extend([0; 4]);
    flow
}

/// From `struct flow` and `struct volume` of `bpf/wire.h`.
fn read_traffic(key: &[u8], value: &[u8]) -> Option<Traffic> {
    let (mut key, mut value) = (Reader { rest: key }, Reader { rest: value });
    let (cgroup, remote) = (key.u64()?, key.destination()?);
    let (bytes_out, bytes_in, packets) = (value.u64()?, value.u64()?, value.u64()?);
    Some(Traffic { cgroup, remote, bytes_out, bytes_in, packets })
}
