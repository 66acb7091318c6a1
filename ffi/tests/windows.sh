#!/bin/sh
# Cross-builds laps.dll, compiles the C and C++ tests with mingw and runs them under Wine.
# usage: ffi/tests/windows.sh
set -eu
cd "$(dirname "$0")/../.."
root=$PWD

missing=
for package in rustc-web cargo-web rust-web-src gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64 wine64; do
    dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    echo "installing the Debian packages$missing (about 1.5 GB: a Rust with its library sources, mingw, Wine)"
    sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qq -y --no-install-recommends $missing > /dev/null
fi

target=${LAPS_WINDOWS_TARGET:-$root/target/windows}
mkdir -p "$target"
# Debian's Rust has the sources of its library but no compiled one for Windows, so cargo builds that too. Strip
# here: the names of the library's own functions are of no use to anybody.
build() { # FOLDER [cargo arguments]
    folder=$1; shift
    echo "building laps.dll ($folder)"
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS='' CARGO_PROFILE_RELEASE_STRIP=symbols \
        /usr/bin/cargo build -q -p laps-ffi --release --target x86_64-pc-windows-gnu \
        -Zbuild-std=std,panic_unwind --target-dir "$target/$folder" "$@"
}
build full
lib=$target/full/x86_64-pc-windows-gnu/release

out=$target/tests
rm -rf "$out" && mkdir -p "$out"
warn="-Wall -Wextra -Wpedantic -Werror"
# shellcheck disable=SC2086
{
    x86_64-w64-mingw32-gcc -std=c99 $warn -g -O1 -D__USE_MINGW_ANSI_STDIO=1 \
        "-DLAPS_VECTORS=\"Z:$root/core/tests/seal/vectors\"" -Iffi/include ffi/tests/c/*.c \
        "$lib/liblaps.dll.a" -o "$out/c-tests.exe"
    x86_64-w64-mingw32-g++ -std=c++17 $warn -g -O1 -static-libgcc -static-libstdc++ -Iffi/include ffi/tests/cpp/*.cpp \
        "$lib/liblaps.dll.a" -o "$out/cpp-tests.exe"
}
cp "$lib/laps.dll" "$out"

# Wine 8 has no bcryptprimitives.dll, where Rust's library finds its random numbers. For these tests only, one that
# hands ProcessPrng on to RtlGenRandom; a real Windows has its own.
x86_64-w64-mingw32-gcc -O1 -shared $warn ffi/windows/bcryptprimitives.c -ladvapi32 -o "$out/bcryptprimitives.dll"

export WINEPREFIX="$target/wine" WINEDEBUG=-all WINEDLLOVERRIDES='bcryptprimitives=n;mscoree=;mshtml='
wine=/usr/lib/wine/wine64
[ -d "$WINEPREFIX" ] || { echo "making a Wine prefix"; $wine wineboot -i > /dev/null 2>&1; }
for program in c-tests cpp-tests; do
    (cd "$out" && $wine "./$program.exe" > "$program.log" 2>&1) || { cat "$out/$program.log"; exit 1; }
    echo "$program.exe: $(tail -n 1 "$out/$program.log" | tr -d '\r')"
done
ls -l "$lib/laps.dll" | awk '{ printf "laps.dll: %.2f MiB\n", $5 / 1048576 }'

others=$(x86_64-w64-mingw32-objdump -p "$lib/laps.dll" | awk '/\[Ordinal\/Name Pointer\] Table/ { on = 1; next }
    /^$/ { on = 0 } on { print $NF }' | grep -v '^laps_' || true)
[ -z "$others" ] || { echo "laps.dll exports what is not laps_: $others"; exit 1; }
echo "windows: everything holds"
