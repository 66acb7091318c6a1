//! The device refused a password: what is learnt from it, kept and said.

use laps_core::generate::Recipe;
use laps_core::policy::Policy;
use laps_core::refusal::{Demands, parse_demands};
use laps_core::rotation::event::Level;

use super::Agent;

impl Agent {
    /// What the policy asks for, and what the device's own password policy asked for beyond it when
    /// it refused one; never weaker than the policy alone.
    pub(super) fn recipe(&self, policy: &Policy) -> Result<Recipe, String> {
        // What cannot be followed was told when it was asked for.
        policy
            .recipe_and(&self.demands.followed(policy))
            .or_else(|_| policy.recipe())
            .map_err(|error| error.to_string())
    }

    /// The device's password policy refused a password. When it says what it asks for, the next
    /// password has it (protocol §2.6), unless that one would be weaker than our policy's, or
    /// not what our policy says.
    pub(super) fn learn(&mut self, policy: &Policy, reason: &str) {
        // The recipe's shortest: how long a passphrase was is nobody's business.
        let length = self.recipe(policy).map_or(0, |recipe| recipe.strength().min_length());
        let asked = parse_demands(reason, u8::try_from(length).unwrap_or(u8::MAX));
        if asked.is_empty() {
            return;
        }
        let before = self.demands.followed(policy);
        let (next, refused) = self.demands.after(policy, &asked);
        let followed = next.followed(policy);
        self.keep_demands(next);
        if followed != before {
            let length = self.recipe(policy).map_or(0, |recipe| recipe.strength().min_length());
            let text = format!(
                "the device's password policy asks for more than ours ({followed}): the next \
                 passwords have at least {length} characters, and are no weaker than ours alone"
            );
            self.tell("recipe-stricter", Level::Warning, text);
        }
        let next = if followed.is_empty() { "our policy alone" } else { "what is followed" };
        for (part, why) in refused {
            let text = format!(
                "the device's password policy asks for {part}, which is not followed: {why}; the \
                 next passwords are made by {next}. Change PasswordComplexity, PasswordLength \
                 or PassphraseLength, or the device's policy"
            );
            self.tell_once("recipe-not-stricter", Level::Warning, text);
        }
    }

    /// From now on this is what the device asks for. One that is lost is learnt again.
    pub(super) fn keep_demands(&mut self, next: Demands) {
        if next == self.demands {
            return;
        }
        self.demands = next;
        if let Err(error) = self.folder.keep_demands(&self.demands.to_json()) {
            self.tell_once("demands-not-kept", Level::Warning, error.to_string());
        }
    }
}
