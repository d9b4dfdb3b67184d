//! Providers of models that the gateway reaches.

use pathwarden_decide::ServerSettings;

use crate::gateway::is_loopback;
use crate::section::Section;
use crate::{CallLimits, Config};

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

    const fn url(self) -> &'static str {
        match self {
            Self::OpenAi => "https://api.openai.com",
            Self::Anthropic => "https://api.anthropic.com",
            Self::Gemini => "https://generativelanguage.googleapis.com",
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
        let url = url.unwrap_or_else(|| api.url().to_owned());
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let message = format!("`{url}` is not an http:// or https:// URL");
            model.fault("url", &message, "give the provider's address, without `/v1`");
        } else if url.starts_with("http://") && !is_loopback(&url) {
            let advice = "use https://, so that windows and keys are not sent in clear";
            model.fault("url", &format!("`{url}` is not encrypted"), advice);
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
