//! What is edited in the audit log of a file is found, and the first bad entry is named.

use laps_core::vault::audit::Action;
use laps_core::vault::{AuditHead, DiscloseOptions};

use super::bed::{Bed, WHO, scope};
use super::sqlite::raw;

/// An audit log of six entries and its heads.
fn audit_log() -> (Bed, Vec<AuditHead>) {
    let bed = Bed::on_sqlite();
    bed.settled("pc-1", 1);
    let request = WHO.with_context("root@ops");
    let heads = (0..6)
        .map(|_| {
            let options = DiscloseOptions::default().with_rotation_after(60);
            bed.vault.disclose(&scope(), "pc-1", &request, options, bed.now()).unwrap().head
        })
        .collect();
    (bed, heads)
}

fn first_bad(bed: &Bed, expect: Option<AuditHead>) -> Option<u64> {
    let report = bed.vault.audit_verify(&scope(), expect).unwrap();
    assert_eq!(report.ok, report.first_bad.is_none());
    report.first_bad
}

#[test]
fn every_column_of_every_entry_is_covered_and_the_first_bad_one_is_named() {
    let (bed, _) = audit_log();
    let connection = raw(&bed);
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '%audit%'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(tables, ["audit"], "the only table with that word in its name");
    let columns: Vec<(String, String)> = connection
        .prepare("SELECT name, type FROM pragma_table_info('audit')")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(columns.len(), 13);
    let rows: Vec<i64> = connection
        .prepare("SELECT number FROM audit ORDER BY number")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (place, row) in (1_u64..).zip(&rows) {
        for (column, kind) in &columns {
            let changes: &[&str] = match kind.as_str() {
                "INTEGER" => &["+ 1000", "- 1000"],
                "TEXT" => &["|| 'x'", "|| ' '"],
                _ => &["|| x'00'", "|| zeroblob(16)"],
            };
            for change in changes {
                connection.execute_batch("SAVEPOINT edit").unwrap();
                let cast = if kind == "BLOB" {
                    format!("CAST({column} {change} AS BLOB)")
                } else {
                    format!("{column} {change}")
                };
                let sql = format!("UPDATE audit SET {column} = {cast} WHERE number = {row}");
                assert_eq!(connection.execute(&sql, []).unwrap(), 1, "{sql}");
                connection.execute_batch("RELEASE edit").unwrap();
                let bad = first_bad(&bed, None);
                assert_eq!(bad, Some(place), "{sql}");
                let back = match change.chars().next() {
                    Some('+') => format!(
                        "{column} = {column} - 1000 WHERE number = {}",
                        if column == "number" { row + 1000 } else { *row }
                    ),
                    Some('-') => format!(
                        "{column} = {column} + 1000 WHERE number = {}",
                        if column == "number" { row - 1000 } else { *row }
                    ),
                    _ if kind == "TEXT" => format!(
                        "{column} = substr({column}, 1, length({column}) - 1) WHERE number = {row}"
                    ),
                    _ => format!(
                        "{column} = substr({column}, 1, length({column}) - {}) WHERE number = \
                         {row}",
                        if change.contains("16") { 16 } else { 1 }
                    ),
                };
                connection.execute(&format!("UPDATE audit SET {back}"), []).unwrap();
                assert_eq!(first_bad(&bed, None), None, "mended {sql}");
            }
        }
    }
}

#[test]
fn removed_inserted_swapped_and_cut_entries_are_found() {
    let edits = [
        ("DELETE FROM audit WHERE number % 1099511627776 = 3", Some(3), Some(3)),
        ("DELETE FROM audit WHERE number % 1099511627776 = 1", Some(1), Some(1)),
        ("DELETE FROM audit", Some(1), Some(1)),
        // The end was cut: the scope's own count tells.
        ("DELETE FROM audit WHERE number % 1099511627776 = 6", Some(6), Some(6)),
        // A copy behind the end.
        ("INSERT INTO audit SELECT number + 1, at, action, caller, actor, reader, reason, context, \
          device, records, refers_to, detail, hash
          FROM audit WHERE number % 1099511627776 = 6", Some(7), Some(7)),
        // Entries that belong to no scope.
        ("INSERT INTO audit SELECT number + 1099511627776, at, action, caller, actor, reader, \
          reason, context, device, records, refers_to, detail, hash
          FROM audit WHERE number % 1099511627776 = 2", Some(7), Some(7)),
        // The end was cut and the count with it: only an earlier head tells.
        ("DELETE FROM audit WHERE number % 1099511627776 > 4;
          UPDATE scope SET entries = 4, head = (SELECT hash FROM audit WHERE number % \
          1099511627776 = 4)", None, Some(5)),
        // Two entries change places.
        ("UPDATE audit SET number = -1 WHERE number % 1099511627776 = 2;
          UPDATE audit SET number = number - 1 WHERE number % 1099511627776 = 3;
          UPDATE audit SET number = (SELECT number + 1 FROM audit WHERE number % 1099511627776 = \
          2) WHERE number = -1", Some(2), Some(2)),
    ];
    for (sql, alone, expected) in edits {
        let (bed, heads) = audit_log();
        raw(&bed).execute_batch(sql).unwrap();
        assert_eq!(first_bad(&bed, None), alone, "{sql}");
        assert_eq!(first_bad(&bed, Some(heads[5])), expected, "{sql}");
    }
}

#[test]
fn an_audit_log_that_was_recomputed_is_found_by_an_earlier_head() {
    let (bed, heads) = audit_log();
    // Whoever writes the file can do this: another vault's audit log in its place.
    let (other, _) = audit_log();
    let mut connection = raw(&bed);
    connection.execute("ATTACH ?1 AS other", [other.path().to_str().unwrap()]).unwrap();
    let change = connection.transaction().unwrap();
    change
        .execute_batch(
            "DELETE FROM main.audit; INSERT INTO main.audit SELECT * FROM other.audit;
             UPDATE main.scope SET entries = (SELECT entries FROM other.scope), head = (SELECT \
             head FROM other.scope)",
        )
        .unwrap();
    change.commit().unwrap();
    assert_eq!(first_bad(&bed, None), None);
    assert_eq!(first_bad(&bed, Some(heads[2])), Some(3));
    let mut device = bed.device("pc-1");
    device.audit = Some(heads[5]);
    let answer = device.check_in(&bed);
    assert!(answer.audit_at.is_some_and(|hash| hash != heads[5].hash), "the device notices too");
    assert!(bed.audit_log().iter().any(|entry| entry.action == Action::HeadMismatch));
}
