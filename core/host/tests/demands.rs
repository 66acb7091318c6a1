//! A device whose own password policy asks for more than ours: what is followed, what is not, what
//! is told and kept. Passwords never get weaker by it.
#![cfg(all(target_os = "linux", feature = "agent", feature = "sqlite", feature = "refusal-texts"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

use std::fs;

use laps_core::generate::{Complexity, Recipe};
use laps_core::refusal;
use laps_host::account::linux::LinuxStore;
use laps_host::agent::state::status;
use laps_host::agent::status::AgentStatus;
use laps_host::agent::{Agent, PolicySource, RunOutcome};
use laps_testkit::bench::{Bench, HONEST};
use laps_testkit::real_account::{RealAccount, script};

/// A device whose password policy asks for at least 20 characters and 4 digits, and says one thing
/// at a time.
const DEMANDING: &str = r#"
case $1 in
set) cat > "$D/try"
    echo . >> "$D/tries"
    refuse() { echo "$1" >&2; exit 10; }
    [ "$(wc -c < "$D/try")" -ge 20 ] ||
        refuse "BAD PASSWORD: The password is shorter than 20 characters"
    [ "$(tr -cd 0-9 < "$D/try" | wc -c)" -ge 4 ] || refuse "too few digits: at least 4 digits"
    mv "$D/try" "$D/$2" ;;
verify) cat > "$D/asked"; cmp -s "$D/asked" "$D/$2" || exit 13 ;;
used-since) ;;
*) exit 11 ;;
esac"#;

#[test]
fn a_refusal_that_says_what_it_asks_for_makes_the_recipe_stricter() {
    let bench = Bench::new();
    bench.script(DEMANDING);
    let mut agent = bench.agent();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::Committed);
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    assert!(bench.held().len() == 20 && digits(&bench.held()) >= 4, "not what was asked for");
    let events = bench.events.lock().unwrap().clone();
    let stricter: Vec<_> = events.iter().filter(|event| event.name == "recipe-stricter").collect();
    assert!(stricter[0].message.contains("at least 20 characters"), "{}", stricter[0].message);
    assert!(stricter.len() <= 2);
    // From now on the agent knows: no further password is refused.
    let tries = || fs::read_to_string(bench.path("tries")).unwrap().lines().count();
    let before = tries();
    for _ in 0..5 {
        // By chance the first one may have had four digits; then this is learnt now.
        assert_eq!(agent.run_once(true).unwrap(), RunOutcome::Committed);
    }
    assert!(tries() - before <= 6, "{}", tries() - before);
    assert_eq!(bench.candidates(), [bench.held()]);
}

#[test]
fn a_refusal_that_asks_for_what_our_policy_forbids_never_loosens_it() {
    let bench = Bench::new();
    let mut options = bench.options();
    let letters = r#"{"BackupDirectory":1,"AdministratorAccountName":"Admin",
        "PasswordComplexity":2,"PasswordLength":16}"#;
    options.policy = PolicySource::Texts(vec![("p.json".to_owned(), letters.as_bytes().to_vec())]);
    bench.script(DEMANDING);
    let mut agent = bench.agent_with(options, Box::new(bench.store())).unwrap();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::NotCommitted);
    assert!(!bench.path("Admin").exists());
    let events = bench.events.lock().unwrap().clone();
    let named = |name: &str| events.iter().find(|event| event.name == name);
    assert!(named("recipe-stricter").unwrap().message.contains("at least 20 characters"));
    let refused = named("recipe-not-stricter").unwrap();
    assert!(refused.message.contains("PasswordComplexity"), "{}", refused.message);
    // Two at once, and then it waits.
    assert_eq!(named("password-refused").unwrap().id, Some(10027));
    assert_eq!(events.iter().filter(|event| event.name == "prepared").count(), 3);
    // What was tried had letters only, and 20 of them.
    let tried = fs::read_to_string(bench.path("try")).unwrap();
    assert!(tried.len() == 20 && tried.bytes().all(|byte| byte.is_ascii_alphabetic()));
}

#[test]
fn what_a_device_asked_for_is_forgotten_with_the_policy_that_it_was_asked_under() {
    let bench = Bench::new();
    bench.script(DEMANDING);
    let file = bench.path("policy.json");
    let write = |length: u8| {
        let text = format!(
            r#"{{"BackupDirectory":1,"AdministratorAccountName":"Admin",
            "PasswordLength":{length}}}"#
        );
        fs::write(&file, text).unwrap();
    };
    write(14);
    let mut options = bench.options();
    options.policy = PolicySource::Files(vec![file.clone()]);
    let mut agent = bench.agent_with(options, Box::new(bench.store())).unwrap();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::Committed);
    assert_eq!(bench.held().len(), 20);
    write(30);
    bench.script(HONEST);
    assert_eq!(agent.run_once(true).unwrap(), RunOutcome::Committed);
    assert_eq!(bench.held().len(), 30);
    write(14);
    assert_eq!(agent.run_once(true).unwrap(), RunOutcome::Committed);
    assert!(matches!(bench.held().len(), 14 | 20));
}

/// An agent with a policy of this complexity and length.
fn agent(bench: &Bench, complexity: u8, length: u8) -> Agent {
    let mut options = bench.options();
    let policy = format!(
        r#"{{"BackupDirectory":1,"AdministratorAccountName":"Admin",
        "PasswordComplexity":{complexity},"PasswordLength":{length}}}"#
    );
    options.policy = PolicySource::Texts(vec![("p.json".to_owned(), policy.into_bytes())]);
    bench.agent_with(options, Box::new(bench.store())).unwrap()
}

/// The demands as `agent status` tells them: what, and why not.
fn listed(bench: &Bench) -> Vec<(String, Option<String>)> {
    let found: AgentStatus = status(&bench.path("state")).unwrap();
    found
        .demands
        .into_iter()
        .map(|each| {
            assert_eq!(each.followed, each.why.is_none());
            (each.demand, each.why)
        })
        .collect()
}

/// A device that takes only what `test` says of `$D/try`, and refuses with this text.
fn refusing(test: &str, text: &str) -> String {
    let check = format!(
        "cat > \"$D/try\"; {test} || {{ echo \"{text}\" >&2; exit 10; }}; mv \"$D/try\" \"$D/$2\" \
         ;; never) "
    );
    HONEST.replace("set) ", &format!("set) {check}"))
}

/// Counts the characters of the password: `digits 10` for at least ten of them.
fn least(set: &str, number: u8) -> String {
    format!("[ \"$(tr -cd '{set}' < \"$D/try\" | wc -c)\" -ge {number} ]")
}

#[test]
fn a_demand_that_costs_strength_is_paid_for_in_length() {
    let bench = Bench::new();
    bench.script(&refusing(&least("0-9", 10), "The password contains less than 10 digits"));
    assert_eq!(agent(&bench, 4, 14).run_once(false).unwrap(), RunOutcome::Committed);
    let held = bench.held();
    assert!(held.bytes().filter(u8::is_ascii_digit).count() >= 10);
    // Ten digits among 14 characters, as it would be without the length, are far weaker.
    assert_eq!(held.len(), 17);
    let policy = Recipe::complexity(Complexity::Full, 14).unwrap();
    for (length, is_as_strong) in [(14, false), (17, true)] {
        let sets =
            ["ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", ",.-+;!#&@{}[]$/()%"];
        let recipe = sets.iter().fold(Recipe::builder(length), |all, set| all.group(set, 1, None));
        let recipe = recipe.group("0123456789", 10, None).build().unwrap();
        let at_least = recipe.strength().admissible() >= policy.strength().admissible();
        assert_eq!(at_least, is_as_strong, "{length}");
    }
    assert_eq!(listed(&bench), [("at least 10 digits".to_owned(), None)]);
    let events = bench.events.lock().unwrap();
    let event = events.iter().find(|event| event.name == "recipe-stricter").unwrap();
    assert!(
        event.message.contains("at least 10 digits") && event.message.contains("17 characters"),
        "{}",
        event.message
    );
}

#[test]
fn a_device_that_wants_weaker_passwords_gets_none_and_is_named() {
    for (test, text, demand, why) in [
        (
            "[ \"$(wc -c < \"$D/try\")\" -le 12 ]",
            "too long: at most 12 characters",
            "at most 12 characters",
            "14 characters",
        ),
        (
            "[ \"$(wc -c < \"$D/try\")\" -le 12 ]",
            "Password too long",
            "at most 13 characters",
            "14 characters",
        ),
        // All of it digits.
        (&least("0-9", 64), "at least 64 digits", "at least 64 digits", "64 are the most"),
    ] {
        let bench = Bench::new();
        bench.script(&refusing(test, text));
        assert_eq!(agent(&bench, 4, 14).run_once(false).unwrap(), RunOutcome::NotCommitted);
        assert!(!bench.path("Admin").exists(), "a weak password was set");
        // The policy's own recipe is what was tried.
        assert_eq!(fs::read(bench.path("try")).unwrap().len(), 14);
        let [(said, reason)] = <[_; 1]>::try_from(listed(&bench)).unwrap();
        assert_eq!(said, demand);
        assert!(reason.unwrap().contains(why));
        let events = bench.events.lock().unwrap().clone();
        let named: Vec<_> =
            events.iter().filter(|event| event.name == "recipe-not-stricter").collect();
        assert_eq!(named.len(), 1, "told once");
        let message = &named[0].message;
        for part in [demand, why, "our policy alone", "PasswordLength"] {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(!events.iter().any(|event| event.name == "recipe-stricter"));
        let refused = events.iter().find(|event| event.id == Some(10027)).unwrap();
        // In our words, not in the device's.
        assert_eq!(refused.message.rsplit(": ").next(), Some(&*refusal::worded(text)));
        // The device comes to reason: nothing stands in the way, and nothing is said of it any
        // more.
        bench.script(HONEST);
        assert_eq!(agent(&bench, 4, 14).run_once(false).unwrap(), RunOutcome::Committed);
        assert_eq!(bench.held().len(), 14);
        assert!(listed(&bench).is_empty());
        assert_eq!(bench.candidates(), [bench.held()]);
    }
}

#[test]
fn a_demand_that_leaves_no_length_for_the_strength_is_refused_in_part() {
    let bench = Bench::new();
    let both = format!("[ \"$(wc -c < \"$D/try\")\" -le 16 ] && {}", least("0-9", 10));
    bench.script(&refusing(&both, "at least 10 digits, at most 16 characters"));
    let outcome = agent(&bench, 4, 14).run_once(false).unwrap();
    let told = listed(&bench);
    let why = told.iter().find(|(demand, _)| demand == "at least 10 digits");
    // By chance 14 characters may have ten digits: once in ten thousand.
    if outcome == RunOutcome::NotCommitted {
        let why = why.unwrap().1.as_deref().unwrap();
        assert!(why.contains("16") && why.contains("fewer"), "{why}");
        assert!(!bench.path("Admin").exists());
    }
    assert!(told.contains(&("at most 16 characters".to_owned(), None)));
}

/// Says one demand at a time; no password below forty characters has them all.
const FOUR: [(&str, &str, &str); 4] = [
    ("0-9", "less than 10 digits", "at least 10 digits"),
    ("A-Z", "less than 10 uppercase letters", "at least 10 upper-case letters"),
    ("a-z", "less than 10 lowercase letters", "at least 10 lower-case letters"),
    (",.+;!#&@{}[]$/()%-", "less than 10 special characters", "at least 10 symbols"),
];

#[test]
fn what_is_learnt_adds_up_over_restarts_until_a_password_is_taken() {
    for forgets in [false, true] {
        let bench = Bench::new();
        let mut all = String::from("cat > \"$D/try\"");
        for (set, text, _) in FOUR {
            all += &format!("; {} || {{ echo '{text}' >&2; exit 10; }}", least(set, 10));
        }
        bench.script(
            &HONEST.replace("set) ", &format!("set) {all}; mv \"$D/try\" \"$D/$2\" ;; never) ")),
        );
        let mut outcome = RunOutcome::NotCommitted;
        for _ in 0..4 {
            // Each run is a new process, as a timer starts it; two refusals a run are tried again
            // at once.
            outcome = agent(&bench, 4, 14).run_once(false).unwrap();
            if forgets {
                fs::remove_file(bench.path("state/demands")).unwrap();
            }
        }
        if forgets {
            assert_eq!(outcome, RunOutcome::NotCommitted, "the file is what makes the difference");
            assert!(!bench.path("Admin").exists());
            continue;
        }
        assert!(matches!(outcome, RunOutcome::Committed | RunOutcome::NothingDue));
        assert!(bench.held().len() >= 40);
        let told = listed(&bench);
        for (_, _, demand) in FOUR {
            assert!(told.contains(&(demand.to_owned(), None)), "{told:?}");
        }
        assert_eq!(bench.candidates(), [bench.held()]);
        // Another policy: the device has to ask again.
        bench.script(HONEST);
        assert_eq!(agent(&bench, 4, 15).run_once(true).unwrap(), RunOutcome::Committed);
        assert_eq!(bench.held().len(), 15);
        assert!(listed(&bench).is_empty());
    }
}

#[test]
fn a_device_that_changes_its_mind_is_followed() {
    let bench = Bench::new();
    bench.script(&refusing("[ \"$(wc -c < \"$D/try\")\" -ge 40 ]", "too short: minimum 40"));
    assert_eq!(agent(&bench, 4, 14).run_once(false).unwrap(), RunOutcome::Committed);
    assert_eq!(bench.held().len(), 40);
    bench.script(&refusing("[ \"$(wc -c < \"$D/try\")\" -le 20 ]", "too long: maximum 20"));
    assert_eq!(agent(&bench, 4, 14).run_once(true).unwrap(), RunOutcome::Committed);
    assert_eq!(bench.held().len(), 14);
    assert_eq!(listed(&bench), [("at most 20 characters".to_owned(), None)]);
}

#[test]
fn two_demands_that_contradict_each_other_are_both_named() {
    let bench = Bench::new();
    // Ten digits in sixteen characters are weaker than the policy, and it says one at a time.
    let most = "[ $(wc -c < \"$D/try\") -le 16 ] || { echo 'at most 16 characters' >&2; exit 10; }";
    let check = format!(
        "cat > \"$D/try\"; {most}; {} || {{ echo 'at least 10 digits' >&2; exit 10; }}; mv \
         \"$D/try\" \"$D/$2\" ;; never) ",
        least("0-9", 10)
    );
    bench.script(&HONEST.replace("set) ", &format!("set) {check}")));
    let mut outcome = RunOutcome::NotCommitted;
    for _ in 0..3 {
        outcome = agent(&bench, 4, 14).run_once(false).unwrap();
    }
    // By chance 14 characters have ten digits: once in ten thousand.
    if outcome == RunOutcome::NotCommitted {
        assert!(!bench.path("Admin").exists());
        let told = listed(&bench);
        let named = |demand: &str| told.iter().any(|(said, _)| said == demand);
        assert!(named("at most 16 characters") && named("at least 10 digits"), "{told:?}");
        assert_eq!(told.iter().filter(|(_, why)| why.is_some()).count(), 1);
        assert!(bench.names().contains(&"recipe-not-stricter"));
    }
}

#[test]
fn a_file_of_demands_that_lies_or_is_damaged_makes_no_password_weaker() {
    let bench = Bench::new();
    bench.script(&refusing(&least("0-9", 10), "The password contains less than 10 digits"));
    assert_eq!(agent(&bench, 4, 14).run_once(false).unwrap(), RunOutcome::Committed);
    let file = bench.path("state/demands");
    let kept = fs::read_to_string(&file).unwrap();
    assert!(kept.contains("\"digits\":10") && kept.contains("\"length\":0"));
    bench.script(HONEST);
    for (from, to, length) in [
        ("\"max_length\":null", "\"max_length\":8", 14),
        ("\"digits\":10", "\"digits\":62", 14),
        ("\"max_run\":null", "\"max_run\":0", 18),
        ("\"length\":0", "\"length\":8", 17),
    ] {
        let lie = kept.replacen(from, to, 1);
        assert_ne!(lie, kept);
        fs::write(&file, lie).unwrap();
        assert_eq!(agent(&bench, 4, 14).run_once(true).unwrap(), RunOutcome::Committed);
        assert!((14..=length).contains(&bench.held().len()), "{to}: {}", bench.held().len());
        assert!(length == 14 || bench.held().len() > 16, "{to}: {}", bench.held().len());
    }
    assert!(!bench.names().contains(&"demands-damaged"));
    for damage in ["", "{}", "not a file", &kept[1..]] {
        bench.events.lock().unwrap().clear();
        fs::write(&file, damage).unwrap();
        assert!(listed(&bench).is_empty());
        assert_eq!(agent(&bench, 4, 14).run_once(true).unwrap(), RunOutcome::Committed);
        assert_eq!(bench.held().len(), 14);
        assert!(bench.names().contains(&"demands-damaged"));
    }
}

#[test]
fn a_passphrase_gets_more_words_and_no_digits() {
    let bench = Bench::new();
    let asks = "[ \"$(wc -c < \"$D/try\")\" -ge 20 ]";
    bench.script(&refusing(
        asks,
        "shorter than 20 characters; at least 1 uppercase letter; at least 1 digit",
    ));
    let mut options = bench.options();
    let policy = r#"{"BackupDirectory":1,"AdministratorAccountName":"Admin",
        "PasswordComplexity":7,"PassphraseLength":3}"#;
    options.policy = PolicySource::Texts(vec![("p.json".to_owned(), policy.as_bytes().to_vec())]);
    let run = || {
        bench.agent_with(options.clone(), Box::new(bench.store())).unwrap().run_once(true).unwrap()
    };
    assert_eq!(run(), RunOutcome::Committed);
    let held = bench.held();
    assert!(
        held.len() >= 20 && held.bytes().filter(u8::is_ascii_uppercase).count() == 7,
        "{}",
        held.len()
    );
    assert!(!held.bytes().any(|byte| byte.is_ascii_digit()));
    let names = bench.names();
    assert!(
        names.contains(&"recipe-stricter") && names.contains(&"recipe-not-stricter"),
        "{names:?}"
    );
    // It was taken without the digit.
    let demands = listed(&bench).into_iter().map(|(demand, _)| demand).collect::<Vec<_>>();
    assert_eq!(demands, ["at least 20 characters", "at least 1 upper-case letters"]);
}

#[test]
fn a_real_account_gets_no_weaker_password_either() {
    let (bench, real) = (Bench::new(), RealAccount::new("demands"));
    let mut options = bench.options();
    let policy = format!(r#"{{"BackupDirectory":1,"AdministratorAccountName":"{}"}}"#, real.name);
    options.policy = PolicySource::Texts(vec![("p.json".to_owned(), policy.into_bytes())]);
    let before = real.shadow();
    let run = |test: &str, text: &str| {
        let body = format!(
            "read -r line; password=${{line#*:}}; {test} || \
             {{ echo 'BAD PASSWORD: {text}' >&2; exit 1; }}; printf '%s\\n' \"$line\" | \
             /usr/sbin/chpasswd"
        );
        let setter = script(bench.folder.path(), &body);
        let store = LinuxStore::new().with_setter(&setter);
        bench.agent_with(options.clone(), Box::new(store)).unwrap().run_once(true).unwrap()
    };
    // A setter that takes short passwords only.
    assert_eq!(
        run("[ ${#password} -le 10 ]", "it is too long, at most 10 characters"),
        RunOutcome::NotCommitted
    );
    assert_eq!(real.shadow(), before);
    assert_eq!(listed(&bench)[0].0, "at most 10 characters");
    // One that takes many digits only.
    let digits = "[ $(printf %s \"$password\" | tr -cd 0-9 | wc -c) -ge 10 ]";
    // After three refusals in a row each run tries once: this one learns, the next one knows.
    assert_eq!(run(digits, "The password contains less than 10 digits"), RunOutcome::NotCommitted);
    assert_eq!(real.shadow(), before);
    assert_eq!(run(digits, "no more refusals"), RunOutcome::Committed);
    assert_ne!(real.shadow(), before);
    let [held] = <[String; 1]>::try_from(bench.candidates()).unwrap();
    assert!(held.len() == 17 && held.bytes().filter(u8::is_ascii_digit).count() >= 10);
    assert_eq!(listed(&bench), [("at least 10 digits".to_owned(), None)]);
}
