//! Variables that make programs do something.

use crate::plan::{Act, Doubt};
use crate::value::{Flow, Value};
use crate::walk::Walk;

/// Takes down what a variable of the environment does when it has this value.
pub(crate) fn set(walk: &mut Walk<'_>, name: &str, value: &Value) {
    if value.text.is_empty() {
        return;
    }
    match name {
        "LD_PRELOAD" | "LD_AUDIT" | "DYLD_INSERT_LIBRARIES" => {
            for library in value.text.split([':', ' ']).filter(|library| !library.is_empty()) {
                let library = value.derived(library);
                walk.touch(Act::Read, &library);
                walk.run(&library);
            }
        }
        "BASH_ENV" | "ENV" | "PYTHONSTARTUP" => {
            walk.touch(Act::Read, value);
            if walk.has_content(value) {
                let content = walk.content(value);
                walk.run_flow(&content, &[]);
            }
        }
        "PROMPT_COMMAND"
        | "GIT_SSH_COMMAND"
        | "GIT_SSH"
        | "GIT_EDITOR"
        | "GIT_PAGER"
        | "GIT_ASKPASS"
        | "SSH_ASKPASS"
        | "GIT_EXTERNAL_DIFF"
        | "GIT_SEQUENCE_EDITOR"
        | "PAGER"
        | "MANPAGER"
        | "EDITOR"
        | "VISUAL"
        | "LESSOPEN"
        | "LESSCLOSE"
        | "BROWSER"
        | "RSYNC_RSH"
        | "GIT_PROXY_COMMAND" => drop(walk.shell(value, &[], &Flow::unknown())),
        "HISTFILE" | "HISTSIZE" | "HISTFILESIZE" | "HISTIGNORE" => walk.doubt(Doubt::History),
        "NODE_OPTIONS" | "PERL5OPT" | "RUBYOPT" | "JAVA_TOOL_OPTIONS" => {
            for word in value.text.split(' ').filter(|word| word.contains('/')) {
                let path = word.split('=').next_back().unwrap_or(word);
                walk.touch(Act::Read, &value.derived(path));
                walk.doubt(Doubt::Opaque);
            }
        }
        name if name.starts_with("GIT_CONFIG_VALUE") => {
            let code = value.text.strip_prefix('!').unwrap_or(&value.text);
            if code.contains([' ', '/']) {
                walk.shell(&value.derived(code), &[], &Flow::unknown());
            }
        }
        _ => {}
    }
}
