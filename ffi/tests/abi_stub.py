#!/usr/bin/env python3
"""Writes what laps.h promises as a C library without content, for libabigail, and its constants.

usage: abi_stub.py stub|constants HEADER
"""
import re
import sys

from contract import functions


def constants(header):
    """Every name that stands for a number."""
    names = re.findall(r"^#define (LAPS_\w+) \(?[-0-9(]", header, flags=re.M)
    names += re.findall(r"^\s+(LAPS_\w+) = ", header, flags=re.M)
    return [name for name in dict.fromkeys(names) if not name.startswith("LAPS_VERSION")]


def main():
    header = open(sys.argv[2], encoding="utf-8").read()
    if sys.argv[1] == "constants":
        print('#include <inttypes.h>\n#include <stdio.h>\n#include "laps.h"\nint main(void) {')
        for name in constants(header):
            print(f'    printf("{name} %" PRIdMAX "\\n", (intmax_t){name});')
        print("    return 0;\n}")
        return
    print('#include <stdlib.h>\n#include "laps.h"')
    for result, name, parameters, _ in functions(header):
        listed = ", ".join(kind + parameter for kind, parameter in parameters) or "void"
        print(f"{result} {name}({listed}) {{ abort(); }}")


main()
