//! What happens, from a seed alone: nothing here looks at what became of it.

use laps_testkit::kill::Step;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// Keys of readers that the vault may know.
pub(crate) const READERS: usize = 4;
/// The key that no vault knows.
pub(crate) const WRONG: usize = READERS;

/// Whom a device's configuration names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seals {
    /// The active readers of the vault.
    Active,
    /// These of the vault's four, by bits; never none.
    These(usize),
    /// The wrong key beside the active readers.
    WrongToo,
    /// The wrong key alone.
    Wrong,
}

/// What the account's program does with a password that it is to set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Setter {
    Honest,
    /// Fails, and nothing is changed.
    Fails,
    /// Refuses, and nothing is changed.
    Refuses,
    /// Sets it, and fails.
    FailsLate,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Seals(usize, Seals),
    /// The account is removed.
    Goes(usize),
    /// It is there again, with its password or one of its own.
    Returns(usize, bool),
    /// It has another name, which the policy has too, or not.
    Renamed(usize, bool),
    PolicyTurns(usize),
    PolicyOff(usize),
    PolicyOn(usize),
    /// The policy wants longer passwords.
    PolicyDemands(usize),
    Setter(usize, Setter),
    Uses(usize),
    TakeImage(usize),
    /// The state folder and the accounts are those of the image.
    RestoreImage(usize),
    /// The state folder alone.
    RestoreState(usize),
    LoseState(usize),
    Order(usize),
    /// With the setting of the vault, or so many seconds later.
    Disclose(usize, Option<u64>),
    DiscloseQuietly(usize),
    Retire(usize),
    ReEnrol(usize),
    Purge(usize),
    /// Records are exported for re-sealing and imported: spoilt, or as they should be.
    ImportResealed(usize, bool),
    /// The same with the sealings that came from the device.
    ImportFromDevice(usize, bool),
    OrderAll,
    AddReader(usize),
    /// With an order to rotate, or without.
    RemoveReader(usize, bool),
    ResealAll(usize),
    BackUp,
    Restore,
    /// So many seconds pass.
    Time(u64),
}

impl Act {
    /// The device that it is about; none for the vault, and for all.
    pub(crate) const fn device(self) -> Option<usize> {
        match self {
            Self::Seals(device, _)
            | Self::Goes(device)
            | Self::Returns(device, _)
            | Self::Renamed(device, _)
            | Self::PolicyTurns(device)
            | Self::PolicyOff(device)
            | Self::PolicyOn(device)
            | Self::PolicyDemands(device)
            | Self::Setter(device, _)
            | Self::Uses(device)
            | Self::TakeImage(device)
            | Self::RestoreImage(device)
            | Self::RestoreState(device)
            | Self::LoseState(device)
            | Self::Order(device)
            | Self::Disclose(device, _)
            | Self::DiscloseQuietly(device)
            | Self::Retire(device)
            | Self::ReEnrol(device)
            | Self::Purge(device)
            | Self::ImportResealed(device, _)
            | Self::ImportFromDevice(device, _) => Some(device),
            Self::OrderAll
            | Self::AddReader(_)
            | Self::RemoveReader(..)
            | Self::ResealAll(_)
            | Self::BackUp
            | Self::Restore
            | Self::Time(_) => None,
        }
    }

    /// Whether it may fall into the time in which agents run.
    const fn fits_meanwhile(self) -> bool {
        matches!(
            self,
            Self::Order(_)
                | Self::Disclose(..)
                | Self::DiscloseQuietly(_)
                | Self::OrderAll
                | Self::AddReader(_)
                | Self::RemoveReader(..)
                | Self::ResealAll(_)
                | Self::BackUp
        )
    }
}

/// How one agent runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) force: bool,
    /// Until it is stopped, rather than once.
    pub(crate) stays: bool,
    pub(crate) end: End,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    ByItself,
    KilledAt(Step),
    /// So many milliseconds after it was started.
    Killed(u64),
    Terminated(u64),
}

/// Some acts, then agents at the same time, and acts while they run.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) acts: Vec<Act>,
    pub(crate) meanwhile: Option<Act>,
    pub(crate) runs: Vec<(usize, Run)>,
}

impl Turn {
    /// How many acts and kills it has.
    pub(crate) fn len(&self) -> usize {
        let ends = self.runs.iter().filter(|(_, run)| run.force || !run.ends_by_itself());
        self.acts.len() + usize::from(self.meanwhile.is_some()) + ends.count()
    }
}

impl Run {
    const fn ends_by_itself(&self) -> bool {
        matches!(self.end, End::ByItself)
    }
}

/// The script of a seed, turn by turn.
pub(crate) struct Script {
    random: ChaCha8Rng,
    devices: usize,
    turns: usize,
    /// Where administrators are at work: half of the acts are about these few, so that much
    /// happens to one device in a row.
    hot: usize,
}

/// How many devices administrators work on at a time, and for how many turns.
const HOT: usize = 4;
const HOT_TURNS: usize = 25;

impl Script {
    pub(crate) fn new(seed: u64, devices: usize) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed), devices, turns: 0, hot: 0 }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.next_u32()).unwrap() % bound
    }

    fn percent(&mut self, of_hundred: usize) -> bool {
        self.below(100) < of_hundred
    }

    fn device(&mut self) -> usize {
        if self.percent(50) {
            (self.hot + self.below(HOT)) % self.devices
        } else {
            self.below(self.devices)
        }
    }

    pub(crate) fn turn(&mut self) -> Turn {
        if self.turns.is_multiple_of(HOT_TURNS) {
            self.hot = self.below(self.devices);
        }
        self.turns += 1;
        let acts: Vec<Act> = (0..=self.below(3)).map(|_| self.act()).collect();
        let mut who: Vec<usize> = acts.iter().filter_map(|act| act.device()).collect();
        for _ in 0..=self.below(3) {
            who.push(self.device());
        }
        who.sort_unstable();
        who.dedup();
        // Now and then nobody looks at what was done.
        if self.percent(15) {
            who.pop();
        }
        let runs = who.into_iter().map(|device| (device, self.run())).collect();
        let meanwhile = self.act();
        let meanwhile = Some(meanwhile).filter(|act| act.fits_meanwhile() && self.percent(50));
        Turn { acts, meanwhile, runs }
    }

    fn run(&mut self) -> Run {
        let force = self.percent(12);
        let moment = u64::try_from(self.below(160)).unwrap();
        let (stays, end) = match self.below(20) {
            0 | 1 => (false, End::KilledAt(Step::ALL[self.below(Step::ALL.len())])),
            2 | 3 => (false, End::Killed(moment)),
            4 => (false, End::Terminated(moment)),
            5 => (true, End::Killed(moment)),
            6 => (true, End::Terminated(moment)),
            _ => (false, End::ByItself),
        };
        Run { force: force && !stays, stays, end }
    }

    fn act(&mut self) -> Act {
        let device = self.device();
        let yes = self.percent(50);
        match self.below(100) {
            0..8 => Act::Seals(device, Seals::Active),
            8..12 => Act::Seals(device, Seals::These(1 + self.below((1 << READERS) - 1))),
            12..14 => Act::Seals(device, Seals::WrongToo),
            14..16 => Act::Seals(device, Seals::Wrong),
            16..20 => Act::Goes(device),
            20..25 => Act::Returns(device, yes),
            25..27 => Act::Renamed(device, yes),
            27..31 => Act::PolicyTurns(device),
            31..33 => Act::PolicyOff(device),
            33..37 => Act::PolicyOn(device),
            37..39 => Act::PolicyDemands(device),
            39..42 => Act::Setter(device, Setter::Honest),
            42 => Act::Setter(device, Setter::Fails),
            43 => Act::Setter(device, Setter::Refuses),
            44 => Act::Setter(device, Setter::FailsLate),
            45..47 => Act::Uses(device),
            47..50 => Act::TakeImage(device),
            50..52 => Act::RestoreImage(device),
            52 => Act::RestoreState(device),
            53 => Act::LoseState(device),
            54..57 => Act::Order(device),
            61..66 => {
                let delays = [None, Some(0), Some(3_600), Some(7_200)];
                Act::Disclose(device, delays[self.below(delays.len())])
            }
            66..68 => Act::DiscloseQuietly(device),
            68..71 => Act::Retire(device),
            71..73 => Act::ReEnrol(device),
            73 => Act::Purge(device),
            74..78 => Act::ImportResealed(device, yes),
            78..80 => Act::ImportFromDevice(device, yes),
            80 => Act::OrderAll,
            81..84 => Act::AddReader(self.below(READERS)),
            84..87 => Act::RemoveReader(self.below(READERS), self.percent(75)),
            87..89 => Act::ResealAll(self.below(READERS)),
            89..91 => Act::BackUp,
            91 if self.percent(30) => Act::Restore,
            91..96 => {
                let times = [60, 60, 600, 3_600, 4 * 3_600, 86_400];
                Act::Time(times[self.below(times.len())])
            }
            _ => Act::Order(device),
        }
    }
}
