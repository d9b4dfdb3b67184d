//! A provider behind the gateway: it reads a request and then plays what the test put down, byte by byte
//! as the test wants it. It does not know HTTP any better than it must, so that it can get it wrong.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

/// One step of what the provider does once it has read a request.
#[derive(Clone, Debug)]
pub(super) enum Play {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Waits until the test says that it goes on.
    Wait,
    /// Sends these bytes again and again until the gateway closes the connection.
    Flood(Vec<u8>),
    /// Says nothing, and sees when the gateway closes the connection.
    Listen,
    /// Closes the connection.
    Close,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// The first line and the headers.
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Heard {
    /// The values of all headers of this name.
    pub(super) fn header(&self, name: &str) -> Vec<&str> {
        let pairs = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        pairs.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The method and the target.
    pub(super) fn line(&self) -> &str {
        self.head.lines().next().unwrap().trim_end_matches(" HTTP/1.1")
    }
}

#[derive(Default)]
pub(super) struct Provider {
    pub(super) heard: watch::Sender<Vec<Heard>>,
    pub(super) go_on: Notify,
    /// How many bytes of [`Play::Flood`] were sent.
    pub(super) flooded: watch::Sender<usize>,
    /// How many connections the gateway has closed in the middle of a play.
    pub(super) left: watch::Sender<usize>,
    plays: Mutex<VecDeque<Vec<Play>>>,
}

impl Provider {
    pub(super) async fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let provider = Arc::new(Self::default());
        let accepting = Arc::clone(&provider);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let provider = Arc::clone(&accepting);
                tokio::spawn(async move { provider.talk(stream).await });
            }
        });
        (provider, url)
    }

    /// Puts down what is played for the next request that has nothing yet.
    pub(super) fn play(&self, play: Vec<Play>) {
        self.plays.lock().unwrap().push_back(play);
    }

    /// Waits until the gateway has closed so many connections in the middle of a play.
    pub(super) async fn was_left(&self, count: usize) {
        self.left.subscribe().wait_for(|left| *left >= count).await.unwrap();
    }

    async fn talk(self: Arc<Self>, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        while let Some(heard) = request(&mut stream, &mut bytes).await {
            self.heard.send_modify(|all| all.push(heard));
            let next = self.plays.lock().unwrap().pop_front();
            let plays = next.unwrap_or_else(|| whole("200 OK", "{\"nothing\":\"was put down\"}"));
            for play in plays {
                match self.step(&mut stream, play).await {
                    Some(true) => {}
                    Some(false) => return,
                    None => return self.left.send_modify(|left| *left += 1),
                }
            }
        }
    }

    /// Says whether to go on; `None` when the gateway has closed the connection.
    async fn step(&self, stream: &mut TcpStream, play: Play) -> Option<bool> {
        match play {
            Play::Send(bytes) => stream.write_all(&bytes).await.ok().map(|()| true),
            Play::Wait => {
                self.go_on.notified().await;
                Some(true)
            }
            Play::Flood(bytes) => loop {
                stream.write_all(&bytes).await.ok()?;
                self.flooded.send_modify(|sent| *sent += bytes.len());
            },
            Play::Listen => {
                let mut byte = [0];
                match stream.read(&mut byte).await {
                    Ok(count) if count > 0 => panic!("nothing may follow a request"),
                    _ => None,
                }
            }
            Play::Close => Some(false),
        }
    }
}

/// The next request; what is read of the one after it stays in `bytes`.
async fn request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Heard> {
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, bytes).await?;
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut heard = Heard { head, body: Vec::new() };
    let length = heard.header("content-length").first().map_or(0, |text| text.parse().unwrap());
    assert!(heard.header("transfer-encoding").is_empty(), "the gateway has the whole body");
    while bytes.len() < end + length {
        more(stream, bytes).await?;
    }
    heard.body = bytes[end..end + length].to_vec();
    bytes.drain(..end + length);
    Some(heard)
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut buffer = vec![0; 1 << 16];
    let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
    bytes.extend_from_slice(&buffer[..count]);
    Some(())
}

/// The head of an answer, with what it has besides `x-request-id` and a cookie.
pub(super) fn head(status: &str, headers: &[(&str, &str)]) -> Play {
    let mut head = format!("HTTP/1.1 {status}\r\nx-request-id: kept\r\nset-cookie: a=b\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    Play::Send(format!("{head}\r\n").into_bytes())
}

/// A whole answer.
pub(super) fn whole(status: &str, body: &str) -> Vec<Play> {
    packed(status, &[("content-type", "application/json")], body.as_bytes())
}

/// A whole answer with headers of its own.
pub(super) fn packed(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<Play> {
    let length = body.len().to_string();
    let headers: Vec<_> = headers.iter().copied().chain([("content-length", &*length)]).collect();
    vec![head(status, &headers), Play::Send(body.to_vec())]
}

const EVENTS: (&str, &str) = ("content-type", "text/event-stream; charset=utf-8");
const CHUNKED: (&str, &str) = ("transfer-encoding", "chunked");

/// The head of a stream.
pub(super) fn begin() -> Play {
    head("200 OK", &[EVENTS, CHUNKED])
}

/// The head of a stream that is packed.
pub(super) fn begin_packed(coding: &str) -> Play {
    head("200 OK", &[EVENTS, CHUNKED, ("content-encoding", coding)])
}

/// A piece of a stream.
pub(super) fn piece(bytes: impl AsRef<[u8]>) -> Play {
    let bytes = bytes.as_ref();
    let length = format!("{:x}\r\n", bytes.len());
    Play::Send([length.as_bytes(), bytes, b"\r\n"].concat())
}

/// The end of a stream.
pub(super) fn end() -> Play {
    Play::Send(b"0\r\n\r\n".to_vec())
}

/// A stream in these pieces.
pub(super) fn stream<T: AsRef<[u8]>>(pieces: &[T]) -> Vec<Play> {
    let pieces = pieces.iter().filter(|bytes| !bytes.as_ref().is_empty()).map(piece);
    [begin()].into_iter().chain(pieces).chain([end()]).collect()
}
