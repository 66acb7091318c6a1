//! An agent that dies in the middle of a rotation: its account store and its channel end the
//! process when they are called for the step. The agent itself knows nothing of it.

use std::path::PathBuf;

use laps_host::account::AccountStore;
use laps_host::agent::channel::Channel;
use laps_host::agent::state;

use crate::account::{Call, Watched};

/// A moment in a rotation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// The password is made; nothing of it is written yet.
    Made,
    /// The journal holds the sealed record; the vault was not asked yet.
    Journalled,
    /// The vault has the record; the account is not changed yet.
    BeforeApply,
    /// The setter has ended; the account was not asked yet.
    Applied,
    /// The account is changed and the journal says so; the vault was not told yet.
    BeforeCommit,
    /// The vault has taken the commit; the journal does not say so yet.
    Committed,
}

impl Step {
    /// Every step, in the order of a rotation.
    pub const ALL: [Self; 6] = [
        Self::Made,
        Self::Journalled,
        Self::BeforeApply,
        Self::Applied,
        Self::BeforeCommit,
        Self::Committed,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Journalled => "journalled",
            Self::BeforeApply => "before-apply",
            Self::Applied => "applied",
            Self::BeforeCommit => "before-commit",
            Self::Committed => "committed",
        }
    }
}

/// The account store and the channel of an agent that dies at the step of this name, if it is one.
/// The journal in the state folder says which check-in backs up and which one commits.
pub fn dies_at(
    step: Option<&String>,
    state: PathBuf,
    store: Box<dyn AccountStore + Send>,
    mut channel: impl Channel + Send + 'static,
) -> (Box<dyn AccountStore + Send>, Box<dyn Channel + Send>) {
    let wanted = step.map(|name| Step::ALL.into_iter().find(|step| step.name() == name).unwrap());
    let pass = move |step: Step| {
        if wanted == Some(step) {
            let me = rustix::process::getpid();
            rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
        }
    };
    let watch = move |call: Call<'_>| match call {
        Call::Found(_) => {}
        Call::Made => pass(Step::Made),
        Call::Setting => pass(Step::BeforeApply),
        Call::Set => pass(Step::Applied),
    };
    let channel = move |check_in: &[u8]| {
        let stands = state::status(&state).unwrap().state;
        match stands.as_str() {
            "backing-up" => pass(Step::Journalled),
            "committing" => pass(Step::BeforeCommit),
            _ => {}
        }
        let answer = channel.exchange(check_in);
        if stands == "committing" {
            pass(Step::Committed);
        }
        answer
    };
    (Box::new(Watched { inner: store, watch }), Box::new(channel))
}
