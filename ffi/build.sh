#!/bin/sh
# Builds the C library as it is shipped: small, stripped, nothing visible but laps_*.
# usage: ffi/build.sh agent|full FOLDER      FOLDER gets liblaps.so and liblaps.a
set -eu
# The vault uses no full-text search, no trees of rectangles, no loaded extension. A commit syncs data, not times.
sqlite="-USQLITE_ENABLE_FTS3 -USQLITE_ENABLE_FTS3_PARENTHESIS -USQLITE_ENABLE_FTS5 -USQLITE_ENABLE_RTREE \
-USQLITE_ENABLE_STAT4 -USQLITE_ENABLE_DBSTAT_VTAB -USQLITE_SOUNDEX -USQLITE_ENABLE_LOAD_EXTENSION -DSQLITE_OMIT_LOAD_EXTENSION -DHAVE_FDATASYNC"
[ "${1:-}" != flags ] || { echo "$sqlite"; exit 0; } # for windows.sh
[ $# = 2 ] || { sed -n '2,3s/^# //p' "$0"; exit 2; }
build=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."
case $build in
    agent) set -- --no-default-features ;;
    full) set -- ;;
    panics) set -- --features panic-for-tests ;; # for ffi/tests/sizes.sh only
    *) echo "a build is agent or full, not $build"; exit 2 ;;
esac
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/c-library
export LIBSQLITE3_FLAGS="$sqlite"
mkdir -p "$target"
# One at a time: all builds leave their libraries in one place before they are copied.
if command -v flock > /dev/null; then
    exec 8> "$target.lock"
    flock 8
fi

# Where Rust links with its own lld, also without what prints backtraces (src/backtrace.rs): a second version
# script keeps that name inside, which other linkers do not take.
set -- "$@" --
minor=$(rustc --version | sed 's/^rustc 1\.\([0-9]*\)\..*/\1/')
if [ "$(rustc -vV | sed -n 's/^host: //p')" = x86_64-unknown-linux-gnu ] && [ "$minor" -ge 90 ]; then
    echo '{ local: _Unwind_Backtrace; };' > "$target/inside.map"
    set -- "$@" --cfg laps_no_backtrace -C "link-arg=-Wl,--version-script=$target/inside.map"
fi
# The crate types are named here because Cargo optimises across crates only where no rlib is asked for.
cargo rustc -q -p laps-ffi --lib --crate-type cdylib,staticlib --profile c-library --target-dir "$target" "$@"
cp "$target/c-library/liblaps.so" "$out/liblaps.so"
# One object in which only laps_* is visible: a program may have a SQLite, or another library in Rust, of its own.
ld -r --force-group-allocation -o "$target/laps.o" --whole-archive "$target/c-library/liblaps.a"
objcopy --strip-debug --remove-section=.llvmbc --remove-section=.llvmcmd --wildcard --keep-global-symbol='laps_*' "$target/laps.o"
rm -f "$out/liblaps.a"
ar rcs "$out/liblaps.a" "$target/laps.o"
