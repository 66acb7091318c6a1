//! A file of an earlier schema. Schema 0 was never anybody's: it is schema 1 with one table more.

use std::path::Path;

use rusqlite::Connection;

/// The earlier schema.
pub const EARLIER: i32 = 0;

/// Makes a vault's file one of the earlier schema.
pub fn age(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("CREATE TABLE version_0 (number INTEGER PRIMARY KEY) STRICT").unwrap();
    connection.pragma_update(None, "user_version", EARLIER).unwrap();
}
