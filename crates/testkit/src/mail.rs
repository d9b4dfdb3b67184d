//! A mail server for agents: tools to send, list and read mail in a Maildir.

mod address;
mod maildir;
mod message;

use std::sync::Arc;

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResult, ContentBlock, Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

pub use self::address::{Address, AddressError};
pub use self::maildir::{Listed, MailError, Maildir};
pub use self::message::{Draft, DraftError};

/// The server: one Maildir, one sender.
#[derive(Clone, Debug)]
pub struct MailServer {
    maildir: Arc<Maildir>,
    from: Address,
}

/// Arguments of `send_mail`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMail {
    /// Recipients: plain addresses, such as `name@example.com`.
    pub to: Vec<String>,
    /// Recipients of a copy.
    #[serde(default)]
    pub cc: Vec<String>,
    /// The subject, one line.
    pub subject: String,
    /// The text.
    pub body: String,
}

/// Arguments of `read_mail`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadMail {
    /// The mail's id, as `list_mail` gives it.
    pub id: String,
}

#[tool_router]
impl MailServer {
    /// A server that delivers to `maildir`, with `from` as the sender of every mail.
    #[must_use]
    pub fn new(maildir: Maildir, from: Address) -> Self {
        Self { maildir: Arc::new(maildir), from }
    }

    #[tool(
        name = "send_mail",
        description = "Send a plain text mail. It leaves the organisation and cannot be recalled.",
        annotations(
            title = "Send mail",
            read_only_hint = false,
            destructive_hint = false,
            idempotent_hint = false,
            open_world_hint = true
        )
    )]
    fn send_mail(&self, Parameters(mail): Parameters<SendMail>) -> CallToolResult {
        let SendMail { to, cc, subject, body } = mail;
        let delivered =
            Draft::new(&to, &cc, subject, body).map_err(|error| error.to_string()).and_then(
                |draft| self.maildir.deliver(&self.from, &draft).map_err(|error| error.to_string()),
            );
        answer(delivered.map(|mail| {
            let recipients = [to, cc].concat();
            json!({ "id": mail.id, "message_id": mail.message_id, "delivered_to": recipients })
        }))
    }

    #[tool(
        name = "list_mail",
        description = "List the mails in the mailbox: id, recipients, subject, date.",
        annotations(title = "List mail", read_only_hint = true, open_world_hint = false)
    )]
    fn list_mail(&self) -> CallToolResult {
        let listed = self.maildir.list().map_err(|error| error.to_string());
        answer(listed.map(|mails| {
            let mails: Vec<Value> = mails.iter().map(listed_json).collect();
            json!({ "mails": mails })
        }))
    }

    #[tool(
        name = "read_mail",
        description = "Read one mail, with its headers.",
        annotations(title = "Read mail", read_only_hint = true, open_world_hint = false)
    )]
    fn read_mail(&self, Parameters(ReadMail { id }): Parameters<ReadMail>) -> CallToolResult {
        match self.maildir.read(&id) {
            Ok(mail) => CallToolResult::success(vec![ContentBlock::text(mail)]),
            Err(error) => answer(Err(error.to_string())),
        }
    }
}

#[tool_handler]
impl ServerHandler for MailServer {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("mail-mcp", env!("CARGO_PKG_VERSION")))
            .with_instructions(format!("Mail of {}. Sent mail cannot be recalled.", self.from))
    }
}

fn listed_json(mail: &Listed) -> Value {
    json!({ "id": mail.id, "to": mail.to, "subject": mail.subject, "date": mail.date })
}

fn answer(result: Result<Value, String>) -> CallToolResult {
    match result {
        Ok(value) => CallToolResult::structured(value),
        Err(message) => CallToolResult::error(vec![ContentBlock::text(message)]),
    }
}
