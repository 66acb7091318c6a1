//! A fleet that is enrolled within an hour: the load that its rotations make, hour by hour, and
//! what a storm makes of it.
//!
//! Every device is the real machine with the vault's real rules. They share nothing but the
//! calendar, so they are lived through one after the other. `LAPS_PROOFS=1` takes 100 000 devices
//! that check in every six hours, for 92 days (build for release); without it 10 000 with
//! daily check-ins, for 35 days. `LAPS_FLEET_CSV=FILE` writes the load of the quiet fleet: the
//! source of the plot in `FLEET.md`.

use core::fmt::Write as _;

use laps_core::identity::Timestamp;
use laps_core::rotation::event::EventKind;
use laps_core::rotation::{Config, DAY, Effect, FollowUp, Rotation};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::world::{START, World, config};

const HOUR: u64 = 3600;
const YEAR: u64 = 365 * DAY;

/// What happens to every device of the fleet.
#[derive(Clone, Copy, Debug)]
enum Shock {
    /// The account is used.
    Used,
    /// The clock says so many seconds more than the true time.
    Clock(i64),
    /// The clock starts at 1970.
    ClockLost,
}

#[derive(Clone, Copy)]
struct Fleet {
    devices: u64,
    days: u64,
    config: Config,
}

impl Fleet {
    fn new() -> Self {
        let mut config = config();
        config.post_authentication_delay_seconds = DAY;
        config.post_authentication_actions = FollowUp::from_setting(1).unwrap();
        if std::env::var_os("LAPS_PROOFS").is_some() {
            config.check_in_seconds = 6 * HOUR;
            return Self { devices: 100_000, days: 92, config };
        }
        config.check_in_seconds = DAY;
        Self { devices: 10_000, days: 35, config }
    }

    /// Rotations an hour when they are spread evenly over the jitter's window.
    fn even(&self) -> f64 {
        let share = self.config.max_age_seconds * u64::from(self.config.jitter_percent) / 100;
        as_float(self.devices) / as_float(share / HOUR)
    }

    fn live(&self, shocks: &[(u64, Shock)]) -> Load {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            let parts: Vec<_> = (0..threads)
                .map(|part| {
                    let devices = (0..self.devices).skip(part).step_by(threads);
                    scope.spawn(move || {
                        let mut load = Load::new(self.days);
                        devices.for_each(|device| load.add(&self.life(device, shocks), shocks));
                        load
                    })
                })
                .collect();
            let mut load = Load::new(self.days);
            parts.into_iter().for_each(|part| load.join(&part.join().unwrap()));
            load
        })
    }

    /// When this device's passwords were committed, in seconds of true time.
    fn life(&self, device: u64, shocks: &[(u64, Shock)]) -> Vec<u64> {
        let mut random = ChaCha8Rng::seed_from_u64(device);
        let mut time = random.next_u64() % HOUR;
        let mut wall = Wall::Ahead(0);
        let machine = Rotation::new(self.config, wall.says(time)).unwrap();
        let mut world = World::from_machine(self.config, machine);
        world.now = wall.says(time);
        let mut shocks = shocks.iter().peekable();
        let mut commits = Vec::new();
        while time < self.days * DAY {
            let waits = (0..200).find_map(|_| {
                world.entropy = random.next_u64();
                let steps = world.step();
                commits.extend(
                    world.events.drain(..).filter(|e| e.kind == EventKind::Committed).map(|_| time),
                );
                (!steps).then(|| world.machine.poll())
            });
            let Some(Effect::WaitUntil(at)) = waits else { panic!("a hot loop: {waits:?}") };
            time += at.seconds_since(world.now).max(1);
            let shock = shocks.next_if(|(at, _)| *at <= time);
            if let Some((at, shock)) = shock {
                time = *at;
                match shock {
                    Shock::Used => world.machine.handle_used(wall.says(time), wall.says(time)),
                    Shock::Clock(by) => wall = Wall::Ahead(*by),
                    Shock::ClockLost => wall = Wall::Since(time),
                }
            }
            world.now = wall.says(time);
            world.machine.handle_timeout(world.now);
        }
        world.assert_settled();
        commits
    }
}

/// What the clock of a device says.
#[derive(Clone, Copy)]
enum Wall {
    Ahead(i64),
    /// Seconds since then, from 1970 on.
    Since(u64),
}

impl Wall {
    fn says(self, time: u64) -> Timestamp {
        match self {
            Self::Ahead(by) => {
                let seconds = START.plus(time).as_unix_seconds();
                Timestamp::from_unix_seconds(seconds.checked_add_signed(by).unwrap())
            }
            Self::Since(then) => Timestamp::from_unix_seconds(time - then),
        }
    }
}

/// The rotations of a fleet.
struct Load {
    hours: Vec<u64>,
    /// Devices by how often they rotated within twenty days after the first shock.
    after_shock: [u64; 8],
}

impl Load {
    fn new(days: u64) -> Self {
        Self { hours: vec![0; usize::try_from(days * 24 + 24).unwrap()], after_shock: [0; 8] }
    }

    fn add(&mut self, commits: &[u64], shocks: &[(u64, Shock)]) {
        for time in commits {
            self.hours[usize::try_from(time / HOUR).unwrap()] += 1;
        }
        if let Some((at, _)) = shocks.first() {
            let after = commits.iter().filter(|time| (*at..at + 20 * DAY).contains(time)).count();
            self.after_shock[after.min(7)] += 1;
        }
    }

    fn join(&mut self, other: &Self) {
        self.hours.iter_mut().zip(&other.hours).for_each(|(sum, part)| *sum += part);
        self.after_shock.iter_mut().zip(&other.after_shock).for_each(|(sum, part)| *sum += part);
    }

    fn peak_from(&self, hour: usize) -> u64 {
        self.hours.iter().skip(hour).copied().max().unwrap()
    }
}

fn as_float(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}

#[test]
fn a_fleet_enrolled_within_an_hour_never_rotates_in_one() {
    let fleet = Fleet::new();
    let load = fleet.live(&[]);
    // Every device in the first hour (the last of them may end in the second), then again within
    // its window.
    let enrolled: u64 = load.hours.iter().take(2).sum();
    assert_eq!(enrolled, fleet.devices);
    let first: u64 = load.hours.iter().skip(2).take(30 * 24).sum();
    assert_eq!(first, fleet.devices, "everyone rotates once more within the age");
    let (peak, even) = (load.peak_from(2), fleet.even());
    println!("{} devices: {even:.0} an hour when even, {peak} at most", fleet.devices);
    assert!(as_float(peak) <= 1.5 * even, "{peak}");
    if let Some(file) = std::env::var_os("LAPS_FLEET_CSV") {
        let mut text = format!("# {} devices, {even:.1} an hour when even\n", fleet.devices);
        let whole = usize::try_from(fleet.days * 24).unwrap();
        for (hour, rotations) in load.hours.iter().take(whole).enumerate() {
            writeln!(text, "{hour},{rotations}").unwrap();
        }
        std::fs::write(file, text).unwrap();
    }
}

#[test]
fn without_jitter_the_limit_would_be_broken() {
    let mut fleet = Fleet::new();
    let even = fleet.even();
    fleet.devices = fleet.devices.min(1000);
    fleet.days = 35;
    fleet.config.jitter_percent = 0;
    let peak = fleet.live(&[]).peak_from(2);
    assert!(as_float(peak) > 0.4 * as_float(fleet.devices), "{peak}, {even}");
}

/// Five days after the enrolment, when nothing is due before the 27th day.
#[track_caller]
fn storm(name: &str, shocks: &[(u64, Shock)], expected: usize) {
    let mut fleet = Fleet::new();
    fleet.days = 35.max(fleet.days / 2);
    let load = fleet.live(shocks);
    println!("{name}: devices by rotations within twenty days: {:?}", load.after_shock);
    assert_eq!(load.after_shock[expected], fleet.devices, "{name}: {:?}", load.after_shock);
}

const FIFTH: u64 = 5 * DAY;

#[test]
fn a_storm_of_uses_makes_one_rotation_a_device() {
    // Again and again: before the deadline, and reported again after it.
    let shocks: Vec<_> = (0..20).map(|number| (FIFTH + number * HOUR, Shock::Used)).collect();
    storm("uses", &shocks, 1);
}

#[test]
fn a_jump_of_every_clock_makes_at_most_one_rotation_a_device() {
    let month = i64::try_from(30 * DAY).unwrap();
    let year = i64::try_from(YEAR).unwrap();
    storm("a year ahead", &[(FIFTH, Shock::Clock(year))], 1);
    storm("a month back", &[(FIFTH, Shock::Clock(-month))], 0);
    let and_back = [(FIFTH, Shock::Clock(year)), (FIFTH + HOUR, Shock::Clock(0))];
    storm("a year ahead and back", &and_back, 1);
    let lost = [(FIFTH, Shock::ClockLost), (FIFTH + HOUR, Shock::Clock(0))];
    storm("1970 and back", &lost, 0);
}
