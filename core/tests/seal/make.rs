//! Writes the vectors: the same for the same seed.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what cannot be made is a bug of the test"
)]

use std::format;

use base64ct::{Base64, Encoding as _};
use laps_core::account::Sid;
use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use laps_core::random::Generator;
use laps_core::seal::{Header, Reader, ReaderKey, ReaderSet, Record, SignerKey, Suite};
use laps_core::secret::Password;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use sha2::{Digest as _, Sha256};

use crate::cases::{or_none, to_hex};

/// A file's name inside the folder, and its text.
pub(crate) type File = (String, String);

/// All files for a seed.
pub(crate) fn all(seed: u64) -> Vec<File> {
    let mut maker = Maker::new(seed);
    for suite in Suite::ALL {
        maker.good_records(*suite);
        maker.changed_records(*suite);
        maker.readers_and_key_files(*suite);
    }
    maker.malformed_records();
    maker.reader_sets();
    maker.files
}

struct Maker {
    rng: Generator<ChaCha20Rng>,
    /// Three for each suite, in the order of [`Suite::ALL`].
    keys: Vec<ReaderKey>,
    signer: SignerKey,
    files: Vec<File>,
}

const PASSWORD: &str = "7kQ!x-räksmörgås";

/// Length of the body.
const BODY: usize = 177;

impl Maker {
    fn new(seed: u64) -> Self {
        let mut rng = Generator::try_new(ChaCha20Rng::seed_from_u64(seed)).unwrap();
        let mut keys = Vec::new();
        let mut files = Vec::new();
        for suite in Suite::ALL {
            for letter in ['a', 'b', 'c'] {
                let key = ReaderKey::generate(*suite, &format!("Reader {letter}"), &mut rng);
                let key = key.unwrap();
                let file = key.to_key_file(None, &mut rng).unwrap();
                files.push((format!("keys/{}-{letter}.pem", suite.name()), file.to_string()));
                keys.push(key);
            }
        }
        let signer = SignerKey::generate("Authority", &mut rng).unwrap();
        Self { rng, keys, signer, files }
    }

    fn keys(&self, suite: Suite) -> &[ReaderKey] {
        let at = if suite == Suite::XWing { 0 } else { 3 };
        &self.keys[at..at + 3]
    }

    fn readers(&self, suite: Suite, count: usize) -> Vec<Reader> {
        self.keys(suite)[..count].iter().map(|key| key.reader().clone()).collect()
    }

    fn seal(&mut self, header: &Header, password: &str, readers: &[Reader]) -> Record {
        let password = Password::try_from_str(password).unwrap();
        Record::seal(header, &password, readers, &mut self.rng).unwrap()
    }

    fn opens(&mut self, name: &str, about: &str, key: &str, password: &str, record: &Record) {
        let header = record.header();
        let ids: Vec<_> = record.reader_ids().map(|id| id.to_string()).collect();
        let signer = Some(self.signer.signer()).filter(|_| record.is_signed());
        let reader = self.keys.iter().find(|key| record.reader_ids().any(|id| id == key.id()));
        let proof = reader.unwrap().open(record).unwrap().proof;
        let fields = [
            ("about", about.to_owned()),
            ("kind", "record".to_owned()),
            ("expect", "opens".to_owned()),
            ("key", key.to_owned()),
            ("password", password.to_owned()),
            ("proof", to_hex(proof.as_bytes())),
            ("scope", header.scope.to_string()),
            ("device", header.device.to_string()),
            ("account", header.account.to_string()),
            ("sid", or_none(header.sid)),
            ("id", header.id.to_string()),
            ("previous", or_none(header.previous)),
            ("version", header.version.to_string()),
            ("made-at", header.made_at.as_unix_seconds().to_string()),
            ("policy-hash", to_hex(&header.policy_hash)),
            ("suite", record.suite().name().to_owned()),
            ("sealing", record.sealing().to_string()),
            ("readers", ids.join(" ")),
            ("signer", or_none(signer)),
        ];
        self.write(name, &fields, &wrapped_hex(record.as_bytes()));
    }

    fn refused(&mut self, name: &str, about: &str, key: &str, expect: &str, record: &[u8]) {
        let fields = [("about", about), ("kind", "record"), ("expect", expect), ("key", key)];
        let fields = fields.map(|(name, value)| (name, value.to_owned()));
        self.write(name, &fields, &wrapped_hex(record));
    }

    fn write(&mut self, name: &str, fields: &[(&str, String)], body: &str) {
        let line = |(name, value): &(&str, String)| {
            let space = if value.is_empty() { "" } else { " " };
            format!("{name}:{space}{value}\n")
        };
        let head: String = fields.iter().map(line).collect();
        self.files.push((format!("{name}.txt"), format!("{head}\n{body}")));
    }

    fn good_records(&mut self, suite: Suite) {
        let of = |name: &str| format!("{}_{name}", suite.name());
        let key = format!("{}-a.pem", suite.name());
        let (one, three) = (self.readers(suite, 1), self.readers(suite, 3));
        let record = self.seal(&header(), PASSWORD, &one);
        self.opens(&of("one_reader"), "sealed for one reader", &key, PASSWORD, &record);
        let record = self.seal(&header(), PASSWORD, &three);
        self.opens(&of("three_readers"), "sealed for three readers", &key, PASSWORD, &record);
        let record = self.seal(&least(), "x", &one);
        let about = "no scope, no SID, no predecessor, the shortest fields and password";
        self.opens(&of("least"), about, &key, "x", &record);
        let password = "€".repeat(42) + "~~";
        let record = self.seal(&most(), &password, &one);
        self.opens(&of("most"), "every field as long as it may be", &key, &password, &record);

        let password = Password::try_from_str(PASSWORD).unwrap();
        let signed =
            Record::seal_signed(&header(), &password, &one, &self.signer, &mut self.rng).unwrap();
        self.opens(&of("signed"), "with a signature over the core", &key, PASSWORD, &signed);
        let other = if suite == Suite::XWing { Suite::X25519 } else { Suite::XWing };
        let others = self.readers(other, 1);
        let key_a = if suite == Suite::XWing { &self.keys[0] } else { &self.keys[3] };
        let mut reseal =
            |readers: &[Reader]| key_a.reseal(&signed, readers, &mut self.rng).unwrap();
        let (more, moved) = (reseal(&three), reseal(&others));
        let about = "a signed record, re-sealed for more readers; its core is that of …_signed";
        self.opens(&of("resealed"), about, &key, PASSWORD, &more);
        let about = "a signed record of the one suite, re-sealed in the other";
        let key = format!("{}-a.pem", other.name());
        self.opens(&of("other_suite"), about, &key, PASSWORD, &moved);
    }

    fn changed_records(&mut self, suite: Suite) {
        let of = |name: &str| format!("{}_{name}", suite.name());
        let key = format!("{}-a.pem", suite.name());
        let readers = self.readers(suite, 2);
        let record = self.seal(&header(), PASSWORD, &readers);
        let good = record.as_bytes();
        let (len, wrap) = (good.len(), suite.wrap_len());
        let wraps = len - BODY - 2 * wrap;
        let third = format!("{}-c.pem", suite.name());
        let about = "sealed for others";
        self.refused(&of("not_a_reader"), about, &third, "not-a-reader", good);

        for (name, about, place) in [
            ("device_changed", "one bit of the device's name", 30),
            ("reader_changed", "one bit of the other reader's id", self.other_id(&record, wraps)),
            ("body_changed", "the first bit of the body", len - BODY),
            ("tag_changed", "the last bit of the record", len - 1),
            ("wrap_changed", "one bit of an encapsulated key", self.own_wrap(&record, wraps)),
            (
                "wrap_tag_changed",
                "one bit of a wrap's tag",
                self.own_wrap(&record, wraps) + wrap - 1,
            ),
        ] {
            let mut bytes = good.to_vec();
            bytes[place] ^= 1;
            self.refused(&of(name), about, &key, "rejected", &bytes);
        }

        let mut swapped = good.to_vec();
        swapped[wraps..len - BODY].rotate_left(wrap);
        self.refused(
            &of("wraps_swapped"),
            "the two wraps change places",
            &key,
            "rejected",
            &swapped,
        );

        // Strip the reader that is not a.
        let own_first = self.own_wrap(&record, wraps) == wraps;
        let mut stripped = good.to_vec();
        let (wrap_at, id_at) =
            if own_first { (wraps + wrap, wraps - 32) } else { (wraps, wraps - 64) };
        stripped.drain(wrap_at..wrap_at + wrap);
        stripped.drain(id_at..id_at + 32);
        stripped[wraps - 65] = 1;
        self.refused(&of("reader_stripped"), "one reader taken out", &key, "rejected", &stripped);

        let mut moved = header();
        moved.device = DeviceId::new("another-device").unwrap();
        let moved = self.seal(&moved, PASSWORD, &readers);
        let tail = len - core_end(&record);
        let moved = [&moved.as_bytes()[..core_end(&moved)], &good[len - tail..]].concat();
        let about = "the core of another device's record in front of the rest";
        self.refused(&of("transplanted"), about, &key, "rejected", &moved);

        self.refused(
            &of("cut_short"),
            "without its last byte",
            &key,
            "malformed",
            &good[..len - 1],
        );
        let about = "one byte after its end";
        self.refused(&of("appended"), about, &key, "malformed", &[good, &[0]].concat());
        let mut unordered = good.to_vec();
        unordered[wraps - 64..wraps].rotate_left(32);
        let about = "the ids in the other order";
        self.refused(&of("ids_unordered"), about, &key, "malformed", &unordered);
    }

    fn own_wrap(&self, record: &Record, wraps: usize) -> usize {
        let own = self.keys(record.suite())[0].id();
        if record.reader_ids().next() == Some(own) {
            wraps
        } else {
            wraps + record.suite().wrap_len()
        }
    }

    fn other_id(&self, record: &Record, wraps: usize) -> usize {
        // The last byte, so that the ids still increase.
        if self.own_wrap(record, wraps) == wraps { wraps - 1 } else { wraps - 33 }
    }

    fn malformed_records(&mut self) {
        let readers = self.readers(Suite::X25519, 1);
        let key = "x25519-a.pem";
        let good = self.seal(&least(), PASSWORD, &readers).as_bytes().to_vec();
        // Offsets in a record with the shortest fields: see FORMAT.md §3.
        let end = 146;
        for (name, about, place, bytes, expect) in [
            ("magic", "another beginning", 0, b"laps".as_slice(), "malformed"),
            ("format", "format 2", 5, &[2], "unsupported"),
            ("kind_zero", "kind 0", 6, &[0], "unsupported"),
            ("kind", "kind 2", 6, &[2], "unsupported"),
            ("device_control", "a control character in the device", 11, &[7], "malformed"),
            ("device_not_utf8", "a device that is not UTF-8", 11, &[0xff], "malformed"),
            ("device_long", "a device longer than the record", 9, &[0xff], "malformed"),
            ("predecessor_mark", "a predecessor marked 2", 33, &[2], "malformed"),
            ("time", "made after the year 9999", 42, &[0, 0, 0, 0x3b, 0, 0, 0, 0], "malformed"),
            ("signature_kind", "a signature of kind 2", end, &[2], "malformed"),
            ("suite", "suite 3", end + 1, &[0, 3], "unsupported"),
            ("suite_zero", "suite 0", end + 1, &[0, 0], "unsupported"),
            ("no_readers", "no readers", end + 7, &[0], "malformed"),
            ("seventeen_readers", "17 readers", end + 7, &[17], "malformed"),
        ] {
            let mut changed = good.clone();
            changed[place..place + bytes.len()].copy_from_slice(bytes);
            self.refused(&format!("bad_{name}"), about, key, expect, &changed);
        }
        let cut = |name: &str, from: usize, to: usize, put: &[u8]| {
            let bytes = [&good[..from], put, &good[to..]].concat();
            (name.to_owned(), bytes)
        };
        for ((name, bytes), about) in [
            (cut("bad_device_empty", 9, 12, &[0, 0]), "an empty device"),
            (cut("bad_account_empty", 12, 15, &[0, 0]), "an empty account name"),
            (
                cut("bad_account_65", 12, 15, &[&[0, 65], [b'a'; 65].as_slice()].concat()),
                "an account name of 65 characters",
            ),
            (
                cut("bad_sid_revision", 15, 17, &[0, 12, 2, 1, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0]),
                "a SID of revision 2",
            ),
            (
                cut("bad_sid_length", 15, 17, &[0, 12, 1, 2, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0]),
                "a SID that is shorter than it says",
            ),
            (
                cut("bad_predecessor_itself", 33, 34, &[&[1], &good[17..33]].concat()),
                "a record that is its own predecessor",
            ),
        ] {
            self.refused(&name, about, key, "malformed", &bytes);
        }
        self.refused("bad_empty", "no bytes at all", key, "malformed", &[]);
    }

    fn readers_and_key_files(&mut self, suite: Suite) {
        let of = |name: &str| format!("{}_{name}", suite.name());
        let reader = self.keys(suite)[0].reader().clone();
        let (id, line) = (reader.id().to_string(), reader.to_string());
        let fields = |about: &str, kind: &str, expect: &str| {
            [("about", about.to_owned()), ("kind", kind.to_owned()), ("expect", expect.to_owned())]
        };
        let named = [
            ("suite", suite.name().to_owned()),
            ("id", id.clone()),
            ("name", reader.name().to_owned()),
        ];
        let good = fields("a reader's line", "reader", "reads");
        self.write(&of("line"), &[good, named].concat(), &format!("{line}\n"));
        for (name, about, line) in [
            ("line_other_id", "an id that is not the key's", line.replace(&id, &"0".repeat(64))),
            ("line_upper_case", "an id in upper case", line.replace(&id, &id.to_uppercase())),
            ("line_no_name", "no name", line.replace(" Reader a", "")),
            ("line_two_spaces", "two spaces", line.replacen(' ', "  ", 1)),
            ("line_version", "another version", line.replace("reader-1 ", "reader-2 ")),
        ] {
            let fields = fields(about, "reader", "malformed");
            self.write(&of(name), &fields, &format!("{line}\n"));
        }
        // Other ways to write an X25519 key, each with the id that belongs to it.
        let key = reader.public_key();
        let (rest, x25519) = key.split_last_chunk::<32>().unwrap();
        let mut high = *x25519;
        high[31] |= 0x80;
        let mut above = [0xff; 32];
        (above[0], above[31]) = (0xf6, 0x7f);
        for (name, about, x25519) in [
            ("line_high_bit", "bit 255 of the X25519 key is set", high),
            ("line_not_reduced", "the X25519 key is p + 9", above),
            ("line_small_order", "the X25519 key is of small order", [0; 32]),
        ] {
            let fields = fields(about, "reader", "malformed");
            let key = [rest, &x25519].concat();
            let id = Sha256::new().chain_update(suite.as_u16().to_be_bytes()).chain_update(&key);
            let (name_of, id) = (suite.name(), to_hex(&id.finalize()));
            let line = format!("laps-reader-1 {name_of} {id} {} r\n", Base64::encode_string(&key));
            self.write(&of(name), &fields, &line);
        }

        let file =
            self.files.iter().find(|(name, _)| *name == format!("keys/{}-a.pem", suite.name()));
        let plain = file.unwrap().1.clone();
        let key_a = if suite == Suite::XWing { &self.keys[0] } else { &self.keys[3] };
        let passphrase = Some("größer".as_bytes());
        let encrypted = key_a.to_key_file(passphrase, &mut self.rng).unwrap();
        let other = self.keys(suite)[1].reader().to_string();
        let (_, block) = plain.split_once('\n').unwrap();
        let mixed = format!("{other}\n{block}");
        for (name, about, expect, passphrase, file) in [
            ("key", "a key file in clear", "reads", "none", &plain),
            ("key_encrypted", "a key file with a passphrase", "reads", "größer", &*encrypted),
            ("key_wrong_passphrase", "another passphrase", "rejected", "grösser", &*encrypted),
            (
                "key_other_line",
                "the key of one reader, the line of another",
                "rejected",
                "none",
                &mixed,
            ),
            ("key_no_line", "without its first line", "malformed", "none", &block.to_owned()),
        ] {
            let extra = [("passphrase", passphrase.to_owned()), ("id", id.clone())];
            let fields = [fields(about, "key-file", expect).as_slice(), &extra].concat();
            self.write(&of(name), &fields, file);
        }
    }

    fn reader_sets(&mut self) {
        let scope = Scope::new("contoso").unwrap();
        let authority = self.signer.signer().to_string();
        for suite in Suite::ALL {
            let set = ReaderSet::new(scope, 2, &self.readers(*suite, 2)).unwrap();
            let ids: Vec<_> = set.readers().iter().map(|r| r.id().to_string()).collect();
            let text = set.sign(&self.signer);
            let verified = |text: &str| {
                ReaderSet::verify(text.as_bytes(), self.signer.signer(), &scope, None).unwrap().1
            };
            let head = |version, count| {
                let set = ReaderSet::new(scope, version, &self.readers(*suite, count)).unwrap();
                to_hex(&verified(&set.sign(&self.signer)).to_bytes())
            };
            let none = "none".to_owned();
            let cases = [
                ("set", "signed, nothing in force", "accepted", none.clone(), text.clone()),
                ("set_newer", "version 1 is in force", "accepted", head(1, 1), text.clone()),
                ("set_same", "it is in force already", "accepted", head(2, 2), text.clone()),
                ("set_older", "version 3 is in force", "refused", head(3, 1), text.clone()),
                (
                    "set_conflict",
                    "another version 2 is in force",
                    "refused",
                    head(2, 1),
                    text.clone(),
                ),
                (
                    "set_unsigned",
                    "the version was changed after signing",
                    "refused",
                    none.clone(),
                    text.replace("version 2", "version 9"),
                ),
                (
                    "set_zeros",
                    "a version with a leading zero",
                    "malformed",
                    none.clone(),
                    text.replace("version 2", "version 02"),
                ),
                (
                    "set_cut_short",
                    "without the signature's line",
                    "malformed",
                    none,
                    text.split_inclusive('\n').take(6).collect(),
                ),
            ];
            for (name, about, expect, in_force, text) in cases {
                let fields = [
                    ("about", about.to_owned()),
                    ("kind", "reader-set".to_owned()),
                    ("expect", expect.to_owned()),
                    ("authority", authority.clone()),
                    ("scope", scope.to_string()),
                    ("in-force", in_force),
                    ("version", "2".to_owned()),
                    ("readers", ids.join(" ")),
                ];
                self.write(&format!("{}_{name}", suite.name()), &fields, &text);
            }
        }
    }
}

/// Where the core of an unsigned record ends.
fn core_end(record: &Record) -> usize {
    let readers = record.reader_ids().count();
    record.as_bytes().len() - BODY - readers * (record.suite().wrap_len() + 32) - 8
}

fn wrapped_hex(bytes: &[u8]) -> String {
    let hex = to_hex(bytes);
    hex.as_bytes()
        .chunks(120)
        .map(|line| format!("{}\n", core::str::from_utf8(line).unwrap()))
        .collect()
}

fn header() -> Header {
    Header {
        scope: Scope::new("contoso").unwrap(),
        device: DeviceId::new("5f0c4a0e-7f5b-4a8e-9a53-0d5a2d1e6c11").unwrap(),
        account: AccountName::new("Admin").unwrap(),
        sid: Some("S-1-5-21-1004336348-1177238915-682003330-500".parse().unwrap()),
        id: RecordId::from_hex("00112233445566778899aabbccddeeff").unwrap(),
        previous: RecordId::from_hex("ffeeddccbbaa99887766554433221100"),
        version: 7,
        made_at: Timestamp::from_unix_seconds(1_790_000_000),
        policy_hash: [0x5a; 32],
    }
}

fn least() -> Header {
    Header {
        scope: Scope::EMPTY,
        device: DeviceId::new("d").unwrap(),
        account: AccountName::new("a").unwrap(),
        sid: None,
        id: RecordId::from_bytes([0; 16]),
        previous: None,
        version: 0,
        made_at: Timestamp::default(),
        policy_hash: [0; 32],
    }
}

fn most() -> Header {
    let sid = "S-1-0xFFFFFFFFFFFF".to_owned() + &"-4294967295".repeat(15);
    Header {
        scope: Scope::new(&"s".repeat(64)).unwrap(),
        device: DeviceId::new(&"d".repeat(128)).unwrap(),
        account: AccountName::new(&"😀".repeat(64)).unwrap(),
        sid: Some(sid.parse::<Sid>().unwrap()),
        id: RecordId::from_bytes([0xff; 16]),
        previous: Some(RecordId::from_bytes([0; 16])),
        version: u64::MAX,
        made_at: Timestamp::MAX,
        policy_hash: [0xff; 32],
    }
}
