//! A Maildir: a mail is written to `tmp` and then renamed to `new`, so that no reader sees half a mail.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use thiserror::Error;

use super::address::Address;
use super::message::Draft;

/// Mails that one listing shows.
const MAX_LISTED: usize = 1000;

/// A Maildir on disk.
#[derive(Debug)]
pub struct Maildir {
    root: PathBuf,
    delivered: AtomicU64,
}

/// A mail that was delivered.
#[derive(Debug)]
pub struct Delivered {
    /// Its id in this Maildir: the file name.
    pub id: String,
    /// Its Message-ID header.
    pub message_id: String,
}

/// A mail in a listing; headers that it lacks are empty.
#[derive(Debug)]
pub struct Listed {
    /// Its id in this Maildir: the file name.
    pub id: String,
    /// The To header.
    pub to: String,
    /// The Subject header, as it stands in the file.
    pub subject: String,
    /// The Date header.
    pub date: String,
}

/// Why the Maildir could not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MailError {
    /// The disk said no.
    #[error("the mailbox cannot be used: {0}")]
    Io(#[from] io::Error),
    /// There is no such mail.
    #[error("there is no mail `{}`: `list_mail` gives the ids", .0.escape_debug())]
    Unknown(String),
}

impl Maildir {
    /// Opens a Maildir and makes what it lacks of `tmp`, `new` and `cur`.
    ///
    /// # Errors
    ///
    /// When the directories cannot be made.
    pub fn create(root: &Path) -> Result<Self, MailError> {
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(root.join(part))?;
        }
        Ok(Self { root: root.to_owned(), delivered: AtomicU64::new(0) })
    }

    /// Delivers a mail; when this returns, it is on disk.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn deliver(&self, from: &Address, draft: &Draft) -> Result<Delivered, MailError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (seconds, micros) = (now.as_secs(), now.subsec_micros());
        let count = self.delivered.fetch_add(1, Ordering::Relaxed);
        let id = format!("{seconds}.M{micros:06}P{}Q{count}.mail-mcp", process::id());
        let message_id =
            format!("<{id}@{}>", from.to_string().rsplit('@').next().unwrap_or_default());
        let (temporary, place) = (self.root.join("tmp").join(&id), self.root.join("new").join(&id));
        let mut file = File::create_new(&temporary)?;
        file.write_all(draft.render(from, &message_id, seconds).as_bytes())?;
        file.sync_all()?;
        fs::rename(temporary, place)?;
        Ok(Delivered { id, message_id })
    }

    /// The mails, oldest first.
    ///
    /// # Errors
    ///
    /// When the Maildir cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>, MailError> {
        let mut files = self.files()?;
        files.sort();
        files.truncate(MAX_LISTED);
        files
            .into_iter()
            .map(|(id, path)| {
                let text = String::from_utf8_lossy(&fs::read(path)?).into_owned();
                let header = |name| header(&text, name).unwrap_or_default().to_owned();
                Ok(Listed {
                    to: header("To"),
                    subject: header("Subject"),
                    date: header("Date"),
                    id,
                })
            })
            .collect()
    }

    /// The whole mail with this id.
    ///
    /// # Errors
    ///
    /// When there is no mail with this id. The id is looked up, never made into a path.
    pub fn read(&self, id: &str) -> Result<String, MailError> {
        let known = self.files()?.into_iter().find(|(known, _)| known == id);
        let (_, path) = known.ok_or_else(|| MailError::Unknown(id.to_owned()))?;
        Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
    }

    fn files(&self) -> Result<Vec<(String, PathBuf)>, MailError> {
        let mut files = Vec::new();
        for part in ["new", "cur"] {
            for entry in fs::read_dir(self.root.join(part))? {
                let entry = entry?;
                files.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
            }
        }
        Ok(files)
    }
}

/// The value of a header on one line, above the first blank line.
fn header<'a>(mail: &'a str, name: &str) -> Option<&'a str> {
    mail.lines().take_while(|line| !line.is_empty()).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    fn deliver(maildir: &Maildir, subject: &str) -> Result<Delivered, Box<dyn std::error::Error>> {
        let to = ["a@example.com".to_owned()];
        let draft = Draft::new(&to, &[], subject.to_owned(), "text".to_owned())?;
        Ok(maildir.deliver(&"ap@example.org".parse()?, &draft)?)
    }

    #[test]
    fn a_delivered_mail_is_listed_and_can_be_read() -> Outcome {
        let dir = tempfile::tempdir()?;
        let maildir = Maildir::create(dir.path())?;
        let first = deliver(&maildir, "first")?;
        deliver(&maildir, "second")?;
        let listed = maildir.list()?;
        let subjects: Vec<_> = listed.iter().map(|mail| mail.subject.as_str()).collect();
        assert_eq!(subjects, ["first", "second"]);
        assert!(maildir.read(&first.id)?.ends_with("\r\n\r\ntext\r\n"));
        assert_eq!(fs::read_dir(dir.path().join("tmp"))?.count(), 0);
        Ok(())
    }

    #[test]
    fn an_id_is_no_path() -> Outcome {
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join("secret"), "secret")?;
        let maildir = Maildir::create(dir.path())?;
        for id in ["../secret", "../../etc/passwd", "", "."] {
            assert!(matches!(maildir.read(id), Err(MailError::Unknown(_))), "{id}");
        }
        Ok(())
    }
}
