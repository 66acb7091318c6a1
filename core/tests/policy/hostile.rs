//! Documents that nobody wrote by hand are refused, with the position.

use laps_core::policy::{DocumentError, MAX_DOCUMENT_BYTES, evaluate, read};
use proptest::prelude::*;

fn refused(bytes: impl AsRef<[u8]>) -> DocumentError {
    let error = read(bytes.as_ref(), "bad").expect_err("it was read");
    assert!(error.to_string().starts_with("bad") && error.message.len() < 800, "{error}");
    error
}

/// Line, column and a word of the message.
fn at(bytes: impl AsRef<[u8]>, line: u32, column: u32, word: &str) {
    let error = refused(bytes);
    assert_eq!((error.line, error.column), (line, column), "{error}");
    assert!(error.message.contains(word), "{error}");
}

fn syncml(inside: &str) -> String {
    format!("<SyncML xmlns=\"SYNCML:SYNCML1.2\">\n<SyncBody>\n{inside}\n</SyncBody>\n</SyncML>")
}

#[test]
fn what_has_none_of_the_forms_is_refused() {
    at("", 1, 1, "an empty document");
    at("  \n hello", 2, 2, "accepted are a JSON object");
    at("[]", 1, 1, "an empty list");
    at("[[1]]", 1, 3, "not a JSON object");
    at("Windows Registry Editor Version 6.00\r\n", 1, 1, "not a policy");
    at(b"\x00\x01\x02", 1, 1, "NUL");
    at(b"{\"a\": \"\xff\"}", 1, 8, "UTF-8");
}

#[test]
fn json_with_a_name_twice_is_refused() {
    at("{\n  \"PasswordLength\": 8,\n  \"PasswordLength\": 64\n}", 3, 18, "twice");
    at("{\"BackupDirectory\":1,\"Backup\\u0044irectory\":2}", 1, 43, "twice");
    // In an export, too, at any depth.
    at("{\"settings\":[{\"id\":\"0\",\"id\":\"1\"}]}", 1, 27, "twice");
}

#[test]
fn broken_json_is_refused_with_the_position() {
    at("{\"BackupDirectory\": 1,}", 1, 23, "trailing comma");
    at("{\"BackupDirectory\": 1", 1, 21, "EOF");
    at("{\"BackupDirectory\": 01}", 1, 22, "number");
    at("{\"BackupDirectory\": 1} {}", 1, 24, "trailing characters");
    at("{\"AdministratorAccountName\": \"a\\u0000b\"}", 1, 39, "NUL");
    at("{\"AdministratorAccountName\": \"\\ud800\"}", 1, 37, "hex escape");
    at("{\"PasswordLength\": 1e999}", 1, 24, "out of range");
    at("{\"PasswordLength\": NaN}", 1, 20, "expected");
    at("{\"\\u0000\": 1}", 1, 9, "NUL");
}

#[test]
fn deep_nesting_is_refused() {
    for deep in [200, 100_000] {
        assert!(refused(format!("{{\"a\":{}", "[".repeat(deep))).message.contains("recursion"));
        assert!(
            refused(format!("{{\"a\":{}1", "{\"a\":".repeat(deep))).message.contains("recursion")
        );
        let xml = syncml(&"<Atomic>".repeat(deep));
        at(xml, 3, 8 * 30 + 1, "nested over 32 deep");
    }
}

#[test]
fn megabytes_are_refused_before_they_are_looked_at() {
    let error = refused(vec![b' '; MAX_DOCUMENT_BYTES + 1]);
    assert_eq!((error.line, error.column), (0, 0));
    assert!(error.message.contains("1048577 bytes; at most 1048576"), "{error}");
    // Just below: looked at, and refused for what it is.
    refused(vec![b'{'; MAX_DOCUMENT_BYTES]);
    refused(vec![b'<'; MAX_DOCUMENT_BYTES]);
    refused("<a ".repeat(300_000));
    refused(format!("{{{}", "\"a\":1,".repeat(140_000)));
    let many: String = (0..50_000).map(|n| format!("\"a{n}\":1,")).collect();
    assert!(refused(format!("{{{many}\"b\":1}}")).message.contains("over 256 settings"));
    let lines: String = (0..257).map(|n| format!("\n \"a{n}\":1,")).collect();
    at(format!("{{{lines}\"b\":1}}"), 258, 9, "over 256 settings");
    let lines: String = (0..257).map(|n| format!("\"a{n}\"=dword:00000001\r\n")).collect();
    let key = r"[HKEY_LOCAL_MACHINE\Software\Microsoft\Policies\LAPS]";
    let export = format!("Windows Registry Editor Version 5.00\r\n\r\n{key}\r\n{lines}");
    at(export, 260, 1, "over 256 settings");
    let many: String = (0..10_000).map(|n| format!(" a{n}=''")).collect();
    assert!(refused(format!("<SyncML{many}/>")).message.contains("1024 bytes"));
    let item =
        "<Item><Target><LocURI>./Vendor/MSFT/LAPS/Policies/X</LocURI></Target><Data/></Item>";
    let many = syncml(&format!("<Add>{}</Add>", item.repeat(300)));
    let error = refused(many);
    let column = "<Add>".len() + 256 * item.len() + 1;
    assert!(error.message.contains("over 256 settings"));
    assert_eq!((error.line as usize, error.column as usize), (3, column));
}

#[test]
fn what_is_not_an_export_of_intune_is_refused_where_it_stands() {
    const ID: &str =
        "\"settingDefinitionId\": \"device_vendor_msft_laps_policies_backupdirectory\"";
    let instance =
        format!("{{\"settingInstance\": {{{ID}, \"choiceSettingValue\": {{\"children\": [\n  {{");
    at("\n\n [1]", 3, 3, "not a JSON object");
    at("{\"@a\": {\"settings\": 1},\n \"settings\": 7}", 2, 14, "not a list");
    at("\n{\"@a\": 1}", 2, 1, "without \"settings\"");
    at("{\"n\": \"},{\", \"settings\": [\n]}", 1, 1, "without a LAPS setting");
    at(format!("{{\"settings\": [{{{ID}}},\n   null]}}"), 2, 4, "each a JSON object");
    at(format!("{{\"settings\": [{{{ID}}}, \n{{\"id\": \"0\"}}]}}"), 2, 1, "without \"settingDef");
    // Names with escapes and braces in text lead nobody astray; children are found in their
    // parents.
    at(
        format!("{{\"a\\\"{{\": \"[\\\\\", \"\\u0073ettings\": [{instance}\"x\": 1}}]}}}}}}]}}"),
        2,
        3,
        "without \"settingDefinitionId\"",
    );
    let children = format!("{{{ID}}},").repeat(256);
    let children = children.trim_end_matches(',');
    at(
        format!(
            "{{\"settings\": [\n{{{ID}, \"choiceSettingValue\": {{\"children\": [{children}]}}}}]}}"
        ),
        2,
        1,
        "over 256 settings",
    );
}

#[test]
fn entities_and_document_types_are_refused() {
    let bomb = "<?xml version=\"1.0\"?>\n<!DOCTYPE lolz [\n<!ENTITY a \"aaaaaaaa\">\n<!ENTITY b \
                \"&a;&a;&a;&a;\">\n]>\n<SyncML>&b;</SyncML>";
    at(bomb, 2, 1, "document type");
    at("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", 1, 1, "document type");
    let error = refused(syncml("<Add>&unknown;</Add>"));
    assert_eq!(error.line, 3, "{error}");
}

#[test]
fn odd_syncml_is_refused_with_the_position() {
    at("<Move/>", 1, 1, "the element \"Move\"");
    at(
        syncml("<Move><LocURI> ./Vendor/MSFT/LAPS/x</LocURI></Move>"),
        3,
        1,
        "the element \"Move\" with a node of LAPS",
    );
    at(syncml("<Add>a</Add>"), 3, 6, "text where only elements");
    at("<SyncML xmlns=\"http://www.w3.org/1999/xhtml\"/>", 1, 1, "the namespace is");
    at(syncml("<Add/>"), 3, 1, "without an Item");
    at(syncml("<Add><Item/></Add>"), 3, 6, "without Target");
    at(syncml("<Add><Item><Target/></Item></Add>"), 3, 12, "without LocURI");
    at(
        syncml("<Get><Item><Target><LocURI>./a</LocURI></Target></Item></Get>"),
        0,
        0,
        "no command about",
    );
    let item = |inside: &str| {
        syncml(&format!(
            "<Add><Item><Target><LocURI>./Device/Vendor/MSFT/LAPS/{inside}</Item></Add>"
        ))
    };
    at(item("Nothing</LocURI></Target>"), 3, 6, "no such command");
    at(
        item("Policies/PasswordLength</LocURI></Target><Meta><Format>float</Format></Meta>"),
        3,
        101,
        "\"float\"",
    );
    at(
        item("Policies/PasswordLength</LocURI></Target><Data>1</Data><Data>2</Data>"),
        3,
        109,
        "a second \"Data\"",
    );
    at(item("Policies/PasswordLength</LocURI></Target><Data><b/></Data>"), 3, 101, "only text");
    at("<?xml version=\"1.0\" encoding=\"windows-1252\"?><a/>", 1, 1, "windows-1252");
    at("<SyncML>\n<SyncBody></SyncML>", 2, 11, "not an XML document");
}

#[test]
fn odd_registry_exports_are_refused_with_the_line() {
    let reg = |lines: &str| {
        format!(
            "Windows Registry Editor Version \
             5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Policies\\LAPS]\r\n{lines}"
        )
    };
    at(
        reg("\"PasswordLength\"=dword:0000000e\r\n\"passwordlength\"=dword:0000000f"),
        5,
        1,
        "twice",
    );
    at(reg("\"PasswordLength\"=dword:"), 4, 1, "eight hexadecimal digits");
    at(reg("\"PasswordLength\"=dword:+000000e"), 4, 1, "eight hexadecimal digits");
    at(reg("\"PasswordLength\"=dword:00000000e"), 4, 1, "eight hexadecimal digits");
    at(reg("[-HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n\"a\"=\"b\""), 5, 1, "the document deletes");
    at(reg("Windows Registry Editor Version 5.00"), 4, 1, "a second document");
    at("REGEDIT4\n\"BackupDirectory\"=dword:1", 2, 1, "before the first [key]");
    at(reg("[HKEY_LOCAL_MACHINE"), 4, 1, "closing bracket");
    at(reg("\"a\"=\"b"), 4, 1, "quote");
    at(reg("\"a\"=\"b\\n\""), 4, 1, "backslash");
    at(reg("\"a\"=qword:1"), 4, 1, "neither text");
    at(reg("PasswordLength=14"), 4, 1, "neither a [key]");
    at("REGEDIT4\n[HKEY_CURRENT_USER\\x]\n", 0, 0, "without a key of LAPS");
}

#[test]
fn odd_exports_of_intune_are_refused() {
    at("{\"settings\": 1}", 1, 14, "not a list");
    at("{\"settings\": [1]}", 1, 15, "setting instances");
    at("{\"settings\": [{}]}", 1, 15, "settingDefinitionId");
    at("{\"settings\": []}", 1, 1, "without a LAPS setting");
    at("{\"@odata.context\": \"x\"}", 1, 1, "$expand=settings");
    at(
        "{\"settings\": [{\"settingDefinitionId\": \"device_vendor_msft_bitlocker\"}]}",
        1,
        1,
        "without a LAPS setting",
    );
}

proptest! {
    #[test]
    fn any_bytes_give_documents_or_errors(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes);
    }

    #[test]
    fn anything_like_json_gives_policies_in_range_or_findings(
        text in concat!(
            r#"\{("(BackupDirectory|Password(Length|AgeDays|Complexity)|PassphraseLength|"#,
            r#"PostAuthentication(Actions|ResetDelay)|ADEncryptedPasswordHistorySize|"#,
            r#"AdministratorAccountName|Other)":"#,
            r#"(-?[0-9]{1,3}|"[0-9]{0,3}[hm]?"|true|null|\[\]),?){0,6}\}"#,
        ),
    ) {
        check(text.as_bytes());
    }

    #[test]
    fn changed_vectors_give_policies_in_range_or_findings(
        name in proptest::sample::select(vec![
            "intune-entra.json", "csp-entra.xml", "gpo.reg", "legacy.reg",
        ]),
        places in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/policy");
        let mut bytes = std::fs::read(folder.join(name)).unwrap();
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        check(&bytes);
    }
}

/// The effective policy never holds a value out of range, and says where every value comes from.
fn check(bytes: &[u8]) {
    use laps_core::policy::{Setting, Settings};
    let Ok(document) = read(bytes, "any") else { return };
    let evaluation = evaluate(&[document]);
    assert_eq!(evaluation.policy.is_none(), evaluation.has_errors());
    if let Some(policy) = evaluation.policy {
        let mut settings = Settings::new();
        for setting in Setting::ALL {
            settings.set(setting, policy.value(setting)).unwrap();
        }
        assert_eq!(settings.policy(), Ok(policy));
        assert_eq!(evaluation.settings.len(), Setting::ALL.len());
    }
}
