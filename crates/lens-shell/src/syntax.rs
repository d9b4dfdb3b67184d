//! The parts of a shell script, as far as they matter for what it does.

use std::cell::OnceCell;
use std::rc::Rc;

/// Parts that stand together without a space.
pub(crate) type Word = Vec<Part>;

/// One part of a word.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Text in which patterns, braces and `~` mean something.
    Bare(String),
    /// Text that is only itself.
    Quoted(String),
    /// Text that was written as codes: `$'\x2f'`.
    Coded(String),
    Parameter {
        parameter: Box<Parameter>,
        quoted: bool,
    },
    Command {
        body: Rc<Node>,
        quoted: bool,
    },
    /// `<(…)` or `>(…)`.
    Process {
        body: Rc<Node>,
        /// The command writes to it.
        into: bool,
    },
    /// `$((…))`, with the expansions in it.
    Arithmetic(Word),
    /// `(…)` after `name=`.
    Array(Vec<Word>),
}

/// `$name` or `${name…}`.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// `[…]` after the name.
    pub(crate) subscript: Option<String>,
    pub(crate) change: Change,
    /// As it is written, for values that are not known.
    pub(crate) spelled: String,
}

/// What is made of the value of a parameter.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Plain,
    Length,
    /// `${!name}`.
    Indirect,
    /// `:-`, `:=`, `-`, `=`.
    Default(Word),
    /// `:+`, `+`.
    Alternate(Word),
    Strip {
        end: bool,
        longest: bool,
        pattern: Word,
    },
    Replace {
        all: bool,
        pattern: Word,
        with: Word,
    },
    Slice {
        offset: Word,
        length: Option<Word>,
    },
    Upper,
    Lower,
    /// One that we do not follow.
    Other,
}

/// One node of the tree.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Simple(Simple),
    Pipe(Vec<Node>),
    List(Vec<Step>),
    /// `! …`: it succeeds when the inner one fails.
    Not(Box<Node>),
    /// `(…)` or `{…}`, and any other compound that has redirections.
    Group {
        body: Box<Node>,
        subshell: bool,
        redirects: Vec<Redirect>,
    },
    Function {
        name: String,
        body: Rc<Node>,
    },
    /// Each may run or not: the parts of `if` and `case`.
    Branches(Vec<Node>),
    /// `while` and `until`.
    Loop(Box<Node>),
    For {
        name: String,
        /// `None`: the arguments of the script.
        words: Option<Vec<Word>>,
        body: Box<Node>,
    },
    /// Words that are expanded but do nothing themselves: `case` subjects, `[[ … ]]`, `(( … ))`.
    Words(Vec<Word>),
}

/// One command of a list.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) join: Join,
    pub(crate) node: Node,
}

/// How a command hangs on the one in front of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Join {
    /// It runs in any case.
    Always,
    /// `&&`.
    Then,
    /// `||`.
    Else,
}

/// A command with its words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Simple {
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) words: Vec<Word>,
    pub(crate) redirects: Vec<Redirect>,
}

/// `name=value`.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) append: bool,
    pub(crate) value: Word,
}

/// One redirection.
#[derive(Clone, Debug)]
pub(crate) struct Redirect {
    /// The descriptor, where it is written.
    pub(crate) descriptor: Option<u32>,
    pub(crate) kind: RedirectKind,
}

/// What is redirected where.
#[derive(Clone, Debug)]
pub(crate) enum RedirectKind {
    Read(Word),
    Write(Word),
    Both(Word),
    ReadWrite(Word),
    /// `>&` and `<&`.
    Duplicate(Word),
    HereString(Word),
    /// The body is read after the line has ended.
    HereDocument(Rc<OnceCell<Word>>),
}
