#!/bin/sh
# An account store over an LDAP server: each account is an entry below one place.
#
#   ldap.sh SERVER BASE BIND-DN BIND-FILE exists|set|verify|used-since|sign-out|terminate|restart ACCOUNT [TIME]
#
# For example: command:sh /etc/laps/ldap.sh ldaps://ldap.example ou=admins,dc=example cn=laps,dc=example /etc/laps/bind
#
# BIND-FILE holds the password of BIND-DN, which may set passwords below BASE: mode 0600, and no newline at its end.
# The account's password goes from standard input to OpenLDAP's tools and stands in no command line.
server=$1 base=$2 who=$3 secret=$4 verb=$5 account=$6
case $account in
*[!A-Za-z0-9._-]* | -* | '') echo "this store takes letters, digits, dot, dash and underscore" >&2; exit 11 ;;
esac
entry=uid=$account,$base

as_us() {
    tool=$1
    shift
    "$tool" -x -H "$server" -D "$who" -y "$secret" "$@"
}

exists() {
    as_us ldapsearch -LLL -s base -b "$entry" dn > /dev/null 2>&1
    found=$?
    # 32 is LDAP's "no such object". Everything else says nothing about the account.
    [ "$found" -ne 32 ] || { echo "there is no $entry" >&2; exit 12; }
}

case $verb in
exists)
    exists
    exit 0
    ;;
set)
    exists
    as_us ldappasswd -T /dev/stdin "$entry"
    status=$?
    # 19 is "constraint violation": the server's own password policy refuses it.
    [ "$status" -ne 19 ] || exit 10
    [ "$status" -eq 0 ] || exit 1
    ;;
verify)
    ldapwhoami -x -H "$server" -D "$entry" -y /dev/stdin > /dev/null
    status=$?
    # 49 is "invalid credentials".
    [ "$status" -ne 49 ] || exit 13
    [ "$status" -eq 0 ] || exit 1
    ;;
*)
    # used-since, sign-out, terminate, restart: a directory has none of them.
    exit 11
    ;;
esac
