//! Messages from the server.

use pathwarden_lens_mcp::{
    Acknowledged, Body, Id, Intent, Message, MessageFault, Route, Shape, compose,
    server_notification, server_request, tells_task,
};
use pathwarden_types::{FindingKind, ObservationKind};
use pathwarden_wire::Fault;

use super::{Cleared, Exchange};

/// What is done with a message from the server.
pub(crate) enum FromServer {
    /// A response: the transport knows what it answers, and calls [`Exchange::settle`].
    Response(Id, Message),
    /// Goes to the client.
    Pass(Vec<u8>),
    /// Goes to the client: a subscription of it stands.
    Acknowledged(Acknowledged, Vec<u8>),
    /// A request: goes to the client, and its answer is expected.
    Request(Id, Vec<u8>),
    /// Goes back to the server: an answer on the client's behalf.
    Answer(Cleared),
    /// Goes nowhere. Where it seems to answer a request, that one will get no other answer.
    Broken(Option<Id>, String),
}

impl Exchange {
    /// Reads one message of the server, and observes what has to be seen before it is passed on.
    pub(crate) async fn read_server(&self, bytes: Vec<u8>) -> FromServer {
        match Message::parse(bytes, self.limits.message_bytes_max) {
            Ok(message) => self.route_server(message).await,
            Err(fault) => self.broken(&fault).await,
        }
    }

    /// What is done with a message of the server that could not be read.
    pub(crate) async fn broken(&self, fault: &MessageFault) -> FromServer {
        self.observe_malformed(&fault.beginning).await;
        match (&fault.id, fault.shape) {
            (Some(id), Shape::Call) => {
                let bytes = compose::error(Some(id), fault.code(), &fault.to_string());
                FromServer::Answer(Cleared { bytes })
            }
            (id, _) => {
                FromServer::Broken(id.clone(), format!("the answer of the server is {fault}"))
            }
        }
    }

    /// Records a response to nothing that is open.
    pub(crate) async fn observe_unasked(&self, response: &Message) {
        self.observe_malformed(response.text()).await;
    }

    async fn route_server(&self, message: Message) -> FromServer {
        match message.body().clone() {
            Body::Response { id: Some(id), .. } => FromServer::Response(id, message),
            // An error about a request of ours that the server could not read.
            Body::Response { id: None, .. } => {
                self.observe_malformed(message.text()).await;
                FromServer::Pass(message.into_bytes())
            }
            Body::Notification { method } if tells_task(&method) => {
                self.task(message, &method).await
            }
            Body::Notification { method } if server_notification(&method) => {
                match Acknowledged::of(&message) {
                    Some(granted) => FromServer::Acknowledged(granted, message.into_bytes()),
                    None => FromServer::Pass(message.into_bytes()),
                }
            }
            Body::Notification { method } => {
                self.observe_malformed(message.text()).await;
                FromServer::Broken(None, format!("unknown notification `{method}`"))
            }
            Body::Request { id, method } => self.server_request(message, id, &method).await,
        }
    }

    /// The state of a task: part of the answer to what was decided when the task was made.
    async fn task(&self, message: Message, method: &str) -> FromServer {
        let state = message.member("params").map(|params| params.text().to_owned());
        let seen = self.observe(ObservationKind::Result, None, state.unwrap_or_default()).await;
        let let_through = match seen {
            Ok(()) => self.let_asks(&message).await,
            Err(fault) => Err(fault.message),
        };
        match let_through {
            Ok(()) => FromServer::Pass(message.into_bytes()),
            Err(why) => {
                self.found(FindingKind::ServerAsk, method, why.clone()).await;
                FromServer::Broken(None, why)
            }
        }
    }

    async fn server_request(&self, message: Message, id: Id, method: &str) -> FromServer {
        let let_through = match server_request(method) {
            Some(Route::Decide) => match Intent::of_ask(message.value(), &message, &self.server) {
                Ok(intent) => self.let_ask(intent).await,
                Err(_) => return unknown(&id),
            },
            Some(Route::Forward(Some(kind))) => {
                self.observe(kind, None, message.text().to_owned()).await
            }
            Some(Route::Forward(None)) => Ok(()),
            None => return unknown(&id),
        };
        match let_through {
            Ok(()) => FromServer::Request(id, message.into_bytes()),
            Err(fault) => {
                self.found(FindingKind::ServerAsk, method, fault.message.clone()).await;
                stopped(&id, &fault)
            }
        }
    }
}

fn unknown(id: &Id) -> FromServer {
    let words =
        "this method is of no revision of MCP that Pathwarden speaks, so it is not passed on";
    FromServer::Answer(Cleared {
        bytes: compose::error(Some(id), compose::METHOD_NOT_FOUND, words),
    })
}

fn stopped(id: &Id, fault: &Fault) -> FromServer {
    tracing::warn!(%fault, advice = fault.advice, "a request of the server is not passed on");
    let words = format!("the client may not be asked: {fault}");
    FromServer::Answer(Cleared { bytes: compose::error(Some(id), compose::REFUSED, &words) })
}
