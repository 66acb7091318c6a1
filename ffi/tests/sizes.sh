#!/bin/bash
# The libraries as they are shipped stay below their limits: agent 1.75 MiB, full 3.75 MiB (Linux). They show nothing
# but what ffi/symbols.txt lists, and the C tests hold for them, shared and static. With LAPS_PROOFS=1 also: a panic
# is contained in a library that is built as the shipped one is.
# usage: ffi/tests/sizes.sh
cd "$(dirname "$0")/../.."
. ffi/tests/loud.sh
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
out=$target/c-library/tests
alone "$target/c-sizes.lock"
rm -rf "$out" && mkdir -p "$out"
warn="-Wall -Wextra -Wpedantic -Werror"
vectors="-DLAPS_VECTORS=\"$PWD/core/tests/seal/vectors\""

shipped() { # BUILD LIMIT LISTED [arguments of the C compiler]
    build=$1 limit=$2 listed=$3; shift 3
    ffi/build.sh "$build" "$out/$build"
    bytes=$(wc -c < "$out/$build/liblaps.so")
    echo "liblaps.so ($build): $bytes bytes of $limit"
    [ "$bytes" -le "$limit" ] || { echo "liblaps.so ($build) is above its limit"; exit 1; }

    awk -v listed="$listed" '!/^#/ && $2 ~ listed { print $1 }' ffi/symbols.txt | sort > "$out/$build.symbols"
    nm -D --defined-only "$out/$build/liblaps.so" | awk '{ print $3 }' | sort | diff "$out/$build.symbols" - \
        || { echo "liblaps.so ($build) exports something else than ffi/symbols.txt"; exit 1; }
    nm -g --defined-only "$out/$build/liblaps.a" | awk 'NF == 3 { print $3 }' | sort | diff "$out/$build.symbols" - \
        || { echo "liblaps.a ($build) shows something else than ffi/symbols.txt"; exit 1; }

    soname=$(objdump -p "$out/$build/liblaps.so" | awk '$1 == "SONAME" { print $2 }')
    ln -s liblaps.so "$out/$build/$soname"
    # shellcheck disable=SC2086
    {
        gcc -std=c99 $warn -O1 "$@" "$vectors" -Iffi/include ffi/tests/c/*.c -L"$out/$build" -Wl,-rpath,"$out/$build" -llaps \
            -o "$out/$build/shared"
        gcc -std=c99 $warn -O1 "$@" "$vectors" -Iffi/include ffi/tests/c/*.c "$out/$build/liblaps.a" -lpthread -ldl -lm \
            -o "$out/$build/static"
    }
    for program in shared static; do
        (cd "$out/$build" && within 900 "./$program" > "$program.log" 2>&1) || { tail -n 20 "$out/$build/$program.log"; exit 1; }
        echo "liblaps as shipped ($build, $program): $(tail -n 1 "$out/$build/$program.log")"
    done
}
shipped agent 1835008 '^$' -DLAPS_AGENT
shipped full 3932160 ''

if [ -n "${LAPS_PROOFS:-}" ]; then
    ffi/build.sh panics "$out/panics"
    python3 ffi/tests/contract.py ffi/include/laps.h full > "$out/contract.c"
    # shellcheck disable=SC2086
    gcc -std=c99 $warn -O1 -DLAPS_PANIC_FOR_TESTS -Iffi/include -Iffi/tests/c "$out/contract.c" "$out/panics/liblaps.a" \
        -lpthread -ldl -lm -o "$out/panics/contract"
    (cd "$out/panics" && export RUST_BACKTRACE=1 && within 900 ./contract > contract.log 2> contract.err) || { tail "$out/panics/contract.err"; exit 1; }
    echo "built as shipped, panics forced: $(tail -n 1 "$out/panics/contract.log")"
fi
