//! `cargo fuzz run reseal`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| laps_fuzz::reseal(data));

#[cfg(not(fuzzing))]
fn main() {
    laps_fuzz::replay_arguments(laps_fuzz::reseal);
}
