# shellcheck shell=bash
# Sourced by the scripts that run programs under Wine: one prefix, and one server from the first
# program to the last. Left to itself the server ends with Wine's services three seconds after a
# program, and a program that begins while they end can be ended with them, without a word.
# usage: . ffi/windows/wine.sh FOLDER OVERRIDES
export WINEPREFIX=$1/wine WINEDEBUG=fixme-all,err-winediag,err-systray WINEDLLOVERRIDES="$2;mscoree=;mshtml="
wine=/usr/lib/wine/wine64 wineserver=/usr/lib/wine/wineserver
# The lock of this script, descriptor 9, is not the server's.
quietly() { "$@" > /dev/null 2>&1 9>&-; }
trap 'quietly $wineserver -k || true' EXIT
[ -d "$WINEPREFIX/drive_c" ] || {
    echo "making a Wine prefix"
    mkdir -p "$WINEPREFIX"
    WINEDLLOVERRIDES='mscoree=;mshtml=' quietly $wine wineboot -i
    quietly $wineserver -w
}
quietly $wineserver -p
