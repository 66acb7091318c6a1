#!/bin/bash
# Random sequences of calls of laps.h under AddressSanitizer, with a library that is instrumented too.
# usage: ffi/tests/fuzz.sh [SEQUENCES] [SEED]      (the gate has a short run without instrumenting: run.sh)
cd "$(dirname "$0")/../.."
. ffi/tests/loud.sh
sequences=${1:-1000000} seed=${2:-$(date +%s)}
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
host=$(rustc -vV | sed -n 's/^host: //p')
# The sanitizer is not a stable flag of the compiler; its runtime is the one of gcc, which links the program.
RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address -Zexternal-clangrt" CARGO_PROFILE_RELEASE_LTO=false \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=line-tables-only \
    cargo rustc -q --release -p laps-ffi --lib --crate-type staticlib --features panic-for-tests --target "$host" \
    --target-dir "$target/asan"
out=$target/abi-fuzz
alone "$out.lock"
rm -rf "$out" && mkdir -p "$out"
python3 ffi/tests/fuzz_calls.py ffi/include/laps.h > "$out/fuzz.c"
gcc -std=gnu11 -Wall -Wextra -Werror -g -O1 -fsanitize=address -Iffi/include -Iffi/tests/c -Iffi/tests "$out/fuzz.c" \
    "$target/asan/$host/release/liblaps.a" -lpthread -ldl -lm -o "$out/fuzz"
cd "$out"
export RUST_BACKTRACE=0
if ./fuzz overrun > overrun.log 2>&1 || ! grep -q 'AddressSanitizer: heap-buffer-overflow' overrun.log; then
    echo "the sanitizer does not see what the library writes"; exit 1
fi
echo "seed $seed"
./fuzz "$sequences" "$seed" 2> fuzz.err || { grep -v 'forced by a test' fuzz.err | tail -n 60; exit 1; }
