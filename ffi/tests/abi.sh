#!/bin/bash
# What laps.h promises to compiled programs against the committed baseline in ffi/tests/abi: functions and types with
# libabigail, constants by value. Additions are fine. LAPS_WRITE_ABI=1 writes the baseline anew: after additions, and
# with a new minor version (below 1.0; major after it) also after other changes.
# usage: ffi/tests/abi.sh FOLDER
cd "$(dirname "$0")/../.."
. ffi/tests/loud.sh
out=$1 baseline=ffi/tests/abi

library() { # HEADER NAME: the header as a library without content; libabigail reads its debug information
    mkdir -p "$out/abi-$2"
    cp "$1" "$out/abi-$2/laps.h"
    python3 ffi/tests/abi_stub.py stub "$1" > "$out/abi-$2/stub.c"
    (cd "$out/abi-$2" && gcc -std=c99 -g -O0 -shared -fPIC stub.c -o liblaps.so)
}
library ffi/include/laps.h now
python3 ffi/tests/abi_stub.py constants ffi/include/laps.h > "$out/abi-now/constants.c"
gcc -std=c99 -Iffi/include "$out/abi-now/constants.c" -o "$out/abi-now/constants"
"$out/abi-now/constants" > "$out/abi-now/constants.txt"

if [ "${LAPS_WRITE_ABI:-}" = 1 ]; then
    abidw --no-corpus-path --no-comp-dir-path --no-show-locs --out-file $baseline/laps.abi.xml "$out/abi-now/liblaps.so"
    cp "$out/abi-now/constants.txt" $baseline/constants.txt
fi

same() { abidiff --no-added-syms $baseline/laps.abi.xml "$1" > "$out/abidiff.log" 2>&1; }
same "$out/abi-now/liblaps.so" || { cat "$out/abidiff.log"; echo "laps.h breaks compiled programs: see ffi/tests/abi.sh"; exit 1; }
grep -vxFf "$out/abi-now/constants.txt" $baseline/constants.txt > "$out/constants.log" \
    && { cat "$out/constants.log"; echo "constants of laps.h went away or changed: see ffi/tests/abi.sh"; exit 1; }

# The comparison sees what it must: another width of one parameter, and one function less.
sed 's/uint8_t length,/uint16_t length,/' ffi/include/laps.h > "$out/changed.h"
sed 's/laps_version_number(/laps_version_count(/' ffi/include/laps.h > "$out/less.h"
for changed in changed less; do
    library "$out/$changed.h" $changed
    ! same "$out/abi-$changed/liblaps.so" || { echo "abidiff does not see what changed in $changed.h"; exit 1; }
done
