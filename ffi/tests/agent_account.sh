#!/bin/bash
# An example agent sets the password of a real account of this machine: made here, and removed. Needs root.
# usage: agent_account.sh agent|rotation AGENT AGENT_WORLD FOLDER      which of the examples AGENT is
. "$(dirname "$0")/loud.sh"
kind=$1 agent=$2 world=$3 folder=$4
[ "$(id -u)" = 0 ] || { echo "an account can only be made by root"; exit 1; }
# Drawn, so that it is nobody's: not of a run at the same time, nor left behind by one that was killed.
account=lapstest-$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
folder=$folder/$account
mkdir -p "$folder"
cleanup() {
    status=$?
    if [ $status != 0 ] && [ -s "$folder/log" ]; then
        echo "the agent's last lines:"
        tail -n 20 "$folder/log"
    fi >&2
    # The lock of the account files may be held by another run, or by what a killed agent had started.
    for try in 1 2 3; do
        getent passwd "$account" > /dev/null || break
        userdel "$account" || [ $try != 3 ] || echo "the account $account is left behind: userdel $account" >&2
    done
    rm -rf "$folder"
    exit $status
}
trap cleanup EXIT
useradd --no-create-home --shell /usr/sbin/nologin --comment "a test of LAPS; may be removed" "$account"
within 60 "$world" init "$folder"
printf '{"BackupDirectory":1,"AdministratorAccountName":"%s"}' "$account" > "$folder/policy.json"
store=$account # which the policy names, too
[ "$kind" != agent ] || store=linux
arguments=("$folder/policy.json" "$folder/state" pc-17 "$store" "$folder/reader" "$folder/vault")
# A run that is not killed; the limit is there for one that hangs.
run() { within 120 "$agent" "${arguments[@]}" > "$folder/log" 2>&1; }
order() { within 60 "$world" order "$folder"; }
# Whether a password that a reader gets from the vault is the account's.
holds() {
    { getent shadow "$account" | cut -d: -f2; within 60 "$world" show "$folder"; } | perl -ne 'chomp; if ($. == 1) { $held = $_; next }
        my $hash = crypt($_, $held); $found = 1 if defined $hash && $hash eq $held; END { exit !$found }'
}
must_hold() { # WHEN
    holds || { echo "$1: no password that a reader gets from the vault is the account's"; exit 1; }
}
if holds 2> /dev/null; then echo "there is no password yet, and yet one is found"; exit 1; fi
run
grep -q '"name":"committed","id":10029' "$folder/log" || { echo "the first run did not commit"; exit 1; }
must_hold "after the first run"
order
first=$(getent shadow "$account" | cut -d: -f2)
run
[ "$(getent shadow "$account" | cut -d: -f2)" != "$first" ] || { echo "an order did not change the password"; exit 1; }
must_hold "after an order"
for kill in 01 02 03 04 05 06 07 08 09 10 12 14 16 18 20 25 30 35 40 50; do
    # Another directory asks for a new password at once; an order for a password made on an order would wait.
    printf '{"BackupDirectory":%d,"AdministratorAccountName":"%s"}' $((2 - ${kill#0} % 2)) "$account" > "$folder/policy.json"
    "$agent" "${arguments[@]}" > /dev/null 2>&1 & pid=$!
    sleep "0.$kill"
    kill -KILL $pid 2> /dev/null || true
    wait $pid 2> /dev/null || true
    must_hold "killed after 0.$kill s"
done
run || true # it may have to wait for what the last kill left
status=0
run || status=$?
[ $status = 0 ] || [ $status = 8 ] || { echo "after the kills: status $status"; exit 1; } # 8: what rests on conflicts waits
must_hold "at the end"
echo "the example $kind on a real account: an order, twenty kills; a reader could always get the password"
