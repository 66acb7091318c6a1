#!/bin/sh
# An account store for the demonstration: each account is a file, and its content is the password.
#
#   account.sh FOLDER exists|set|verify|used-since|sign-out|terminate|restart ACCOUNT [TIME]
#
# The password comes on standard input, without a newline. Status: 0 done, 12 no such account, 13 does not match,
# 11 cannot. A store of your own does the same with real accounts: section 14 of the guide.
file=$1/$3
[ -f "$file" ] || { echo "there is no account $3" >&2; exit 12; }
case $2 in
exists)
    ;;
set)
    umask 077
    cat > "$file.new" && mv "$file.new" "$file"
    ;;
verify)
    cmp -s - "$file" || exit 13
    ;;
used-since)
    # Nobody logs on to a file.
    ;;
*)
    # sign-out, terminate, restart: a file has no sessions and no processes.
    exit 11
    ;;
esac
