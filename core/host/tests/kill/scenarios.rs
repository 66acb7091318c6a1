//! The scenarios, and the agent that they kill.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::sync::atomic::AtomicBool;
use core::time::Duration;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use laps_core::account::LocalAccount;
use laps_core::identity::{AccountName, DeviceId, Scope};
use laps_core::secret::Password;
use laps_core::vault::Vault;
use laps_host::account::linux::LinuxStore;
use laps_host::account::{AccountStore, Verification, open};
use laps_host::agent::channel::VaultChannel;
use laps_host::agent::event::AgentEvent;
use laps_host::agent::{Agent, AgentOptions, PolicySource, state};
use laps_host::sqlite::SqliteStore;
use laps_testkit::bench::{Bench, DEVICE};
use laps_testkit::kill::{Step, dies_at};
use laps_testkit::named;
use laps_testkit::program::{self, Worker};
use laps_testkit::real_account::{RealAccount, script};

pub(super) fn run() {
    let agent: Worker = |arguments| agent(arguments);
    let tests = named![
        syncs_of_a_whole_rotation_are_those_that_are_stated,
        kills_at_every_step_leave_a_candidate_that_matches,
        kills_spread_over_rotations_leave_a_candidate_that_matches,
        kills_in_every_write_leave_a_candidate_that_matches,
        a_setter_that_outlives_its_agent_is_waited_for,
        a_hanging_setter_of_a_killed_agent_is_ended,
        sigterm_in_the_middle_of_a_setter_stops_cleanly,
        sigterm_at_any_moment_stops_cleanly,
    ];
    program::run(&[("agent", agent)], tests);
}

/// One agent: `DIRECTORY STORE once|force|run [STEP]`. Exits with the status of the command line.
fn agent(arguments: &[String]) -> ! {
    let [folder, store, mode, step @ ..] = arguments else { unreachable!("see above") };
    let folder = Path::new(folder);
    let device = DeviceId::new(DEVICE).unwrap();
    let reader = fs::read_to_string(folder.join("reader")).unwrap().parse().unwrap();
    let policy = PolicySource::Files(vec![folder.join("policy.json")]);
    let mut options = AgentOptions::new(device, vec![reader], policy, folder.join("state"));
    options.setter_timeout = Duration::from_secs(3);
    let vault = Vault::from_system(SqliteStore::open(folder.join("vault")).unwrap());
    let store: Box<dyn AccountStore + Send> = match store.strip_prefix("setter:") {
        Some(program) => Box::new(LinuxStore::new().with_setter(Path::new(program))),
        None => open(store).unwrap(),
    };
    let channel = VaultChannel::new(vault, Scope::EMPTY, device);
    let (store, channel) = dies_at(step.first(), folder.join("state"), store, channel);
    let sink = Box::new(|event: &AgentEvent| println!("{}", event.to_json()));
    let mut agent = Agent::open(options, store, channel, sink).unwrap();
    if mode == "run" {
        let stop = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&stop)).unwrap();
        agent.run(&stop, Duration::from_secs(60)).unwrap();
        std::process::exit(0);
    }
    let outcome = agent.run_once(mode == "force").unwrap();
    std::process::exit(i32::from(outcome.exit_status()));
}

/// A device with a real account.
struct Device {
    bench: Bench,
    real: RealAccount,
    account: LocalAccount,
}

impl Device {
    fn new(what: &str) -> Self {
        let (bench, real) = (Bench::new(), RealAccount::new(what));
        fs::write(bench.path("reader"), bench.reader.reader().to_string()).unwrap();
        let policy =
            format!(r#"{{"BackupDirectory":1,"AdministratorAccountName":"{}"}}"#, real.name);
        fs::write(bench.path("policy.json"), policy).unwrap();
        let name = AccountName::new(&real.name).unwrap();
        let account = LinuxStore::new().find(&name).unwrap();
        let device = Self { bench, real, account };
        assert_eq!(device.finish("linux").code(), Some(0));
        device
    }

    fn command(&self, store: &str, mode: &str, step: Option<Step>) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("agent").arg(self.bench.folder.path()).args([store, mode]);
        command.args(step.map(Step::name)).stdout(Stdio::null());
        command
    }

    fn start(&self, store: &str, mode: &str) -> Child {
        self.command(store, mode, None).spawn().unwrap()
    }

    /// One run that nobody kills.
    fn finish(&self, store: &str) -> ExitStatus {
        self.start(store, "once").wait().unwrap()
    }

    /// The promise: the password on the account is one that a reader can get, from the vault or
    /// from the journal.
    fn holds(&self) -> bool {
        let mut known = self.bench.candidates();
        known.extend(self.bench.journalled());
        known.iter().any(|text| self.has(text))
    }

    fn has(&self, text: &str) -> bool {
        let password = Password::try_from_str(text).unwrap();
        LinuxStore::new().verify(&self.account, &password) == Verification::Matches
    }

    /// Failures have stopped: exactly one candidate remains, and it is the account's.
    fn settles(&self, store: &str) {
        let started = Instant::now();
        loop {
            let outcome = self.finish(store);
            if outcome.code() == Some(0) && self.bench.candidates().len() == 1 {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(120), "does not settle: {outcome}");
        }
        let [only] = <[String; 1]>::try_from(self.bench.candidates()).unwrap();
        assert!(self.has(&only), "the one candidate is not the account's password");
        assert_eq!(self.bench.journalled(), [only]);
    }

    fn state(&self) -> String {
        state::status(&self.bench.path("state")).unwrap().state
    }
}

fn killed(status: ExitStatus) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&status) == Some(9)
}

fn kills_at_every_step_leave_a_candidate_that_matches() {
    let device = Device::new("step");
    for step in Step::ALL {
        let before = device.real.shadow();
        let status = device.command("linux", "force", Some(step)).status().unwrap();
        assert!(killed(status), "{}: {status}", step.name());
        let changed = device.real.shadow() != before;
        let applied = matches!(step, Step::Applied | Step::BeforeCommit | Step::Committed);
        assert_eq!(changed, applied, "{}", step.name());
        assert!(device.holds(), "killed at {}", step.name());
        if step == Step::BeforeCommit {
            // What was verified is journalled: it is committed, and no further password is made for
            // it.
            let applied = device.real.shadow();
            assert_eq!(device.finish("linux").code(), Some(0));
            assert_eq!(device.real.shadow(), applied);
        }
        device.settles("linux");
    }
}

fn kills_spread_over_rotations_leave_a_candidate_that_matches() {
    let kills: u32 = std::env::var("LAPS_KILLS").map_or(50, |text| text.parse().unwrap());
    let device = Device::new("time");
    let started = Instant::now();
    assert_eq!(device.start("linux", "force").wait().unwrap().code(), Some(0));
    let whole = started.elapsed();
    let mut states: BTreeMap<String, u32> = BTreeMap::new();
    let mut dead = 0;
    for kill in 0..kills {
        let mut agent = device.start("linux", "force");
        // Evenly spread, in an order that jumps (multiples of the golden ratio).
        let share = (f64::from(kill) * 0.618_034).fract();
        std::thread::sleep(whole.mul_f64(share));
        let _ended = agent.kill();
        dead += u32::from(killed(agent.wait().unwrap()));
        assert!(device.holds(), "kill {kill} at {share:.3} of a rotation");
        *states.entry(device.state()).or_default() += 1;
        if kill % 10 == 9 {
            device.settles("linux");
        }
    }
    device.settles("linux");
    println!("  {dead} of {kills} agents killed within {whole:.2?}; journals said {states:?}");
    assert!(dead * 2 > kills, "most kills must hit a living agent");
}

fn kills_in_every_write_leave_a_candidate_that_matches() {
    let device = Device::new("write");
    let trace = device.bench.path("trace");
    let strace = |options: &[&str]| {
        let agent = device.command("linux", "force", None);
        let mut strace = Command::new("strace");
        strace.arg("-qq").arg("-o").arg(&trace).args(options);
        strace.arg(agent.get_program()).args(agent.get_args()).stdout(Stdio::null());
        strace.status().unwrap_or_else(|error| unreachable!("strace is needed: {error}"))
    };
    // Children are not followed: these are the agent's own journal and the vault.
    assert!(strace(&["-e", &format!("trace={WRITES}")]).success());
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in fs::read_to_string(&trace).unwrap().lines() {
        if let Some((name, _)) = line.split_once('(') {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }
    let points: Vec<(&String, usize)> =
        counts.iter().flat_map(|(name, count)| (1..=*count).map(move |nth| (name, nth))).collect();
    let mut dead = 0_usize;
    for (name, nth) in &points {
        let inject = format!("inject={name}:signal=KILL:when={nth}");
        dead += usize::from(killed(strace(&["-e", &format!("trace={name}"), "-e", &inject])));
        assert!(device.holds(), "killed in {name} number {nth}");
        if dead.is_multiple_of(8) {
            device.settles("linux");
        }
    }
    device.settles("linux");
    println!("  a rotation makes {counts:?}; killed in {dead}");
    // A rotation that finds another journal than the one that was counted may make fewer calls.
    assert!(dead * 10 > points.len() * 8, "most of the calls must be reached");
}

/// What the documentation of `laps_host::agent` states.
fn syncs_of_a_whole_rotation_are_those_that_are_stated() {
    let device = Device::new("syncs");
    let trace = device.bench.path("trace");
    let syncs = |mode: &str| {
        let agent = device.command("linux", mode, None);
        let mut strace = Command::new("strace");
        strace
            .args(["-qq", "-y", "-e", "signal=none", "-e", "trace=fsync,fdatasync", "-o"])
            .arg(&trace);
        let status = strace.arg(agent.get_program()).args(agent.get_args()).status();
        assert!(status.unwrap_or_else(|error| unreachable!("strace is needed: {error}")).success());
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for line in fs::read_to_string(&trace).unwrap().lines() {
            let file = line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).unwrap().0;
            let name = Path::new(file).file_name().unwrap().to_string_lossy().into_owned();
            *counts.entry(name).or_default() += 1;
        }
        counts
    };
    let rotation = syncs("force");
    let idle = syncs("once");
    println!("  a rotation: {rotation:?}; nothing due: {idle:?}");
    let of = |counts: &BTreeMap<String, usize>, name: &str| counts.get(name).copied().unwrap_or(0);
    // The rest is the folder of the vault, in which SQLite makes its log again: once a process.
    let names = ["journal.new", "state", "vault-wal"];
    assert_eq!(names.map(|name| of(&rotation, name)), [3, 3, 3]);
    assert_eq!(rotation.values().sum::<usize>(), 10);
    assert_eq!(names.map(|name| of(&idle, name)), [0, 0, 1]);
    assert_eq!(idle.values().sum::<usize>(), 2);
}

fn a_setter_that_outlives_its_agent_is_waited_for() {
    let device = Device::new("outlive");
    let folder = device.bench.folder.path().display().to_string();
    let setter = script(
        device.bench.folder.path(),
        &format!("touch {folder}/begun; sleep 0.7; /usr/sbin/chpasswd; touch {folder}/ended"),
    );
    let store = format!("setter:{}", setter.display());
    let before = device.real.shadow();
    let mut agent = device.start(&store, "force");
    while !device.bench.path("begun").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!(device.real.shadow(), before);
    assert!(device.holds());
    // The next agent waits for it, finds that the account changed, and goes on from there.
    assert_eq!(device.finish("linux").code(), Some(0));
    assert!(device.bench.path("ended").exists(), "the next agent did not wait");
    assert_ne!(device.real.shadow(), before);
    device.settles("linux");
}

fn a_hanging_setter_of_a_killed_agent_is_ended() {
    let device = Device::new("hang");
    let folder = device.bench.folder.path().display().to_string();
    let setter = script(
        device.bench.folder.path(),
        &format!("sleep 600 & echo $! > {folder}/child; touch {folder}/begun; wait"),
    );
    let store = format!("setter:{}", setter.display());
    let mut agent = device.start(&store, "force");
    while !device.bench.path("begun").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    agent.kill().unwrap();
    agent.wait().unwrap();
    device.settles("linux");
    let child = fs::read_to_string(device.bench.path("child")).unwrap();
    let stat = fs::read_to_string(Path::new("/proc").join(child.trim()).join("stat"));
    assert!(
        stat.is_ok_and(|stat| stat.contains(") Z "))
            || !Path::new("/proc").join(child.trim()).exists()
    );
}

fn sigterm_in_the_middle_of_a_setter_stops_cleanly() {
    let device = Device::new("term");
    let folder = device.bench.folder.path().display().to_string();
    let setter = script(
        device.bench.folder.path(),
        &format!("touch {folder}/begun; sleep 0.5; exec /usr/sbin/chpasswd"),
    );
    device.bench.order();
    let mut agent = device.start(&format!("setter:{}", setter.display()), "run");
    while !device.bench.path("begun").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let term = Command::new("kill").args(["-TERM", &agent.id().to_string()]).status().unwrap();
    assert!(term.success());
    assert_eq!(agent.wait().unwrap().code(), Some(0));
    assert!(device.holds());
    device.settles("linux");
}

fn sigterm_at_any_moment_stops_cleanly() {
    let device = Device::new("terms");
    let started = Instant::now();
    assert_eq!(device.start("linux", "force").wait().unwrap().code(), Some(0));
    let whole = started.elapsed();
    let mut states: BTreeMap<String, u32> = BTreeMap::new();
    for stop in 0..16 {
        // An order for a password that was made on an order waits.
        assert_eq!(device.start("linux", "force").wait().unwrap().code(), Some(0));
        device.bench.order();
        let mut command = device.command("linux", "run", None);
        let mut agent = command.stdout(Stdio::piped()).spawn().unwrap();
        // Not before it says something: until then nothing answers the signal but its default.
        let mut output = agent.stdout.take().unwrap();
        output.read_exact(&mut [0]).unwrap();
        std::thread::sleep(whole.mul_f64(f64::from(stop) / 12.0));
        let term = Command::new("kill").args(["-TERM", &agent.id().to_string()]).status().unwrap();
        assert!(term.success());
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        assert_eq!(agent.wait().unwrap().code(), Some(0), "stop {stop}");
        assert!(rest.lines().any(|line| line.contains("\"stopped\"")), "stop {stop}: {rest}");
        assert!(device.holds(), "stop {stop}");
        *states.entry(device.state()).or_default() += 1;
        device.settles("linux");
    }
    println!("  stopped within {whole:.2?}; journals said {states:?}");
}

/// The calls that change files.
const WRITES: &str = "write,pwrite64,fsync,fdatasync,ftruncate,rename,unlink";
