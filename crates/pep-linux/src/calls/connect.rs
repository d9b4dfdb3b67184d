//! Connections that wait for a verdict.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use pathwarden_kernel_bpf::{Destination, Protocol, Session};
use pathwarden_kernel_seccomp::{Address, Connect, Errno};
use pathwarden_types::HostAct;

use super::{Calls, Halt, Patience};
use crate::asker::Said;
use crate::question::Actor;
use crate::sockets;
use crate::terrain::OWN;
use crate::watch::Watch;

impl Calls {
    /// Whether the kernel carries out a connection; an address is known to the kernel before it does.
    pub(super) fn connect(
        &self,
        tid: u32,
        connect: &Connect,
        actor: &Actor,
        patience: Patience,
    ) -> Result<bool, Halt> {
        match connect.address() {
            Address::Inet(address) => match &self.bpf {
                Some(bpf) => {
                    self.connect_by_kernel(bpf, tid, *address, actor, patience).map(|()| true)
                }
                None => {
                    let act = self.reach(*address, patience)?;
                    self.permit("connect", act, actor, patience).map(|()| false)
                }
            },
            Address::Unix(_) => {
                let Some(file) = connect.socket_file() else { return Err(Errno::PERM.into()) };
                if file.path() == self.relay {
                    return Ok(false);
                }
                // To find out whose it is takes a look at all processes.
                if patience == Patience::None {
                    return Err(Halt::Unknown);
                }
                let is_own = sockets::holds_unix(file.id(), &(self.processes)());
                let act = self.decider.terrain.on_socket(file.path(), is_own);
                self.permit("connect", act, actor, patience).map(|()| false)
            }
            // It has no file that says whose it is.
            Address::Abstract(_) => Err(Errno::PERM.into()),
            // Nothing is reached; and should it be another address by the time the kernel reads it, that is
            // refused there unless it was decided.
            Address::Other { .. } => {
                if let Some(bpf) = &self.bpf {
                    bpf.withdraw_pass(tid);
                }
                Ok(self.bpf.is_some())
            }
        }
    }

    /// Has the kernel carry out a connection: it looks at the address that it took itself.
    pub(super) fn connect_by_kernel(
        &self,
        bpf: &Session,
        tid: u32,
        address: SocketAddr,
        actor: &Actor,
        patience: Patience,
    ) -> Result<(), Halt> {
        // Whatever is decided below counts for the epoch in which it began.
        let epoch = bpf.epoch();
        if let Some(watch) = self.watch.as_ref().filter(|_| actor.server.is_some()) {
            if patience == Patience::None {
                return Err(Halt::Unknown);
            }
            // What the server did before it connects counts before it connects.
            watch.settle();
            self.heed(watch);
        }
        let act = self.reach(address, patience)?;
        // Who listens on this machine may be another the next time.
        let is_lasting = act.place != OWN;
        let is_allowed = self.said(act, actor, patience)? == Said::Allow;
        let to = |protocol| Destination { addr: address.ip(), port: address.port(), protocol };
        let tool = self.tools.cgroup_of(actor.server.as_ref());
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let allow = is_allowed && is_lasting;
            bpf.judge(to(protocol), tool, allow, epoch).map_err(|_| Errno::PERM)?;
        }
        if !is_allowed {
            bpf.withdraw_pass(tid);
            self.note_refused("connect");
            return Err(Errno::PERM.into());
        }
        // An order may come between our word and the kernel's look; this very call was decided.
        Ok(bpf.pass(tid, to(Protocol::Tcp)).map_err(|_| Errno::PERM)?)
    }

    /// What reaching an address is.
    fn reach(&self, address: SocketAddr, patience: Patience) -> Result<HostAct, Halt> {
        let has_looked = Cell::new(false);
        // To find out who listens there takes a look at all processes.
        let is_own = || match patience {
            Patience::None => has_looked.replace(true),
            Patience::Some => sockets::listens(address, &(self.processes)()),
        };
        let act = self.decider.terrain.on_address(address, is_own);
        if has_looked.get() { Err(Halt::Unknown) } else { Ok(act) }
    }

    /// After something was out of order, nothing counts that was allowed before.
    fn heed(&self, watch: &Watch) {
        let alarms = watch.alarms();
        if self.decider.alarms.swap(alarms, Ordering::SeqCst) != alarms {
            self.decider.distrust();
        }
    }
}
