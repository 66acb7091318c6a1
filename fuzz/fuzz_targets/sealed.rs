//! `cargo fuzz run sealed`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| laps_fuzz::sealed(data));

#[cfg(not(fuzzing))]
fn main() {
    laps_fuzz::replay_arguments(laps_fuzz::sealed);
}
