//! The client under test: what each client scenario of the suite wants to see done.
//!
//! The suite starts the client once per scenario, and says which in the environment. A scenario that
//! is not known here is an error, so that it cannot seem to pass.

#![expect(deprecated, reason = "the older era of the protocol is under test")]

mod answers;
mod play;
mod relay;

use std::env;

use anyhow::{Context, Result};
use rmcp::model::ProtocolVersion;
use rmcp::service::{ClientLifecycleMode, ClientServiceExt};
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransport, StreamableHttpClientTransportConfig,
};
use serde_json::Value;

use self::answers::Answers;
use self::relay::Relay;

/// What the suite tells a client in its environment.
#[derive(Debug)]
pub struct Scenario {
    name: String,
    revision: ProtocolVersion,
    context: Value,
}

impl Scenario {
    /// Reads `MCP_CONFORMANCE_SCENARIO`, `MCP_CONFORMANCE_PROTOCOL_VERSION` and
    /// `MCP_CONFORMANCE_CONTEXT`.
    ///
    /// # Errors
    ///
    /// When the scenario is not named, the revision is not one that the SDK knows, or the context is
    /// not JSON.
    pub fn from_environment() -> Result<Self> {
        let name = env::var("MCP_CONFORMANCE_SCENARIO").context("read the scenario's name")?;
        let revision = match env::var("MCP_CONFORMANCE_PROTOCOL_VERSION") {
            Err(_) => ProtocolVersion::V_2025_11_25,
            Ok(text) => ProtocolVersion::KNOWN_VERSIONS
                .iter()
                .find(|known| known.as_str() == text)
                .cloned()
                .with_context(|| format!("`{text}` is not a revision of the protocol"))?,
        };
        let context = match env::var("MCP_CONFORMANCE_CONTEXT") {
            Err(_) => Value::Null,
            Ok(text) => serde_json::from_str(&text).context("read the scenario's context")?,
        };
        Ok(Self { name, revision, context })
    }

    fn lifecycle(&self) -> ClientLifecycleMode {
        if self.revision.as_str() >= ProtocolVersion::V_2026_07_28.as_str() {
            ClientLifecycleMode::Discover { preferred_versions: vec![self.revision.clone()] }
        } else {
            ClientLifecycleMode::Initialize
        }
    }
}

/// Plays a scenario against the server at `url`.
///
/// # Errors
///
/// When the scenario is not known, or the server does not let it go on.
pub async fn run(url: &str, scenario: &Scenario) -> Result<()> {
    let relay = Relay::to(url)?;
    let config = StreamableHttpClientTransportConfig::with_uri(relay.path());
    let transport = StreamableHttpClientTransport::with_client(relay.client(), config);
    let answers = Answers::new(scenario.revision.clone());
    let service = answers
        .serve_with_lifecycle(transport, scenario.lifecycle())
        .await
        .context("connect to the server")?;
    let played = play::play(&service, &scenario.name, &scenario.context).await;
    service.cancel().await.context("leave the server")?;
    played
}
