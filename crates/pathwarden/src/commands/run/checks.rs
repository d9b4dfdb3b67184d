//! What can be wrong with what a run is asked for, found before a session begins.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use pathwarden_config::is_host_and_port;

/// The folder that the agent works in, without links. `home` is the node's.
pub(crate) fn workspace(named: Option<&Path>, home: &Path) -> anyhow::Result<PathBuf> {
    let path = named.unwrap_or(Path::new("."));
    let shown = path.display();
    let workspace = fs::canonicalize(path).map_err(|error| {
        anyhow!("there is no workspace `{shown}` ({error}); name a folder with --workspace")
    })?;
    if !workspace.is_dir() {
        bail!("the workspace `{shown}` is not a folder; name one with --workspace");
    }
    if workspace == Path::new("/") {
        bail!("the workspace cannot be the whole machine; name a folder with --workspace");
    }
    keep_apart(&workspace, home)?;
    Ok(workspace)
}

/// Nobody inside may see the node's home, and the agent is to see all of its workspace.
fn keep_apart(workspace: &Path, home: &Path) -> anyhow::Result<()> {
    let Ok(home) = fs::canonicalize(home) else { return Ok(()) };
    let how = if workspace == home {
        "is"
    } else if home.starts_with(workspace) {
        "holds"
    } else if workspace.starts_with(&home) {
        "lies in"
    } else {
        return Ok(());
    };
    bail!(
        "the workspace `{}` {how} the node's home `{}`, which no agent may see; choose another folder \
         with --workspace",
        workspace.display(),
        home.display()
    )
}

/// Paths that an option names. A path that is not there would be granted to nobody.
pub(super) fn paths(option: &str, named: &[PathBuf]) -> anyhow::Result<()> {
    for path in named {
        fs::metadata(path).map_err(|error| {
            let path = path.display();
            anyhow!("`{option} {path}`: {error}; name a folder or file that is there")
        })?;
    }
    Ok(())
}

/// Hosts with ports. One that does not resolve could not be reached whatever is decided.
pub(super) async fn reach(named: &[String]) -> anyhow::Result<()> {
    for one in named {
        if !is_host_and_port(one) || one.contains('*') {
            bail!("`{one}` is no host with a port; write it like `crates.io:443`");
        }
        if let Err(error) = tokio::net::lookup_host(one).await {
            bail!("`{one}` does not resolve ({error}); check the name, or leave out the --reach");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{paths, reach, workspace};

    #[test]
    fn a_workspace_is_a_folder_apart_from_the_home_of_the_node() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |below: &str| folder.path().join(below);
        fs::create_dir_all(at("home/keys")).expect("a home");
        fs::create_dir_all(at("work")).expect("a workspace");
        fs::write(at("file"), "").expect("a file");
        std::os::unix::fs::symlink(at("home"), at("link")).expect("a link");
        let told = |below: &str, home: &str| match workspace(Some(&at(below)), &at(home)) {
            Ok(found) => found.display().to_string(),
            Err(error) => error.to_string(),
        };
        for (below, home, want) in [
            ("work", "home", "/work"),
            ("work", "nowhere", "/work"),
            ("nowhere", "home", "there is no workspace"),
            ("file", "home", "is not a folder"),
            ("home", "home", "is the node's home"),
            ("link", "home", "is the node's home"),
            ("", "home", "holds the node's home"),
            ("", "link", "holds the node's home"),
            ("home/keys", "home", "lies in the node's home"),
        ] {
            let told = told(below, home);
            assert!(told.contains(want), "{below} with {home}: {told}");
        }
        assert!(workspace(Some(Path::new("/")), &at("home")).is_err());
    }

    #[test]
    fn a_path_that_is_not_there_is_told_with_its_option() {
        paths("--read", &["/".into()]).expect("there");
        let error = paths("--read", &["/".into(), "/no/such".into()]).expect_err("not there");
        assert!(error.to_string().starts_with("`--read /no/such`"), "{error}");
    }

    #[tokio::test]
    async fn what_is_reached_is_a_host_that_resolves_with_a_port() {
        let told = async |one: &str| match reach(&[one.to_owned()]).await {
            Ok(()) => "ok".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(told("127.0.0.1:443").await, "ok");
        assert_eq!(told("[::1]:443").await, "ok");
        for wrong in ["crates.io", "crates.io:", ":443", "*:443", "*.crates.io:443", "crates.io:0"]
        {
            let told = told(wrong).await;
            assert!(told.contains("no host with a port"), "{wrong}: {told}");
        }
        // Longer than a label may be, so that nobody is asked for it.
        let told = told(&format!("{}:443", "x".repeat(64))).await;
        assert!(told.contains("does not resolve"), "{told}");
    }
}
