#!/bin/bash
# The names that a static library for MinGW shows to a program's linker, without those of imports from Windows' DLLs.
# usage: ffi/windows/shown.sh LIBRARY
. "$(dirname "$0")/../tests/loud.sh"
x86_64-w64-mingw32-nm -A -g --defined-only "$1" | awk -F: '$(NF - 1) !~ /\.dll(h|t|s[0-9]+)\.o$/ { split($NF, field, " "); print field[3] }' | sort
