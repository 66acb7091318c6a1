# shellcheck shell=bash
# Sourced by the test scripts: no step fails in silence, and what EXIT cleans up is cleaned up after a signal too.
set -Eeu

# Says which command failed, where, and who called it. The command stands as it is written: no value of a variable is shown.
told() { # STATUS COMMAND
    local i
    printf '%s:%s: status %s of: %s\n' "${BASH_SOURCE[1]}" "${BASH_LINENO[0]}" "$1" "$2" >&2
    for ((i = 2; i < ${#FUNCNAME[@]}; i++)); do
        printf '    called at %s:%s\n' "${BASH_SOURCE[i]}" "${BASH_LINENO[i - 1]}" >&2
    done
}
trap 'told $? "$BASH_COMMAND"' ERR
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Holds a lock until the script ends, so that two in one tree come one after the other.
alone() { # FILE
    command -v flock > /dev/null || return 0
    mkdir -p "$(dirname "$1")"
    exec 9> "$1"
    flock --nonblock 9 && return
    echo "waiting for another run, which holds $1"
    flock --timeout 7200 9 || { echo "another run has held $1 for two hours"; exit 1; }
}

# Runs a program that must end within so many seconds.
within() { # SECONDS PROGRAM [arguments]
    local seconds=$1 status=0
    shift
    timeout --foreground --kill-after=5 "$seconds" "$@" || status=$?
    [ $status != 124 ] && [ $status != 137 ] || echo "$1: not done within $seconds seconds" >&2
    return $status
}
