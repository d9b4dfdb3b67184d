//! Inside: from the re-entered program to the agent's.
//!
//! Three processes in a row. The *outer* one only waits, in the supervisor's own namespaces, and ends
//! all when the supervisor is gone. The *inner* one is the first process of the new namespace: it
//! builds the view of files and reaps. The third becomes the agent.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{PipeReader, PipeWriter, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, getpgrp, set_child_subreaper, set_parent_process_death_signal,
    setpgid, setrlimit, test_kill_process_group,
};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::termios::{isatty, tcgetpgrp, tcsetpgrp};
use rustix::thread::UnshareFlags;

use crate::confine;
use crate::keeper::{Keeper, Others, UNKNOWN, is_hung_up};
use crate::mounts;
use crate::spec::{Filters, Leftover, Report, Spec, Tier};
use crate::step::{Failure, Step, at};
use crate::sys::{self, Forked};
use crate::wire::{self, Word};

mod program;

/// The first argument that makes a program enter a box instead of doing what it is for.
pub(crate) const ENTER: &str = "__pathwarden-enter";
/// What a person gets who types that word.
const USAGE: u8 = 64;

/// What every process of the box knows.
struct Inside<'a> {
    socket: &'a UnixStream,
    filters: &'a Filters,
    spec: Spec,
    /// A copy of the terminal, if the supervisor's process group is what it listens to.
    terminal: Option<OwnedFd>,
}

/// Enters a box if this process was started by [`crate::Launch::start`]; `None` otherwise.
///
/// The first thing in `main`, before any thread: the box is made of forks of this process. When it
/// answers a code, `main` returns that and does nothing else.
#[must_use = "a process that was started to be a box must end with this code"]
pub fn entered(filters: &Filters) -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(ENTER)) {
        return None;
    }
    let fd = arguments.next().and_then(|fd| fd.to_str()?.parse().ok()).filter(|fd| *fd > 2);
    let Some(socket) = fd.and_then(|fd| sys::adopt(fd).ok()).filter(is_stream) else {
        return Some(ExitCode::from(USAGE));
    };
    let socket = UnixStream::from(socket);
    let code = outer(&socket, filters).unwrap_or_else(|failure| {
        // Without a supervisor there is nobody to tell.
        let _ = wire::send(&socket, &Word::Failed(failure), &[]);
        UNKNOWN
    });
    Some(ExitCode::from(code))
}

fn is_stream(fd: &OwnedFd) -> bool {
    use rustix::net::{AddressFamily, SocketType, sockopt};
    sockopt::socket_domain(fd) == Ok(AddressFamily::UNIX)
        && sockopt::socket_type(fd) == Ok(SocketType::STREAM)
}

fn outer(socket: &UnixStream, filters: &Filters) -> Result<u8, Failure> {
    let threads = fs::read_dir("/proc/self/task").map_err(at(Step::Enter, "/proc"))?.count();
    if threads != 1 {
        let about = format!("`entered` was called with {threads} threads; call it first in main");
        return Err(Failure::plain(Step::Enter, about));
    }
    let received = wire::receive(socket, None).map_err(at(Step::Enter, "specification"))?;
    let spec: Spec = serde_json::from_slice(&received.body)
        .map_err(|error| Failure::plain(Step::Enter, error.to_string()))?;
    // What the supervisor left open by mistake would live on in the processes that only wait.
    let kept = [spec.keep_fds.as_slice(), &spec.hold_fds, &[socket.as_raw_fd()]].concat();
    sys::close_all_but(&kept).map_err(at(Step::Descriptors, ""))?;
    let signals = sys::block_signals().map_err(at(Step::Descriptors, "signals"))?;
    match spec.tier {
        Tier::Kernel => sys::unshare(UnshareFlags::NEWPID).map_err(at(Step::Namespaces, "pid"))?,
        Tier::Landlock => set_child_subreaper(Some(rustix::process::getpid()))
            .map_err(at(Step::Enter, "subreaper"))?,
    }
    let inside = Inside { socket, filters, spec, terminal: foreground() };
    let (alive, ours) = std::io::pipe().map_err(at(Step::Descriptors, "pipe"))?;
    let main = match sys::fork().map_err(at(Step::Fork, ""))? {
        Forked::Parent(pid) => pid,
        Forked::Child => {
            drop((ours, signals));
            end(inner(&inside, &alive), socket)
        }
    };
    wire::send(socket, &Word::Inner { pid: main.as_raw_nonzero().get() }, &[])
        .map_err(at(Step::Enter, "supervisor"))?;
    detach(&inside.spec)?;
    let code = outer_keeper(&inside, main, signals).keep();
    inside.terminal.iter().for_each(|terminal| reclaim(terminal, socket));
    drop(ours);
    Ok(code)
}

fn outer_keeper<'a>(inside: &Inside<'a>, main: Pid, signals: OwnedFd) -> Keeper<'a> {
    let (leftover, others) = match inside.spec.tier {
        // What is left is for the inner process to decide.
        Tier::Kernel => (Leftover::Wait, Others::Kernel),
        Tier::Landlock => (inside.spec.leftover, Others::Keeper),
    };
    Keeper { main, signals, supervisor: Some(inside.socket), leftover, others }
}

/// Never returns: a forked process must not run on as the program it is a copy of.
fn end(outcome: Result<u8, Failure>, socket: &UnixStream) -> ! {
    let code = outcome.unwrap_or_else(|failure| {
        let _ = wire::send(socket, &Word::Failed(failure), &[]);
        UNKNOWN
    });
    std::process::exit(i32::from(code))
}

/// The first process that is in the cgroup, or nothing at all if the supervisor does not say go.
fn inner(inside: &Inside<'_>, alive: &PipeReader) -> Result<u8, Failure> {
    let (socket, spec) = (inside.socket, &inside.spec);
    spec.hold_fds.iter().for_each(|fd| sys::close(*fd));
    wire::await_go(socket).map_err(at(Step::Enter, "supervisor"))?;
    let mut report = Report::default();
    if spec.tier == Tier::Landlock {
        check_masks(spec)?;
        return agent(inside, alive, report);
    }
    die_with_parent(alive)?;
    let signals = sys::block_signals().map_err(at(Step::Descriptors, "signals"))?;
    sys::unshare(UnshareFlags::NEWNS | UnshareFlags::NEWIPC)
        .map_err(at(Step::Namespaces, "mount, ipc"))?;
    report.namespaces = ["pid", "mount", "ipc"].map(String::from).into();
    mounts::build(spec, &mut report)?;
    let (alive, ours) = std::io::pipe().map_err(at(Step::Descriptors, "pipe"))?;
    let main = match sys::fork().map_err(at(Step::Fork, ""))? {
        Forked::Parent(pid) => pid,
        Forked::Child => {
            drop((ours, signals));
            end(agent(inside, &alive, report), socket)
        }
    };
    detach(spec)?;
    let leftover = spec.leftover;
    let keeper = Keeper { main, signals, supervisor: None, leftover, others: Others::Kernel };
    let code = keeper.keep();
    drop(ours);
    Ok(code)
}

fn agent(inside: &Inside<'_>, alive: &PipeReader, mut report: Report) -> Result<u8, Failure> {
    let (socket, filters) = (inside.socket, inside.filters);
    let program = confined(inside, alive, &mut report)?;
    let (told, mut tell) = std::io::pipe().map_err(at(Step::Descriptors, "pipe"))?;
    close_all_but(&inside.spec)?;
    sys::default_signals().map_err(at(Step::Descriptors, "signals"))?;
    // The refusals forbid another listener, so they come second.
    let listener = (filters.notify)(inside.spec.tier).map_err(at(Step::Notify, ""))?;
    (filters.refuse)().map_err(at(Step::Refuse, ""))?;
    // From here on nothing may be called that the filter asks about, but execve.
    wire::send(socket, &Word::Ready(report), &[listener.as_fd(), told.as_fd()])
        .map_err(at(Step::Ready, ""))?;
    drop((listener, told));
    if wire::await_go(socket).is_err() {
        return Ok(UNKNOWN);
    }
    Ok(program.run(&mut tell))
}

/// All that the agent gives up but the filters; the program it is to become.
fn confined(
    inside: &Inside<'_>,
    alive: &PipeReader,
    report: &mut Report,
) -> Result<program::Program, Failure> {
    let spec = &inside.spec;
    confine::bound_capabilities(spec.tier)?;
    // The kernel itself would write it, whatever may not be written.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(at(Step::Enter, "core limit"))?;
    if let Some(user) = &spec.user {
        confine::become_user(user)?;
    }
    let name = spec.directory.display().to_string();
    if !spec.directory.is_absolute() {
        return Err(Failure::plain(Step::Directory, format!("`{name}` is not absolute")));
    }
    env::set_current_dir(&spec.directory).map_err(at(Step::Directory, format!("`{name}`")))?;
    confine::drop_capabilities(report)?;
    // Changing the user clears it, so this comes after.
    die_with_parent(alive)?;
    let program = program::Program::find(spec)?;
    confine::enter_landlock(spec, report)?;
    if report.landlock_abi < confine::SCOPES_SIGNALS {
        leave_group(inside.terminal.as_ref()).map_err(at(Step::Enter, "process group"))?;
    }
    Ok(program)
}

/// Sharing the supervisor's process group is what makes Ctrl-C and Ctrl-Z work as without a box, but
/// `kill 0` reaches all of a group, whatever the namespace. Without Landlock's scope on signals the
/// agent gets a group of its own, and the terminal where it was ours.
fn leave_group(terminal: Option<&OwnedFd>) -> Result<(), rustix::io::Errno> {
    setpgid(None, None)?;
    // All signals are still blocked, so that this does not stop us.
    terminal.map_or(Ok(()), |terminal| tcsetpgrp(terminal, getpgrp()))
}

/// Without a mount namespace nothing can be hidden that is granted.
fn check_masks(spec: &Spec) -> Result<(), Failure> {
    let real = |path: &PathBuf| fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    let granted: Vec<PathBuf> =
        spec.readable.iter().chain(&spec.writable).chain([&spec.workspace]).map(real).collect();
    let shown = |mask: &&PathBuf| granted.iter().any(|path| real(mask).starts_with(path));
    match spec.masks.iter().find(shown) {
        Some(mask) => Err(Failure::plain(Step::Masks, format!("{} is granted", mask.display()))),
        None => Ok(()),
    }
}

/// Asks the kernel to kill us with our parent, and checks that this was not too late.
fn die_with_parent(alive: &PipeReader) -> Result<(), Failure> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(at(Step::Enter, "parent"))?;
    if is_hung_up(alive) { Err(Failure::plain(Step::Enter, "the parent is gone")) } else { Ok(()) }
}

fn close_all_but(spec: &Spec) -> Result<(), Failure> {
    sys::close_on_exec().map_err(at(Step::Descriptors, ""))?;
    for fd in &spec.keep_fds {
        sys::keep_open(*fd).map_err(at(Step::Descriptors, format!("descriptor {fd}")))?;
    }
    Ok(())
}

/// Lets go of the agent's streams and folders, so that they close when the agent closes them.
fn detach(spec: &Spec) -> Result<(), Failure> {
    let failed = |error: std::io::Error| at(Step::Descriptors, "streams")(error);
    let null = File::options().read(true).write(true).open("/dev/null").map_err(failed)?;
    dup2_stdin(&null).map_err(|error| failed(error.into()))?;
    dup2_stdout(&null).map_err(|error| failed(error.into()))?;
    dup2_stderr(&null).map_err(|error| failed(error.into()))?;
    spec.keep_fds.iter().for_each(|fd| sys::close(*fd));
    env::set_current_dir("/").map_err(failed)
}

/// A copy of the terminal, if we are what it listens to.
fn foreground() -> Option<OwnedFd> {
    let stdin = rustix::stdio::stdin();
    let ours = isatty(stdin) && tcgetpgrp(stdin) == Ok(getpgrp());
    ours.then(|| stdin.try_clone_to_owned().ok()).flatten()
}

/// An interactive agent takes the terminal for a group of its own; when that is gone, the supervisor
/// wants it back. A group that lives, such as the shell's that we were started from, keeps it.
fn reclaim(terminal: &OwnedFd, socket: &UnixStream) {
    let abandoned = tcgetpgrp(terminal)
        .is_ok_and(|group| test_kill_process_group(group) == Err(rustix::io::Errno::SRCH));
    if abandoned && !is_hung_up(socket) {
        let _ = tcsetpgrp(terminal, getpgrp());
    }
}

/// Tells the supervisor through the pipe that outlives a failed execve.
fn tell_failure(tell: &mut PipeWriter, failure: &Failure) {
    if let Ok(text) = serde_json::to_vec(failure) {
        let _ = tell.write_all(&text);
    }
}
