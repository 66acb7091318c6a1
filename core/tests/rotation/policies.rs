//! What a policy asks of the machine, and which difference of two policies asks for a rotation.

use laps_core::identity::{AccountName, DeviceId};
use laps_core::policy::{Setting, Settings, Value, asks_for_rotation};
use laps_core::rotation::event::{Directory, EventKind, Reason};
use laps_core::rotation::{Config, DAY, RotationError};

use crate::reasons::{change, settled, settled_with, why};
use crate::world::{START, config};

#[test]
fn a_policy_that_asks_for_a_new_password_gets_one_and_one_that_does_not_does_not() {
    let mut world = settled();
    change(&mut world, |config| {
        config.max_age_seconds = 7 * DAY;
        config.policy_hash = [7; 32];
    });
    assert_eq!(world.account, 1);
    assert_eq!(world.machine.status().due, Some(START.plus(30 * DAY)));
    assert_eq!(world.count(EventKind::PolicyChanged), 1);
    change(&mut world, |config| config.demand = [1; 8]);
    assert_eq!((world.account, why(&world)), (2, Some(Reason::PolicyChanged)));
    assert_eq!(world.machine.status().due, Some(world.now.plus(7 * DAY)));
    world.live(DAY);
    assert_eq!(world.account, 2);
}

#[test]
fn an_expiry_beyond_the_policy_is_moved_by_a_rotation_where_it_is_protected() {
    let mut world = settled();
    change(&mut world, |config| {
        config.max_age_seconds = 7 * DAY;
        config.directory = Some(Directory::ActiveDirectory);
        config.expiry_protection = true;
    });
    assert_eq!((world.account, why(&world)), (2, Some(Reason::ExpiryBeyondPolicy)));
    assert_eq!(world.machine.status().last.and_then(|last| last.id()), Some(10018));
}

#[test]
fn a_config_out_of_range_or_for_another_device_is_refused_and_changes_nothing() {
    let refused = |change: &dyn Fn(&mut Config), field: &'static str| {
        let mut world = settled();
        let before = world.machine.clone();
        let mut config = world.config;
        change(&mut config);
        let error = Err(RotationError::InvalidConfig { field });
        assert_eq!(world.machine.handle_config(config, world.now), error);
        assert_eq!(world.machine, before);
    };
    refused(&|config| config.max_age_seconds = DAY - 1, "max_age_seconds");
    refused(&|config| config.max_age_seconds = 366 * DAY, "max_age_seconds");
    refused(&|config| config.jitter_percent = 51, "jitter_percent");
    refused(&|config| config.plaintext_seconds = 59, "plaintext_seconds");
    refused(&|config| config.check_in_seconds = 59, "check_in_seconds");
    refused(
        &|config| config.post_authentication_delay_seconds = DAY + 1,
        "post_authentication_delay_seconds",
    );
    refused(&|config| config.account = AccountName::EMPTY, "account");
    refused(&|config| config.device = DeviceId::EMPTY, "device");
    refused(&|config| config.device = DeviceId::new("other").unwrap(), "device");
}

#[test]
fn a_policy_is_taken_over_with_its_units() {
    let mut settings = Settings::new();
    settings.set(Setting::BackupDirectory, Value::Number(2)).unwrap();
    settings.set(Setting::PasswordAgeDays, Value::Number(10)).unwrap();
    let policy = settings.policy().unwrap();
    let taken = config().with_policy(&policy);
    assert_eq!(taken.directory, Some(Directory::ActiveDirectory));
    assert_eq!(taken.max_age_seconds, 10 * DAY);
    assert_eq!(taken.post_authentication_delay_seconds, DAY);
    assert!(taken.post_authentication_actions.reset && taken.post_authentication_actions.sign_out);
    assert!(taken.expiry_protection);
    assert_eq!(taken.policy_hash, policy.hash());
    settings.set(Setting::PasswordAgeDays, Value::Number(11)).unwrap();
    let older = config().with_policy(&settings.policy().unwrap());
    assert_eq!(older.demand, taken.demand, "an age asks for nothing");
    settings.set(Setting::BackupDirectory, Value::Number(1)).unwrap();
    let other = config().with_policy(&settings.policy().unwrap());
    assert_ne!(other.demand, taken.demand);
    assert!(!other.expiry_protection);
}

#[test]
fn a_machine_rotates_at_once_exactly_where_the_difference_of_two_policies_says_so() {
    use Setting::{
        ADPasswordEncryptionEnabled as Encryption, ADPasswordEncryptionPrincipal as Principal,
        BackupDirectory, PasswordComplexity, PasswordLength,
    };
    let policy = |pairs: &[(Setting, Value<'_>)]| {
        let mut settings = Settings::new();
        pairs.iter().for_each(|(setting, value)| settings.set(*setting, *value).unwrap());
        settings.policy().unwrap()
    };
    let (entra, ad) = ((BackupDirectory, Value::Number(1)), (BackupDirectory, Value::Number(2)));
    let clear = (Encryption, Value::Switch(false));
    let policies = [
        policy(&[entra]),
        policy(&[entra, clear]),
        policy(&[entra, (PasswordLength, Value::Number(20))]),
        policy(&[ad]),
        policy(&[ad, (PasswordComplexity, Value::Number(5))]),
        policy(&[ad, (PasswordLength, Value::Number(20))]),
        policy(&[ad, (Principal, Value::Text("C\\help"))]),
        policy(&[ad, (Principal, Value::Text("C\\other"))]),
        policy(&[ad, clear]),
        policy(&[ad, clear, (PasswordLength, Value::Number(20))]),
    ];
    let mut rotated = 0;
    for (old, new) in policies.iter().flat_map(|old| policies.iter().map(move |new| (old, new))) {
        let mut world = settled_with(config().with_policy(old));
        world.config = config().with_policy(new);
        world.machine.handle_config(world.config, world.now).unwrap();
        world.run();
        world.assert_settled();
        let said = asks_for_rotation(old, new);
        assert_eq!(world.account == 2, said, "from {old:?} to {new:?}");
        rotated += u32::from(said);
    }
    // Between the directories 3 · 7 each way; another principal 3 · 2 each way and 2; from clear
    // text to encrypted 2 · 5.
    assert_eq!(rotated, 2 * 21 + 2 * 6 + 2 + 10);
}

#[test]
fn encryption_that_was_off_for_a_while_asks_for_nothing() {
    let ad = |encrypted: bool| {
        let mut settings = Settings::new();
        settings.set(Setting::BackupDirectory, Value::Number(2)).unwrap();
        settings.set(Setting::ADPasswordEncryptionEnabled, Value::Switch(encrypted)).unwrap();
        config().with_policy(&settings.policy().unwrap())
    };
    let mut world = settled_with(ad(true));
    for encrypted in [false, true, false] {
        // The password that the device has was made encrypted, whatever the policy said since.
        change(&mut world, |config| *config = ad(encrypted));
        world.restart();
        world.live(DAY);
        assert_eq!(world.account, 1);
    }
    world.machine.force(world.now);
    world.live(DAY);
    assert_eq!(world.account, 2);
    // This one was made in clear text.
    change(&mut world, |config| *config = ad(true));
    world.live(DAY);
    assert_eq!((world.account, why(&world)), (3, Some(Reason::PolicyChanged)));
}
