//! What is mounted for a process.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// One mount.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mount {
    /// Where it is, seen from the root of the process.
    pub point: PathBuf,
    /// Type of its file system, such as `ext4`.
    pub kind: String,
    /// Its number; unique until it is unmounted.
    pub id: u64,
    /// Whether nothing can be written through it: the mount or its whole file system is read-only.
    pub is_read_only: bool,
}

/// What is mounted for a process, in the order of the kernel: of two mounts at one point, the later
/// covers the earlier.
///
/// # Errors
///
/// When the process is gone, or a line is not understood: a mount that is left out would not be marked.
pub fn mounts_of(pid: i32) -> io::Result<Vec<Mount>> {
    let text = fs::read(format!("/proc/{pid}/mountinfo"))?;
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(mount).collect()
}

fn mount(line: &[u8]) -> io::Result<Mount> {
    parse(line).ok_or_else(|| {
        let line = String::from_utf8_lossy(line);
        io::Error::new(io::ErrorKind::InvalidData, format!("not a line of mountinfo: `{line}`"))
    })
}

/// `ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [FIELD …] - TYPE SOURCE OPTIONS`, as in proc(5).
fn parse(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let point = fields.nth(3)?;
    let options = fields.next()?;
    let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
    let kind = rest.next()?;
    let whole = rest.nth(1)?;
    Some(Mount {
        point: OsString::from_vec(unescape(point)).into(),
        kind: String::from_utf8(unescape(kind)).ok()?,
        id,
        is_read_only: is_read_only(options) || is_read_only(whole),
    })
}

fn is_read_only(options: &[u8]) -> bool {
    options.split(|byte| *byte == b',').any(|option| option == b"ro")
}

/// The kernel writes space, tab, line feed, `#` and `\` as `\` and three octal digits.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let escaped = if *byte == b'\\' { octal(after) } else { None };
        let (byte, after) = escaped.unwrap_or((*byte, after));
        plain.push(byte);
        rest = after;
    }
    plain
}

fn octal(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<3>()?;
    let digits = std::str::from_utf8(digits).ok()?;
    // The parser takes a sign, the kernel writes none.
    let byte = u8::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with('+'))?;
    Some((byte, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_its_escapes() {
        let line = br"36 35 98:0 /a /mnt/a\040b\011c\012d\134e\043f rw,noatime shared:1 master:2 - ext3 /dev/x ro,errors=continue";
        let want = Mount {
            point: PathBuf::from("/mnt/a b\tc\nd\\e#f"),
            kind: "ext3".to_owned(),
            id: 36,
            is_read_only: true,
        };
        assert_eq!(parse(line), Some(want));
        let line = b"1 0 0:1 / / ro - tmpfs tmpfs rw";
        assert!(parse(line).is_some_and(|mount| mount.is_read_only));
        let line = b"1 0 0:1 / / rw,row - tmpfs tmpfs rw,errors=remount-ro";
        assert!(parse(line).is_some_and(|mount| !mount.is_read_only));
        for bad in ["", "1", "x 0 0:1 / / ro - t t rw", "1 0 0:1 / / ro", "1 0 0:1 / / ro - t t"] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_backslash_without_three_octal_digits_stays() {
        assert_eq!(unescape(br"\04"), br"\04");
        assert_eq!(unescape(br"\+40a"), br"\+40a");
        assert_eq!(unescape(br"\400"), br"\400");
    }
}
