//! A home for each test, and requests as any HTTP client sends them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::ops::Deref;
use std::path::Path;

use pathwarden_testkit::node::{Agent, Home, Node, Programs, Said, Start};
use pathwarden_wire::Fault;
use serde_json::Value;
use tempfile::TempDir;

/// One agent, one server of which everything is known.
pub(crate) const CONFIGURATION: &str = r#"
[organisation]
domains = ["northgate.example"]
[agents.clerk]
owner = "the tests"
role = "assistant"
purpose = "being tested"
[servers.desk]
inside = true
[servers.desk.tools]
look = "read"
note = "write"
send = "send"
remove = "delete"
"#;

/// The programs under test.
pub(crate) fn programs() -> Programs {
    Programs::beside(Path::new(env!("CARGO_BIN_EXE_pathwarden"))).expect("the programs are built")
}

/// A home in a folder of its own.
pub(crate) struct OwnHome {
    folder: TempDir,
    home: Home,
}

impl OwnHome {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().join("home");
        let home = Home::init(&programs(), &home, CONFIGURATION).expect("a home");
        Self { folder, home }
    }

    /// What a command wrote to both streams, without what differs from run to run.
    pub(crate) fn words(&self, said: &Said) -> String {
        let text = self.named(&format!("{}{}", said.out, said.err));
        let lines = text.lines().filter(|line| !is_log(line)).map(str::trim_end);
        lines.collect::<Vec<_>>().join("\n")
    }

    /// A text with the name of the test's folder in place of its path.
    pub(crate) fn named(&self, text: &str) -> String {
        text.replace(self.folder.path().to_str().expect("a path that is text"), "FOLDER")
    }

    /// Writes a policy file.
    pub(crate) fn policy(&self, name: &str, text: &str) {
        fs::write(self.home.path("policies").join(name), text).expect("write a policy");
    }

    /// What a node says that does not start, in words.
    pub(crate) fn refusal(&self) -> Said {
        match self.home.start().expect("run the node") {
            Start::Ended(_) => self.home.pathwarden(&["up"]).expect("run the node again"),
            Start::Ready(_) => panic!("the node started"),
        }
    }
}

impl Deref for OwnHome {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.home
    }
}

/// Lines of the log begin with the time.
fn is_log(line: &str) -> bool {
    line.starts_with("20") || line.starts_with("\u{1b}[2m20")
}

/// An agent with a session.
pub(crate) async fn clerk(home: &Home) -> Agent {
    let operator = home.person("operator").expect("a token");
    let task = "ask vendor@acme.example for the forms";
    Agent::start(home, &operator, "clerk", task).await.expect("a session")
}

/// The JSON that a command of the home prints.
pub(crate) fn json(home: &Home, arguments: &[&str]) -> Value {
    let arguments = [&["--json"], arguments].concat();
    let out = home.pathwarden(&arguments).expect("run").success().expect("ends well");
    serde_json::from_str(&out).expect("JSON")
}

/// Sends a request to the node's TCP address: status and body.
pub(crate) fn request(node: &Node, method: &str, path: &str, token: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(node.api()).expect("connect");
    let authorization = match token {
        "" => String::new(),
        token => format!("authorization: Bearer {token}\r\n"),
    };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{authorization}\
         content-length: 2\r\n\r\n{{}}"
    );
    stream.write_all(head.as_bytes()).expect("send");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("receive");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.expect("a status"), body.to_owned())
}

/// The fault in a body.
pub(crate) fn fault(body: &str) -> Fault {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: `{body}`"))
}
