//! The vault: one suite for every store, then what belongs to the SQLite file alone.

#![cfg(feature = "sqlite")]
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::integer_division_remainder_used,
    reason = "a test stops where something is wrong"
)]

extern crate alloc;

#[cfg(feature = "migration-for-tests")]
use laps_testkit::age;
use laps_testkit::bed;

mod administration;
mod attacks;
mod check_ins;
mod copies;
mod damage;
mod disclosures;
mod edited_log;
mod files;
mod fleets;
mod forks;
mod isolation;
mod lists;
#[cfg(feature = "migration-for-tests")]
mod migrations;
mod paging;
mod reading;
mod round_trips;
mod sqlite;
mod stores;
mod unwritable;

/// Runs each test on both stores.
macro_rules! conformance {
    ($($module:ident: $($test:ident),* $(,)?;)*) => {
        mod on_memory {
            $($(#[test] fn $test() { super::$module::$test(&super::bed::Bed::in_memory()); })*)*
        }
        mod on_sqlite {
            $($(#[test] fn $test() { super::$module::$test(&super::bed::Bed::on_sqlite()); })*)*
        }
    };
}

conformance! {
    administration:
        what_nobody_can_open_is_refused_while_somebody_can_open_what_is_held,
        a_removal_orders_once_and_asks_where_nobody_else_could_open,
        accounts_of_one_device_are_kept_apart,
        what_is_imported_resealed_never_replaces_what_the_device_sealed,
        what_was_shown_is_rotated_after_a_day_and_a_second_look_changes_nothing,
        opened_is_claimed_or_proven_and_the_outcome_is_the_disclosers,
        orders_and_what_was_shown_survive_a_clock_that_is_wrong,
        names_ignore_case_for_people_and_a_check_in_that_differs_in_case_is_refused,
        a_thief_of_a_token_does_not_push_the_true_password_out,
        what_was_ruled_out_on_a_word_can_be_revealed_until_the_next_commit;
    attacks:
        a_record_put_in_the_place_of_another_is_not_disclosed,
        one_id_in_two_accounts_is_two_records,
        a_removal_that_stops_anywhere_is_gone_on_with_and_orders_all_that_could_be_opened,
        records_of_readers_beyond_the_list_are_resealed_once,
        an_export_says_which_devices_are_not_whole,
        history_ends_to_the_second_and_a_clock_that_jumps_keeps_it,
        an_observer_that_panics_undoes_nothing,
        a_device_appends_one_entry_for_one_cause_and_few_of_a_kind;
    check_ins:
        a_rotation_goes_from_the_first_check_in_to_one_settled_record,
        a_token_is_kept_exactly_when_a_check_in_carries_it_and_changes_nothing,
        a_commit_needs_the_current_token_unless_the_record_is_current_already,
        a_commit_of_an_unknown_record_is_lacking_until_it_is_offered,
        a_commit_below_the_current_version_is_acknowledged_and_displaces_nothing,
        an_offer_only_adds_and_a_stale_one_is_refused_with_the_highest_version,
        what_a_device_may_hold_is_taken_however_far_its_version_is_above,
        candidates_are_kept_until_the_next_commit_and_refused_beyond_four_mebibytes,
        ruled_out_records_go_to_the_oldest_end_and_push_nothing_out,
        ruled_out_needs_the_current_token_and_yields_to_the_may_hold_set,
        a_may_hold_set_brings_records_back_from_history,
        history_is_ordered_by_displacement_and_cut_to_its_setting,
        history_keeps_what_the_last_two_unverified_commits_displaced,
        history_by_days_keeps_the_young_ones,
        a_message_or_record_in_another_name_is_refused_and_noted,
        malformed_messages_and_records_are_refused_and_change_nothing,
        a_check_in_without_the_token_does_not_replace_a_later_outcome,
        last_seen_is_stored_by_the_hour,
        many_check_ins_share_one_transaction_and_fail_apart,
        a_long_group_sees_itself_and_is_taken_as_a_whole,
        a_random_source_that_fails_or_repeats_stops_the_check_in,
        a_device_that_remembers_another_audit_log_is_noted_once;
    disclosures:
        a_disclosure_hands_out_what_a_reader_can_open_and_notes_it_first,
        a_disclosure_lists_current_then_pending_then_history,
        refused_attempts_are_in_the_audit_log,
        an_actor_and_a_reason_are_required,
        the_outcome_of_a_disclosure_refers_to_it,
        rotation_after_a_disclosure_only_when_asked_for,
        the_audit_log_verifies_and_an_earlier_head_is_in_it,
        heads_are_written_and_read_in_one_way,
        what_a_caller_says_is_bounded_and_steers_no_terminal;
    fleets:
        an_order_names_candidates_and_a_later_commit_fulfils_it,
        orders_for_all_and_for_the_overdue,
        orders_for_what_somebody_saw,
        what_was_disclosed_stays_revealed_whatever_is_noted,
        orders_for_what_left_the_vault_in_an_export_or_for_resealing,
        orders_for_a_back_up_are_for_all_that_was_stored_by_then,
        an_order_for_an_unknown_device_orders_nothing,
        retired_devices_are_not_due_and_come_back_by_checking_in,
        orders_wait_for_a_retired_device,
        purging_needs_the_word_and_removes_everything,
        a_record_is_removed_only_with_the_word;
    forks:
        two_records_with_one_predecessor_are_a_fork_even_after_the_first_is_gone,
        every_parent_is_recorded_for_ever;
    lists:
        devices_are_listed_by_name_in_pages,
        the_soonest_due_come_first_in_pages,
        scopes_do_not_see_each_other,
        states_are_told_apart,
        figures_add_up,
        an_observer_hears_what_happened,
        a_failed_operation_leaves_nothing_behind;
    paging:
        what_is_there_the_whole_time_is_in_the_pages_exactly_once;
    copies:
        exported_devices_are_the_same_in_another_vault,
        a_changed_export_is_refused_as_a_whole;
    reading:
        a_scope_is_set_up_once_with_at_least_one_reader,
        readers_come_and_go_and_the_last_needs_the_word,
        a_reader_that_no_record_could_be_sealed_to_is_refused,
        removing_a_reader_orders_what_it_can_open_over_the_window,
        a_late_record_for_a_removed_reader_is_flagged_and_ordered,
        strangers_among_the_readers_are_told_and_do_not_pile_up,
        a_record_of_a_stranger_is_resealed_only_on_a_word,
        records_are_resealed_without_rotating,
        resealing_cannot_change_the_password_or_add_strangers,
        one_hostile_record_does_not_keep_the_others_from_being_resealed,
        what_the_vault_does_not_import_is_named_and_the_rest_is_taken,
        a_page_is_imported_record_by_record_and_again_when_the_answer_was_lost,
        two_who_reseal_at_once_do_not_disturb_each_other;
    round_trips:
        an_operation_turns_to_its_store_once_to_read_and_once_to_write;
    unwritable:
        a_check_in_that_changes_nothing_is_answered_where_nothing_can_be_written,
        of_many_check_ins_those_that_change_nothing_are_answered_where_nothing_can_be_written;
}
