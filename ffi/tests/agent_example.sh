#!/bin/sh
# The example agent rotates, obeys an order, and is killed twenty times: each time a reader can get the password.
# usage: agent_example.sh AGENT AGENT_WORLD FOLDER [RUNNER]
set -eu
agent=$1 world=$2 folder=$3 runner=${4:-}
rm -rf "$folder" && mkdir -p "$folder"
$runner "$world" init "$folder"
printf '{"BackupDirectory":1,"AdministratorAccountName":"Admin"}' > "$folder/policy.json"
run() { $start $runner "$agent" "$folder/policy.json" "$folder/state" pc-17 Admin "$folder/reader" "$folder/vault" "$folder/password"; }

start=
run > "$folder/log"
grep -q '"name":"committed","id":10029' "$folder/log"
first=$(cat "$folder/password")
$runner "$world" check "$folder"
run > "$folder/log" # nothing is due
[ "$(cat "$folder/password")" = "$first" ]
$runner "$world" order "$folder"
began=$(date +%s%N)
run > "$folder/log"
took=$((($(date +%s%N) - began) / 1000000)) # milliseconds
[ "$(cat "$folder/password")" != "$first" ]
$runner "$world" check "$folder"

# A refused policy changes nothing: the last accepted one stays in force. Without one there is nothing to go by.
cp "$folder/policy.json" "$folder/good.json"
printf '{"BackupDirectory":1,"PasswordLength":7}' > "$folder/policy.json"
$runner "$world" order "$folder"
run > "$folder/log" 2> "$folder/err"
grep -q '8 to 64' "$folder/err" && grep -q '"committed"' "$folder/log"
$runner "$world" check "$folder"
status=0
$runner "$agent" "$folder/policy.json" "$folder/other" pc-18 Admin "$folder/reader" "$folder/vault" "$folder/password" \
    2> "$folder/err" || status=$?
[ $status = 3 ] || { echo "a refused policy and none before: status $status, not 3"; exit 1; }
mv "$folder/good.json" "$folder/policy.json"

# Spread over the time that a rotation took; wherever a kill falls, the check must hold.
for kill in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    $runner "$world" order "$folder"
    # shellcheck disable=SC2030
    (start=exec; run > /dev/null 2>&1) & pid=$!
    sleep "$(awk "BEGIN { print $took * $kill / 20000 }")"
    kill -KILL $pid 2> /dev/null || true
    wait $pid 2> /dev/null || true
    $runner "$world" check "$folder"
done
run > "$folder/log" || true
run > "$folder/log"
$runner "$world" check "$folder"
echo "the example agent: an order, twenty kills; a reader could always get the password"
