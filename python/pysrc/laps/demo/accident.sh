#!/bin/sh
# The accident of the demonstration: the account store kills the agent that called it, before or after the account has
# its new password.
#
#   accident.sh before|after STORE FOLDER set|verify|used-since ACCOUNT [TIME]
#
# STORE is the script that does the work, account.sh. SIGKILL comes from outside of the agent, which knows nothing of it.
when=$1
shift
if [ "$when $3" = "before set" ]; then
    kill -KILL $PPID
    exit 1
fi
/bin/sh "$@"
status=$?
[ "$when $3" = "after set" ] && kill -KILL $PPID
exit $status
