//! Whether a file may be trusted: the one judge of owners and modes.
//!
//! Whoever can write a file, or a folder on the way to it, says what is in it: a public key of
//! theirs reads every password from now on, a policy of theirs makes weak ones. Whoever can read a
//! key opens what it opens. So a file belongs to the user who runs this program or to root, and so
//! does every folder and link on the way; nobody else may write there. A folder in which everybody
//! may write, but remove only what is theirs (the sticky bit, as `/tmp` has it), will do. A group
//! whose number is that of the owner is the owner's own, as distributions make one for each user;
//! root's is not.
//!
//! What is no regular file (a terminal, a pipe) has no content of its own and is not judged. On
//! Windows nothing is judged yet: access lists are another matter.

use core::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use laps_core::error::Code;

/// What is in a file, and so who may read it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// A policy, a public key, a state: everybody may read it.
    Public,
    /// A key, a passphrase, a token, a vault: its owner alone may read it, and the group of a file
    /// of root's.
    Secret,
}

/// Reads a file that may be trusted, at most `most` bytes of it. It is judged as it is open: nobody
/// can put another in its place between.
///
/// # Errors
/// [`TrustError`].
pub fn read(path: &Path, content: Content, most: u64) -> Result<Vec<u8>, TrustError> {
    let failed = |error| TrustError::Io { path: path.to_owned(), error };
    let file = File::open(path).map_err(failed)?;
    judge_open(&file, path, content)?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Judges a file or a folder and everything on the way to it.
///
/// # Errors
/// [`TrustError`].
pub fn judge(path: &Path, content: Content) -> Result<(), TrustError> {
    let found =
        std::fs::metadata(path).map_err(|error| TrustError::Io { path: path.to_owned(), error })?;
    unix::judge(&found, path, content, None)?;
    unix::judge_way(path, None)
}

/// Judges a file that another user of this machine published: that user may put anything in its
/// place, and nobody else may.
///
/// # Errors
/// [`TrustError`].
pub fn judge_published(path: &Path) -> Result<(), TrustError> {
    let found =
        std::fs::metadata(path).map_err(|error| TrustError::Io { path: path.to_owned(), error })?;
    let publisher = unix::owner(&found);
    unix::judge(&found, path, Content::Public, publisher)?;
    unix::judge_way(path, publisher)
}

/// Judges a file that was opened by this path.
///
/// # Errors
/// [`TrustError`].
pub fn judge_open(file: &File, path: &Path, content: Content) -> Result<(), TrustError> {
    let found = file.metadata().map_err(|error| TrustError::Io { path: path.to_owned(), error })?;
    if !found.is_file() {
        return Ok(());
    }
    unix::judge(&found, path, content, None)?;
    unix::judge_way(path, None)
}

/// Why a file is not trusted.
#[derive(Debug)]
#[non_exhaustive]
pub enum TrustError {
    /// It could not be looked at or read.
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It belongs to neither this user nor root.
    Owner {
        /// Which file, folder or link.
        path: PathBuf,
        /// Whose it is: a user id.
        owner: u32,
        /// Who we are: a user id.
        user: u32,
    },
    /// Others may read what is secret.
    Readable {
        /// Which file.
        path: PathBuf,
    },
    /// Others may write.
    Writable {
        /// Which file or folder.
        path: PathBuf,
        /// Whether it is a folder.
        folder: bool,
    },
}

impl TrustError {
    /// The number of this error.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's kinds are open-ended")]
    pub fn code(&self) -> Code {
        match self {
            Self::Io { error, .. } => match error.kind() {
                io::ErrorKind::NotFound => Code::NotFound,
                io::ErrorKind::PermissionDenied => Code::PermissionDenied,
                _ => Code::Io,
            },
            Self::Owner { .. } | Self::Readable { .. } | Self::Writable { .. } => {
                Code::PermissionDenied
            }
        }
    }
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, error } => write!(f, "cannot read {}: {error}", path.display()),
            Self::Owner { path, owner, user } => write!(
                f,
                "{0} belongs to user {owner}, who can put anything in its place; use it as that \
                 user, or: chown {user} {0}",
                path.display()
            ),
            Self::Readable { path } => {
                write!(
                    f,
                    "{0} can be read or written by others than its owner: run `chmod 600 {0}`",
                    path.display()
                )
            }
            Self::Writable { path, folder: false } => {
                write!(f, "others may write {0}: chmod go-w {0}", path.display())
            }
            Self::Writable { path, folder: true } => write!(
                f,
                "others may write in the folder {0}, and put anything in the place of what is \
                 there: chmod go-w {0}",
                path.display()
            ),
        }
    }
}

impl core::error::Error for TrustError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::Owner { .. } | Self::Readable { .. } | Self::Writable { .. } => None,
        }
    }
}

#[cfg(unix)]
mod unix {
    use alloc::collections::VecDeque;
    use std::ffi::OsString;
    use std::fs::{self, Metadata};
    use std::os::unix::fs::MetadataExt as _;

    use super::{Content, Path, PathBuf, TrustError, io};

    /// Who owns it and who may do what with it, apart from where it is.
    pub(super) fn judge(
        found: &Metadata,
        path: &Path,
        content: Content,
        publisher: Option<u32>,
    ) -> Result<(), TrustError> {
        let path = || path.to_owned();
        judge_owner(found, path(), publisher)?;
        let mode = found.mode();
        // As PostgreSQL has it: what root owns may be meant for the group of a service.
        let others = if found.uid() == 0 && user() != 0 { 0o037 } else { 0o077 };
        if content == Content::Secret && !found.is_dir() && mode & others != 0 {
            return Err(TrustError::Readable { path: path() });
        }
        let sticky = found.is_dir() && mode & 0o1000 != 0;
        let own_group = found.gid() == found.uid() && found.uid() != 0;
        let writable = mode & 0o002 != 0 || (mode & 0o020 != 0 && !own_group);
        if writable && !sticky {
            return Err(TrustError::Writable { path: path(), folder: found.is_dir() });
        }
        Ok(())
    }

    /// Every folder and link on the way.
    pub(super) fn judge_way(path: &Path, publisher: Option<u32>) -> Result<(), TrustError> {
        let failed = |error| TrustError::Io { path: path.to_owned(), error };
        let parts = |path: &Path| path.iter().map(OsString::from).collect::<Vec<_>>();
        let mut rest: VecDeque<OsString> =
            parts(&std::path::absolute(path).map_err(failed)?).into();
        let mut at = PathBuf::new();
        let mut links = 0_u8;
        while let Some(part) = rest.pop_front() {
            let next =
                if part == ".." { at.parent().unwrap_or(&at).to_owned() } else { at.join(&part) };
            let found = fs::symlink_metadata(&next).map_err(failed)?;
            if found.is_symlink() {
                judge_owner(&found, next.clone(), publisher)?;
                links = links.saturating_add(1);
                if links > MOST_LINKS {
                    return Err(failed(io::Error::other("too many links on the way to it")));
                }
                for part in parts(&fs::read_link(&next).map_err(failed)?).into_iter().rev() {
                    rest.push_front(part);
                }
                continue;
            }
            if found.is_dir() {
                judge(&found, &next, Content::Public, publisher)?;
            }
            at = next;
        }
        Ok(())
    }

    pub(super) fn owner(found: &Metadata) -> Option<u32> {
        Some(found.uid())
    }

    fn judge_owner(
        found: &Metadata,
        path: PathBuf,
        publisher: Option<u32>,
    ) -> Result<(), TrustError> {
        let (owner, user) = (found.uid(), user());
        if owner == user || owner == 0 || publisher == Some(owner) {
            Ok(())
        } else {
            Err(TrustError::Owner { path, owner, user })
        }
    }

    fn user() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    /// As many as Linux follows.
    const MOST_LINKS: u8 = 40;
}

/// Access lists are not looked at yet.
#[cfg(not(unix))]
mod unix {
    use super::{Content, Path, TrustError};
    use std::fs::Metadata;

    pub(super) fn judge(
        _: &Metadata,
        _: &Path,
        _: Content,
        _: Option<u32>,
    ) -> Result<(), TrustError> {
        Ok(())
    }

    pub(super) fn owner(_: &Metadata) -> Option<u32> {
        None
    }

    pub(super) fn judge_way(_: &Path, _: Option<u32>) -> Result<(), TrustError> {
        Ok(())
    }
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    struct TestFolder(tempfile::TempDir);

    impl TestFolder {
        fn new() -> Self {
            let place = Self(tempfile::tempdir().unwrap());
            fs::create_dir(place.path("folder")).unwrap();
            fs::write(place.path("folder/file"), "content").unwrap();
            place.mode("folder", 0o755);
            place
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn mode(&self, name: &str, mode: u32) {
            fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
        }

        /// In a word what is said of the file.
        fn says(&self, name: &str, content: Content) -> &'static str {
            let word = |error: TrustError| match error {
                TrustError::Io { .. } => "io",
                TrustError::Owner { .. } => "owner",
                TrustError::Readable { .. } => "readable",
                TrustError::Writable { folder: true, .. } => "folder",
                TrustError::Writable { folder: false, .. } => "writable",
            };
            let read = read(&self.path(name), content, 100).map(drop).map_err(word);
            let judged = judge(&self.path(name), content).map_err(word);
            assert_eq!(read, judged);
            read.err().unwrap_or("yes")
        }
    }

    #[test]
    fn modes_are_judged_by_who_may_do_what() {
        let place = TestFolder::new();
        for (mode, secret, public) in [
            (0o600, "yes", "yes"),
            (0o400, "yes", "yes"),
            (0o700, "yes", "yes"),
            (0o644, "readable", "yes"),
            (0o640, "readable", "yes"),
            (0o604, "readable", "yes"),
            (0o606, "readable", "writable"),
            (0o666, "readable", "writable"),
            (0o602, "readable", "writable"),
        ] {
            place.mode("folder/file", mode);
            assert_eq!(place.says("folder/file", Content::Secret), secret, "{mode:o}");
            assert_eq!(place.says("folder/file", Content::Public), public, "{mode:o}");
        }
        assert_eq!(place.says("folder/none", Content::Public), "io");
    }

    #[test]
    fn every_folder_and_link_on_the_way_is_judged() {
        let place = TestFolder::new();
        fs::create_dir(place.path("shared")).unwrap();
        symlink(place.path("folder"), place.path("shared/link")).unwrap();
        symlink("../shared/link/../folder/file", place.path("folder/again")).unwrap();
        for name in ["folder/file", "shared/link/file", "folder/again", "shared/../folder/file"] {
            place.mode("shared", 0o755);
            place.mode("folder/file", 0o600);
            assert_eq!(place.says(name, Content::Secret), "yes", "{name}");
            place.mode("shared", 0o777);
            let way = if name == "folder/file" { "yes" } else { "folder" };
            assert_eq!(place.says(name, Content::Secret), way, "{name}");
            place.mode("shared", 0o1777);
            assert_eq!(place.says(name, Content::Secret), "yes", "{name}");
            place.mode("folder", 0o757);
            assert_eq!(place.says(name, Content::Secret), "folder", "{name}");
            place.mode("folder", 0o755);
        }
        symlink("loop", place.path("loop")).unwrap();
        assert_eq!(place.says("loop", Content::Public), "io");
    }

    #[test]
    fn an_owner_is_this_user_or_root_and_a_group_may_be_the_owners_own() {
        if !rustix::process::geteuid().is_root() {
            return; // Only root gives files away; the gate runs as root.
        }
        let place = TestFolder::new();
        let own =
            |name: &str, uid, gid| std::os::unix::fs::chown(place.path(name), Some(uid), Some(gid));
        own("folder/file", 4711, 0).unwrap();
        assert_eq!(place.says("folder/file", Content::Public), "owner");
        own("folder/file", 0, 4711).unwrap();
        place.mode("folder/file", 0o664);
        assert_eq!(place.says("folder/file", Content::Public), "writable");
        own("folder/file", 0, 0).unwrap();
        assert_eq!(place.says("folder/file", Content::Public), "writable");
        place.mode("folder/file", 0o644);
        own("folder", 4711, 0).unwrap();
        assert_eq!(place.says("folder/file", Content::Public), "owner");
        own("folder", 0, 0).unwrap();
        symlink("folder", place.path("link")).unwrap();
        std::os::unix::fs::lchown(place.path("link"), Some(4711), None).unwrap();
        assert_eq!(place.says("link/file", Content::Public), "owner");
        assert_eq!(place.says("folder/file", Content::Public), "yes");
    }

    #[test]
    fn what_is_no_file_is_not_judged() {
        let path = Path::new("/dev/null");
        assert_eq!(read(path, Content::Secret, 10).unwrap(), b"");
    }
}
