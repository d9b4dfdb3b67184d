//! Socket addresses, and connecting in a caller's stead.

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::net::sockopt::socket_error;

use crate::caller::Caller;
use crate::listener::Call;
use crate::object::Object;
use crate::resolve::Last;
use crate::sys;
use crate::target::Target;
use crate::view::{Empty, View};
use crate::wait::{Stop, Wait};

/// Nanoseconds between two looks at whether the caller still waits.
const LOOK_NANOS: i64 = 20_000_000;

/// Where a connect goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// An Internet address.
    Inet(SocketAddr),
    /// A Unix socket by its path, as the caller wrote it; the true one is
    /// [`Connect::socket_file`]'s.
    Unix(PathBuf),
    /// A Unix socket in the abstract namespace, without the leading NUL.
    Abstract(Vec<u8>),
    /// Any other family, and addresses too short for theirs. `AF_UNSPEC` (0) dissolves an
    /// association.
    Other {
        /// The family's number.
        family: u16,
    },
}

impl Address {
    /// Where a connect goes, as its caller's memory says now. The caller may write another there at any time:
    /// only whoever looks at the address that the kernel took may let it go on.
    ///
    /// # Errors
    ///
    /// As [`Target::read_sockaddr`].
    pub fn of(target: &Target<'_>, call: &Call) -> Result<Self, Errno> {
        Ok(Self::parse(&target.read_sockaddr(call.word(1), call.int(2))?))
    }

    fn parse(raw: &[u8]) -> Self {
        let Some((family, rest)) = raw.split_first_chunk::<2>() else {
            return Self::Other { family: u16::MAX };
        };
        let family = u16::from_ne_bytes(*family);
        let parsed = match i32::from(family) {
            libc::AF_INET => inet4(rest),
            libc::AF_INET6 => inet6(rest),
            libc::AF_UNIX => unix(rest),
            _ => None,
        };
        parsed.unwrap_or(Self::Other { family })
    }
}

fn inet4(rest: &[u8]) -> Option<Address> {
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let (ip, rest) = rest.split_first_chunk::<4>()?;
    // The kernel wants the whole structure, eight bytes of padding included.
    rest.first_chunk::<8>()?;
    let ip = IpAddr::V4(Ipv4Addr::from(*ip));
    Some(Address::Inet(SocketAddr::new(ip, u16::from_be_bytes(*port))))
}

fn inet6(rest: &[u8]) -> Option<Address> {
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let (flow, rest) = rest.split_first_chunk::<4>()?;
    let (ip, rest) = rest.split_first_chunk::<16>()?;
    let scope = rest.first_chunk::<4>().map_or(0, |scope| u32::from_ne_bytes(*scope));
    let (ip, port) = (Ipv6Addr::from(*ip), u16::from_be_bytes(*port));
    let address = SocketAddrV6::new(ip, port, u32::from_be_bytes(*flow), scope);
    Some(Address::Inet(SocketAddr::V6(address)))
}

fn unix(rest: &[u8]) -> Option<Address> {
    let (first, tail) = rest.split_first()?;
    if *first == 0 {
        return Some(Address::Abstract(tail.to_vec()));
    }
    let path = rest.split(|byte| *byte == 0).next()?;
    Some(Address::Unix(PathBuf::from(OsStr::from_bytes(path))))
}

/// A connect: the caller's socket and the address, both held here.
#[derive(Debug)]
pub struct Connect {
    socket: OwnedFd,
    address: Address,
    raw: Vec<u8>,
    file: Option<Object>,
}

impl Connect {
    pub(crate) fn of(view: &View<'_>, call: &Call) -> Result<Self, Errno> {
        let raw = view.target.read_sockaddr(call.word(1), call.int(2))?;
        let socket = view.target.file(call.int(0))?;
        let address = Address::parse(&raw);
        let file = match &address {
            Address::Unix(path) => {
                let path = path.as_os_str().as_bytes();
                Some(view.existing(libc::AT_FDCWD, path, Last::Follow, Empty::Refuse)?)
            }
            Address::Inet(_) | Address::Abstract(_) | Address::Other { .. } => None,
        };
        Ok(Self { socket, address, raw, file })
    }

    /// Where to.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The address as the caller wrote it.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The object behind the path of a Unix address.
    pub fn socket_file(&self) -> Option<&Object> {
        self.file.as_ref()
    }

    /// Connects. The peer of a Unix socket sees the caller's user and group, but our process id.
    pub(crate) fn perform(&self, caller: &Caller, wait: &Wait<'_>) -> Result<(), Stop> {
        let _acting = caller.act_fully()?;
        let raw = match &self.file {
            Some(object) => unix_address(object),
            None => self.raw.clone(),
        };
        let flags = fcntl_getfl(&self.socket)?;
        if flags.contains(OFlags::NONBLOCK) {
            return Ok(sys::connect(&self.socket, &raw)?);
        }
        loop {
            // The flag is the caller's too, so it is set for the moment of the call only.
            fcntl_setfl(&self.socket, flags | OFlags::NONBLOCK)?;
            let result = sys::connect(&self.socket, &raw);
            fcntl_setfl(&self.socket, flags)?;
            match result {
                Err(Errno::INPROGRESS) => return self.settle(wait),
                // The backlog of a Unix socket is full: the kernel would have waited.
                Err(Errno::AGAIN) if self.is_unix() => wait.pause()?,
                other => return Ok(other?),
            }
        }
    }

    fn is_unix(&self) -> bool {
        matches!(self.address, Address::Unix(_) | Address::Abstract(_))
    }

    fn settle(&self, wait: &Wait<'_>) -> Result<(), Stop> {
        let step = Timespec { tv_sec: 0, tv_nsec: LOOK_NANOS };
        loop {
            let mut fds = [PollFd::new(&self.socket, PollFlags::OUT)];
            match poll(&mut fds, Some(&step)) {
                Ok(0) | Err(Errno::INTR) => wait.check()?,
                Ok(_) => return Ok(socket_error(&self.socket)??),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// The address of exactly this socket file, through our own descriptor of it.
fn unix_address(object: &Object) -> Vec<u8> {
    let family = libc::AF_UNIX.unsigned_abs().to_ne_bytes();
    let mut raw: Vec<u8> = family.into_iter().take(2).collect();
    raw.extend_from_slice(object.reopen_path().as_bytes_with_nul());
    raw
}
