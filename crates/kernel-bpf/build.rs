//! Compiles `bpf/session.bpf.c` with clang; the object is embedded by `src/object.rs`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Compilers that are tried when `CLANG` names none.
const COMPILERS: [&str; 4] = ["clang", "clang-16", "clang-15", "clang-14"];

/// Where Debian keeps the headers of the kernel's types; elsewhere they are on clang's own path.
const MULTIARCH: &str = "/usr/include/x86_64-linux-gnu";

fn main() -> ExitCode {
    println!("cargo::rerun-if-env-changed=CLANG");
    println!("cargo::rerun-if-changed=build.rs");
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            println!("cargo::error={fault}");
            ExitCode::FAILURE
        }
    }
}

fn compile() -> Result<(), String> {
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() != Ok("x86_64") {
        return Err("the programs for the kernel know the system calls of x86_64 only; build \
                    pathwarden without pathwarden-kernel-bpf for other machines"
            .to_owned());
    }
    let root = folder("CARGO_MANIFEST_DIR")?;
    let sources = root.join("../../bpf");
    println!("cargo::rerun-if-changed={}", sources.display());
    let headers = folder("DEP_BPF_INCLUDE")?;
    let object = folder("OUT_DIR")?.join("session.bpf.o");
    let status = Command::new(compiler()?)
        .args(["-target", "bpf", "-O2", "-g", "-D__TARGET_ARCH_x86"])
        .args(["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"])
        .arg("-I")
        .arg(headers)
        .args(["-idirafter", MULTIARCH])
        // No path of this machine in the object.
        .arg(format!("-ffile-prefix-map={}=bpf", sources.display()))
        .arg("-c")
        .arg(sources.join("session.bpf.c"))
        .arg("-o")
        .arg(&object)
        .status()
        .map_err(|fault| format!("clang could not be started: {fault}"))?;
    status.success().then_some(()).ok_or("clang did not compile bpf/session.bpf.c".to_owned())
}

fn folder(name: &str) -> Result<PathBuf, String> {
    env::var_os(name).map(PathBuf::from).ok_or(format!("cargo did not set {name}"))
}

fn compiler() -> Result<PathBuf, String> {
    let named = env::var_os("CLANG").map(PathBuf::from);
    let candidates = named.map_or_else(|| COMPILERS.map(PathBuf::from).to_vec(), |one| vec![one]);
    candidates.into_iter().find(|name| runs(name)).ok_or_else(|| {
        "clang is needed to compile the programs for the kernel, and none was found: install it \
         (Debian: apt-get install clang libelf-dev zlib1g-dev) or name it in CLANG"
            .to_owned()
    })
}

fn runs(name: &Path) -> bool {
    Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
}
