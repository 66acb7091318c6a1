//! How long a displaced record stays.

use crate::identity::{RecordId, Timestamp};

use super::super::readers::Readers;
use super::super::state::{Candidates, Held, Past, RuledOut};
use super::Context;

const DAY: u64 = 86_400;

/// For how many seconds what was current is not evicted by count: 30 days. Whoever has a device's
/// token can push a thousand records, and must not push the true password out with them.
pub const RECENT_SECONDS: u64 = 30 * DAY;

/// The most records that stay for that reason.
const MAX_RECENT: usize = 64;

/// How many records that were ruled out on a word can be revealed until the next commit.
pub(in crate::vault) const ON_WORD: usize = 3;

impl Candidates {
    /// Cuts the history to its setting. Beyond it stay: what the last two unverified commits
    /// displaced (protocol §3.4); what was current within the last thirty days; the newest
    /// record that was committed and names an active reader, while no later one does; and the
    /// newest that were ruled out on a word. What was ruled out stands behind everything else
    /// and goes first (§3.9).
    ///
    /// A record that only time can remove is first marked, and goes when it is still too old a day
    /// later: a clock that is once in the future removes nothing.
    pub(in crate::vault) fn trim(&mut self, context: &Context<'_>) {
        if self.history.is_empty() {
            return;
        }
        let (now, setting) = (context.now, context.readers.history);
        let unverified = self.history.iter().any(|past| past.unverified > 0);
        let least = if unverified { 2 } else { 1 };
        let count = usize::from(setting.count).max(least);
        let days = setting.days.map_or(0, |days| u64::from(days).saturating_mul(DAY));
        let safe = self.newest_safe(context.readers);
        let (mut place, mut recent, mut on_word) = (0_usize, 0_usize, 0_usize);
        self.history.retain_mut(|past| {
            let by_place = place < count;
            place = place.saturating_add(1);
            let word = past.ruled_out == RuledOut::OnWord;
            on_word = on_word.saturating_add(usize::from(word));
            let displaced = past.ruled_out == RuledOut::No;
            let was_current = displaced && past.held.committed && context.recent_seconds > 0;
            recent = recent.saturating_add(usize::from(was_current));
            let protected = was_current && recent <= MAX_RECENT;
            let lives = [
                if protected { context.recent_seconds } else { 0 },
                if displaced { days } else { 0 },
            ];
            let keep = by_place
                || past.unverified > 0
                || safe == Some(past.held.id)
                || (word && on_word <= ON_WORD);
            let stays = keep || past.outlives(lives.into_iter().max().unwrap_or(0), now);
            if keep {
                past.outlived_at = None;
            }
            stays
        });
    }

    /// The newest record that was committed and names an active reader.
    fn newest_safe(&self, readers: &Readers) -> Option<RecordId> {
        let safe = |held: &&Held| held.committed && held.is_openable(readers);
        if self.current.as_ref().filter(safe).is_some() {
            return None;
        }
        self.all().filter(safe).max_by_key(|held| held.version).map(|held| held.id)
    }
}

impl Past {
    /// Whether it stays for the sake of time alone.
    fn outlives(&mut self, seconds: u64, now: Timestamp) -> bool {
        if seconds == 0 {
            return false;
        }
        if now.seconds_since(self.displaced_at) < seconds {
            self.outlived_at = None;
            return true;
        }
        match self.outlived_at {
            Some(at) if at <= now => now.seconds_since(at) < DAY,
            _ => {
                self.outlived_at = Some(now);
                true
            }
        }
    }
}

/// Of records that are displaced the sealing stays that was imported last.
pub(super) fn drop_displaced_originals(history: &mut [Past]) {
    for past in history {
        if let Some(resealed) = past.held.resealed.take() {
            past.held.original = resealed;
        }
    }
}
