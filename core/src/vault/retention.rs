//! How much of what was displaced stays.

/// How much history a vault keeps for each account.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Retention {
    /// This many displaced records, at least 1. The default is 3.
    pub count: u16,
    /// Beyond that, all that were displaced within this many days; none: no such rule.
    pub days: Option<u16>,
}

impl Retention {
    /// By count alone; 0 becomes 1.
    #[must_use]
    pub const fn count(count: u16) -> Self {
        Self { count: if count == 0 { 1 } else { count }, days: None }
    }

    /// Also everything that was displaced within this many days.
    #[must_use]
    pub const fn with_days(mut self, days: u16) -> Self {
        self.days = Some(days);
        self
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::count(3)
    }
}
