//! The gate under lost, late, repeated and forged messages, from one seed.

use std::collections::BTreeMap;

use crate::support::{FILES, MAIL, World};
use pathwarden_decide::{Gate, Input, Output, Reading, State, decide};
use pathwarden_types::{Action, Choice, Digest, Event, Millis, Mode, Receipt, Record, Verdict};
use proptest::prelude::*;

/// A small generator: equal seeds give equal runs.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What is on its way to a gate.
#[derive(Clone, Copy, Debug)]
enum Message {
    Receipt(Receipt),
    NotRecorded,
    Facts,
    Tick,
}

struct Simulation {
    world: World,
    dice: Dice,
    gates: Vec<Gate>,
    actions: Vec<Action>,
    /// Messages with the gate they are for and when they arrive.
    wire: Vec<(Millis, usize, Message)>,
    /// Leaves that the ledger holds.
    ledger: BTreeMap<Digest, Record>,
    released: Vec<usize>,
    ended: Vec<bool>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let world = World::new("Ask accounts@vendor.example for new tax documents");
        Self {
            world,
            dice: Dice(seed | 1),
            gates: Vec::new(),
            actions: Vec::new(),
            wire: Vec::new(),
            ledger: BTreeMap::new(),
            released: Vec::new(),
            ended: Vec::new(),
        }
    }

    fn run(mut self) -> Self {
        for _ in 0..30 {
            self.begin_one();
            for _ in 0..self.dice.roll(6) {
                self.deliver_one();
            }
        }
        while !self.wire.is_empty() {
            self.deliver_one();
        }
        self.let_time_pass();
        self
    }

    fn begin_one(&mut self) {
        let (server, name, arguments) = match self.dice.roll(5) {
            0 => (FILES, "read_file", format!(r#"{{"path":"{}"}}"#, self.dice.roll(9))),
            1 => (FILES, "delete_file", format!(r#"{{"path":"{}"}}"#, self.dice.roll(3))),
            2 => (MAIL, "send_mail", r#"{"to":"accounts@vendor.example","body":"hi"}"#.to_owned()),
            3 => (MAIL, "send_mail", r#"{"to":"x@evil.example","body":"hi"}"#.to_owned()),
            _ => (
                MAIL,
                "send_mail",
                r#"{"to":"accounts@vendor.example","body":"DE89370400440532013000"}"#.to_owned(),
            ),
        };
        let action = self.world.action(server, name, &arguments);
        let deadline = self.world.now.plus(500);
        self.gates.push(Gate::new(action.clone(), self.world.asker(), deadline));
        self.actions.push(action);
        self.ended.push(false);
        self.send(self.gates.len() - 1, Message::Facts);
    }

    /// Puts a message on the wire: it may be lost, late, repeated, or come with a forged companion.
    fn send(&mut self, gate: usize, message: Message) {
        let delay = self.dice.roll(60) * if self.dice.roll(8) == 0 { 40 } else { 1 };
        let at = self.world.now.plus(delay);
        if let Message::Receipt(receipt) = &message
            && self.dice.roll(4) == 0
        {
            self.wire.push((self.world.now, gate, Message::Receipt(self_forged(*receipt))));
        }
        match self.dice.roll(12) {
            0 => {}
            1 => {
                self.wire.push((at, gate, message));
                self.wire.push((at.plus(7), gate, message));
            }
            _ => self.wire.push((at, gate, message)),
        }
    }

    fn deliver_one(&mut self) {
        let Some(next) = (0..self.wire.len()).min_by_key(|at| self.wire[*at].0) else { return };
        let (at, gate, message) = self.wire.remove(next);
        self.world.now = self.world.now.max(at);
        self.hand(gate, message);
    }

    fn hand(&mut self, number: usize, message: Message) {
        let now = self.world.now;
        let gate = &mut self.gates[number];
        let output = match message {
            Message::Facts => {
                gate.handle(now, Input::Facts(&mut self.world.engine, &self.world.state))
            }
            Message::Receipt(receipt) => gate.handle(now, Input::Recorded(receipt)),
            Message::NotRecorded => gate.handle(now, Input::NotRecorded),
            Message::Tick => gate.handle(now, Input::Tick),
        };
        self.carry_out(number, output);
    }

    fn carry_out(&mut self, number: usize, output: Output) {
        match output {
            Output::Record(decision) => self.take_record(number, &decision.record),
            Output::Release(permit) => {
                assert!(!self.ended[number], "a gate speaks once");
                let receipt = permit.into_release().receipt;
                let record =
                    self.ledger.get(&receipt.leaf).expect("nothing is released unrecorded");
                let Event::Decided(decided) = &record.event else { panic!("not a decision") };
                assert!(decided.verdict.lets_through());
                assert_eq!(decided.action, self.actions[number].id);
                self.released.push(number);
                self.ended[number] = true;
            }
            Output::Refuse(_) => {
                assert!(!self.ended[number], "a gate speaks once");
                self.ended[number] = true;
            }
            Output::Hold(_) => self.ask_a_person(number),
            Output::Nothing => {}
        }
    }

    fn take_record(&mut self, number: usize, record: &Record) {
        if self.dice.roll(10) == 0 {
            self.send(number, Message::NotRecorded);
            return;
        }
        let bytes = record.to_bytes().expect("bytes");
        let leaf = Receipt::leaf_of(&bytes);
        self.ledger.insert(leaf, record.clone());
        let reading = Reading::of(&self.actions[number].arguments);
        self.world.state.apply(record, Some(&reading));
        self.world.records.push(record.clone());
        let receipt = Receipt { index: Some(0), leaf, mode: Mode::Strict };
        self.send(number, Message::Receipt(receipt));
    }

    fn ask_a_person(&mut self, number: usize) {
        let action = self.actions[number].id;
        let choice = match self.dice.roll(3) {
            0 => Some(Choice::Approve),
            1 => Some(Choice::Deny),
            _ => None,
        };
        let asked = self.world.state.question_about(action).is_some();
        if asked {
            self.world.answer(action, choice);
        }
        self.send(number, Message::Facts);
    }

    /// Whatever was lost: past every deadline, each gate that has not spoken refuses.
    fn let_time_pass(&mut self) {
        self.world.now = self.world.now.plus(48 * 3_600_000);
        for number in 0..self.gates.len() {
            self.hand(number, Message::Tick);
            assert!(self.ended[number], "every gate closes");
            let after = self.gates[number].handle(self.world.now, Input::Tick);
            assert!(matches!(after, Output::Nothing), "a closed gate says nothing");
        }
    }

    /// The records, as bytes: what the run comes down to.
    fn bytes(&self) -> Vec<Vec<u8>> {
        self.world.records.iter().map(|record| record.to_bytes().expect("bytes")).collect()
    }
}

fn self_forged(receipt: Receipt) -> Receipt {
    Receipt { leaf: Digest::of_parts(&[b"forged", receipt.leaf.as_bytes()]), ..receipt }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn nothing_is_released_unrecorded_and_every_gate_closes(seed: u64) {
        let first = Simulation::new(seed).run();
        let second = Simulation::new(seed).run();
        prop_assert_eq!(first.bytes(), second.bytes(), "the same events give the same bytes");
        prop_assert_eq!(first.released, second.released);
    }

    #[test]
    fn every_recorded_decision_comes_out_the_same_again(seed: u64) {
        let done = Simulation::new(seed).run();
        let mut again = World::new("Ask accounts@vendor.example for new tax documents");
        let mut state: Option<State> = None;
        for record in &done.world.records {
            let Some(before) = state.as_mut() else {
                state = State::begin(record, Some(done.world.state.task_text()));
                continue;
            };
            let mut reading = None;
            if let Event::Decided(decided) = &record.event {
                let action = done.actions.iter().find(|a| a.id == decided.action).expect("known");
                let asker = again.asker();
                let decision = decide(&mut again.engine, before, action, &asker, record.at);
                prop_assert_eq!(&decision.record, record);
                reading = Some(Reading::of(&action.arguments));
            }
            before.apply(record, reading.as_ref());
        }
    }
}

#[test]
fn a_forged_receipt_does_not_release() {
    let mut world = World::new("Ask accounts@vendor.example");
    let action = world.action(MAIL, "send_mail", r#"{"to":"accounts@vendor.example","body":"x"}"#);
    let mut gate = Gate::new(action, world.asker(), world.now.plus(1_000));
    let now = world.now;
    let Output::Record(decision) = gate.handle(now, Input::Facts(&mut world.engine, &world.state))
    else {
        panic!("a decision");
    };
    let leaf = Receipt::leaf_of(&decision.record.to_bytes().expect("bytes"));
    assert_eq!(decision.decided.mode, Mode::Strict);
    assert!(decision.decided.verdict < Verdict::Hold);
    let queued = Receipt { index: None, leaf, mode: Mode::Batched };
    let output = gate.handle(now, Input::Recorded(queued));
    assert!(matches!(output, Output::Refuse(_)), "a strict record needs a durable receipt");
    let output = gate.handle(now, Input::Recorded(Receipt { mode: Mode::Strict, ..queued }));
    assert!(matches!(output, Output::Nothing), "and there is no second try");
}
