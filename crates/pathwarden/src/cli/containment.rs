//! Governing processes: `run`, `contain`, `release`, `contract`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use pathwarden_types::Name;

/// Arguments of `run`.
#[derive(Args)]
pub(crate) struct Run {
    /// The agent, as the configuration names it.
    #[arg(long, default_value = "demo")]
    pub(crate) agent: Name,
    /// What it is asked to do, in the words of the person who asks.
    #[arg(long, default_value = "")]
    pub(crate) task: String,
    /// Who asks [default: the login name].
    #[arg(long)]
    pub(crate) by: Option<Name>,
    /// The folder that it works in, on ext4 for the tier kernel [default: here].
    #[arg(long, value_name = "DIR")]
    pub(crate) workspace: Option<PathBuf>,
    /// How it is held [default: the strongest that this machine gives].
    #[arg(long, value_enum)]
    pub(crate) tier: Option<TierName>,
    /// A host with a port that it may reach; may be given more than once.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) reach: Vec<String>,
    /// A folder or file that it may read; may be given more than once.
    #[arg(long, value_name = "PATH")]
    pub(crate) read: Vec<PathBuf>,
    /// A folder or file that it may read and write; may be given more than once.
    #[arg(long, value_name = "PATH")]
    pub(crate) write: Vec<PathBuf>,
    /// Whom it runs as, when root starts it [default: who called sudo, else root].
    #[arg(long, value_name = "LOGIN")]
    pub(crate) user: Option<String>,
    /// Say nothing when it begins and ends.
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// The agent's command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// How an agent is held.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum TierName {
    /// The kernel asks before each program, file and connection; what happens is measured. Needs root.
    Kernel,
    /// Landlock and seccomp, without root.
    Landlock,
}

/// Arguments of `contain`.
#[derive(Args)]
pub(crate) struct Contain {
    /// A session's id, or the name of an agent or of a server (`agent:NAME`, `server:NAME`); `list` shows
    /// what stands.
    pub(crate) target: String,
    /// What to take; the name of a tool stands after `disable-tool`.
    #[arg(value_name = "VERB", value_parser = Verbs)]
    pub(crate) verbs: Vec<String>,
    /// For how long.
    #[arg(long, default_value = "10m", value_parser = humantime::parse_duration)]
    pub(crate) ttl: Duration,
    /// Why; kept in the ledger.
    #[arg(long, default_value = "ordered by the operator")]
    pub(crate) reason: String,
    /// Who orders it [default: the login name].
    #[arg(long)]
    pub(crate) by: Option<Name>,
}

/// Arguments of `release`.
#[derive(Args)]
pub(crate) struct Release {
    /// As of `contain`.
    pub(crate) target: String,
    /// What to give back; `disable-tool NAME` gives back one tool [default: everything].
    #[arg(value_name = "VERB", value_parser = Verbs)]
    pub(crate) verbs: Vec<String>,
    /// Who gives it back [default: the login name].
    #[arg(long)]
    pub(crate) by: Option<Name>,
}

/// Offers verbs in help and completions. It takes any word: what stands after `disable-tool` is a tool.
#[derive(Clone)]
struct Verbs;

impl Verbs {
    /// Every [`Verb`](pathwarden_types::Verb), as it is typed.
    const WORDS: [&str; 6] =
        ["no-egress", "read-only", "no-exec", "disable-tool", "freeze", "terminate"];
}

impl TypedValueParser for Verbs {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Self::WORDS.into_iter().map(PossibleValue::new)))
    }
}

#[derive(Subcommand)]
pub(crate) enum Contract {
    /// Write down what the tools of a server did to the machine, as effect contracts.
    ///
    /// Review them, and put them into pathwarden.toml: what is not listed is a deviation from then on.
    Learn {
        /// The server.
        server: Name,
    },
}

#[cfg(test)]
mod tests {
    use pathwarden_types::Verb;

    use super::Verbs;

    #[test]
    fn every_verb_is_offered() {
        assert_eq!(Verbs::WORDS.map(str::to_owned), Verb::ALL.map(|verb| verb.to_string()));
    }
}
