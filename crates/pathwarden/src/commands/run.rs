//! `run`: an agent in a box.

pub(crate) mod checks;

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use pathwarden_client::Client;
use pathwarden_config::{Config, ModelApi};
use pathwarden_pep_linux::{Denials, Denied, Ended, Ready, Setup, Tier, User, doctor};
use pathwarden_types::SessionId;
use pathwarden_wire::{EndSession, Health, Reach, StartSession, Started};
use tracing_subscriber::EnvFilter;

use crate::accounts::Account;
use crate::cli::{At, Run, TierName};
use crate::commands::doctor::missing;
use crate::commands::mcp::GOVERNED;
use crate::home::{Home, client, person};
use crate::out::Out;

/// Where sessions keep their sockets, when root starts them.
const FOLDER: &str = "/var/lib/pathwarden/run";

pub(crate) async fn run(at: &At, args: Run, out: &Out) -> anyhow::Result<ExitCode> {
    let filter =
        EnvFilter::try_from_env("PATHWARDEN_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let home = Home::new(at)?;
    let config = home.config()?;
    let operator = client(at)?;
    let asked = Asked::check(at, args, &home, &config).await?;
    let start = StartSession {
        agent: asked.args.agent.clone(),
        task: asked.args.task.clone(),
        stated_by: person(asked.args.by.clone())?,
        reach: Reach::Everywhere,
    };
    let started: Started = operator.post("/v1/sessions", &start).await?;
    let (session, is_quiet, tier) = (started.session, asked.args.quiet, asked.tier);
    // From here on a session is open: whatever fails, it is ended.
    let ended = hold(asked, &operator, &started, out).await;
    end(&operator, session, ended.is_ok()).await;
    let ended = ended?;
    if !is_quiet {
        tell_end(&ended, session, tier, out);
    }
    Ok(ExitCode::from(ended.code))
}

/// What did not happen, and how much of what did was governed.
fn tell_end(ended: &Ended, session: SessionId, tier: Tier, out: &Out) {
    let Denials { listed, count } = &ended.denials;
    for Denied { what, by, action } in listed.iter().take(DENIED_TOLD_MAX) {
        let how =
            by.as_ref().map_or("waits for a person".to_owned(), |by| format!("refused by {by}"));
        out.notice(&format!("pathwarden: {what}: {how}; see `pathwarden why {action}`"));
    }
    let told = listed.len().min(DENIED_TOLD_MAX) as u64;
    if *count > told {
        out.notice(&format!("pathwarden: and {} more were not let happen", count - told));
    }
    let planes = &ended.standing.coverage;
    let (observed, governed) =
        planes.iter().fold((0, 0), |sum, plane| (sum.0 + plane.observed, sum.1 + plane.governed));
    let measured = match tier {
        Tier::Kernel => format!("{governed} of {observed} acts governed; "),
        Tier::Landlock => String::new(),
    };
    out.notice(&format!("pathwarden: {measured}see `pathwarden path {session}`"));
}

/// How much of what did not happen is told at the end.
const DENIED_TOLD_MAX: usize = 5;

/// Starts the agent in its box and comes back when it has ended.
async fn hold(
    asked: Asked<'_>,
    operator: &Client,
    started: &Started,
    out: &Out,
) -> anyhow::Result<Ended> {
    let (session, is_quiet, tier) = (started.session, asked.args.quiet, asked.tier);
    let health: Health = operator.get("/v1/health").await?;
    let setup = setup(asked, started, &health)?;
    let ready = |ready: &Ready| {
        if !is_quiet {
            let refused = ready.standing.canaries.iter().filter(|canary| canary.refused).count();
            let tier = tier_word(tier);
            out.notice(&format!(
                "pathwarden: session {session}, tier {tier}, {refused} canaries refused"
            ));
        }
    };
    Ok(pathwarden_pep_linux::run(setup, ready).await?)
}

async fn end(operator: &Client, session: SessionId, is_well: bool) {
    let reason = if is_well { "the agent ended" } else { "the agent was not started" };
    let end = EndSession { reason: reason.to_owned() };
    let path = format!("/v1/sessions/{session}/end");
    if let Err(fault) = operator.post::<_, ()>(&path, &end).await {
        tracing::warn!(%fault, "the session is not ended yet");
    }
}

/// What a run is made of, as far as it can be known without a session.
struct Asked<'a> {
    at: &'a At,
    args: Run,
    home: &'a Home,
    config: &'a Config,
    workspace: PathBuf,
    tier: Tier,
    user: Option<User>,
    user_home: PathBuf,
}

impl<'a> Asked<'a> {
    /// Looks for everything that can be wrong with it before a session begins.
    async fn check(
        at: &'a At,
        args: Run,
        home: &'a Home,
        config: &'a Config,
    ) -> anyhow::Result<Self> {
        let workspace = checks::workspace(args.workspace.as_deref(), home.dir())?;
        checks::paths("--read", &args.read)?;
        checks::paths("--write", &args.write)?;
        checks::reach(&args.reach).await?;
        let tier = tier(args.tier, &workspace)?;
        let account = account(args.user.as_deref(), tier)?;
        let user = account.as_ref().map(user).transpose()?;
        let user_home = user_home(account)?;
        Ok(Self { at, args, home, config, workspace, tier, user, user_home })
    }
}

fn setup(asked: Asked<'_>, started: &Started, health: &Health) -> anyhow::Result<Setup> {
    let Asked { at, args, home, config, workspace, tier, user, user_home } = asked;
    let addresses = addresses(config, health);
    let environment = environment(config, started, &addresses, &user_home);
    let resolved = |paths: Vec<PathBuf>| paths.into_iter().map(|path| real(&path)).collect();
    let named = |paths: &[String]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
    let read: Vec<PathBuf> = args.read.into_iter().chain(named(&config.run.read)).collect();
    let write: Vec<PathBuf> = args.write.into_iter().chain(named(&config.run.write)).collect();
    Ok(Setup {
        node: Client::new(home.endpoint(at)?, started.token.clone()),
        session: started.session,
        tier,
        workspace,
        home: user_home,
        warden: vec![real(home.dir())],
        folder: folder(tier, started.session)?,
        read: resolved(read),
        write: resolved(write),
        reach: args.reach.into_iter().chain(config.run.reach.iter().cloned()).collect(),
        addresses: addresses.all(),
        processes_max: u32::try_from(config.run.processes_max).unwrap_or(u32::MAX),
        user,
        command: args.command,
        environment,
    })
}

/// A path without links, as far as it is there.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.into())
}

/// The tier that was asked for, or the strongest that this machine gives.
fn tier(named: Option<TierName>, workspace: &Path) -> anyhow::Result<Tier> {
    let lacking: Vec<_> =
        doctor::abilities(workspace).into_iter().filter(|ability| !ability.has).collect();
    let is_root = rustix::process::geteuid().is_root();
    match named {
        Some(TierName::Landlock) => Ok(Tier::Landlock),
        Some(TierName::Kernel) | None if is_root => match lacking.first() {
            None => Ok(Tier::Kernel),
            Some(ability) if named.is_some() => {
                Err(anyhow!("this machine does not give the tier `kernel`: {}", missing(ability)))
            }
            Some(_) => Ok(Tier::Landlock),
        },
        Some(TierName::Kernel) => bail!("the tier `kernel` needs root; see `pathwarden doctor`"),
        None => Ok(Tier::Landlock),
    }
}

pub(crate) const fn tier_word(tier: Tier) -> &'static str {
    match tier {
        Tier::Kernel => "kernel",
        Tier::Landlock => "landlock",
    }
}

/// A folder of the session's own, that nobody inside can change.
fn folder(tier: Tier, session: SessionId) -> anyhow::Result<PathBuf> {
    let base = match (tier, std::env::var_os("XDG_RUNTIME_DIR")) {
        (Tier::Kernel, _) => PathBuf::from(FOLDER),
        (Tier::Landlock, Some(folder)) => PathBuf::from(folder).join("pathwarden"),
        (Tier::Landlock, None) => {
            std::env::temp_dir().join(format!("pathwarden-{}", rustix::process::geteuid().as_raw()))
        }
    };
    let folder = base.join(session.to_string());
    fs::create_dir_all(&folder).with_context(|| format!("make `{}`", folder.display()))?;
    Ok(real(&folder))
}

/// Where the node is.
struct Addresses {
    mcp: SocketAddr,
    models: SocketAddr,
}

impl Addresses {
    /// Its interface is not among them: nobody inside has a token for it.
    fn all(&self) -> Vec<SocketAddr> {
        vec![self.mcp, self.models]
    }
}

fn addresses(config: &Config, health: &Health) -> Addresses {
    let listens = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
    Addresses {
        mcp: listens(&health.gateway).unwrap_or(config.mcp),
        models: listens(&health.models).unwrap_or(config.llm),
    }
}

/// Our own environment without what is only ours, and with the ways to the node.
fn environment(
    config: &Config,
    started: &Started,
    addresses: &Addresses,
    home: &Path,
) -> Vec<(OsString, OsString)> {
    let is_ours = |name: &OsString| name.to_string_lossy().starts_with("PATHWARDEN_");
    let mut all: Vec<(OsString, OsString)> =
        std::env::vars_os().filter(|(name, _)| !is_ours(name) && name != "HOME").collect();
    let token = started.gateway_token.as_str();
    let session = started.session.to_string();
    let mut set = |name: &str, value: &str| {
        all.retain(|(known, _)| known != name);
        all.push((name.into(), value.into()));
    };
    set("HOME", &home.to_string_lossy());
    set(GOVERNED, &session);
    set("PATHWARDEN_TOKEN", token);
    set("PATHWARDEN_MCP", &format!("http://{}/mcp", addresses.mcp));
    // W3C trace context: the session is the trace.
    set(
        "TRACEPARENT",
        &format!("00-{session}-{}-01", session.get(..16).unwrap_or("0000000000000001")),
    );
    for (name, provider) in &config.models {
        let base = format!("http://{}/{name}", addresses.models);
        match provider.api {
            ModelApi::OpenAi => {
                set("OPENAI_BASE_URL", &format!("{base}/v1"));
                set("OPENAI_API_KEY", token);
            }
            ModelApi::Anthropic => {
                set("ANTHROPIC_BASE_URL", &base);
                set("ANTHROPIC_API_KEY", token);
            }
            ModelApi::Gemini => {
                set("GOOGLE_GEMINI_BASE_URL", &base);
                set("GEMINI_API_KEY", token);
            }
        }
    }
    all
}

/// Whom the agent runs as: who was named, who called sudo, or nobody else.
fn account(named: Option<&str>, tier: Tier) -> anyhow::Result<Option<Account>> {
    let named = named.map(Account::named).transpose()?;
    if tier != Tier::Kernel {
        if named.is_some() {
            bail!("`--user` needs the tier `kernel`; start it as that user instead");
        }
        return Ok(None);
    }
    let by_sudo = || std::env::var("SUDO_USER").ok().filter(|name| name != "root");
    match named {
        Some(account) => Ok(Some(account)),
        None => by_sudo().map(|name| Account::named(&name)).transpose(),
    }
}

fn user(account: &Account) -> anyhow::Result<User> {
    Ok(User { uid: account.uid, gid: account.gid, groups: account.groups()? })
}

/// The home of whoever the agent runs as.
fn user_home(account: Option<Account>) -> anyhow::Result<PathBuf> {
    let own = || std::env::home_dir().ok_or_else(|| anyhow!("there is no home folder; set HOME"));
    let home = account.map_or_else(own, |account| Ok(account.home))?;
    Ok(real(&home))
}
