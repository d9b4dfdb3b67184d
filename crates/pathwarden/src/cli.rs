//! What can be typed.

mod containment;
mod memory;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use pathwarden_types::{ActionId, ApprovalId, Name, SessionId};
use pathwarden_wire::Reach;

pub(crate) use containment::{Contain, Contract, Release, Run, TierName};
pub(crate) use memory::{Memory, Person, Remembered};

const EXAMPLES: &str = "\
A first run:
  pathwarden init                          make a home: keys, policy, configuration, empty ledger
  pathwarden up                            run the node (another terminal for what follows)
  pathwarden session start --agent demo --task 'Tidy my notes'
  PATHWARDEN_TOKEN=… pathwarden mcp -- npx -y @modelcontextprotocol/server-filesystem ~/notes
                                           in place of the server's command in any MCP client
  pathwarden path SESSION                  what the agent did, with every verdict
  pathwarden why ACTION                    why, with rule, file and line
  pathwarden context ACTION                what the model had in its window, and what it said

Every command takes --json.";

/// Decides what AI agents may do, before they do it, and proves it afterwards.
#[derive(Parser)]
#[command(name = "pathwarden", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) at: At,
    /// Print JSON instead of words.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the node is.
#[derive(Args, Clone)]
pub(crate) struct At {
    /// The node's home folder [default: ~/.pathwarden].
    #[arg(long, global = true, env = "PATHWARDEN_HOME", value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Where the node listens: a socket's path or http://127.0.0.1:7717 [default: the home's socket].
    #[arg(long, global = true, env = "PATHWARDEN_ENDPOINT", value_name = "WHERE")]
    pub(crate) endpoint: Option<String>,
    /// The token to show [default: the operator's, from the home; `mcp` has none].
    #[arg(
        long,
        global = true,
        env = "PATHWARDEN_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub(crate) token: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a home: keys, tokens, policy, configuration, and an empty ledger.
    Init(Init),
    /// Run the node until it is told to stop.
    Up,
    /// Start, list and end sessions: one session is one run of a task.
    #[command(subcommand)]
    Session(Session),
    /// Tokens for agents that are started by something else than `session start`.
    #[command(subcommand)]
    Agent(Agent),
    /// Start an agent in a box whose every program, file and connection is decided by the node.
    ///
    /// With root the kernel asks before each of them, and what tools do is measured; without, Landlock
    /// and seccomp hold what they can (`pathwarden doctor` says what this machine gives).
    Run(Run),
    /// Take something from a live session, agent or tool server, until it is released or lapses.
    Contain(Contain),
    /// Give back what was taken.
    Release(Release),
    /// Show what enforcement points saw, and how much of it was decided.
    Coverage {
        /// Only this session.
        session: Option<SessionId>,
    },
    /// What tools may do to the machine: learn it from what they did, for you to review.
    #[command(subcommand)]
    Contract(Contract),
    /// Show what a session did: every action with its verdicts and its outcome.
    Path {
        /// The session, from `session list`.
        session: SessionId,
    },
    /// Show why an action was decided as it was, and what would have changed it.
    Why {
        /// The action, from `path`.
        action: ActionId,
    },
    /// Show what stood in the model's window at a model call, or at the one that led to an action.
    Context {
        /// The action, from `path`.
        action: ActionId,
    },
    /// Show two windows beside each other: what stands in one of them only.
    Diff {
        /// A model call, or what came of one.
        first: ActionId,
        /// Another one, of the same session or not.
        second: ActionId,
    },
    /// Show where two runs part, and on what: what the model was shown, or what it said.
    Compare {
        /// A session.
        first: SessionId,
        /// Another one, of the same task.
        second: SessionId,
    },
    /// List, show, quarantine and roll back what agents remember.
    #[command(subcommand)]
    Memory(Memory),
    /// List, show and answer what waits for a person.
    #[command(subcommand)]
    Approvals(Approvals),
    /// Verify, prove and export the ledger.
    #[command(subcommand)]
    Ledger(Ledger),
    /// Decide every recorded action again from the recorded inputs; report any byte of difference.
    Replay {
        /// Only this session.
        session: Option<SessionId>,
    },
    /// Check, test, show and load policies.
    #[command(subcommand)]
    Policy(Policy),
    /// Learn, show and compare what agents usually do.
    #[command(subcommand)]
    Profile(Profile),
    /// Decide recorded runs of agents as if they were live, to measure a policy.
    ///
    /// EVENTS are JSON lines, perhaps gzipped: `session_start`, `action`, `result` and `user_message`
    /// (docs/EVALUATION.md). No node and no home is needed, and nothing is recorded.
    Eval(Eval),
    /// Look for what is wrong with this home and its node, and say what to do.
    Doctor,
    /// Stand before an MCP server that speaks over standard input and output; look at what servers offer.
    ///
    /// Put `pathwarden mcp --` before the server's command in the configuration of any MCP client.
    Mcp(Mcp),
    /// List what was out of order, latest last: changed tools, forged states, orphan calls, tainted memory.
    Findings,
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Arguments of `eval`.
#[derive(Args)]
pub(crate) struct Eval {
    /// The recorded events.
    #[arg(long, value_name = "FILE")]
    pub(crate) events: PathBuf,
    /// Where to write one decision per action, as JSON lines; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The policy [default: the shipped pack].
    #[arg(long, value_name = "DIR")]
    pub(crate) policy: Option<PathBuf>,
    /// A configuration file to take servers, domains and risk from [default: the tools' server is the
    /// organisation's own, and outsiders may have written what it returns].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The name that the policy knows the tools' server by.
    #[arg(long, default_value = "tools")]
    pub(crate) server: Name,
    /// Print what was decided, counted, and how long it took.
    #[arg(long)]
    pub(crate) summary: bool,
    /// Leave out how long each decision took, so that equal decisions are equal bytes.
    #[arg(long)]
    pub(crate) steady: bool,
}

/// Arguments of `init`.
#[derive(Args)]
pub(crate) struct Init {
    /// A mail and host domain of your own organisation; may be given more than once.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Vec<String>,
}

#[derive(Subcommand)]
pub(crate) enum Session {
    /// Start a session and print a token with which the agent can act in it, and nothing else.
    Start {
        /// The agent, as the configuration names it.
        #[arg(long)]
        agent: Name,
        /// What it is asked to do, in the words of the person who asks.
        #[arg(long)]
        task: String,
        /// Who asks [default: the login name].
        #[arg(long)]
        by: Option<Name>,
        #[command(flatten)]
        reach: TokenReach,
    },
    /// List sessions, oldest first.
    List,
    /// End a session; its agent can do nothing more in it.
    End {
        /// The session.
        session: SessionId,
        /// Why.
        #[arg(long, default_value = "ended by the operator")]
        reason: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum Agent {
    /// Print a token with which an agent can act in sessions of its own, and nothing else.
    Token {
        /// The agent, as the configuration names it.
        agent: Name,
        #[command(flatten)]
        reach: TokenReach,
    },
}

/// Where a token is to be taken.
#[derive(Args)]
pub(crate) struct TokenReach {
    /// Only gateways take the token: for an agent that may reach its servers in no other way.
    #[arg(long)]
    gateways_only: bool,
}

impl TokenReach {
    pub(crate) const fn reach(&self) -> Reach {
        if self.gateways_only { Reach::Gateways } else { Reach::Everywhere }
    }
}

#[derive(Subcommand)]
pub(crate) enum Approvals {
    /// List what waits for a person.
    List,
    /// Show one question: what would happen, to whom, and why a person is asked.
    Show {
        /// The question.
        approval: ApprovalId,
    },
    /// Let the action happen, once.
    Approve(Answer),
    /// Refuse the action.
    Deny(Answer),
}

/// An answer.
#[derive(Args)]
pub(crate) struct Answer {
    /// The question.
    pub(crate) approval: ApprovalId,
    /// A word on why; kept in the ledger.
    #[arg(long, default_value = "")]
    pub(crate) note: String,
    /// Who answers [default: the login name].
    #[arg(long)]
    pub(crate) by: Option<Name>,
}

#[derive(Subcommand)]
pub(crate) enum Ledger {
    /// Verify the whole log with the independent verifier.
    Verify,
    /// Write a proof that an action's decision is in the log.
    Prove {
        /// The action.
        action: ActionId,
        /// Where to write it [default: ACTION.tlog-proof].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Print every record, one JSON object per line.
    Export,
}

#[derive(Subcommand)]
pub(crate) enum Policy {
    /// Compile a policy; every fault is named with file and line.
    Check {
        /// The folder [default: the home's].
        dir: Option<PathBuf>,
    },
    /// Run a policy's own tests and show which lines they reach.
    Test {
        /// The folder [default: the home's].
        dir: Option<PathBuf>,
    },
    /// Show the policy that decides.
    Show,
    /// Load the home's policy into the running node; one that does not compile changes nothing.
    Reload,
}

#[derive(Subcommand)]
pub(crate) enum Profile {
    /// Learn the next version of an agent's profile from its sessions in the ledger.
    ///
    /// A session teaches when it has ended or been quiet for an hour, nothing in it was refused, and no
    /// content of outsiders was read in it. The profile is a file to review; it is used after
    /// `policy reload`.
    Learn {
        /// The agent, as the configuration names it.
        #[arg(long)]
        agent: Name,
        /// Where to write it [default: profiles/AGENT.json beside the policy].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Show the profiles beside the policy.
    Show {
        /// Only this agent's.
        #[arg(long)]
        agent: Option<Name>,
    },
    /// Say what changed from one profile to another.
    Drift {
        /// The file of the profile before.
        old: PathBuf,
        /// The file of the profile after.
        new: PathBuf,
    },
}

/// Arguments of `mcp`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Mcp {
    #[command(subcommand)]
    pub(crate) about: Option<AboutMcp>,
    /// The server's name in configuration, policies and records [default: from the command].
    #[arg(long)]
    pub(crate) server: Option<Name>,
    /// Act as this agent, when the home's keys can be read; otherwise set `PATHWARDEN_TOKEN`.
    #[arg(long)]
    pub(crate) agent: Option<Name>,
    /// The server's command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// What there is to see and to say of MCP servers.
#[derive(Subcommand)]
pub(crate) enum AboutMcp {
    /// What servers offer, pinned: the first form is trusted, a changed one waits for a person.
    #[command(subcommand)]
    Pins(Pins),
    /// Switch tools off and on.
    #[command(subcommand)]
    Tools(Tools),
}

#[derive(Subcommand)]
pub(crate) enum Pins {
    /// List what servers offer, and how it stands.
    List {
        /// Only of this server.
        server: Option<Name>,
        /// Only what is not known: changed, suspect or revoked.
        #[arg(long)]
        open: bool,
    },
    /// Show what changed, word by word.
    Diff(Pinned),
    /// Trust the present form from now on.
    Accept(RulePinned),
    /// Trust no form until one is accepted.
    Revoke(RulePinned),
}

/// One item of a server.
#[derive(Args)]
pub(crate) struct Pinned {
    /// The server.
    pub(crate) server: Name,
    /// The tool, prompt or template; none for the server's instructions or program.
    #[arg(default_value = "")]
    pub(crate) name: String,
    /// What kind of thing it is [default: the one that there is of this name].
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
}

/// A ruling on one item.
#[derive(Args)]
pub(crate) struct RulePinned {
    #[command(flatten)]
    pub(crate) pinned: Pinned,
    /// The form that you saw, as `diff` shows it; the present one when it is not given.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) seen: Option<String>,
    /// A word on why; kept in the ledger.
    #[arg(long, default_value = "")]
    pub(crate) note: String,
    /// Who rules [default: the login name].
    #[arg(long)]
    pub(crate) by: Option<Name>,
}

/// Kinds of item.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Kind {
    /// A tool.
    Tool,
    /// A prompt.
    Prompt,
    /// A template of resources.
    Template,
    /// What a server tells the model about itself.
    Instructions,
    /// The program that runs as the server.
    Program,
}

#[derive(Subcommand)]
pub(crate) enum Tools {
    /// List the tools that are switched off.
    List,
    /// Switch a tool off at once: it is not listed, and calls of it are refused.
    Disable(Switch),
    /// Switch it on again.
    Enable(Switch),
}

/// One tool.
#[derive(Args)]
pub(crate) struct Switch {
    /// The tool's server.
    pub(crate) server: Name,
    /// The tool.
    pub(crate) tool: String,
    /// Only for this agent [default: for all].
    #[arg(long)]
    pub(crate) agent: Option<Name>,
    /// Who switches it [default: the login name].
    #[arg(long)]
    pub(crate) by: Option<Name>,
}
