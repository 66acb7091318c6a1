//! Files as earlier versions made them.

use std::path::Path;

use laps_core::vault::state::Device;
use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};
use twox_hash::XxHash3_64;

/// Makes a vault's file what an earlier version would have made of it.
pub fn age(path: &Path, version: i32) {
    let connection = Connection::open(path).unwrap();
    settle(&connection);
    for (table, column) in [("device", "state"), ("scope", "readers")] {
        for (number, row) in blobs(&connection, &format!("SELECT number, {column} FROM {table}")) {
            assert_eq!(row[0], 3);
            let mut old = Widen { from: &row[1..row.len() - 8], to: Vec::new() };
            // Before schema 4: another first byte, and a SHA-256 behind.
            old.to.push(if version < 4 { 1 } else { 2 });
            if table == "device" {
                old.device();
            } else {
                old.readers();
            }
            assert!(old.from.is_empty());
            let check = if version < 4 {
                Sha256::digest(&old.to)[..8].to_vec()
            } else {
                XxHash3_64::oneshot(&old.to).to_be_bytes().to_vec()
            };
            old.to.extend(check);
            let update = format!("UPDATE {table} SET {column} = ? WHERE number = ?");
            connection.execute(&update, params![old.to, number]).unwrap();
        }
    }
    let file = |device: i64, pairs: &[u8]| {
        for pair in pairs.chunks(32) {
            let insert = "INSERT INTO lineage (device, predecessor, record) VALUES (?, ?, ?)";
            connection.execute(insert, params![device, &pair[..16], &pair[16..]]).unwrap();
        }
    };
    for (device, pairs) in blobs(&connection, "SELECT device, pairs FROM lineage_part") {
        file(device, &widen_pairs(&pairs));
    }
    for (device, recent) in blobs(&connection, "SELECT number, recent FROM device") {
        let recent = widen_pairs(&recent);
        if version < 3 {
            file(device, &recent);
        }
        let update = "UPDATE device SET recent = ? WHERE number = ?";
        connection.execute(update, params![recent, device]).unwrap();
    }
    let mut back = "ALTER TABLE device DROP COLUMN older; ALTER TABLE device RENAME COLUMN scope_number TO scope;
        DROP TABLE lineage_part;"
        .to_owned();
    if version < 3 {
        back.push_str("ALTER TABLE device DROP COLUMN recent;");
    }
    if version < 2 {
        back.push_str("DROP INDEX trail_actor;");
    }
    connection.execute_batch(&back).unwrap();
    connection.pragma_update(None, "user_version", version).unwrap();
}

/// Before schema 5 an offer changed the row of its device.
fn settle(connection: &Connection) {
    let state = |table: &str, number: i64| {
        let sql = format!("SELECT state FROM {table} WHERE rowid = ?");
        let bytes: Vec<u8> = connection.query_row(&sql, [number], |row| row.get(0)).unwrap();
        Device::from_bytes(&bytes).unwrap()
    };
    for (number, recent) in blobs(connection, "SELECT device, recent FROM underway") {
        let mut device = state("underway", number);
        assert!(device.candidates.history.is_empty());
        device.candidates.history = state("device", number).candidates.history;
        let update =
            "UPDATE device SET state = ?, recent = CAST(recent || ? AS BLOB) WHERE number = ?";
        connection.execute(update, params![device.to_bytes(), recent, number]).unwrap();
    }
    connection.execute_batch("DROP TABLE underway").unwrap();
}

fn blobs(connection: &Connection, sql: &str) -> Vec<(i64, Vec<u8>)> {
    let mut rows = connection.prepare(sql).unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// Before schema 5 every pair of the lineage had both records.
fn widen_pairs(mut chain: &[u8]) -> Vec<u8> {
    let mut wide: Vec<u8> = Vec::new();
    while let Some((how, rest)) = chain.split_first() {
        let last = wide.len().saturating_sub(16);
        let (predecessor, rest) = if *how == 0 {
            (wide[last..].to_vec(), rest)
        } else {
            (rest[..16].to_vec(), &rest[16..])
        };
        wide.extend(predecessor);
        wide.extend(&rest[..16]);
        chain = &rest[16..];
    }
    wide
}

/// Before schema 5 the numbers in a row had their full lengths.
struct Widen<'a> {
    from: &'a [u8],
    to: Vec<u8>,
}

impl Widen<'_> {
    fn bytes(&mut self, len: usize) {
        self.to.extend(&self.from[..len]);
        self.from = &self.from[len..];
    }

    /// A number that has so many bytes then.
    fn number(&mut self, len: usize) -> usize {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let byte = self.from[0];
            self.from = &self.from[1..];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        self.to.extend(&value.to_be_bytes()[8 - len..]);
        usize::try_from(value).unwrap_or(usize::MAX)
    }

    fn blob(&mut self) {
        let len = self.number(4);
        self.bytes(len);
    }

    fn list(&mut self, mut item: impl FnMut(&mut Self)) {
        (0..self.number(4)).for_each(|_| item(self));
    }

    fn optional(&mut self, value: impl FnOnce(&mut Self)) {
        self.bytes(1);
        if self.to.last() == Some(&1) {
            value(self);
        }
    }

    fn held(&mut self) {
        self.bytes(16);
        (0..3).for_each(|_| _ = self.number(8));
        self.bytes(16);
        self.number(4);
        self.bytes(1);
    }

    fn device(&mut self) {
        self.optional(|row| row.bytes(16));
        self.optional(Self::held);
        self.list(Self::held);
        self.list(|row| {
            row.held();
            row.number(8);
            row.bytes(2);
        });
        self.number(8);
        self.list(|row| {
            row.number(8);
            row.list(|row| row.bytes(16));
            row.number(8);
            row.number(8);
        });
        self.blob();
        self.optional(Self::blob);
        self.list(|row| row.bytes(16));
        self.bytes(1);
        self.optional(|row| _ = row.number(8));
        self.optional(|row| {
            row.bytes(3);
            row.number(8);
        });
        self.optional(|row| {
            row.number(8);
            row.bytes(32);
        });
        self.number(8);
        self.number(8);
        self.optional(|row| _ = row.number(8));
    }

    fn readers(&mut self) {
        self.list(|row| {
            row.bytes(32);
            row.blob();
            row.number(8);
            row.optional(|row| _ = row.number(8));
        });
        self.list(|row| row.list(|row| row.bytes(32)));
        self.number(2);
        self.optional(|row| _ = row.number(2));
    }
}
