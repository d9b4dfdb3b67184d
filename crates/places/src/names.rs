//! Names that tell what a file is, wherever it lies.

use crate::Place;
use crate::path::components;
use crate::tables::Names;

/// Files that are private keys by their name.
const KEY_NAMES: [&str; 8] = [
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    "id_rsa",
    "id_xmss",
    "wallet.dat",
];

/// Endings of keys and of stores of keys or passwords. `.pem` is often only a certificate; nobody can see
/// that from the name.
const KEY_ENDINGS: [&str; 15] = [
    ".agekey",
    ".jceks",
    ".jks",
    ".kdb",
    ".kdbx",
    ".key",
    ".keystore",
    ".keytab",
    ".p12",
    ".p8",
    ".pem",
    ".pfx",
    ".pkcs12",
    ".ppk",
    ".psafe3",
];

/// Files of passwords and tokens that programs look for in the folder that they run in.
const TOKEN_NAMES: [&str; 7] =
    [".env", ".envrc", ".git-credentials", ".htpasswd", ".netrc", ".pgpass", ".vault-token"];

/// `.env.production` and so on hold secrets, but these are for copying.
const SAMPLE_ENDINGS: [&str; 6] =
    [".default", ".defaults", ".dist", ".example", ".sample", ".template"];

/// Public lists of authorities that carry the ending of a key.
const PUBLIC_NAMES: [&str; 4] =
    ["ca-bundle.pem", "ca-certificates.pem", "cacert.pem", "cacerts.pem"];

/// Folders of fetched packages, which bring test keys of their own.
const PACKAGE_FOLDERS: [&str; 3] = ["dist-packages", "node_modules", "site-packages"];

/// Files in a folder of that name that a coding agent or an editor takes commands from.
const AGENT_FILES: [(&str, &str); 6] = [
    (".claude", "hooks"),
    (".claude", "settings.json"),
    (".claude", "settings.local.json"),
    (".gemini", "settings.json"),
    (".codex", "config.toml"),
    (".vscode", "tasks.json"),
];

/// Where a coding agent keeps what it is let in with.
const AGENT_TOKENS: [(&str, &str); 4] = [
    (".claude", ".credentials.json"),
    (".codex", "auth.json"),
    (".gemini", "google_accounts.json"),
    (".gemini", "oauth_creds.json"),
];

/// What the names in `path` make of a place that a row gave it.
///
/// `kept` is how many bytes of the path led to the row: the person who named a folder a workspace knows
/// what it is called, so only what is below counts.
pub(crate) fn tell(path: &[u8], kept: usize, place: Place, names: Names) -> Place {
    match place {
        Place::Device | Place::Process | Place::Persistence | Place::Control | Place::Warden => {
            place
        }
        Place::Credential => public_half(path).unwrap_or(place),
        Place::Workspace
        | Place::System
        | Place::Toolchain
        | Place::Temporary
        | Place::Home
        | Place::Elsewhere => below(path.get(kept..).unwrap_or(path), place, names),
    }
}

/// In `.ssh`, what may be known: public keys, and the keys of hosts.
fn public_half(path: &[u8]) -> Option<Place> {
    let mut parts = components(path).rev();
    let name = parts.next()?;
    let is_public = ends(name, ".pub") || matches!(name, b"known_hosts" | b"known_hosts.old");
    (is_public && parts.next() == Some(b".ssh")).then_some(Place::Home)
}

fn below(inside: &[u8], place: Place, names: Names) -> Place {
    let name = components(inside).next_back().unwrap_or_default();
    if names == Names::Tell && (is_token(name) || is_key(name) && !is_packaged(inside)) {
        return Place::Credential;
    }
    if starts_later(name) {
        return Place::Persistence;
    }
    if has_telling_folder(inside) { folders(inside, place) } else { place }
}

/// Folders that matter begin with a dot or end in `.git`; most paths have neither.
fn has_telling_folder(inside: &[u8]) -> bool {
    inside.windows(5).any(|part| part.starts_with(b"/.") || part == b".git/")
}

/// Python imports them at every start.
fn starts_later(name: &[u8]) -> bool {
    matches!(name, b"sitecustomize.py" | b"usercustomize.py" | b".mcp.json")
}

/// What folders further up say, each with the component after it.
fn folders(inside: &[u8], place: Place) -> Place {
    let mut parts = components(inside).peekable();
    while let Some(folder) = parts.next() {
        let Some(next) = parts.peek() else { break };
        if folder == b".cursor" || is_pair(&AGENT_FILES, folder, next) {
            return Place::Persistence;
        }
        if is_pair(&AGENT_TOKENS, folder, next) {
            return Place::Credential;
        }
        if folder.ends_with(b".git") && git_runs(&parts, place) {
            return Place::Persistence;
        }
    }
    place
}

/// Whether git runs what is written at this path in a repository: hooks anywhere, and settings outside the
/// workspace, where nobody needs to change them daily.
///
/// The samples that every new repository has are not run. What Cargo and others check out is theirs.
fn git_runs<'a>(parts: &(impl DoubleEndedIterator<Item = &'a [u8]> + Clone), place: Place) -> bool {
    let name = parts.clone().next_back().unwrap_or_default();
    let is_hook = parts.clone().any(|part| part == b"hooks") && !ends(name, ".sample");
    // A branch may be called `hooks/x`: what is in these folders is data.
    let is_data = parts
        .clone()
        .next()
        .is_some_and(|first| matches!(first, b"refs" | b"logs" | b"objects" | b"lfs" | b"info"));
    let is_setting = matches!(name, b"config" | b"config.worktree");
    match place {
        Place::Workspace | Place::Temporary => is_hook && !is_data,
        Place::Home | Place::Elsewhere | Place::System => (is_hook || is_setting) && !is_data,
        Place::Toolchain
        | Place::Device
        | Place::Process
        | Place::Credential
        | Place::Persistence
        | Place::Control
        | Place::Warden => false,
    }
}

fn is_pair(pairs: &[(&str, &str)], folder: &[u8], next: &[u8]) -> bool {
    pairs.iter().any(|(left, right)| left.as_bytes() == folder && right.as_bytes() == next)
}

fn is_token(name: &[u8]) -> bool {
    if name.first() != Some(&b'.') {
        return false;
    }
    let is_one_of_many =
        name.starts_with(b".env.") && !SAMPLE_ENDINGS.iter().any(|end| ends(name, end));
    is_one_of_many || TOKEN_NAMES.iter().any(|token| name.eq_ignore_ascii_case(token.as_bytes()))
}

fn is_key(name: &[u8]) -> bool {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    let is_host_key = name.starts_with(b"ssh_host_") && name.ends_with(b"_key");
    is_host_key
        || KEY_NAMES.iter().any(|known| is(known))
        || KEY_ENDINGS.iter().any(|ending| ends(name, ending))
            && !PUBLIC_NAMES.iter().any(|public| ends(name, public))
}

fn is_packaged(inside: &[u8]) -> bool {
    let mut folders = components(inside);
    folders.next_back();
    folders.any(|part| PACKAGE_FOLDERS.iter().any(|folder| folder.as_bytes() == part))
}

fn ends(name: &[u8], ending: &str) -> bool {
    name.len()
        .checked_sub(ending.len())
        .and_then(|start| name.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(ending.as_bytes()))
}
