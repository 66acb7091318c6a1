//! The agent with a vault in a file and an account behind a program.
#![cfg(all(unix, feature = "agent", feature = "sqlite"))]

use laps_host::agent::{RunOutcome, state};
use laps_testkit::bench::Bench;

#[test]
fn the_first_run_rotates_and_the_second_has_nothing_to_do() {
    let bench = Bench::new();
    assert_eq!(bench.run(), RunOutcome::Committed);
    let first = bench.held();
    assert_eq!(first.len(), 14);
    assert_eq!(bench.candidates(), core::slice::from_ref(&first));
    assert_eq!(bench.journalled(), core::slice::from_ref(&first));
    assert_eq!(bench.run(), RunOutcome::NothingDue);
    assert_eq!(bench.held(), first);
    for name in
        ["rotation-due", "prepared", "backed-up", "account-updated", "verified", "committed"]
    {
        assert_eq!(bench.names().iter().filter(|other| **other == name).count(), 1, "{name}");
    }
    let status = state::status(&bench.path("state")).unwrap();
    assert_eq!((status.device.as_str(), status.account.as_str()), ("pc-1", "Admin"));
    assert_eq!((status.version, status.state.as_str()), (1, "settled"));
    assert_eq!(status.may_hold.len(), 1);
    assert_eq!(status.last.unwrap().name, "committed");
}

#[test]
fn an_order_and_force_each_bring_a_new_password() {
    let bench = Bench::new();
    bench.run();
    let first = bench.held();
    bench.order();
    assert_eq!(bench.run(), RunOutcome::Committed);
    let second = bench.held();
    assert_ne!(first, second);
    assert_eq!(bench.run(), RunOutcome::NothingDue);
    assert_eq!(bench.agent().run_once(true).unwrap(), RunOutcome::Committed);
    assert_ne!(bench.held(), second);
    assert_eq!(bench.candidates(), [bench.held()]);
}
