//! The cases of account choice that every face is held to, with the texts of their refusals; and
//! the texts of SIDs.

use std::{fs, path::Path};

use laps_core::account::{LocalAccount, Sid, choose};
use laps_core::identity::AccountName;
use laps_core::policy::{evaluate, read};
use serde_json::{Value, json};

fn cases() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/policy/accounts.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_managed_account_is_chosen_or_refused_with_its_reason() {
    let all = cases();
    assert!(!all["choices"].as_array().unwrap().is_empty());
    for case in all["choices"].as_array().unwrap() {
        let document =
            json!({"BackupDirectory": 1, "AdministratorAccountName": case["configured"]});
        let evaluation = evaluate(&[read(document.to_string().as_bytes(), "policy.json").unwrap()]);
        let policy = evaluation.policy.unwrap();
        let accounts: Vec<LocalAccount> = case["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|account| LocalAccount {
                name: AccountName::new(account[0].as_str().unwrap()).unwrap(),
                sid: account[1].as_str().map(|sid| sid.parse().unwrap()),
                enabled: true,
            })
            .collect();
        match choose(policy.administrator_account_name(), &accounts) {
            Ok(chosen) => {
                let index = case["chosen"].as_u64().and_then(|index| usize::try_from(index).ok());
                assert_eq!(accounts.get(index.unwrap()), Some(chosen), "{}", case["case"]);
            }
            Err(error) => {
                assert_eq!(json!(error.to_string()), case["refused"], "{}", case["case"]);
                assert_eq!(json!(error.code().as_u16()), case["code"], "{}", case["case"]);
                assert_eq!(error.event_id(), 10013);
            }
        }
    }
}

#[test]
fn sids_are_read_strictly_and_printed_as_they_were_read() {
    let all = cases();
    for text in all["sids"]["accepted"].as_array().unwrap() {
        let text = text.as_str().unwrap();
        assert_eq!(text.parse::<Sid>().unwrap().to_string(), text);
    }
    for text in all["sids"]["refused"].as_array().unwrap() {
        assert!(text.as_str().unwrap().parse::<Sid>().is_err(), "{text}");
    }
}
