//! What the client answers when the server asks: yes, with the defaults of the form.

use rmcp::model::{
    ClientCapabilities, ClientConfig, CreateMessageRequestParams, CreateMessageResult,
    ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationCapability, Implementation,
    ListRootsResult, ProtocolVersion, Root, RootsCapabilities, SamplingCapability, SamplingMessage,
};
use rmcp::service::{RequestContext, RoleClient};
use rmcp::{ClientHandler, ErrorData};
use serde_json::{Map, Value, json};

/// The client's side of the questions.
pub(super) struct Answers {
    revision: ProtocolVersion,
}

impl Answers {
    /// For a client that speaks `revision`.
    pub(super) fn new(revision: ProtocolVersion) -> Self {
        Self { revision }
    }
}

impl ClientHandler for Answers {
    fn get_info(&self) -> ClientConfig {
        let capabilities = ClientCapabilities::builder()
            .enable_roots_with(RootsCapabilities::default())
            .enable_sampling_with(SamplingCapability::default())
            .enable_elicitation_with(ElicitationCapability::default())
            .build();
        let info = Implementation::new("conformance-client", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(capabilities, info).with_protocol_version(self.revision.clone())
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { requested_schema, .. } = request else {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        };
        let schema = json!(requested_schema);
        let fields = schema.get("properties").and_then(Value::as_object);
        let content: Map<_, _> = fields
            .into_iter()
            .flatten()
            .filter_map(|(name, field)| Some((name.clone(), filled(field)?)))
            .collect();
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(Value::Object(content)))
    }

    async fn create_message(
        &self,
        _request: CreateMessageRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let message = SamplingMessage::assistant_text("An answer.");
        Ok(CreateMessageResult::new(message, "no-model".to_owned())
            .with_stop_reason(CreateMessageResult::STOP_REASON_END_TURN))
    }

    async fn list_roots(
        &self,
        _context: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        Ok(ListRootsResult::new(vec![Root::new("file:///srv/conformance")]))
    }
}

/// The default of a field, or a yes to a question.
fn filled(field: &Value) -> Option<Value> {
    let default = field.get("default").cloned();
    default.or_else(|| (field.get("type")? == "boolean").then_some(Value::Bool(true)))
}
