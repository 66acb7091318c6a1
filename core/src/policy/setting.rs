//! The settings, as data: name, kind, range, default, dependencies (windows-laps §1.2).

mod rows;

use core::fmt;

pub use self::rows::Setting;
pub(super) use self::rows::{DEFAULT_PREFIX, MAX_PREFIX, MAX_PRINCIPAL};
use super::{BackupDirectory, effect::EffectRule};

/// The value of a setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Minutes of `PostAuthenticationResetDelay`. Windows knows whole hours only.
    Minutes(u16),
    /// A whole number.
    Number(u16),
    /// On or off.
    Switch(bool),
    /// Text.
    Text(&'a str),
}

/// As policy files spell it: a delay in hours, or in minutes with an `m` behind when it is not
/// whole hours.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minutes(minutes) => match whole_hours(*minutes) {
                Some(hours) => fmt::Display::fmt(&hours, f),
                None => write!(f, "{minutes}m"),
            },
            Self::Number(number) => fmt::Display::fmt(number, f),
            Self::Switch(on) => fmt::Display::fmt(on, f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The hours, when there is nothing left over.
pub(crate) const fn whole_hours(minutes: u16) -> Option<u16> {
    if minutes.is_multiple_of(60) { minutes.checked_div(60) } else { None }
}

/// `90m`, `2h` or `1h30m`: whole hours and minutes, at most four digits each, no spaces.
#[cfg(feature = "documents")]
pub(super) fn minutes(text: &str) -> Option<u16> {
    let (hours, rest) = match text.split_once('h') {
        Some((hours, rest)) => (digits(hours)?, rest),
        None => (0, text),
    };
    let minutes = match rest.strip_suffix('m') {
        Some(minutes) => digits(minutes)?,
        None if rest.is_empty() && !text.is_empty() => 0,
        None => return None,
    };
    hours.checked_mul(60)?.checked_add(minutes)
}

#[cfg(feature = "documents")]
fn digits(text: &str) -> Option<u16> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// What a setting accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Allowed {
    /// From 0 to so many minutes; whole hours in every form but our own JSON.
    Delay {
        /// The longest, in minutes.
        max_minutes: u16,
    },
    /// One of these numbers.
    OneOf(&'static [u16]),
    /// A whole number from `min` to `max`.
    Range {
        /// The smallest.
        min: u16,
        /// The largest.
        max: u16,
    },
    /// `true` or `false`.
    Switch,
    /// Text of at most so many characters.
    Text {
        /// The most characters.
        max: u16,
    },
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay { max_minutes } => write!(
                f,
                "0 to {} hours as a whole number, or minutes as text such as \"90m\" or \"1h30m\"",
                max_minutes.checked_div(60).unwrap_or_default()
            ),
            Self::OneOf(numbers) => {
                f.write_str("one of ")?;
                numbers.iter().enumerate().try_for_each(|(at, number)| {
                    write!(f, "{}{number}", if at == 0 { "" } else { ", " })
                })
            }
            Self::Range { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Switch => f.write_str("true or false"),
            Self::Text { max } => write!(f, "text of at most {max} characters"),
        }
    }
}

/// A setting has an effect only while another one is between two values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Condition {
    /// The other setting: a number, a switch (0 or 1) or a delay (in minutes).
    pub setting: Setting,
    /// The smallest value with which the dependent one has an effect.
    pub min: u16,
    /// The largest.
    pub max: u16,
}

impl Condition {
    const fn new(setting: Setting, min: u16, max: u16) -> Self {
        Self { setting, min, max }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.setting.name();
        match (self.setting.allowed(BackupDirectory::Disabled), self.min, self.max) {
            (Allowed::Switch, min, _) => write!(f, "{name} {}", min == 1),
            (Allowed::Delay { .. }, ..) => write!(f, "{name} above 0"),
            (_, min, max) if min == max => write!(f, "{name} {min}"),
            (_, min, max) => write!(f, "{name} {min} to {max}"),
        }
    }
}

/// The oldest Windows that knows a setting or a value.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Since {
    /// The updates of 2023-04-11.
    April2023,
    /// Windows 11 24H2 and Windows Server 2025.
    Windows11V24H2,
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::April2023 => "the updates of 2023-04-11",
            Self::Windows11V24H2 => "Windows 11 24H2 and Windows Server 2025",
        })
    }
}

/// What is known of a setting.
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) allowed: Allowed,
    /// Where Entra has a range of its own.
    pub(super) allowed_in_entra: Option<Allowed>,
    pub(super) default: Value<'static>,
    pub(super) place: ValuePlace,
    pub(super) conditions: &'static [Condition],
    pub(super) since: Since,
    /// The numbers that only Windows 11 24H2 knows.
    pub(super) newer: &'static [u16],
    /// Its numbers have names in Intune's editor; the others are typed in.
    pub(super) is_choice: bool,
    pub(super) in_csp: bool,
    /// Under what Intune's editor shows it.
    #[cfg_attr(not(feature = "documents"), expect(dead_code, reason = "for documents"))]
    pub(super) intune: Option<Parent>,
    pub(super) effect: EffectRule,
}

impl Definition {
    /// Whether range, default and place are of one kind.
    const fn is_sound(&self) -> bool {
        let is_text = !matches!(self.place, ValuePlace::Number);
        match (self.allowed, self.default) {
            (Allowed::Text { .. }, Value::Text(_)) => is_text,
            (Allowed::Delay { .. }, Value::Minutes(_))
            | (Allowed::OneOf(_) | Allowed::Range { .. }, Value::Number(_))
            | (Allowed::Switch, Value::Switch(_)) => !is_text,
            _ => false,
        }
    }
}

/// Where a value stands in a table of values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ValuePlace {
    /// Among the numbers.
    Number,
    AccountName,
    Principal,
    Prefix,
}

/// The setting, and those of its options, under which Intune's editor shows another one.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "documents"), expect(dead_code, reason = "for documents"))]
pub(super) struct Parent {
    pub(super) setting: Setting,
    /// None where it is a switch that must be on.
    pub(super) options: &'static [u16],
    pub(super) why: &'static str,
}

impl Setting {
    /// The name in the CSP, in Group Policy's registry root and in our JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The setting with exactly this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }

    /// One line about it.
    ///
    /// What a form shows to whoever sets a policy:
    ///
    /// ```
    /// use laps_core::policy::{BackupDirectory, Setting};
    ///
    /// for setting in Setting::ALL.into_iter().filter(|setting| setting.in_csp()) {
    ///     let accepts = setting.allowed(BackupDirectory::Entra);
    ///     println!("{setting}: {} Accepts {accepts}.", setting.summary());
    ///     let default = setting.default_value();
    ///     println!("Default: {default}, known to {} and later.", setting.since_with(default));
    ///     for condition in setting.conditions() {
    ///         println!("It has no effect but with {condition}.");
    ///     }
    /// }
    /// ```
    #[must_use]
    pub const fn summary(self) -> &'static str {
        self.row().summary
    }

    /// What it accepts in a backup mode.
    #[must_use]
    pub const fn allowed(self, mode: BackupDirectory) -> Allowed {
        match (mode, self.row().allowed_in_entra) {
            (BackupDirectory::Entra, Some(allowed)) => allowed,
            _ => self.row().allowed,
        }
    }

    /// Its value where nothing sets it; the same in every backup mode.
    #[must_use]
    pub const fn default_value(self) -> Value<'static> {
        self.row().default
    }

    /// What must hold for it to have an effect: all of these.
    #[must_use]
    pub const fn conditions(self) -> &'static [Condition] {
        self.row().conditions
    }

    /// The oldest Windows that knows the setting.
    #[must_use]
    pub const fn since(self) -> Since {
        self.row().since
    }

    /// The oldest Windows that knows this value of the setting; an older one uses the default
    /// instead.
    #[must_use]
    pub fn since_with(self, value: Value<'_>) -> Since {
        let is_newer = |number| self.row().newer.contains(&number);
        if matches!(value, Value::Number(number) if is_newer(number)) {
            return Since::Windows11V24H2;
        }
        self.since()
    }

    /// Whether the CSP has a node for it. One setting exists in Group Policy and the registry only.
    #[must_use]
    pub const fn in_csp(self) -> bool {
        self.row().in_csp
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(all(test, feature = "documents"))]
mod tests {
    use super::*;

    #[test]
    fn delays_are_hours_and_minutes() {
        for (text, want) in [
            ("90m", Some(90)),
            ("1h30m", Some(90)),
            ("2h", Some(120)),
            ("0m", Some(0)),
            ("24h", Some(1440)),
            ("0h90m", Some(90)),
        ] {
            assert_eq!(minutes(text), want, "{text}");
        }
        for text in [
            "", "h", "m", "90", "90 m", "1h30", "30m1h", "-1m", "+1m", "1.5h", "9999h", "12345m",
            "1H",
        ] {
            assert_eq!(minutes(text), None, "{text}");
        }
    }
}
