//! An agent that takes its readers from a set signed by an authority (protocol §4.1).
#![cfg(all(target_os = "linux", feature = "agent", feature = "sqlite"))]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;

use laps_core::error::Code;
use laps_core::identity::Scope;
use laps_core::random::Generator;
use laps_core::seal::{Reader, ReaderKey, ReaderSet, Record, SignerKey, Suite};
use laps_host::agent::{Agent, AgentError, AgentOptions, ReaderSetSource, RunOutcome, journal};
use laps_testkit::bench::Bench;

struct Device {
    bench: Bench,
    authority: SignerKey,
    other: ReaderKey,
}

impl Device {
    fn new() -> Self {
        let mut generator = Generator::from_system().unwrap();
        let authority = SignerKey::generate("security", &mut generator).unwrap();
        let other = ReaderKey::generate(Suite::XWing, "other", &mut generator).unwrap();
        Self { bench: Bench::new(), authority, other }
    }

    fn stranger() -> SignerKey {
        SignerKey::generate("security", &mut Generator::from_system().unwrap()).unwrap()
    }

    fn options(&self) -> AgentOptions {
        let mut options = self.bench.options();
        options.readers.clear();
        let file = self.bench.path("readers.set");
        options.reader_set = Some(ReaderSetSource::new(file, *self.authority.signer()));
        options
    }

    fn open(&self, options: AgentOptions) -> Result<Agent, AgentError> {
        self.bench.agent_with(options, Box::new(self.bench.store()))
    }

    fn agent(&self) -> Agent {
        self.open(self.options()).unwrap()
    }

    fn signed(&self, version: u64, readers: &[&Reader]) -> String {
        sign(&self.authority, Scope::EMPTY, version, readers)
    }

    fn give(&self, text: &str) {
        fs::write(self.bench.path("readers.set"), text).unwrap();
    }

    /// Makes a new password; who can open its record: our first reader, the other one.
    fn rotate(&self) -> (bool, bool) {
        assert_eq!(self.agent().run_once(true).unwrap(), RunOutcome::Committed);
        let file = fs::read(self.bench.path("state/journal")).unwrap();
        let records = journal::read(&file).unwrap().records;
        let record = Record::parse(&records[0]).unwrap();
        let opens = |key: &ReaderKey| key.open(&record).is_ok();
        (opens(&self.bench.reader), opens(&self.other))
    }

    fn refusals(&self) -> Vec<String> {
        let mut events = self.bench.events.lock().unwrap();
        let all = core::mem::take(&mut *events);
        let refused = all.into_iter().filter(|event| event.name == "reader-set-refused");
        refused.map(|event| event.message).collect()
    }
}

fn sign(authority: &SignerKey, scope: Scope, version: u64, readers: &[&Reader]) -> String {
    let readers: Vec<Reader> = readers.iter().map(|reader| (*reader).clone()).collect();
    ReaderSet::new(scope, version, &readers).unwrap().sign(authority)
}

#[test]
fn passwords_are_sealed_to_the_newest_set_and_an_older_one_never_comes_back() {
    let device = Device::new();
    let (first, other) = (device.bench.reader.reader().clone(), device.other.reader().clone());
    let old = device.signed(1, &[&first]);
    device.give(&old);
    assert_eq!(device.rotate(), (true, false));
    device.give(&device.signed(2, &[&first, &other]));
    assert_eq!(device.rotate(), (true, true));
    assert!(device.refusals().is_empty());
    // An older set, put back by whoever may write the file.
    device.give(&old);
    assert_eq!(device.rotate(), (true, true));
    assert!(device.refusals()[0].contains("older"));
    device.give(&device.signed(3, &[&other]));
    assert_eq!(device.rotate(), (false, true));
    assert!(device.refusals().is_empty());
    // No file at all: the one in force is in the state folder.
    fs::remove_file(device.bench.path("readers.set")).unwrap();
    assert_eq!(device.rotate(), (false, true));
    assert!(device.refusals()[0].contains("readers.set"));
}

#[test]
fn a_set_that_this_authority_did_not_sign_as_it_is_is_refused_and_the_one_before_stays() {
    let device = Device::new();
    let (first, other) = (device.bench.reader.reader().clone(), device.other.reader().clone());
    device.give(&device.signed(7, &[&first]));
    assert_eq!(device.rotate(), (true, false));
    let good = device.signed(8, &[&first, &other]);
    let line = good.lines().position(|line| line.starts_with("version")).unwrap();
    let version = good.lines().nth(line).unwrap().to_owned();
    let tenant = Scope::new("tenant").unwrap();
    for (what, text) in [
        ("of another authority", sign(&Device::stranger(), Scope::EMPTY, 8, &[&other])),
        ("for another scope", sign(&device.authority, tenant, 8, &[&other])),
        ("the same version, other readers", device.signed(7, &[&other])),
        ("another version than was signed", good.replace(&version, "version 9")),
        ("cut short", good[..good.len() >> 1].to_owned()),
        ("empty", String::new()),
        ("too long", good.clone() + &"x".repeat(40_000)),
    ] {
        device.give(&text);
        assert_eq!(device.rotate(), (true, false), "{what}");
        let refusals = device.refusals();
        assert_eq!(refusals.len(), 1, "{what}: {refusals:?}");
        assert!(refusals[0].contains("last accepted"), "{what}: {refusals:?}");
    }
    device.give(&good);
    assert_eq!(device.rotate(), (true, true));
}

#[test]
fn without_an_accepted_set_nothing_is_done() {
    let device = Device::new();
    let other = device.other.reader().clone();
    for text in [String::new(), sign(&Device::stranger(), Scope::EMPTY, 1, &[&other])] {
        device.give(&text);
        let error = device.agent().run_once(false).unwrap_err();
        assert_eq!(error.exit_status(), 3, "{error}");
        assert!(!device.bench.path("Admin").exists());
    }
    fs::remove_file(device.bench.path("readers.set")).unwrap();
    let error = device.agent().run_once(false).unwrap_err();
    assert_eq!(error.code(), Code::NotFound, "{error}");
}

#[test]
fn the_authority_of_the_enrolment_is_pinned() {
    let device = Device::new();
    let first = device.bench.reader.reader().clone();
    device.give(&device.signed(1, &[&first]));
    assert_eq!(device.rotate(), (true, false));
    let refused = |options: AgentOptions| {
        let error = device.open(options).unwrap_err();
        assert_eq!((error.code(), error.exit_status()), (Code::ReaderSetRefused, 3), "{error}");
        let text = error.to_string();
        assert!(text.contains("rm ") && text.contains("state/readers"), "{text}");
    };
    // Plain readers in its place, and another authority.
    refused(device.bench.options());
    let mut options = device.options();
    let stranger = Device::stranger();
    let file = device.bench.path("readers.set");
    options.reader_set = Some(ReaderSetSource::new(file, *stranger.signer()));
    refused(options.clone());
    // Both at once are neither.
    let mut both = device.options();
    both.readers = vec![first.clone()];
    assert_eq!(device.open(both).unwrap_err().code(), Code::InvalidArgument);
    // Pinned again by whoever owns the state folder.
    fs::remove_file(device.bench.path("state/readers")).unwrap();
    device.give(&sign(&stranger, Scope::EMPTY, 1, &[&first]));
    let mut agent = device.open(options).unwrap();
    assert_eq!(agent.run_once(true).unwrap(), RunOutcome::Committed);
}

#[test]
fn a_damaged_memory_of_the_set_is_said_and_not_forgotten() {
    let device = Device::new();
    device.give(&device.signed(5, &[device.bench.reader.reader()]));
    assert_eq!(device.rotate(), (true, false));
    let path = device.bench.path("state/readers");
    let bytes = fs::read(&path).unwrap();
    for at in [3, bytes.len() >> 1, bytes.len() - 3] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        fs::write(&path, damaged).unwrap();
        let error = device.open(device.options()).unwrap_err();
        assert_eq!(error.exit_status(), 3, "{error}");
        assert!(error.to_string().contains("rm "), "{error}");
    }
    fs::write(&path, &bytes).unwrap();
    assert_eq!(device.rotate(), (true, false));
}

#[test]
fn a_newer_set_that_cannot_be_remembered_is_not_used() {
    let device = Device::new();
    let (first, other) = (device.bench.reader.reader().clone(), device.other.reader().clone());
    // As on a full disk: the file that would replace the old one cannot be made.
    let state = device.bench.path("state");
    let blocked = state.join("readers.new");
    drop(device.agent());
    fs::create_dir(&blocked).unwrap();
    device.give(&device.signed(1, &[&first]));
    assert!(matches!(device.agent().run_once(false), Err(AgentError::State(_))));
    assert!(!device.bench.path("Admin").exists());
    fs::remove_dir(&blocked).unwrap();
    assert_eq!(device.rotate(), (true, false));
    fs::create_dir(&blocked).unwrap();
    device.give(&device.signed(2, &[&other]));
    assert_eq!(device.rotate(), (true, false));
    assert!(device.refusals()[0].contains("cannot be kept"));
    fs::remove_dir(&blocked).unwrap();
    assert_eq!(device.rotate(), (false, true));
}
