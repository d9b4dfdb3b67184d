//! Which API a path belongs to.

use super::conversation::Api;
use super::gemini::Framing;

/// What a request is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Route {
    /// An answer of the model.
    Generate(Generate),
    /// The number of tokens of a request.
    Count(Api),
    /// The list of models.
    Models(Api),
    /// Whether anything is here.
    Root,
    /// Nothing that we have.
    Unknown,
}

/// How an answer is asked for, as far as the path says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Generate {
    Chat,
    Responses,
    Messages,
    Gemini { model: String, stream: Option<Framing> },
}

impl Route {
    /// Reads a request line.
    pub(super) fn of(method: &str, path: &str, query: &str) -> Self {
        match (method, path) {
            ("POST", "/v1/chat/completions") => Self::Generate(Generate::Chat),
            ("POST", "/v1/responses") => Self::Generate(Generate::Responses),
            ("POST", "/v1/messages") => Self::Generate(Generate::Messages),
            ("POST", "/v1/messages/count_tokens") => Self::Count(Api::Messages),
            ("POST", path) => Self::of_gemini(path, query).unwrap_or(Self::Unknown),
            ("GET", "/v1/models") => Self::Models(Api::Chat),
            ("GET", "/v1beta/models") => Self::Models(Api::Gemini),
            ("GET" | "HEAD", "" | "/") => Self::Root,
            _ => Self::Unknown,
        }
    }

    fn of_gemini(path: &str, query: &str) -> Option<Self> {
        let (model, verb) = path.strip_prefix("/v1beta/models/")?.split_once(':')?;
        let framing = if query.split('&').any(|pair| pair == "alt=sse") {
            Framing::Sse
        } else {
            Framing::Array
        };
        let stream = match verb {
            "generateContent" => None,
            "streamGenerateContent" => Some(framing),
            "countTokens" => return Some(Self::Count(Api::Gemini)),
            _ => return None,
        };
        Some(Self::Generate(Generate::Gemini { model: model.to_owned(), stream }))
    }
}

impl Generate {
    pub(super) const fn api(&self) -> Api {
        match self {
            Self::Chat => Api::Chat,
            Self::Responses => Api::Responses,
            Self::Messages => Api::Messages,
            Self::Gemini { .. } => Api::Gemini,
        }
    }
}
