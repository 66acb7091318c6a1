#!/usr/bin/env python3
"""Writes a C++ program that compiles only where every object of laps.h has its class in laps.hpp.

usage: wrappers.py HEADER > wrappers.cpp
"""
import re
import sys

types = re.findall(
    r"^typedef struct (laps_\w+) \1;$", open(sys.argv[1], encoding="utf-8").read(), flags=re.M
)
full = re.findall(
    r"^#if defined\(LAPS_FULL\)\n(?:/\*\*(?:(?!\*/).)*\*/\n)?typedef struct (laps_\w+)",
    open(sys.argv[1], encoding="utf-8").read(), flags=re.M | re.S
)
print(
    '// Made by wrappers.py from laps.h; see there.\n#include <type_traits>\n\n#include '
    '"laps.hpp"\n'
)
for name in types:
    wrapper = "laps::" + "".join(
        word.capitalize() for word in name.removeprefix("laps_").split("_")
    )
    if name in full:
        print("#ifdef LAPS_FULL")
    print(
        f'static_assert(std::is_base_of<laps::Object<{name}, {name}_free>, {wrapper}>::value, '
        f'"{name} has no class");'
    )
    print(
        f'static_assert(!std::is_copy_constructible<{wrapper}>::value, "{wrapper} would be freed '
        'twice");'
    )
    print(
        f'static_assert(!std::is_copy_assignable<{wrapper}>::value, "{wrapper} would be freed '
        'twice");'
    )
    print(
        f'static_assert(std::is_nothrow_move_constructible<{wrapper}>::value, "{wrapper} cannot be '
        'moved");'
    )
    if name in full:
        print("#endif")
print(f"int main() {{}} // {len(types)} types")
