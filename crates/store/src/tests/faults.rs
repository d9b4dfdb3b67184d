//! Every single operation on the disk fails once, and then from then on: nothing that was
//! acknowledged is lost, nothing that was refused is there, and the log goes on.

use std::sync::Arc;

use super::faulty::{Fault, FaultyDisk};
use super::{Home, append, assert_holds, entry, options};
use crate::{Append, AppendError, Options, Store};

/// Segments so small that they fill up all the time.
fn small() -> Options {
    Options { segment_bytes: 2_048, ..options() }
}

/// Appends with a payload and publishes, again and again; gives the number of acknowledged entries.
/// An entry is tried until it is taken, at most `tries` times: then it is left out for good.
fn work(store: &Store, tries: usize) -> u64 {
    let mut size = 0;
    for round in 0_u8..8 {
        for _ in 0..tries {
            let payloads = vec![vec![round; 300 + usize::from(round)]];
            let outcome = store.append(Append { entry: entry(size), payloads }).unwrap().wait();
            match outcome {
                Ok(receipt) => {
                    assert_eq!(receipt.index, Some(size));
                    size += 1;
                    break;
                }
                Err(AppendError::Disk { .. }) => {}
                Err(other) => panic!("refused for another reason: {other}"),
            }
        }
        if round % 3 == 2 {
            // May fail: what was acknowledged does not depend on it.
            let _ = store.publish();
        }
    }
    size
}

#[test]
fn one_fault_anywhere_costs_at_most_one_refusal() {
    for step in 0.. {
        let (home, disk) = (Home::new(), FaultyDisk::default());
        let store = home.open_on(Arc::new(disk.clone()), small());
        disk.arm(step, Fault::Once);
        assert_eq!(work(&store, 2), 8, "fault at step {step}");
        let struck = disk.disarm();
        assert_holds(&store, 8);
        drop(store);
        assert_holds(&home.open(), 8);
        if !struck {
            assert!(step > 60, "the faults ran out after {step} steps");
            break;
        }
    }
}

#[test]
fn a_refused_entry_is_not_there_after_a_restart() {
    for step in 0.. {
        let (home, disk) = (Home::new(), FaultyDisk::default());
        let store = home.open_on(Arc::new(disk.clone()), small());
        disk.arm(step, Fault::Once);
        let size = work(&store, 1);
        let struck = disk.disarm();
        drop(store);
        // An entry that was refused has the index of the next, so any trace of it would show here.
        assert_holds(&home.open(), size);
        if !struck {
            assert_eq!(size, 8);
            break;
        }
    }
}

#[test]
fn a_full_disk_refuses_and_work_goes_on_when_there_is_room() {
    for step in (0..90).step_by(3) {
        let (home, disk) = (Home::new(), FaultyDisk::default());
        let store = home.open_on(Arc::new(disk.clone()), small());
        disk.arm(step, Fault::FromThenOn);
        let size = work(&store, 1);
        disk.disarm();
        let receipt = store.append(append(size)).unwrap().wait().unwrap();
        assert_eq!(receipt.index, Some(size), "fault from step {step} on");
        assert_holds(&store, size + 1);
        store.close().unwrap();
        drop(store);
        assert_holds(&home.open(), size + 1);
    }
}

#[test]
fn a_process_that_dies_on_a_full_disk_loses_nothing_acknowledged() {
    for step in (0..90).step_by(3) {
        let (home, disk) = (Home::new(), FaultyDisk::default());
        let store = home.open_on(Arc::new(disk.clone()), small());
        disk.arm(step, Fault::FromThenOn);
        let size = work(&store, 1);
        drop(store);
        let store = home.open();
        // One refused write may have reached the disk before it stopped answering.
        let found = store.reader().size();
        assert!(found == size || found == size + 1, "{found} of {size} after step {step}");
        assert_holds(&store, found);
    }
}

#[test]
fn accepted_batched_entries_outlast_a_full_disk() {
    let (home, disk) = (Home::new(), FaultyDisk::default());
    let store = home.open_on(Arc::new(disk.clone()), small());
    disk.arm(0, Fault::FromThenOn);
    for index in 0..5 {
        let _ = store.append_batched(append(index)).unwrap();
    }
    // A strict one behind them is refused, and shows that the batch was tried.
    assert!(matches!(store.append(append(99)).unwrap().wait(), Err(AppendError::Disk { .. })));
    disk.disarm();
    let receipt = store.append(append(5)).unwrap().wait().unwrap();
    assert_eq!(receipt.index, Some(5));
    assert_holds(&store, 6);
}

#[test]
fn a_full_queue_refuses_both_modes() {
    let (home, disk) = (Home::new(), FaultyDisk::default());
    let limited = Options { queue_entries_max: 4, ..options() };
    let store = home.open_on(Arc::new(disk.clone()), limited);
    let held = disk.hold_syncs();
    let mut pending = vec![store.append(append(0)).unwrap()];
    disk.wait_for_held_sync();
    let refused = loop {
        match store.append(append(pending.len() as u64)) {
            Ok(one) => pending.push(one),
            Err(error) => break error,
        }
        assert!(pending.len() <= 5, "one entry is being written, and the queue holds 4");
    };
    assert_eq!(pending.len(), 5);
    assert!(matches!(refused, AppendError::Full));
    assert!(matches!(store.append_batched(append(0)), Err(AppendError::Full)));
    drop(held);
    let size = pending.len() as u64;
    for (index, one) in (0..).zip(pending) {
        assert_eq!(one.wait().unwrap().index, Some(index));
    }
    assert_holds(&store, size);
}

#[test]
fn a_queue_full_of_bytes_refuses() {
    let (home, disk) = (Home::new(), FaultyDisk::default());
    let limited = Options { queue_bytes_max: 1_000, ..options() };
    let store = home.open_on(Arc::new(disk.clone()), limited);
    let held = disk.hold_syncs();
    let large = || Append { entry: vec![1; 400], payloads: Vec::new() };
    let taken: Vec<_> = std::iter::from_fn(|| store.append(large()).ok()).take(100).collect();
    assert!((2..=5).contains(&taken.len()), "{}", taken.len());
    drop(held);
    assert!(taken.into_iter().all(|one| one.wait().is_ok()));
}
