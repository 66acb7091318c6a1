#!/bin/bash
# Cross-builds laps.dll, agent and full, makes the zip that is shipped, and runs the C and C++ tests, the example
# agents and twenty kills of each under Wine.
# usage: ffi/tests/windows.sh            everything
#        ffi/tests/windows.sh packages   only installs what is missing
cd "$(dirname "$0")/../.."
. ffi/tests/loud.sh
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
[ "${1:-}" != packages ] || exit 0

version=$(sed -n 's/^#define LAPS_VERSION "\(.*\)"/\1/p' ffi/include/laps.h)
numbers=$(echo "$version" | sed 's/^\([0-9]*\)\.\([0-9]*\)\.\([0-9]*\).*/-DLAPS_MAJOR=\1 -DLAPS_MINOR=\2 -DLAPS_PATCH=\3/')
target=${LAPS_WINDOWS_TARGET:-$root/target/windows}
out=$target/tests
package=$target/laps-windows-x86_64-$version
zip=$root/target/laps-windows-x86_64-$version.zip
alone "$target.lock"
rm -rf "$out" "$package" "$zip"
mkdir -p "$out" "$package/include" "$package/licences"
warn="-Wall -Wextra -Wpedantic -Werror"
system="-lbcrypt -lntdll -luserenv -lws2_32 -ldbghelp -lnetapi32 -lwtsapi32 -ladvapi32"

# Debian's Rust has the sources of its library but no compiled one for Windows, so cargo builds that too, without
# what prints backtraces: nothing of them could be named in a stripped library.
shipped() { # BUILD LIMIT LISTED [cargo arguments]
    build=$1 limit=$2 listed=$3; shift 3
    echo "building laps.dll ($build)"
    x86_64-w64-mingw32-windres $numbers "-DLAPS_VERSION=\\\"$version\\\"" "-DLAPS_BUILD=\\\"$build\\\"" ffi/windows/laps.rc \
        -O coff -o "$out/$build.res.o"
    # The crate types are named here because Cargo optimises across crates only where no rlib is asked for.
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS='' LIBSQLITE3_FLAGS=$(ffi/build.sh flags) \
        /usr/bin/cargo rustc -q -p laps-ffi --lib --crate-type cdylib,staticlib --profile c-library \
        --target x86_64-pc-windows-gnu -Zbuild-std=std,panic_unwind -Zbuild-std-features=panic-unwind \
        --target-dir "$target" "$@" -- -C link-arg="$out/$build.res.o"
    made=$target/x86_64-pc-windows-gnu/c-library
    lib=$package/$build
    mkdir -p "$lib"
    cp "$made/laps.dll" "$made/liblaps.dll.a" "$lib"
    ffi/windows/reduce.sh "$made/liblaps.a" "$lib/liblaps.a" "$out/$build.reduce"

    bytes=$(wc -c < "$lib/laps.dll")
    echo "laps.dll ($build): $bytes bytes of $limit"
    [ "$bytes" -le "$limit" ] || { echo "laps.dll ($build) is above its limit"; exit 1; }
    awk -v listed="$listed" '!/^#/ && $2 ~ listed { print $1 }' ffi/symbols.txt | sort > "$out/$build.symbols"
    ffi/windows/shown.sh "$lib/liblaps.a" | diff "$out/$build.symbols" - \
        || { echo "liblaps.a ($build) shows something else than ffi/symbols.txt"; exit 1; }
    { echo "LIBRARY laps.dll"; echo "EXPORTS"; sed 's/^/    /' "$out/$build.symbols"; } > "$lib/laps.def"
    x86_64-w64-mingw32-objdump -p "$lib/laps.dll" > "$out/$build.dump"
    awk '/\[Ordinal\/Name Pointer\] Table/ { on = 1; next } /^$/ { on = 0 } on { print $NF }' "$out/$build.dump" | sort \
        | diff "$out/$build.symbols" - || { echo "laps.dll ($build) exports something else than ffi/symbols.txt"; exit 1; }
    # What a Windows since version 10 has; nothing of MinGW's.
    others=$(sed -n 's/^.*DLL Name: //p' "$out/$build.dump" | tr '[:upper:]' '[:lower:]' | sort -u \
        | grep -vxE 'advapi32\.dll|api-ms-win-core-synch-l1-2-0\.dll|bcryptprimitives\.dll|kernel32\.dll|msvcrt\.dll|ntdll\.dll|user32\.dll|userenv\.dll|ws2_32\.dll|netapi32\.dll|wtsapi32\.dll' || true)
    [ -z "$others" ] || { echo "laps.dll ($build) needs what Windows may not have: $others"; exit 1; }
}
shipped agent 2097152 '^$' --no-default-features
shipped full 3670016 ''

cp ffi/include/laps.h ffi/include/laps.hpp "$package/include"
cp LICENSE-MIT LICENSE-APACHE ffi/windows/README.txt "$package"
cp core/src/generate/wordlists/README.md "$package/licences/wordlists.md"
if [ -e ffi/csharp/Laps.cs ]; then
    mkdir -p "$package/csharp"
    cp ffi/csharp/Laps.cs "$package/csharp"
fi
python3 ffi/windows/package.py "$package" "$zip"
echo "made $zip"

# The tests are built from what is in the zip.
unzipped=$out/zip/laps-windows-x86_64-$version
python3 -m zipfile -e "$zip" "$out/zip"
cc() { # OUTPUT BUILD [more arguments]
    made=$1 build=$2; shift 2
    # shellcheck disable=SC2086
    x86_64-w64-mingw32-gcc -std=c99 $warn -O1 -D__USE_MINGW_ANSI_STDIO=1 \
        "-DLAPS_VECTORS=\"Z:$root/core/tests/seal/vectors\"" -I"$unzipped/include" "$@" -o "$out/$build/$made.exe"
}
for build in agent full; do
    mkdir -p "$out/$build"
    cp "$unzipped/$build/laps.dll" "$out/$build"
    defined=-ULAPS_AGENT
    [ $build = full ] || defined=-DLAPS_AGENT
    cc c-tests $build $defined ffi/tests/c/*.c "$unzipped/$build/liblaps.dll.a"
    # shellcheck disable=SC2086
    cc c-static $build $defined -DLAPS_STATIC ffi/tests/c/*.c "$unzipped/$build/liblaps.a" $system
    # shellcheck disable=SC2086
    x86_64-w64-mingw32-g++ -std=c++17 $warn $defined -O1 "-DLAPS_VECTORS=\"Z:$root/core/tests/seal/vectors\"" \
        -static-libgcc -static-libstdc++ -I"$unzipped/include" \
        ffi/tests/cpp/*.cpp "$unzipped/$build/liblaps.dll.a" -o "$out/$build/cpp-tests.exe"
done
for std in c11 c2x; do # c99 and C++17 are above
    # shellcheck disable=SC2086
    x86_64-w64-mingw32-gcc -std=$std $warn -Iffi/include -fsyntax-only -x c ffi/include/laps.h
done
# shellcheck disable=SC2086
x86_64-w64-mingw32-g++ -std=c++11 $warn -Iffi/include -fsyntax-only -x c++ ffi/include/laps.hpp
# A program with a SQLite of its own can take the static library in.
cat > "$out/own.c" << 'END'
#include <laps.h>
int sqlite3_open(void);
int sqlite3_open(void) { return 7; }
int main(void) { return laps_version_number() != 0 && sqlite3_open() == 7 ? 0 : 1; }
END
# shellcheck disable=SC2086
cc own-sqlite full -DLAPS_STATIC "$out/own.c" "$unzipped/full/liblaps.a" $system
cc load full ffi/windows/load.c -lversion
cc agent full -Wno-overlength-strings ffi/examples/agent.c "$unzipped/full/liblaps.dll.a"
cc rotation full -Wno-overlength-strings ffi/examples/rotation.c "$unzipped/full/liblaps.dll.a"
cc agent_world full -Iffi/tests/c ffi/tests/agent_world.c "$unzipped/full/liblaps.dll.a"
# The module definition makes an import library, here by the GNU tool; Microsoft's is not here to be asked.
x86_64-w64-mingw32-dlltool -d "$unzipped/full/laps.def" -l "$out/from-def.a"
cc generate full ffi/examples/generate.c "$out/from-def.a"

# Wine 8 has no bcryptprimitives.dll, where Rust's library finds its random numbers. For these tests only, one that
# hands ProcessPrng on to RtlGenRandom; a real Windows has its own.
# shellcheck disable=SC2086
x86_64-w64-mingw32-gcc -O1 -shared $warn ffi/windows/bcryptprimitives.c -ladvapi32 -o "$out/full/bcryptprimitives.dll"
cp "$out/full/bcryptprimitives.dll" "$out/agent"

. ffi/windows/wine.sh "$target" 'bcryptprimitives=n'
run() { # BUILD PROGRAM [arguments]
    build=$1 program=$2; shift 2
    (cd "$out/$build" && within 1200 $wine "./$program.exe" "$@" > "$program.log" 2>&1) || { cat "$out/$build/$program.log"; exit 1; }
    echo "$program.exe ($build): $(tail -n 1 "$out/$build/$program.log" | tr -d '\r')"
}
for build in agent full; do
    for program in c-tests c-static cpp-tests; do run $build $program; done
done
run full own-sqlite
run full load "$(echo "$unzipped/full/laps.dll" | sed 's|^|Z:|; s|/|\\|g')" full "$version"
printf '{"BackupDirectory":1,"PasswordLength":20}' > "$out/full/policy.json"
length=$(cd "$out/full" && within 120 $wine ./generate.exe policy.json 2> /dev/null | tr -d '\r\n' | wc -c)
[ "$length" = 20 ] || { echo "generate.exe: a password of $length characters, not 20"; exit 1; }
for example in agent rotation; do
    ffi/tests/agent_example.sh $example "$out/full/$example.exe" "$out/full/agent_world.exe" "$out/world" $wine
done
echo "windows: everything holds"
