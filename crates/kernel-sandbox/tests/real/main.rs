//! Boxes on the real kernel, as root. The box re-enters this very program, so `main` is ours.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test without the standard runner is not known to be one"
)]

use std::process::ExitCode;

use pathwarden_kernel_sandbox::entered;

mod agents;
mod cgroups;
mod confinement;
mod endings;
mod fixture;
mod harness;

fn main() -> ExitCode {
    if let Some(code) = entered(&fixture::FILTERS) {
        return code;
    }
    if let Some(code) = endings::supervise() {
        return code;
    }
    // A test lets an agent kill its process group: where the box fails, only this program may die.
    rustix::process::setpgid(None, None).unwrap();
    let tests = [agents::TESTS, cgroups::TESTS, confinement::TESTS, endings::TESTS].concat();
    harness::run(&tests)
}
