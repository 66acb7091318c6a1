//! A vault behind HTTP, as a product would embed it. It holds no reader's key: devices check in through it, administrators get
//! sealed records from it, and their own machines open those (`laps open`).
//!
//! ```text
//! cargo run -p laps-host --example http_service -- fleet.vault callers.json 127.0.0.1:8080
//! ```
//!
//! | request | who | answer |
//! |---|---|---|
//! | `POST /check-in`, the message | a device | the answer's bytes |
//! | `POST /disclose/DEVICE`, `{"reason", "history", "rotate_after"}` | an administrator | what `laps disclose --json` prints |
//! | `POST /outcome/ENTRY`, `{"reason", "opened"}` | an administrator | `{"head"}` |
//! | `POST /rotate/DEVICE`, `{"reason"}` | an administrator | `{"entry", "head"}` |
//!
//! Who is calling is your business, not the vault's: here each caller has a bearer token, whose SHA-256 stands in `callers.json`
//! (`{"devices": {NAME: BASE64}, "administrators": {NAME: BASE64}}`). A product has certificates or its own sessions, and speaks TLS.

#![expect(
    clippy::std_instead_of_alloc,
    clippy::indexing_slicing,
    reason = "an example, written as most programs are; JSON that has no such field gives null"
)]

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use base64ct::{Base64, Encoding as _};
use ctutils::CtEq as _;
use laps_core::identity::Scope;
use laps_core::vault::{DiscloseOptions, Request, Selection, Vault, VaultError};
use laps_host::sqlite::SqliteStore;
use laps_host::time::{now, rfc3339};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A check-in is at most this long: a head of 2 KiB and sixteen records of 32 KiB.
const LARGEST: usize = 2_048 + 16 * (32_768 + 8);

/// The vault, and the SHA-256 of every caller's token.
pub(crate) struct Service {
    pub(crate) vault: Vault<SqliteStore>,
    pub(crate) devices: HashMap<String, [u8; 32]>,
    pub(crate) administrators: HashMap<String, [u8; 32]>,
}

type Shared = State<Arc<Service>>;
type Asked<T> = (Shared, Path<T>, HeaderMap, Bytes);
type Answer = Result<String, Refusal>;

/// What is answered instead of a result: a status and a line of text.
type Refusal = (StatusCode, String);

fn refuse(error: VaultError) -> Refusal {
    let status = match error.code().as_u16() {
        6 => StatusCode::NOT_FOUND,
        1..64 | 96 | 97 | 102 => StatusCode::BAD_REQUEST, // the call, the record or the message
        103 | 132 => StatusCode::FORBIDDEN,               // another device's name; the file
        130 => StatusCode::SERVICE_UNAVAILABLE,           // busy
        133 => StatusCode::INSUFFICIENT_STORAGE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, error.to_string())
}

/// The caller whose token this is. Every token is compared, each in constant time: how long it takes tells nothing.
fn caller(known: &HashMap<String, [u8; 32]>, headers: &HeaderMap) -> Result<String, Refusal> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let given: [u8; 32] = Sha256::digest(token.as_bytes()).into();
    let mut found = None;
    for (name, expected) in known {
        if given.ct_eq(expected).to_bool() {
            found = Some(name.clone());
        }
    }
    found.ok_or_else(|| (StatusCode::UNAUTHORIZED, "no such bearer token".to_owned()))
}

/// Runs a call of the vault, which waits for the disk, beside the threads that serve.
async fn work<T: Send + 'static>(
    service: Arc<Service>,
    call: impl FnOnce(&Vault<SqliteStore>) -> Result<T, VaultError> + Send + 'static,
) -> Result<T, Refusal> {
    let failed = |_| (StatusCode::INTERNAL_SERVER_ERROR, "the call ended early".to_owned());
    let done = tokio::task::spawn_blocking(move || call(&service.vault)).await.map_err(failed)?;
    done.map_err(refuse)
}

/// Runs a call for an administrator, whose document says why.
async fn administer(
    service: Arc<Service>,
    headers: &HeaderMap,
    body: &[u8],
    call: impl FnOnce(&Vault<SqliteStore>, &Request<'_>, &Value) -> Result<Value, VaultError>
    + Send
    + 'static,
) -> Result<String, Refusal> {
    let actor = caller(&service.administrators, headers)?;
    let asked: Value = serde_json::from_slice(body)
        .map_err(|error| (StatusCode::BAD_REQUEST, format!("not JSON: {error}")))?;
    let done = work(service, move |vault| {
        let reason = asked["reason"].as_str().unwrap_or_default();
        call(vault, &Request::new(&actor, reason).with_context("http_service"), &asked)
    });
    Ok(done.await?.to_string())
}

async fn check_in(
    State(service): Shared,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Vec<u8>, Refusal> {
    // The vault compares this name with the one in the message and in every record.
    let device = caller(&service.devices, &headers)?;
    work(service, move |vault| vault.check_in(&Scope::EMPTY, &device, &body, now())).await
}

async fn disclose((State(service), Path(device), headers, body): Asked<String>) -> Answer {
    administer(service, &headers, &body, move |vault, request, asked| {
        let mut options = DiscloseOptions::default();
        options.history = asked["history"].as_bool().unwrap_or(false);
        // Without it as the vault's setting says. A number of another kind must not be taken for none.
        if !asked["rotate_after"].is_null() {
            let seconds = asked["rotate_after"].as_u64().ok_or(VaultError::InvalidArgument(
                "rotate_after is not a whole number of seconds",
            ))?;
            options = options.with_rotation_after(seconds);
        }
        // When this answers, the entry in the audit trail is on the disk.
        let found = vault.disclose(&Scope::EMPTY, &device, request, options, now())?;
        let candidates = found.candidates.iter().map(|candidate| {
            json!({"record": candidate.record.to_string(), "version": candidate.version,
                "state": candidate.state.as_str(), "updated": rfc3339(candidate.updated),
                "sealed": Base64::encode_string(&candidate.sealed)})
        });
        let candidates: Vec<Value> = candidates.collect();
        let damaged: Vec<String> = found.damaged.iter().map(ToString::to_string).collect();
        Ok(json!({"device": found.device.to_string(), "account": found.account.to_string(), "damaged": damaged,
            "entry": found.entry, "head": found.head.to_string(), "candidates": candidates}))
    })
    .await
}

async fn outcome((State(service), Path(entry), headers, body): Asked<u64>) -> Answer {
    administer(service, &headers, &body, move |vault, request, asked| {
        let opened = asked["opened"]
            .as_bool()
            .ok_or(VaultError::InvalidArgument("opened is neither true nor false"))?;
        let head = vault.record_outcome(&Scope::EMPTY, entry, opened, &[], request, now())?;
        Ok(json!({"head": head.to_string()}))
    })
    .await
}

async fn rotate((State(service), Path(device), headers, body): Asked<String>) -> Answer {
    administer(service, &headers, &body, move |vault, request, _| {
        let devices = Selection::Devices(&[&device]);
        let ordered = vault.order_rotation(&Scope::EMPTY, devices, request, now())?;
        Ok(json!({"entry": ordered.entry, "head": ordered.head.to_string()}))
    })
    .await
}

/// The service, to be served by itself or as a part of another one.
pub(crate) fn router(service: Service) -> Router {
    Router::new()
        .route("/check-in", post(check_in))
        .route("/disclose/{device}", post(disclose))
        .route("/outcome/{entry}", post(outcome))
        .route("/rotate/{device}", post(rotate))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(Arc::new(service))
}

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [vault, callers, address] = arguments.as_slice() else {
        return Err("usage: http_service VAULT CALLERS.json ADDRESS:PORT".into());
    };
    let callers: Value = serde_json::from_str(&std::fs::read_to_string(callers)?)?;
    let service = Service {
        vault: Vault::from_system(SqliteStore::open(vault)?),
        devices: tokens(&callers["devices"])?,
        administrators: tokens(&callers["administrators"])?,
    };
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        println!("listening on {}", listener.local_addr()?);
        Ok(axum::serve(listener, router(service)).await?)
    })
}

fn tokens(callers: &Value) -> Result<HashMap<String, [u8; 32]>, String> {
    let callers =
        callers.as_object().ok_or("callers.json: devices or administrators is missing")?;
    let hash = |(name, text): (&String, &Value)| {
        let bytes = Base64::decode_vec(text.as_str().unwrap_or_default()).unwrap_or_default();
        let wrong = |_| format!("callers.json: {name}: the Base64 of 32 bytes is accepted");
        Ok((name.clone(), bytes.try_into().map_err(wrong)?))
    };
    callers.iter().map(hash).collect()
}
