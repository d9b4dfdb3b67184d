use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use pathwarden_kernel_bpf::{Destination, Egress, Event, Protocol, Verdict};

use crate::bed::{Bed, until};

const NOT_PERMITTED: &str = "-1";
/// How long a byte may take that is let through: TCP tries again after a while.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a byte is waited for that must not come.
const SILENCE: Duration = Duration::from_millis(400);

fn listener(addr: impl Into<IpAddr>) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((addr.into(), 0)).unwrap();
    let at = listener.local_addr().unwrap();
    (listener, at)
}

fn to(at: SocketAddr, protocol: Protocol) -> Destination {
    Destination { addr: at.ip(), port: at.port(), protocol }
}

/// Lets the helper go there, and gives what it said.
fn reach(bed: &Bed, how: &str, at: SocketAddr) -> String {
    bed.run(&[&bed.probe(), how, &at.ip().to_string(), &at.port().to_string()]).trim().to_owned()
}

fn verdicts(bed: &Bed) -> Vec<(Destination, Verdict)> {
    let seen = bed.events().into_iter().filter_map(|event| match event {
        Event::Connect { to, verdict, cgroup, .. } => {
            assert_eq!(cgroup, bed.id());
            Some((to, verdict))
        }
        _ => None,
    });
    seen.collect()
}

#[test]
fn open_lets_through_and_reports() {
    let Some(bed) = Bed::new("open_lets_through") else { return };
    let (_listener, at) = listener(Ipv4Addr::LOCALHOST);
    assert_eq!(reach(&bed, "tcp", at), "connect 0");
    let mut results = Vec::new();
    let mut seen = Vec::new();
    for event in bed.events() {
        match event {
            Event::Connect { to, verdict, .. } => seen.push((to, verdict)),
            Event::Connected { result, descriptor, .. } => results.push((result, descriptor)),
            _ => (),
        }
    }
    assert_eq!(seen, [(to(at, Protocol::Tcp), Verdict::Allowed)]);
    assert_eq!(results, [(0, 3)]);
}

#[test]
fn decided_lets_through_only_what_was_allowed_since_the_last_epoch() {
    let Some(bed) = Bed::new("decided") else { return };
    let session = bed.session();
    for (how, protocol) in [("tcp", Protocol::Tcp), ("udp", Protocol::Udp)] {
        let (tcp, at) = listener(Ipv4Addr::LOCALHOST);
        let _udp = UdpSocket::bind(at).unwrap();
        let destination = to(at, protocol);
        let expect = |verdict: Verdict| {
            let said = reach(&bed, how, at);
            assert_eq!(!said.ends_with(NOT_PERMITTED), verdict.is_allowed(), "{said}");
            assert_eq!(verdicts(&bed), [(destination, verdict)]);
        };
        session.set_egress(Egress::Decided).unwrap();
        expect(Verdict::Unknown);
        session.judge(destination, None, true, session.epoch()).unwrap();
        expect(Verdict::Allowed);
        session.judge(destination, None, false, session.epoch()).unwrap();
        expect(Verdict::Denied);
        session.judge(destination, None, true, session.epoch()).unwrap();
        session.next_epoch().unwrap();
        expect(Verdict::Lapsed);
        session.judge(destination, None, true, session.epoch()).unwrap();
        expect(Verdict::Allowed);
        session.set_egress(Egress::None).unwrap();
        expect(Verdict::NoEgress);
        session.set_egress(Egress::Open).unwrap();
        expect(Verdict::Allowed);
        drop(tcp);
    }
}

#[test]
fn an_allowed_place_is_one_address_one_port_one_protocol() {
    let Some(bed) = Bed::new("an_allowed_place") else { return };
    let session = bed.session();
    let (_listener, at) = listener(Ipv4Addr::LOCALHOST);
    session.set_egress(Egress::Decided).unwrap();
    session.judge(to(at, Protocol::Tcp), None, true, session.epoch()).unwrap();
    let other_port = SocketAddr::new(at.ip(), at.port() ^ 1);
    let other_addr = SocketAddr::new(Ipv4Addr::new(127, 0, 0, 2).into(), at.port());
    for (how, at) in [("tcp", other_port), ("tcp", other_addr), ("udp", at)] {
        assert!(reach(&bed, how, at).ends_with(NOT_PERMITTED), "{how} {at}");
    }
    assert_eq!(reach(&bed, "tcp", at), "connect 0");
}

#[test]
fn a_verdict_is_for_the_tool_that_it_was_asked_for() {
    let Some(bed) = Bed::new("a_verdict") else { return };
    let session = bed.session();
    let (_listener, at) = listener(Ipv4Addr::LOCALHOST);
    let port = at.port().to_string();
    let ((one, one_id), (other, _)) = (bed.tool("one"), bed.tool("other"));
    let probe = bed.probe();
    let connect = [&*probe, "tcp", "127.0.0.1", &port];
    session.set_egress(Egress::Decided).unwrap();
    session.judge(to(at, Protocol::Tcp), Some(one_id), true, session.epoch()).unwrap();
    assert_eq!(bed.run_in(&one, &connect), "connect 0\n");
    assert_eq!(bed.run_in(&other, &connect), "connect -1\n");
    assert!(reach(&bed, "tcp", at).ends_with(NOT_PERMITTED));
    session.judge(to(at, Protocol::Tcp), None, true, session.epoch()).unwrap();
    assert_eq!(reach(&bed, "tcp", at), "connect 0");
    assert_eq!(bed.run_in(&other, &connect), "connect -1\n");
}

#[test]
fn ipv6_is_decided_and_mapped_ipv4_is_the_same_place() {
    let Some(bed) = Bed::new("ipv6") else { return };
    let session = bed.session();
    session.set_egress(Egress::Decided).unwrap();
    let (_six, at) = listener(Ipv6Addr::LOCALHOST);
    let _udp = UdpSocket::bind(at).unwrap();
    for (how, protocol) in [("tcp", Protocol::Tcp), ("udp", Protocol::Udp)] {
        assert!(reach(&bed, how, at).ends_with(NOT_PERMITTED));
        assert_eq!(verdicts(&bed), [(to(at, protocol), Verdict::Unknown)]);
        session.judge(to(at, protocol), None, true, session.epoch()).unwrap();
        assert!(!reach(&bed, how, at).contains('-'));
        assert_eq!(verdicts(&bed), [(to(at, protocol), Verdict::Allowed)]);
    }
    let (_four, at) = listener(Ipv4Addr::LOCALHOST);
    let _udp = UdpSocket::bind(at).unwrap();
    let mapped = SocketAddr::new(Ipv4Addr::LOCALHOST.to_ipv6_mapped().into(), at.port());
    for (how, protocol) in [("tcp", Protocol::Tcp), ("udp", Protocol::Udp)] {
        assert!(reach(&bed, how, mapped).ends_with(NOT_PERMITTED));
        session.judge(to(at, protocol), None, true, session.epoch()).unwrap();
        assert!(!reach(&bed, how, mapped).contains('-'));
        let last = (to(at, protocol), Verdict::Allowed);
        assert_eq!(verdicts(&bed).last(), Some(&last));
    }
}

#[test]
fn no_egress_stops_an_established_connection_until_it_is_given_back() {
    let Some(bed) = Bed::new("no_egress") else { return };
    let (listener, at) = listener(Ipv4Addr::LOCALHOST);
    let port = at.port().to_string();
    let mut inside = bed.start(&[&bed.probe(), "talk", "127.0.0.1", &port]);
    let mut peer = listener.accept().unwrap().0;
    assert_eq!(inside.line(), "connect 0");
    inside.say("a");
    assert_eq!(hear(&mut peer, PATIENCE), Some(*b"a\n"));
    bed.session().set_egress(Egress::None).unwrap();
    inside.say("b");
    assert_eq!(hear(&mut peer, SILENCE), None);
    bed.session().set_egress(Egress::Open).unwrap();
    assert_eq!(hear(&mut peer, PATIENCE), Some(*b"b\n"));
    assert!(inside.rest().1.success());
}

/// Two bytes from the other side; `None` when none come in this time.
fn hear(peer: &mut TcpStream, patience: Duration) -> Option<[u8; 2]> {
    let mut bytes = [0; 2];
    peer.set_read_timeout(Some(patience)).unwrap();
    match peer.read_exact(&mut bytes) {
        Ok(()) => Some(bytes),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_cut_is_for_one_tool() {
    let Some(bed) = Bed::new("a_cut") else { return };
    let (listener, at) = listener(Ipv4Addr::LOCALHOST);
    let port = at.port().to_string();
    let ((bad, bad_id), (good, _)) = (bed.tool("bad"), bed.tool("good"));
    let probe = bed.probe();
    let connect = [&*probe, "tcp", "127.0.0.1", &port];
    let mut talker = bed.start_in(&bad, &[&probe, "talk", "127.0.0.1", &port]);
    let mut peer = listener.accept().unwrap().0;
    assert_eq!(talker.line(), "connect 0");
    bed.events();
    bed.session().cut(bad_id, true).unwrap();
    assert_eq!(bed.run_in(&bad, &connect), "connect -1\n");
    let cut = |event: &Event| matches!(event, Event::Connect { verdict: Verdict::Cut, cgroup, .. } if *cgroup == bad_id);
    assert!(bed.events().iter().any(cut));
    assert_eq!(bed.run_in(&good, &connect), "connect 0\n");
    assert_eq!(bed.run(&connect), "connect 0\n");
    talker.say("c");
    assert_eq!(hear(&mut peer, SILENCE), None);
    bed.session().cut(bad_id, false).unwrap();
    bed.session().cut(bad_id, false).unwrap();
    assert_eq!(hear(&mut peer, PATIENCE), Some(*b"c\n"));
    assert_eq!(bed.run_in(&bad, &connect), "connect 0\n");
}

#[test]
fn sockets_that_are_not_asked_about_cannot_be_made() {
    let Some(bed) = Bed::new("sockets") else { return };
    let said = bed.run(&[&bed.probe(), "sockets"]);
    // Where the machine lets nobody ping, that answer comes first.
    let said = said.replace("ping -13", "ping -1");
    assert_eq!(said, "tcp 3\nudp6 4\nraw -1\nraw6 -1\nping -1\nmptcp -1\nunix 5\n");
}

#[test]
fn traffic_is_counted_by_tool_and_place() {
    const SENT: usize = 300_000;
    let Some(bed) = Bed::new("traffic") else { return };
    let (listener, at) = listener(Ipv4Addr::LOCALHOST);
    let (tool, tool_id) = bed.tool("t");
    let port = at.port().to_string();
    let words = [&*bed.probe(), "fetch", "127.0.0.1", &port, &SENT.to_string()];
    let inside = bed.start_in(&tool, &words);
    let mut peer = listener.accept().unwrap().0;
    peer.write_all(&vec![7; SENT]).unwrap();
    let said = inside.rest().0;
    assert!(said.ends_with(&format!("got {SENT}\n")), "{said}");
    let traffic = bed.session().traffic().unwrap();
    let [only] = traffic[..] else { panic!("{traffic:?}") };
    assert_eq!((only.cgroup, only.remote), (tool_id, to(at, Protocol::Tcp)));
    // What was sent, and headers: less than a tenth more.
    let sent = SENT as u64;
    assert!((sent..sent + sent / 10).contains(&only.bytes_in), "{only:?}");
    assert!((40..sent / 10).contains(&only.bytes_out), "{only:?}");
    assert!(only.packets >= 8, "{only:?}");
}

#[test]
fn nothing_is_enforced_once_the_session_is_dropped() {
    let Some(mut bed) = Bed::new("nothing_is_enforced") else { return };
    let (_listener, at) = listener(Ipv4Addr::LOCALHOST);
    bed.session().set_egress(Egress::None).unwrap();
    bed.session().enforce_exec(false).unwrap();
    assert_eq!(reach(&bed, "tcp", at), "connect -1");
    bed.detach();
    until("a connection", || reach(&bed, "tcp", at) == "connect 0");
}
