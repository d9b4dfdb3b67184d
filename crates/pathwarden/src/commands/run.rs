//! `run`: an agent in a box.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use pathwarden_client::Client;
use pathwarden_config::{Config, ModelApi, is_host_and_port};
use pathwarden_pep_linux::{Ready, Setup, Tier, User, doctor};
use pathwarden_types::SessionId;
use pathwarden_wire::{EndSession, Health, Reach, StartSession, Started};
use tracing_subscriber::EnvFilter;

use crate::cli::{At, Run, TierName};
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
    let workspace = workspace(args.workspace.as_deref())?;
    let tier = tier(args.tier, &workspace)?;
    check_reach(&args.reach)?;
    let start = StartSession {
        agent: args.agent.clone(),
        task: args.task.clone(),
        stated_by: person(args.by.clone())?,
        reach: Reach::Everywhere,
    };
    let started: Started = operator.post("/v1/sessions", &start).await?;
    let health: Health = operator.get("/v1/health").await?;
    let session = started.session;
    let (is_quiet, tier_word) = (args.quiet, tier_word(tier));
    let setup = setup(
        Asked { at, args, home: &home, config: &config, workspace, tier },
        &started,
        &health,
    )?;
    let ready = |ready: &Ready| {
        if !is_quiet {
            let refused = ready.standing.canaries.iter().filter(|canary| canary.refused).count();
            out.notice(&format!(
                "pathwarden: session {session}, tier {tier_word}, {refused} canaries refused"
            ));
        }
    };
    let ended = pathwarden_pep_linux::run(setup, ready).await;
    end(&operator, session, ended.is_ok()).await;
    let ended = ended?;
    if !is_quiet && tier == Tier::Kernel {
        let (observed, governed) = ended
            .standing
            .coverage
            .iter()
            .fold((0, 0), |sum, plane| (sum.0 + plane.observed, sum.1 + plane.governed));
        out.notice(&format!(
            "pathwarden: {governed} of {observed} acts governed; see `pathwarden path {session}`"
        ));
    }
    Ok(ExitCode::from(ended.code))
}

async fn end(operator: &Client, session: SessionId, is_well: bool) {
    let reason = if is_well { "the agent ended" } else { "the agent was not started" };
    let end = EndSession { reason: reason.to_owned() };
    let path = format!("/v1/sessions/{session}/end");
    if let Err(fault) = operator.post::<_, ()>(&path, &end).await {
        tracing::warn!(%fault, "the session is not ended yet");
    }
}

/// What a run is made of.
struct Asked<'a> {
    at: &'a At,
    args: Run,
    home: &'a Home,
    config: &'a Config,
    workspace: PathBuf,
    tier: Tier,
}

fn setup(asked: Asked<'_>, started: &Started, health: &Health) -> anyhow::Result<Setup> {
    let Asked { at, args, home, config, workspace, tier } = asked;
    let user = user(args.user.as_deref(), tier)?;
    let user_home = user_home(user.as_ref())?;
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
        user: user.filter(|_| tier == Tier::Kernel),
        command: args.command,
        environment,
    })
}

/// A path without links, as far as it is there.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.into())
}

fn workspace(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let path = named.unwrap_or(Path::new("."));
    let workspace = fs::canonicalize(path)
        .with_context(|| format!("find the workspace `{}`", path.display()))?;
    if workspace == Path::new("/") {
        bail!("the workspace cannot be the whole machine; name a folder with --workspace");
    }
    Ok(workspace)
}

fn check_reach(reach: &[String]) -> anyhow::Result<()> {
    match reach.iter().find(|one| !is_host_and_port(one)) {
        Some(wrong) => bail!("`{wrong}` is no host with a port; write it like `crates.io:443`"),
        None => Ok(()),
    }
}

/// The tier that was asked for, or the strongest that this machine gives.
fn tier(named: Option<TierName>, workspace: &Path) -> anyhow::Result<Tier> {
    let missing: Vec<_> =
        doctor::abilities(workspace).into_iter().filter(|ability| !ability.has).collect();
    let is_root = rustix::process::geteuid().is_root();
    match named {
        Some(TierName::Landlock) => Ok(Tier::Landlock),
        Some(TierName::Kernel) | None if is_root => match missing.first() {
            None => Ok(Tier::Kernel),
            Some(ability) if named.is_some() => Err(anyhow!(
                "this machine does not give the tier `kernel`: {} ({}); {}",
                ability.name,
                ability.detail,
                ability.advice
            )),
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
fn user(named: Option<&str>, tier: Tier) -> anyhow::Result<Option<User>> {
    let by_sudo = || std::env::var("SUDO_USER").ok().filter(|name| name != "root");
    let Some(name) = named.map(str::to_owned).or_else(by_sudo).filter(|_| tier == Tier::Kernel)
    else {
        return Ok(None);
    };
    let accounts = fs::read_to_string("/etc/passwd").context("read `/etc/passwd`")?;
    let account = accounts.lines().find(|line| line.split(':').next() == Some(&name));
    let fields: Vec<&str> = account
        .ok_or_else(|| anyhow!("there is no user `{name}`; see `/etc/passwd`"))?
        .split(':')
        .collect();
    let number = |at: usize| fields.get(at).and_then(|text| text.parse::<u32>().ok());
    let (Some(uid), Some(gid)) = (number(2), number(3)) else {
        bail!("the line of `{name}` in `/etc/passwd` has no user and group");
    };
    let lines = fs::read_to_string("/etc/group").context("read `/etc/group`")?;
    let groups = lines.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let group = fields.nth(2)?.parse().ok()?;
        fields.next()?.split(',').any(|member| member == name).then_some(group)
    });
    Ok(Some(User { uid, gid, groups: groups.collect() }))
}

/// The home of whoever the agent runs as.
fn user_home(user: Option<&User>) -> anyhow::Result<PathBuf> {
    let home = match user {
        None => std::env::home_dir().ok_or_else(|| anyhow!("there is no home folder; set HOME"))?,
        Some(user) => {
            let accounts = fs::read_to_string("/etc/passwd").context("read `/etc/passwd`")?;
            let uid = user.uid.to_string();
            let line = accounts.lines().find(|line| line.split(':').nth(2) == Some(&uid));
            let home = line.and_then(|line| line.split(':').nth(5));
            PathBuf::from(home.ok_or_else(|| anyhow!("user {uid} has no home folder"))?)
        }
    };
    Ok(real(&home))
}
