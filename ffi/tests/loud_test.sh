#!/bin/bash
# What loud.sh promises: a step that fails is named, a signal cleans up, what hangs is ended, two in one tree take turns.
# usage: ffi/tests/loud_test.sh
cd "$(dirname "$0")/../.."
. ffi/tests/loud.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
loud=$PWD/ffi/tests/loud.sh
must() { echo "loud.sh: $1"; cat "$folder/out" "$folder/err"; exit 1; }
script() { # the lines of a script on standard input
    { echo ". '$loud'"; cat; } > "$folder/script"
    : > "$folder/out"
    status=0
    bash "$folder/script" "$@" > "$folder/out" 2> "$folder/err" || status=$?
}

script << 'END'
step() { secret=shown; [ "$secret" = other ]; }
step
END
[ $status = 1 ] || must "a failing step has status $status"
grep -q 'script:2: status 1 of: \[ "$secret" = other \]' "$folder/err" || must "the step that failed is not named"
grep -q 'called at .*script:3' "$folder/err" || must "who called it is not named"
if grep -q shown "$folder/err"; then must "the value of a variable is shown"; fi

script "$folder" << 'END'
trap 'echo cleaned; rm "$1/there"' EXIT
touch "$1/there"
kill -TERM $$
END
[ $status = 143 ] && [ ! -e "$folder/there" ] || must "a signal does not clean up: status $status"

script << 'END'
within 1 sleep 60
END
[ $status = 124 ] || must "what hangs is not ended: status $status"
grep -q 'sleep: not done within 1 seconds' "$folder/err" || must "what hung is not named"

cat > "$folder/turn" << 'END'
. "$1"
alone "$2/lock"
echo "in $3" >> "$2/turns"
sleep 0.2
echo "out $3" >> "$2/turns"
END
for name in a b c; do bash "$folder/turn" "$loud" "$folder" $name > /dev/null & done
wait
in=
while read -r way name; do
    case $way in in) [ -z "$in" ] || must "two at once"; in=$name ;; out) [ "$in" = "$name" ] || must "two at once"; in= ;; esac
done < "$folder/turns"
[ "$(wc -l < "$folder/turns")" = 6 ] || must "not all had their turn"
echo "the test scripts name what fails, clean up, end what hangs, and take turns"
