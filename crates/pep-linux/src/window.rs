//! What the kernel saw while a call of a tool was open.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

use pathwarden_types::{Digest, HostAct, HostVerb, Measured, MeasuredAct, Name};

/// The most acts that are told apart in one window; more are counted.
const ACTS_MAX: usize = 4_096;

/// The longest file whose content is taken, in bytes.
const CONTENT_BYTES_MAX: u64 = 256 << 10;

/// The most files whose content is taken of one window.
const CONTENTS_MAX: usize = 16;

/// The most windows of one server.
pub(crate) const WINDOWS_MAX: usize = 1_024;

/// One act, counted.
#[derive(Clone, Debug, Default)]
struct Count {
    times: u64,
    refused: bool,
}

/// A call of a tool that is open: what its server's processes do belongs to it.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) server: Name,
    pub(crate) tool: String,
    processes: u64,
    acts: BTreeMap<HostAct, Count>,
    more: u64,
    /// Bytes out and in, by address, when it began.
    traffic: Traffic,
    lost: u64,
}

/// Bytes out and in, by address.
pub(crate) type Traffic = HashMap<String, (u64, u64)>;

impl Window {
    pub(crate) fn new(server: Name, tool: String, traffic: Traffic, lost: u64) -> Self {
        Self { server, tool, processes: 0, acts: BTreeMap::new(), more: 0, traffic, lost }
    }

    pub(crate) const fn start_process(&mut self) {
        self.processes = self.processes.saturating_add(1);
    }

    pub(crate) fn note(&mut self, act: &HostAct, refused: bool) {
        if self.acts.len() >= ACTS_MAX && !self.acts.contains_key(act) {
            self.more = self.more.saturating_add(1);
            return;
        }
        let count = self.acts.entry(act.clone()).or_default();
        count.times = count.times.saturating_add(1);
        count.refused |= refused;
    }

    /// What was done, with what went over the network since it began.
    pub(crate) fn measure(self, traffic: &Traffic, lost: u64) -> Measured {
        let mut contents = CONTENTS_MAX;
        let mut acts: Vec<MeasuredAct> = Vec::with_capacity(self.acts.len());
        for (act, Count { times, refused }) in self.acts {
            let (sent_bytes, received_bytes) = match act.verb {
                HostVerb::Reach => grown(&self.traffic, traffic, &act.what),
                _ => (0, 0),
            };
            let is_content = act.verb == HostVerb::Write && !refused && contents > 0;
            contents = contents.saturating_sub(usize::from(is_content));
            let content = is_content.then(|| digest(&act.what)).flatten();
            acts.push(MeasuredAct { act, times, sent_bytes, received_bytes, content, refused });
        }
        acts.sort_by_key(|one| (telling(&one.act), one.act.clone()));
        let surplus = acts.len().saturating_sub(Measured::ACTS_MAX);
        acts.truncate(Measured::ACTS_MAX);
        let more = self.more.saturating_add(u64::try_from(surplus).unwrap_or(u64::MAX));
        let lost = lost.saturating_sub(self.lost);
        Measured { processes: self.processes, acts, more, lost }
    }
}

fn grown(before: &Traffic, now: &Traffic, address: &str) -> (u64, u64) {
    let (sent, received) = now.get(address).copied().unwrap_or_default();
    let (sent_before, received_before) = before.get(address).copied().unwrap_or_default();
    (sent.saturating_sub(sent_before), received.saturating_sub(received_before))
}

/// What comes first when not everything can be shown: what is done over what is looked at.
const fn telling(act: &HostAct) -> u8 {
    match act.verb {
        HostVerb::Reach => 0,
        HostVerb::Remove | HostVerb::Change => 1,
        HostVerb::Write => 2,
        HostVerb::Run => 3,
        HostVerb::Read => 4,
    }
}

/// The digest of a small file as it stands now; `None` for what is no such file. The path comes from inside
/// the box, so nothing is followed and nothing is waited for.
fn digest(path: &str) -> Option<Digest> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).ok()?;
    let file = File::options().read(true).custom_flags(flags).open(path).ok()?;
    let about = file.metadata().ok()?;
    if !about.is_file() || about.len() > CONTENT_BYTES_MAX {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(CONTENT_BYTES_MAX + 1).read_to_end(&mut bytes).ok()?;
    let most = usize::try_from(CONTENT_BYTES_MAX).ok()?;
    (bytes.len() <= most).then(|| Digest::of(&bytes))
}

#[cfg(test)]
mod tests {
    use pathwarden_types::{HostAct, HostVerb, Measured};

    use super::{Traffic, Window};

    fn act(verb: HostVerb, what: &str) -> HostAct {
        let place = "workspace".to_owned();
        HostAct { verb, place, what: what.to_owned(), in_workspace: true }
    }

    fn window(traffic: Traffic) -> Window {
        Window::new("notes".parse().unwrap(), "read_note".to_owned(), traffic, 0)
    }

    #[test]
    fn bytes_are_those_of_the_window() {
        let address = "192.0.2.1:443";
        let mut window = window(Traffic::from([(address.to_owned(), (100, 10))]));
        window.note(&act(HostVerb::Reach, address), false);
        let now = Traffic::from([(address.to_owned(), (150, 30))]);
        let measured = window.measure(&now, 0);
        assert_eq!((measured.acts[0].sent_bytes, measured.acts[0].received_bytes), (50, 20));
    }

    #[test]
    fn what_does_not_fit_is_counted_and_the_telling_stays() {
        let mut window = window(Traffic::new());
        for number in 0..=Measured::ACTS_MAX {
            window.note(&act(HostVerb::Read, &format!("/w/{number}")), false);
        }
        window.note(&act(HostVerb::Remove, "/w/x"), false);
        let measured = window.measure(&Traffic::new(), 3);
        assert_eq!((measured.acts.len(), measured.more, measured.lost), (64, 2, 3));
        assert_eq!(measured.acts[0].act.verb, HostVerb::Remove);
    }

    #[test]
    fn a_small_file_that_was_written_is_named_by_its_content() {
        let dir = std::env::temp_dir().join(format!("pathwarden-window-{}", std::process::id()));
        std::fs::write(&dir, "hello").unwrap();
        let mut window = window(Traffic::new());
        window.note(&act(HostVerb::Write, dir.to_str().unwrap()), false);
        let measured = window.measure(&Traffic::new(), 0);
        std::fs::remove_file(&dir).unwrap();
        assert_eq!(measured.acts[0].content, Some(pathwarden_types::Digest::of(b"hello")));
    }
}
