//! Bodies in and out, and who asks.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use pathwarden_warden::{Caller, Role, Warden};
use pathwarden_wire::{Fault, FaultKind, Reach};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

/// Who may call a route.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Allowed {
    /// Anybody who can reach the node; tells nothing about anybody's work.
    Anyone,
    /// Agents, to act.
    Agents,
    /// Auditors and operators, to read.
    Readers,
    /// Operators, to change something.
    Operators,
}

impl Allowed {
    fn admits(self, role: Role) -> bool {
        match self {
            Self::Anyone => true,
            Self::Agents => role == Role::Agent,
            Self::Readers => matches!(role, Role::Auditor | Role::Operator),
            Self::Operators => role == Role::Operator,
        }
    }

    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Agents => "agents",
            Self::Readers => "auditors and operators",
            Self::Operators => "operators",
        }
    }
}

/// The caller of a request, when the route is for such callers.
///
/// # Errors
///
/// 401 without a token of this node, 403 when the role may not call the route, or when a browser
/// page asks.
pub(crate) fn admit(
    warden: &Warden,
    headers: &HeaderMap,
    allowed: Allowed,
) -> Result<Caller, Fault> {
    refuse_browsers(headers)?;
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    let caller = warden.authenticate(token.trim())?;
    if caller.reach == Reach::Gateways {
        let advice = "act through the gateway: http://ADDRESS/mcp/NAME";
        return Err(Fault::new(FaultKind::Forbidden, "this token is for gateways alone", advice));
    }
    if allowed.admits(caller.role) {
        return Ok(caller);
    }
    let message = format!("the role `{}` may not do this", caller.role);
    let advice = match caller.role {
        Role::Agent => format!(
            "this is for {}; if you are one, unset PATHWARDEN_TOKEN, which holds an agent's token",
            allowed.in_words()
        ),
        Role::Auditor | Role::Operator => format!("this is for {}", allowed.in_words()),
    };
    Err(Fault::new(FaultKind::Forbidden, message, advice))
}

/// A page in a browser has no business here: neither as another origin, nor by a name that it made
/// point to this machine.
fn refuse_browsers(headers: &HeaderMap) -> Result<(), Fault> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_ours =
        name == "localhost" || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
    if is_ours && !headers.contains_key(ORIGIN) {
        return Ok(());
    }
    let advice = "call it from a program on this machine, by its address";
    Err(Fault::new(FaultKind::Forbidden, "a browser page may not call this", advice))
}

/// An answer: a body, or a fault with its status.
pub(crate) struct Reply<T>(pub(crate) Result<T, Fault>);

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        match self.0 {
            Ok(body) => axum::Json(body).into_response(),
            Err(fault) => {
                let status = StatusCode::from_u16(fault.kind.status())
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut response = (status, axum::Json(&fault)).into_response();
                if status == StatusCode::UNAUTHORIZED {
                    let bearer = axum::http::HeaderValue::from_static("Bearer");
                    response.headers_mut().insert("www-authenticate", bearer);
                }
                response
            }
        }
    }
}

/// A JSON body; one that does not fit says where and why.
pub(crate) async fn body<T: DeserializeOwned>(request: Request) -> Result<T, Fault> {
    let reading = timeout(crate::BODY_TIMEOUT, Bytes::from_request(request, &()));
    let bytes = reading.await.map_err(|_| {
        let message = format!("the body did not come within {} s", crate::BODY_TIMEOUT.as_secs());
        Fault::new(FaultKind::Malformed, message, "send it at once")
    })?;
    let bytes = bytes.map_err(|_| {
        let message = format!("the body is longer than {} bytes", crate::BODY_BYTES_MAX);
        Fault::new(FaultKind::TooMuch, message, "send less at a time")
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("the body does not fit: {error}");
        Fault::new(FaultKind::Malformed, message, "see /v1/openapi.json for its shape")
    })
}

/// The one parameter in a path, parsed.
pub(crate) async fn parameter<T: std::str::FromStr>(parts: &mut Parts) -> Result<T, Fault> {
    let Path(text) = Path::<String>::from_request_parts(parts, &()).await.map_err(|_| no_id(""))?;
    text.parse().map_err(|_| no_id(&text))
}

fn no_id(text: &str) -> Fault {
    let text: String = text.chars().take(64).collect();
    Fault::new(FaultKind::Malformed, format!("`{text}` is no id"), "copy the id from a list")
}

/// What a handler gets.
pub(crate) struct Exchange {
    pub(crate) warden: Arc<Warden>,
    pub(crate) caller: Option<Caller>,
    pub(crate) request: Request,
}

impl Exchange {
    /// The caller, on routes that have one.
    pub(crate) fn caller(&self) -> Result<Caller, Fault> {
        let absent = || Fault::new(FaultKind::Unauthenticated, "no token", "send a bearer token");
        self.caller.clone().ok_or_else(absent)
    }

    /// The path's parameter and the rest.
    pub(crate) async fn parameter<T: std::str::FromStr>(self) -> Result<(Self, T), Fault> {
        let (mut parts, body) = self.request.into_parts();
        let parameter = parameter(&mut parts).await?;
        Ok((Self { request: Request::from_parts(parts, body), ..self }, parameter))
    }

    /// A number in the query; 0 when absent.
    pub(crate) fn number(&self, name: &str) -> u64 {
        self.query(name).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// A text in the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let query = self.request.uri().query()?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The body.
    pub(crate) async fn body<T: DeserializeOwned>(self) -> Result<T, Fault> {
        body(self.request).await
    }
}
