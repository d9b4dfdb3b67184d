//! A tiny assembler: a filter is a tree of tests whose leaves are verdicts.

use seccompiler::{BpfProgram, sock_filter};

/// The kernel's name for x86_64, `AUDIT_ARCH_X86_64`.
const X86_64: u32 = 0xc000_003e;

/// Set in the number of every call of the x32 ABI.
const X32_BIT: u32 = 0x4000_0000;

/// Lets the kernel carry the call out.
pub(crate) const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;

/// Hands the call to the listener.
pub(crate) const NOTIFY: u32 = libc::SECCOMP_RET_USER_NOTIF;

/// Answers the call with an error number.
pub(crate) const fn errno(code: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | (code.unsigned_abs() & libc::SECCOMP_RET_DATA)
}

/// A 32-bit word of `struct seccomp_data`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Word {
    Number,
    Architecture,
    /// The lower half of an argument, which is all of an `int`.
    Argument(u32),
}

impl Word {
    const fn offset(self) -> u32 {
        match self {
            Self::Number => 0,
            Self::Architecture => 4,
            Self::Argument(index) => 16 + 8 * index,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Test {
    Equals(u32),
    AtLeast(u32),
    /// Any of these bits is set.
    AnyBit(u32),
}

impl Test {
    const fn code_and_value(self) -> (u32, u32) {
        match self {
            Self::Equals(value) => (libc::BPF_JEQ, value),
            Self::AtLeast(value) => (libc::BPF_JGE, value),
            Self::AnyBit(value) => (libc::BPF_JSET, value),
        }
    }
}

/// What a filter does from some point on.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    Verdict(u32),
    Branch { word: Word, test: Test, yes: Box<Tree>, no: Box<Tree> },
}

/// One test.
pub(crate) fn when(word: Word, test: Test, yes: Tree, no: Tree) -> Tree {
    Tree::Branch { word, test, yes: Box::new(yes), no: Box::new(no) }
}

/// `yes` if the word is one of these values.
pub(crate) fn when_any(word: Word, values: &[u32], yes: u32, no: u32) -> Tree {
    values.iter().rev().fold(Tree::Verdict(no), |rest, value| {
        when(word, Test::Equals(*value), Tree::Verdict(yes), rest)
    })
}

/// A whole filter: what is done about each call number, and ALLOW for all others. Calls of other
/// ABIs never pass: i386 code is killed, since none of its numbers means what ours mean, and x32
/// is answered as a kernel without it would.
///
/// Numbers are found by halving, so a call passes about seven compares; and the kernel remembers
/// numbers that are allowed whatever their arguments, and skips the filter for them.
pub(crate) fn program(mut calls: Vec<(u32, Tree)>) -> BpfProgram {
    calls.sort_by_key(|(number, _)| *number);
    let native = when(
        Word::Number,
        Test::AtLeast(X32_BIT),
        Tree::Verdict(errno(libc::ENOSYS)),
        search(&calls),
    );
    let whole = when(
        Word::Architecture,
        Test::Equals(X86_64),
        native,
        Tree::Verdict(libc::SECCOMP_RET_KILL_PROCESS),
    );
    emit(&whole, None)
}

fn search(calls: &[(u32, Tree)]) -> Tree {
    match calls {
        [] => Tree::Verdict(ALLOW),
        [(number, tree)] => {
            when(Word::Number, Test::Equals(*number), tree.clone(), Tree::Verdict(ALLOW))
        }
        many => {
            let (low, high) = many.split_at(many.len() / 2);
            let border = high.first().map_or(u32::MAX, |(number, _)| *number);
            when(Word::Number, Test::AtLeast(border), search(high), search(low))
        }
    }
}

/// Compiles a tree; `loaded` is the word that the accumulator holds already.
fn emit(tree: &Tree, loaded: Option<Word>) -> BpfProgram {
    let (word, test, yes, no) = match tree {
        Tree::Verdict(verdict) => return vec![statement(libc::BPF_RET | libc::BPF_K, *verdict)],
        Tree::Branch { word, test, yes, no } => (*word, *test, yes, no),
    };
    let mut code = Vec::new();
    if loaded != Some(word) {
        code.push(statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, word.offset()));
    }
    let yes = emit(yes, Some(word));
    let (jump, value) = test.code_and_value();
    let jump = libc::BPF_JMP | jump | libc::BPF_K;
    match u8::try_from(yes.len()) {
        Ok(over) => code.push(sock_filter { jf: over, ..statement(jump, value) }),
        // A conditional jump passes over 255 instructions at most: if true, step over a long jump
        // that leads to the other branch.
        Err(_) => {
            code.push(sock_filter { jt: 1, ..statement(jump, value) });
            let over = u32::try_from(yes.len()).unwrap_or(u32::MAX);
            code.push(statement(libc::BPF_JMP | libc::BPF_JA, over));
        }
    }
    code.extend(yes);
    code.extend(emit(no, Some(word)));
    code
}

fn statement(code: u32, k: u32) -> sock_filter {
    // All classes and modes fit in the low byte.
    sock_filter { code: u16::try_from(code).unwrap_or(u16::MAX), jt: 0, jf: 0, k }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_map;
    use proptest::prelude::*;

    use super::*;

    /// What a program answers; the part of the kernel's machine that is used here.
    fn run(program: &[sock_filter], number: u32, architecture: u32, argument: u32) -> u32 {
        let (mut at, mut word) = (0, 0);
        loop {
            let step = &program[at];
            at += 1;
            let holds = match u32::from(step.code) {
                0x20 => {
                    word = match step.k {
                        0 => number,
                        4 => architecture,
                        _ => argument,
                    };
                    continue;
                }
                0x06 => return step.k,
                0x05 => {
                    at += step.k as usize;
                    continue;
                }
                0x15 => word == step.k,
                0x35 => word >= step.k,
                0x45 => word & step.k != 0,
                code => panic!("unknown instruction {code:#x}"),
            };
            at += usize::from(if holds { step.jt } else { step.jf });
        }
    }

    proptest! {
        /// Whatever the number of calls, and however far the jumps are, each gets its own verdict.
        #[test]
        fn each_number_gets_its_verdict(
            calls in btree_map(0..2_000_u32, 1..0xffff_u32, 0..600),
            probes in proptest::collection::vec((0..2_000_u32, any::<u32>()), 64),
        ) {
            let tree = |value| when(
                Word::Argument(1),
                Test::AnyBit(value),
                Tree::Verdict(value),
                Tree::Verdict(ALLOW),
            );
            let code = program(calls.iter().map(|(number, value)| (*number, tree(*value))).collect());
            for (number, argument) in probes.into_iter().chain(calls.keys().map(|n| (*n, u32::MAX))) {
                let hit = calls.get(&number).filter(|value| **value & argument != 0);
                let want = hit.copied().unwrap_or(ALLOW);
                prop_assert_eq!(run(&code, number, X86_64, argument), want);
                let x32 = number | X32_BIT;
                prop_assert_eq!(run(&code, x32, X86_64, argument), errno(libc::ENOSYS));
                let killed = libc::SECCOMP_RET_KILL_PROCESS;
                prop_assert_eq!(run(&code, number, 0x4000_0003, argument), killed);
            }
        }
    }
}
