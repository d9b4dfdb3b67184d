//! A recorded dialogue with vendor fields, odd numbers and unknown capabilities passes a real node, policy,
//! ledger and all, without the change of a byte.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::gateway::stage::post;
use crate::support::{OwnHome, json};

/// What the client says and what the server answers, exchange by exchange; the era is the client's.
const EXCHANGES: &str = include_str!("dialogue.txt");

/// One exchange.
struct Exchange<'a> {
    headers: Vec<(&'a str, &'a str)>,
    request: &'a str,
    content_type: &'a str,
    response: String,
}

fn exchanges() -> Vec<Exchange<'static>> {
    let blocks = EXCHANGES.split("\n=== ").skip(1);
    blocks
        .map(|block| {
            let (head, rest) = block.split_once("\n>>> ").expect("a request");
            let (request, rest) = rest.split_once("\n<<< ").expect("a response");
            let (content_type, response) = rest.split_once('\n').expect("a body");
            let headers = head.lines().skip(1).map(|line| line.split_once(": ").expect("a header"));
            let response =
                response.trim_end_matches('\n').replace("\\r", "\r").replace("\\n", "\n");
            Exchange { headers: headers.collect(), request, content_type, response }
        })
        .collect()
}

/// Answers one request after the other as recorded; gives what it heard.
fn replaying() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (heard, hears) = channel();
    thread::spawn(move || {
        for exchange in exchanges() {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            let body = loop {
                let read = stream.read(&mut piece).expect("a request");
                request.extend_from_slice(piece.get(..read).expect("what was read"));
                let text = String::from_utf8_lossy(&request).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|l| {
                    l.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
                });
                if body.len() >= length.and_then(|l| l.parse().ok()).unwrap_or(0) {
                    break body.to_owned();
                }
            };
            heard.send(body).expect("somebody hears");
            let Exchange { content_type, response, .. } = exchange;
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\nx-request-id: kept\r\nconnection: close\r\n\
                 content-length: {}\r\n\r\n{response}",
                response.len()
            );
            stream.write_all(answer.as_bytes()).expect("answer");
        }
    });
    (format!("http://{address}/mcp"), hears)
}

#[test]
fn a_recorded_dialogue_passes_without_the_change_of_a_byte() {
    let (url, hears) = replaying();
    let home = OwnHome::new();
    let configuration = format!(
        "[agents.clerk]\nowner = \"t\"\n[servers.desk]\ninside = true\nurl = \"{url}\"\n\
         [servers.desk.tools]\nlook = \"read\"\n"
    );
    home.configure(&configuration).expect("a configuration");
    let node = home.up().expect("a node");
    let started = json(&home, &["session", "start", "--agent", "clerk", "--task", "look around"]);
    let bearer = format!("Bearer {}", started["token"].as_str().expect("a token"));
    let all = exchanges();
    assert!(all.len() >= 8, "the dialogue is there");
    for exchange in all {
        let mut headers = vec![("host", "localhost"), ("authorization", bearer.as_str())];
        headers.extend(&exchange.headers);
        let (status, head, body) = post(node.mcp(), "/mcp/desk", &headers, exchange.request);
        assert_eq!((status, &body), (200, &exchange.response), "{}", exchange.request);
        assert!(head.to_ascii_lowercase().contains("x-request-id: kept"), "{head}");
        assert_eq!(hears.recv().expect("what the server heard"), exchange.request);
    }
    let replay = json(&home, &["replay"]);
    assert_eq!(replay["decisions"], replay["identical"], "{replay}");
}
