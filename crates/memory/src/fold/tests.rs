use pathwarden_types::{ActionId, Digest, Integrity, Millis, Name, SessionId};
use proptest::prelude::*;

use super::{Memories, Shown, Standing};
use pathwarden_types::{EntryId, MemoryEvent, VersionRef, WriteMode};

fn id(key: &str) -> EntryId {
    EntryId::new("notes", key)
}

fn version(key: &str, number: u64) -> VersionRef {
    id(key).version(number)
}

fn action(number: usize) -> ActionId {
    ActionId::of(&Digest::of(&number.to_le_bytes()))
}

fn session(number: usize) -> SessionId {
    SessionId::of(&Digest::of(&number.to_le_bytes()))
}

fn person() -> Name {
    "ann".parse().unwrap()
}

fn written(key: &str, text: &str, mode: WriteMode, from: &[VersionRef]) -> MemoryEvent {
    MemoryEvent::Written {
        entry: id(key),
        content: Digest::of(text.as_bytes()),
        bytes: text.len() as u64,
        mode,
        by: action(0),
        trust: Integrity::FirstParty,
        derived_from: from.to_vec(),
        sources: Vec::new(),
    }
}

fn quarantined(key: &str, from_version: u64) -> MemoryEvent {
    MemoryEvent::Quarantined { entry: id(key), from_version, by: person(), note: String::new() }
}

fn released(key: &str) -> MemoryEvent {
    MemoryEvent::Released { entry: id(key), by: person(), note: String::new() }
}

fn rolled_back(key: &str, to_version: u64) -> MemoryEvent {
    MemoryEvent::RolledBack { entry: id(key), to_version, by: person(), note: String::new() }
}

fn consumed(versions: Vec<VersionRef>, by: usize) -> MemoryEvent {
    MemoryEvent::Consumed { versions, by: action(by), content: Digest::of(b"result") }
}

#[derive(Default)]
struct World {
    memories: Memories,
    now: u64,
}

impl World {
    fn apply(&mut self, event: &MemoryEvent) {
        self.now += 1;
        self.memories.apply(Millis(self.now), Some(session(0)), event);
    }

    fn write(&mut self, key: &str, text: &str, from: &[VersionRef]) -> VersionRef {
        let next = self.memories.next(&id(key));
        self.apply(&written(key, text, WriteMode::Replace, from));
        next
    }

    fn add(&mut self, key: &str, text: &str) -> VersionRef {
        let next = self.memories.next(&id(key));
        self.apply(&written(key, text, WriteMode::Add, &[]));
        next
    }

    fn standings(&self, key: &str) -> Vec<Standing> {
        self.memories.entry(&id(key)).unwrap().versions().map(super::Version::standing).collect()
    }
}

#[test]
fn a_write_supersedes_unless_it_adds() {
    let mut world = World::default();
    world.write("a", "1", &[]);
    world.add("a", "2");
    assert_eq!(world.standings("a"), [Standing::Current, Standing::Current]);
    assert_eq!(world.memories.pieces(&version("a", 2)), [version("a", 1), version("a", 2)]);
    world.write("a", "3", &[]);
    assert_eq!(
        world.standings("a"),
        [Standing::Superseded, Standing::Superseded, Standing::Current]
    );
    assert_eq!(world.memories.pieces(&version("a", 3)), [version("a", 3)]);
    world.apply(&MemoryEvent::Removed { entry: id("a"), content: None, by: action(1) });
    assert_eq!(world.standings("a")[2], Standing::Removed);
}

#[test]
fn one_observation_is_removed_without_the_others() {
    let mut world = World::default();
    world.add("a", "1");
    world.add("a", "2");
    let content = Some(Digest::of(b"1"));
    world.apply(&MemoryEvent::Removed { entry: id("a"), content, by: action(1) });
    assert_eq!(world.standings("a"), [Standing::Removed, Standing::Current]);
}

#[test]
fn quarantine_and_release_hold_in_the_order_in_which_they_came() {
    let mut world = World::default();
    world.write("a", "good", &[]);
    world.write("a", "bad", &[]);
    world.apply(&quarantined("a", 2));
    assert_eq!(world.standings("a"), [Standing::Superseded, Standing::Quarantined]);
    assert_eq!(world.memories.shown(&id("a")), Shown::Cut);
    world.apply(&released("a"));
    assert_eq!(world.standings("a"), [Standing::Superseded, Standing::Current]);
    assert_eq!(world.memories.shown(&id("a")), Shown::AsIs);

    let mut other = World::default();
    other.write("a", "bad", &[]);
    other.apply(&released("a"));
    other.apply(&quarantined("a", 1));
    assert_eq!(other.memories.shown(&id("a")), Shown::Cut);
}

#[test]
fn a_rollback_shows_the_earlier_version_instead() {
    let mut world = World::default();
    world.write("a", "good", &[]);
    world.write("a", "bad", &[]);
    world.add("a", "worse");
    world.apply(&quarantined("a", 2));
    world.apply(&rolled_back("a", 1));
    assert_eq!(world.memories.shown(&id("a")), Shown::Instead(version("a", 1)));
    let held = world.memories.held("notes");
    let instead: Vec<_> =
        held.iter().map(|one| (one.version.number, one.instead.clone())).collect();
    assert_eq!(instead, [(2, Some(version("a", 1))), (3, None)]);
    // Further back, and forward again.
    world.apply(&rolled_back("a", 0));
    assert_eq!(world.memories.shown(&id("a")), Shown::Cut);
    world.apply(&rolled_back("a", 2));
    assert_eq!(world.memories.shown(&id("a")), Shown::Instead(version("a", 2)));
    // What is written anew, from nothing that is held back, is shown.
    world.write("a", "new", &[]);
    assert_eq!(world.memories.shown(&id("a")), Shown::AsIs);
    assert_eq!(world.memories.held("notes").len(), 1);
}

#[test]
fn a_rollback_to_what_is_quarantined_or_unknown_shows_nothing() {
    let mut world = World::default();
    world.write("a", "bad", &[]);
    world.write("a", "worse", &[]);
    world.apply(&rolled_back("a", 1));
    world.apply(&quarantined("a", 1));
    assert_eq!(world.memories.shown(&id("a")), Shown::Cut);
    world.apply(&rolled_back("a", 7));
    assert_eq!(world.memories.shown(&id("a")), Shown::Cut);
}

#[test]
fn what_is_held_back_does_not_return_by_being_written_again() {
    let mut world = World::default();
    let bad = world.write("a", "bad", &[]);
    world.apply(&quarantined("a", 1));
    world.write("a", "bad", &[]);
    assert_eq!(world.memories.shown(&id("a")), Shown::Cut);
    world.write("b", "made of bad", &[bad]);
    assert_eq!(world.standings("b"), [Standing::Quarantined]);
    world.write("a", "fine", &[]);
    assert_eq!(world.memories.shown(&id("a")), Shown::AsIs);
}

#[test]
fn quarantine_reaches_what_was_derived_and_what_came_later() {
    let mut world = World::default();
    let root = world.write("a", "root", &[]);
    let child = world.write("b", "child", std::slice::from_ref(&root));
    let later = world.add("b", "later");
    let grandchild = world.write("c", "grandchild", std::slice::from_ref(&later));
    let stranger = world.write("d", "stranger", &[]);
    assert_eq!(world.memories.descendants(&root), std::slice::from_ref(&child));
    let set = world.memories.quarantine_set(&id("a"));
    assert_eq!(set, [root, child, later, grandchild]);
    assert!(!set.contains(&stranger));
    assert!(world.memories.quarantine_set(&id("unknown")).is_empty());
}

#[test]
fn lineage_that_goes_in_a_circle_ends() {
    let mut world = World::default();
    let (a, b) = (version("a", 1), version("b", 1));
    world.write("a", "a", &[b.clone(), a.clone()]);
    world.write("b", "b", std::slice::from_ref(&a));
    assert_eq!(world.memories.descendants(&a), std::slice::from_ref(&b));
    assert_eq!(world.memories.quarantine_set(&id("a")), [a.clone(), b]);
    assert_eq!(world.memories.trust_of(&a), Integrity::FirstParty);
}

#[test]
fn trust_is_the_least_of_the_lineage_and_none_where_it_is_unknown() {
    let mut world = World::default();
    let root = world.write("a", "root", &[]);
    let child = world.write("b", "child", &[root]);
    assert_eq!(world.memories.trust_of(&child), Integrity::FirstParty);
    assert_eq!(world.memories.trust_of_entry(&id("b")), Integrity::FirstParty);
    world.apply(&quarantined("a", 1));
    assert_eq!(world.memories.trust_of(&child), Integrity::Untrusted);
    world.apply(&released("a"));
    assert_eq!(world.memories.trust_of(&child), Integrity::FirstParty);
    let orphan = world.write("c", "orphan", &[version("nowhere", 1)]);
    assert_eq!(world.memories.trust_of(&orphan), Integrity::Untrusted);
    assert_eq!(world.memories.trust_of_entry(&id("nowhere")), Integrity::Untrusted);
}

#[test]
fn readers_are_remembered_once() {
    let mut world = World::default();
    let one = world.write("a", "1", &[]);
    world.apply(&consumed(vec![one.clone(), version("unknown", 1)], 1));
    world.apply(&consumed(vec![one.clone()], 1));
    world.memories.apply(Millis(9), None, &consumed(vec![one], 2));
    assert_eq!(world.memories.consumers(&id("a")), [(session(0), action(1))]);
    assert_eq!(world.memories.entry(&id("a")).unwrap().consumers().count(), 2);
}

#[test]
fn a_directory_covers_what_is_below_it() {
    let mut world = World::default();
    for key in ["/m", "/m/a", "/m/b/c", "/m-other", "/n"] {
        world.write(key, "x", &[]);
    }
    let found: Vec<_> = world.memories.covered(&id("/m")).map(|id| id.key.clone()).collect();
    assert_eq!(found, ["/m", "/m/a", "/m/b/c"]);
}

#[test]
fn versions_have_a_most_and_what_is_held_back_is_forgotten_last() {
    let mut world = World::default();
    world.write("a", "bad", &[]);
    world.apply(&quarantined("a", 1));
    for number in 1..Memories::VERSIONS_MAX {
        world.write("a", &number.to_string(), &[]);
    }
    assert!(!world.memories.is_forgetful());
    world.write("a", "one more", &[]);
    assert!(world.memories.is_forgetful());
    let entry = world.memories.entry(&id("a")).unwrap();
    assert_eq!(entry.versions().len(), Memories::VERSIONS_MAX);
    assert_eq!(entry.forgotten(), 1);
    assert!(entry.version(1).unwrap().is_held() && entry.version(2).is_none());
    assert!(!world.memories.has_lost("notes"));
}

/// Writes so many versions that all are made from the one that is held back.
fn write_held(world: &mut World, count: usize) {
    let bad = world.write("a", "bad", &[]);
    world.apply(&quarantined("a", 1));
    for number in 0..count {
        world.write("a", &number.to_string(), std::slice::from_ref(&bad));
    }
}

#[test]
fn a_text_that_is_held_back_stays_so_when_its_version_is_forgotten() {
    let mut world = World::default();
    write_held(&mut world, Memories::VERSIONS_MAX + 10);
    let bad = Digest::of(b"bad");
    assert!(world.memories.entry(&id("a")).unwrap().version(1).is_none());
    assert!(!world.memories.has_lost("notes"));
    assert!(world.memories.held("notes").iter().any(|held| held.content == bad));
    let again = world.write("a", "bad", &[]);
    assert!(world.memories.find(&again).unwrap().is_held());
    world.apply(&released("a"));
    assert!(world.memories.held("notes").is_empty());
}

#[test]
fn one_text_more_than_the_limit_is_lost_and_said() {
    let mut world = World::default();
    // All but the last one: it is never forgotten.
    write_held(&mut world, Memories::VERSIONS_MAX + Memories::GHOSTS_MAX - 1);
    assert!(!world.memories.has_lost("notes"));
    world.write("a", "and another", &[id("a").version(1)]);
    let bad = Digest::of(b"0");
    assert!(world.memories.held("notes").iter().any(|held| held.content == bad));
    for number in 0..=Memories::VERSIONS_MAX {
        world.write("a", &format!("more {number}"), &[]);
    }
    assert!(!world.memories.has_lost("other"));
}

#[test]
fn an_entry_is_not_trusted_more_because_its_bad_version_was_forgotten() {
    let mut world = World::default();
    let bad = written("a", "bad", WriteMode::Add, &[]);
    let MemoryEvent::Written { entry, content, bytes, mode, by, .. } = bad else { panic!() };
    world.apply(&MemoryEvent::Written {
        entry,
        content,
        bytes,
        mode,
        by,
        trust: Integrity::Untrusted,
        derived_from: Vec::new(),
        sources: Vec::new(),
    });
    for number in 0..=Memories::VERSIONS_MAX {
        world.add("a", &number.to_string());
    }
    assert!(world.memories.entry(&id("a")).unwrap().version(1).is_none());
    assert_eq!(world.memories.trust_of_entry(&id("a")), Integrity::Untrusted);
    world.write("a", "all of it anew", &[]);
    assert_eq!(world.memories.trust_of_entry(&id("a")), Integrity::FirstParty);
}

#[test]
fn an_order_about_what_is_not_known_holds_the_entry_back() {
    let mut world = World::default();
    world.apply(&quarantined("ghost", 1));
    assert_eq!(world.memories.shown(&id("ghost")), Shown::Cut);
    world.apply(&released("ghost"));
    assert_eq!(world.memories.shown(&id("ghost")), Shown::AsIs);
}

#[test]
fn what_is_forgotten_leaves_its_ancestry_behind() {
    let mut world = World::default();
    let root = world.write("root", "root", &[]);
    let middle = world.write("middle", "middle", std::slice::from_ref(&root));
    let leaf = world.write("leaf", "leaf", std::slice::from_ref(&middle));
    for number in 0..Memories::VERSIONS_MAX {
        world.write("middle", &number.to_string(), &[]);
    }
    assert!(world.memories.find(&middle).is_none());
    assert_eq!(world.memories.descendants(&root), std::slice::from_ref(&leaf));
    assert_eq!(world.memories.trust_of(&leaf), Integrity::FirstParty);
    world.apply(&quarantined("root", 1));
    assert_eq!(world.memories.trust_of(&leaf), Integrity::Untrusted);
}

#[test]
fn entries_have_a_most_and_numbers_are_never_used_again() {
    let mut world = World::default();
    world.write("held", "bad", &[]);
    world.apply(&quarantined("held", 1));
    world.write("old", "1", &[]);
    world.write("old", "2", &[]);
    for number in 2..Memories::ENTRIES_MAX {
        world.write(&format!("k{number}"), "x", &[]);
    }
    assert!(!world.memories.is_forgetful());
    world.write("one more", "x", &[]);
    assert!(world.memories.is_forgetful());
    assert_eq!(world.memories.entries().count(), Memories::ENTRIES_MAX);
    assert!(world.memories.entry(&id("old")).is_none());
    assert_eq!(world.memories.shown(&id("held")), Shown::Cut);
    assert_eq!(world.write("old", "3", &[]), version("old", 3));
}

#[test]
fn consumers_parents_and_sources_have_a_most() {
    let mut world = World::default();
    let one = world.write("a", "1", &[]);
    for by in 0..Memories::CONSUMERS_MAX {
        world.apply(&consumed(vec![one.clone()], by));
    }
    assert!(!world.memories.is_forgetful());
    world.apply(&consumed(vec![one], Memories::CONSUMERS_MAX));
    assert!(world.memories.is_forgetful());
    assert_eq!(world.memories.consumers(&id("a")).len(), Memories::CONSUMERS_MAX);

    let with = |count: usize| {
        let mut world = World::default();
        let parents: Vec<_> =
            (0..count).map(|at| world.write(&format!("p{at}"), "p", &[])).collect();
        let child = world.write("child", "c", &parents);
        (world.memories.is_forgetful(), world.memories.trust_of(&child))
    };
    assert_eq!(with(Memories::DERIVED_FROM_MAX), (false, Integrity::FirstParty));
    assert_eq!(with(Memories::DERIVED_FROM_MAX + 1), (true, Integrity::Untrusted));

    let with = |count: usize| {
        let mut event = written("a", "x", WriteMode::Replace, &[]);
        if let MemoryEvent::Written { sources, .. } = &mut event {
            sources.resize(count, Digest::of(b"s"));
        }
        let mut world = World::default();
        world.apply(&event);
        world.memories.is_forgetful()
    };
    assert!(!with(Memories::SOURCES_MAX) && with(Memories::SOURCES_MAX + 1));
}

fn any_event() -> impl Strategy<Value = MemoryEvent> {
    let key = prop::sample::select(&["a", "b", "c", "d"][..]);
    let reference = (key.clone(), 1_u64..9).prop_map(|(key, number)| version(key, number));
    let trust = prop::sample::select(
        &[Integrity::Trusted, Integrity::FirstParty, Integrity::Untrusted][..],
    );
    let mode = prop::sample::select(&[WriteMode::Replace, WriteMode::Add][..]);
    let parents = prop::collection::vec(reference.clone(), 0..4);
    let write = (key.clone(), "[xyz]", mode, parents.clone(), trust).prop_map(
        |(key, text, mode, parents, new_trust)| {
            let mut event = written(key, &text, mode, &parents);
            if let MemoryEvent::Written { trust, .. } = &mut event {
                *trust = new_trust;
            }
            event
        },
    );
    prop_oneof![
        6 => write,
        1 => (parents, 0_usize..4).prop_map(|(versions, by)| consumed(versions, by)),
        1 => (key.clone(), prop::option::of("[xyz]")).prop_map(|(key, text)| MemoryEvent::Removed {
            entry: id(key),
            content: text.map(|text| Digest::of(text.as_bytes())),
            by: action(0),
        }),
        1 => (key.clone(), 0_u64..9).prop_map(|(key, from)| quarantined(key, from)),
        1 => key.clone().prop_map(released),
        1 => (key, 0_u64..9).prop_map(|(key, to)| rolled_back(key, to)),
    ]
}

fn fold(events: &[MemoryEvent]) -> World {
    let mut world = World::default();
    events.iter().for_each(|event| world.apply(event));
    world
}

fn all(memories: &Memories) -> Vec<VersionRef> {
    let each = memories.entries();
    each.flat_map(|(id, entry)| entry.versions().map(|one| id.version(one.number))).collect()
}

proptest! {
    #[test]
    fn equal_events_give_equal_memories(events in prop::collection::vec(any_event(), 0..40)) {
        let spelled = serde_json::to_string(&events).unwrap();
        let read: Vec<MemoryEvent> = serde_json::from_str(&spelled).unwrap();
        prop_assert_eq!(fold(&events).memories, fold(&read).memories);
    }

    #[test]
    fn trust_never_rises_along_lineage(events in prop::collection::vec(any_event(), 0..40)) {
        let World { memories, .. } = fold(&events);
        for one in all(&memories) {
            let trust = memories.trust_of(&one);
            let version = memories.find(&one).unwrap();
            prop_assert!(trust >= version.trust);
            prop_assert!(version.derived_from.iter().all(|up| trust >= memories.trust_of(up)));
            prop_assert!(memories.descendants(&one).iter().all(|down| memories.trust_of(down) >= trust));
        }
    }

    /// After a quarantine of the set, nothing of it is shown, nor is what is made from it afterwards.
    #[test]
    fn quarantine_covers_all_descendants(events in prop::collection::vec(any_event(), 1..40)) {
        let mut world = fold(&events);
        let first = version("a", 0);
        let set = world.memories.quarantine_set_from(&first);
        let own = all(&world.memories).into_iter().filter(|one| one.entry == first.entry);
        for one in own {
            prop_assert!(set.contains(&one));
            let known = |down: &VersionRef| world.memories.find(down).is_some();
            let down = world.memories.descendants(&one);
            prop_assert!(down.iter().filter(|one| known(one)).all(|down| set.contains(down)));
        }
        let free: Vec<_> = all(&world.memories).into_iter().filter(|one| !set.contains(one)).collect();
        let before: Vec<_> = free.iter().map(|one| world.memories.find(one).cloned()).collect();
        for one in set.iter().rev() {
            world.apply(&quarantined(&one.entry.key, one.number));
        }
        let stands = |one: &VersionRef| world.memories.find(one).map(super::Version::standing);
        prop_assert!(set.iter().all(|one| stands(one) == Some(Standing::Quarantined)));
        let after: Vec<_> = free.iter().map(|one| world.memories.find(one).cloned()).collect();
        prop_assert_eq!(before, after);
        if let Some(bad) = set.first() {
            let copy = world.write("copy", "new", std::slice::from_ref(bad));
            prop_assert!(world.memories.find(&copy).unwrap().is_held());
        }
    }

    /// Whatever happened, what is shown is not held back.
    #[test]
    fn nothing_that_is_held_back_is_shown(events in prop::collection::vec(any_event(), 0..40)) {
        let World { memories, .. } = fold(&events);
        let held: Vec<_> = memories.held("notes").into_iter().map(|one| one.version).collect();
        for (id, entry) in memories.entries() {
            match memories.shown(id) {
                Shown::AsIs => {
                    let mut current = entry.held_by_store();
                    prop_assert!(current.all(|one| !held.contains(&id.version(one.number))));
                }
                Shown::Instead(one) => {
                    prop_assert!(!held.contains(&one));
                    prop_assert!(memories.pieces(&one).iter().all(|one| !held.contains(one)));
                }
                Shown::Cut => {}
            }
        }
        let each = memories.held("notes");
        prop_assert!(each.iter().filter_map(|one| one.instead.as_ref()).all(|one| !held.contains(one)));
    }
}
