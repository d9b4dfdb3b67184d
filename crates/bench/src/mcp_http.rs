//! The MCP gateway of a whole node, beside a byte proxy and no proxy.

mod load;
mod servers;

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use self::load::{Call, Target};
use crate::measure::{Effort, Samples};
use crate::node::Node;
use crate::peer::{Peer, Program};
use crate::report::{Aim, Cell, Table};
use crate::serving::{byte_proxy, runtime, served};

/// Connections that are kept open, each with one call under way.
const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// The aims hold for this many connections: no queue in front of the two cores.
const AIMED_AT: usize = 1;

/// The ways to the server; the last is there when the peer is installed.
const WAYS: [&str; 4] = ["no proxy", "byte proxy", "Pathwarden", "fastmcp (Python)"];

/// A plain Python MCP proxy.
const FASTMCP: Program =
    Program { python: ".work/bench-py/bin/python", script: "bench/peers/fastmcp_proxy.py" };

/// What is compared: one kind of call at one number of connections.
struct Case {
    call: Call,
    connections: usize,
    samples: Vec<Samples>,
}

/// Measures calls through the gateway of a node with everything on.
pub(crate) fn run(effort: Effort, dir: &Path) -> Result<Table> {
    let (upstream, _serving) = served(servers::upstream)?;
    let (proxy, _proxying) = served(move |listener| byte_proxy(listener, upstream))?;
    let most = CONNECTIONS.into_iter().max().unwrap_or(1);
    let node = Node::start(dir, &configuration(upstream))?;
    let tokens = (0..most).map(|_| node.session()).collect::<Result<_>>()?;
    let peer = Peer::start(&FASTMCP, &[&format!("http://{upstream}/mcp")])?;
    let mut targets =
        vec![Target::plain(upstream), Target::plain(proxy), Target { address: node.mcp, tokens }];
    targets.extend(peer.as_ref().map(|peer| Target::plain(peer.address)));
    let runtime = runtime()?;
    let mut cases = Vec::new();
    for call in [Call::Read, Call::Write] {
        for connections in CONNECTIONS {
            let mut samples: Vec<Samples> = targets.iter().map(|_| Samples::default()).collect();
            for round in 0..=effort.rounds {
                for (target, sample) in targets.iter().zip(&mut samples) {
                    let load = load::run(target, call, connections, effort.turn);
                    let measured = runtime.block_on(load)?;
                    // The first turn opens connections and fills caches.
                    if round > 0 {
                        sample.add(measured);
                    }
                }
            }
            cases.push(Case { call, connections, samples });
        }
    }
    Ok(table(effort, &cases, peer.is_some()))
}

/// The configuration of a node with one server.
fn configuration(upstream: SocketAddr) -> String {
    format!("[servers.files]\ninside = true\nurl = \"http://{upstream}/mcp\"\n")
}

fn table(effort: Effort, cases: &[Case], with_peer: bool) -> Table {
    let peer = if with_peer {
        "fastmcp is a plain Python proxy without policy or ledger."
    } else {
        "The peer fastmcp is not installed: `scripts/setup.sh bench`."
    };
    Table {
        title: "MCP over HTTP: the gateway of a whole node",
        notes: vec![format!(
            "`tools/call` over kept-alive connections, one call under way on each, in turns of {} ms, \
             {} of each. Load, upstream, byte proxy (hyper, pooled) and node share the machine's cores. \
             The node runs the shipped policy pack with a durable ledger: a read is released on its \
             place in the queue, a write when its record is on disk. Each connection is an agent's \
             session of its own; every call has other arguments; the result is 1 KB, observed before \
             it is passed on. {peer}",
            effort.turn.as_millis(),
            effort.rounds
        )],
        columns: vec![
            "",
            "calls",
            "p50",
            "p99",
            "added p50",
            "added p99",
            "of the byte proxy's throughput",
        ],
        rows: cases.iter().flat_map(rows).collect(),
        aims: cases.iter().flat_map(aims).collect(),
    }
}

fn rows(case: &Case) -> Vec<Vec<Cell>> {
    let [direct, proxy, ..] = case.samples.as_slice() else { return Vec::new() };
    let row = |(way, sample): (&&str, &Samples)| {
        vec![
            Cell::text(format!("{}, {} connections: {way}", case.call, case.connections)),
            Cell::Rate(sample.rate()),
            Cell::Micros(sample.p50()),
            Cell::Micros(sample.p99()),
            Cell::Micros(sample.p50() - direct.p50()),
            Cell::Micros(sample.p99() - direct.p99()),
            Cell::Ratio(sample.rate() / proxy.rate()),
        ]
    };
    WAYS.iter().zip(&case.samples).map(row).collect()
}

/// The aims are for the proxy itself; a write also waits for the disk, as it must.
fn aims(case: &Case) -> Vec<Aim> {
    let mut aims = Vec::new();
    let [direct, proxy, ours, ..] = case.samples.as_slice() else { return aims };
    if case.call == Call::Read && case.connections == AIMED_AT {
        let (p50, p99) = (ours.p50() - direct.p50(), ours.p99() - direct.p99());
        aims.push(Aim::at_most("read, 1 connection: added p50 ≤ 150 µs", Cell::Micros(p50), 150.0));
        aims.push(Aim::at_most("read, 1 connection: added p99 ≤ 1 ms", Cell::Micros(p99), 1e3));
    }
    if case.connections == 64 {
        let ratio = Cell::Ratio(ours.rate() / proxy.rate());
        let aim = match case.call {
            Call::Read => "read, 64 connections: ≥ 0.60 of the byte proxy's throughput",
            Call::Write => "write, 64 connections: ≥ 0.60 of the byte proxy's throughput",
        };
        aims.push(Aim::at_least(aim, ratio, 0.6));
    }
    aims
}
