use std::ffi::OsStr;
use std::hint::black_box;
use std::time::Instant;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn map() -> Map {
    Map::new(
        Path::new("/home/u/work/app"),
        &[PathBuf::from("/home/u")],
        &[PathBuf::from("/home/u/.pathwarden"), PathBuf::from("/var/lib/pathwarden")],
        &[(PathBuf::from("/srv/shared"), Place::Workspace)],
    )
    .unwrap()
}

/// One line per place, then its paths, one per line.
fn check(map: &Map, place: Place, paths: &str) {
    for path in paths.lines().map(str::trim).filter(|line| !line.is_empty()) {
        assert_eq!(map.place(Path::new(path)), place, "{path}");
    }
}

#[test]
fn the_workspace_is_what_lies_below_it() {
    let paths = "
        /home/u/work/app
        /home/u/work/app/src/main.rs
        /home/u/work/app/Cargo.toml
        /home/u/work/app/.env.example
        /home/u/work/app/.env.sample
        /home/u/work/app/.env.template
        /home/u/work/app/.environment
        /home/u/work/app/.github/workflows/ci.yml
        /home/u/work/app/.git/config
        /home/u/work/app/.git/HEAD
        /home/u/work/app/.git/hooks/pre-commit.sample
        /home/u/work/app/.git/refs/heads/hooks/new
        /home/u/work/app/.git/objects/ab/cdef
        /home/u/work/app/.vscode/settings.json
        /home/u/work/app/.npmrc
        /home/u/work/app/.bashrc
        /home/u/work/app/etc/shadow
        /home/u/work/app/node_modules/tls/test/server.key
        /home/u/work/app/.venv/lib/python3.12/site-packages/certifi/cacert.pem
        /home/u/work/app/cacert.pem
        /home/u/work/app/deploy.pub
        /home/u/work/app/keys
        /home/u/work/app/monkey
        /home/u/work/app/target/debug/app
        /srv/shared/notes.md";
    check(&map(), Place::Workspace, paths);
}

#[test]
fn the_system_is_what_was_installed() {
    let paths = "
        /usr/bin/ls
        /usr
        /bin/sh
        /sbin/init
        /lib/x86_64-linux-gnu/libc.so.6
        /lib64/ld-linux-x86-64.so.2
        /opt/node/bin/node
        /etc/hosts
        /etc/resolv.conf
        /etc/ld.so.cache
        /etc/ssl/certs/ca-certificates.crt
        /etc/ssl/certs/ISRG_Root_X1.pem
        /etc/ssh/ssh_config
        /etc/ssh/ssh_host_rsa_key.pub
        /etc/ssl/openssl.cnf
        /usr/share/ca-certificates/mozilla/GTS_Root_R1.pem
        /usr/lib/python3/dist-packages/certifi/cacert.pem
        /usr/lib/node_modules/npm/test/id_rsa
        /opt/tool/node_modules/x/key.pem
        /run/systemd/resolve/stub-resolv.conf
        /sys/devices/system/cpu/online
        /boot/vmlinuz
        /var/lib/dpkg/status
        /var/cache/fontconfig/x
        /nix/store/abc-bash/bin/bash";
    check(&map(), Place::System, paths);
}

#[test]
fn tools_keep_state_in_the_home() {
    let paths = "
        /home/u/.cargo/registry/src/x/tests/server.pem
        /home/u/.cargo/bin/cargo
        /home/u/.cargo/git/checkouts/a/b/.git/config
        /home/u/.rustup/toolchains/stable/bin/rustc
        /home/u/.npm/_cacache/index
        /home/u/.nvm/versions/node/v22/bin/node
        /home/u/.cache/pip/http/a
        /home/u/.pyenv/shims/python
        /home/u/.local/lib/python3.12/site-packages/a.py
        /home/u/.local/share/uv/python/x
        /home/u/.local/bin/uv
        /home/u/.gitconfig
        /home/u/.config/git/ignore
        /home/u/go/pkg/mod/a@v1/testdata/key.pem
        /home/u/go/src/a.go
        /home/u/.m2/repository/a.jar
        /home/u/.gradle/caches/x";
    check(&map(), Place::Toolchain, paths);
}

#[test]
fn some_places_are_for_everybody() {
    let temporary = "
        /tmp
        /tmp/a/b
        /var/tmp/x
        /dev/shm/sem.a
        /run/lock/x
        /tmp/clone/.git/config";
    let device = "
        /dev/null
        /dev/zero
        /dev/full
        /dev/random
        /dev/urandom
        /dev/tty
        /dev/ptmx
        /dev/pts/3
        /dev/stdout";
    let process = "
        /proc/self/status
        /proc/1/maps
        /proc/cpuinfo
        /proc/12/task/13/stat
        /proc/12/fd
        /proc/12/environs";
    let home = "
        /home/u
        /home/u/notes.txt
        /home/u/work/other/src/main.rs
        /home/u/work/app2/main.rs
        /home/u/work
        /home/u/.ssh/id_ed25519.pub
        /home/u/.ssh/known_hosts
        /home/u/.ssh2/x
        /home/u/.config/foo.toml";
    let map = map();
    check(&map, Place::Temporary, temporary);
    check(&map, Place::Device, device);
    check(&map, Place::Process, process);
    check(&map, Place::Home, home);
}

#[test]
fn credentials_are_found_wherever_they_lie() {
    let paths = "
        /home/u/.ssh/id_ed25519
        /home/u/.ssh/work
        /home/u/.ssh
        /home/u/.aws/credentials
        /home/u/.azure/msal_token_cache.json
        /home/u/.config/gcloud/credentials.db
        /home/u/.kube/config
        /home/u/.docker/config.json
        /home/u/.netrc
        /home/u/.git-credentials
        /home/u/.config/git/credentials
        /home/u/.npmrc
        /home/u/.pypirc
        /home/u/.cargo/credentials.toml
        /home/u/.cargo/credentials
        /home/u/.gnupg/private-keys-v1.d/a.key
        /home/u/.password-store/mail.gpg
        /home/u/.local/share/keyrings/login.keyring
        /home/u/.mozilla/firefox/p/logins.json
        /home/u/.config/google-chrome/Default/Cookies
        /home/u/.config/gh/hosts.yml
        /home/u/.config/op/config
        /home/u/.vault-token
        /home/u/.terraform.d/credentials.tfrc.json
        /home/u/.bash_history
        /home/u/.zsh_history
        /home/u/.python_history
        /home/u/.claude/.credentials.json
        /home/u/.codex/auth.json
        /home/u/.cache/huggingface/token
        /home/u/keys.kdbx
        /home/u/old/ID_RSA
        /home/v/.ssh/id_rsa
        /home/v/.aws/credentials
        /root/.ssh/id_rsa
        /root/.bash_history
        /etc/shadow
        /etc/shadow-
        /etc/gshadow
        /etc/sudoers
        /etc/ssh/ssh_host_ed25519_key
        /etc/ssh/ssh_host_rsa_key
        /etc/ssl/private/server.crt
        /etc/nginx/tls/server.key
        /etc/kubernetes/admin.conf
        /etc/kubernetes/pki/ca.key
        /run/secrets/kubernetes.io/serviceaccount/token
        /var/run/secrets/kubernetes.io/serviceaccount/token
        /opt/app/.env
        /proc/self/environ
        /proc/1/environ
        /proc/77/mem
        /proc/77/task/78/environ
        /home/u/work/app/.env
        /home/u/work/app/.env.production
        /home/u/work/app/.env.local
        /home/u/work/app/.ENV
        /home/u/work/app/node_modules/x/.env
        /home/u/work/app/certs/server.pem
        /home/u/work/app/deploy/Server.PEM
        /home/u/work/app/android/release.jks
        /home/u/work/app/id_rsa
        /home/u/work/app/store.p12
        /home/u/work/app/.netrc
        /srv/shared/tls.key
        /srv/www/.env
        /tmp/a.pem
        /mnt/backup/id_ed25519";
    check(&map(), Place::Credential, paths);
}

#[test]
fn what_runs_later_is_found_wherever_it_lies() {
    let paths = "
        /home/u/.bashrc
        /home/u/.profile
        /home/u/.bash_profile
        /home/u/.zshrc
        /home/u/.config/autostart/x.desktop
        /home/u/.config/systemd/user/x.service
        /home/u/.ssh/authorized_keys
        /home/u/.ssh/rc
        /home/u/.ssh/config
        /home/u/.config/fish/config.fish
        /home/u/.vimrc
        /home/v/.bashrc
        /root/.profile
        /etc/crontab
        /etc/cron.d/x
        /etc/cron.daily/x
        /var/spool/cron/crontabs/root
        /etc/systemd/system/x.service
        /lib/systemd/system/ssh.service
        /usr/lib/systemd/system/ssh.service
        /run/systemd/system/x.service
        /etc/profile
        /etc/profile.d/x.sh
        /etc/ld.so.preload
        /etc/rc.local
        /etc/init.d/x
        /etc/pam.d/sshd
        /etc/passwd
        /etc/group
        /etc/sudoers.d/90
        /etc/kubernetes/manifests/x.yaml
        /home/u/work/app/.git/hooks/pre-commit
        /home/u/work/app/.git/hooks
        /home/u/work/app/.git/modules/sub/hooks/post-checkout
        /home/u/work/app/fixtures/bare.git/hooks/post-receive
        /home/u/other/.git/config
        /srv/repo/.git/config
        /tmp/clone/.git/hooks/post-merge
        /home/u/work/app/sitecustomize.py
        /usr/lib/python3.11/sitecustomize.py
        /home/u/work/app/.venv/lib/python3.12/site-packages/usercustomize.py
        /home/u/work/app/.claude/settings.json
        /home/u/work/app/.claude/settings.local.json
        /home/u/.claude/settings.json
        /home/u/work/app/.mcp.json
        /home/u/work/app/.vscode/tasks.json
        /home/u/work/app/.cursor/mcp.json
        /home/u/.claude.json";
    check(&map(), Place::Persistence, paths);
}

#[test]
fn what_commands_the_machine_and_what_is_nobodys() {
    let control = "
        /run/docker.sock
        /var/run/docker.sock
        /run/containerd/containerd.sock
        /run/dbus/system_bus_socket
        /run/systemd/private
        /run/user/1000/bus
        /sys/fs/cgroup/unified/cgroup.procs
        /proc/sys/kernel/core_pattern
        /proc/sysrq-trigger
        /proc/kcore
        /dev/sda
        /dev/mem
        /dev/kvm
        /dev/loop0
        /dev/fuse
        /dev/nullx
        /var/lib/docker/overlay2/x";
    let warden = "
        /home/u/.pathwarden
        /home/u/.pathwarden/ledger/0
        /home/u/.pathwarden/node.key
        /home/u/.pathwarden/.ssh/id_rsa
        /var/lib/pathwarden/state";
    let elsewhere = "
        /
        /home
        /home/ux/notes.txt
        /home/ux
        /usr2/bin/ls
        /etcetera
        /tmpfile
        /data/x
        /srv/sharedx/a
        /run/postgresql/.s.PGSQL.5432
        /home/v/.cargo/bin/cargo
        /proc/self/root/etc/hosts
        /proc/self/cwd/a
        /proc/9/fd/3
        /home/u/work/app/a (deleted)
        /home/u/.ssh/id_rsa (deleted)
        /memfd:x (deleted)
        /memfd:x
        pipe:[11]
        anon_inode:[eventfd]
        usr/bin/ls
        /usr/../etc/shadow
        /usr/./bin
        /usr//bin
        /usr/bin/";
    let map = map();
    check(&map, Place::Control, control);
    check(&map, Place::Warden, warden);
    check(&map, Place::Elsewhere, elsewhere);
    assert_eq!(map.place(Path::new("")), Place::Elsewhere);
}

#[test]
fn the_deepest_root_decides() {
    let homes = [PathBuf::from("/home/u")];
    let at = |workspace: &str, path: &str| {
        Map::new(Path::new(workspace), &homes, &[], &[]).unwrap().place(Path::new(path))
    };
    assert_eq!(at("/home/u", "/home/u/notes.txt"), Place::Workspace);
    assert_eq!(at("/home/u", "/home/u/.cargo/bin/cargo"), Place::Toolchain);
    assert_eq!(at("/home/u", "/home/u/.ssh/id"), Place::Credential);
    assert_eq!(at("/home/u/.cache/run/1", "/home/u/.cache/run/1/a"), Place::Workspace);
    assert_eq!(at("/tmp/w", "/tmp/w/a"), Place::Workspace);
    assert_eq!(at("/", "/data/x"), Place::Workspace);
    assert_eq!(at("/", "/usr/bin/ls"), Place::System);
    // A workspace below somebody else's home hides nothing of that home.
    assert_eq!(at("/home/v/w", "/home/v/.ssh/id"), Place::Credential);
    assert_eq!(at("/home/u/work/app/", "/home/u/work/app/a"), Place::Workspace);
}

#[test]
fn what_is_the_nodes_own_stays_so_unless_given_away() {
    let path = |text: &str| PathBuf::from(text);
    let map = Map::new(
        &path("/root/node/work/1"),
        &[path("/root")],
        &[path("/root"), path("/w/own")],
        &[(path("/w"), Place::Temporary)],
    )
    .unwrap();
    assert_eq!(map.place(&path("/root/.ssh/id_rsa")), Place::Warden);
    assert_eq!(map.place(&path("/root/node/work/1/a")), Place::Workspace);
    assert_eq!(map.place(&path("/w/own/a")), Place::Warden);
    assert_eq!(map.place(&path("/w/a")), Place::Temporary);
}

#[test]
fn a_root_that_is_not_absolute_makes_no_map() {
    let (good, bad) = (PathBuf::from("/a"), PathBuf::from("a/../b"));
    let fault = Err(MapFault::NotAbsolute(bad.clone()));
    let place = Place::System;
    let made = [
        Map::new(&bad, &[], &[], &[]),
        Map::new(&good, std::slice::from_ref(&bad), &[], &[]),
        Map::new(&good, &[], std::slice::from_ref(&bad), &[]),
        Map::new(&good, &[], &[], &[(bad, place)]),
    ];
    for made in made {
        assert_eq!(made.map(|_| ()), fault);
    }
}

#[test]
fn a_scope_is_the_root_or_the_path() {
    let map = map();
    let scope = |path: &str| map.scope(Path::new(path)).pattern;
    assert_eq!(scope("/usr/bin/ls"), "/usr/**");
    assert_eq!(scope("/usr"), "/usr");
    assert_eq!(scope("/etc/hosts"), "/etc/**");
    assert_eq!(scope("/home/u/work/app/src/a.rs"), "/home/u/work/app/**");
    assert_eq!(scope("/srv/shared/a"), "/srv/shared/**");
    assert_eq!(scope("/home/u/.cargo/registry/a"), "/home/u/.cargo/**");
    assert_eq!(scope("/home/u/.gitconfig"), "/home/u/.gitconfig");
    assert_eq!(scope("/tmp/a/b"), "/tmp/**");
    assert_eq!(scope("/dev/null"), "/dev/null");
    assert_eq!(scope("/dev/pts/3"), "/dev/pts/**");
    assert_eq!(scope("/dev/sda"), "/dev/sda");
    assert_eq!(scope("/proc/1/status"), "/proc/**");
    assert_eq!(scope("/proc/1/environ"), "/proc/1/environ");
    assert_eq!(scope("/etc/shadow"), "/etc/shadow");
    assert_eq!(scope("/home/u/work/app/.env"), "/home/u/work/app/.env");
    assert_eq!(scope("/home/u/a"), "/home/u/a");
    assert_eq!(scope("/data/a"), "/data/a");
    assert_eq!(scope("/data/**"), "/data/\\*\\*");
    assert_eq!(scope("/data/a\\b"), "/data/a\\\\b");
    assert_eq!(scope("/a/../b"), "/a/../b");
    let odd = OsStr::from_bytes(b"/data/\xff");
    assert_eq!(map.scope(Path::new(odd)).pattern, "/data/\\xff");
    let everything = Map::new(Path::new("/"), &[], &[], &[]).unwrap();
    assert_eq!(everything.scope(Path::new("/data/a")).pattern, "/**");
}

#[test]
fn places_have_distinct_names() {
    let mut names = Place::ALL.map(Place::as_str);
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
}

/// No row is of a place that its table cannot mean, twice in one table, or spelled as no path is.
#[test]
fn the_tables_are_in_order() {
    for (table, is_home) in MACHINE.iter().map(|t| (t, false)).chain(HOME.iter().map(|t| (t, true)))
    {
        assert!(!matches!(table.place, Place::Workspace | Place::Warden | Place::Home));
        for path in table.paths {
            assert_eq!(path.starts_with('/'), !is_home, "{path}");
            assert!(!path.ends_with('/') && !path.contains("//") && !path.contains(".."), "{path}");
        }
    }
    let mut all: Vec<_> = MACHINE.iter().flat_map(|table| table.paths).collect();
    all.extend(HOME.iter().flat_map(|table| table.paths));
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "a path is in two tables");
}

/// Components that mean something somewhere, and some that mean nothing.
const TELLING: &str = "home u v work app root usr usr2 etc tmp dev proc self 1 sys fs cgroup run user var \
    lib null pts shm .ssh .env .env.local .env.example a.pem id_rsa cacert.pem node_modules .git hooks \
    config .cargo registry .cache .bashrc .claude settings.json * ** a mem environ fd task shadow systemd \
    docker.sock .pathwarden \\ .pub x.pub shared srv . .. \u{fffd} passwd .local share";

fn any_component() -> impl Strategy<Value = Vec<u8>> {
    let telling: Vec<_> = TELLING.split_whitespace().chain(["", "a (deleted)"]).collect();
    prop_oneof![
        12 => select(telling).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..4),
        1 => Just(vec![0xff]),
    ]
}

fn any_path() -> impl Strategy<Value = PathBuf> {
    let starts =
        [&b""[..], b"/", b"/home/u/", b"/home/u/work/app/", b"/proc/1/", b"/etc/", b"/dev/"];
    (select(starts.map(<[u8]>::to_vec).to_vec()), vec(any_component(), 0..7)).prop_map(
        |(mut path, parts)| {
            path.extend(parts.join(&b'/'));
            PathBuf::from(OsStr::from_bytes(&path))
        },
    )
}

fn any_place() -> impl Strategy<Value = Place> {
    select(Place::ALL.to_vec())
}

fn any_root() -> impl Strategy<Value = PathBuf> {
    any_path().prop_filter("absolute", |path| configured(path).is_some())
}

fn any_map() -> impl Strategy<Value = Map> {
    let roots = || vec(any_root(), 0..3);
    (any_root(), roots(), roots(), vec((any_root(), any_place()), 0..3)).prop_map(
        |(workspace, homes, warden, extra)| {
            Map::new(&workspace, &homes, &warden, &extra).expect("absolute roots")
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Nothing panics, and a scope says the same place as the question without it.
    #[test]
    fn every_path_has_one_place(map in any_map(), path in any_path()) {
        prop_assert_eq!(map.scope(&path).place, map.place(&path));
    }

    /// What is decided once for a pattern is right for every path that has it.
    #[test]
    fn one_pattern_is_one_place(map in any_map(), paths in vec(any_path(), 2..40)) {
        let mut known = std::collections::BTreeMap::new();
        // A pattern is a text, and a text can be a path as well.
        let again: Vec<_> = paths.iter().map(|path| PathBuf::from(map.scope(path).pattern)).collect();
        for path in paths.iter().chain(&again) {
            let Scope { place, pattern } = map.scope(path);
            let first = known.entry(pattern.clone()).or_insert((place, path.clone()));
            prop_assert_eq!(first.0, place, "{} for {:?} and {:?}", pattern, first.1, path);
        }
    }

    /// A path that stands for itself alone shares its pattern with no other.
    #[test]
    fn exact_patterns_are_not_shared(map in any_map(), one in any_path(), other in any_path()) {
        let (left, right) = (map.scope(&one), map.scope(&other));
        if one != other && !left.pattern.ends_with("/**") {
            prop_assert_ne!(left.pattern, right.pattern);
        }
    }

    /// No text that still needs resolving is anywhere.
    #[test]
    fn an_unresolved_path_is_elsewhere(map in any_map(), left in any_path(), right in any_path()) {
        let path = left.join("..").join(right.strip_prefix("/").unwrap_or(&right));
        prop_assert_eq!(map.place(&path), Place::Elsewhere);
    }

    /// Nothing below the node's own folder is anything else, whatever it is called.
    #[test]
    fn the_node_is_never_the_agents(inside in vec("[.]?[a-z]{1,8}[.]?[a-z]{0,3}", 1..5)) {
        let path = format!("/home/u/.pathwarden/{}", inside.join("/"));
        prop_assert_eq!(map().place(Path::new(&path)), Place::Warden);
    }

    /// A folder does not reach over to a neighbour whose name only begins alike.
    #[test]
    fn a_look_alike_is_not_below(tail in "[a-z0-9_-]{1,4}") {
        for (root, place) in [
            ("/usr", Place::Elsewhere),
            ("/home/u", Place::Elsewhere),
            ("/home/u/work/app", Place::Home),
            ("/home/u/.cargo", Place::Home),
            ("/home/u/.pathwarden", Place::Home),
        ] {
            let path = format!("{root}{tail}/x");
            prop_assert_eq!(map().place(Path::new(&path)), place);
        }
    }
}

#[test]
fn how_long_it_takes() {
    const ROUNDS: u32 = 20_000;
    let map = map();
    let paths = [
        "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "/home/u/work/app/src/deeply/nested/folder/main.rs",
        "/home/u/work/app/.git/objects/ab/cdef0123",
        "/home/u/.cargo/registry/src/index/serde-1.0/src/lib.rs",
        "/home/u/.ssh/id_rsa",
        "/proc/12/task/13/environ",
        "/data/somewhere/else",
    ]
    .map(Path::new);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        for path in paths {
            black_box(map.place(black_box(path)));
        }
    }
    let each = start.elapsed() / (ROUNDS * u32::try_from(paths.len()).unwrap());
    println!("place: {} ns per path (unoptimised when built for tests)", each.as_nanos());
}
