//! The gateway of a node: what it reaches, and who may come in.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use pathwarden_config::{Auth, CallLimits, Config, ModelApi, ModelProvider, Upstream};
use pathwarden_lens_llm::Provider;
use pathwarden_oauth::{KeySource, Rules, TokenError, Verifier};
use pathwarden_pep_llm as llm;
use pathwarden_pep_mcp::{Limits, http};
use pathwarden_types::Name;
use pathwarden_warden::{Caller, Door, Role, Warden};
use pathwarden_wire::{Fault, FaultKind, ModelPdp, Pdp};

use crate::home::Home;

/// The gateway as the configuration wants it.
pub(crate) fn of(
    warden: &Arc<Warden>,
    config: &Config,
    home: &Home,
) -> anyhow::Result<http::Gateway> {
    let mut upstreams = BTreeMap::new();
    for (name, upstream) in &config.upstreams {
        let reached = reach(upstream).with_context(|| format!("use servers.{name}.url"))?;
        upstreams.insert(name.clone(), reached);
    }
    let resource = config.auth.as_ref().map(|auth| http::Resource {
        base: auth.resource.clone(),
        issuer: auth.issuer.clone(),
        scopes: auth.scopes.iter().cloned().collect(),
    });
    let callers = Callers::new(warden, config, home);
    let intrusion = Arc::clone(warden);
    Ok(http::Gateway {
        upstreams,
        endpoints: config.endpoints.clone(),
        admit: Arc::new(move |token, path| {
            let door = callers.door(token, path);
            Box::pin(async move { Ok(Arc::new(door.await?) as Arc<dyn Pdp>) })
        }),
        intrusion: Arc::new(move |finding| intrusion.note_intrusion(finding)),
        resource,
        limits: Limits::default(),
        allowed_hosts: config.allowed_hosts.clone(),
        allowed_origins: config.allowed_origins.clone(),
    })
}

fn reach(upstream: &Upstream) -> anyhow::Result<http::Upstream> {
    let Upstream { url, token_env, calls, tools } = upstream;
    let token = token_env.as_deref().map(|name| secret("token_env", name)).transpose()?;
    let limits = |limits: &CallLimits| http::CallLimits {
        answer: Duration::from_millis(limits.answer_ms),
        concurrent_max: limits.concurrent_max,
    };
    let tools = tools.iter().map(|(tool, own)| (tool.clone(), limits(own))).collect();
    Ok(http::Upstream::new(url, token.as_deref(), limits(calls), tools)?)
}

/// The gateway before models, as the configuration wants it.
pub(crate) fn of_models(
    warden: &Arc<Warden>,
    config: &Config,
    home: &Home,
) -> anyhow::Result<llm::Gateway> {
    let mut upstreams = BTreeMap::new();
    for (name, provider) in &config.models {
        let reached = reach_models(provider).with_context(|| format!("use models.{name}"))?;
        upstreams.insert(name.clone(), reached);
    }
    let callers = Callers::new(warden, config, home);
    let intrusion = Arc::clone(warden);
    Ok(llm::Gateway {
        upstreams,
        admit: Arc::new(move |token, path| {
            let door = callers.door(token, path);
            Box::pin(async move { Ok(Arc::new(door.await?) as Arc<dyn ModelPdp>) })
        }),
        intrusion: Arc::new(move |finding| intrusion.note_intrusion(finding)),
        limits: llm::Limits::default(),
        allowed_hosts: config.allowed_hosts.clone(),
        allowed_origins: config.allowed_origins.clone(),
    })
}

fn reach_models(provider: &ModelProvider) -> anyhow::Result<llm::Upstream> {
    let ModelProvider { api, url, key_env, calls } = provider;
    let api = match api {
        ModelApi::OpenAi => Provider::OpenAi,
        ModelApi::Anthropic => Provider::Anthropic,
        ModelApi::Gemini => Provider::Gemini,
    };
    let key = key_env.as_deref().map(|name| secret("key_env", name)).transpose()?;
    let answer = Duration::from_millis(calls.answer_ms);
    Ok(llm::Upstream::new(api, url, key.as_deref(), answer, calls.concurrent_max)?)
}

/// What the environment of the node keeps secret.
fn secret(key: &str, variable: &str) -> anyhow::Result<String> {
    std::env::var(variable).map_err(|_| {
        anyhow!(
            "`{key}` names the variable `{variable}`, which is not set; set it in the environment of \
             `pathwarden up`, or remove `{key}`"
        )
    })
}

/// Who may come in: the bearer of a token of this node, or of one of the configured issuer; with no token,
/// whom the operator lets.
#[derive(Clone)]
struct Callers {
    warden: Arc<Warden>,
    anonymous: Option<Name>,
    vouching: Option<Arc<Vouching>>,
}

impl Callers {
    fn new(warden: &Arc<Warden>, config: &Config, home: &Home) -> Self {
        Self {
            warden: Arc::clone(warden),
            anonymous: config.anonymous_agent.clone(),
            vouching: config.auth.as_ref().map(|auth| Arc::new(Vouching::new(auth, home.dir()))),
        }
    }

    /// The decision point as the bearer of this token reaches it.
    fn door(
        &self,
        token: Option<&str>,
        path: &str,
    ) -> impl Future<Output = Result<Door, Fault>> + Send + use<> {
        let callers = self.clone();
        let (token, path) = (token.map(str::to_owned), path.to_owned());
        async move {
            let Self { warden, anonymous, vouching } = callers;
            let caller = match (token, anonymous, vouching) {
                (None, Some(agent), _) => warden.vouched(agent, "anonymous"),
                (None, None, _) => return Err(no_token()),
                (Some(token), _, Some(vouching)) if is_jwt(&token) => {
                    vouching.caller(&warden, &token, &path).await?
                }
                (Some(token), ..) => warden.authenticate(&token)?,
            };
            door(&warden, caller)
        }
    }
}

fn door(warden: &Arc<Warden>, caller: Caller) -> Result<Door, Fault> {
    if caller.role == Role::Agent {
        return Ok(warden.door(caller));
    }
    let advice = "use an agent's token: `pathwarden session start` prints one";
    Err(Fault::new(FaultKind::Forbidden, "only an agent's token may act", advice))
}

/// A token of ours begins with a word; a JSON Web Token with its header.
fn is_jwt(token: &str) -> bool {
    token.starts_with("ey")
}

fn no_token() -> Fault {
    Fault::new(
        FaultKind::Unauthenticated,
        "no bearer token",
        "send `Authorization: Bearer <token>` with the agent's token",
    )
}

/// An authorization server that says who callers are.
struct Vouching {
    verifier: Verifier,
    agents: BTreeMap<String, Name>,
}

impl Vouching {
    fn new(auth: &Auth, home: &Path) -> Self {
        let keys = auth.keys.as_ref().map(|keys| {
            if keys.starts_with("http://") || keys.starts_with("https://") {
                KeySource::Url(keys.clone())
            } else {
                KeySource::File(home.join(keys))
            }
        });
        let verifier = Verifier::new(Rules {
            issuer: auth.issuer.clone(),
            resource: auth.resource.clone(),
            claim: auth.agent_claim.clone(),
            scopes: auth.scopes.clone(),
            keys,
        });
        Self { verifier, agents: auth.agents.clone() }
    }

    async fn caller(&self, warden: &Warden, token: &str, path: &str) -> Result<Caller, Fault> {
        let who = self.verifier.check(token, path).await.map_err(|error| not_taken(&error))?;
        let agent = self.agents.get(&who).ok_or_else(|| {
            let advice = "an operator can add it to [auth.agents]";
            Fault::new(FaultKind::Forbidden, "nobody is known by this token's claim", advice)
        })?;
        Ok(warden.vouched(agent.clone(), token))
    }
}

fn not_taken(error: &TokenError) -> Fault {
    match error {
        TokenError::Scope(_) => {
            Fault::new(FaultKind::Forbidden, error.to_string(), "ask for a token with it")
        }
        TokenError::Keys(source) => {
            tracing::error!(error = %source, "nobody can come in by a token of the issuer");
            Fault::new(FaultKind::Unreachable, error.to_string(), "try again later")
        }
        _ => Fault::new(FaultKind::Unauthenticated, error.to_string(), "get a new one"),
    }
}
