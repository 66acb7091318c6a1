//! One case of the vectors: reading it, writing it, running it (FORMAT.md §13).

use std::collections::HashMap;
use std::path::Path;
use std::{format, fs};

use laps_core::error::Code;
use laps_core::identity::Scope;
use laps_core::seal::{Reader, ReaderKey, ReaderSet, ReaderSetHead, Record, SealError};

/// A file of the vectors, taken apart.
pub(crate) struct Case {
    fields: HashMap<String, String>,
    body: String,
}

impl Case {
    /// Reads the text of a file.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (head, body) = text.split_once("\n\n").ok_or("there is no empty line")?;
        let fields = head.lines().map(|line| {
            let pair =
                line.split_once(": ").or_else(|| line.strip_suffix(':').map(|name| (name, "")));
            let (name, value) = pair.ok_or_else(|| format!("not a field: {line}"))?;
            Ok((name.to_owned(), value.to_owned()))
        });
        Ok(Self { fields: fields.collect::<Result<_, String>>()?, body: body.to_owned() })
    }

    fn field(&self, name: &str) -> Result<&str, String> {
        self.fields.get(name).map(String::as_str).ok_or_else(|| format!("there is no {name}"))
    }

    /// Runs the case; `keys` is the folder of the private keys.
    pub(crate) fn run(&self, keys: &Path) -> Result<(), String> {
        let expected = self.field("expect")?;
        let found = match self.field("kind")? {
            "record" => self.record(keys)?,
            "reader" => self.reader()?,
            "key-file" => self.key_file()?,
            "reader-set" => self.reader_set()?,
            other => return Err(format!("{other} is no kind of case")),
        };
        if found == expected { Ok(()) } else { Err(format!("expected {expected}, found {found}")) }
    }

    /// Compares what was found with the field of this name.
    fn same(&self, name: &str, found: &str) -> Result<(), String> {
        let expected = self.field(name)?;
        if found == expected {
            Ok(())
        } else {
            Err(format!("{name}: expected {expected}, found {found}"))
        }
    }

    fn record(&self, keys: &Path) -> Result<&'static str, String> {
        let bytes = from_hex(&self.body)?;
        let record = match Record::parse(&bytes) {
            Ok(record) => record,
            Err(error) => return answer(error),
        };
        if record.as_bytes() != bytes {
            return Err("the record is not kept as it is".to_owned());
        }
        let key = read_key(keys, self.field("key")?)?;
        let opened = match key.open(&record) {
            Ok(opened) => opened,
            Err(error) => return answer(error),
        };
        let header = record.header();
        self.same("password", opened.password.expose_secret())?;
        self.same("proof", &to_hex(opened.proof.as_bytes()))?;
        if !record.is_proven_by(&opened.proof) {
            return Err("its own proof does not hold".to_owned());
        }
        self.same("scope", header.scope.as_str())?;
        self.same("device", header.device.as_str())?;
        self.same("account", header.account.as_str())?;
        self.same("sid", &or_none(header.sid))?;
        self.same("id", &header.id.to_string())?;
        self.same("previous", &or_none(header.previous))?;
        self.same("version", &header.version.to_string())?;
        self.same("made-at", &header.made_at.as_unix_seconds().to_string())?;
        self.same("policy-hash", &to_hex(&header.policy_hash))?;
        self.same("suite", record.suite().name())?;
        self.same("sealing", &record.sealing().to_string())?;
        let ids: Vec<_> = record.reader_ids().map(|id| id.to_string()).collect();
        self.same("readers", &ids.join(" "))?;
        match self.field("signer")? {
            "none" if record.is_signed() => return Err("the record is signed".to_owned()),
            "none" => {}
            line => {
                let signer = line.parse().map_err(|error: SealError| error.to_string())?;
                record.verify_signature(&signer).map_err(|error| error.to_string())?;
            }
        }
        Ok("opens")
    }

    fn reader(&self) -> Result<&'static str, String> {
        match self.body.parse::<Reader>() {
            Ok(reader) => {
                self.same("suite", reader.suite().name())?;
                self.same("id", &reader.id().to_string())?;
                self.same("name", reader.name())?;
                Ok("reads")
            }
            Err(error) => answer(error),
        }
    }

    fn key_file(&self) -> Result<&'static str, String> {
        let passphrase = Some(self.field("passphrase")?).filter(|text| *text != "none");
        match ReaderKey::from_key_file(self.body.as_bytes(), passphrase.map(str::as_bytes)) {
            Ok(key) => self.same("id", &key.id().to_string()).map(|()| "reads"),
            Err(error) => answer(error),
        }
    }

    fn reader_set(&self) -> Result<&'static str, String> {
        let authority = self.field("authority")?.parse().map_err(|error| format!("{error}"))?;
        let scope = Scope::new(self.field("scope")?).map_err(|error| error.to_string())?;
        let in_force = match self.field("in-force")? {
            "none" => None,
            hex => {
                let bytes = from_hex(hex)?;
                let bytes = bytes.as_slice().try_into().map_err(|_| "not 40 bytes")?;
                Some(ReaderSetHead::from_bytes(bytes))
            }
        };
        let set = ReaderSet::verify(self.body.as_bytes(), &authority, &scope, in_force.as_ref());
        match set {
            Ok((set, _)) => {
                self.same("version", &set.version().to_string())?;
                let ids: Vec<_> = set.readers().iter().map(|r| r.id().to_string()).collect();
                self.same("readers", &ids.join(" "))?;
                Ok("accepted")
            }
            Err(error) => answer(error),
        }
    }
}

/// What FORMAT.md calls an error.
fn answer(error: SealError) -> Result<&'static str, String> {
    let answers: &[(&str, &[Code])] = &[
        (
            "malformed",
            &[
                Code::RecordMalformed,
                Code::KeyFileMalformed,
                Code::ReaderMalformed,
                Code::ReaderSetMalformed,
            ],
        ),
        ("unsupported", &[Code::UnsupportedVersion]),
        ("not-a-reader", &[Code::NotAReader]),
        ("rejected", &[Code::Rejected, Code::KeyFileRejected]),
        ("refused", &[Code::ReaderSetRefused]),
    ];
    let answer = answers.iter().find(|(_, codes)| codes.contains(&error.code()));
    answer.map(|(name, _)| *name).ok_or_else(|| format!("no case expects this: {error}"))
}

/// Runs every case of a folder; says how many there are.
pub(crate) fn run_all(folder: &Path) -> Result<usize, String> {
    let keys = folder.join("keys");
    let mut count = 0;
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_none_or(|ending| ending != "txt") {
            continue;
        }
        let named = |error| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| named(error.to_string()))?;
        Case::parse(&text).and_then(|case| case.run(&keys)).map_err(named)?;
        count += 1;
    }
    Ok(count)
}

fn read_key(folder: &Path, name: &str) -> Result<ReaderKey, String> {
    let file = fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
    ReaderKey::from_key_file(&file, None).map_err(|error| format!("{name}: {error}"))
}

pub(crate) fn or_none<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'\n').collect();
    let (pairs, []) = digits.as_chunks::<2>() else {
        return Err("an odd number of hexadecimal digits".to_owned());
    };
    let byte = |pair: &[u8; 2]| {
        let text = core::str::from_utf8(pair).map_err(|_| "not hexadecimal")?;
        u8::from_str_radix(text, 16).map_err(|_| "not hexadecimal".to_owned())
    };
    pairs.iter().map(byte).collect()
}
