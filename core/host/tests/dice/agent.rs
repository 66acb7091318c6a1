//! One agent in a process of its own, and how the walk starts it.

use alloc::sync::Arc;
use core::sync::atomic::AtomicBool;
use core::time::Duration;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use laps_core::identity::{DeviceId, Scope};
use laps_core::vault::Vault;
use laps_host::account::command::CommandStore;
use laps_host::agent::channel::VaultChannel;
use laps_host::agent::event::AgentEvent;
use laps_host::agent::{Agent, AgentOptions, PolicySource, RunOutcome};
use laps_host::sqlite::SqliteStore;
use laps_testkit::kill::dies_at;

use super::script::{End, Run};

/// The account's program, as everything else, is in the folder of all devices: the first argument
/// is the device's, then verb and account.
pub(crate) const STORE: &str = r#"
D=$1; A=$D/accounts/$3; S=; [ -e "$D/setter" ] && read -r S < "$D/setter"
[ -e "$A" ] || exit 12
case $2 in
exists) ;;
set)
    IFS= read -r password
    [ "$S" = fails ] && exit 1
    [ "$S" = refuses ] && exit 10
    printf %s "$password" > "$D/new" && mv "$D/new" "$A" && echo "$3" >> "$D/changes" || exit 1
    [ "$S" = late ] && exit 1; exit 0 ;;
verify)
    IFS= read -r password; IFS= read -r held < "$A"
    [ "$password" = "$held" ] || exit 13 ;;
used-since) [ -e "$D/used" ] && cat "$D/used"; exit 0 ;;
*) exit 11 ;;
esac"#;

/// How the agent is told to take the vault's log as it is.
pub(crate) const ACKNOWLEDGE: &str = "acknowledge";

/// `FOLDER DEVICE once|force|run|acknowledge [STEP]`. Exits with the status of the command line.
pub(crate) fn agent(arguments: &[String]) -> ! {
    let [folder, name, mode, step @ ..] = arguments else { unreachable!("see above") };
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&stop)).unwrap();
    let root = Path::new(folder);
    let own = root.join(name);
    let device = DeviceId::new(name).unwrap();
    let readers = fs::read_to_string(own.join("readers")).unwrap();
    let readers = readers.lines().map(|line| line.parse().unwrap()).collect();
    let policy = PolicySource::Files(vec![own.join("policy.json")]);
    let mut options = AgentOptions::new(device, readers, policy, own.join("state"));
    options.setter_timeout = Duration::from_secs(5);
    options.patience = Duration::ZERO;
    options.acknowledge_log = mode == ACKNOWLEDGE;
    let vault = Vault::from_system(SqliteStore::open(root.join("vault")).unwrap());
    let store = format!("{} {}", root.join("store.sh").display(), own.display());
    let (store, channel) = dies_at(
        step.first(),
        own.join("state"),
        Box::new(CommandStore::new(&store).unwrap()),
        VaultChannel::new(vault, Scope::EMPTY, device),
    );
    let sink = Box::new(|event: &AgentEvent| println!("{}", event.to_json()));
    let mut agent = Agent::open(options, store, channel, sink).unwrap();
    let status = if mode == "run" {
        agent.run(&stop, Duration::from_secs(60)).map(|()| 0)
    } else {
        agent.run_once_until(mode == "force", &stop).map(RunOutcome::exit_status)
    };
    match status {
        Ok(status) => std::process::exit(i32::from(status)),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1)
        }
    }
}

/// An agent that runs.
pub(crate) struct Running {
    child: Child,
    end: End,
}

/// How it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ended {
    /// By itself, with this status.
    Status(i32),
    Stopped,
    Killed,
}

impl Running {
    pub(crate) fn start(root: &Path, name: &str, mode: &str, end: End, ahead: u64) -> Self {
        let events = File::options().create(true).append(true).open(root.join(name).join("events"));
        let events = events.unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("agent").arg(root).args([name, mode]);
        if let End::KilledAt(step) = end {
            command.arg(step.name());
        }
        command.env("LD_PRELOAD", root.join("clock.so"));
        command.env("LAPS_DICE_CLOCK", ahead.to_string());
        command.stdout(events.try_clone().unwrap()).stderr(events).stdin(Stdio::null());
        Self { child: command.spawn().unwrap(), end }
    }

    pub(crate) const fn mode(run: &Run) -> &'static str {
        match (run.stays, run.force) {
            (true, _) => "run",
            (false, true) => "force",
            (false, false) => "once",
        }
    }

    /// When it is to be killed or stopped.
    pub(crate) const fn moment(&self) -> u64 {
        match self.end {
            End::Killed(moment) | End::Terminated(moment) => moment,
            End::ByItself | End::KilledAt(_) => u64::MAX,
        }
    }

    pub(crate) fn strike(&mut self) {
        if matches!(self.end, End::Terminated(_)) {
            let id = rustix::process::Pid::from_child(&self.child);
            // It may have ended, and is not waited for yet: its number is nobody else's.
            let _ended = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        } else {
            let _ended = self.child.kill();
        }
    }

    pub(crate) fn wait(mut self) -> Ended {
        let status = self.child.wait().unwrap();
        match (status.code(), self.end) {
            (None, _) => Ended::Killed,
            (Some(_), End::Terminated(_)) => Ended::Stopped,
            (Some(status), _) => Ended::Status(status),
        }
    }
}
