//! Passwords as Entra and Active Directory store them, from the vectors of others.
#![cfg(feature = "documents")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failed step is a failed test"
)]

use std::{fs, path::Path};

use laps_core::{
    directory::{
        ClearPassword, CredentialInfo, EncryptedPassword, Filetime, ProtectedBlob, credential_infos,
    },
    secret::Password,
};
use proptest::prelude::*;
use serde_json::Value;

fn vector(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/directory").join(name))
        .unwrap()
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&vector(name)).unwrap()
}

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// Account, backup time and password of each credential.
fn credentials(text: &str) -> Vec<[String; 3]> {
    let info = CredentialInfo::read(text).unwrap();
    info.credentials()
        .map(|credential| {
            let credential = credential.unwrap();
            let mut password = Password::empty();
            credential.password(&mut password).unwrap();
            let password = password.expose_secret().to_owned();
            [credential.account.to_string(), credential.backup.unwrap().to_string(), password]
        })
        .collect()
}

#[test]
fn the_shape_of_the_service_is_read() {
    let body = json("get_credentials_live_shape_synthetic.json")["body"].to_string();
    let info = CredentialInfo::read(&body).unwrap();
    assert_eq!(info.device_id.as_str(), "11111111-2222-3333-4444-555555555555");
    assert_eq!(info.device_name.as_str(), "PC-0001");
    assert_eq!(info.last_backup.unwrap().to_string(), "2025-01-02T03:04:05.0136478Z");
    assert_eq!(info.refresh.unwrap().to_string(), "2025-02-01T03:04:05.0136478Z");
    assert_eq!(
        credentials(&body),
        [
            ["LapsAdmin", "2025-01-02T03:04:05.0136478Z", "ExamplePassword3"],
            ["LapsAdmin", "2024-12-03T03:04:05.9057690Z", "ExamplePassword2"],
            ["Administrator", "2024-11-03T03:04:05.3100000Z", "ExamplePassword1"],
        ]
    );
    let newest = info.newest().unwrap().unwrap();
    assert_eq!(newest.backup, info.last_backup);
    assert_eq!(newest.sid.unwrap().to_string(), "S-1-5-21-1-2-3-1001");
    assert!(!format!("{info:?} {newest:?}").contains("RXhhb"));
}

#[test]
fn the_shape_of_the_documentation_is_read_too() {
    let sample = json("get_credentials_docs_sample.json");
    let found = credentials(&sample["body"].to_string());
    let passwords: Vec<&str> = found.iter().map(|[.., password]| &**password).collect();
    let expected: Vec<&str> =
        sample["decoded_utf16le"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    assert_eq!(passwords, expected);
    let list = json("list_docs_sample.json")["body"].to_string();
    let names: Vec<String> = credential_infos(&list)
        .unwrap()
        .map(|info| info.unwrap().device_name.to_string())
        .collect();
    assert_eq!(names, ["LAPS_TEST", "LAPS_TEST2"]);
    // Pretty or not, with a byte order mark or not, and whatever else stands in it.
    let pretty = format!("\u{feff}{:#}", sample["body"]);
    assert_eq!(credentials(&pretty), found);
}

#[test]
fn one_bad_credential_hides_no_other_and_no_time_is_unknown() {
    let credential = |time: &str, password: &str| {
        format!(
            "{{\"accountName\":\"FixIt\",\"backupDateTime\":{time},\"passwordBase64\":{password}}}"
        )
    };
    let info = |credentials: &[String]| {
        format!(
            "{{\"id\":\"a\",\"lastBackupDateTime\":\"0001-01-01T00:00:00Z\",\"credentials\":[{}]}}",
            credentials.join(",")
        )
    };
    let newest = credential("\"2026-10-01T08:00:00Z\"", "\"TmV3ZXN0UHcxIWFhYWE=\"");
    let bad = "{\"accountName\":\"FixIt\"}".to_owned();
    let timeless = credential("\"0001-01-01T00:00:00Z\"", "\"QUJD\"");
    for credentials in
        [vec![newest.clone(), bad.clone(), timeless.clone()], vec![timeless, bad.clone(), newest]]
    {
        let text = info(&credentials);
        let info = CredentialInfo::read(&text).unwrap();
        assert_eq!(info.last_backup, None);
        let mut password = Password::empty();
        info.newest().unwrap().unwrap().password(&mut password).unwrap();
        assert_eq!(password.expose_secret(), "NewestPw1!aaaa");
        assert_eq!(info.credentials().filter(Result::is_ok).count(), 2);
    }
    let text = info(&[bad]);
    assert!(CredentialInfo::read(&text).unwrap().newest().is_err());
}

#[test]
fn odd_answers_of_graph_are_refused() {
    for text in [
        "",
        "{}",
        "[]",
        "null",
        "{\"id\":\"\"}",
        "{\"id\":1}",
        "{\"value\":[]}",
        "{\"id\":\"a\"",
        "{\"id\":\"a\",}",
        "{\"id\":\"a\"} x",
        "{\"id\":\"a\" \"b\":1}",
        "{\"id\":\"a\",\"refreshDateTime\":\"soon\"}",
        "{\"id\":\"\\u0001\"}",
        "{\"id\":\"a\",\"x\":[}]}",
    ] {
        assert!(CredentialInfo::read(text).is_err(), "{text}");
    }
    let deep = format!("{{\"id\":\"a\",\"x\":{}{}}}", "[".repeat(20), "]".repeat(20));
    assert!(CredentialInfo::read(&deep).is_err());
    let none =
        CredentialInfo::read("{\"id\":\"a\",\"credentials\":null,\"x\":{\"a\":[1,{}]}}").unwrap();
    assert_eq!(none.credentials().count(), 0);
    assert!(none.newest().unwrap().is_none());
    let with = |base64: &str| {
        format!(
            "{{\"id\":\"a\",\"credentials\":[{{\"accountName\":\"\\u00c4\\ud83d\\udd11\",\
             \"backupDateTime\":\"2025-01-02T03:04:05Z\",\"passwordBase64\":\"{base64}\"}}]}}"
        )
    };
    for bad in [
        "", "QQ", "QQ=", "QR==", "QUJ=", "Q===", "====", "QQ==QQ==", "QUI!", "QQ ==", "/w==",
        "AAAA", "ANg=",
    ] {
        let text = with(bad);
        let info = CredentialInfo::read(&text).unwrap();
        let credential = info.credentials().next().unwrap().unwrap();
        let mut password = Password::try_from_str("before").unwrap();
        let outcome = credential.password(&mut password);
        assert!(outcome.is_err() && password.is_empty(), "{bad}");
    }
    // A slash may be escaped in JSON.
    assert_eq!(
        credentials(&with("Pz8\\/"))[0],
        ["Ä\u{1f511}", "2025-01-02T03:04:05.0000000Z", "???"]
    );
}

#[test]
fn the_clear_attribute_is_read() {
    for sample in json("mslaps_password_samples.json").as_array().unwrap() {
        let mut password = Password::empty();
        let text = sample["msLAPS-Password"].as_str().unwrap();
        let read = ClearPassword::read(text, &mut password).unwrap();
        assert_eq!(read.account.as_str(), sample["account"].as_str().unwrap());
        assert_eq!(read.updated.unwrap().as_ticks(), sample["filetime"].as_u64().unwrap());
        assert_eq!(read.updated.unwrap().to_string(), sample["utc"].as_str().unwrap());
        assert_eq!(password.expose_secret(), sample["password"].as_str().unwrap());
    }
    // Another order, as LAPS4LINUX writes it, and escapes.
    let mut password = Password::empty();
    let text = "{\"p\": \"a\\\"\\\\\\/\\u00e4b\", \"n\": \"J\\u00fcrgen\", \
                \"t\": \"1d8161b41c41cde\", \"x\": [1]}";
    let read = ClearPassword::read(text, &mut password).unwrap();
    assert_eq!((read.account.as_str(), password.expose_secret()), ("Jürgen", "a\"\\/äb"));
}

#[test]
fn a_time_that_others_write_does_not_hide_the_password() {
    let stored = Filetime::from_hex("1d8161b41c41cde");
    assert!(stored.is_some());
    for (time, expected) in [
        ("\"1d8161b41c41cde\"", stored),
        ("\"1D8161B41C41CDE\"", stored),
        ("\"01d8161b41c41cde\"", stored),
        ("\"0x1d8161b41c41cde\"", stored),
        ("\"132880495330729182\"", stored),
        ("132880495330729182", stored),
        ("\"133800000000000000\"", Filetime::from_ticks(133_800_000_000_000_000)),
        ("\"1\"", None),
        ("\"\"", None),
        ("\"soon\"", None),
        ("null", None),
        ("true", None),
        ("{\"x\":1}", None),
        ("\"1700000000\\n\"", None),
        ("\"fffffffffffffffffffffffff\"", None),
    ] {
        let mut password = Password::empty();
        let text = format!("{{\"n\":\"root\",\"t\":{time},\"p\":\"x1!aaaaa\"}}");
        let read = ClearPassword::read(&text, &mut password).unwrap();
        assert_eq!((read.account.as_str(), read.updated), ("root", expected), "{time}");
        assert_eq!(password.expose_secret(), "x1!aaaaa");
    }
    let mut password = Password::empty();
    let read = ClearPassword::read("{\"n\":\"root\",\"p\":\"x\"}", &mut password).unwrap();
    assert_eq!((read.updated, password.expose_secret()), (None, "x"));
    // Escapes, and a name of another language.
    let text = "{\"n\":\"Administrat\u{f6}r\",\"t\":\"1d8161b41c41cde\",\
                \"p\":\"a\\u0026b\\u003cc\\\"d\\\\e\"}";
    let read = ClearPassword::read(text, &mut password).unwrap();
    assert_eq!(
        (read.account.as_str(), password.expose_secret()),
        ("Administrat\u{f6}r", "a&b<c\"d\\e")
    );
}

#[test]
fn what_is_not_the_clear_attribute_is_refused_and_leaves_no_password() {
    for text in [
        "A6a3#7%eb!5",
        "",
        "{}",
        "{\"n\":\"a\",\"t\":\"1\"}",
        "{\"n\":\"a\",\"t\":\"1\",\"p\":\"\"}",
        "{\"n\":\"a\",\"t\":\"1\",\"p\":\"x\",\"p\":\"y\"}",
        "{\"n\":\"a\",\"t\":\"1\",\"p\":\"x",
        "{\"n\":\"a\",\"t\":\"1\",\"p\":\"x\\q\"}",
        "{\"n\":\"a\",\"t\":\"1\",\"p\":\"\\ud800\"}",
        "{\"n\":\"a\",\"t\":\"1\",\"p\":\"\\ud800\\u0041\"}",
        &format!("{{\"n\":\"a\",\"t\":\"1\",\"p\":\"{}\"}}", "x".repeat(129)),
    ] {
        let mut password = Password::try_from_str("before").unwrap();
        assert!(ClearPassword::read(text, &mut password).is_err(), "{text}");
        assert!(password.is_empty(), "{text}");
    }
}

#[test]
fn the_header_and_the_blob_of_the_encrypted_attribute_are_read() {
    let sample = json("encrypted-password.json");
    let expected = &sample["decoded"];
    let bytes = hex(&sample["msLAPS_EncryptedPassword_hex"]);
    let read = EncryptedPassword::read(&bytes).unwrap();
    assert_eq!(
        read.updated.unwrap().as_ticks(),
        expected["header_timestamp_filetime"].as_u64().unwrap()
    );
    assert_eq!(read.blob.len(), usize::try_from(expected["blob_size"].as_u64().unwrap()).unwrap());
    let blob = ProtectedBlob::read(read.blob).unwrap();
    assert_eq!(blob.root_key.to_string(), expected["root_key_id"].as_str().unwrap());
    let index = [blob.flags, blob.l0, blob.l1, blob.l2].map(u64::from);
    assert_eq!(
        index.to_vec(),
        ["flags", "l0", "l1", "l2"].map(|key| expected[key].as_u64().unwrap())
    );
    assert_eq!(blob.domain.as_str(), expected["domain"].as_str().unwrap());
    assert_eq!(blob.forest.as_str(), expected["forest"].as_str().unwrap());
    assert_eq!(blob.sid.to_string(), expected["protection_sid"].as_str().unwrap());
    assert_eq!((blob.wrapped_key.len(), blob.nonce.len()), (40, 12));
    assert_eq!(
        blob.content.len(),
        usize::try_from(expected["content_len_incl_16_tag"].as_u64().unwrap()).unwrap()
    );
    // What stands inside is the clear attribute in UTF-16, with a zero at its end.
    let inside: Vec<u16> = hex(&expected["plaintext_utf16le_hex"])
        .chunks(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let mut password = Password::empty();
    let clear = ClearPassword::read(&String::from_utf16(&inside).unwrap(), &mut password).unwrap();
    assert_eq!(password.expose_secret(), sample["expected_password"].as_str().unwrap());
    assert_eq!(clear.updated, read.updated);
}

#[test]
fn another_laps_blob_is_read() {
    let bytes = vector("dpapi_ng_blob");
    let blob = ProtectedBlob::read(&bytes).unwrap();
    assert_eq!((blob.flags, blob.l0, blob.l1, blob.l2), (3, 361, 16, 3));
    assert_eq!(blob.root_key.to_string(), "d778c271-9025-9a82-f6dc-b8960b8ad8c5");
    assert_eq!(blob.sid.to_string(), "S-1-5-21-3337337973-3297078028-437386066-512");
    assert_eq!(blob.domain.as_str(), "domain.test");
}

#[test]
fn cut_and_changed_attributes_are_refused() {
    let bytes = hex(&json("encrypted-password.json")["msLAPS_EncryptedPassword_hex"]);
    for len in 0..bytes.len() {
        assert!(EncryptedPassword::read(&bytes[..len]).is_err(), "{len}");
    }
    let mut reserved = bytes.clone();
    reserved[12] = 1;
    assert!(EncryptedPassword::read(&reserved).is_err());
    // A time that cannot be is unknown, and the blob is there all the same: after the year 9999,
    // and with its halves swapped.
    let good = EncryptedPassword::read(&bytes).unwrap();
    assert!(good.updated.is_some());
    let mut late = bytes.clone();
    late[..4].copy_from_slice(&[0xff; 4]);
    let mut swapped = bytes.clone();
    swapped[..8].rotate_left(4);
    for odd in [late, swapped] {
        let read = EncryptedPassword::read(&odd).unwrap();
        assert_eq!((read.updated, read.blob), (None, good.blob));
    }
    // Bytes behind the size that it says belong to nothing.
    assert!(EncryptedPassword::read(&[&bytes[..], &[0; 4]].concat()).is_err());
    // Cut anywhere inside the CMS, 1105 bytes, a blob does not parse.
    let blob = &bytes[16..];
    for len in 0..1105 {
        assert!(ProtectedBlob::read(&blob[..len]).is_err(), "{len}");
    }
}

/// A DER element: its tag, and its contents or the elements in it.
#[derive(Clone)]
enum Element {
    Leaf(u8, Vec<u8>),
    Inside(u8, Vec<Self>),
}

impl Element {
    fn read(bytes: &[u8]) -> (Self, &[u8]) {
        let (len, start) = match bytes[1] {
            0x81 => (usize::from(bytes[2]), 3),
            0x82 => (usize::from(u16::from_be_bytes([bytes[2], bytes[3]])), 4),
            len => (usize::from(len), 2),
        };
        let (mut contents, rest) = bytes[start..].split_at(len);
        if bytes[0] & 0x20 == 0 {
            return (Self::Leaf(bytes[0], contents.to_vec()), rest);
        }
        let mut children = Vec::new();
        while !contents.is_empty() {
            let (child, after) = Self::read(contents);
            children.push(child);
            contents = after;
        }
        (Self::Inside(bytes[0], children), rest)
    }

    fn write(&self) -> Vec<u8> {
        let (tag, contents) = match self {
            Self::Leaf(tag, contents) => (*tag, contents.clone()),
            Self::Inside(tag, children) => (*tag, children.iter().flat_map(Self::write).collect()),
        };
        let len = u16::try_from(contents.len()).unwrap().to_be_bytes();
        let head = match len {
            [0, low @ ..=0x7f] => vec![tag, low],
            [0, low] => vec![tag, 0x81, low],
            [high, low] => vec![tag, 0x82, high, low],
        };
        [head, contents].concat()
    }

    /// The element that these places lead to.
    fn at(&mut self, path: &[usize]) -> &mut Vec<Self> {
        let Self::Inside(_, children) = self else { panic!("a leaf has nothing in it") };
        match path {
            [] => children,
            [first, rest @ ..] => children[*first].at(rest),
        }
    }

    /// The paths of all elements that have others in them.
    fn paths(&self) -> Vec<Vec<usize>> {
        let Self::Inside(_, children) = self else { return Vec::new() };
        let deeper = children.iter().enumerate().flat_map(|(at, child)| {
            child.paths().into_iter().map(move |path| [vec![at], path].concat())
        });
        core::iter::once(Vec::new()).chain(deeper).collect()
    }
}

#[test]
fn whoever_else_a_blob_names_is_seen() {
    let bytes = hex(&json("encrypted-password.json")["msLAPS_EncryptedPassword_hex"]);
    let (cms, content) = Element::read(&bytes[16..]);
    let read = |cms: &Element| {
        let blob = [cms.write(), content.to_vec()].concat();
        ProtectedBlob::read(&blob).map(|blob| blob.sid).map_err(|error| error.to_string())
    };
    assert!(read(&cms).is_ok());
    // The set of recipients; the rules, each of which is enough; the conditions of the first rule.
    let recipients: &[usize] = &[1, 0, 1];
    let either = &[recipients, &[0, 1, 1, 1, 1]].concat()[..];
    let together = &[either, &[0]].concat()[..];
    for (path, said) in
        [(recipients, "several recipients"), (either, "each of which"), (together, "at once")]
    {
        let mut more = cms.clone();
        let all = more.at(path);
        all.push(all[0].clone());
        assert!(read(&more).unwrap_err().contains(said), "{path:?}: {:?}", read(&more));
    }
    let mut local = cms.clone();
    local.at(together)[0] = Element::Inside(
        0x30,
        vec![Element::Leaf(0x0c, b"LOCAL".to_vec()), Element::Leaf(0x0c, b"user".to_vec())],
    );
    assert!(read(&local).unwrap_err().contains("something else than a SID"));
    // Nothing may follow in any element: what is not read is not vouched for. (Behind the first
    // stands the content.)
    for path in cms.paths() {
        for odd in [Element::Leaf(0x05, Vec::new()), Element::Inside(0xa1, Vec::new())] {
            let mut more = cms.clone();
            more.at(&path).push(odd);
            assert!(read(&more).is_err(), "{path:?}");
        }
        // Nor may anything be missing.
        let mut less = cms.clone();
        less.at(&path).pop();
        assert!(read(&less).is_err(), "{path:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        text in "[\\[\\]{}\",:a-z\\\\0-9 ]{0,80}",
    ) {
        let _ = EncryptedPassword::read(&bytes);
        let _ = ProtectedBlob::read(&bytes);
        let mut password = Password::empty();
        let _ = ClearPassword::read(&text, &mut password);
        if let Ok(info) = CredentialInfo::read(&text) {
            prop_assert!(info.credentials().count() <= text.len());
        }
    }

    #[test]
    fn what_windows_would_write_is_read(
        account in "[^\\p{Cc}]{1,20}",
        password in "[ -~]{1,64}",
        ticks in 1_u64..2_650_467_744_000_000_000,
    ) {
        let time = format!("{ticks:x}");
        let text = serde_json::json!({ "n": account, "t": time, "p": password }).to_string();
        let mut out = Password::empty();
        let read = ClearPassword::read(&text, &mut out).unwrap();
        prop_assert_eq!(read.account.as_str(), account);
        let time = Filetime::from_ticks(ticks).filter(|time| time.is_plausible());
        prop_assert_eq!(read.updated, time);
        prop_assert_eq!(out.expose_secret(), password);
    }
}
