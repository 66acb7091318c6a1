//! The walk: what the script says is done, agents run, and what became of it is looked at.

#[path = "agent.rs"]
mod agent;
#[path = "device.rs"]
mod device;
#[path = "judge.rs"]
mod judge;
#[path = "script.rs"]
mod script;
#[path = "settle.rs"]
mod settle;
#[path = "vault.rs"]
mod vault;

use core::time::Duration;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use laps_core::identity::{Scope, Timestamp};
use laps_core::random::Generator;
use laps_core::seal::{ReaderKey, Suite};
use laps_core::vault::Retention;
use laps_core::vault::Vault;
use laps_host::account::setter::SetterLock;
use laps_host::sqlite::{SqliteStore, init_vault};
use laps_host::time::{now, rfc3339};

use agent::{Ended, Running};
use device::Device;
use script::{Act, READERS, Script, Seals, Turn};

/// Seeds of the small walk, which is part of the ordinary tests.
const SEEDS: [u64; 3] = [1, 2, 3];
const SMALL: (usize, usize) = (6, 150);

pub(crate) fn run() {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next().filter(|word| !word.starts_with('-'));
    if first.as_deref() == Some("agent") {
        agent::agent(&arguments.collect::<Vec<_>>());
    }
    if first.is_some_and(|filter| !"a_walk_by_dice".contains(filter.as_str())) {
        return;
    }
    let size = std::env::var("LAPS_DICE").ok().map(|text| {
        let (devices, acts) = text.split_once(':').unwrap();
        (devices.parse().unwrap(), acts.parse().unwrap())
    });
    let seed = std::env::var("LAPS_DICE_SEED").ok().map(|text| text.parse().unwrap());
    let seeds = match (size, seed) {
        (_, Some(seed)) => vec![seed],
        (Some(_), None) => vec![now().as_unix_seconds()],
        (None, None) => SEEDS.to_vec(),
    };
    for seed in seeds {
        let started = Instant::now();
        let (devices, acts) = size.unwrap_or(SMALL);
        println!("a walk by dice: seed {seed}, {devices} agents, {acts} acts and kills");
        let mut walk = Walk::new(seed, devices);
        walk.go(acts);
        let sum = walk.end();
        let seconds = started.elapsed().as_secs_f32();
        println!("test a_walk_by_dice ... ok ({seconds:.1} s): {sum}");
    }
}

/// All devices, the vault, and what was done.
struct Walk {
    folder: tempfile::TempDir,
    seed: u64,
    /// How many seconds the clock of everything is ahead.
    ahead: u64,
    vault: Option<Vault<SqliteStore>>,
    /// The readers' keys; behind them the one that no vault knows.
    keys: Vec<ReaderKey>,
    devices: Vec<Device>,
    has_copy: bool,
    /// What was done: by whom it is about, none for all.
    done: Vec<(Option<usize>, String)>,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    acts: usize,
    runs: usize,
    kills: usize,
    stops: usize,
    looks: usize,
}

impl Walk {
    fn new(seed: u64, devices: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut generator = Generator::from_system().unwrap();
        let key = |name: &str| ReaderKey::generate(Suite::XWing, name, &mut generator).unwrap();
        let keys: Vec<ReaderKey> = ["ann", "bob", "cyd", "dan", "wrong"].map(key).into();
        let clock = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dice/clock.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-Wall", "-Werror", "-O1", "-o"]);
        compiler.arg(folder.path().join("clock.so")).arg(clock).arg("-ldl");
        assert!(compiler.status().unwrap().success());
        laps_testkit::program::write(&folder.path().join("store.sh"), agent::STORE);
        let begun = now().as_unix_seconds();
        let first = vec![0, 1];
        let root = folder.path();
        let devices =
            (0..devices).map(|number| Device::new(root, number, first.clone(), begun)).collect();
        let readers: Vec<_> = first.iter().map(|reader| keys[*reader].reader().clone()).collect();
        let setting = Retention::count(3);
        let path = root.join("vault");
        let vault =
            init_vault(&path, &Scope::EMPTY, &readers, setting, &vault::REQUEST, now()).unwrap();
        let walk = Self {
            folder,
            seed,
            ahead: 0,
            vault: Some(vault),
            keys,
            devices,
            has_copy: false,
            done: Vec::new(),
            counts: Counts::default(),
        };
        for device in 0..walk.devices.len() {
            walk.write_readers(device);
        }
        walk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn now(&self) -> Timestamp {
        now().plus(self.ahead)
    }

    fn note(&mut self, device: Option<usize>, text: String) {
        self.done.push((device, format!("{} {text}", rfc3339(self.now()))));
    }

    fn write_readers(&self, device: usize) {
        let device = &self.devices[device];
        let lines = device.readers.iter().map(|reader| self.keys[*reader].reader().to_string());
        device.write_readers(&lines.collect::<Vec<_>>().join("\n"));
    }

    fn go(&mut self, acts: usize) {
        let mut script = Script::new(self.seed, self.devices.len());
        while self.counts.acts < acts {
            let turn = script.turn();
            self.counts.acts += turn.len();
            for act in &turn.acts {
                let causes = self.act(*act);
                self.cause(&causes);
            }
            self.run(&turn);
            if self.counts.acts / 1_000 > (self.counts.acts - turn.len()) / 1_000 {
                println!("  {:?}", self.counts);
                self.keep();
            }
        }
    }

    /// Does it; the devices whose password may have to change for it.
    fn act(&mut self, act: Act) -> Vec<usize> {
        self.note(act.device(), format!("{act:?}"));
        let now = self.now();
        if let Some(device) = act.device() {
            match act {
                Act::Seals(_, seals) => {
                    let readers = self.those(seals);
                    self.devices[device].seal_to(readers);
                    self.write_readers(device);
                }
                Act::Goes(_) => self.devices[device].goes(),
                Act::Returns(_, own) => self.devices[device].returns(own),
                Act::Renamed(_, follows) => self.devices[device].is_renamed(follows),
                Act::PolicyTurns(_) => self.devices[device].turns(),
                Act::PolicyOff(_) => self.devices[device].manage(true),
                Act::PolicyOn(_) => self.devices[device].manage(false),
                Act::PolicyDemands(_) => self.devices[device].demands(),
                Act::Setter(_, setter) => self.devices[device].set_setter(setter),
                Act::Uses(_) => self.devices[device].is_used(&rfc3339(now)),
                Act::TakeImage(_) => self.devices[device].take_image(),
                Act::RestoreImage(_) => self.devices[device].restore_image(true),
                Act::RestoreState(_) => self.devices[device].restore_image(false),
                Act::LoseState(_) => self.devices[device].lose_state(),
                _ => return self.act_at_the_vault(act),
            }
            return Vec::new();
        }
        if let Act::Time(seconds) = act {
            self.ahead += seconds;
            return Vec::new();
        }
        self.act_at_the_vault(act)
    }

    fn cause(&mut self, devices: &[usize]) {
        for device in devices {
            self.devices[*device].cause();
        }
    }

    fn those(&self, seals: Seals) -> Vec<usize> {
        match seals {
            Seals::Active => self.active(),
            Seals::These(bits) => (0..READERS).filter(|reader| bits >> reader & 1 == 1).collect(),
            Seals::WrongToo => self.active().into_iter().chain([script::WRONG]).collect(),
            Seals::Wrong => vec![script::WRONG],
        }
    }

    /// Agents at the same time, and what is done while they run.
    fn run(&mut self, turn: &Turn) {
        let begun = Instant::now();
        let start = |(device, run): &(usize, script::Run)| {
            let name = &self.devices[*device].name;
            Running::start(self.folder.path(), name, Running::mode(run), run.end, self.ahead)
        };
        let mut running: Vec<Running> = turn.runs.iter().map(start).collect();
        for (device, run) in &turn.runs {
            if run.force {
                self.devices[*device].cause();
            }
            self.note(Some(*device), format!("{run:?}"));
        }
        let mut meanwhile = Vec::new();
        if let Some(act) = turn.meanwhile {
            meanwhile = self.act(act);
        }
        let mut order: Vec<usize> = (0..running.len()).collect();
        order.sort_by_key(|place| running[*place].moment());
        for place in order {
            let moment = running[place].moment();
            if moment < u64::MAX {
                let rest = Duration::from_millis(moment).saturating_sub(begun.elapsed());
                std::thread::sleep(rest);
                running[place].strike();
            }
        }
        for (running, (device, run)) in running.into_iter().zip(&turn.runs) {
            let ended = running.wait();
            let count = meanwhile.iter().filter(|other| *other == device).count();
            self.look(*device, ended, u64::try_from(count).unwrap(), !run.stays);
        }
        for device in meanwhile {
            if !turn.runs.iter().any(|(ran, _)| *ran == device) {
                self.devices[device].cause();
            }
        }
    }

    /// What one run did to its device.
    fn look(&mut self, number: usize, ended: Ended, meanwhile: u64, once: bool) {
        let state = self.path(&self.devices[number].name).join("state");
        if state.exists() {
            // What an agent left behind when it was killed ends first, as for the next agent.
            drop(SetterLock::acquire(&state.join("setter"), Duration::from_secs(10)).unwrap());
        }
        self.note(Some(number), format!("… {ended:?}"));
        self.counts.runs += 1;
        self.counts.kills += usize::from(ended == Ended::Killed);
        self.counts.stops += usize::from(ended == Ended::Stopped);
        if let Ended::Status(status) = ended
            && ![0, 4, 7, 8].contains(&status)
        {
            self.fail(number, &format!("the agent ended with status {status}"));
        }
        let now = self.now().as_unix_seconds();
        if matches!(ended, Ended::Killed | Ended::Stopped) {
            // What was under way may be uncertain.
            self.devices[number].cause();
        }
        let over = ended == Ended::Status(0);
        let device = &mut self.devices[number];
        match device.look(now, meanwhile, over, once) {
            Err(text) => self.fail(number, &text),
            Ok(changed) => {
                if changed {
                    self.note(Some(number), "the password changed".to_owned());
                }
            }
        }
        self.judge(number, ended);
    }

    /// Keeps the vault as it is now in the folder `LAPS_DICE_KEEP`, with the clock of the walk in
    /// its name, for whoever compares what reports say of it.
    fn keep(&mut self) {
        if let Some(to) = std::env::var_os("LAPS_DICE_KEEP") {
            let name = format!("{}.vault", self.now().as_unix_seconds());
            self.vault = None;
            fs::copy(self.path("vault"), PathBuf::from(to).join(name)).unwrap();
            let store = SqliteStore::open(self.path("vault")).unwrap();
            self.vault = Some(Vault::from_system(store));
        }
    }

    /// Ends the walk: the seed, and what was done to this device and to all since it was last as it
    /// should be.
    fn fail(&self, number: usize, text: &str) -> ! {
        let device = &self.devices[number];
        println!("seed {}: {}: {text}", self.seed, device.name);
        let about = |who: &Option<usize>| who.is_none_or(|who| who == number);
        let lines: Vec<&str> =
            self.done.iter().filter(|(who, _)| about(who)).map(|(_, line)| line.as_str()).collect();
        let quiet = lines.iter().rposition(|line| line.ends_with(judge::QUIET)).unwrap_or(0);
        let first = quiet.saturating_sub(12);
        lines[first..].iter().for_each(|line| println!("  {line}"));
        println!("its agents said last:\n{}", device.events());
        panic!("seed {}: {}: {text}", self.seed, device.name)
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        self.keep();
    }
}
