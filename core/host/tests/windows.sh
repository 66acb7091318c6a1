#!/bin/bash
# Builds the test of the Windows account store with Debian's Rust and mingw, and runs it under Wine.
# usage: core/host/tests/windows.sh    (after ffi/tests/windows.sh, which installs what this needs and has built half of it)
cd "$(dirname "$0")/../../.."
. ffi/tests/loud.sh
root=$PWD
target=${LAPS_WINDOWS_TARGET:-$root/target/windows}
out=$target/store
alone "$target.lock"
rm -rf "$out" && mkdir -p "$out"
echo "building the test of the Windows account store"
(cd core/host && RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS='' /usr/bin/cargo test -q --no-run --no-default-features --features refusal-texts \
    --test windows_store --profile c-library --target x86_64-pc-windows-gnu -Zbuild-std=std,panic_unwind \
    -Zbuild-std-features=panic-unwind --target-dir "$target")
newest=$(ls -t "$target"/x86_64-pc-windows-gnu/c-library/deps/windows_store-*.exe | head -n 1)
cp "$newest" "$out/windows_store.exe"
x86_64-w64-mingw32-gcc -std=c99 -O1 -shared -Wall -Wextra -Werror core/host/tests/windows/netapi32.c -o "$out/netapi32.dll" \
    -ladvapi32
# Wine 8 has no bcryptprimitives.dll, where Rust's library finds its random numbers.
x86_64-w64-mingw32-gcc -O1 -shared ffi/windows/bcryptprimitives.c -ladvapi32 -o "$out/bcryptprimitives.dll"
. ffi/windows/wine.sh "$target" 'bcryptprimitives,netapi32=n'
cd "$out"
within 1200 $wine ./windows_store.exe > log 2>&1 || { cat log; exit 1; }
tr -d '\r' < log | grep 'test result'
