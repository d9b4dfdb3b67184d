//! A client and a server of a few lines each.

use pathwarden_pep::Patience;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Limits;
use crate::fake::{Fake, call};
use crate::stdio::{self, StdioEnd, StdioError, Wrap};

/// The server: it tells the client each line that it hears as a log message, byte for byte, and then
/// does what the name of the tool says. (`read -r` of a POSIX shell keeps every byte of a line.)
const SERVER: &str = r#"
say() { printf '%s\n' "$1"; }
IFS=
while read -r line; do
  say '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":'"$line"'}}'
  id=${line#*\"id\":}; id=${id%%,*}
  case "$line" in
    *'"id"'*'"method"'*) ;;
    *) continue ;;
  esac
  case "$line" in
    *'"name":"silent"'*) continue ;;
    *'"name":"die"'*) exit 3 ;;
    *'"name":"deaf"'*) trap '' TERM; exec sleep 600 ;;
    *'"name":"duplicate"'*) say '{"jsonrpc":"2.0","id":'$id',"result":{"a":1,"a":2}}'; continue ;;
    *'"name":"not-utf8"'*) printf '{"result":{"a":"\377"},"jsonrpc":"2.0","id":%s}\n' "$id"; continue ;;
    *'"name":"too-long"'*) printf '{"result":{"a":"%9000s"},"jsonrpc":"2.0","id":%s}\n' x "$id"; continue ;;
    *'"name":"babble"'*)
      say 'listening on stdio'
      say '{"jsonrpc":"2.0","id":77,"result":{}}'
      say '{"jsonrpc":"2.0","method":"notifications/strange"}' ;;
    *'"name":"asks"'*)
      say '{"jsonrpc":"2.0","id":"s1","method":"sampling/createMessage","params":{"v":1.0}}'
      say '{"jsonrpc":"2.0","id":"s2","method":"strange/request"}' ;;
  esac
  say '{"vendor":1.0,"jsonrpc":"2.0","id":'$id',"result":{"content":[ ],"odd":[1e400,1.0,50.0,-0]}}'
done
"#;

/// The result that the server gives.
pub(super) const RESULT: &str = r#"{"content":[ ],"odd":[1e400,1.0,50.0,-0]}"#;

pub(super) fn answer_to(id: &str) -> String {
    format!(r#"{{"vendor":1.0,"jsonrpc":"2.0","id":{id},"result":{RESULT}}}"#)
}

/// What the client sees when the server heard `line`.
pub(super) fn heard(line: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"data":{line}}}}}"#)
}

/// A call of exactly this many bytes.
pub(super) fn of_length(bytes: usize) -> String {
    let call = call("1", "x");
    let more = bytes - call.len();
    call.replace("a@b", &format!("a@b{}", "x".repeat(more)))
}

pub(super) struct Client {
    input: WriteHalf<DuplexStream>,
    output: tokio::io::Lines<BufReader<ReadHalf<DuplexStream>>>,
    pub(super) fake: Arc<Fake>,
    pub(super) running: JoinHandle<Result<StdioEnd, StdioError>>,
}

fn wrap(command: Vec<OsString>, fake: Arc<Fake>, limits: Limits) -> Wrap {
    let server = "shell".parse().unwrap();
    Wrap { pdp: fake, server, command, join_key: "test".into(), limits }
}

pub(super) async fn run(command: Vec<OsString>, limits: Limits) -> Result<StdioEnd, StdioError> {
    let wrap = wrap(command, Arc::new(Fake::new()), limits);
    stdio::run(wrap, tokio::io::empty(), tokio::io::sink(), std::future::pending()).await
}

impl Client {
    pub(super) const LIMITS: Limits = Limits {
        message_bytes_max: 4096,
        open_max: 4,
        patience: Patience {
            pdp: Duration::from_secs(20),
            wait: Duration::from_secs(20),
            hold: Duration::from_secs(60),
            sign: Duration::from_millis(20),
        },
        grace: Duration::from_millis(500),
        connect: Duration::from_secs(5),
        request: Duration::from_secs(20),
        resume: Duration::from_secs(20),
        connections_max: 4,
        resumable_max: 4,
    };

    pub(super) async fn start() -> Self {
        Self::with(Self::LIMITS).await
    }

    pub(super) async fn with(limits: Limits) -> Self {
        let fake = Arc::new(Fake::new());
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (input, output) = tokio::io::split(theirs);
        let command = vec!["sh".into(), "-c".into(), SERVER.into()];
        let wrap = wrap(command, Arc::clone(&fake), limits);
        let running = tokio::spawn(stdio::run(wrap, input, output, std::future::pending()));
        let (output, input) = tokio::io::split(ours);
        Self { input, output: BufReader::new(output).lines(), fake, running }
    }

    pub(super) async fn send(&mut self, line: &str) {
        self.send_bytes(line.as_bytes()).await;
    }

    pub(super) async fn send_bytes(&mut self, line: &[u8]) {
        self.input.write_all(line).await.unwrap();
        self.input.write_all(b"\n").await.unwrap();
    }

    pub(super) async fn next(&mut self) -> String {
        loop {
            let line = timeout(Duration::from_secs(20), self.output.next_line()).await;
            let line = line.expect("a line in time").unwrap().expect("a line");
            // What the server tells of our own question is not what the tests are about.
            if !line.contains("pathwarden-probe") {
                return line;
            }
        }
    }

    /// The next line that is not a progress notification is this one.
    pub(super) async fn next_but_progress(&mut self, want: &str) {
        assert_eq!(self.next_but_any_progress().await, want);
    }

    pub(super) async fn next_but_any_progress(&mut self) -> String {
        loop {
            let line = self.next().await;
            if !line.starts_with(r#"{"jsonrpc":"2.0","method":"notifications/progress""#) {
                return line;
            }
        }
    }

    /// Closes the client's end.
    pub(super) async fn end(mut self) -> (StdioEnd, Arc<Fake>) {
        self.input.shutdown().await.unwrap();
        drop((self.input, self.output));
        (self.running.await.unwrap().unwrap(), self.fake)
    }
}
