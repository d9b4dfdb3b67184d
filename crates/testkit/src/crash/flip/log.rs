//! A small sound log with everything in it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use pathwarden_wire::Answer;
use serde_json::json;

use crate::node::{Agent, Home, Programs};

/// Room in one segment: so little that there are several.
const SEGMENT_BYTES: u64 = 32 * 1024;

/// Entries besides the real ones, so that there are two full bundles and a partial one, and several
/// segments.
const FILLING: u64 = 580;

/// A home whose ledger is sound, and what its node answers.
pub(super) struct Sound {
    pub(super) home: Home,
    pub(super) answers: Vec<String>,
    session: String,
    action: String,
}

impl Sound {
    pub(super) async fn make(programs: &Programs, folder: &Path) -> Result<Self> {
        let home = Home::init(programs, folder, super::super::CONFIGURATION)?;
        let node = home.up()?;
        let (session, action) = work(&home).await?;
        node.stop()?;
        let contents = (0..FILLING).map(|number| format!("content {number}").into_bytes());
        home.append_aside(SEGMENT_BYTES, contents)?;
        let mut sound = Self { home, answers: Vec::new(), session, action };
        let copy = folder.with_file_name("copy");
        super::copy_folder(folder, &copy)?;
        let copied = Home::at(programs, &copy);
        let node = copied.up()?;
        sound.answers = sound.answers(&copied)?;
        node.stop()?;
        fs::remove_dir_all(&copy).context("remove the copy")?;
        sound.home.verify(&[])?.success().context("verify the log before any flip")?;
        Ok(sound)
    }

    /// What a node answers to questions that go through the index.
    pub(super) fn answers(&self, home: &Home) -> Result<Vec<String>> {
        [["path", &self.session], ["why", &self.action]]
            .iter()
            .map(|question| home.pathwarden(&[&["--json"], &question[..]].concat())?.success())
            .collect()
    }
}

/// Some real decisions.
async fn work(home: &Home) -> Result<(String, String)> {
    let operator = home.person("operator")?;
    let agent = Agent::start(home, &operator, "clerk", "look things up").await?;
    let mut last = None;
    for number in 0..5 {
        let answer = agent.ask("desk", "look", &json!({ "number": number })).await?;
        let Answer::Release(permit) = answer else { bail!("a read was refused: {answer:?}") };
        agent.done(permit.action(), &format!("here is number {number}")).await?;
        last = Some(permit.action());
    }
    let action = last.context("five actions")?;
    Ok((agent.session.to_string(), action.to_string()))
}
