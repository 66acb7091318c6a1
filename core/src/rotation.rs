//! Rotation: replacing a password in journalled steps, so that no crash, refusal or lost message can lose it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`message`] | the check-in and its answer: bytes that device and vault exchange |
//! | [`event`] | what a step reports: names, Windows' ids, reasons |
//! | [`set`] | small sorted sets of record ids |

pub mod event;
pub mod message;
pub mod set;
mod wire;
