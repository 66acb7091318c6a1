#!/bin/bash
# Makes lists of targets side by side, those of one list one after the other. What a target says is shown in one piece when it is
# done, with its time. The first that fails ends them all.
# usage: lint/lanes.sh "TARGET…" "TARGET…" …
cd "$(dirname "$0")/.."
. ffi/tests/loud.sh
folder=$(mktemp -d)
lanes=()
finish() {
    for lane in "${lanes[@]}"; do kill -TERM -- "-$lane" 2> /dev/null || true; done
    rm -rf "$folder"
}
trap finish EXIT

lane() { # NUMBER TARGET…
    local number=$1 target started status
    shift
    for target; do
        echo "$target …"
        started=$SECONDS status=0
        "${MAKE:-make}" --no-print-directory "$target" > "$folder/$number" 2>&1 < /dev/null || status=$?
        {
            flock 7
            cat "$folder/$number"
            [ $status = 0 ] || { echo "$target: failed after $((SECONDS - started)) s"; exit $status; }
            echo "$target: done in $((SECONDS - started)) s"
        } 7> "$folder/turn"
    done
}

export CARGO_INCREMENTAL=0 # what is built once gains nothing from it
set -m # each lane is a process group, so that it can be ended with all that it has started
for targets; do
    # shellcheck disable=SC2086
    lane ${#lanes[@]} $targets &
    lanes+=($!)
done
for each in "${lanes[@]}"; do wait -n; done # each of them, whichever is first
