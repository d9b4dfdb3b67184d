//! What can go wrong while the box is built, as the process inside tells it.

use std::{fmt, io};

use serde::{Deserialize, Serialize};

/// The steps of building a box, in their order.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// The specification or the state of the fresh process.
    Enter,
    /// New process, mount and IPC namespaces.
    Namespaces,
    /// A process of the box.
    Fork,
    /// A private view of mounts, with `/proc` and `/dev` of its own.
    Mounts,
    /// Files and folders to hide.
    Masks,
    /// User, group and supplementary groups.
    User,
    /// The agent's working directory.
    Directory,
    /// The program to run, looked up in the agent's own `PATH`.
    Command,
    /// Reducing capabilities.
    Capabilities,
    /// The Landlock domain.
    Landlock,
    /// Descriptors and signals of the agent.
    Descriptors,
    /// The filter of calls that are never allowed.
    Refuse,
    /// The filter of calls that the supervisor answers.
    Notify,
    /// Telling the supervisor that all is ready.
    Ready,
    /// The agent's program itself.
    Execute,
}

/// A step that failed. Nothing was executed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// Which one.
    pub step: Step,
    /// The system's error number, 0 where there is none.
    pub errno: i32,
    /// What it was about: a path, a name; may be empty.
    pub about: String,
}

impl Failure {
    /// A fault that is not the system's.
    pub(crate) fn plain(step: Step, about: impl Into<String>) -> Failure {
        Failure { step, errno: 0, about: about.into() }
    }

    /// What the reader can do.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match (self.step, self.errno) {
            (Step::Directory, _) => {
                "name a folder that exists in the box and that the agent's user may enter"
            }
            (Step::Command, libc::ENOENT) => "install it, or give its full path",
            (Step::Command, _) => "make it executable for the agent's user",
            (Step::Execute, libc::EPERM | libc::EACCES) => {
                "see why it was refused, or make it readable in the box"
            }
            (Step::Execute, libc::ENOEXEC) => {
                "run a script without a `#!` line through its interpreter"
            }
            (Step::Execute, _) => "check the program and its interpreter",
            (Step::Namespaces | Step::Mounts | Step::User | Step::Capabilities, libc::EPERM) => {
                "start the supervisor as root, or choose the tier without privileges"
            }
            (Step::Masks, 0) => "use the kernel tier, or leave it out of the readable paths",
            (Step::Fork, _) => "raise the bound on processes",
            (Step::Landlock | Step::Refuse | Step::Notify, _) => {
                "run `pathwarden doctor` to see what this kernel lacks"
            }
            (
                Step::Enter
                | Step::Namespaces
                | Step::Mounts
                | Step::Masks
                | Step::User
                | Step::Capabilities
                | Step::Descriptors
                | Step::Ready,
                _,
            ) => "nothing was run; run `pathwarden doctor`",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the box failed at step `{}`", self.step)?;
        if !self.about.is_empty() {
            write!(f, ": {}", self.about)?;
        }
        if self.errno != 0 {
            write!(f, ": {}", io::Error::from_raw_os_error(self.errno))?;
        }
        write!(f, "; {}", self.advice())
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Enter => "enter",
            Step::Namespaces => "namespaces",
            Step::Fork => "fork",
            Step::Mounts => "mounts",
            Step::Masks => "masks",
            Step::User => "user",
            Step::Directory => "directory",
            Step::Command => "command",
            Step::Capabilities => "capabilities",
            Step::Landlock => "landlock",
            Step::Descriptors => "descriptors",
            Step::Refuse => "refuse",
            Step::Notify => "notify",
            Step::Ready => "ready",
            Step::Execute => "execute",
        })
    }
}

/// For `map_err`: the system's error at a step.
pub(crate) fn at<E: Into<io::Error>>(
    step: Step,
    about: impl Into<String>,
) -> impl FnOnce(E) -> Failure {
    move |error| match error.into() {
        error if error.raw_os_error().is_some() => {
            Failure { step, errno: error.raw_os_error().unwrap_or(0), about: about.into() }
        }
        error => Failure::plain(step, format!("{} {error}", about.into()).trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_where_what_and_what_to_do() {
        let missing = at(Step::Command, "`nope`")(io::Error::from_raw_os_error(libc::ENOENT));
        assert_eq!(
            missing.to_string(),
            "the box failed at step `command`: `nope`: No such file or directory (os error 2); \
             install it, or give its full path"
        );
        let odd = at(Step::Enter, "")(io::Error::other("two threads"));
        assert_eq!(
            odd.to_string(),
            "the box failed at step `enter`: two threads; nothing was run; run `pathwarden doctor`"
        );
    }
}
