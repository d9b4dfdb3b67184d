//! A server for gateway tests. Its tools do everything a server may do to a gateway: answer, take
//! long and report progress, ask the client's model or user, log, answer hugely, fail, and die.

#![expect(
    deprecated,
    reason = "sampling and logging are deprecated, and the revisions under test still have them"
)]

mod ask;
mod catalogue;
mod journal;
mod tools;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, GetPromptRequestParams, GetPromptResponse,
    Implementation, ListPromptsResult, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse,
    ServerCapabilities, ServerConfig, SetLevelRequestParams, SubscribeRequestParams,
    SubscriptionFilter, Tool, UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, RoleServer, SubscriptionContext, SubscriptionSink};
use rmcp::{ErrorData, ServerHandler};
use tokio::sync::Mutex;

pub use self::journal::Journal;

/// The server. Clones share their journal and subscriptions.
#[derive(Clone, Debug)]
pub struct Fixture {
    journal: Arc<Journal>,
    newest: ProtocolVersion,
    extra: Option<Arc<Path>>,
    subscribed: Arc<Mutex<BTreeSet<String>>>,
    listeners: Arc<Mutex<Vec<SubscriptionSink>>>,
}

impl Fixture {
    /// A server that notes what reaches it in `journal` and speaks revisions up to `newest`.
    ///
    /// # Errors
    ///
    /// When `newest` is not a revision that the SDK knows.
    pub fn new(journal: Journal, newest: Option<&str>) -> Result<Self> {
        let newest = match newest {
            None => ProtocolVersion::LATEST,
            Some(text) => ProtocolVersion::KNOWN_VERSIONS
                .iter()
                .find(|known| known.as_str() == text)
                .cloned()
                .with_context(|| format!("`{text}` is not a revision of the protocol"))?,
        };
        Ok(Self {
            journal: Arc::new(journal),
            newest,
            extra: None,
            subscribed: Arc::default(),
            listeners: Arc::default(),
        })
    }

    /// With the tools that this file lists as well (JSON, as in `tools/list`), read anew for every list:
    /// what a server offers may change at any time.
    #[must_use]
    pub fn with_extra(mut self, file: Option<&Path>) -> Self {
        self.extra = file.map(Arc::from);
        self
    }

    fn extra(&self) -> Vec<Tool> {
        let text = self.extra.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Tells everyone who wants to know that a resource changed.
    async fn resource_changed(&self, uri: &str, context: &RequestContext<RoleServer>) {
        if self.subscribed.lock().await.contains(uri) {
            let changed = rmcp::model::ResourceUpdatedNotificationParam::new(uri);
            // The client may be gone by now; there is nobody else to tell.
            let _ = context.peer.notify_resource_updated(changed).await;
        }
        for listener in self.listeners.lock().await.iter() {
            let _ = listener.notify_resource_updated(uri).await;
        }
    }
}

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_logging()
            .enable_prompts()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_tools()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("fixture-mcp", env!("CARGO_PKG_VERSION")))
            .with_instructions("A server for tests: its tools misbehave on purpose.")
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(ProtocolVersion::known_up_to(&self.newest))
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut tools = catalogue::tools();
        tools.extend(self.extra());
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.journal.call(&call);
        self.call(call, context).await
    }

    async fn list_resources(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(catalogue::resources()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        catalogue::read(&request.uri)
    }

    async fn list_prompts(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(catalogue::prompts()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        catalogue::prompt(&request)
    }

    async fn set_level(
        &self,
        _request: SetLevelRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.subscribed.lock().await.insert(request.uri);
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.subscribed.lock().await.remove(&request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.listeners.lock().await.push(context.sink().clone());
        context.cancelled().await;
        self.listeners.lock().await.retain(|sink| sink.id() != context.sink().id());
        Ok(())
    }
}
