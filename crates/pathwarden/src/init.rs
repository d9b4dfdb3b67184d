//! `init`: the only command that makes keys or an empty ledger.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use pathwarden_ledger::Signer;
use pathwarden_types::Digest;
use pathwarden_warden::{Role, TokenKey};

use crate::cli::{At, Init};
use crate::home::Home;
use crate::out::Out;

/// The policy that a new home gets.
const PACK: &[(&str, &str)] = &[
    ("baseline.rego", include_str!("../../../policies/baseline.rego")),
    ("baseline_test.rego", include_str!("../../../policies/baseline_test.rego")),
    ("finance.rego", include_str!("../../../policies/finance.rego")),
    ("finance_test.rego", include_str!("../../../policies/finance_test.rego")),
    ("fixture_test.rego", include_str!("../../../policies/fixture_test.rego")),
    ("host.rego", include_str!("../../../policies/host.rego")),
    ("host_test.rego", include_str!("../../../policies/host_test.rego")),
    ("model.rego", include_str!("../../../policies/model.rego")),
    ("model_test.rego", include_str!("../../../policies/model_test.rego")),
    ("README.md", include_str!("../../../policies/README.md")),
];

/// The rules of the pack, without their tests.
pub(crate) fn rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    let is_rule = |path: &str| path.ends_with(".rego") && !path.ends_with("_test.rego");
    PACK.iter().copied().filter(move |(path, _)| is_rule(path))
}

/// The configuration that a new home gets.
const CONFIGURATION: &str = include_str!("pathwarden.toml");

/// Makes a home. Refuses to touch one that is there.
pub(crate) fn run(at: &At, args: &Init, out: &Out) -> anyhow::Result<ExitCode> {
    let home = Home::new(at)?;
    let is_made = home.is_made();
    if is_made.with_context(|| format!("look into `{}`", home.dir().display()))? {
        bail!(
            "`{}` is a home already; keys and ledgers are never overwritten",
            home.dir().display()
        );
    }
    folder(home.dir(), 0o755)?;
    folder(&home.below("run"), 0o755)?;
    for private in ["keys", "tokens"] {
        folder(&home.below(private), 0o700)?;
    }
    let origin = make_ledger(&home)?;
    make_tokens(&home)?;
    folder(&home.below("policies"), 0o755)?;
    for (name, text) in PACK {
        file(&home.below("policies").join(name), text.as_bytes(), 0o644)?;
    }
    file(&home.config_file(), configuration(&args.domain).as_bytes(), 0o644)?;
    if out.is_json() {
        out.document(&serde_json::json!({ "home": home.dir(), "node": origin }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let dir = home.dir().display();
    out.line(format!("made {dir}"));
    out.line("  pathwarden.toml   agents, servers, limits: edit this first");
    out.line("  policies/         what may be done; `pathwarden policy test`");
    out.line(format!("  keys/ledger.vkey  give this to your auditors: {origin}"));
    out.line("  tokens/operator   yours; `pathwarden` finds it by itself");
    out.line("next: pathwarden up");
    Ok(ExitCode::SUCCESS)
}

/// Makes the signing key and a log of its name.
fn make_ledger(home: &Home) -> anyhow::Result<String> {
    let seed: [u8; 32] = random()?;
    let name = format!("pathwarden.local/{}", short(&Digest::of(&random::<32>()?)));
    let signer = Signer::from_seed(&name, &seed).context("make a signing key")?;
    let der = signer.to_pkcs8().context("write the signing key")?;
    file(&home.signing_key(), &der, 0o600)?;
    let verifier = format!("{}\n", signer.verifier_key());
    file(&home.verifier_key(), verifier.as_bytes(), 0o644)?;
    folder(&home.ledger(), 0o700)?;
    pathwarden_store::create(&home.ledger(), &name, &signer).context("make an empty ledger")?;
    Ok(name)
}

fn make_tokens(home: &Home) -> anyhow::Result<()> {
    let secret: [u8; TokenKey::BYTES] = random()?;
    file(&home.token_key(), &secret, 0o600)?;
    let key = TokenKey::new(&secret);
    for role in [Role::Operator, Role::Auditor] {
        let token = format!("{}\n", key.for_person(role));
        file(&home.token(&role.to_string()), token.as_bytes(), 0o600)?;
    }
    Ok(())
}

fn configuration(domains: &[String]) -> String {
    let quoted: Vec<String> = domains.iter().map(|domain| format!("{domain:?}")).collect();
    CONFIGURATION.replace("domains = []", &format!("domains = [{}]", quoted.join(", ")))
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("ask the system for randomness")?;
    Ok(bytes)
}

fn short(digest: &Digest) -> String {
    digest.to_string().chars().take(8).collect()
}

fn folder(path: &Path, mode: u32) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .with_context(|| format!("make the folder `{}`", path.display()))
}

/// Writes a file that is not there yet.
fn file(path: &Path, content: &[u8], mode: u32) -> anyhow::Result<()> {
    let context = || format!("write `{}`", path.display());
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .with_context(context)?;
    file.write_all(content).with_context(context)?;
    fs::File::sync_all(&file).with_context(context)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{CONFIGURATION, PACK, configuration};

    #[test]
    fn a_new_home_gets_the_whole_pack() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies");
        let there: BTreeSet<String> = std::fs::read_dir(dir)
            .expect("the pack")
            .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
            .collect();
        let given: BTreeSet<String> = PACK.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(given, there);
    }

    #[test]
    fn the_configuration_of_a_new_home_is_sound() {
        let text = configuration(&["acme.example".to_owned()]);
        assert_ne!(text, CONFIGURATION);
        let config = pathwarden_config::Config::parse(&text).expect("sound");
        assert!(config.settings.inside_domains.contains("acme.example"));
    }
}
