//! Programs whose options and operands say all that they do.

use super::options;
use crate::hosts;
use crate::plan::Act;
use crate::value::{Flow, Value};
use crate::walk::{Call, Walk};

/// One row.
///
/// A role is one letter: `r` reads, `w` writes, `m` removes, `c` changes, `h` is a host or an address,
/// `u` is reached if it is an address and else read, `v` is moved away, `x` is code of a shell, `_` is
/// nothing. Among the roles of an option, `!` says that with it the first operand has the role of the
/// later ones, and `$` that the last one has.
pub(super) struct Row {
    names: &'static str,
    /// `name:role` for every option that takes a value.
    options: &'static str,
    /// One role for each operand; a star repeats the one in front of it.
    operands: &'static str,
    /// The output is some lines of the input.
    selects: bool,
}

const fn row(names: &'static str, options: &'static str, operands: &'static str) -> Row {
    Row { names, options, operands, selects: false }
}

const fn selecting(names: &'static str, options: &'static str, operands: &'static str) -> Row {
    Row { names, options, operands, selects: true }
}

const ROWS: &[Row] = &[
    row("less more most bat batcat view nl", "k:r o:w O:w", "r*"),
    row("wc", "files0-from:r", "r*"),
    row(
        "cksum md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum sum shasum",
        "a:_",
        "r*",
    ),
    row("strings", "n:_ t:_ e:_ encoding:_ radix:_ bytes:_", "r*"),
    row("od", "A:_ j:_ N:_ t:_ w:_ S:_", "r*"),
    row("hexdump hd", "n:_ s:_ e:_ f:r", "r*"),
    row("file", "m:r f:r", "r*"),
    row("stat", "c:_ f:_ format:_ printf:_", "r*"),
    row("du df", "d:_ max-depth:_ B:_ X:r exclude-from:r files0-from:r t:_ x:_", "r*"),
    row("tree", "L:_ I:_ P:_ o:w", "r*"),
    row("readlink realpath dirname basename namei", "s:_ relative-to:_", "_*"),
    row("diff sdiff colordiff", "U:_ C:_ I:_ x:_ X:r L:_ label:_ exclude:_ o:w", "r*"),
    row("diff3 cmp vimdiff wdiff", "n:_ i:_", "r*"),
    row("comm join paste", "1:_ 2:_ j:_ t:_ d:_ o:_ e:_ a:_ v:_", "r*"),
    row("fold fmt pr column expand unexpand", "w:_ s:_ t:_ c:_ o:_ l:_ W:_ N:_", "r*"),
    row("cut", "d:_ f:_ c:_ b:_ delimiter:_ fields:_ output-delimiter:_", "r*"),
    selecting(
        "sort",
        "o:w output:w k:_ t:_ T:_ S:_ key:_ field-separator:_ files0-from:r compress-program:x",
        "r*",
    ),
    selecting("uniq", "f:_ s:_ w:_", "rw"),
    selecting("shuf", "n:_ o:w i:_ e:_", "r*"),
    selecting("tac", "s:_", "r*"),
    selecting(
        "grep egrep fgrep zgrep rg ag ack",
        "e:! regexp:! f:!r file:!r A:_ B:_ C:_ m:_ d:_ D:_ g:_ t:_ T:_ include:_ exclude:_ exclude-dir:_ \
         exclude-from:r max-count:_ color:_ type:_ glob:_ context:_ label:_ pre:x",
        "_r*",
    ),
    row(
        "jq yq gojq",
        "f:!r from-file:!r L:_ indent:_ slurpfile:_ rawfile:_ arg:_ argjson:_",
        "_r*",
    ),
    row("xmllint tidy", "o:w output:w xpath:_ schema:r", "r*"),
    row("csplit split", "b:_ l:_ n:_ a:_ C:_ d:_ f:_ filter:x", "rw"),
    row("look", "", "_r"),
    row("cp", "t:w$ target-directory:w$ S:_ suffix:_", "r*w"),
    row(
        "install ginstall",
        "t:w$ target-directory:w$ m:_ o:_ g:_ S:_ mode:_ owner:_ group:_",
        "r*w",
    ),
    row("mv", "t:w$ target-directory:w$ S:_ suffix:_", "v*w"),
    row("ln link", "t:w$ target-directory:w$ S:_ suffix:_", "r*w"),
    row("rename prename", "", "_c*"),
    row("unlink rmdir", "", "m*"),
    row("mkdir mkfifo", "m:_ mode:_ Z:_", "w*"),
    row("mknod", "m:_", "w_*"),
    row("mktemp", "p:w tmpdir:w suffix:_", "w*"),
    row("touch", "d:_ t:_ r:r reference:r date:_", "w*"),
    row("truncate fallocate", "s:_ r:r l:_ o:_ size:_ reference:r", "w*"),
    row("tee sponge", "", "w*"),
    row("chgrp", "reference:r", "_c*"),
    row("chattr setfattr setfacl attr chcon restorecon", "n:_ v:_ x:_ m:_ M:r t:_ u:_ r:_", "_c*"),
    row("getfacl getfattr lsattr getcap", "n:_ e:_", "r*"),
    row("nano pico micro emacs emacsclient code subl gedit joe mcedit", "f:_ l:r load:r", "w*"),
    row("patch", "i:r input:r o:w p:_ d:_ r:w directory:w", "wr"),
    row("ping ping6 arping fping", "c:_ i:_ I:_ s:_ t:_ W:_ w:_ p:_ M:_ Q:_", "h*"),
    row("traceroute traceroute6 tracepath mtr", "m:_ p:_ q:_ w:_ i:_ s:_ c:_", "h_*"),
    row("whois finger", "h:h p:_", "h*"),
    row("nslookup host", "t:_ type:_ W:_ R:_", "h*"),
    row("nmap masscan zmap", "p:_ iL:r oN:w oX:w oG:w oA:w script:_", "h*"),
    row(
        "gcc cc g++ c++ clang clang++ tcc ld gold lld rustc as",
        "o:w L:_ I:_ l:_ D:_ U:_ x:_ B:r \
         include:r -include:r -isystem:_ -MF:w -MT:_ -T:r -wrapper:x -fplugin:r std:_ edition:_ crate-type:_ \
         crate-name:_ out-dir:w C:_ emit:_",
        "r*",
    ),
    row("ar ranlib", "", "_wr*"),
    row("nm objdump readelf ldd size addr2line c++filt pahole", "j:_ e:r M:_", "r*"),
    row("strip objcopy", "o:w j:_ R:_", "w*"),
    row("javac kotlinc", "d:w -cp:_ -classpath:_ -sourcepath:_", "r*"),
    row("java", "-cp:r -classpath:r -jar:r jar:r", "r_*"),
    row(
        "tsc eslint prettier ruff black mypy flake8 pylint isort rustfmt gofmt clang-format shellcheck",
        "p:r \
         project:r c:r config:r outDir:w",
        "r*",
    ),
    row("cmake ninja meson configure bazel", "S:r B:w C:_ G:_ D:_ f:r j:_ build:w", "r*"),
    row("qpdf pdftotext convert magick ffmpeg", "i:r", "r*w"),
    row("zless lz4cat lz4 pigz compress", "", "r*"),
    row(
        "date cal uptime id whoami who w last groups uname hostname nproc arch tty locale \
         seq yes expr sleep sync clear tput stty getconf logname users free \
         vmstat lscpu lsblk lsusb lspci lsmod ps pstree pgrep pidof top htop ss netstat lsof ulimit which whereis \
         type dircolors factor numfmt tsort iostat mpstat printenv getent compgen man info apropos whatis",
        "f:_ d:_",
        "_*",
    ),
    row("aws-vault op pass bw vault secret-tool keyctl security", "", "r*"),
    row("ssh-keygen", "f:w t:_ b:_ C:_ N:_ P:_ y:_ i:_ s:r I:_ D:_", "r*"),
    row("ssh-add", "t:_ s:r e:_", "r*"),
    row("ssh-keyscan", "t:_ p:_ T:_ f:r", "h*"),
    row("qemu-img dumpe2fs debugfs e2fsck fsck tune2fs", "f:_ R:_ o:_", "r*"),
    row(
        "mkfs mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.vfat mke2fs mkswap wipefs blkdiscard fdisk sfdisk parted",
        "t:_ L:_ b:_",
        "m_*",
    ),
    row("losetup cryptsetup dmsetup pvcreate vgcreate lvcreate mdadm", "o:_ s:_", "c*"),
    row("ctags cscope indent", "f:w o:w R:r", "r*"),
    row("pytest tox nox py.test", "k:_ m:_ c:r n:_ p:_ rootdir:r", "r*"),
    row("rpm2cpio dpkg-deb", "", "r*"),
    row("logger wall write", "f:r t:_ p:_ n:h", "_*"),
    row("envsubst gettext", "", "_*"),
    row("screencapture scrot import gnome-screenshot", "", "w*"),
    row("sar cyclonedx syft", "o:w", "_*"),
];

/// The row of a program.
pub(super) fn row_of(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.names.split(' ').any(|known| known == name))
}

impl Row {
    /// Takes down what a call does.
    pub(super) fn apply(&self, walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
        let options = options::read(call.arguments, self.options);
        let (mut first, mut last) = (false, false);
        let mut flow = call.input.blurred();
        for (name, value) in options.all_values() {
            let roles = self.roles(name);
            first |= roles.contains('!');
            last |= roles.contains('$');
            for role in roles.chars() {
                flow = flow.tainted(act(walk, role, value).taint);
            }
        }
        let roles = self.operand_roles(options.operands.len(), first, last);
        for (operand, role) in options.operands.iter().zip(roles) {
            let read = act(walk, role, operand);
            flow = flow.tainted(read.taint);
        }
        if self.selects {
            flow.listing.clone_from(&call.input.listing);
        }
        flow
    }

    fn roles(&self, name: &str) -> &'static str {
        let tokens = self.options.split(' ').filter_map(|token| token.split_once(':'));
        let mut found = tokens.filter(|(known, _)| *known == name);
        found.next().map_or("", |(_, roles)| roles)
    }

    /// The role of each of `count` operands.
    fn operand_roles(&self, count: usize, skip_first: bool, skip_last: bool) -> Vec<char> {
        let (before, after) = match self.operands.split_once('*') {
            Some((before, after)) => (before, if skip_last { "" } else { after }),
            None => return self.operands.chars().take(count).collect(),
        };
        let before = if skip_first { before.get(1..).unwrap_or_default() } else { before };
        let repeated = before.chars().next_back().unwrap_or('_');
        let tail = if count > before.len() { after } else { "" };
        let mut roles: Vec<char> = before.chars().take(count).collect();
        roles.resize(count.saturating_sub(tail.len()), repeated);
        roles.extend(tail.chars());
        roles
    }
}

/// Takes down what one argument stands for; what reading it gives.
fn act(walk: &mut Walk<'_>, role: char, value: &Value) -> Flow {
    match role {
        'r' => return read(walk, value),
        'w' => walk.touch(Act::Write, value),
        'm' => walk.remove_tree(value),
        'c' => walk.touch(Act::Change, value),
        'v' => {
            walk.touch(Act::Change, value);
            walk.touch(Act::Remove, value);
            return read(walk, value);
        }
        'h' => {
            if let Some(host) = hosts::of_loose_url(&value.text) {
                walk.reach(&host, value.taint);
            }
        }
        'x' => drop(walk.shell(value, &[], &Flow::unknown())),
        _ => {}
    }
    Flow::silent()
}

/// Reads a file, or an address in the place of one.
pub(super) fn read(walk: &mut Walk<'_>, value: &Value) -> Flow {
    if let Some(host) = hosts::of_url(&value.text) {
        walk.reach(&host, value.taint);
        return Flow::unknown();
    }
    walk.touch(Act::Read, value);
    walk.content(value)
}

#[cfg(test)]
mod tests {
    use super::{ROWS, row_of};

    #[test]
    fn operands_have_their_roles() {
        let roles = |name: &str, count, first, last| -> String {
            row_of(name).unwrap().operand_roles(count, first, last).into_iter().collect()
        };
        assert_eq!(roles("cp", 3, false, false), "rrw");
        assert_eq!(roles("cp", 2, false, true), "rr");
        assert_eq!(roles("grep", 3, false, false), "_rr");
        assert_eq!(roles("grep", 1, true, false), "r");
        assert_eq!(roles("uniq", 2, false, false), "rw");
    }

    #[test]
    fn no_program_has_two_rows() {
        let mut names: Vec<&str> = ROWS
            .iter()
            .flat_map(|row| row.names.split(' '))
            .filter(|name| !name.is_empty())
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
