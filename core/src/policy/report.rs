//! What the command line, C and Python print: the same JSON everywhere (architecture §7).

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{
    Allowed, BackupDirectory, Change, Evaluation, Finding, Given, OwnedValue, Policy, RefusedRow,
    Root, Setting, SettingRow, Settings, Since, Value, changes,
};

impl Evaluation {
    /// One line of JSON:
    /// `{"settings":{NAME:{"value","source"}},"findings":[{"level","rule","setting","message"}],
    /// "root":{"name","sources":[]},"state","summary"}`; `root` is null where nothing is
    /// configured; `state` is a word of [`PolicyState::name`](super::PolicyState::name), `summary`
    /// its sentence. Of a setting whose value is refused, `value` is null, and `given` (null for
    /// what is no single value) and `refused` (the reason) stand beside it.
    #[must_use]
    pub fn to_json(&self) -> String {
        json(&EvaluationJson {
            settings: ByName(&self.settings, &self.refused),
            findings: &self.findings,
            root: self.root.map(|root| Winner { name: root.name(), sources: &self.sources }),
            state: self.state.name(),
            summary: self.state.to_string(),
        })
    }
}

/// What changes from one evaluation to another, on a device that had the first.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// The setting's name; `PolicySource` when another root wins.
    pub setting: &'static str,
    /// The value before.
    pub old: OwnedValue,
    /// The value now.
    pub new: OwnedValue,
    /// What happens.
    pub effect: super::ChangeEffect,
    /// Why, in plain words.
    pub because: &'static str,
}

/// What changes when a device that has one policy gets another; none while either has errors.
#[must_use]
pub fn diff(old: &Evaluation, new: &Evaluation) -> Option<Vec<Difference>> {
    let (before, after) = (old.policy.as_ref()?, new.policy.as_ref()?);
    let mut all: Vec<_> =
        changes(before, after).map(|change| difference(change, before, after)).collect();
    if let (Some(one), Some(other)) = (old.root, new.root) {
        all.extend(authority(one, other, after));
    }
    Some(all)
}

fn difference(change: Change, old: &Policy, new: &Policy) -> Difference {
    Difference {
        setting: change.setting.name(),
        old: old.value(change.setting).into(),
        new: new.value(change.setting).into(),
        effect: change.effect,
        because: change.because,
    }
}

/// Another authority for the policy makes Windows rotate (windows-laps §1.4).
fn authority(old: Root, new: Root, policy: &Policy) -> Option<Difference> {
    let managed = policy.backup_directory() != BackupDirectory::Disabled;
    (old != new).then(|| Difference {
        setting: "PolicySource",
        old: OwnedValue::Text(old.name().into()),
        new: OwnedValue::Text(new.name().into()),
        effect: if managed { super::ChangeEffect::RotatesNow } else { super::ChangeEffect::None },
        because: if managed {
            "the policy comes from another authority"
        } else {
            "nothing is managed under the new policy"
        },
    })
}

/// One line of JSON: `{"changes":[{"setting","old","new","effect","because"}]}`.
#[must_use]
pub fn diff_json(differences: &[Difference]) -> String {
    #[derive(Serialize)]
    struct Changes<'a> {
        changes: &'a [Difference],
    }
    json(&Changes { changes: differences })
}

/// One line of JSON with every setting:
/// `{"settings":[{"name","summary","type","default","csp_format","registry_type",
/// "since",...,"needs":[{"setting","min","max"}]}]}`. Numbers have `range` by backup directory or
/// `values`; text has `max_characters`. A switch counts as 0 and 1 in `needs`, a delay as minutes.
#[must_use]
pub fn schema_json() -> String {
    #[derive(Serialize)]
    struct Schema {
        settings: Vec<Described>,
    }
    json(&Schema { settings: Setting::ALL.into_iter().map(Described::of).collect() })
}

/// Our JSON: a policy file.
pub(super) fn settings_json(settings: &Settings) -> String {
    struct File<'a>(&'a Settings);
    impl Serialize for File<'_> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let all =
                self.0.iter().map(|(setting, value)| (setting.name(), OwnedValue::from(value)));
            to.collect_map(all)
        }
    }
    // Writing to memory cannot fail, and every key is text.
    let mut text = serde_json::to_string_pretty(&File(settings)).unwrap_or_default();
    text.push('\n');
    text
}

fn json(value: &impl Serialize) -> String {
    // Writing to memory cannot fail, and every key is text.
    serde_json::to_string(value).unwrap_or_default()
}

#[derive(Serialize)]
struct EvaluationJson<'a> {
    settings: ByName<'a>,
    findings: &'a [Finding],
    root: Option<Winner<'a>>,
    state: &'static str,
    summary: String,
}

#[derive(Serialize)]
struct Winner<'a> {
    name: &'static str,
    sources: &'a [String],
}

struct ByName<'a>(&'a [SettingRow], &'a [RefusedRow]);

impl Serialize for ByName<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct SettingJson<'a> {
            value: Option<&'a OwnedValue>,
            source: &'a str,
            #[serde(flatten)]
            refused: Option<Refused<'a>>,
        }
        #[derive(Serialize)]
        struct Refused<'a> {
            given: &'a Given,
            refused: &'a str,
        }
        let in_force = self.0.iter().map(|row| {
            let shown = SettingJson { value: Some(&row.value), source: &row.source, refused: None };
            (row.setting.name(), shown)
        });
        let refused = self.1.iter().map(|row| {
            let refused = Some(Refused { given: &row.given, refused: &row.reason });
            (row.setting.name(), SettingJson { value: None, source: &row.source, refused })
        });
        to.collect_map(in_force.chain(refused))
    }
}

impl Serialize for Given {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(number) => to.serialize_i64(*number),
            Self::Fraction(number) => to.serialize_f64(*number),
            Self::Switch(on) => to.serialize_bool(*on),
            Self::Text(text) => to.serialize_str(text),
            Self::Other => to.serialize_unit(),
        }
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(4))?;
        map.serialize_entry("level", self.level.name())?;
        map.serialize_entry("rule", self.rule)?;
        map.serialize_entry("setting", &self.setting)?;
        map.serialize_entry("message", &self.message)?;
        map.end()
    }
}

impl Serialize for OwnedValue {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => to.serialize_u16(*number),
            Self::Switch(on) => to.serialize_bool(*on),
            Self::Text(text) => to.serialize_str(text),
        }
    }
}

impl Serialize for Difference {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(5))?;
        map.serialize_entry("setting", self.setting)?;
        map.serialize_entry("old", &self.old)?;
        map.serialize_entry("new", &self.new)?;
        map.serialize_entry("effect", self.effect.name())?;
        map.serialize_entry("because", self.because)?;
        map.end()
    }
}

/// A setting as data.
#[derive(Serialize)]
struct Described {
    name: &'static str,
    summary: &'static str,
    r#type: &'static str,
    default: OwnedValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Ranges>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<&'static [u16]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_characters: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'static str>,
    csp_format: Option<&'static str>,
    registry_type: &'static str,
    backup_directories: Vec<u8>,
    needs: Vec<Need>,
    since: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    newer_values: Vec<u16>,
}

/// The smallest and the largest value by backup directory; hours for the delay.
#[derive(Serialize)]
struct Ranges {
    disabled: [u16; 2],
    entra: [u16; 2],
    active_directory: [u16; 2],
}

#[derive(Serialize)]
struct Need {
    setting: &'static str,
    min: u16,
    max: u16,
}

impl Described {
    fn of(setting: Setting) -> Self {
        let bounds = |mode| match setting.allowed(mode) {
            Allowed::Range { min, max } => Some([min, max]),
            Allowed::Delay { max_minutes } => Some([0, max_minutes.checked_div(60)?]),
            Allowed::OneOf(_) | Allowed::Switch | Allowed::Text { .. } => None,
        };
        let range = || {
            Some(Ranges {
                disabled: bounds(BackupDirectory::Disabled)?,
                entra: bounds(BackupDirectory::Entra)?,
                active_directory: bounds(BackupDirectory::ActiveDirectory)?,
            })
        };
        let allowed = setting.allowed(BackupDirectory::Disabled);
        let (kind, format, registry) = match allowed {
            Allowed::Delay { .. } => ("delay", "int", "REG_DWORD"),
            Allowed::OneOf(_) | Allowed::Range { .. } => ("integer", "int", "REG_DWORD"),
            Allowed::Switch => ("boolean", "bool", "REG_DWORD"),
            Allowed::Text { .. } => ("string", "chr", "REG_SZ"),
        };
        let (values, max_characters) = match allowed {
            Allowed::OneOf(values) => (Some(values), None),
            Allowed::Text { max } => (None, Some(max)),
            Allowed::Delay { .. } | Allowed::Range { .. } | Allowed::Switch => (None, None),
        };
        let applies =
            |mode: &BackupDirectory| {
                setting.conditions().iter().filter(|c| c.setting == Setting::BackupDirectory).all(
                    |condition| (condition.min..=condition.max).contains(&u16::from(mode.as_u8())),
                )
            };
        Self {
            name: setting.name(),
            summary: setting.summary(),
            r#type: kind,
            default: setting.default_value().into(),
            range: range(),
            values,
            max_characters,
            unit: matches!(allowed, Allowed::Delay { .. })
                .then_some("hours; text such as \"90m\" gives minutes"),
            csp_format: setting.in_csp().then_some(format),
            registry_type: registry,
            backup_directories: [
                BackupDirectory::Disabled,
                BackupDirectory::Entra,
                BackupDirectory::ActiveDirectory,
            ]
            .into_iter()
            .filter(applies)
            .map(BackupDirectory::as_u8)
            .collect(),
            needs: setting
                .conditions()
                .iter()
                .map(|need| Need { setting: need.setting.name(), min: need.min, max: need.max })
                .collect(),
            since: name_of(setting.since()),
            newer_values: (0..=11)
                .filter(|number| setting.since_with(Value::Number(*number)) != setting.since())
                .collect(),
        }
    }
}

const fn name_of(since: Since) -> &'static str {
    match since {
        Since::April2023 => "2023-04-11",
        Since::Windows11V24H2 => "24H2",
    }
}
