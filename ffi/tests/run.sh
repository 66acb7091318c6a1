#!/bin/sh
# Compiles and runs the C and C++ tests against the library, plain and under valgrind, and the README's C example.
# usage: ffi/tests/run.sh            (PROFILE=release for the release build)
set -eu
cd "$(dirname "$0")/../.."

need() { # COMMAND PACKAGE: installs the Debian package where the command is missing
    command -v "$1" > /dev/null && return
    echo "installing the Debian package $2 (for $1)"
    if [ "$(id -u)" = 0 ]; then apt-get install -qq -y "$2" > /dev/null; else sudo apt-get install -qq -y "$2" > /dev/null; fi
}
need gcc gcc
need g++ g++
need valgrind valgrind

need python3 python3

profile=${PROFILE:-debug}
case $profile in release) flag=--release ;; *) flag= ;; esac
# shellcheck disable=SC2086
cargo build -q -p laps-ffi $flag
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
built=$target/$profile
out=$target/c-tests
rm -rf "$out" && mkdir -p "$out/lib"
warn="-Wall -Wextra -Wpedantic -Werror"
static="$built/liblaps.a -lpthread -ldl -lm"
tests=ffi/tests

# The library under its SONAME, as it is installed.
soname=$(objdump -p "$built/liblaps.so" | awk '$1 == "SONAME" { print $2 }')
case $soname in liblaps.so.*) ;; *) echo "liblaps.so has no SONAME with a number"; exit 1 ;; esac
lib=$out/lib
cp "$built/liblaps.so" "$lib/$soname"
ln -s "$soname" "$lib/liblaps.so"

# The header alone, in every language version that we promise.
for std in c99 c11 c2x; do
    # shellcheck disable=SC2086
    gcc -std=$std $warn -Iffi/include -fsyntax-only -x c ffi/include/laps.h
    # shellcheck disable=SC2086
    gcc -std=$std $warn -DLAPS_AGENT -Iffi/include -fsyntax-only -x c ffi/include/laps.h
done
for std in c++11 c++17; do
    # shellcheck disable=SC2086
    g++ -std=$std $warn -Iffi/include -fsyntax-only -x c++ ffi/include/laps.h
done

# shellcheck disable=SC2086
{
    gcc -std=c99 $warn -g -O1 -Iffi/include $tests/c/*.c -L"$lib" -llaps -o "$out/c-shared"
    gcc -std=c99 $warn -g -O1 -Iffi/include $tests/c/*.c $static -o "$out/c-static"
    g++ -std=c++17 $warn -g -O1 -Iffi/include $tests/cpp/*.cpp -L"$lib" -llaps -o "$out/cpp-shared"
}

# Every function against the contract: as installed, and with panics forced.
python3 $tests/contract.py ffi/include/laps.h full > "$out/contract.c"
# shellcheck disable=SC2086
{
    gcc -std=c99 $warn -g -O1 -Iffi/include -I$tests/c "$out/contract.c" -L"$lib" -llaps -o "$out/contract"
    cargo build -q -p laps-ffi $flag --features panic-for-tests --target-dir "$target/panics"
    gcc -std=c99 $warn -g -O1 -DLAPS_PANIC_FOR_TESTS -Iffi/include -I$tests/c "$out/contract.c" \
        "$target/panics/$profile/liblaps.a" -lpthread -ldl -lm -o "$out/contract-panics"
}

# The README's C example, as it stands there.
if [ -e README.md ]; then
    awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' README.md > "$out/readme.c"
    [ -s "$out/readme.c" ] || { echo "README.md has no example in C"; exit 1; }
    # shellcheck disable=SC2086
    gcc -std=c99 $warn -g -Iffi/include "$out/readme.c" -L"$lib" -llaps -o "$out/readme"
fi

export RUST_BACKTRACE=0 # forced panics are told in one line
for program in c-shared c-static cpp-shared contract contract-panics readme; do
    [ -x "$out/$program" ] || continue
    echo "$program:"
    (cd "$out" && LD_LIBRARY_PATH="$lib" "./$program" > "$program.log" 2> "$program.err") \
        || { tail -n 20 "$out/$program.log" "$out/$program.err"; exit 1; }
    tail -n 1 "$out/$program.log"
    [ "$program" != c-static ] || continue
    (cd "$out" && LD_LIBRARY_PATH="$lib" valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=all \
        --errors-for-leak-kinds=all "./$program" > "$program.log" 2> "$program.err") || { tail -n 40 "$out/$program.err"; exit 1; }
done
echo "C and C++: plain and under valgrind, everything holds"
