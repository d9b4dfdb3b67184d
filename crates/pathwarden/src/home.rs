//! The home folder of a node.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, anyhow, bail};
use pathwarden_client::{Client, Endpoint};
use pathwarden_config::Config;
use pathwarden_ledger::{Signer, VerifierKey};
use pathwarden_types::Name;
use pathwarden_warden::TokenKey;

use crate::accounts::Account;
use crate::cli::At;
use crate::snapshot::PROFILES;

/// Where everything of a node is.
pub(crate) struct Home {
    dir: PathBuf,
}

impl Home {
    /// The home that was named, or the one below the user's.
    pub(crate) fn new(at: &At) -> anyhow::Result<Self> {
        let dir = match &at.home {
            Some(dir) => dir.clone(),
            None => std::env::home_dir()
                .filter(|dir| !dir.as_os_str().is_empty())
                .ok_or_else(|| anyhow!("there is no home folder; name one with --home"))?
                .join(".pathwarden"),
        };
        Ok(Self { dir: std::path::absolute(dir)? })
    }

    /// Whether somebody has made this home.
    pub(crate) fn is_made(&self) -> io::Result<bool> {
        Ok(self.config_file().try_exists()? || self.ledger().try_exists()?)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.dir.join("pathwarden.toml")
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.dir.join("ledger")
    }

    pub(crate) fn signing_key(&self) -> PathBuf {
        self.dir.join("keys/ledger.key")
    }

    pub(crate) fn verifier_key(&self) -> PathBuf {
        self.dir.join("keys/ledger.vkey")
    }

    pub(crate) fn token_key(&self) -> PathBuf {
        self.dir.join("keys/token.key")
    }

    pub(crate) fn token(&self, role: &str) -> PathBuf {
        self.dir.join("tokens").join(role)
    }

    /// A path in the configuration: relative ones are below the home.
    pub(crate) fn below(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    /// Where an agent's profile is. Its name must be fit to be a file's.
    pub(crate) fn profile(&self, agent: &Name) -> anyhow::Result<PathBuf> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
        let name = agent.as_str();
        if name.starts_with('.') || !name.chars().all(is_plain) {
            bail!(
                "`{name}` is no name for a file; name one with --out and put it beside the policy"
            );
        }
        Ok(self.below(&self.config()?.policy_dir).join(PROFILES).join(format!("{name}.json")))
    }

    /// The checked configuration.
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        let path = self.config_file();
        let text = self.text(&path)?;
        Config::parse(&text).map_err(|faults| anyhow!("`{}` has faults:\n{faults}", path.display()))
    }

    /// The key that checkpoints must be signed with.
    pub(crate) fn load_verifier_key(&self) -> anyhow::Result<VerifierKey> {
        let path = self.verifier_key();
        let text = self.text(&path)?;
        VerifierKey::from_str(text.trim())
            .with_context(|| format!("read the verifier key `{}`", path.display()))
    }

    /// The key that signs checkpoints.
    pub(crate) fn load_signer(&self, name: &str) -> anyhow::Result<Signer> {
        let path = self.signing_key();
        let der = self.bytes(&path)?;
        Signer::from_pkcs8(name, &der)
            .with_context(|| format!("read the signing key `{}`", path.display()))
    }

    /// The key that makes and checks tokens.
    pub(crate) fn load_token_key(&self) -> anyhow::Result<TokenKey> {
        let path = self.token_key();
        let secret = self.bytes(&path)?;
        match <[u8; TokenKey::BYTES]>::try_from(secret.as_slice()) {
            Ok(secret) => Ok(TokenKey::new(&secret)),
            Err(_) => {
                bail!("`{}` does not hold a key of {} bytes", path.display(), TokenKey::BYTES)
            }
        }
    }

    /// Where the node listens.
    pub(crate) fn endpoint(&self, at: &At) -> anyhow::Result<Endpoint> {
        match &at.endpoint {
            Some(text) => Ok(text.parse()?),
            None => {
                let socket = self.config().map(|config| config.socket);
                Ok(Endpoint::Socket(
                    self.below(&socket.unwrap_or_else(|_| DEFAULT_SOCKET.to_owned())),
                ))
            }
        }
    }

    fn text(&self, path: &Path) -> anyhow::Result<String> {
        fs::read_to_string(path).map_err(|error| self.unread(path, error))
    }

    fn bytes(&self, path: &Path) -> anyhow::Result<Vec<u8>> {
        fs::read(path).map_err(|error| self.unread(path, error))
    }

    /// Why a file of the home could not be read, and what to do about it.
    fn unread(&self, path: &Path, error: io::Error) -> anyhow::Error {
        let advice = match (error.kind(), self.is_made()) {
            (io::ErrorKind::PermissionDenied, _) if path.starts_with(self.below("tokens")) => {
                " (only its owner may: be that user, or set PATHWARDEN_TOKEN to a token of yours)"
            }
            (io::ErrorKind::PermissionDenied, _) => {
                " (only its owner may: be that user, or name another home with --home)"
            }
            (io::ErrorKind::NotFound, Ok(true)) => {
                " (the home is not whole: restore it from a copy)"
            }
            (io::ErrorKind::NotFound, _) => " (make a home with `pathwarden init`)",
            _ => "",
        };
        anyhow!(error).context(format!("read `{}`{advice}", path.display()))
    }
}

/// Where a node listens when its configuration cannot be read by this user.
const DEFAULT_SOCKET: &str = "run/pathwarden.sock";

/// A client with the token that was named, or the operator's.
pub(crate) fn client(at: &At) -> anyhow::Result<Client> {
    let home = Home::new(at)?;
    let token = match &at.token {
        Some(token) => token.clone(),
        None => home.text(&home.token("operator"))?,
    };
    Ok(Client::new(home.endpoint(at)?, token.trim().to_owned()))
}

/// The person at the keyboard.
pub(crate) fn person(named: Option<Name>) -> anyhow::Result<Name> {
    let login = || ["USER", "LOGNAME"].iter().find_map(|key| std::env::var(key).ok()?.parse().ok());
    let account = || {
        let account = Account::of(rustix::process::getuid().as_raw());
        account.ok().and_then(|account| account.name.parse().ok())
    };
    match named.or_else(login).or_else(account) {
        Some(name) => Ok(name),
        None => Ok("operator".parse()?),
    }
}
