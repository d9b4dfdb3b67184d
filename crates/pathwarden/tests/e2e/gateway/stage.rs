//! A node with servers behind it, and a client of a few lines.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use pathwarden_testkit::node::Node;
use serde_json::{Value, json};

use crate::support::{self, OwnHome};

/// What every test here configures besides its servers.
const AGENTS: &str = r#"
[agents.clerk]
owner = "the tests"
role = "assistant"
purpose = "being tested"
person_answers_in_client = true
[agents.visitor]
owner = "the tests"
[approvals]
wait_seconds = 0
"#;

/// A server that is killed with its test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A node with servers behind it.
pub(super) struct Stage {
    pub(super) home: OwnHome,
    pub(super) node: Node,
    token: String,
    folder: tempfile::TempDir,
    _servers: Vec<Server>,
}

impl Stage {
    /// Servers by name, each inside or not, that list nothing of their own kind yet; `more` is added to
    /// the configuration.
    pub(super) fn new(servers: &[(&str, bool)], more: &str) -> Self {
        Self::of_role("assistant", servers, more)
    }

    /// The same, with an agent of this role.
    pub(super) fn of_role(role: &str, servers: &[(&str, bool)], more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut configuration = format!("{}{more}", AGENTS.replace("assistant", role));
        let mut running = Vec::new();
        for (name, inside) in servers {
            let (server, url) = fixture(&folder.path().join(name));
            running.push(server);
            configuration.push_str(&format!(
                "[servers.{name}]\ninside = {inside}\nurl = \"{url}\"\n[servers.{name}.tools]\n\
                 echo = \"read\"\nadd = \"read\"\nremove = \"delete\"\nask_user = \"read\"\n\
                 pay_bill = \"pay\"\n"
            ));
        }
        let home = OwnHome::new();
        home.configure(&configuration).expect("a configuration");
        let node = home.up().expect("a node");
        let started =
            support::json(&home, &["session", "start", "--agent", "clerk", "--task", "tidy up"]);
        let token = started["token"].as_str().expect("a token").to_owned();
        Self { home, node, token, folder, _servers: running }
    }

    /// What a server lists besides its own tools, from now on.
    pub(super) fn offer(&self, server: &str, tools: &[(&str, &str)]) {
        let tools: Vec<Value> = tools
            .iter()
            .map(|(name, description)| {
                json!({"name": name, "description": description, "inputSchema": {"type": "object"}})
            })
            .collect();
        fs::write(self.path(server), json!(tools).to_string()).expect("write the tools");
    }

    pub(super) fn path(&self, server: &str) -> PathBuf {
        self.folder.path().join(server)
    }

    /// The names in a server's list, as the agent sees it.
    pub(super) fn listed(&self, server: &str) -> Vec<String> {
        let (_, answer) = self.send(server, "tools/list", "", &modern("tools/list", "{}"), &[]);
        let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
        tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// Calls a tool.
    pub(super) fn call(&self, server: &str, tool: &str) -> Value {
        self.call_with(server, tool, "")
    }

    /// Calls a tool, with more parameters.
    pub(super) fn call_with(&self, server: &str, tool: &str, more: &str) -> Value {
        let params = format!(r#"{{"name":"{tool}","arguments":{{"text":"a"}}{more}}}"#);
        self.send(server, "tools/call", tool, &modern("tools/call", &params), &[]).1
    }

    /// Sends a message of the modern era as the agent: the status, and the message of the answer.
    pub(super) fn send(
        &self,
        server: &str,
        method: &str,
        name: &str,
        body: &str,
        more: &[(&str, &str)],
    ) -> (u16, Value) {
        let authorization = format!("Bearer {}", self.token);
        let mut headers = vec![
            ("host", "localhost"),
            ("authorization", authorization.as_str()),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", method),
        ];
        if !name.is_empty() {
            headers.push(("mcp-name", name));
        }
        for (name, value) in more {
            headers.retain(|(other, _)| other != name);
            headers.push((name, value));
        }
        let (status, _, text) = post(self.node.mcp(), &format!("/mcp/{server}"), &headers, body);
        (status, message(&text))
    }

    /// Tells the node as the agent that a server offers a tool in this form: the status, and the answer.
    pub(super) fn report(&self, server: &str, form: &str) -> (u16, String) {
        let items = json!([{"kind": "tool", "name": "add", "start": 0, "end": form.len()}]);
        let body = json!({
            "session": "0123456789abcdef0123456789abcdef", "server": server, "kind": "catalogue",
            "content": form, "items": items,
        });
        let authorization = format!("Bearer {}", self.token);
        let headers = [("host", "localhost"), ("authorization", authorization.as_str())];
        let answer = post(self.node.api(), "/v1/catalogues", &headers, &body.to_string());
        (answer.0, answer.2)
    }

    /// Kinds of findings, in order.
    pub(super) fn findings(&self) -> Vec<String> {
        let rows = support::json(&self.home, &["findings"]);
        let rows = rows.as_array().expect("a list").clone();
        rows.iter().map(|row| row["finding"]["kind"].as_str().expect("a kind").to_owned()).collect()
    }

    /// What a command of the home prints.
    pub(super) fn command(&self, arguments: &[&str]) -> String {
        self.home.pathwarden(arguments).expect("run").success().expect("ends well")
    }
}

/// A server of the fixture that lists the tools of a file besides its own.
fn fixture(extra: &std::path::Path) -> (Server, String) {
    let mut command = support::programs().command("fixture-mcp");
    command.args(["--http", "127.0.0.1:0", "--extra"]).arg(extra).stdout(Stdio::piped());
    let mut child = command.spawn().expect("run `fixture-mcp`; build it with the workspace");
    let mut url = String::new();
    let out = child.stdout.take().expect("its output");
    BufReader::new(out).read_line(&mut url).expect("its address");
    (Server(child), url.trim().to_owned())
}

/// A request of the modern era, by a client that can show forms.
pub(super) fn modern(method: &str, params: &str) -> String {
    let mut params: Value = serde_json::from_str(params).expect("JSON");
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
    });
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
}

/// The status, the head and the body that answer a `POST`.
pub(super) fn post(
    address: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).expect("connect");
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "POST {path} HTTP/1.1\r\n{headers}content-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("send");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("receive");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if is_chunked { unchunked(body) } else { body.to_owned() };
    (status, head.to_owned(), body)
}

fn unchunked(mut rest: &str) -> String {
    let mut whole = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).expect("a size");
        whole.push_str(after.get(..size).expect("a chunk"));
        rest = after.get(size + 2..).unwrap_or_default();
    }
    whole
}

/// The last message of a body, which is JSON or a stream of events.
fn message(text: &str) -> Value {
    let last = text.lines().filter_map(|line| line.strip_prefix("data:")).next_back();
    let text = last.unwrap_or(text).trim();
    serde_json::from_str(text).unwrap_or_else(|_| json!({ "text": text }))
}

/// The code of a refusal that a model reads.
pub(super) fn code(answer: &Value) -> &str {
    answer["result"]["_meta"]["pathwarden/code"].as_str().unwrap_or_else(|| panic!("{answer}"))
}
