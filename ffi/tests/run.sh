#!/bin/bash
# Compiles and runs the C and C++ tests against the library, plain and under valgrind, and the README's C example.
# usage: ffi/tests/run.sh            (PROFILE=release for the release build)
#        ffi/tests/run.sh packages   only installs what is missing
cd "$(dirname "$0")/../.."
. ffi/tests/loud.sh

missing=
for tool in gcc g++ clang valgrind python3 pkg-config cmake; do # each is a Debian package of the same name
    command -v "$tool" > /dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    echo "installing the Debian packages$missing"
    sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qq -y $missing > /dev/null
fi
[ "${1:-}" != packages ] || exit 0

ffi/tests/loud_test.sh

profile=${PROFILE:-debug}
case $profile in release) flag=--release ;; *) flag= ;; esac
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
out=$target/c-tests
alone "$target/c-tests.lock"
rm -rf "$out" && mkdir -p "$out/lib"

# Each build of the library, from one set of compiled dependencies; the full one comes last and stays in place.
build() { # NAME [cargo arguments]
    name=$1; shift
    # shellcheck disable=SC2086
    cargo build -q -p laps-ffi $flag "$@"
    mkdir -p "$out/$name"
    cp "$target/$profile/liblaps.so" "$target/$profile/liblaps.a" "$out/$name"
}
build panics --features panic-for-tests
build agent --no-default-features
build full
built=$out/full
warn="-Wall -Wextra -Wpedantic -Werror"
static="$built/liblaps.a -lpthread -ldl -lm"
tests=ffi/tests
# The vectors of sealed records, read where they are.
vectors="-DLAPS_VECTORS=\"$PWD/core/tests/seal/vectors\""

# The library under its SONAME, as it is installed.
soname=$(objdump -p "$built/liblaps.so" | awk '$1 == "SONAME" { print $2 }')
case $soname in liblaps.so.*) ;; *) echo "liblaps.so has no SONAME with a number"; exit 1 ;; esac
lib=$out/lib
cp "$built/liblaps.so" "$lib/$soname"
ln -s "$soname" "$lib/liblaps.so"

# The header and the tests in every language version that we promise, by both compilers; mingw in windows.sh.
for compiler in gcc clang; do
    for std in c99 c11 c2x; do
        for defined in -ULAPS_AGENT -DLAPS_AGENT; do
            # shellcheck disable=SC2086
            $compiler -std=$std $warn $defined -Iffi/include -fsyntax-only -x c ffi/include/laps.h
            # shellcheck disable=SC2086
            $compiler -std=$std $warn $defined -Iffi/include -fsyntax-only -x c $tests/c/*.c
        done
    done
done
for compiler in g++ clang++; do
    for std in c++11 c++17; do
        for defined in -ULAPS_AGENT -DLAPS_AGENT; do
            for source in ffi/include/laps.h ffi/include/laps.hpp $tests/cpp/main.cpp; do
                # shellcheck disable=SC2086
                $compiler -std=$std $warn $defined -Iffi/include -fsyntax-only -x c++ $source
            done
        done
    done
done

# LAPS_TEXT takes a literal. A pointer or a variable, whose size is not that of its text, does not compile in any of them.
cat > "$out/literal.h" << 'END'
#include <laps.h>
#ifndef TEXT
#define TEXT "a" "b" /* joined literals are one */
#endif
laps_status made(const char *text, laps_password **out);
laps_status made(const char *text, laps_password **out) {
    static const char array[] = "ab";
    (void)text, (void)array;
    return laps_password_from_utf8(LAPS_TEXT(TEXT), out);
}
END
for compiler in gcc clang g++ clang++; do
    case $compiler in *++) language=c++ stds="c++11 c++17 c++20" ;; *) language=c stds="c99 c11 c2x" ;; esac
    for std in $stds; do
        # shellcheck disable=SC2086
        $compiler -std=$std $warn -Iffi/include -fsyntax-only -x $language "$out/literal.h"
        for wrong in text array '"a"+1' 'text+1' '&array[0]' '(text)' 'NULL' '*"a"'; do
            if $compiler -std=$std -Iffi/include "-DTEXT=$wrong" -fsyntax-only -x $language "$out/literal.h" 2> "$out/literal.err"; then
                echo "$compiler $std: LAPS_TEXT($wrong) compiles"; exit 1
            fi
            grep -q 'error:' "$out/literal.err" || { cat "$out/literal.err"; exit 1; }
        done
    done
done

# What the libraries export is the committed list: the agent build without what is marked there as of the full build.
exports() { nm -D --defined-only "$1" | awk '{ print $3 }' | sort; }
grep -v '^#' ffi/symbols.txt | awk '{ print $1 }' | sort > "$out/full.symbols"
grep -v '^#' ffi/symbols.txt | awk '$2 != "full" { print $1 }' | sort > "$out/agent.symbols"
exports "$lib/liblaps.so" | diff "$out/full.symbols" - || { echo "the full build exports something else than ffi/symbols.txt"; exit 1; }
exports "$out/agent/liblaps.so" | diff "$out/agent.symbols" - || { echo "the agent build exports something else"; exit 1; }

# shellcheck disable=SC2086
{
    gcc -std=c99 $warn -g -O1 "$vectors" -Iffi/include $tests/c/*.c -L"$lib" -llaps -o "$out/c-shared"
    gcc -std=c99 $warn -g -O1 "$vectors" -Iffi/include $tests/c/*.c $static -o "$out/c-static"
    g++ -std=c++17 $warn -g -O1 "$vectors" -Iffi/include $tests/cpp/*.cpp -L"$lib" -llaps -o "$out/cpp-shared"
    g++ -std=c++11 $warn -g -O1 "$vectors" -Iffi/include $tests/cpp/*.cpp -L"$lib" -llaps -o "$out/cpp11-shared"
    agent="$out/agent/liblaps.a -lpthread -ldl -lm"
    gcc -std=c11 $warn -DLAPS_AGENT -g -O1 -Iffi/include $tests/c/*.c $agent -o "$out/c-agent"
    g++ -std=c++17 $warn -DLAPS_AGENT -g -O1 -Iffi/include $tests/cpp/*.cpp $agent -o "$out/cpp-agent"
    gcc -std=c99 $warn -g -O1 "$vectors" -fsanitize=address,undefined -fno-sanitize-recover=all -Iffi/include $tests/c/*.c $static \
        -o "$out/c-sanitized"
    g++ -std=c++17 $warn -g -O1 "$vectors" -fsanitize=address,undefined -fno-sanitize-recover=all -Iffi/include $tests/cpp/*.cpp \
        $static -o "$out/cpp-sanitized"
    clang -std=c11 $warn -g -O1 -Iffi/include $tests/c/*.c $static -o "$out/c-clang"
    clang++ -std=c++17 $warn -g -O1 "$vectors" -Iffi/include $tests/cpp/*.cpp $static -o "$out/cpp-clang"
}
for program in c-sanitized cpp-sanitized; do
    nm "$out/$program" | grep -q __asan_report || { echo "$program: the sanitizers are not on"; exit 1; }
done

# Every object has its class in laps.hpp.
python3 $tests/wrappers.py ffi/include/laps.h > "$out/wrappers.cpp"
for defined in -ULAPS_AGENT -DLAPS_AGENT; do
    # shellcheck disable=SC2086
    g++ -std=c++11 $warn $defined -Iffi/include -fsyntax-only "$out/wrappers.cpp"
done

# The heap over a million calls; its malloc is the program's own.
# shellcheck disable=SC2086
gcc -std=c99 -D_GNU_SOURCE -fno-builtin $warn -g -O1 -Iffi/include -I$tests/c $tests/heap.c -L"$lib" -llaps -o "$out/heap"

# The stack that laps.h promises; the tests of the others are this program's, too.
# shellcheck disable=SC2046
gcc -std=gnu11 $warn -g -O1 -Iffi/include -I$tests/c $tests/stack.c $(ls $tests/c/*.c | grep -v -e /main.c -e /process.c -e /vectors.c) \
    -L"$lib" -llaps -lpthread -o "$out/stack"

# Every function against the contract: as installed, and with panics forced. What the generator does not know stops it.
sed 's|^#ifdef __cplusplus$|/** New. */\nLAPS_API LAPS_NODISCARD laps_status laps_new_call(const laps_unknown *unknown);\n&|' ffi/include/laps.h \
    > "$out/unknown.h"
if python3 $tests/contract.py "$out/unknown.h" full > /dev/null 2>&1; then
    echo "a function that contract.py does not know is left out"; exit 1
fi
python3 $tests/contract.py ffi/include/laps.h full > "$out/contract.c"
# shellcheck disable=SC2086
{
    gcc -std=c99 $warn -g -O1 -Iffi/include -I$tests/c "$out/contract.c" -L"$lib" -llaps -o "$out/contract"
    gcc -std=c99 $warn -g -O1 -DLAPS_PANIC_FOR_TESTS -Iffi/include -I$tests/c "$out/contract.c" \
        "$out/panics/liblaps.a" -lpthread -ldl -lm -o "$out/contract-panics"
}

# shellcheck disable=SC2086
{
    python3 $tests/contract.py ffi/include/laps.h agent > "$out/contract-agent.c"
    gcc -std=c99 $warn -DLAPS_AGENT -g -O1 -Iffi/include -I$tests/c "$out/contract-agent.c" $agent -o "$out/contract-agent"
}

# Random sequences of calls, also of poisoned objects; ffi/tests/fuzz.sh makes a million with a library that is instrumented.
python3 $tests/fuzz_calls.py ffi/include/laps.h > "$out/fuzz.c"
gcc -std=gnu11 -Wall -Wextra -Werror -g -O1 -fsanitize=address -Iffi/include -I$tests/c -I$tests "$out/fuzz.c" \
    "$out/panics/liblaps.a" -lpthread -ldl -lm -o "$out/fuzz"
echo "fuzz:"
(cd "$out" && RUST_BACKTRACE=0 within 900 ./fuzz 10000 2> fuzz.err) || { grep -v 'forced by a test' "$out/fuzz.err" | tail -n 40; exit 1; }

# Installed as a C library is: found by pkg-config, by CMake, and with nothing but a path; the example is the consumer.
ffi/install.sh "$out/prefix" > /dev/null
$tests/installed.sh "$out/staged"
export PKG_CONFIG_PATH="$out/prefix/lib/pkgconfig"
# shellcheck disable=SC2046,SC2086
{
    gcc -std=c99 $warn ffi/examples/generate.c $(pkg-config --cflags --libs laps) -Wl,-rpath,"$out/prefix/lib" -o "$out/generate"
    gcc -std=c99 $warn -I"$out/prefix/include" ffi/examples/generate.c "$out/prefix/lib/liblaps.a" -lpthread -ldl -lm \
        -o "$out/generate-static"
    for example in agent rotation; do
        gcc -std=c99 $warn -Wno-overlength-strings ffi/examples/$example.c $(pkg-config --cflags --libs laps) \
            -Wl,-rpath,"$out/prefix/lib" -o "$out/example-$example"
        g++ -std=c++11 $warn ffi/examples/$example.cpp $(pkg-config --cflags --libs laps) -Wl,-rpath,"$out/prefix/lib" \
            -o "$out/example-$example-cpp"
    done
}
cmake -S $tests/consumer -B "$out/cmake" -DCMAKE_PREFIX_PATH="$out/prefix" > /dev/null
cmake --build "$out/cmake" > /dev/null
printf '{"BackupDirectory":1,"PasswordLength":20}' > "$out/policy.json"
for program in "$out/generate" "$out/generate-static" "$out/cmake/consumer" "$out/cmake/consumer_static"; do
    length=$("$program" "$out/policy.json" 2> /dev/null | tr -d '\n' | wc -c)
    [ "$length" = 20 ] || { echo "$program: a password of $length characters, not 20"; exit 1; }
done
printf '{"BackupDirectory":1,"PasswordLength":7}' > "$out/refused.json"
# shellcheck disable=SC2086
gcc -std=c99 $warn -Iffi/include -I$tests/c $tests/agent_world.c $static -o "$out/agent_world"
lines=$(wc -l < ffi/examples/agent.c)
[ "$lines" -le 80 ] || { echo "the example agent has $lines lines; what a device needs is in the library"; exit 1; }
for example in agent rotation; do
    $tests/agent_example.sh $example "$out/example-$example" "$out/agent_world" "$out/world"
    $tests/agent_example.sh $example "$out/example-$example-cpp" "$out/agent_world" "$out/world"
done
if [ "$(id -u)" = 0 ]; then # at once: two agents of one machine, each with its account
    $tests/agent_account.sh agent "$out/example-agent" "$out/agent_world" "$out/world" & first=$!
    $tests/agent_account.sh rotation "$out/example-rotation-cpp" "$out/agent_world" "$out/world" & second=$!
    status=0
    wait $first || status=$?
    wait $second || status=$?
    [ $status = 0 ] || exit $status
fi
status=0; "$out/generate" "$out/refused.json" 2> /dev/null || status=$?
[ $status = 3 ] || { echo "generate with a refused policy: status $status, not 3"; exit 1; }

# Policies: the findings and values of the cases that Rust and Python are held to.
python3 $tests/findings.py "$lib/liblaps.so" core/tests/vectors/policy/findings.json

# The README's C example, as it stands there.
if [ -e README.md ]; then
    awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' README.md > "$out/readme.c"
    [ -s "$out/readme.c" ] || { echo "README.md has no example in C"; exit 1; }
    # shellcheck disable=SC2086
    gcc -std=c99 $warn -g -Iffi/include "$out/readme.c" -L"$lib" -llaps -o "$out/readme"
fi

export RUST_BACKTRACE=0 # forced panics are told in one line
for program in c-shared c-static c-agent c-clang c-sanitized cpp-shared cpp11-shared cpp-agent cpp-clang cpp-sanitized contract contract-agent contract-panics heap stack readme; do
    [ -x "$out/$program" ] || continue
    echo "$program:"
    (cd "$out" && export LD_LIBRARY_PATH="$lib" && within 900 "./$program" > "$program.log" 2> "$program.err") \
        || { tail -n 20 "$out/$program.log" "$out/$program.err"; exit 1; }
    tail -n 1 "$out/$program.log"
    case $program in c-shared | cpp-shared | contract | contract-panics | readme) ;; *) continue ;; esac
    (cd "$out" && export LD_LIBRARY_PATH="$lib" && within 1800 valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=all \
        --errors-for-leak-kinds=all --child-silent-after-fork=yes "./$program" > "$program.log" 2> "$program.err") || { tail -n 40 "$out/$program.err"; exit 1; }
done
echo "C and C++: plain and under valgrind, everything holds"
