//! One device, one account and one vault, driven as the loop in the module's documentation says.

use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use laps_core::rotation::event::{Event, EventKind};
use laps_core::rotation::message::{AuditHead, CheckIn, MAX_ANSWER, MAX_HEAD};
use laps_core::rotation::set::IdSet;
use laps_core::rotation::{
    AccountSeen, Acted, Action, Applied, Config, Effect, MAX_JOURNAL, Rotation, Verified,
};
use laps_core::vault::DeviceStatus;
use laps_core::vault::Retention;
use laps_core::vault::readers::{KnownReader, Readers};
use laps_core::vault::rules::{Context, Offer};
use laps_core::vault::state::{Device, Held};

pub(crate) const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// The one reader.
const READER: [u8; 32] = [1; 32];

pub(crate) fn id(number: u8) -> RecordId {
    let mut bytes = [0; 16];
    bytes[0] = number;
    RecordId::from_bytes(bytes)
}

pub(crate) fn number(id: RecordId) -> u8 {
    id.as_bytes()[0]
}

pub(crate) fn config() -> Config {
    let device = DeviceId::new("device").unwrap();
    Config::new(Scope::EMPTY, device, AccountName::new("Admin").unwrap(), None)
}

/// What the world does at an effect, where it can do more than one thing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// The vault can be reached.
    pub(crate) vault: bool,
    /// The journal can be written.
    pub(crate) disk: bool,
    /// What the setter reports, and whether the account is changed.
    pub(crate) setter: (Applied, bool),
    /// Whether the account answers.
    pub(crate) account: bool,
    pub(crate) acted: Acted,
}

pub(crate) const FAIR: Weather = Weather {
    vault: true,
    disk: true,
    setter: (Applied::Success, true),
    account: true,
    acted: Acted::Done,
};

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) machine: Rotation,
    /// The journal on disk.
    pub(crate) disk: Option<Vec<u8>>,
    /// The password of the account, as the number of its record; 0 is one that nobody knows.
    pub(crate) account: u8,
    /// Whether there is no such account.
    pub(crate) missing: bool,
    /// The password in the agent's memory.
    pub(crate) memory: Option<u8>,
    pub(crate) vault: Device,
    /// One reader, to whom everything is sealed; the settings.
    pub(crate) readers: Readers,
    /// How many passwords were made; their versions.
    pub(crate) versions: Vec<u64>,
    pub(crate) now: Timestamp,
    pub(crate) entropy: u64,
    pub(crate) nonces: u64,
    pub(crate) tokens: u128,
    pub(crate) audit: AuditHead,
    pub(crate) audit_at: Option<[u8; 32]>,
    /// Every event so far.
    pub(crate) events: Vec<Event>,
    pub(crate) acts: Vec<(Timestamp, Action)>,
    pub(crate) saves: usize,
    pub(crate) trips: usize,
    pub(crate) weather: Weather,
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        Self::from_machine(config, Rotation::new(config, START).unwrap())
    }

    pub(crate) fn from_machine(config: Config, machine: Rotation) -> Self {
        let mut readers = Readers::default();
        readers.known.push(KnownReader::new(READER, String::new(), START));
        readers.history = Retention::count(1);
        Self {
            config,
            machine,
            disk: None,
            account: 0,
            missing: false,
            memory: None,
            vault: Device::first_seen(config.account, None, START),
            readers,
            versions: vec![0],
            now: START,
            entropy: 0,
            nonces: 0,
            tokens: 0,
            audit: AuditHead::new(1, [1; 32]),
            audit_at: Some([1; 32]),
            events: Vec::new(),
            acts: Vec::new(),
            saves: 0,
            trips: 0,
            weather: FAIR,
        }
    }

    pub(crate) fn change_stamp(&self) -> Option<[u8; 32]> {
        Some([self.account; 32])
    }

    /// Performs the effects, once. False when there is nothing to do but wait.
    pub(crate) fn step(&mut self) -> bool {
        let (now, entropy) = (self.now, self.entropy);
        let effect = self.machine.poll();
        assert_eq!(effect, self.machine.poll());
        match effect {
            Effect::Wipe => {
                self.memory = None;
                self.machine.handle_wiped().unwrap();
            }
            Effect::Save if self.weather.disk => {
                self.saves += 1;
                let mut out = [0; MAX_JOURNAL];
                let len = self.machine.journal(&mut out).unwrap();
                self.disk = Some(out[..len].to_vec());
                self.machine.handle_saved().unwrap();
            }
            Effect::Save => self.machine.handle_save_failed(now, entropy),
            Effect::LookUp => self.look(),
            Effect::CheckIn => self.exchange(),
            Effect::Prepare { version, .. } => {
                self.versions.push(version);
                let new = u8::try_from(self.versions.len() - 1).unwrap();
                self.memory = Some(new);
                self.machine.handle_prepared(id(new), version, self.change_stamp(), now).unwrap();
            }
            Effect::ReadChangeStamp => {
                self.machine.handle_change_stamp(self.change_stamp(), now, entropy).unwrap();
            }
            Effect::Apply { id } => {
                assert_eq!(self.memory, Some(number(id)));
                let (applied, effect) = self.weather.setter;
                if effect {
                    self.account = number(id);
                }
                self.machine.handle_applied(applied, now).unwrap();
            }
            Effect::Verify { id } => {
                assert_eq!(self.memory, Some(number(id)));
                let verified = match (self.weather.account, self.account == number(id)) {
                    (false, _) => Verified::Unavailable,
                    (true, true) => Verified::Match,
                    (true, false) => Verified::Mismatch,
                };
                self.machine.handle_verified(verified, now, entropy).unwrap();
            }
            Effect::Act(action) => {
                self.acts.push((now, action));
                self.machine.handle_acted(self.weather.acted, now).unwrap();
            }
            Effect::WaitUntil(time) => {
                assert!(time > now, "{time:?}");
                return false;
            }
        }
        self.drain();
        true
    }

    pub(crate) fn look(&mut self) {
        let there = AccountSeen::Present { change_stamp: self.change_stamp() };
        let seen = if self.missing { AccountSeen::Missing } else { there };
        self.machine.handle_account(seen, self.now);
    }

    pub(crate) fn drain(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            self.events.push(event);
        }
    }

    /// Until there is nothing to do but wait.
    pub(crate) fn run(&mut self) {
        for _ in 0..200 {
            if !self.step() {
                return;
            }
        }
        panic!("a hot loop: {:?}", self.machine.poll());
    }

    /// Until the effect is of this kind.
    pub(crate) fn run_to(&mut self, kind: impl Fn(Effect) -> bool) {
        for _ in 0..200 {
            if kind(self.machine.poll()) {
                return;
            }
            assert!(self.step(), "waits at {:?}", self.machine.poll());
        }
        panic!("a hot loop: {:?}", self.machine.poll());
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(seconds);
        self.machine.handle_timeout(self.now);
        self.drain();
    }

    /// Lets time pass, performing the effects on the way.
    pub(crate) fn live(&mut self, seconds: u64) {
        let end = self.now.plus(seconds);
        for _ in 0..10_000 {
            self.run();
            let Effect::WaitUntil(time) = self.machine.poll() else { unreachable!() };
            if time > end {
                self.now = end;
                self.machine.handle_timeout(end);
                self.drain();
                return;
            }
            self.now = time;
            self.machine.handle_timeout(time);
            self.drain();
        }
        panic!("too busy");
    }

    /// The agent dies and is started again.
    pub(crate) fn restart(&mut self) {
        self.memory = None;
        self.machine = match &self.disk {
            Some(journal) => {
                Rotation::resume(journal, self.config, self.change_stamp(), self.now).unwrap()
            }
            None => Rotation::new(self.config, self.now).unwrap(),
        };
        self.drain();
    }

    fn exchange(&mut self) {
        let message = self.send();
        if self.weather.vault {
            let answer = self.deliver(&message);
            self.machine.handle_answer(&answer, self.now, self.entropy).unwrap();
        } else {
            self.machine.handle_check_in_failed(self.now, self.entropy);
        }
    }

    pub(crate) fn send(&mut self) -> CheckIn {
        self.nonces += 1;
        let mut head = [0; MAX_HEAD];
        // Never the same twice, and the jitter is drawn from its end.
        let nonce = u128::from(self.nonces) << 64 | u128::from(self.entropy.swap_bytes());
        let len = self.machine.check_in(nonce.to_be_bytes(), &mut head).unwrap();
        let message = CheckIn::decode_head(&head[..len]).unwrap().0;
        assert_eq!(message.offers, self.machine.offers());
        let keep = self.machine.retained();
        assert!(message.offers.iter().all(|id| keep.contains(id)), "offers only what it keeps");
        message
    }

    pub(crate) fn deliver(&mut self, message: &CheckIn) -> Vec<u8> {
        self.trips += 1;
        let versions = &self.versions;
        let held = |id| Held::new(id, versions[usize::from(number(id))]).sealed_to(&[READER]);
        let offer = |id| Offer::new(held(id), message.account, message.sid);
        let offers: Vec<Offer> = message.offers.iter().map(offer).collect();
        let tokens = &mut self.tokens;
        let mut draw = || {
            *tokens += 1;
            Some(tokens.to_be_bytes())
        };
        let context = Context::new(&self.readers, self.now);
        let verdict = self.vault.check_in(message, &offers, &context, &mut draw).unwrap();
        let audit_at = message.audit.and(self.audit_at);
        let answer = verdict.answer(message, audit_at, self.audit);
        let mut out = [0; MAX_ANSWER];
        let len = answer.encode(&mut out).unwrap();
        out[..len].to_vec()
    }

    /// Orders the rotation of everything that the vault keeps as a candidate.
    pub(crate) fn order(&mut self) {
        let ids: Vec<RecordId> = self.vault.managed.candidates.iter().map(|held| held.id).collect();
        self.vault.managed.candidates.order(&ids, self.now, 0);
    }

    pub(crate) fn current(&self) -> Option<u8> {
        self.vault.managed.candidates.current.as_ref().map(|held| number(held.id))
    }

    pub(crate) fn candidates(&self) -> Vec<u8> {
        self.vault.managed.candidates.iter().map(|held| number(held.id)).collect()
    }

    pub(crate) fn vault_status(&self) -> DeviceStatus {
        self.vault.status(&self.readers)
    }

    /// One candidate, and it is what the account holds.
    #[track_caller]
    pub(crate) fn assert_settled(&self) {
        assert_eq!(self.candidates(), [self.account]);
        let may_hold = self.machine.status().may_hold;
        assert_eq!((may_hold.ids, may_hold.unknown), (IdSet::one(id(self.account)), false));
        assert_eq!(self.memory, None);
    }

    pub(crate) fn kinds(&self) -> Vec<EventKind> {
        self.events.iter().map(|event| event.kind).collect()
    }

    pub(crate) fn count(&self, kind: EventKind) -> usize {
        self.events.iter().filter(|event| event.kind == kind).count()
    }
}
