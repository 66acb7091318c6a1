#!/bin/bash
# An example agent rotates, obeys an order, and is killed twenty times: each time a reader can get the password.
# usage: agent_example.sh agent|rotation AGENT AGENT_WORLD FOLDER [RUNNER]      which of the examples AGENT is
. "$(dirname "$0")/loud.sh"
kind=$1 agent=$2 world=$3 folder=$4 runner=${5:-}
rm -rf "$folder" && mkdir -p "$folder"
trap 'status=$?; [ $status = 0 ] || tail -n 20 "$folder/log" "$folder/err" >&2 2> /dev/null || true; exit $status' EXIT
world() { within 120 $runner "$world" "$1" "$folder"; }
check() {
    local said
    said=$(world check | tr -d '\r')
    [ "$said" = holds ] || { echo "the check says: '$said'"; return 1; }
}
world init
printf '{"BackupDirectory":1,"AdministratorAccountName":"Admin"}' > "$folder/policy.json"
# The account is a file.
case $kind in
    agent) account=("file:$folder/password" "$folder/reader" "$folder/vault") ;;
    rotation) account=(Admin "$folder/reader" "$folder/vault" "$folder/password") ;;
    *) echo "an example is agent or rotation, not $kind"; exit 2 ;;
esac
arguments=("$folder/policy.json" "$folder/state" pc-17 "${account[@]}")
run() { within 300 $runner "$agent" "${arguments[@]}"; } # not killed; the limit is there for one that hangs

run > "$folder/log"
grep -q '"name":"committed","id":10029' "$folder/log"
first=$(cat "$folder/password")
check
run > "$folder/log" # nothing is due
[ "$(cat "$folder/password")" = "$first" ] || { echo "nothing was due, and yet the password changed"; exit 1; }
world order
began=$(date +%s%N)
run > "$folder/log"
took=$((($(date +%s%N) - began) / 1000000)) # milliseconds
[ "$(cat "$folder/password")" != "$first" ] || { echo "an order did not change the password"; exit 1; }
check

# A refused policy changes nothing: the last accepted one stays in force. Without one there is nothing to go by.
cp "$folder/policy.json" "$folder/good.json"
printf '{"BackupDirectory":1,"PasswordLength":7}' > "$folder/policy.json"
world order
# An order for a password that was made on an order waits a minute: it is due and not committed.
status=0
run > "$folder/log" 2> "$folder/err" || status=$?
[ $status = 8 ] || { echo "an order that waits: status $status, not 8"; exit 1; }
# The agent tells it as an event. Two lines: a failure before && would not end the script.
cat "$folder/log" "$folder/err" | grep -q '8 to 64'
grep -q '"waiting"' "$folder/log"
check
status=0
$runner "$agent" "$folder/policy.json" "$folder/other" pc-18 "${account[@]}" > "$folder/log" 2> "$folder/err" || status=$?
[ $status = 3 ] || { echo "a refused policy and none before: status $status, not 3"; exit 1; }
mv "$folder/good.json" "$folder/policy.json"

# Spread over the time that a rotation took; wherever a kill falls, the check must hold.
printf '{"BackupDirectory":2,"AdministratorAccountName":"Admin"}' > "$folder/policy.json"
for kill in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    # Another directory asks for a new password at once.
    printf '{"BackupDirectory":%d,"AdministratorAccountName":"Admin"}' $((2 - kill % 2)) > "$folder/policy.json"
    $runner "$agent" "${arguments[@]}" > /dev/null 2>&1 & pid=$!
    sleep "$(awk "BEGIN { print $took * $kill / 20000 }")"
    kill -KILL $pid 2> /dev/null || true
    wait $pid 2> /dev/null || true
    check
done
run > "$folder/log" || true
status=0
run > "$folder/log" || status=$?
[ $status = 0 ] || [ $status = 8 ] || { echo "after the kills: status $status"; exit 1; } # 8: what rests on conflicts waits
check
echo "the example $kind: an order, twenty kills; a reader could always get the password"
