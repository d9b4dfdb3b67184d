//! Subscriptions of the modern era (2026-07-28, patterns/subscriptions).

use pathwarden_json::Json;

use crate::id::Id;
use crate::message::{Body, Message};

/// What a server grants to a `subscriptions/listen`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Acknowledged {
    /// The request that asked for it.
    pub subscription: Id,
    /// Whether changes of the list of tools are told.
    pub tools_changed: bool,
}

impl Acknowledged {
    /// What this notification grants; `None` when it is another one.
    #[must_use]
    pub fn of(message: &Message) -> Option<Self> {
        let Body::Notification { method } = message.body() else { return None };
        if method != "notifications/subscriptions/acknowledged" {
            return None;
        }
        let id = message.param("_meta")?.member("io.modelcontextprotocol/subscriptionId")?;
        let filter = message.param("notifications");
        let tools = filter.and_then(|filter| filter.member("toolsListChanged"));
        let tools_changed = tools.map(Json::text) == Some("true");
        Some(Self { subscription: Id::of(id).ok()?, tools_changed })
    }
}
