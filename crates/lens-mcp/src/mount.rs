//! Several servers behind one endpoint: their names stand before what they offer.

use std::ops::Range;

use pathwarden_json::{Json, Kind, push_string};
use pathwarden_types::Name;

use crate::message::{Body, Message};
use pathwarden_json::edit::{splice, without_members};

/// What stands between the name of a server and the name of its tool or prompt.
pub const SEPARATOR: &str = "__";

/// What stands between the name of a server and the URI of its resource: legal in a scheme (RFC 3986
/// section 3.1), so that what comes out is a URI.
const URI_SEPARATOR: char = '+';

/// The servers of one endpoint.
#[derive(Clone, Debug)]
pub struct Mounts {
    servers: Vec<Name>,
}

/// Where a message of the client goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Share {
    /// To one server, in these bytes; `Mcp-Name` is then this.
    One(Name, Vec<u8>, Option<String>),
    /// To each of them.
    Each,
    /// To none: it is answered here.
    Here,
}

/// Why a message goes nowhere.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MountFault {
    /// No server is named.
    #[error("`{0}` does not begin with the name of a server of this endpoint")]
    NoServer(String),
    /// Cannot be told apart behind one endpoint.
    #[error("this method is not offered by an endpoint of several servers; use the server's own")]
    NotHere,
}

impl Mounts {
    /// The servers of an endpoint.
    #[must_use]
    pub const fn new(servers: Vec<Name>) -> Self {
        Self { servers }
    }

    /// The servers, in order.
    #[must_use]
    pub fn servers(&self) -> &[Name] {
        &self.servers
    }

    fn named<'a>(&self, outer: &'a str) -> Option<(&Name, &'a str)> {
        let (server, inner) = outer.split_once(SEPARATOR)?;
        let found = self.servers.iter().find(|name| name.as_str() == server)?;
        (!inner.is_empty()).then_some((found, inner))
    }

    fn located<'a>(&self, outer: &'a str) -> Option<(&Name, &'a str)> {
        let (scheme, inner) = outer.split_once(URI_SEPARATOR)?;
        let found = self.servers.iter().find(|name| scheme_of(name) == scheme)?;
        (!inner.is_empty()).then_some((found, inner))
    }

    /// Where a request or a reply of the client goes.
    ///
    /// # Errors
    ///
    /// [`MountFault`].
    pub fn share(&self, message: &Message) -> Result<Share, MountFault> {
        match message.body() {
            Body::Request { method, .. } => self.share_request(message, method),
            Body::Notification { .. } => Ok(Share::Each),
            Body::Response { .. } => self.share_reply(message),
        }
    }

    fn share_request(&self, message: &Message, method: &str) -> Result<Share, MountFault> {
        let to = |member: Option<Json<'_>>, find: Find| {
            let outer = member.and_then(Json::string).unwrap_or_default().into_owned();
            let found = match find {
                Find::Name => self.named(&outer),
                Find::Uri => self.located(&outer),
            };
            let no_server = || MountFault::NoServer(outer.clone());
            let (server, inner) = found.ok_or_else(no_server)?;
            let span = member.map(Json::span).ok_or_else(no_server)?;
            let bytes = splice(message.text(), vec![(span, quoted(inner))]);
            Ok(Share::One(server.clone(), bytes, Some(inner.to_owned())))
        };
        let reference = || message.param("ref");
        match method {
            "tools/call" | "prompts/get" => to(message.param("name"), Find::Name),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
                to(message.param("uri"), Find::Uri)
            }
            "completion/complete" => match reference().and_then(|of| of.member("name")) {
                Some(name) => to(Some(name), Find::Name),
                None => to(reference().and_then(|of| of.member("uri")), Find::Uri),
            },
            "ping" => Ok(Share::Here),
            method if method.starts_with("tasks/") => Err(MountFault::NotHere),
            _ => Ok(Share::Each),
        }
    }

    /// The id of a server's request names the server: see [`Mounts::outward`].
    fn share_reply(&self, message: &Message) -> Result<Share, MountFault> {
        let id = message.member("id");
        let text = id.and_then(Json::string).unwrap_or_default().into_owned();
        let found = text.split_once(':').and_then(|(server, inner)| {
            let server = self.servers.iter().find(|name| name.as_str() == server)?;
            Json::parse(inner.as_bytes()).ok()?;
            Some((server.clone(), inner.to_owned()))
        });
        let (Some((server, inner)), Some(id)) = (found, id) else {
            return Err(MountFault::NoServer(text));
        };
        Ok(Share::One(server, splice(message.text(), vec![(id.span(), inner)]), None))
    }

    /// A message of a server as the client is to see it: URIs that it may come back with, and the ids of
    /// requests, begin with the server's name.
    #[must_use]
    pub fn outward(server: &Name, message: &Message) -> Vec<u8> {
        let mut parts = Vec::new();
        match message.body() {
            Body::Request { .. } => parts.extend(
                message
                    .member("id")
                    .map(|id| (id.span(), quoted(&format!("{server}:{}", id.text())))),
            ),
            Body::Notification { .. } => parts.extend(uri(server, message.member("params"))),
            Body::Response { .. } => {
                let result = message.member("result");
                let list =
                    |name| result.and_then(|r| r.member(name)).into_iter().flat_map(Json::items);
                for item in list("content").chain(list("contents")) {
                    parts.extend(uris(server, item));
                }
                for message in list("messages") {
                    parts.extend(
                        message.member("content").into_iter().flat_map(|c| uris(server, c)),
                    );
                }
            }
        }
        splice(message.text(), parts)
    }

    /// What one server offers in a list, as the client is to see it: the items of the named member.
    #[must_use]
    pub fn items(server: &Name, response: &Message, member: &str) -> Vec<String> {
        let list = response.member("result").and_then(|result| result.member(member));
        let each = list.into_iter().flat_map(Json::items);
        each.map(|item| {
            let names = ["name"].map(|name| item.member(name).filter(|_| !is_resource(member)));
            let places = ["uri", "uriTemplate"].map(|name| item.member(name));
            let named = names.into_iter().flatten().filter_map(|value| {
                Some((value.span(), quoted(&format!("{server}{SEPARATOR}{}", value.string()?))))
            });
            let located = places.into_iter().flatten().filter_map(|value| {
                Some((value.span(), quoted(&located(server, &value.string()?))))
            });
            let base = item.span().start;
            let parts =
                named.chain(located).map(|(span, new)| (span.start - base..span.end - base, new));
            String::from_utf8(splice(item.text(), parts.collect())).unwrap_or_default()
        })
        .collect()
    }
}

#[derive(Clone, Copy)]
enum Find {
    Name,
    Uri,
}

fn is_resource(member: &str) -> bool {
    matches!(member, "resources" | "resourceTemplates")
}

/// The name of a server as the beginning of a scheme.
#[must_use]
pub fn scheme_of(server: &Name) -> String {
    server.as_str().replace('_', "-").to_ascii_lowercase()
}

fn located(server: &Name, uri: &str) -> String {
    format!("{}{URI_SEPARATOR}{uri}", scheme_of(server))
}

type Part = (Range<usize>, String);

fn uri(server: &Name, value: Option<Json<'_>>) -> Option<Part> {
    let uri = value?.member("uri")?;
    Some((uri.span(), quoted(&located(server, &uri.string()?))))
}

/// The URIs of a piece of content: its own, and that of a resource in it.
fn uris(server: &Name, content: Json<'_>) -> Vec<Part> {
    if content.kind() != Kind::Object {
        return Vec::new();
    }
    [uri(server, Some(content)), uri(server, content.member("resource"))]
        .into_iter()
        .flatten()
        .collect()
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

/// A request for the page of a list that a cursor names, in place of the one that it asked for.
#[must_use]
pub fn page(message: &Message, cursor: Option<&str>) -> Vec<u8> {
    let params = message.member("params");
    let mut new = params.map_or_else(|| "{}".to_owned(), |p| without_members(p, &["cursor"]));
    if let Some(cursor) = cursor {
        new.pop();
        if new.len() > 1 {
            new.push(',');
        }
        new.push_str("\"cursor\":");
        push_string(&mut new, cursor);
        new.push('}');
    }
    match params {
        Some(params) => splice(message.text(), vec![(params.span(), new)]),
        None if cursor.is_none() => message.text().as_bytes().to_vec(),
        None => {
            let end = message.value().span().end.saturating_sub(1);
            splice(message.text(), vec![(end..end, format!(",\"params\":{new}"))])
        }
    }
}
