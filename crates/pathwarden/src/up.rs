//! `up`: puts a node together and runs it until it is told to stop.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use pathwarden_config::Config;
use pathwarden_decide::{Settings, Snapshot};
use pathwarden_pep_mcp::http;
use pathwarden_store::{OpenError, Options, Store};
use pathwarden_warden::{Listening, Parts, Warden};
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use crate::cli::At;
use crate::home::Home;
use crate::out::Out;
use crate::{gateway, snapshot};

/// How often the policy folder is looked at for changes, in ms.
const POLICY_POLL_MS: u64 = 1_000;

/// Runs a node.
pub(crate) async fn run(at: &At, out: &Out) -> anyhow::Result<ExitCode> {
    let filter =
        EnvFilter::try_from_env("PATHWARDEN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let home = Home::new(at)?;
    let config = home.config()?;
    for danger in &config.dangers {
        tracing::warn!("security is lowered by {danger}");
    }
    let warden = node(&home, &config)?;
    let gateway = gateway::of(&warden, &config, &home)?;
    let models_gateway = gateway::of_models(&warden, &config, &home)?;
    let socket = home.below(&config.socket);
    let api_socket = bind_socket(&socket)?;
    let api_tcp = bind(config.api).await?;
    let mcp = bind(config.mcp).await?;
    let models = bind(config.llm).await?;
    let (stop, stopped) = watch::channel(());
    let until = |mut stopped: watch::Receiver<()>| async move {
        let _ = stopped.changed().await;
    };
    // Before anybody is told that the node is ready: who hears it may stop it at once.
    let told_to_stop = told_to_stop()?;
    warden.listens(Listening { gateway: mcp.local_addr()?, models: models.local_addr()? });
    announce(out, &socket, &api_tcp, &mcp, &models)?;
    let sweep = tokio::spawn(Arc::clone(&warden).sweep_for_ever());
    let policy_dir = home.below(&config.policy_dir);
    let settings = config.settings.clone();
    let reload = tokio::spawn(reload_on_change(Arc::clone(&warden), policy_dir, settings));
    let serving = async {
        let (socket_ended, tcp_ended, (), ()) = tokio::join!(
            pathwarden_api::serve_socket(&warden, api_socket, until(stopped.clone())),
            pathwarden_api::serve_tcp(&warden, api_tcp, until(stopped.clone())),
            http::serve(mcp, gateway, until(stopped.clone())),
            pathwarden_pep_llm::serve(models, models_gateway, until(stopped.clone())),
        );
        socket_ended.and(tcp_ended)
    };
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => ended.context("serve the API")?,
        () = told_to_stop => {
            stop.send_replace(());
            // A client that keeps its connection open does not keep the node from stopping.
            let _ = tokio::time::timeout(STOP_GRACE, serving).await;
        }
    }
    sweep.abort();
    reload.abort();
    let _ = fs::remove_file(&socket);
    warden.close().map_err(anyhow::Error::from)?;
    tracing::info!("stopped; every record is covered by a signed checkpoint");
    Ok(ExitCode::SUCCESS)
}

/// How long open exchanges may take to end once the node is told to stop.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// Opens the ledger and starts the node on it.
fn node(home: &Home, config: &Config) -> anyhow::Result<Arc<Warden>> {
    let policy_dir = home.below(&config.policy_dir);
    let snapshot = snapshot::load(&policy_dir, config.settings.clone())?;
    let verifier = home.load_verifier_key()?;
    let signer = home.load_signer(verifier.name())?;
    let options = Options {
        publish_every_ms: config.ledger.publish_every_ms,
        batch_window_ms: config.ledger.batch_window_ms,
        queue_entries_max: config.ledger.queue_records_max,
        ..Options::new(Warden::keys_of)
    };
    let (store, recovered) = Store::open(&home.ledger(), &verifier, signer, options)
        .map_err(|error| unopened(error, home))?;
    tracing::info!(
        records = recovered.entries,
        truncated_bytes = recovered.truncated_bytes,
        index_rebuilt = recovered.index_rebuilt,
        "the ledger is open and verified"
    );
    let settings = config.settings.clone();
    let parts = Parts {
        node: verifier.name().to_owned(),
        store,
        snapshot,
        load_policy: Box::new(move || {
            snapshot::load(&policy_dir, settings.clone()).map_err(|error| format!("{error:#}"))
        }),
        tokens: home.load_token_key()?,
        agents: config.agents.clone(),
        effect_ms_max: config.ledger.effect_ms_max,
        near: config.near.clone(),
        reached: config.upstreams.keys().cloned().collect(),
        hold_ms: config.hold_ms,
        stores: config.stores.clone(),
    };
    Warden::start(parts).context("start the node")
}

/// Why the ledger was not opened, and what to do where the error itself does not say it.
fn unopened(error: OpenError, home: &Home) -> anyhow::Error {
    let what = match &error {
        OpenError::Locked { .. } => format!(
            "a node runs on the home `{}` already: stop it, or run this one on a home of its own with \
             --home",
            home.dir().display()
        ),
        _ => "open the ledger".to_owned(),
    };
    anyhow::Error::from(error).context(what)
}

/// Binds the socket; one that a crash left behind is removed, one that answers is not.
fn bind_socket(path: &Path) -> anyhow::Result<UnixListener> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        anyhow::bail!("a node is running on `{}` already", path.display());
    }
    let _ = fs::remove_file(path);
    let listener =
        UnixListener::bind(path).with_context(|| format!("listen on `{}`", path.display()))?;
    // Whoever may reach the socket still needs a token.
    fs::set_permissions(path, fs::Permissions::from_mode(0o666))
        .with_context(|| format!("open `{}` to other users", path.display()))?;
    Ok(listener)
}

async fn bind(address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("listen on {address} (another node? change [listen] in pathwarden.toml)")
    })
}

/// The one line that says that the node is ready, and where.
fn announce(
    out: &Out,
    socket: &Path,
    api: &TcpListener,
    mcp: &TcpListener,
    models: &TcpListener,
) -> anyhow::Result<()> {
    let (api, mcp, models) = (api.local_addr()?, mcp.local_addr()?, models.local_addr()?);
    if out.is_json() {
        let ready = serde_json::json!({ "ready": true, "socket": socket, "api": api, "mcp": mcp, "models": models });
        out.line(ready);
    } else {
        out.line(format!(
            "ready: socket {}, api http://{api}, mcp http://{mcp}/mcp/NAME, models http://{models}/NAME",
            socket.display()
        ));
    }
    Ok(())
}

/// Done when this process is asked to end; listens from the call on.
pub(crate) fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let listen = |kind| signal(kind).context("listen for signals");
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Loads the policy when its folder changes, or all of it on SIGHUP. One that does not load changes
/// nothing, and is said once.
async fn reload_on_change(warden: Arc<Warden>, dir: PathBuf, settings: Settings) {
    let Ok(mut hang_up) = signal(SignalKind::hangup()) else { return };
    let mut ticks = tokio::time::interval(Duration::from_millis(POLICY_POLL_MS));
    let mut seen = stamp(&dir);
    loop {
        let reloaded = tokio::select! {
            _ = ticks.tick() => {
                let now = stamp(&dir);
                if now == seen {
                    continue;
                }
                seen = now;
                let changes = |current: &Snapshot| {
                    snapshot::load_changes(&dir, settings.clone(), current)
                        .map_err(|error| format!("{error:#}"))
                };
                warden.reload_with(changes).await
            }
            _ = hang_up.recv() => warden.reload_policy().await,
        };
        if let Err(fault) = reloaded {
            tracing::debug!(%fault, "the reload was refused");
        }
    }
}

/// Names, lengths and times of the files of a policy. Profiles are left out: they wait for a person.
fn stamp(dir: &Path) -> Vec<(PathBuf, u64, Option<SystemTime>)> {
    let mut files = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = fs::metadata(entry.path()) else { continue };
            if !metadata.is_dir() {
                files.push((entry.path(), metadata.len(), metadata.modified().ok()));
            } else if is_watched(&entry.path(), dir) {
                folders.push(entry.path());
            }
        }
    }
    files.sort();
    files
}

/// The folder of threat lists, and the folders in it.
fn is_watched(folder: &Path, dir: &Path) -> bool {
    let lists = dir.join(snapshot::LISTS);
    folder == lists || folder.parent() == Some(&lists)
}
