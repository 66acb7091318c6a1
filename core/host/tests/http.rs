//! The example of a vault behind HTTP, run for real: an agent rotates through it, an
//! administrator's machine opens what it discloses, and whoever is not who they say gets nothing.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; the example is a program"
)]

#[path = "../examples/http_service.rs"]
#[expect(dead_code, reason = "its main is not run here")]
mod http_service;

extern crate alloc;

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread::JoinHandle;
use std::time::Instant;

use base64ct::{Base64, Encoding as _};
use laps_core::error::Code;
use laps_core::identity::Scope;
use laps_core::vault::audit::Action;
use laps_host::agent::channel::ChannelError;
use laps_host::agent::{Agent, RunOutcome};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use http_service::{Callers, PATIENCE, Service};
use laps_testkit::bench::{Bench, DEVICE};

/// Serves a vault at a free port of this machine until the process ends.
fn serve(bench: &Bench) -> SocketAddr {
    serve_with(bench, PATIENCE).0
}

/// Where it serves, and the thread that does as long as it serves.
fn serve_with(bench: &Bench, patience: Duration) -> (SocketAddr, JoinHandle<()>) {
    let hash = |token: &str| -> [u8; 32] { Sha256::digest(token).into() };
    let known = |callers: &[(&str, &str)]| {
        Callers::new(callers.iter().map(|(name, token)| ((*name).to_owned(), hash(token))))
    };
    let service = Service {
        vault: bench.vault(),
        devices: known(&[(DEVICE, "token-1"), ("pc-2", "token-2")]),
        administrators: known(&[("anna", "token-a")]),
        lost: Notify::new(),
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let serving = std::thread::spawn(move || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
            .block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                http_service::serve(listener, Arc::new(service), patience).await;
            });
    });
    (address, serving)
}

/// One request; status and body.
fn post(address: SocketAddr, path: &str, token: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: vault\r\nAuthorization: Bearer {token}\r\nContent-Length: \
         {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // A server that refuses early may close before it has read everything.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = core::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
    (status, answer[end + 4..].to_vec())
}

fn ask(address: SocketAddr, path: &str, token: &str, document: &Value) -> (u16, Value) {
    let (status, body) = post(address, path, token, document.to_string().as_bytes());
    let text = String::from_utf8(body).unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// An agent whose check-ins go through HTTP.
fn agent(bench: &Bench, address: SocketAddr, token: &'static str) -> Agent {
    let channel = move |check_in: &[u8]| match post(address, "/check-in", token, check_in) {
        (200, answer) => Ok(answer),
        (status, text) => Err(ChannelError::unreachable(format!(
            "status {status}: {}",
            String::from_utf8_lossy(&text)
        ))),
    };
    let sink = Box::new(|_: &laps_host::agent::event::AgentEvent| {});
    Agent::open(bench.options(), Box::new(bench.store()), Box::new(channel), sink).unwrap()
}

/// What an administrator's machine, which has the key, makes of a disclosure.
fn opened(bench: &Bench, disclosure: &Value) -> Vec<String> {
    let candidates = disclosure["candidates"].as_array().unwrap();
    let sealed =
        |candidate: &Value| Base64::decode_vec(candidate["sealed"].as_str().unwrap()).unwrap();
    candidates.iter().map(|candidate| bench.open(&sealed(candidate))).collect()
}

#[test]
fn an_agent_rotates_through_it_and_an_administrator_opens_what_it_discloses() {
    let bench = Bench::new();
    let address = serve(&bench);
    assert_eq!(agent(&bench, address, "token-1").run_once(false).unwrap(), RunOutcome::Committed);
    let why = json!({"reason": "ticket 4711", "rotate_after": 0});
    let (status, disclosed) = ask(address, "/disclose/pc-1", "token-a", &why);
    assert_eq!(status, 200, "{disclosed}");
    assert_eq!((&disclosed["device"], &disclosed["account"]), (&json!(DEVICE), &json!("Admin")));
    assert_eq!(disclosed["candidates"][0]["state"], "current");
    let first = bench.held();
    assert_eq!(opened(&bench, &disclosed), core::slice::from_ref(&first));
    // What the vault keeps and what goes over the wire opens nothing by itself.
    assert!(!disclosed.to_string().contains(&first));

    let entry = disclosed["entry"].as_u64().unwrap();
    let told = json!({"reason": "ticket 4711", "opened": true});
    assert_eq!(ask(address, &format!("/outcome/{entry}"), "token-a", &told).0, 200);
    assert_eq!(ask(address, "/outcome/1000", "token-a", &told).0, 404);

    // The order that came with the disclosure, then one by itself.
    assert_eq!(agent(&bench, address, "token-1").run_once(false).unwrap(), RunOutcome::Committed);
    let second = bench.held();
    assert_ne!(second, first);
    assert_eq!(ask(address, "/rotate/pc-1", "token-a", &json!({"reason": "left the firm"})).0, 200);
    // An order for a password that was itself made on an order waits; a person at the device need
    // not.
    let waits = agent(&bench, address, "token-1").run_once(false).unwrap();
    assert_eq!((waits, bench.held()), (RunOutcome::NotCommitted, second.clone()));
    assert_eq!(agent(&bench, address, "token-1").run_once(true).unwrap(), RunOutcome::Committed);
    assert_ne!(bench.held(), second);
    let (_, history) =
        ask(address, "/disclose/pc-1", "token-a", &json!({"reason": "restore", "history": true}));
    assert_eq!(opened(&bench, &history), [bench.held(), second, first]);

    let entries = bench.vault().audit_entries(&Scope::EMPTY, 0, 100).unwrap();
    let entry = entries[usize::try_from(entry).unwrap() - 1].entry.clone().unwrap();
    assert_eq!((entry.action, entry.actor.as_str()), (Action::Disclosed, "anna"));
    assert_eq!(entry.caller, "anna");
    assert_eq!((entry.reason.as_str(), entry.context.as_str()), ("ticket 4711", "http_service"));
}

#[test]
fn whoever_is_not_who_they_say_gets_nothing() {
    let bench = Bench::new();
    let address = serve(&bench);
    agent(&bench, address, "token-1").run_once(false).unwrap();
    let why = json!({"reason": "ticket 4711"});
    let length = || bench.vault().audit_head(&Scope::EMPTY).unwrap().length;
    let before = length();
    for token in ["", "token", "token-1", "token-A", "token-aa"] {
        for path in ["/disclose/pc-1", "/rotate/pc-1", "/outcome/1"] {
            let (status, text) = ask(address, path, token, &why);
            assert_eq!(
                (status, text.as_str()),
                (401, Some("no such bearer token")),
                "{path} {token}"
            );
        }
    }
    for token in ["", "token-a", "token-3"] {
        assert_eq!(post(address, "/check-in", token, b"").0, 401);
    }
    assert_eq!(length(), before, "nobody asked the vault anything");

    // Another device's token: its messages are refused, and the audit log says so.
    let stolen = agent(&bench, address, "token-2").run_once(true);
    assert!(!matches!(stolen, Ok(RunOutcome::Committed)), "{stolen:?}");
    let entries = bench.vault().audit_entries(&Scope::EMPTY, before, 10).unwrap();
    let entry = entries[0].entry.as_ref().unwrap();
    assert_eq!((entry.action, entry.actor.as_str()), (Action::WrongDevice, "pc-2"));

    // An administrator who asks wrongly.
    for (path, document, status) in [
        ("/disclose/pc-1", json!({"reason": " "}), 400),
        ("/disclose/pc-1", json!("why"), 400),
        ("/disclose/pc-9", why.clone(), 404),
        ("/rotate/pc-9", why, 404),
    ] {
        let (found, text) = ask(address, path, "token-a", &document);
        assert_eq!(found, status, "{path}: {text}");
    }
    assert_eq!(post(address, "/disclose/pc-1", "token-a", b"{").0, 400);
    assert_eq!(post(address, "/check-in", "token-1", &[7; 100]).0, 400);
    assert_eq!(post(address, "/check-in", "token-1", &vec![7; 1 << 20]).0, 413);
    let code = bench.vault().show(&Scope::EMPTY, "pc-2").unwrap_err().code();
    assert_eq!(code, Code::NotFound);
}

/// What a connection answers to these bytes, until it is closed; and how long that took.
fn raw(address: SocketAddr, sent: &str) -> (String, Duration) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(sent.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    (String::from_utf8(answer).unwrap(), begun.elapsed())
}

fn head(path: &str, token: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: vault\r\nAuthorization: Bearer {token}\r\nContent-Length: \
         {length}\r\n\r\n"
    )
}

#[test]
fn nobodys_body_is_waited_for_and_nobody_waits_for_ever() {
    let bench = Bench::new();
    // Nothing of these bodies is ever sent.
    let address = serve(&bench);
    for path in ["/check-in", "/disclose/pc-1", "/outcome/1", "/rotate/pc-1"] {
        let (answer, took) = raw(address, &head(path, "token-x", 500_000));
        assert!(answer.starts_with("HTTP/1.1 401 "), "{path}: {answer}");
        assert!(took < PATIENCE / 2, "{path}: {took:?}");
    }
    let too_long = head("/disclose/pc-1", "token-a", 500_000);
    assert!(raw(address, &too_long).0.starts_with("HTTP/1.1 413 "));

    let patience = Duration::from_millis(300);
    let (address, _) = serve_with(&bench, patience);
    for sent in [
        head("/check-in", "token-1", 500_000),
        head("/disclose/pc-1", "token-a", 100),
        "POST /check-in HTTP/1.1\r\nHost: va".to_owned(),
        String::new(),
    ] {
        let (answer, took) = raw(address, &sent);
        assert!(!answer.contains(" 200 ") && took >= patience, "{sent}: {answer} {took:?}");
    }
    // Two requests through one connection: the first one is answered, and that is all.
    let twice = head("/check-in", "token-x", 0).repeat(2);
    assert_eq!(raw(address, &twice).0.matches("HTTP/1.1").count(), 1);
}

#[test]
fn a_document_of_another_shape_is_refused_with_a_sentence() {
    let bench = Bench::new();
    let address = serve(&bench);
    agent(&bench, address, "token-1").run_once(false).unwrap();
    let before = bench.vault().audit_head(&Scope::EMPTY).unwrap().length;
    for (path, document, said) in [
        ("/disclose/pc-1", json!({"reason": "r", "rotate_after": "1h"}), "expected u64"),
        ("/disclose/pc-1", json!({"reason": "r", "rotate_after": -1}), "expected u64"),
        ("/disclose/pc-1", json!({"reason": "r", "history": "yes"}), "expected a boolean"),
        ("/disclose/pc-1", json!({"reason": 7}), "expected a string"),
        ("/disclose/pc-1", json!({"reason": "r", "rotateAfter": 1}), "unknown field"),
        ("/disclose/pc-1", json!({}), "missing field `reason`"),
        ("/outcome/1", json!({"reason": "r"}), "missing field `opened`"),
        ("/outcome/1", json!({"reason": "r", "opened": null}), "expected a boolean"),
        ("/rotate/pc-1", json!({"reason": "r", "devices": []}), "unknown field"),
    ] {
        let (status, text) = ask(address, path, "token-a", &document);
        assert_eq!(status, 400, "{path} {document}: {text}");
        assert!(text.as_str().unwrap().contains(said), "{path} {document}: {text}");
    }
    let after = bench.vault().audit_head(&Scope::EMPTY).unwrap().length;
    assert_eq!(after, before, "nobody asked the vault anything");
}

#[test]
fn a_service_that_lost_its_vault_says_so_without_a_path_and_ends() {
    for what in ["/disclose/pc-1", "/rotate/pc-1"] {
        let bench = Bench::new();
        let (address, serving) = serve_with(&bench, PATIENCE);
        agent(&bench, address, "token-1").run_once(false).unwrap();
        let path = bench.path("vault");
        std::fs::rename(&path, path.with_extension("gone")).unwrap();
        let (status, answer) = post(address, what, "token-a", br#"{"reason": "r"}"#);
        let text = String::from_utf8(answer).unwrap();
        assert_eq!((status, text.as_str()), (503, Code::Unreachable.message()), "{what}");
        serving.join().unwrap();
    }
}
