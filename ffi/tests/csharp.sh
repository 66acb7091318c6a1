#!/bin/bash
# Laps.cs under Mono, against the Linux library: its tests, in both builds, and the examples, killed.
# usage: ffi/tests/csharp.sh
cd "$(dirname "$0")/../.."
. ffi/tests/loud.sh
missing=
command -v mcs > /dev/null || missing="$missing mono-mcs"
command -v mono > /dev/null || missing="$missing mono-runtime libmono-system-core4.0-cil"
if [ -n "$missing" ]; then
    echo "installing the Debian packages$missing"
    sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qq -y --no-install-recommends $missing > /dev/null
fi
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
out=$target/csharp
alone "$target/c-tests.lock" # which builds the same library
rm -rf "$out"
compile="mcs -langversion:7 -warnaserror -warn:4 -debug"
vector=$PWD/core/tests/seal/vectors/x25519_set.txt
for build in agent full; do
    mkdir -p "$out/$build"
    if [ $build = agent ]; then
        cargo build -q -p laps-ffi --no-default-features; defines=-define:LAPS_AGENT
    else
        cargo build -q -p laps-ffi; defines=
    fi
    cp "$target/debug/liblaps.so" "$out/$build"
    # shellcheck disable=SC2086
    $compile $defines -out:"$out/$build/tests.exe" ffi/csharp/Laps.cs ffi/csharp/tests/*.cs
    (cd "$out/$build" && export LD_LIBRARY_PATH=. && within 900 mono --debug tests.exe "$vector")
done
gcc -std=c99 -Iffi/include -Iffi/tests/c ffi/tests/agent_world.c "$target/debug/liblaps.a" -lpthread -ldl -lm -o "$out/agent_world"
for example in agent rotation; do
    $compile -out:"$out/full/$example.exe" ffi/csharp/Laps.cs ffi/examples/$example.cs
    # The test takes one program by its name.
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec mono --debug %s "$@"\n' "$out/full" "$out/full/$example.exe" > "$out/example-$example"
    chmod +x "$out/example-$example"
    ffi/tests/agent_example.sh $example "$out/example-$example" "$out/agent_world" "$out/world"
done
