//! The journal file: the machine's journal and the sealed records that it names, replaced together
//! by one rename.
//!
//! | bytes | what |
//! |---|---|
//! | 16 | `laps journal 1` and two newlines |
//! | 4 | length of the machine's journal, at most 1 280 (all numbers are big-endian) |
//! | … | the machine's journal |
//! | 4, … | length (at most 4 096) and text of the status then: what `laps agent status` prints |
//! | 4 | number of records, at most 17: sixteen that may be held, and one that is being made |
//! | 4, … | for each record, its length (at most 32 768) and its bytes |
//! | 32 | SHA-256 of everything before |
//!
//! The device cannot open the records; a reader can, without any vault (protocol §2 rule 8).

use core::fmt;

use laps_core::error::Code;
use laps_core::rotation::State;
use laps_core::seal::Record;
use sha2::{Digest as _, Sha256};

use super::status::AgentStatus;

/// What a journal file holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct JournalFile {
    /// The machine's journal: `Rotation::resume` reads it.
    pub machine: Vec<u8>,
    /// The status when it was written: the JSON of `laps agent status`.
    pub status: Vec<u8>,
    /// The sealed records: `Record::parse` reads each.
    pub records: Vec<Vec<u8>>,
}

impl JournalFile {
    /// From its parts.
    #[must_use]
    pub const fn new(machine: Vec<u8>, status: Vec<u8>, records: Vec<Vec<u8>>) -> Self {
        Self { machine, status, records }
    }

    /// The place in `records` of the password that the account has, as far as the journal knows:
    /// the one of the last commit, or, while a commit is under way, the one that is being
    /// committed. None when every record may be it, or none is.
    #[must_use]
    pub fn current(&self) -> Option<usize> {
        let status = AgentStatus::from_json(&self.status)?;
        let headers = self.records.iter().map(|record| Record::parse(record).ok());
        let mut headers = headers.enumerate().filter_map(|(place, record)| {
            let header = *record?.header();
            status.may_hold.contains(&header.id.to_string()).then_some((place, header.version))
        });
        let (place, _) = if status.state == State::Committing.name() {
            headers.max_by_key(|(_, version)| *version)
        } else {
            headers.find(|(_, version)| status.version > 0 && *version == status.version)
        }?;
        Some(place)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// [`MalformedJournal`] when a part is above its bound.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MalformedJournal> {
        let mut out = MAGIC.to_vec();
        put(&mut out, &self.machine, MAX_MACHINE, "the machine's journal is too long")?;
        put(&mut out, &self.status, MAX_STATUS, "the status is too long")?;
        if self.records.len() > MAX_RECORDS {
            return Err(MalformedJournal { what: "there are more than 17 records" });
        }
        out.extend(u32::try_from(self.records.len()).unwrap_or(u32::MAX).to_be_bytes());
        for record in &self.records {
            put(&mut out, record, MAX_RECORD, "a record is too long")?;
        }
        let sum = Sha256::digest(&out);
        out.extend(sum);
        Ok(out)
    }
}

/// Reads a journal file: for the agent, and for `laps open` without a vault.
///
/// # Errors
/// [`MalformedJournal`] for everything that [`JournalFile::to_bytes`] does not write.
pub fn read(bytes: &[u8]) -> Result<JournalFile, MalformedJournal> {
    if !bytes.starts_with(MAGIC) {
        return Err(MalformedJournal { what: "it does not begin with `laps journal 1`" });
    }
    let (body, sum) = bytes
        .len()
        .checked_sub(SUM)
        .and_then(|end| bytes.split_at_checked(end))
        .ok_or(MalformedJournal { what: "it is cut short" })?;
    if Sha256::digest(body).as_slice() != sum {
        return Err(MalformedJournal {
            what: "its checksum does not match: it is cut short or damaged",
        });
    }
    let mut rest = body.get(MAGIC.len()..).unwrap_or_default();
    let machine = take(&mut rest, MAX_MACHINE)?;
    let status = take(&mut rest, MAX_STATUS)?;
    let count = number(&mut rest)?;
    if count > MAX_RECORDS {
        return Err(MalformedJournal { what: "it has more than 17 records" });
    }
    let records = (0..count).map(|_| take(&mut rest, MAX_RECORD)).collect::<Result<_, _>>()?;
    if !rest.is_empty() {
        return Err(MalformedJournal { what: "bytes follow its last record" });
    }
    Ok(JournalFile { machine, status, records })
}

fn put(
    out: &mut Vec<u8>,
    part: &[u8],
    most: usize,
    what: &'static str,
) -> Result<(), MalformedJournal> {
    let length = u32::try_from(part.len()).ok().filter(|_| part.len() <= most);
    out.extend(length.ok_or(MalformedJournal { what })?.to_be_bytes());
    out.extend(part);
    Ok(())
}

fn number(rest: &mut &[u8]) -> Result<usize, MalformedJournal> {
    let (first, after) = rest.split_first_chunk().ok_or(CUT)?;
    *rest = after;
    usize::try_from(u32::from_be_bytes(*first)).map_err(|_| CUT)
}

fn take(rest: &mut &[u8], most: usize) -> Result<Vec<u8>, MalformedJournal> {
    let length = number(rest)?;
    if length > most {
        return Err(MalformedJournal { what: "a part is longer than its bound" });
    }
    let (part, after) = rest.split_at_checked(length).ok_or(CUT)?;
    *rest = after;
    Ok(part.to_vec())
}

/// Not a journal file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MalformedJournal {
    /// What is wrong with it.
    pub what: &'static str,
}

impl MalformedJournal {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        Code::JournalMalformed
    }
}

impl fmt::Display for MalformedJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a journal: {}", self.what)
    }
}

impl core::error::Error for MalformedJournal {}

const MAGIC: &[u8; 16] = b"laps journal 1\n\n";
const CUT: MalformedJournal = MalformedJournal { what: "a part is cut short" };
const SUM: usize = 32;
/// Design §7.
const MAX_MACHINE: usize = laps_core::rotation::MAX_JOURNAL;
/// Sixteen ids of 32 digits, a device of 128 bytes and an account of 256, all escaped at worst.
const MAX_STATUS: usize = 4096;
/// Protocol §2 rule 10, and the one that is being made.
const MAX_RECORDS: usize = 17;
/// Protocol §3.
const MAX_RECORD: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let example = JournalFile::new(
            vec![1, 2, 3],
            vec![9; 7],
            vec![vec![4; 100], vec![], vec![5; MAX_RECORD]],
        );
        for file in [JournalFile::default(), example] {
            assert_eq!(read(&file.to_bytes().unwrap()), Ok(file));
        }
    }

    #[test]
    fn a_journal_cut_anywhere_or_with_any_bit_flipped_is_malformed() {
        let bytes = JournalFile::new(vec![1, 2, 3], vec![9], vec![vec![4; 10]]).to_bytes().unwrap();
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "cut at {end}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit >> 3] ^= 1 << (bit & 7);
            assert!(read(&bytes).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn bounds_are_kept_on_both_sides() {
        let summed = |mut body: Vec<u8>| {
            let sum = Sha256::digest(&body);
            body.extend(sum);
            body
        };
        assert!(JournalFile::new(vec![0; MAX_MACHINE + 1], vec![], vec![]).to_bytes().is_err());
        assert!(
            JournalFile::new(vec![], vec![], vec![vec![]; MAX_RECORDS + 1]).to_bytes().is_err()
        );
        assert!(
            JournalFile::new(vec![], vec![], vec![vec![0; MAX_RECORD + 1]]).to_bytes().is_err()
        );
        let mut long = MAGIC.to_vec();
        long.extend([0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(read(&summed(long)).unwrap_err().what, "it has more than 17 records");
        let mut more = MAGIC.to_vec();
        more.extend([0; 13]);
        assert_eq!(read(&summed(more)).unwrap_err().what, "bytes follow its last record");
    }
}
