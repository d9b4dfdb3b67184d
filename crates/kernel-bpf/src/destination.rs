//! Where a session's sockets may go, and how much went there.

use std::net::{IpAddr, Ipv6Addr};

/// `struct destination` of `bpf/wire.h`, in bytes.
pub(crate) const DESTINATION_BYTES: usize = 20;

/// What is above IP.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// Another one, by its IANA number. Seen in traffic only; nothing allows a connection by it.
    Other(u8),
}

impl Protocol {
    const TCP: u8 = 6;
    const UDP: u8 = 17;

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Tcp => Self::TCP,
            Self::Udp => Self::UDP,
            Self::Other(number) => number,
        }
    }

    pub(crate) fn from_number(number: u8) -> Self {
        match number {
            Self::TCP => Self::Tcp,
            Self::UDP => Self::Udp,
            other => Self::Other(other),
        }
    }
}

/// The other end of a connection. An IPv4 address and its form inside IPv6 are one destination.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Destination {
    /// Its address.
    pub addr: IpAddr,
    /// Its port; 0 where the protocol has none.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

impl Destination {
    /// As `struct destination` of `bpf/wire.h`.
    pub(crate) fn to_bytes(self) -> [u8; DESTINATION_BYTES] {
        let address = match self.addr {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        let mut out = [0; DESTINATION_BYTES];
        let [low, high] = self.port.to_le_bytes();
        let rest = [low, high, self.protocol.number(), 0];
        let all = address.octets().into_iter().chain(rest);
        out.iter_mut().zip(all).for_each(|(to, from)| *to = from);
        out
    }

    pub(crate) fn from_parts(address: [u8; 16], port: u16, protocol: u8) -> Self {
        let addr = Ipv6Addr::from(address).to_canonical();
        Self { addr, port, protocol: Protocol::from_number(protocol) }
    }
}

/// What a session may reach. Ordered by restraint.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Egress {
    /// Everything; it is reported.
    Open,
    /// Only what has been judged since the last change of epoch, and allowed.
    Decided,
    /// Nothing: no new connection, and no packet of an established one.
    None,
}

impl Egress {
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Open => 0,
            Self::Decided => 1,
            Self::None => 2,
        }
    }
}

/// How much went to one place and came from it, in bytes of IP packets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Traffic {
    /// The tool's cgroup, or the session's where the socket belongs to no tool.
    pub cgroup: u64,
    /// The other end. The unspecified address with port 0 stands for all for which there was no room.
    pub remote: Destination,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Packets both ways, as the socket saw them: a segmented or merged one counts once.
    pub packets: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_either_form_is_one_destination() {
        let of = |addr: &str| {
            let addr = addr.parse().unwrap();
            Destination { addr, port: 0x1234, protocol: Protocol::Udp }.to_bytes()
        };
        assert_eq!(of("127.0.0.1"), of("::ffff:127.0.0.1"));
        assert_ne!(of("127.0.0.1"), of("::1"));
        assert_eq!(of("::1")[15..], [1, 0x34, 0x12, 17, 0]);
        let back = Destination::from_parts(*of("127.0.0.1").first_chunk().unwrap(), 0x1234, 17);
        assert_eq!(back.addr, IpAddr::from([127, 0, 0, 1]));
    }
}
