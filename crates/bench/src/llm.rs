//! The gateway before models of a whole node, beside no proxy, a byte proxy and LiteLLM's proxy.

mod conversation;
mod load;
mod provider;

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use self::load::{Case, KEY, Steps, Target, Turn, Until};
use self::provider::Model;
use crate::measure::{Effort, Samples};
use crate::node::{MODEL_KEY, Node};
use crate::peer::{Peer, Program};
use crate::report::{Aim, Cell, Table};
use crate::serving::{byte_proxy, one_thread, served, served_by_one};

/// The ways to the model; the last is there when the peer is installed.
const WAYS: [&str; 4] = ["no proxy", "byte proxy", "Pathwarden", "LiteLLM (Python)"];

/// LiteLLM's proxy.
const LITELLM: Program =
    Program { python: ".work/bench-litellm-py/bin/python", script: "bench/peers/litellm_proxy.py" };

/// Clients that call at once.
const CLIENTS: usize = 8;

const SMALL: Steps = Steps {
    model: Model::Step,
    until: Until::FirstToken,
    window_bytes: 0,
    result_bytes: 200,
    steps: 8,
    conversations: 25,
};

const CASES: [(&str, Case); 5] = [
    ("first token, window of 1 to 6 KB", Case::Steps(SMALL)),
    (
        "first token, window of 100 KB",
        Case::Steps(Steps { window_bytes: 85_000, steps: 50, conversations: 1, ..SMALL }),
    ),
    (
        "3 tool calls in a stream",
        Case::Steps(Steps { model: Model::Tools, until: Until::End, ..SMALL }),
    ),
    ("stream of 2,000 events", Case::Streams),
    ("8 clients, not streamed", Case::Calls { clients: CLIENTS }),
];

/// What came of a case, one way after the other.
struct Measured {
    name: &'static str,
    case: Case,
    samples: Vec<Samples>,
}

/// Measures model calls through a node with everything on.
pub(crate) fn run(effort: Effort, dir: &Path) -> Result<Table> {
    let upstream = served_by_one(provider::serve)?;
    let (proxy, _proxying) = served(move |listener| byte_proxy(listener, upstream))?;
    let node = Node::start(dir, &configuration(upstream))?;
    let url = format!("http://{upstream}");
    let mut arguments = vec![url.as_str(), KEY];
    arguments.extend(Model::ALL.map(Model::name));
    let peer = Peer::start(&LITELLM, &arguments)?;
    let path = "/v1/chat/completions";
    let plain = |address| Target { address, path, node: None };
    let ours =
        Target { address: node.models, path: "/bench/v1/chat/completions", node: Some(&node) };
    let mut targets = vec![plain(upstream), plain(proxy), ours];
    targets.extend(peer.as_ref().map(|peer| plain(peer.address)));
    let turn = Turn { steps: usize::try_from(effort.calls / 20)?, time: effort.turn };
    let runtime = one_thread()?;
    let mut measured = Vec::new();
    for (name, case) in CASES {
        let mut samples: Vec<Samples> = targets.iter().map(|_| Samples::default()).collect();
        for round in 0..=effort.rounds {
            for (target, sample) in targets.iter().zip(&mut samples) {
                let got = runtime.block_on(load::run(case, target, turn))?;
                // The first turn opens connections and fills caches.
                if round > 0 {
                    sample.add(got);
                }
            }
        }
        measured.push(Measured { name, case, samples });
    }
    Ok(table(effort, turn, &measured, peer.is_some()))
}

/// The configuration of a node with one provider, before agents that run their own tools.
fn configuration(upstream: SocketAddr) -> String {
    format!(
        r#"
[models.bench]
api = "openai"
url = "http://{upstream}"
key_env = "{MODEL_KEY}"
[servers.local]
inside = true
"#
    )
}

fn table(effort: Effort, turn: Turn, measured: &[Measured], with_peer: bool) -> Table {
    let peer = if with_peer {
        "has one worker and a key, no database and no logging"
    } else {
        "is not installed: `scripts/setup.sh bench`"
    };
    Table {
        title: "Model calls: the gateway before models of a whole node",
        notes: vec![format!(
            "OpenAI's Chat Completions over kept-alive connections: an agent's steps in turns of {} calls, \
             everything else in turns of {} ms, {} of each. Load, provider, proxies and node share the \
             machine's cores. The provider is part of the benchmark (`model-server` makes its answers anew \
             each time, and would be what is measured): it answers at once with fixed bytes and flushes \
             after each event. The node runs the shipped policy pack with a durable ledger, with a new \
             session for each turn and for each window of 100 KB. A step is a call with the whole window, \
             0.7 KB longer than the one before by 20 words, a tool call and its result; a long window came \
             about in the same way, with results of 3 KB, and is 85 to 120 KB. The tools are the agent's own, and read: their \
             calls are decided in the stream. Times are to the first event with words in it where the row \
             says so, else to the end of the answer. The last two columns are quotients of median times, \
             and with {CLIENTS} clients of calls in a second. LiteLLM's proxy {peer}.",
            turn.steps,
            effort.turn.as_millis(),
            effort.rounds
        )],
        columns: vec![
            "",
            "calls or events",
            "p50",
            "p99",
            "added p50",
            "added p99",
            "of the byte proxy's speed",
            "of LiteLLM's speed",
        ],
        rows: measured.iter().flat_map(rows).collect(),
        aims: measured.iter().flat_map(aims).collect(),
    }
}

impl Measured {
    /// How much faster one way was than another.
    fn speed(&self, way: &Samples, other: &Samples) -> f64 {
        match self.case {
            Case::Steps(_) | Case::Streams => other.p50() / way.p50(),
            Case::Calls { .. } => way.rate() / other.rate(),
        }
    }
}

fn rows(measured: &Measured) -> Vec<Vec<Cell>> {
    let [direct, proxy, _, rest @ ..] = measured.samples.as_slice() else { return Vec::new() };
    let row = |(way, sample): (&&str, &Samples)| {
        vec![
            Cell::text(format!("{}: {way}", measured.name)),
            Cell::Rate(sample.rate()),
            Cell::Micros(sample.p50()),
            Cell::Micros(sample.p99()),
            Cell::Micros(sample.p50() - direct.p50()),
            Cell::Micros(sample.p99() - direct.p99()),
            Cell::Ratio(measured.speed(sample, proxy)),
            rest.first().map_or(Cell::Nothing, |peer| Cell::Ratio(measured.speed(sample, peer))),
        ]
    };
    WAYS.iter().zip(&measured.samples).map(row).collect()
}

/// The aims of every proxy of ours.
fn aims(measured: &Measured) -> Vec<Aim> {
    let [direct, proxy, ours, ..] = measured.samples.as_slice() else { return Vec::new() };
    let (p50, p99) = (ours.p50() - direct.p50(), ours.p99() - direct.p99());
    let ratio = || Cell::Ratio(measured.speed(ours, proxy));
    match measured.case {
        Case::Steps(Steps { until: Until::FirstToken, window_bytes: 0, .. }) => vec![
            Aim::at_most("first token, 1 to 6 KB: added p50 ≤ 150 µs", Cell::Micros(p50), 150.0),
            Aim::at_most("first token, 1 to 6 KB: added p99 ≤ 1 ms", Cell::Micros(p99), 1e3),
        ],
        Case::Steps(_) => Vec::new(),
        Case::Streams => {
            vec![Aim::at_least("2,000 events: ≥ 0.60 of the byte proxy's speed", ratio(), 0.6)]
        }
        Case::Calls { .. } => {
            vec![Aim::at_least("8 clients: ≥ 0.60 of the byte proxy's speed", ratio(), 0.6)]
        }
    }
}
