//! What a script does, found by going through it as a shell would, without doing anything.
//!
//! Every branch is taken. A variable that may have one of several values has them all: a command that
//! uses it is read once for each of them.

mod builtin;
mod command;
mod emit;
mod redirect;
mod scope;
mod tree;

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::parse::{self, DEPTH_MAX};
use crate::plan::{Doubt, Plan, Surroundings};
use crate::syntax::Node;
use crate::value::{Flow, Value};
pub(crate) use builtin::joined;
pub(crate) use command::Call;
use scope::Undo;

/// Commands that are looked at, each time they are: a thousand lines, or a loop in a loop.
const STEPS_MAX: usize = 4096;

/// Bytes that are made by expansion and decoding, all together.
const BYTES_MAX: usize = 1 << 20;

/// Values that one variable may have.
pub(crate) const CHOICES_MAX: usize = 16;

/// One reading of one command line.
pub(crate) struct Walk<'a> {
    surroundings: &'a Surroundings,
    plan: Plan,
    /// The values that each variable may have; each is a list, for arrays.
    variables: BTreeMap<String, Vec<Vec<Value>>>,
    functions: BTreeMap<String, Function>,
    aliases: BTreeMap<String, String>,
    /// What was written into files on the way.
    files: BTreeMap<String, Flow>,
    /// Addresses of the remotes of `git` that were named on the way.
    pub(crate) remotes: BTreeMap<String, String>,
    arguments: Option<Rc<[Value]>>,
    /// The folders that this command may run in, relative to the one where all began.
    folders: Vec<String>,
    /// Those after the node that was walked last, where it matters how that ended.
    outcome: Option<tree::Outcome>,
    undo: Vec<Undo>,
    /// Assignments may have to be taken back.
    recording: usize,
    /// What is walked may not run.
    conditional: usize,
    loops: usize,
    /// Which of its values each variable has now.
    choice: usize,
    /// How many choices the command that is read now has.
    choices: usize,
    /// A connection was opened as a file.
    connected: bool,
    depth: usize,
    steps: usize,
    bytes: usize,
}

/// A function of the script.
#[derive(Clone)]
struct Function {
    body: Rc<Node>,
    /// It is defined whenever it is called, so that the program of its name cannot be meant.
    sure: bool,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(surroundings: &'a Surroundings) -> Self {
        Self {
            surroundings,
            plan: Plan::default(),
            variables: BTreeMap::new(),
            functions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            files: BTreeMap::new(),
            remotes: BTreeMap::new(),
            arguments: Some(Rc::from(Vec::new())),
            folders: vec![String::new()],
            outcome: None,
            undo: Vec::new(),
            recording: 0,
            conditional: 0,
            loops: 0,
            choice: 0,
            choices: 1,
            connected: false,
            depth: 0,
            steps: STEPS_MAX,
            bytes: BYTES_MAX,
        }
    }

    pub(crate) fn into_plan(self) -> Plan {
        self.plan
    }

    pub(crate) fn doubt(&mut self, doubt: Doubt) {
        self.plan.doubts.insert(doubt);
    }

    /// Whether there is room for one more command.
    fn step(&mut self) -> bool {
        if self.steps == 0 || self.bytes == 0 {
            self.doubt(Doubt::TooLong);
            return false;
        }
        self.steps -= 1;
        true
    }

    /// Counts bytes that were made.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        if self.bytes == 0 {
            self.doubt(Doubt::TooLong);
        }
    }

    /// Nothing more is made; what is read from here on is not complete.
    pub(crate) fn is_spent(&self) -> bool {
        self.bytes == 0
    }

    /// Goes one level deeper, if there is one.
    pub(crate) fn deeper(&mut self, walk: impl FnOnce(&mut Self) -> Flow) -> Flow {
        if self.depth >= DEPTH_MAX {
            self.doubt(Doubt::TooDeep);
            return Flow::unknown();
        }
        self.depth += 1;
        let flow = walk(self);
        self.depth -= 1;
        flow
    }

    /// Walks a text as a script in this very shell.
    pub(crate) fn script(&mut self, text: &str, input: &Flow) -> Flow {
        self.spend(text.len());
        if self.bytes == 0 {
            return Flow::unknown();
        }
        let mut parsed = parse::parse(text, self.depth);
        self.plan.doubts.append(&mut parsed.doubts);
        self.deeper(|walk| walk.node(&parsed.node, input))
    }

    /// Runs a text that the line itself holds or makes: what is not known of it is a doubt.
    pub(crate) fn code(&mut self, code: &Value, input: &Flow) -> Flow {
        if code.taint.unknown {
            self.doubt(Doubt::Opaque);
        }
        if code.taint.fetched {
            self.doubt(Doubt::FetchedCode);
        }
        if code.taint.decoded {
            self.doubt(Doubt::Decoded);
            self.doubt(Doubt::DecodedCode);
        }
        self.script(&code.text, input)
    }

    /// The same in a shell of its own, with arguments of its own.
    pub(crate) fn shell(&mut self, code: &Value, arguments: &[Value], input: &Flow) -> Flow {
        let before = self.arguments.replace(Rc::from(arguments));
        let flow = self.subshell(|walk| walk.code(code, input));
        self.arguments = before;
        flow
    }

    /// Runs what comes through a pipe or out of a file.
    pub(crate) fn run_flow(&mut self, flow: &Flow, arguments: &[Value]) -> Flow {
        self.shell(&flow.value(""), arguments, &Flow::unknown())
    }

    /// What a command substitution gives.
    pub(crate) fn substitute(&mut self, body: &Node) -> Flow {
        self.subshell(|walk| walk.deeper(|walk| walk.node(body, &Flow::unknown())))
    }

    /// A command that reads what another one writes into a process substitution.
    pub(crate) fn feed(&mut self, body: &Node) -> Flow {
        self.substitute(body);
        Flow::unknown()
    }
}
