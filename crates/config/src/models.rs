//! Providers of models that the gateway reaches.

use pathwarden_decide::ServerSettings;

use crate::gateway::is_loopback;
use crate::section::Section;
use crate::{CallLimits, Config, LOCAL};

/// A provider of models.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ModelProvider {
    /// Whose API it speaks.
    pub api: ModelApi,
    /// Where, without the version in the path.
    pub url: String,
    /// The environment variable with its key; without one, agents send their own.
    pub key_env: Option<String>,
    /// Limits of calls.
    pub calls: CallLimits,
}

/// The ways of calling models that are known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ModelApi {
    /// That of OpenAI, and of what speaks as it does.
    OpenAi,
    /// That of Anthropic.
    Anthropic,
    /// That of Google.
    Gemini,
}

impl ModelApi {
    fn named(name: &str) -> Option<Self> {
        match name {
            "openai" => Some(Self::OpenAi),
            "anthropic" => Some(Self::Anthropic),
            "gemini" => Some(Self::Gemini),
            _ => None,
        }
    }

    /// The address of the company whose API it is, and the name by which it is known.
    const fn known(self) -> (&'static str, &'static str) {
        match self {
            Self::OpenAi => ("openai", "https://api.openai.com"),
            Self::Anthropic => ("anthropic", "https://api.anthropic.com"),
            Self::Gemini => ("gemini", "https://generativelanguage.googleapis.com"),
        }
    }
}

/// Reads `[models.NAME]`.
pub(crate) fn read(root: &mut Section<'_>, config: &mut Config) {
    root.each("models", |name, model| {
        let api = model.text("api", name.as_str());
        let inside = model.flag("inside", false);
        let key_env = model.optional_text("key_env");
        let url = model.optional_text("url");
        let calls = crate::gateway::read_calls(model, CallLimits::default());
        let Some(api) = ModelApi::named(&api) else {
            model.fault("api", &format!("`{api}` is no API"), "use openai, anthropic or gemini");
            return;
        };
        let (known_by, known_at) = api.known();
        // Windows for a model of one's own must not end up at a company by an oversight.
        if url.is_none() && name.as_str() != known_by {
            model.fault("url", "it is missing", "give the provider's address, without `/v1`");
        }
        let url = url.unwrap_or_else(|| known_at.to_owned());
        let is_plain = url.starts_with("http://") || url.starts_with("https://");
        if !is_plain || url.contains(['@', '?', '#']) {
            // It is not shown: a password may be in it.
            let message = "this is not a plain http:// or https:// URL";
            model.fault("url", message, "write it as `https://host:port`");
        } else if url.trim_end_matches('/').ends_with("/v1") {
            let advice = "leave `/v1` away: clients send it";
            model.fault("url", &format!("`{url}` has the version in it"), advice);
        } else if url.starts_with("http://") && !is_loopback(&url) {
            let advice = "use https://, so that windows and keys are not sent in clear";
            model.fault("url", &format!("`{url}` is not encrypted"), advice);
        }
        if name.as_str() == LOCAL {
            let message = "`local` is the name for the tools that agents run themselves";
            return model.fault("api", message, "give the provider another name");
        }
        if config.settings.servers.contains_key(&name) {
            let message = "a server has this name already";
            model.fault("api", message, "give the provider another name");
        }
        let settings = ServerSettings { inside, ..ServerSettings::default() };
        config.settings.servers.insert(name.clone(), settings);
        config.models.insert(name, ModelProvider { api, url, key_env, calls });
    });
}
