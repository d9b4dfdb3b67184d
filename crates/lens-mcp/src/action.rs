//! What a request attempts.

use pathwarden_types::{ActionId, Digest, Name, Operation, OperationKind};

use crate::message::{Body, Message};
use crate::rewrite::Root;
use pathwarden_json::edit::without_members;
use pathwarden_json::{Json, JsonFault, Kind, canonical};

/// What a request attempts, as it is put to the decision point.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Intent {
    /// What it attempts.
    pub operation: Operation,
    /// JSON text of an object: `params.arguments` of a tool call as it was spelled; `{"uri":…}` for a
    /// resource; `{"name":…,"arguments":…}` for a prompt; for a completion the whole of `params`
    /// without `_meta`.
    pub arguments: String,
    /// Digest of the canonical form of the arguments.
    pub canonical: Digest,
    /// The action that caused it, from `params._meta.traceparent`.
    pub parent: Option<ActionId>,
    /// Where pointers into the arguments start in the message.
    pub root: Root,
}

/// Why it cannot be told what a request attempts.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IntentFault {
    /// Not a method that is decided.
    #[error("`{0}` is not decided")]
    Method(String),
    /// A parameter that the method needs is missing, or of another kind.
    #[error("`{method}` needs {expected} as `params.{name}`")]
    Parameter {
        /// The method.
        method: String,
        /// The parameter.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// More than [`Intent::RESOURCES_MAX`].
    #[error("at most {} resources may be named at once", Intent::RESOURCES_MAX)]
    TooMany,
    /// Longer than [`Intent::NAME_BYTES_MAX`].
    #[error("a name or URI may not be longer than {} bytes", Intent::NAME_BYTES_MAX)]
    TooLong,
    /// Cannot happen for a parsed message; not hidden.
    #[error("the arguments could not be read again: {0}")]
    Arguments(JsonFault),
}

impl Intent {
    /// The longest name of a tool or prompt, or URI of a resource, in bytes.
    pub const NAME_BYTES_MAX: usize = 8 << 10;
    /// The most resources that one subscription may name.
    pub const RESOURCES_MAX: usize = 64;

    /// Everything that the request attempts at `server`, what is least harmful first: what it answers to
    /// a server that asked, then what it calls. Nothing for a subscription that names no resource.
    ///
    /// # Errors
    ///
    /// [`IntentFault`]; to be answered with the JSON-RPC code -32602 (invalid params).
    pub fn all_of(message: &Message, server: &Name) -> Result<Vec<Self>, IntentFault> {
        let Body::Request { method, .. } = message.body() else {
            return Err(IntentFault::Method("not a request".to_owned()));
        };
        let mut intents: Vec<Self> = Self::of_responses(message, server)?.into_iter().collect();
        match method.as_str() {
            "tasks/update" => {}
            "subscriptions/listen" => {
                intents.extend(Params { method, message }.subscriptions(server)?);
            }
            _ => intents.push(Self::of(message, server)?),
        }
        Ok(intents)
    }

    /// What the client answers to a server that asked inside a result.
    fn of_responses(message: &Message, server: &Name) -> Result<Option<Self>, IntentFault> {
        let Some(responses) = message.param("inputResponses") else { return Ok(None) };
        let arguments = format!("{{\"inputResponses\":{}}}", responses.text());
        Self::new(reply_at(server), arguments, Root::Params, message).map(Some)
    }

    /// What the client answers to a request of the server; `None` when it says nothing.
    ///
    /// # Errors
    ///
    /// As [`Intent::all_of`].
    pub fn of_reply(reply: &Message, server: &Name) -> Result<Option<Self>, IntentFault> {
        let is_empty = |value: Json<'_>| value.members().next().is_none();
        let (name, value) = match (reply.member("result"), reply.member("error")) {
            (Some(result), _) if is_empty(result) => return Ok(None),
            (Some(result), _) => ("result", result),
            (None, Some(error)) => ("error", error),
            (None, None) => return Ok(None),
        };
        let arguments = format!("{{\"{name}\":{}}}", value.text());
        Self::new(reply_at(server), arguments, Root::Whole, reply).map(Some)
    }

    /// What a server asks of the client, as a request of its own (legacy) or inside a result: `asked`
    /// is the object with `method` and `params`.
    ///
    /// # Errors
    ///
    /// [`IntentFault::Method`] when it may not ask for this.
    pub fn of_ask(asked: Json<'_>, within: &Message, server: &Name) -> Result<Self, IntentFault> {
        let method = asked.member("method").and_then(Json::string).unwrap_or_default();
        let kind = match method.as_ref() {
            "sampling/createMessage" => OperationKind::Sampling,
            "elicitation/create" => OperationKind::Elicitation,
            "roots/list" => OperationKind::Roots,
            other => return Err(IntentFault::Method(other.to_owned())),
        };
        let params = asked.member("params").filter(|params| params.kind() == Kind::Object);
        let arguments =
            params.map_or_else(|| "{}".to_owned(), |params| without_members(params, &["_meta"]));
        let operation = Operation { kind, server: server.clone(), name: method.into_owned() };
        Self::new(operation, arguments, Root::Whole, within)
    }

    fn new(
        operation: Operation,
        arguments: String,
        root: Root,
        message: &Message,
    ) -> Result<Self, IntentFault> {
        if operation.name.len() > Self::NAME_BYTES_MAX {
            return Err(IntentFault::TooLong);
        }
        let value = Json::parse(arguments.as_bytes()).map_err(IntentFault::Arguments)?;
        let canonical = Digest::of(&canonical(value));
        Ok(Self { operation, arguments, canonical, parent: parent(message), root })
    }

    /// What the request attempts at `server`, but for what it answers to a server that asked.
    ///
    /// # Errors
    ///
    /// As [`Intent::all_of`].
    pub fn of(message: &Message, server: &Name) -> Result<Self, IntentFault> {
        let Body::Request { method, .. } = message.body() else {
            return Err(IntentFault::Method("not a request".to_owned()));
        };
        let params = Params { method, message };
        let (kind, name, arguments) = match method.as_str() {
            "tools/call" => params.tool_call()?,
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
                params.resource()?
            }
            "prompts/get" => params.prompt()?,
            "completion/complete" => params.completion()?,
            _ => return Err(IntentFault::Method(method.clone())),
        };
        let root = if kind == OperationKind::ToolCall { Root::Arguments } else { Root::Params };
        Self::new(Operation { kind, server: server.clone(), name }, arguments, root, message)
    }
}

fn reply_at(server: &Name) -> Operation {
    Operation { kind: OperationKind::Reply, server: server.clone(), name: "reply".to_owned() }
}

/// The parameters of one request.
struct Params<'a> {
    method: &'a str,
    message: &'a Message,
}

impl<'a> Params<'a> {
    fn tool_call(&self) -> Result<(OperationKind, String, String), IntentFault> {
        let name = self.string("name")?.1;
        let arguments = self.arguments()?.to_owned();
        Ok((OperationKind::ToolCall, name, arguments))
    }

    fn resource(&self) -> Result<(OperationKind, String, String), IntentFault> {
        let (text, uri) = self.string("uri")?;
        Ok((OperationKind::ResourceRead, uri, format!("{{\"uri\":{text}}}")))
    }

    fn prompt(&self) -> Result<(OperationKind, String, String), IntentFault> {
        let (text, name) = self.string("name")?;
        let arguments = format!("{{\"name\":{text},\"arguments\":{}}}", self.arguments()?);
        Ok((OperationKind::PromptGet, name, arguments))
    }

    /// A completion is of the kind of what it refers to.
    fn completion(&self) -> Result<(OperationKind, String, String), IntentFault> {
        const EXPECTED: &str = "a `ref/prompt` with a `name` or a `ref/resource` with a `uri`";
        let (kind, name) = self
            .message
            .param("ref")
            .and_then(reference)
            .filter(|(_, name)| !name.is_empty())
            .ok_or_else(|| self.wrong("ref", EXPECTED))?;
        Ok((kind, name, self.all()))
    }

    /// The whole of `params` without `_meta`.
    fn all(&self) -> String {
        let params = self.message.member("params");
        params.map_or_else(|| "{}".to_owned(), |params| without_members(params, &["_meta"]))
    }

    /// One read for each resource that a subscription names.
    fn subscriptions(&self, server: &Name) -> Result<Vec<Intent>, IntentFault> {
        const EXPECTED: &str = "an object with a list of URIs, if any, as `resourceSubscriptions`";
        let wrong = || self.wrong("notifications", EXPECTED);
        let filter = self.message.param("notifications");
        let filter = filter.filter(|filter| filter.kind() == Kind::Object).ok_or_else(wrong)?;
        let Some(list) = filter.member("resourceSubscriptions") else { return Ok(Vec::new()) };
        if list.kind() != Kind::Array {
            return Err(wrong());
        }
        let mut intents = Vec::new();
        for item in list.items() {
            let uri = item.string().filter(|uri| !uri.is_empty()).ok_or_else(wrong)?.into_owned();
            if intents.len() >= Intent::RESOURCES_MAX {
                return Err(IntentFault::TooMany);
            }
            let arguments = format!("{{\"uri\":{}}}", item.text());
            let operation =
                Operation { kind: OperationKind::ResourceRead, server: server.clone(), name: uri };
            intents.push(Intent::new(operation, arguments, Root::Fixed, self.message)?);
        }
        Ok(intents)
    }

    /// A parameter that names something, as text and unescaped.
    fn string(&self, name: &'static str) -> Result<(&'a str, String), IntentFault> {
        let value = self.message.param(name);
        value
            .and_then(|value| Some((value.text(), value.string()?.into_owned())))
            .filter(|(_, string)| !string.is_empty())
            .ok_or_else(|| self.wrong(name, "a string that is not empty"))
    }

    /// The arguments; some clients write `null` for none.
    fn arguments(&self) -> Result<&'a str, IntentFault> {
        match self.message.param("arguments") {
            None => Ok("{}"),
            Some(value) => match value.kind() {
                Kind::Null => Ok("{}"),
                Kind::Object => Ok(value.text()),
                _ => Err(self.wrong("arguments", "an object")),
            },
        }
    }

    fn wrong(&self, name: &'static str, expected: &'static str) -> IntentFault {
        IntentFault::Parameter { method: self.method.to_owned(), name, expected }
    }
}

/// What a completion refers to. A member that we do not know may be what another parser reads, so there
/// is none.
fn reference(value: Json<'_>) -> Option<(OperationKind, String)> {
    let member = |name| value.member(name).and_then(Json::string);
    let (kind, naming, known): (_, _, &[&str]) = match member("type")?.as_ref() {
        "ref/prompt" => (OperationKind::PromptGet, "name", &["type", "name", "title"]),
        "ref/resource" => (OperationKind::ResourceRead, "uri", &["type", "uri"]),
        _ => return None,
    };
    if !value.members().all(|(key, _)| known.contains(&key.as_ref())) {
        return None;
    }
    Some((kind, member(naming)?.into_owned()))
}

/// The span id of `params._meta.traceparent` (W3C Trace Context level 1, section 3.2). It only says
/// where an action came from, so one that cannot be read is none.
fn parent(message: &Message) -> Option<ActionId> {
    let traceparent = message.param("_meta")?.member("traceparent")?.string()?;
    let mut parts = traceparent.split('-');
    let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let known = version.len() == 2 && version != "ff" && hex(version);
    (known && trace.len() == 32 && hex(trace) && parts.next().is_some_and(|flags| flags.len() == 2))
        .then(|| span.parse().ok())
        .flatten()
}
