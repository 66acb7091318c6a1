//! A vault behind HTTP, as a product would embed it. It holds no reader's key: devices check in
//! through it, administrators get sealed records from it, and their own machines open those (`laps
//! open`).
//!
//! ```text
//! cargo run -p laps-host --example http_service -- fleet.vault callers.json 127.0.0.1:8080
//! ```
//!
//! | request | who | answer |
//! |---|---|---|
//! | `POST /check-in`, the message | a device | the answer's bytes |
//! | `POST /disclose/DEVICE`, a document | an administrator | what `laps disclose --json` prints |
//! | `POST /outcome/ENTRY`, `{"reason", "opened"}` | an administrator | `{"head"}` |
//! | `POST /rotate/DEVICE`, `{"reason"}` | an administrator | `{"entry", "head"}` |
//!
//! The document of a disclosure is `{"reason", "history", "rotate_after"}`. `history` and
//! `rotate_after`, in seconds, may be left out; nothing else may, and nothing else may be there.
//!
//! Who is calling is your business, not the vault's: here each caller has a bearer token, whose
//! SHA-256 stands in `callers.json` (`{"devices": {NAME: BASE64}, "administrators": {NAME:
//! BASE64}}`). A product has certificates or its own sessions, and speaks TLS.
//!
//! What a service on a network must do, and this one does:
//!
//! * Nobody's body is read before it is known who sends it, and none beyond what a message or a
//!   document can be.
//! * A connection has one request, a time in which to send it and take the answer, and one of a
//!   limited number of places.
//! * A document of another shape is refused with a sentence that says what is wrong, never taken
//!   for one that says nothing.
//! * What the machine says (paths, the disk) is for the server's own log. A caller is told the kind
//!   of error.
//! * Where the vault's file was removed, replaced or cut under the service, its handle answers
//!   nothing more: the service ends with status 1, and whoever runs it starts it again.

#![expect(clippy::std_instead_of_alloc, reason = "an example, written as most programs are")]

use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Bytes, HttpBody as _};
use axum::extract::{
    DefaultBodyLimit, FromRequest, FromRequestParts, Path, Request as HttpRequest, State,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use base64ct::{Base64, Encoding as _};
use ctutils::CtEq as _;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use laps_core::error::Code;
use laps_core::identity::Scope;
use laps_core::vault::{DiscloseOptions, Request, Selection, Vault, VaultError};
use laps_host::sqlite::SqliteStore;
use laps_host::time::{now, rfc3339};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};

/// A check-in is at most this long: a head of 2 KiB and sixteen records of 32 KiB.
const LARGEST_CHECK_IN: usize = 2_048 + 16 * (32_768 + 8);
/// A document of an administrator: a reason of 1 KiB, which JSON may write in six bytes for one,
/// and some names.
const LARGEST_DOCUMENT: usize = 8_192;
/// How long a request may take, from the connection to the last byte of the answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Connections at the same time. Others wait.
const PLACES: usize = 256;

/// The vault, and who may ask it.
pub(crate) struct Service {
    pub(crate) vault: Vault<SqliteStore>,
    pub(crate) devices: Callers,
    pub(crate) administrators: Callers,
    /// Told when the vault answers nothing more.
    pub(crate) lost: Notify,
}

/// Callers by the SHA-256 of their tokens: one look, by its first half, and one comparison of the
/// whole in constant time. How long that takes tells nothing of a token, however many there are.
pub(crate) struct Callers(HashMap<[u8; 16], ([u8; 32], String)>);

impl Callers {
    /// From names and hashes.
    pub(crate) fn new(known: impl IntoIterator<Item = (String, [u8; 32])>) -> Self {
        Self(known.into_iter().map(|(name, hash)| (first_half(&hash), (hash, name))).collect())
    }

    fn find(&self, headers: &HeaderMap) -> Result<String, Refusal> {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let given: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        self.0
            .get(&first_half(&given))
            .filter(|(hash, _)| given.ct_eq(hash).to_bool())
            .map(|(_, name)| name.clone())
            .ok_or_else(|| (StatusCode::UNAUTHORIZED, "no such bearer token".to_owned()))
    }
}

fn first_half(hash: &[u8; 32]) -> [u8; 16] {
    hash.first_chunk().copied().unwrap_or_default()
}

type Shared = State<Arc<Service>>;
type Answer = Result<String, Refusal>;

/// What is answered instead of a result: a status and a line of text.
type Refusal = (StatusCode, String);

fn refuse(error: VaultError) -> Refusal {
    let status = match error.code().as_u16() {
        6 => StatusCode::NOT_FOUND,
        1..64 | 96 | 97 | 102 => StatusCode::BAD_REQUEST, // the call, the record or the message
        103 => StatusCode::FORBIDDEN,                     // another device's name
        130 | 136 => StatusCode::SERVICE_UNAVAILABLE,     // busy, or lost
        133 => StatusCode::INSUFFICIENT_STORAGE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let ours = matches!(
        error,
        VaultError::Store(_) | VaultError::Internal(_) | VaultError::Damaged { .. }
    );
    if !ours {
        return (status, error.to_string());
    }
    eprintln!("{error}");
    // "Not found" of the machine is no answer to what was asked.
    let status = if status.is_client_error() { StatusCode::INTERNAL_SERVER_ERROR } else { status };
    (status, error.code().message().to_owned())
}

/// A device that was authenticated. As a part of the head, it is known before anything is read of
/// the body.
struct Device(String);

impl FromRequestParts<Arc<Service>> for Device {
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, Refusal> {
        service.devices.find(&parts.headers).map(Self)
    }
}

/// An administrator who was authenticated.
struct Administrator(String);

impl FromRequestParts<Arc<Service>> for Administrator {
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, Refusal> {
        service.administrators.find(&parts.headers).map(Self)
    }
}

/// A body of at most this length. One that says that it is longer is refused before it is sent.
struct Body<const MOST: usize>(Bytes);

impl<const MOST: usize> FromRequest<Arc<Service>> for Body<MOST> {
    type Rejection = Refusal;

    async fn from_request(request: HttpRequest, service: &Arc<Service>) -> Result<Self, Refusal> {
        if usize::try_from(request.body().size_hint().lower()).is_ok_and(|length| length <= MOST) {
            let body = Bytes::from_request(request, service).await;
            body.map(Self).map_err(|refused| (refused.status(), refused.body_text()))
        } else {
            Err((StatusCode::PAYLOAD_TOO_LARGE, format!("at most {MOST} bytes are accepted")))
        }
    }
}

/// The document of a request.
struct RequestBody<T>(T);

impl<T: DeserializeOwned> FromRequest<Arc<Service>> for RequestBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: HttpRequest, service: &Arc<Service>) -> Result<Self, Refusal> {
        let Body(body) = Body::<LARGEST_DOCUMENT>::from_request(request, service).await?;
        let refused = |error| (StatusCode::BAD_REQUEST, format!("not such a document: {error}"));
        serde_json::from_slice(&body).map(Self).map_err(refused)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disclose {
    reason: String,
    #[serde(default)]
    history: bool,
    /// In seconds; as the vault's setting says without it.
    rotate_after: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    reason: String,
    opened: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    reason: String,
}

/// Runs a call of the vault, which waits for the disk, beside the threads that serve.
async fn work<T: Send + 'static>(
    service: Arc<Service>,
    call: impl FnOnce(&Vault<SqliteStore>) -> Result<T, VaultError> + Send + 'static,
) -> Result<T, Refusal> {
    let failed = |_| (StatusCode::INTERNAL_SERVER_ERROR, "the call ended early".to_owned());
    let calling = Arc::clone(&service);
    let done = tokio::task::spawn_blocking(move || call(&calling.vault)).await.map_err(failed)?;
    done.map_err(|error| {
        if error.code() == Code::Unreachable {
            service.lost.notify_one();
        }
        refuse(error)
    })
}

/// Runs a call for an administrator: who was authenticated is the caller of the entry, and nobody
/// types a name.
async fn administer<C>(service: Arc<Service>, caller: String, reason: String, call: C) -> Answer
where
    C: FnOnce(&Vault<SqliteStore>, &Request<'_>) -> Result<Value, VaultError> + Send + 'static,
{
    let done = work(service, move |vault| {
        let request =
            Request::new(&caller, &reason).with_caller(&caller).with_context("http_service");
        call(vault, &request)
    });
    Ok(done.await?.to_string())
}

async fn check_in(
    State(service): Shared,
    Device(device): Device,
    Body(body): Body<LARGEST_CHECK_IN>,
) -> Result<Vec<u8>, Refusal> {
    // The vault compares this name with the one in the message and in every record.
    work(service, move |vault| vault.check_in(&Scope::EMPTY, &device, &body, now())).await
}

async fn disclose(
    State(service): Shared,
    Administrator(who): Administrator,
    Path(device): Path<String>,
    RequestBody(asked): RequestBody<Disclose>,
) -> Answer {
    administer(service, who, asked.reason, move |vault, request| {
        let mut options = DiscloseOptions::default();
        options.history = asked.history;
        if let Some(seconds) = asked.rotate_after {
            options = options.with_rotation_after(seconds);
        }
        // When this answers, the entry in the audit log is on the disk.
        let found = vault.disclose(&Scope::EMPTY, &device, request, options, now())?;
        let candidates = found.candidates.iter().map(|candidate| {
            json!({"record": candidate.record.to_string(), "version": candidate.version,
                "state": candidate.state.as_str(), "updated": rfc3339(candidate.updated),
                "sealed": Base64::encode_string(&candidate.sealed)})
        });
        let candidates: Vec<Value> = candidates.collect();
        let damaged: Vec<String> = found.damaged.iter().map(ToString::to_string).collect();
        let (device, account) = (found.device.to_string(), found.account.to_string());
        Ok(json!({"device": device, "account": account, "damaged": damaged,
            "entry": found.entry, "head": found.head.to_string(), "candidates": candidates}))
    })
    .await
}

async fn outcome(
    State(service): Shared,
    Administrator(who): Administrator,
    Path(entry): Path<u64>,
    RequestBody(asked): RequestBody<Outcome>,
) -> Answer {
    administer(service, who, asked.reason, move |vault, request| {
        let head = vault.record_outcome(&Scope::EMPTY, entry, asked.opened, &[], request, now())?;
        Ok(json!({"head": head.to_string()}))
    })
    .await
}

async fn rotate(
    State(service): Shared,
    Administrator(who): Administrator,
    Path(device): Path<String>,
    RequestBody(asked): RequestBody<Rotate>,
) -> Answer {
    administer(service, who, asked.reason, move |vault, request| {
        let devices = Selection::Devices(&[&device]);
        let ordered = vault.order_rotation(&Scope::EMPTY, devices, request, now())?;
        Ok(json!({"entry": ordered.entry, "head": ordered.head.to_string()}))
    })
    .await
}

/// The service, to be served by [`serve`] or as a part of another one.
pub(crate) fn router(service: Arc<Service>) -> Router {
    let document = DefaultBodyLimit::max(LARGEST_DOCUMENT);
    Router::new()
        .route("/check-in", post(check_in).layer(DefaultBodyLimit::max(LARGEST_CHECK_IN)))
        .route("/disclose/{device}", post(disclose).layer(document))
        .route("/outcome/{entry}", post(outcome).layer(document))
        .route("/rotate/{device}", post(rotate).layer(document))
        .with_state(service)
}

/// Serves until the vault is lost.
pub(crate) async fn serve(listener: TcpListener, service: Arc<Service>, patience: Duration) {
    let connections = serve_connections(listener, router(Arc::clone(&service)), patience);
    let connections = tokio::spawn(connections);
    service.lost.notified().await;
    // Whoever asked last is still to hear of it.
    tokio::time::sleep(Duration::from_secs(1)).await;
    connections.abort();
}

async fn serve_connections(listener: TcpListener, router: Router, patience: Duration) {
    let places = Arc::new(Semaphore::new(PLACES));
    loop {
        // Nobody closes the semaphore.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, say: others will end.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut server = http1::Builder::new();
            let connection =
                server.keep_alive(false).serve_connection(TokioIo::new(stream), service);
            // Whoever sends or takes too slowly is cut off. What the vault has begun it ends; the
            // answer is then not known.
            let _ended = tokio::time::timeout(patience, connection).await;
            drop(place);
        });
    }
}

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [vault, callers, address] = arguments.as_slice() else {
        return Err("usage: http_service VAULT CALLERS.json ADDRESS:PORT".into());
    };
    for lacking in laps_host::process::protect() {
        eprintln!("warning: {lacking}");
    }
    let CallersFile { devices, administrators } =
        serde_json::from_str(&std::fs::read_to_string(callers)?)?;
    let service = Service {
        vault: Vault::from_system(SqliteStore::open(vault)?),
        devices: tokens(devices)?,
        administrators: tokens(administrators)?,
        lost: Notify::new(),
    };
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = TcpListener::bind(address).await?;
        println!("listening on {}", listener.local_addr()?);
        serve(listener, Arc::new(service), PATIENCE).await;
        Err("the vault was lost; see above".into())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallersFile {
    devices: HashMap<String, String>,
    administrators: HashMap<String, String>,
}

fn tokens(callers: HashMap<String, String>) -> Result<Callers, String> {
    let hash = |(name, text): (String, String)| {
        let bytes = Base64::decode_vec(&text).unwrap_or_default();
        let hash = bytes
            .try_into()
            .map_err(|_| format!("callers.json: {name}: the Base64 of 32 bytes is accepted"))?;
        Ok((name, hash))
    };
    Ok(Callers::new(callers.into_iter().map(hash).collect::<Result<Vec<_>, String>>()?))
}
