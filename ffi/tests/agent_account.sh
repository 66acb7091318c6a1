#!/bin/sh
# The example agent sets the password of a real account of this machine: made here, and removed. Needs root.
# usage: agent_account.sh AGENT AGENT_WORLD FOLDER
set -eu
agent=$1 world=$2 folder=$3
[ "$(id -u)" = 0 ] || { echo "an account can only be made by root"; exit 1; }
account=lapsexample$$
useradd --no-create-home --shell /usr/sbin/nologin "$account"
step="making an account"
leave() { # whoever else changes accounts of this machine at the same time may have made a step fail
    status=$?
    [ $status = 0 ] || { echo "$step: failed with status $status"; tail -n 3 "$folder/log" 2> /dev/null || true; }
    userdel "$account"
    exit $status
}
trap leave EXIT
trap 'exit 1' INT TERM
rm -rf "$folder" && mkdir -p "$folder"
"$world" init "$folder"
printf '{"BackupDirectory":1,"AdministratorAccountName":"%s"}' "$account" > "$folder/policy.json"
run() { "$agent" "$folder/policy.json" "$folder/state" pc-17 "$account" "$folder/reader" "$folder/vault"; }
# Whether a password that a reader gets from the vault is the account's.
holds() {
    { getent shadow "$account" | cut -d: -f2; "$world" show "$folder" 2> /dev/null; } | perl -ne 'chomp; if ($. == 1) { $held = $_; next }
        my $hash = crypt($_, $held); $found = 1 if defined $hash && $hash eq $held; END { exit !$found }'
}
step="before the first run"
if holds; then echo "there is no password yet"; exit 1; fi
step="the first run"
run > "$folder/log"
grep -q '"name":"committed","id":10029' "$folder/log"
holds
step="a run after an order"
"$world" order "$folder"
first=$(getent shadow "$account" | cut -d: -f2)
run > "$folder/log"
[ "$(getent shadow "$account" | cut -d: -f2)" != "$first" ]
holds
for kill in 01 02 03 04 05 06 07 08 09 10 12 14 16 18 20 25 30 35 40 50; do
    step="a run that is killed after 0.$kill s"
    "$world" order "$folder"
    run > /dev/null 2>&1 & pid=$!
    sleep "0.$kill"
    kill -KILL $pid 2> /dev/null || true
    wait $pid 2> /dev/null || true
    holds
done
step="the run after the kills"
run > "$folder/log" || true
run > "$folder/log"
holds
echo "the example agent on a real account: an order, twenty kills; a reader could always get the password"
