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
run > "$folder/log"
[ "$(cat "$folder/password")" != "$first" ]
$runner "$world" check "$folder"

for kill in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20; do
    $runner "$world" order "$folder"
    # shellcheck disable=SC2030
    (start=exec; run > /dev/null 2>&1) & pid=$!
    sleep "0.$kill"
    kill -KILL $pid 2> /dev/null || true
    wait $pid 2> /dev/null || true
    $runner "$world" check "$folder"
done
run > "$folder/log" || true
run > "$folder/log"
$runner "$world" check "$folder"
echo "the example agent: an order, twenty kills; a reader could always get the password"
