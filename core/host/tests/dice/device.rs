//! A device as the walk knows it: its files, and how many causes its password had to change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::script::Setter;

/// The two names that its account can have.
pub(crate) const NAMES: [&str; 2] = ["Admin", "Other"];
/// How a password begins that a hand has set, and no agent.
pub(crate) const BY_HAND: &str = "by hand";
/// Passwords become due after so many days.
const AGE_DAYS: u64 = 30;
const DAY: u64 = 86_400;

/// An image of state and accounts that can be put back.
struct Image {
    changed_at: u64,
    journal_of: Option<usize>,
    lost: [bool; 2],
}

pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// Whom its configuration names, by number.
    pub(crate) readers: Vec<usize>,
    /// Which of [`NAMES`] its policy has.
    pub(crate) named: usize,
    pub(crate) off: bool,
    length: u32,
    causes: Causes,
    /// Changes of its passwords, as its store counts them, that were looked at.
    seen: usize,
    /// When the last of them was.
    changed_at: u64,
    image: Option<Image>,
    /// Whether the journal may have lost records since the last run that ended.
    pub(crate) journal_lost: bool,
    /// The account that the journal is about, where that is known.
    pub(crate) journal_of: Option<usize>,
    /// The accounts whose records the vault may have lost, since it was purged or is an older one.
    pub(crate) lost: [bool; 2],
    /// Whether a re-sealing that opens for nobody may hide what the device sealed.
    spoilt: bool,
    /// Whether the account goes by the other name, and the policy does not follow.
    strayed: bool,
    hands: u32,
}

/// How many changes of the password were asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Causes {
    /// Since the walk began.
    all: u64,
    /// Since the device was quiet, and to be followed at once.
    open: u64,
    /// Until the next commit: those whose time comes.
    later: u64,
    /// Changes since the device was quiet.
    changes: u64,
}

impl Device {
    pub(crate) fn new(root: &Path, number: usize, readers: Vec<usize>, now: u64) -> Self {
        let name = format!("pc-{number:03}");
        let folder = root.join(&name);
        fs::create_dir_all(folder.join("accounts")).unwrap();
        let mut device = Self {
            name,
            folder,
            readers,
            named: 0,
            off: false,
            length: 14,
            causes: Causes::default(),
            seen: 0,
            changed_at: now,
            image: None,
            journal_lost: false,
            journal_of: None,
            lost: [false; 2],
            spoilt: false,
            strayed: false,
            hands: 0,
        };
        device.set_by_hand(0);
        device.write_policy();
        // It enrols.
        device.cause();
        device
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn account(&self, name: usize) -> PathBuf {
        self.path("accounts").join(NAMES[name])
    }

    /// The password of the account of this name; none while it is missing.
    pub(crate) fn password(&self, name: usize) -> Option<String> {
        fs::read_to_string(self.account(name)).ok()
    }

    pub(crate) fn is_present(&self) -> bool {
        self.account(self.named).exists()
    }

    /// Whether an agent set the password of the account of this name.
    pub(crate) fn is_ours(&self, name: usize) -> bool {
        self.password(name).is_some_and(|text| !text.starts_with(BY_HAND))
    }

    /// Where an account is while it is gone. It does not come back once another has its name: the
    /// password that it had then may be older than anything that is kept.
    fn gone(&self, name: usize) -> PathBuf {
        self.path(&format!("gone-{}", NAMES[name]))
    }

    fn stays_gone(&self, name: usize) {
        let _none = fs::remove_file(self.gone(name));
    }

    pub(crate) fn set_by_hand(&mut self, name: usize) {
        self.hands += 1;
        self.stays_gone(name);
        fs::write(self.account(name), format!("{BY_HAND} {}", self.hands)).unwrap();
    }

    fn write_policy(&self) {
        let text = format!(
            r#"{{"BackupDirectory":{},"AdministratorAccountName":"{}",
            "PasswordAgeDays":{AGE_DAYS},"PasswordLength":{}}}"#,
            u8::from(!self.off),
            NAMES[self.named],
            self.length
        );
        fs::write(self.path("policy.json"), text).unwrap();
    }

    pub(crate) fn write_readers(&self, lines: &str) {
        fs::write(self.path("readers"), lines).unwrap();
    }

    /// The password may have to change once more for what is done now.
    pub(crate) fn cause(&mut self) {
        self.causes.all += 1;
        self.causes.open += 1;
    }

    /// The same, at some later time.
    pub(crate) fn cause_later(&mut self) {
        self.causes.all += 1;
        self.causes.later += 1;
    }

    /// Whom the configuration names from now on. Losing a reader is a cause; another one more is
    /// none.
    pub(crate) fn seal_to(&mut self, readers: Vec<usize>) {
        if self.readers.iter().any(|reader| !readers.contains(reader)) {
            self.cause();
        }
        self.readers = readers;
    }

    pub(crate) fn goes(&self) {
        // It may be gone already.
        let _gone = fs::rename(self.account(self.named), self.gone(self.named));
    }

    /// An account that was gone, with the password that it had or one of its own.
    pub(crate) fn returns(&mut self, own: bool) {
        if self.is_present() {
            return;
        }
        if own || fs::rename(self.gone(self.named), self.account(self.named)).is_err() {
            self.set_by_hand(self.named);
        }
        self.cause();
    }

    /// The account is called as the other one; the policy follows, or names what is not there any
    /// more.
    pub(crate) fn is_renamed(&mut self, follows: bool) {
        let other = 1 - self.named;
        if !self.is_present() {
            return;
        }
        fs::rename(self.account(self.named), self.account(other)).unwrap();
        self.stays_gone(other);
        if follows {
            self.turns();
        } else {
            self.strayed = true;
            self.lost[other] |= self.spoilt;
        }
    }

    /// A re-sealing that opens for nobody was taken. The vault keeps what it hides until the next
    /// password of the account that is managed is committed. One that was renamed, which without a
    /// SID is another account, has its password still.
    pub(crate) fn is_spoilt(&mut self) {
        self.spoilt = true;
        self.lost[1 - self.named] |= self.strayed;
    }

    /// A run ended, and nothing is left to do: the vault has what the managed account holds.
    pub(crate) fn is_quiet(&mut self) {
        self.lost[self.named] = false;
        self.journal_lost = false;
        (self.spoilt, self.strayed) = (false, false);
    }

    /// The policy names the other account. One that the device knows nothing of gets a password.
    pub(crate) fn turns(&mut self) {
        self.named = 1 - self.named;
        if !self.is_present() {
            self.set_by_hand(self.named);
        }
        self.cause();
        self.write_policy();
    }

    pub(crate) fn manage(&mut self, off: bool) {
        self.off = off;
        self.write_policy();
    }

    pub(crate) fn demands(&mut self) {
        self.length += 1;
        self.cause();
        self.write_policy();
    }

    pub(crate) fn set_setter(&self, setter: Setter) {
        let word = match setter {
            Setter::Honest => "",
            Setter::Fails => "fails",
            Setter::Refuses => "refuses",
            Setter::FailsLate => "late",
        };
        fs::write(self.path("setter"), format!("{word}\n")).unwrap();
    }

    pub(crate) fn is_used(&mut self, at: &str) {
        fs::write(self.path("used"), at).unwrap();
        self.cause_later();
    }

    pub(crate) fn take_image(&mut self) {
        let image = self.path("image");
        let _none = fs::remove_dir_all(&image);
        fs::create_dir(&image).unwrap();
        copy(&self.path("accounts"), &image);
        if self.path("state").exists() {
            copy(&self.path("state"), &image);
        }
        let (changed_at, journal_of, lost) = (self.changed_at, self.journal_of, self.lost);
        self.image = Some(Image { changed_at, journal_of, lost });
    }

    /// Puts the image back: the state, and with it the accounts, or the state alone.
    pub(crate) fn restore_image(&mut self, accounts: bool) {
        let Some(image) = &self.image else { return };
        self.changed_at = self.changed_at.min(image.changed_at);
        let folders: &[&str] = if accounts { &["state", "accounts"] } else { &["state"] };
        for name in folders {
            let _none = fs::remove_dir_all(self.path(name));
            if self.path("image").join(name).exists() {
                copy(&self.path("image").join(name), &self.folder);
            }
        }
        self.journal_of = image.journal_of;
        if accounts {
            (0..NAMES.len()).for_each(|name| self.stays_gone(name));
            self.lost = [0, 1].map(|name: usize| self.lost[name] || image.lost[name]);
        }
        self.journal_lost |= !accounts;
        self.cause();
    }

    /// The vault was purged of it, or is an older one: records of the accounts and of those in the
    /// image may be gone.
    pub(crate) fn is_forgotten(&mut self) {
        self.lost = [true; 2];
        if let Some(image) = &mut self.image {
            image.lost = [true; 2];
        }
    }

    pub(crate) fn lose_state(&mut self) {
        if fs::remove_dir_all(self.path("state")).is_ok() {
            self.journal_lost = true;
            self.cause();
        }
    }

    /// What the store counted.
    pub(crate) fn changes(&self) -> usize {
        fs::read_to_string(self.path("changes")).map_or(0, |text| text.lines().count())
    }

    /// Looks at what a run did: an error says that the password changed without a cause.
    /// `meanwhile` says how many causes came while it ran, `is_over` whether it went to its end
    /// and found nothing more to do.
    pub(crate) fn look(
        &mut self,
        now: u64,
        meanwhile: u64,
        is_over: bool,
        once: bool,
    ) -> Result<bool, String> {
        let counted = self.changes();
        let changed = counted - self.seen;
        self.seen = counted;
        if now.saturating_sub(self.changed_at) >= AGE_DAYS * DAY {
            self.cause();
        }
        let causes = &mut self.causes;
        causes.all += meanwhile;
        causes.changes += u64::try_from(changed).unwrap();
        if causes.changes > causes.open + causes.later + meanwhile {
            return Err(format!("changed {changed} times: {causes:?}, {meanwhile} meanwhile"));
        }
        if once && changed > 2 {
            return Err(format!("changed {changed} times in one run"));
        }
        if changed > 0 {
            self.changed_at = now;
        }
        causes.open += meanwhile;
        if is_over && !self.off {
            // A commit ends every cause that is not about it.
            causes.later = if changed > 0 { 0 } else { causes.later };
            (causes.open, causes.changes) = (meanwhile, 0);
        }
        Ok(changed > 0)
    }

    /// Of all changes each had a cause of its own.
    pub(crate) fn sum(&self) -> (usize, u64) {
        (self.changes(), self.causes.all)
    }

    /// What its agents said last.
    pub(crate) fn events(&self) -> String {
        let text = fs::read_to_string(self.path("events")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

fn copy(from: &Path, into: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(into).status().unwrap();
    assert!(status.success());
}
