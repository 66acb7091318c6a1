//! `include/laps.h` is what the sources say, and the sources map every code of the core.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test; its helpers too")]

use core::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use laps_core::error::Code;

#[path = "header/csharp.rs"]
mod csharp;

/// The sources in the order in which the header shows them.
const SOURCES: &[&str] = &[
    "version",
    "status",
    "password",
    "evaluation",
    "policy",
    "recipe",
    "violations",
    "generator",
    "reader",
    "signer",
    "reader_set",
    "header",
    "record",
    "accounts",
    "config",
    "rotation",
    "rotation/events",
    "event",
    "agent/channel",
    "agent/store",
    "agent/options",
    "agent",
    "agent/account_store",
    "bytes",
    "reader_key",
    "signer_key",
    "vault",
    "vault/disclosure",
    "rows",
    "metadata",
    "vault/check_ins",
    "vault/orders",
    "vault/devices",
    "vault/readers",
    "vault/resealing",
    "vault/lifecycle",
    "vault/audit",
    "vault/observed",
    "vault/copies",
    "vault/external",
    "vault/watched",
    "vault/receipt",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn the_committed_header_is_what_the_sources_say() {
    let made = header();
    let path = folder().join("include/laps.h");
    if std::env::var_os("LAPS_WRITE_HEADER").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        made == committed,
        "{} is not what ffi/src says: run `LAPS_WRITE_HEADER=1 cargo test -p laps-ffi --test \
         header`",
        path.display()
    );
}

#[test]
fn the_committed_list_of_symbols_is_what_the_header_declares() {
    let header = header();
    let mut full = false;
    let mut names = Vec::new();
    for line in header.lines() {
        match line {
            "#if defined(LAPS_FULL)" => full = true,
            "#endif" => full = false,
            _ => {}
        }
        let word = line.split('(').next().unwrap().split([' ', '*']).next_back().unwrap();
        if word.starts_with("laps_") && line.contains('(') && !line.starts_with([' ', '/']) {
            names.push(format!("{word}{}", if full { " full" } else { "" }));
        }
    }
    names.sort();
    let made = format!(
        "# What the libraries export; \"full\" only in the full build. Made from the header by \
         tests/header.rs.\n{}\n",
        names.join("\n")
    );
    let path = folder().join("symbols.txt");
    if std::env::var_os("LAPS_WRITE_HEADER").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), made, "{}", path.display());
}

#[test]
fn the_wrapper_in_csharp_has_every_call_and_class() {
    let header = header();
    let path = folder().join("csharp/Laps.cs");
    let committed = fs::read_to_string(&path).unwrap();
    let made = csharp::renew(&committed, &header);
    if std::env::var_os("LAPS_WRITE_HEADER").is_some() {
        fs::write(&path, &made).unwrap();
    } else {
        assert!(
            made == committed,
            "{} is not what the header says: run `LAPS_WRITE_HEADER=1 cargo test -p laps-ffi \
             --test header`",
            path.display()
        );
    }
    assert_eq!(csharp::classes_are_missing(&made, &header), [""; 0], "without a class");
    let symbols = fs::read_to_string(folder().join("symbols.txt")).unwrap();
    let names = symbols.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<_> = names.map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(csharp::calls_are_missing(&made, &names), [""; 0], "without a wrapper");
}

#[test]
fn every_source_file_is_in_the_header_or_holds_nothing_for_it() {
    let source = folder().join("src");
    let mut paths = vec![source.clone()];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let exports = text.contains("#[unsafe(no_mangle)]") || text.contains("\npub type laps_");
        let name = path.strip_prefix(&source).unwrap().with_extension("");
        let name = name.to_str().unwrap().replace('\\', "/");
        if ["backtrace", "test_panic"].contains(&name.as_str()) {
            continue; // not for users
        }
        assert_eq!(exports, SOURCES.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn every_code_has_its_constant_and_its_line() {
    let header = header();
    for code in Code::ALL {
        let line = format!("    LAPS_STATUS_{} = {},", screaming(code.name()), code.as_u16());
        assert_eq!(header.lines().filter(|l| l.starts_with(&line)).count(), 1, "{line}");
    }
}

fn header() -> String {
    let mut config = cbindgen::Config::from_file(folder().join("cbindgen.toml")).unwrap();
    config.after_includes.get_or_insert_default().push_str(&constants());
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(folder().join(format!("src/{source}.rs")));
    }
    let mut bytes = Vec::new();
    builder.generate().unwrap().write(&mut bytes);
    // Comments that a C90 compiler reads too.
    String::from_utf8(bytes)
        .unwrap()
        .replace("// __cplusplus", "/* __cplusplus */")
        .replace("// extern \"C\"", "/* extern \"C\" */")
}

/// What is not in the sources of this crate: the version, limits, and the status codes from the
/// core's one list.
fn constants() -> String {
    let mut text = String::new();
    let version = env!("CARGO_PKG_VERSION");
    let (major, minor, patch) = (
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    );
    write!(
        text,
        "
/* The version of this header. */
#define LAPS_VERSION \"{version}\"
#define LAPS_VERSION_MAJOR {major}
#define LAPS_VERSION_MINOR {minor}
#define LAPS_VERSION_PATCH {patch}
#define LAPS_VERSION_NUMBER ((LAPS_VERSION_MAJOR << 16) | (LAPS_VERSION_MINOR << 8) | \
         LAPS_VERSION_PATCH)

/* The longest password in bytes of UTF-8. */
#define LAPS_PASSWORD_MAX_LEN {}

/* The suites of readers: X-Wing (ML-KEM-768 and X25519), the default; X25519 alone. */
#define LAPS_SUITE_X_WING {}
#define LAPS_SUITE_X25519 {}

enum {{
    LAPS_STATUS_OK = 0,
",
        laps_core::secret::Password::MAX_LEN,
        laps_core::seal::Suite::XWing.as_u16(),
        laps_core::seal::Suite::X25519.as_u16(),
    )
    .unwrap();
    let mut band = "";
    for code in Code::ALL {
        let this = match code.as_u16() {
            1..=63 => "1 to 63: the call is wrong",
            64..=95 => "64 to 95: the policy or the recipe is wrong",
            96..=127 => "96 to 127: the data is not ours, is damaged, or is for another key",
            128..=159 => "128 to 159: the machine",
            _ => "240 to 255: a bug in this library",
        };
        if this != band {
            writeln!(text, "    /* {this} */").unwrap();
            band = this;
        }
        let (name, number) = (screaming(code.name()), code.as_u16());
        writeln!(text, "    LAPS_STATUS_{name} = {number}, /* {} */", code.message()).unwrap();
    }
    text.push_str("};\n");
    text
}

/// `BufferTooSmall` as `BUFFER_TOO_SMALL`.
fn screaming(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(c.to_ascii_uppercase());
    }
    text
}
