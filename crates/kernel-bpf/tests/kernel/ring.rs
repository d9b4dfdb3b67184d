use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use pathwarden_kernel_bpf::{Destination, Event, Protocol};

use crate::bed::Bed;

const FLOOD: usize = 80_000;

#[test]
fn what_finds_no_room_is_counted() {
    let Some(bed) = Bed::new("what_finds_no_room") else { return };
    bed.run(&[&bed.probe(), "flood", "/etc/hostname", &FLOOD.to_string()]);
    let opens = |events: &[Event]| {
        events.iter().filter(|event| matches!(event, Event::Open { .. })).count()
    };
    let seen = opens(&bed.events());
    let lost = usize::try_from(bed.session().lost().unwrap()).unwrap();
    assert!(lost > 1000 && seen > 1000, "seen {seen}, lost {lost}");
    assert!(seen + lost >= FLOOD, "seen {seen}, lost {lost}");
    // Once there is room, it goes on.
    bed.run(&[&bed.probe(), "flood", "/etc/hostname", "10"]);
    assert!(opens(&bed.events()) >= 10);
    assert_eq!(usize::try_from(bed.session().lost().unwrap()).unwrap(), lost);
}

#[test]
fn many_threads_use_one_session() {
    let Some(bed) = Bed::new("many_threads") else { return };
    let session = bed.session();
    let count = AtomicUsize::new(0);
    let inside = bed.start(&[&bed.probe(), "flood", "/etc/hostname", "20000"]);
    thread::scope(|scope| {
        for port in 0..4 {
            let count = &count;
            scope.spawn(move || {
                let addr = IpAddr::V4(Ipv4Addr::LOCALHOST);
                for _ in 0..500 {
                    let to = Destination { addr, port, protocol: Protocol::Tcp };
                    session.judge(to, None, true, session.epoch()).unwrap();
                    session.next_epoch().unwrap();
                    let seen = session.drain(&mut |_| ()).unwrap();
                    count.fetch_add(seen, Ordering::Relaxed);
                    session.lost().unwrap();
                }
            });
        }
    });
    assert!(inside.rest().1.success());
    count.fetch_add(bed.events().len(), Ordering::Relaxed);
    assert!(count.into_inner() + usize::try_from(session.lost().unwrap()).unwrap() >= 20000);
}
