//! Long random lives: everything that can happen, in any order, with real waiting times. The
//! exploration visits every state to its bounds, without time; these walks go far, with time.

use laps_core::rotation::event::Directory;
use laps_core::rotation::message::CheckIn;
use laps_core::rotation::{Acted, Applied, DAY, Effect, FollowUp};

use crate::world::{FAIR, World, config, id};

/// A small generator of choices: the same seed is the same life.
struct Choices(u64);

impl Choices {
    fn next(&mut self) -> u64 {
        // SplitMix64, by Sebastiano Vigna.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        u64::try_from((u128::from(self.next()) * u128::from(bound)) >> 64).unwrap()
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(u64::try_from(all.len()).unwrap())).unwrap()]
    }
}

struct Life {
    world: World,
    choices: Choices,
    old: Vec<CheckIn>,
    seed: u64,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut config = config();
        config.can_verify = seed & 3 != 0;
        let mut world = World::new(config);
        world.run();
        Self { world, choices: Choices(seed), old: Vec::new(), seed }
    }

    /// What holds at every moment.
    fn check(&self, what: &str) {
        let (world, seed) = (&self.world, self.seed);
        let candidates = world.candidates();
        assert!(candidates.contains(&world.account), "{seed}: torn after {what}");
        assert!(candidates.len() <= 16, "{seed}: {} candidates", candidates.len());
        let may_hold = world.machine.status().may_hold;
        assert!(
            may_hold.unknown || may_hold.ids.contains(id(world.account)),
            "{seed}: the device does not know that it may hold {} after {what}",
            world.account
        );
        // The record of every id that may be held is kept beside the journal.
        let keep = world.machine.retained();
        assert!(may_hold.ids.iter().all(|id| keep.contains(id)), "{seed}");
    }

    fn step(&mut self) {
        let choices = &mut self.choices;
        let world = &mut self.world;
        world.entropy = choices.next();
        let lies = world.config.can_verify;
        world.weather = FAIR;
        if choices.one_in(3) {
            let setters = [
                (Applied::Success, true),
                (Applied::Refused, false),
                (Applied::Failed, false),
                (Applied::Failed, true),
                (Applied::TimedOut, true),
                (Applied::TimedOut, false),
                (Applied::NotFound, false),
                // Only who can verify survives a setter that reports a success that did not
                // happen.
                (Applied::Success, !lies),
            ];
            world.weather.setter = choices.of(&setters);
            world.weather.vault = choices.one_in(2);
            world.weather.disk = !choices.one_in(4);
            world.weather.account = !choices.one_in(4);
            world.weather.acted = choices.of(&[Acted::Done, Acted::Failed, Acted::NotSupported]);
        }
        match choices.below(40) {
            0..20 => {
                if world.machine.poll() == Effect::CheckIn && choices.one_in(3) {
                    self.exchange();
                    self.check("an exchange");
                    return;
                }
                if !world.step() {
                    let seconds = choices.of(&[1, 10, 60, 900, 3600, DAY, 10 * DAY]);
                    world.pass(seconds);
                }
            }
            20 | 21 => {
                let seconds = choices.below(4000);
                world.pass(seconds);
            }
            22 | 23 => world.restart(),
            24 => {
                if let Effect::Apply { .. } = world.machine.poll() {
                    world.account = world.memory.unwrap();
                    world.restart();
                }
            }
            25 => world.machine.force(world.now),
            26 => world.machine.skip_back_off(world.now),
            27 => world.order(),
            28 => {
                let at = world.now.minus(choices.below(600));
                world.machine.handle_used(at, world.now);
            }
            29 => {
                world.now = world.now.minus(choices.below(40 * DAY));
                world.machine.handle_timeout(world.now);
            }
            30 => {
                world.now = world.now.plus(choices.below(40 * DAY));
                world.machine.handle_timeout(world.now);
            }
            31 => {
                let config = &mut world.config;
                config.max_age_seconds = DAY * (1 + choices.below(60));
                config.demand = [u8::try_from(choices.below(3)).unwrap(); 8];
                config.post_authentication_delay_seconds = choices.below(DAY);
                let actions = FollowUp::from_setting(choices.of(&[0, 1, 3, 5, 11]));
                config.post_authentication_actions = actions.unwrap();
                config.directory = choices.of(&[
                    Some(Directory::Entra),
                    Some(Directory::ActiveDirectory),
                    None,
                    Some(Directory::Entra),
                ]);
                world.machine.handle_config(world.config, world.now).unwrap();
            }
            32 => world.machine.handle_check_in_failed(world.now, world.entropy),
            33..36 if !self.old.is_empty() => {
                let message = choices.of(&self.old);
                world.deliver(&message);
            }
            _ => {}
        }
        self.world.drain();
        self.check("a step");
    }

    /// A check-in whose message, or whose answer, may be lost, or arrive more than once.
    fn exchange(&mut self) {
        let world = &mut self.world;
        let message = world.send();
        self.old.push(message);
        if self.choices.one_in(3) {
            return;
        }
        let mut answer = world.deliver(&message);
        if self.choices.one_in(3) {
            answer = world.deliver(&message);
        }
        if self.choices.one_in(3) {
            world.machine.handle_check_in_failed(world.now, world.entropy);
            return;
        }
        world.machine.handle_answer(&answer, world.now, world.entropy).unwrap();
    }

    /// Once nothing fails any more, one candidate remains, and it is the device's.
    fn end(mut self) {
        let world = &mut self.world;
        world.weather = FAIR;
        world.config.directory = Some(Directory::Entra);
        world.machine.handle_config(world.config, world.now).unwrap();
        if world.vault.managed.candidates.len() == 16
            || world.machine.status().may_hold.ids.len() == 16
        {
            // Full: an administrator has to remove some (protocol §2.10).
            return;
        }
        world.live(4 * DAY);
        if !world.config.can_verify {
            world.machine.force(world.now);
            world.live(DAY);
        }
        world.assert_settled();
    }
}

#[test]
fn no_life_however_hard_loses_a_password_and_each_ends_well() {
    let (lives, steps) =
        if std::env::var_os("LAPS_PROOFS").is_some() { (100_000, 400) } else { (300, 400) };
    let mut made = 0;
    for seed in 0..lives {
        let mut life = Life::new(seed);
        for _ in 0..steps {
            // The numbers of the records are bytes here.
            if life.world.versions.len() > 200 {
                break;
            }
            life.step();
        }
        made += life.world.versions.len();
        life.end();
    }
    println!("{lives} lives, {made} passwords");
    assert!(made > usize::try_from(lives).unwrap() * 3);
}
