//! Tools about what is sent before the answer: notifications, and the end of the stream itself.

use std::time::Duration;

use http::request::Parts;
use rmcp::ErrorData;
use rmcp::model::{
    CallToolResult, LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam,
    ProtocolVersion,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::json;

use super::Server;
use super::tools::done;

/// Between two notifications.
const PAUSE: Duration = Duration::from_millis(50);

/// How soon a client whose stream was closed is to come back.
const RETRY: Duration = Duration::from_millis(200);

/// Between closing the stream and the answer: long enough for the client to see the end first.
const ANSWER_AFTER: Duration = Duration::from_millis(300);

/// Streams that a session of the suite has had at most when one is cut.
const STREAMS_MAX: u64 = 16;

/// The header with the session's id.
const SESSION_ID: &str = "mcp-session-id";

impl Server {
    pub(super) async fn log_thrice(&self, context: &RequestContext<RoleServer>) -> CallToolResult {
        log(context, "Tool execution started").await;
        tokio::time::sleep(PAUSE).await;
        log(context, "Tool processing data").await;
        tokio::time::sleep(PAUSE).await;
        log(context, "Tool execution completed").await;
        done("Tool with logging executed successfully")
    }

    pub(super) async fn log_once(&self, context: &RequestContext<RoleServer>) -> CallToolResult {
        log(context, "The logging tool was called").await;
        done("Logged, if the client wants logs")
    }

    pub(super) async fn progress(&self, context: &RequestContext<RoleServer>) -> CallToolResult {
        for (place, progress) in [0.0, 50.0, 100.0].into_iter().enumerate() {
            if place > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            if let Some(token) = context.meta.get_progress_token() {
                let report = ProgressNotificationParam::new(token, progress).with_total(100.0);
                // A client that went away is told nothing.
                let _ = context.peer.notify_progress(report).await;
            }
        }
        done("Tool with progress executed successfully")
    }

    /// Closes the streams of the session that calls, this one among them. The client finds the answer
    /// when it comes back for it.
    pub(super) async fn cut(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let session = context
            .extensions
            .get::<Parts>()
            .and_then(|parts| parts.headers.get(SESSION_ID)?.to_str().ok())
            .ok_or_else(|| ErrorData::invalid_request("there is no session to resume", None))?;
        let handle = self.sessions.sessions.read().await.get(session).cloned();
        let handle =
            handle.ok_or_else(|| ErrorData::internal_error("the session is gone", None))?;
        tokio::time::sleep(PAUSE).await;
        for stream in 0..STREAMS_MAX {
            // The SDK numbers a session's streams and tells nobody the number; one that is over, or
            // never was, is an error here.
            let _ = handle.close_sse_stream(stream, Some(RETRY)).await;
        }
        tokio::time::sleep(ANSWER_AFTER).await;
        Ok(done("Reconnection test completed"))
    }

    pub(super) async fn tools_changed(&self) -> CallToolResult {
        for listener in self.listeners.lock().await.iter() {
            // It is an error to send what the listener did not ask for.
            let _ = listener.notify_tool_list_changed().await;
        }
        done("Announced a change of the tools")
    }

    pub(super) async fn prompts_changed(&self) -> CallToolResult {
        for listener in self.listeners.lock().await.iter() {
            // See above.
            let _ = listener.notify_prompt_list_changed().await;
        }
        done("Announced a change of the prompts")
    }
}

/// Sends a log message; since 2026-07-28 only when the request asks for logs.
async fn log(context: &RequestContext<RoleServer>, text: &str) {
    let wanted = !is_stateless(context) || context.meta.log_level().is_some();
    if wanted {
        let message = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(text));
        // A client that does not listen is no fault of the tool.
        let _ = context.peer.notify_logging_message(message.with_logger("conformance")).await;
    }
}

fn is_stateless(context: &RequestContext<RoleServer>) -> bool {
    context
        .protocol_version()
        .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}
