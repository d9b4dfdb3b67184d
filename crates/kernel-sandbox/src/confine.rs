//! What the agent's own process gives up: its user, capabilities, and all of the file system but what
//! the specification names.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd,
    PathFdError, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr,
    RulesetStatus, Scope,
};
use rustix::io::Errno;
use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};

use crate::mounts::{DEVICES, INSTANCES, TERMINAL};
use crate::spec::{Landlock, Report, Spec, Tier, User};
use crate::step::{Failure, Step, at};

/// The newest Landlock whose effect on programs is known here.
const LANDLOCK: ABI = ABI::V7;
/// The first ABI in which the domain's processes cannot signal others.
pub(crate) const SCOPES_SIGNALS: u8 = 6;
/// Bits of a capability set.
const CAPABILITIES_MAX: u32 = 64;

/// What a program that believes to be root needs for its own files and processes, and no more.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::NET_BIND_SERVICE);

/// Drops what no later program may ever regain; before the user changes, which takes the right to.
pub(crate) fn bound_capabilities(tier: Tier) -> Result<(), Failure> {
    let failed = |error: Errno| at(Step::Capabilities, "bounding set")(error);
    let own = capabilities(None).map_err(failed)?;
    if tier == Tier::Landlock && !own.effective.contains(CapabilitySet::SETPCAP) {
        return Ok(());
    }
    for number in 0..CAPABILITIES_MAX {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        if KEPT.contains(capability) {
            continue;
        }
        match remove_capability_from_bounding_set(capability) {
            Ok(()) => {}
            // The first number that this kernel does not know; there are none beyond it.
            Err(Errno::INVAL) => break,
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}

/// Becomes the agent's user. Groups first: without the old user's rights they cannot be changed.
pub(crate) fn become_user(user: &User) -> Result<(), Failure> {
    let failed = |error: Errno| at(Step::User, format!("uid {} gid {}", user.uid, user.gid))(error);
    if user.uid == u32::MAX || user.gid == u32::MAX || user.groups.contains(&u32::MAX) {
        return Err(failed(Errno::INVAL));
    }
    let groups: Vec<Gid> = user.groups.iter().map(|group| Gid::from_raw(*group)).collect();
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    set_thread_groups(&groups).map_err(failed)?;
    set_thread_res_gid(gid, gid, gid).map_err(failed)?;
    set_thread_res_uid(uid, uid, uid).map_err(failed)
}

/// Reduces every set, and lets no program raise them again.
pub(crate) fn drop_capabilities(report: &mut Report) -> Result<(), Failure> {
    let failed = |error: Errno| at(Step::Capabilities, "")(error);
    let own = capabilities(None).map_err(failed)?;
    let left = if geteuid().is_root() { own.permitted & KEPT } else { CapabilitySet::empty() };
    clear_ambient_capability_set().map_err(failed)?;
    let sets =
        CapabilitySets { effective: left, permitted: left, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).map_err(failed)?;
    set_no_new_privs(true).map_err(failed)?;
    report.capabilities = left.bits();
    Ok(())
}

/// Enters the Landlock domain. In the kernel tier an old kernel leaves it partial or absent, which the
/// report tells; in the other tier there is nothing else, so its absence is an error.
pub(crate) fn enter_landlock(spec: &Spec, report: &mut Report) -> Result<(), Failure> {
    let failed = |error: landlock::RulesetError| Failure::plain(Step::Landlock, error.to_string());
    let every = AccessFs::from_all(LANDLOCK);
    let read = AccessFs::from_read(LANDLOCK);
    let mut domain = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(every)
        .and_then(|domain| domain.scope(Scope::from_all(LANDLOCK)))
        .and_then(Ruleset::create)
        .map_err(failed)?;
    let root = [PathBuf::from("/")];
    let readable = match spec.tier {
        Tier::Kernel => root.as_slice(),
        Tier::Landlock => spec.readable.as_slice(),
    };
    for path in readable {
        domain = permit(domain, path, read, report)?;
    }
    for path in spec.writable.iter().chain([&spec.workspace]).chain(&spec.devices) {
        domain = permit(domain, path, every, report)?;
    }
    let instances = INSTANCES.iter().map(|instance| instance.at).chain(["/dev/ptmx"]);
    // Outside of a view of our own, it is the machine's.
    let terminal = [TERMINAL].into_iter().filter(|_| spec.tier == Tier::Kernel);
    let devices = DEVICES.into_iter().chain(instances).chain(terminal).map(Path::new);
    for device in devices.filter(|device| device.exists()) {
        domain = permit(domain, device, every, report)?;
    }
    tell(&domain.restrict_self().map_err(failed)?, report);
    if spec.tier == Tier::Landlock && report.landlock == Landlock::Absent {
        return Err(Failure::plain(Step::Landlock, "the kernel does not enforce it"));
    }
    Ok(())
}

fn permit(
    domain: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
    report: &mut Report,
) -> Result<RulesetCreated, Failure> {
    let name = || path.display().to_string();
    if !path.is_absolute() {
        return Err(Failure::plain(Step::Landlock, format!("{} is not absolute", name())));
    }
    let fd = match PathFd::new(path) {
        Ok(fd) => fd,
        Err(PathFdError::OpenCall { source, .. })
            if source.kind() == std::io::ErrorKind::NotFound =>
        {
            if !report.absent.iter().any(|absent| absent == path) {
                report.absent.push(path.to_owned());
            }
            return Ok(domain);
        }
        Err(error) => return Err(Failure::plain(Step::Landlock, error.to_string())),
    };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(LANDLOCK) };
    domain
        .add_rule(PathBeneath::new(fd, access))
        .map_err(|error| Failure::plain(Step::Landlock, format!("{}: {error}", name())))
}

fn tell(status: &RestrictionStatus, report: &mut Report) {
    report.landlock = match status.ruleset {
        RulesetStatus::NotEnforced => Landlock::Absent,
        RulesetStatus::PartiallyEnforced => Landlock::Partial,
        RulesetStatus::FullyEnforced => Landlock::Full,
    };
    report.landlock_abi = match status.landlock {
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => 0,
        LandlockStatus::Available { effective_abi, .. } => (effective_abi.min(LANDLOCK)) as u8,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_lets_nobody_out() {
        for dangerous in [
            CapabilitySet::SYS_ADMIN,
            CapabilitySet::SYS_PTRACE,
            CapabilitySet::DAC_READ_SEARCH,
            CapabilitySet::MKNOD,
            CapabilitySet::SETPCAP,
            CapabilitySet::SETFCAP,
            CapabilitySet::NET_RAW,
            CapabilitySet::BPF,
        ] {
            assert!(!KEPT.contains(dangerous));
        }
        assert_eq!(KEPT.bits().count_ones(), 8);
    }
}
