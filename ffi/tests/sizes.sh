#!/bin/sh
# The stripped shared libraries stay below their limits: agent 1 MiB, full 2.5 MiB (Linux).
# usage: ffi/tests/sizes.sh
set -eu
cd "$(dirname "$0")/../.."
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
size() { # NAME LIMIT [cargo arguments]
    name=$1 limit=$2; shift 2
    cargo build -q -p laps-ffi --release --target-dir "$target/sizes-$name" "$@"
    strip -o "$target/sizes-$name/liblaps.so" "$target/sizes-$name/release/liblaps.so"
    bytes=$(wc -c < "$target/sizes-$name/liblaps.so")
    echo "liblaps.so ($name): $bytes bytes of $limit"
    [ "$bytes" -le "$limit" ] || { echo "liblaps.so ($name) is above its limit"; exit 1; }
}
size agent 1048576 --no-default-features
size full 2621440
