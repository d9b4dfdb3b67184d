//! Containers and clusters: the daemon is reached, folders are lent, and commands run inside.

use super::packages::word;
use super::{Handler, options};
use crate::hosts;
use crate::plan::{Act, Doubt};
use crate::value::{Flow, Taint, Value};
use crate::walk::{Call, Walk, joined};

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "docker" | "podman" | "nerdctl" => docker,
        "kubectl" | "oc" | "helm" => kubectl,
        _ => return None,
    })
}

fn docker(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let global = options::read_to_command(call.arguments, "H host c context config l log-level");
    match global.value(&["H", "host"]) {
        Some(host) => {
            walk.reach(&hosts::of_url(&host.text).unwrap_or_else(|| host.text.clone()), host.taint);
        }
        None => walk.reach("unix:/var/run/docker.sock", Taint::default()),
    }
    let Some((verb, rest)) = global.operands.split_first() else { return Flow::unknown() };
    let takes = "v volume mount e env env-file name p publish w workdir u user net network pid ipc \
                 entrypoint h hostname l label m memory cap-add device security-opt volumes-from f file t \
                 tag build-arg platform add-host cidfile restart userns cgroupns";
    let options = options::read_to_command(rest, takes);
    for volume in options.values(&["v", "volume"]) {
        let host = volume.text.split(':').next().unwrap_or_default();
        mounted(walk, &volume.derived(host));
    }
    for mount in options.values(&["mount"]) {
        let parts = mount.text.split(',').filter_map(|part| part.split_once('='));
        for (_, source) in parts.filter(|(name, _)| matches!(*name, "source" | "src")) {
            mounted(walk, &mount.derived(source));
        }
    }
    for file in options.values(&["env-file", "f", "file"]) {
        walk.touch(Act::Read, file);
    }
    let host_space =
        options.values(&["pid", "net", "network", "ipc", "userns"]).any(|one| one.text == "host");
    if options.has(&["privileged"]) || host_space || options.value(&["cap-add", "device"]).is_some()
    {
        walk.doubt(Doubt::Privilege);
    }
    container(walk, call, &verb.text, &options)
}

/// A container sees the folder, and may write in it.
fn mounted(walk: &mut Walk<'_>, folder: &Value) {
    if folder.text.contains('/') || folder.text.starts_with(['.', '~']) {
        walk.touch(Act::Read, folder);
        walk.touch(Act::Write, folder);
    }
}

fn container(walk: &mut Walk<'_>, call: &Call<'_>, verb: &str, options: &options::Options) -> Flow {
    match verb {
        "run" | "create" | "exec" => {
            if verb != "exec" {
                walk.reach(&registry_of(options.operands.first()), Taint::default());
            }
            return walk.start(options.command(1), call.input);
        }
        "pull" | "push" => walk.reach(&registry_of(options.operands.first()), Taint::default()),
        "build" => options.operands.iter().for_each(|place| walk.touch(Act::Read, place)),
        "cp" => {
            for place in options.operands.iter().filter(|one| !one.text.contains(':')) {
                mounted(walk, place);
            }
        }
        "kill" | "stop" | "rm" | "rmi" | "restart" => {
            options.operands.iter().for_each(|one| walk.change("process:", one));
        }
        "system" | "volume" | "image" if options.operands.iter().any(|one| one.text == "prune") => {
            walk.doubt(Doubt::Wildcard);
            walk.add(Act::Change, "system");
        }
        _ => {}
    }
    Flow::unknown()
}

/// The host in front of the name of an image, where there is one.
fn registry_of(image: Option<&Value>) -> String {
    let first = image.and_then(|image| image.text.split_once('/')).map(|(first, _)| first);
    let host = first.filter(|first| first.contains(['.', ':']));
    host.unwrap_or("registry-1.docker.io").to_owned()
}

fn kubectl(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "s server n namespace f filename k kubeconfig context c container o output token as \
                 l selector image repo values set";
    let place = call.arguments.iter().position(|one| one.text == "--");
    let (own, command) = call.arguments.split_at(place.unwrap_or(call.arguments.len()));
    let options = options::read(own, takes);
    match options.value(&["s", "server"]) {
        Some(server) => {
            let host = hosts::of_loose_url(&server.text).unwrap_or_default();
            walk.reach(&host, server.taint);
        }
        None => walk.reach("kubernetes", Taint::default()),
    }
    for file in options.values(&["f", "filename", "k", "kubeconfig", "values"]) {
        super::table::read(walk, file);
    }
    if matches!(word(call), "delete" | "drain" | "cordon" | "scale" | "apply" | "create" | "patch")
    {
        let what = joined(options.command(0));
        walk.change("system:", &what);
    }
    if let Some(command) = command.get(1..) {
        return walk.start(command, call.input);
    }
    Flow::unknown()
}
