//! The gateway as an OAuth 2.1 protected resource: where a client learns who issues tokens for it
//! (RFC 9728).

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use pathwarden_json::push_string;

use super::Gateway;
use super::answer::{json, refused};
use pathwarden_pep::Answer;

/// Where the metadata of a resource stands: before its path (RFC 9728 section 3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What the gateway says of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resource {
    /// The gateway as clients call it: scheme, host and port.
    pub base: String,
    /// Who issues tokens for it.
    pub issuer: String,
    /// Scopes that a token must have.
    pub scopes: Vec<String>,
}

impl Resource {
    /// Where the metadata of the endpoint of this path stands.
    pub(super) fn metadata_url(&self, path: &str) -> String {
        let path: String = path.chars().filter(|c| c.is_ascii_graphic() && *c != '"').collect();
        format!("{}{WELL_KNOWN}{path}", self.base)
    }

    fn metadata(&self, path: &str) -> String {
        let mut out = String::from("{\"resource\":");
        push_string(&mut out, &format!("{}{path}", self.base));
        out.push_str(",\"authorization_servers\":[");
        push_string(&mut out, &self.issuer);
        out.push_str("],\"bearer_methods_supported\":[\"header\"],\"scopes_supported\":[");
        for (index, scope) in self.scopes.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            push_string(&mut out, scope);
        }
        out.push_str("]}");
        out
    }
}

/// The answer to a request for metadata, which needs no token; `None` for other requests.
pub(super) fn answer(gateway: &Gateway, request: &Request<Incoming>) -> Option<Response<Answer>> {
    let resource = gateway.resource.as_ref()?;
    let path = request.uri().path().strip_prefix(WELL_KNOWN)?;
    let (hosts, origins) = (&gateway.allowed_hosts, &gateway.allowed_origins);
    if let Err(words) = pathwarden_pep::is_ours(request.uri(), request.headers(), hosts, origins) {
        return Some(refused(StatusCode::FORBIDDEN, words));
    }
    let is_there = path.is_empty() || super::place(gateway, path).is_some();
    Some(match *request.method() {
        Method::GET if is_there => json(StatusCode::OK, resource.metadata(path)),
        Method::GET => refused(StatusCode::NOT_FOUND, "there is no such resource"),
        _ => refused(StatusCode::METHOD_NOT_ALLOWED, "use GET"),
    })
}
