//! The rules that a run may leave out, to see that it is then caught.

/// Which rules hold. All do, unless a negative control breaks one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// A commit is taken only with the current token.
    pub(super) token: bool,
    /// History keeps all that the last two unverified commits displaced.
    pub(super) keep_unverified: bool,
    /// Ruled-out ids enter history at its oldest end.
    pub(super) ruled_out_last: bool,
    /// The change stamp is journalled when a record is made, and compared at a start.
    pub(super) change_stamp_when_made: bool,
    /// A start waits for the setter before it reads the change stamp.
    pub(super) setter_lock: bool,
    /// The predecessor of a record is the one made before it, not the one committed before it.
    pub(super) previous_made: bool,
    /// A commit below the current version is acknowledged.
    pub(super) acknowledge_lower: bool,
    /// The account is changed only after the vault has the record.
    pub(super) back_up_first: bool,
    /// Saving makes the journal durable: when a record was made, when it was verified, when it is
    /// committed or ended otherwise.
    pub(super) journal: [bool; 3],
    /// The due date moves at commit only.
    pub(super) due_at_commit: bool,
    /// A commit displaces only lower versions.
    pub(super) refuse_stale: bool,
    /// A new pending record does not replace another.
    pub(super) pending_is_a_set: bool,
    /// After a crash while applying with a changed change stamp both ids stay.
    pub(super) both_stay: bool,
    /// A set that takes effect is believed only when it was verified.
    pub(super) verify: bool,
    /// A failed set is asked about, too.
    pub(super) verify_failures: bool,
    /// Records in history that the device may hold are candidates again.
    pub(super) bring_back: bool,
}

pub(super) const ALL: Rules = Rules {
    token: true,
    keep_unverified: true,
    ruled_out_last: true,
    change_stamp_when_made: true,
    setter_lock: true,
    previous_made: true,
    acknowledge_lower: true,
    back_up_first: true,
    journal: [true; 3],
    due_at_commit: true,
    refuse_stale: true,
    pending_is_a_set: true,
    both_stay: true,
    verify: true,
    verify_failures: true,
    bring_back: true,
};
