//! What the device's own password policy asked for when it refused a password: what is followed,
//! what is not and why, and the file that keeps it.
//!
//! It is kept because a run may see no more than two refusals: a device that names one demand at a
//! time would otherwise refuse the same passwords to every single run. What is kept binds nobody: a
//! recipe is made of it for every password, and is never weaker than the policy's own,
//! whatever the file says. It holds numbers and our own words, nothing of the device's text and
//! nothing of a password.

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{NotStricter, Stricter};
use crate::policy::Policy;

/// A demand of the device's own password policy.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Demand {
    /// What, in words: `at least 20 characters`.
    pub demand: String,
    /// Whether passwords are made by it. One that would make them weaker than our policy does, or
    /// that our policy forbids, is not followed.
    pub followed: bool,
    /// Why it is not followed.
    pub why: Option<String>,
}

/// What a device asks for, under one policy of ours.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Demands {
    /// The hash of our policy. Under another one the device has to ask again.
    policy: [u8; 32],
    followed: Stricter,
    /// One demand each, no two of one kind, and why it is not followed.
    refused: Vec<(Stricter, String)>,
}

impl Demands {
    /// What is followed under this policy.
    #[must_use]
    pub fn followed(&self, policy: &Policy) -> Stricter {
        if self.policy == policy.hash() { self.followed } else { Stricter::default() }
    }

    /// Whether nothing is kept.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.followed.is_empty() && self.refused.is_empty()
    }

    /// Whether nothing of it holds, because it was asked for under another policy.
    #[must_use]
    pub fn is_of_another(&self, policy: &Policy) -> bool {
        !self.is_empty() && self.policy != policy.hash()
    }

    /// After a refusal that asks for this: what holds from now on, and the parts that are newly not
    /// followed.
    #[must_use]
    pub fn after(&self, policy: &Policy, asked: &Stricter) -> (Self, Vec<(Stricter, NotStricter)>) {
        let mut next = if self.is_of_another(policy) { Self::default() } else { self.clone() };
        next.policy = policy.hash();
        let mut refused = Vec::new();
        next.followed = policy.follow(&next.followed, asked, |part, why| refused.push((part, why)));
        // What is asked for again, or is followed by now, stands no longer as it did.
        let followed = next.followed;
        let stands = |part: &Stricter| {
            let newer = asked.parts().chain(refused.iter().map(|(part, _)| *part));
            followed.and(*part) != followed
                && !newer.into_iter().any(|new| kind(&new) == kind(part))
        };
        next.refused.retain(|(part, _)| stands(part));
        for (part, why) in &refused {
            if !next.refused.iter().any(|(of, _)| kind(of) == kind(part)) {
                next.refused.push((*part, why.to_string()));
            }
        }
        (next, refused)
    }

    /// After a password was taken: what was not followed does not stand in the way any more.
    #[must_use]
    pub fn taken(&self) -> Self {
        Self { refused: Vec::new(), ..self.clone() }
    }

    /// For an administrator.
    #[must_use]
    pub fn list(&self) -> Vec<Demand> {
        let followed = self.followed.parts().map(|part| Demand {
            demand: part.to_string(),
            followed: true,
            why: None,
        });
        let refused = self.refused.iter().map(|(part, why)| Demand {
            demand: part.to_string(),
            followed: false,
            why: Some(why.clone()),
        });
        followed.chain(refused).collect()
    }

    /// The file, which [`Demands::from_json`] reads.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let kept = StoredDemands {
            format: FORMAT,
            policy: self.policy,
            followed: self.followed,
            refused: self.refused.clone(),
        };
        // Numbers and texts always have a JSON form.
        serde_json::to_vec(&kept).unwrap_or_default()
    }

    /// None when it is not such a file.
    #[must_use]
    pub fn from_json(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..).filter(|bytes| bytes.len() <= MOST_BYTES)?;
        let kept: StoredDemands = serde_json::from_slice(bytes).ok()?;
        let single = kept.refused.iter().all(|(part, _)| part.parts().count() == 1);
        (kept.format == FORMAT && single).then_some(Self {
            policy: kept.policy,
            followed: kept.followed,
            refused: kept.refused,
        })
    }
}

/// Which of the demands a part is.
fn kind(part: &Stricter) -> [bool; 7] {
    [
        part.length > 0,
        part.max_length.is_some(),
        part.upper > 0,
        part.lower > 0,
        part.digits > 0,
        part.symbols > 0,
        part.max_run.is_some(),
    ]
}

/// The file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredDemands {
    format: u8,
    policy: [u8; 32],
    followed: Stricter,
    refused: Vec<(Stricter, String)>,
}

const FORMAT: u8 = 1;
/// Seven demands and their reasons take some hundred bytes each.
const MOST_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{evaluate, read};

    fn policy(text: &str) -> Policy {
        evaluate(&[read(text.as_bytes(), "p.json").unwrap()]).policy.unwrap()
    }

    fn with(change: impl FnOnce(&mut Stricter)) -> Stricter {
        let mut asked = Stricter::default();
        change(&mut asked);
        asked
    }

    #[test]
    fn demands_add_up_and_each_that_is_not_followed_says_why() {
        let letters = policy(r#"{"PasswordComplexity":2,"PasswordLength":16}"#);
        let asked = with(|a| (a.length, a.digits) = (20, 2));
        let (demands, refused) = Demands::default().after(&letters, &asked);
        assert_eq!(demands.followed(&letters), with(|a| a.length = 20));
        assert_eq!(refused.len(), 1);
        let told = demands.list();
        let told: Vec<_> =
            told.iter().map(|each| (each.demand.as_str(), each.why.as_deref())).collect();
        let why = "PasswordComplexity 2 makes no digits";
        assert_eq!(told, [("at least 20 characters", None), ("at least 2 digits", Some(why))]);
        // Asked for again, nothing changes; a larger number takes its place.
        assert_eq!(demands.after(&letters, &asked).0, demands);
        let (more, _) = demands.after(&letters, &with(|a| a.digits = 3));
        assert_eq!(more.list().len(), 2);
        // Once a password is taken, nothing stands in the way.
        assert_eq!(more.taken().list().len(), 1);
        assert_eq!(Demands::from_json(&more.to_json()), Some(more));
    }

    #[test]
    fn the_newer_word_of_a_device_counts_and_another_policy_forgets_all() {
        let full = policy(r#"{"PasswordLength":14}"#);
        let (long, _) = Demands::default().after(&full, &with(|a| a.length = 40));
        let (short, refused) = long.after(&full, &with(|a| a.max_length = Some(20)));
        assert_eq!(short.followed(&full), with(|a| a.max_length = Some(20)));
        assert_eq!(refused.len(), 1);
        let told = short.list();
        assert!(told[1].demand == "at least 40 characters" && !told[1].followed, "{told:?}");
        // What no recipe can follow drops nothing.
        let (same, refused) = long.after(&full, &with(|a| a.max_length = Some(10)));
        assert_eq!((same.followed(&full), refused.len()), (with(|a| a.length = 40), 1));
        let other = policy(r#"{"PasswordLength":15}"#);
        assert!(long.is_of_another(&other) && long.followed(&other).is_empty());
        let (new, _) = long.after(&other, &with(|a| a.digits = 3));
        assert_eq!(new.followed(&other), with(|a| a.digits = 3));
    }

    #[test]
    fn a_file_that_is_none_is_none() {
        let full = policy("{}");
        let file = Demands::default().after(&full, &with(|a| a.max_length = Some(9))).0.to_json();
        assert!(Demands::from_json(&file).is_some());
        for end in 0..file.len() {
            assert_eq!(Demands::from_json(&file[..end]), None);
        }
        let text = String::from_utf8(file).unwrap();
        for (from, to) in [
            ("\"format\":1", "\"format\":2"),
            ("\"max_length\":9", "\"max_length\":256"),
            ("\"digits\":0", "\"digits\":-1"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text, "{from}");
            assert_eq!(Demands::from_json(changed.as_bytes()), None, "{to}");
        }
        assert_eq!(Demands::from_json(&b" ".repeat(MOST_BYTES + 1)), None);
    }
}
