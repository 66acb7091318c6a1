//! Files as earlier versions made them.

use std::path::Path;

use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

/// Makes a vault's file what an earlier version would have made of it.
pub fn age(path: &Path, version: i32) {
    let connection = Connection::open(path).unwrap();
    for (table, column) in [("device", "state"), ("scope", "readers")] {
        let mut rows =
            connection.prepare(&format!("SELECT number, {column} FROM {table}")).unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        for row in rows.unwrap() {
            let (number, mut bytes): (i64, Vec<u8>) = row.unwrap();
            // Before schema 4: another first byte, and a SHA-256 behind.
            bytes[0] = 1;
            let body = bytes.len() - 8;
            let hash = Sha256::digest(&bytes[..body]);
            bytes[body..].copy_from_slice(&hash[..8]);
            let update = format!("UPDATE {table} SET {column} = ? WHERE number = ?");
            connection.execute(&update, params![bytes, number]).unwrap();
        }
    }
    if version >= 3 {
        connection.pragma_update(None, "user_version", version).unwrap();
        return;
    }
    let mut rows = connection.prepare("SELECT number, recent FROM device").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    for row in rows.unwrap() {
        let (device, recent): (i64, Vec<u8>) = row.unwrap();
        for pair in recent.chunks(32) {
            let insert = "INSERT INTO lineage (device, predecessor, record) VALUES (?, ?, ?)";
            connection.execute(insert, params![device, &pair[..16], &pair[16..]]).unwrap();
        }
    }
    let index = if version < 2 { "DROP INDEX trail_actor;" } else { "" };
    let back =
        format!("{index} ALTER TABLE device DROP COLUMN recent; PRAGMA user_version = {version};");
    connection.execute_batch(&back).unwrap();
}
