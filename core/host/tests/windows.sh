#!/bin/sh
# Builds the test of the Windows account store with Debian's Rust and mingw, and runs it under Wine.
# usage: core/host/tests/windows.sh [TARGET_FOLDER]   (ffi/tests/windows.sh installs what this needs)
set -eu
cd "$(dirname "$0")/../../.."
root=$PWD
target=${1:-$root/target/windows/host}
mkdir -p "$target/run"
echo "building the test of the Windows account store"
(cd core/host && RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS='' /usr/bin/cargo test -q --no-run --no-default-features \
    --test windows_store --target x86_64-pc-windows-gnu -Zbuild-std=std,panic_unwind --target-dir "$target")
newest=$(ls -t "$target"/x86_64-pc-windows-gnu/debug/deps/windows_store-*.exe | head -n 1)
cp "$newest" "$target/run/windows_store.exe"
x86_64-w64-mingw32-gcc -std=c99 -O1 -shared -Wall -Wextra -Werror core/host/tests/windows/netapi32.c -o "$target/run/netapi32.dll" \
    -ladvapi32
# Wine 8 has no bcryptprimitives.dll, where Rust's library finds its random numbers.
x86_64-w64-mingw32-gcc -O1 -shared ffi/windows/bcryptprimitives.c -ladvapi32 -o "$target/run/bcryptprimitives.dll"
export WINEPREFIX="$target/wine" WINEDEBUG=-all WINEDLLOVERRIDES='bcryptprimitives,netapi32=n;mscoree=;mshtml='
wine=/usr/lib/wine/wine64
[ -d "$WINEPREFIX" ] || { echo "making a Wine prefix"; WINEDLLOVERRIDES='mscoree=;mshtml=' $wine wineboot -i > /dev/null 2>&1; }
cd "$target/run"
$wine ./windows_store.exe > log 2>&1 || { cat log; exit 1; }
tr -d '\r' < log | grep 'test result'
