//! Where a vault's file lies: on a network, on media that nobody can write, or mounted as a single
//! file.

use core::sync::atomic::{AtomicBool, Ordering};
use std::path::Path;

use laps_core::error::Code;
use laps_core::vault::StoreError;

static NETWORK: AtomicBool = AtomicBool::new(false);

/// Lets this process open vaults on network file systems, from now on. SQLite's log is memory that
/// its users share: two machines with one vault on a server each see a memory of their own, and
/// overwrite what the other one wrote. Only where a single machine ever opens the vault this is
/// safe, as far as the server's locks and syncs are.
pub fn allow_network_file_systems() {
    NETWORK.store(true, Ordering::Relaxed);
}

/// The file can be written where it lies. It is the real one: no link.
#[cfg(unix)]
pub(super) fn check(real: &Path) -> Result<(), StoreError> {
    check_mount(real)?;
    let Some(kind) = network(real).filter(|_| !NETWORK.load(Ordering::Relaxed)) else {
        return Ok(());
    };
    let at = real.display();
    Err(StoreError::new(
        Code::PermissionDenied,
        format!(
            "{at} lies on a network file system ({kind}), where two machines that open it \
             overwrite what the other one wrote: \
             keep it on a disk of the machine that serves it, or, where no other machine ever \
             opens it, say \
             --allow-network-file-system"
        ),
    ))
}

/// A file that is mounted by itself has its log in the folder that it was mounted in: another one
/// than where it comes from.
pub(super) fn check_mount(real: &Path) -> Result<(), StoreError> {
    if !is_mount(real) {
        return Ok(());
    }
    let at = real.display();
    Err(StoreError::new(
        Code::PermissionDenied,
        format!(
            "{at} is mounted as a single file: its log would lie beside it here, and another one \
             where it comes from, and what is \
             written through one is lost through the other; mount the folder that it lies in"
        ),
    ))
}

#[cfg(target_os = "linux")]
pub(super) fn is_mount(real: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    let flags = AtFlags::NO_AUTOMOUNT | AtFlags::SYMLINK_NOFOLLOW;
    // A kernel before 5.8 does not tell.
    statx(CWD, real, flags, StatxFlags::empty())
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(not(target_os = "linux"))]
pub(super) const fn is_mount(_: &Path) -> bool {
    false
}

/// The name of the network file system that a file lies on.
#[cfg(target_os = "linux")]
pub(super) fn network(real: &Path) -> Option<&'static str> {
    rustix::fs::statfs(real)
        .ok()
        .and_then(|found| name(u64::try_from(found.f_type & 0xffff_ffff).ok()?))
}

#[cfg(all(unix, not(target_os = "linux")))]
pub(super) const fn network(_: &Path) -> Option<&'static str> {
    None
}

/// Nobody can write where the file lies.
#[cfg(unix)]
pub(super) fn is_read_only(real: &Path) -> bool {
    use rustix::fs::{StatVfsMountFlags, statvfs};
    statvfs(real).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY))
}

#[cfg(not(unix))]
pub(super) const fn is_read_only(_: &Path) -> bool {
    false
}

/// By the numbers of Linux (`statfs(2)`). FUSE is one where `sshfs` and its like may be behind it:
/// nobody can tell.
#[cfg(target_os = "linux")]
fn name(kind: u64) -> Option<&'static str> {
    match kind {
        0x6969 => Some("NFS"),
        0xff53_4d42 | 0x517b => Some("CIFS"),
        0xfe53_4d42 => Some("SMB"),
        0x0102_1997 => Some("9P"),
        0x6573_5546 => Some("FUSE"),
        0x00c3_6400 => Some("Ceph"),
        0x5346_414f | 0x6b41_4653 => Some("AFS"),
        0x7375_7245 => Some("Coda"),
        0x4750_4653 => Some("GPFS"),
        0x0bd0_0bd0 => Some("Lustre"),
        0x0116_1970 => Some("GFS2"),
        0x7461_636f => Some("OCFS2"),
        0x564c => Some("NCP"),
        0x786f_4256 => Some("VirtualBox shared folder"),
        0xbacb_acbc => Some("VMware shared folder"),
        _ => None,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        for (kind, expected) in [
            (0x6969, Some("NFS")),
            (0xff53_4d42, Some("CIFS")),
            (0xfe53_4d42, Some("SMB")),
            (0x6573_5546, Some("FUSE")),
            // ext4, tmpfs, overlayfs, xfs, btrfs, zfs
            (0xef53, None),
            (0x0102_1994, None),
            (0x794c_7630, None),
            (0x5846_5342, None),
            (0x9123_683e, None),
            (0x2fc1_2fc1, None),
        ] {
            assert_eq!(name(kind), expected, "{kind:x}");
        }
    }
}
