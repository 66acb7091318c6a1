#!/bin/bash
# The static library for MinGW: one object in which only laps_* is visible, because a program may have a SQLite, or another
# library in Rust, of its own. Beside it stays what imports from Windows' DLLs, which a linker takes as it needs it.
# usage: ffi/windows/reduce.sh LIBRARY REDUCED FOLDER
. "$(dirname "$0")/../tests/loud.sh"
library=$(realpath "$1") reduced=$(realpath "$2") folder=$3
tool=x86_64-w64-mingw32
rm -rf "$folder" && mkdir -p "$folder"
cd "$folder"
$tool-ar t "$library" > members
# Made by Rust for its raw-dylib imports: a head, a tail, and a member for each function, some of the same name twice.
grep -vE '\.dll(h|t|s[0-9]+)\.o$' members > own
twice=$(sort own | uniq -d)
[ -z "$twice" ] || { echo "$library: members of one name, which cannot be told apart: $twice"; exit 1; }
xargs $tool-ar x "$library" < own
# The program's own C library defines _tls_used, and ld -r takes a symbol of that name for an image's TLS directory.
xargs -I{} $tool-objcopy --redefine-sym _tls_used=laps_outside_tls_used {} < own
xargs $tool-ld -r -o laps.o < own
# .drectve keeps names out of what a DLL exports by itself, names that only this object knows now.
$tool-objcopy --strip-debug --remove-section=.llvmbc --remove-section=.llvmcmd --remove-section=.drectve \
    --wildcard --keep-global-symbol='laps_*' --redefine-sym laps_outside_tls_used=_tls_used laps.o
cp "$library" "$reduced"
xargs $tool-ar d "$reduced" < own
$tool-ar rs "$reduced" laps.o 2> /dev/null
