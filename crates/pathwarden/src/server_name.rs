//! A server's name from its command, when nobody gave one.

use std::ffi::OsString;
use std::path::Path;

use pathwarden_types::Name;

/// Programs that start another; the name is that of what they start.
const LAUNCHERS: &[&str] = &[
    "npx", "node", "uvx", "uv", "run", "python", "python3", "deno", "bun", "bunx", "docker", "env",
];

/// The name of a server's program or package: without folder, scope, version and ending.
pub(crate) fn of(command: &[OsString]) -> Option<Name> {
    command
        .iter()
        .filter_map(|word| word.to_str())
        .filter(|word| !word.starts_with('-') && !word.contains('='))
        .map(bare)
        .find(|word| !word.is_empty() && !LAUNCHERS.contains(word))?
        .parse()
        .ok()
}

fn bare(word: &str) -> &str {
    let name = Path::new(word).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.split_once('@').map_or(name, |(before, _)| before);
    name.strip_suffix(".py")
        .or_else(|| name.strip_suffix(".js"))
        .or_else(|| name.strip_suffix(".mjs"))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_server_is_called_what_its_program_is_called() {
        for (command, want) in [
            ("npx -y @modelcontextprotocol/server-filesystem /data", "server-filesystem"),
            ("uvx mcp-server-git@1.2 --repository x", "mcp-server-git"),
            ("/usr/local/bin/mail-mcp --maildir x", "mail-mcp"),
            ("python3 -u tools/notes.py", "notes"),
            ("env A=b node dist/server.js", "server"),
        ] {
            let words: Vec<_> = command.split(' ').map(Into::into).collect();
            assert_eq!(of(&words).map(String::from).as_deref(), Some(want), "{command}");
        }
        assert_eq!(of(&["npx".into(), "-y".into()]), None);
    }
}
