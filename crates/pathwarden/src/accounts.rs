//! The accounts of this machine.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, anyhow};

/// What passwd(5) says of a user.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) home: PathBuf,
}

impl Account {
    /// The user of this name.
    pub(crate) fn named(name: &str) -> anyhow::Result<Self> {
        let found = all()?.into_iter().find(|account| account.name == name);
        found.ok_or_else(|| anyhow!("there is no user `{name}`; see `/etc/passwd`"))
    }

    /// The user of this number.
    pub(crate) fn of(uid: u32) -> anyhow::Result<Self> {
        let found = all()?.into_iter().find(|account| account.uid == uid);
        found.ok_or_else(|| anyhow!("there is no user with the number {uid}; see `/etc/passwd`"))
    }

    /// Groups that the user is in, besides the own one.
    pub(crate) fn groups(&self) -> anyhow::Result<Vec<u32>> {
        let lines = fs::read_to_string("/etc/group").context("read `/etc/group`")?;
        let groups = lines.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let group = fields.nth(2)?.parse().ok()?;
            fields.next()?.split(',').any(|member| member == self.name).then_some(group)
        });
        Ok(groups.collect())
    }
}

fn all() -> anyhow::Result<Vec<Account>> {
    let lines = fs::read_to_string("/etc/passwd").context("read `/etc/passwd`")?;
    Ok(lines.lines().filter_map(account).collect())
}

fn account(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { name, uid, gid, home: fields.nth(1)?.into() })
}

#[cfg(test)]
mod tests {
    use super::{Account, account};

    #[test]
    fn a_line_is_read_and_a_broken_one_is_nobody() {
        let want =
            Account { name: "dana".to_owned(), uid: 1000, gid: 100, home: "/home/dana".into() };
        assert_eq!(account("dana:x:1000:100:Dana,,:/home/dana:/bin/sh"), Some(want));
        for broken in ["", "dana", "dana:x:many:100::/home/dana:/bin/sh", "dana:x:1000:100"] {
            assert_eq!(account(broken), None, "{broken}");
        }
    }
}
