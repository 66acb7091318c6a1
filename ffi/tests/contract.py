#!/usr/bin/env python3
"""Writes a C program that holds every function of laps.h to the contract at its top.

usage: contract.py HEADER [full|agent] > contract.c

The table of functions is the header itself. What a valid argument is stands below, by type or by
parameter; a function that uses a type which is not listed here fails the generator. Tested function
by function:

* NULL in every pointer argument: LAPS_STATUS_NULL_ARGUMENT (or 0, false, NULL), and nothing is
  written;
* an empty buffer, one that is one unit short, one that fits exactly;
* after all these failures the same objects take a valid call;
* with a library built with the feature `panic-for-tests`: a panic at every point where an object or
  an out parameter
  is taken becomes LAPS_STATUS_INTERNAL, writes nothing, and poisons what was in use.
"""
import re
import sys

from contract_fixtures import (
    ARGUMENTS, COSTLY, FIXTURES, MAY_BE_NULL, NOTHING, PRELUDE, VAULT_PRELUDE,
)


def functions(header):
    """(result, name, [(type, name)], comment) of every function that this build of the header
    declares."""
    pattern = (
        r"(/\*\*(?:(?!\*/).)*\*/)\s*"
        r"((?:LAPS_API|LAPS_NODISCARD)\b[^;{]*?)\b(laps_\w+)\(([^;{]*?)\);"
    )
    for comment, result, name, parameters in re.findall(pattern, header, flags=re.S):
        result = " ".join(result.replace("LAPS_API", "").replace("LAPS_NODISCARD", "").split())
        parts = [] if parameters.strip() == "void" else [
            " ".join(p.split()) for p in parameters.split(",")
        ]
        yield result, name, [re.fullmatch(r"(.*?[ *])(\w+)", p).groups() for p in parts], comment


def is_pointer(kind):
    return kind.rstrip().endswith("*")


def is_out(kind, name):
    return is_pointer(kind) and not kind.startswith("const") and (name.startswith("out_"))


def base(kind):
    return kind.replace("const", "").replace("*", "").strip()


def arguments(name, parameters):
    """The valid call: one C expression for each parameter."""
    values = []
    for kind, parameter in parameters:
        kind = kind.strip()
        special = ARGUMENTS.get((name, parameter)) or ARGUMENTS.get(parameter)
        if special:
            values.append(special)
        elif is_out(kind, parameter):
            values.append(f"(void *)&out_{parameter}")
        elif base(kind) in FIXTURES and is_pointer(kind):
            values.append(f"f.{base(kind)}")
        else:
            raise SystemExit(
                f"contract_fixtures.py: no valid value for `{kind} {parameter}` of {name}"
            )
    return values


def main():
    header = open(sys.argv[1], encoding="utf-8").read()
    full = len(sys.argv) < 3 or sys.argv[2] == "full"
    if not full:
        header = re.sub(r"#if defined\(LAPS_FULL\)\n.*?#endif", "", header, flags=re.S)
    table = list(functions(header))
    declared = set(re.findall(r"\b(laps_\w+)\(", re.sub(r"/\*.*?\*/", "", header, flags=re.S)))
    missing = declared - {name for _, name, _, _ in table}
    if missing:
        raise SystemExit(
            f"these functions have no comment, or were not understood: {sorted(missing)}"
        )

    used = [t for t in FIXTURES if any(base(k) == t for _, _, ps, _ in table for k, _ in ps)]
    put = print
    put("/* Made by contract.py from laps.h; see there. */")
    put('#include "check.h"\n')
    put("unsigned long checks = 0;")
    put(PRELUDE)
    if full:
        put(VAULT_PRELUDE)
    put("static const uint8_t bytes_32[32] = {1, 2, 3};\n\nstruct fixtures {")
    for kind in used:
        put(f"    {kind} *{kind};")
    put("};\nstatic struct fixtures f;\n")
    put("static void set_up(int costly) {")
    for kind in used:
        put(
            f"    if (costly) {{\n    {FIXTURES[kind]}\n    }}" if kind in COSTLY
            else f"    {FIXTURES[kind]}"
        )
    put("    (void)costly;\n}\n")
    put("static void tear_down(void) {")
    for kind in reversed(used):
        put(f"    {kind}_free(f.{kind});")
    put("    memset(&f, 0, sizeof f);\n}\n")
    put("static unsigned char sentinel[4096];")
    put("static uint64_t out_storage[512], buffer_storage[8192];")
    put("#define UNTOUCHED() CHECK(memcmp(out_storage, sentinel, sizeof out_storage) == 0)\n")

    names = []
    for result, name, parameters, comment in table:
        values = arguments(name, parameters)
        outs = [p for k, p in parameters if is_out(k, p)]
        for index, parameter in enumerate(outs):
            values = [
                v.replace(f"(void *)&out_{parameter}", f"(void *)(out_storage + {64 * index})")
                for v in values
            ]
        fails = NOTHING.get(result)
        freeing = name.endswith("_free")
        costly = int(any(base(k) in COSTLY for k, _ in parameters))
        names.append((name, costly))
        put(f"static void contract_{name}(void) {{")

        def call(changed):
            return f"{name}({', '.join(changed)})"

        def expect(status, changed):
            if result == "laps_status":
                put(f"    CHECK_STATUS({status}, {call(changed)});")
            elif result == "void":
                put(f"    {call(changed)};")
            else:
                put(f"    CHECK({call(changed)} == {fails});")
            put("    UNTOUCHED();")

        lengths = [p for _, p in parameters]
        put("    memset(out_storage, 0xA5, sizeof out_storage);")
        for index, (kind, parameter) in enumerate(parameters):
            if not is_pointer(kind):
                continue
            changed = list(values)
            changed[index] = "NULL"
            if f"{parameter}_len" in lengths:  # NULL with a length of 0 is another thing
                changed[lengths.index(f"{parameter}_len")] = "1"
            if (name, parameter) in MAY_BE_NULL:
                if "NULL" not in comment:
                    raise SystemExit(
                        f"{name}: the comment does not say that {parameter} may be NULL"
                    )
                continue
            expect("LAPS_STATUS_NULL_ARGUMENT", changed)
        if "buffer" in lengths and result == "laps_status":
            at, length = lengths.index("buffer"), lengths.index("buffer_len")
            needed = "*(size_t *)(out_storage + %d)" % (64 * outs.index("out_len"))
            unit = re.sub(r"\*", "", parameters[at][0]).strip()
            changed = list(values)
            changed[at], changed[length] = "NULL", "0"
            put(
                f"    {{\n    size_t needed;\n    {unit} *buffer = ({unit} *)(void "
                "*)buffer_storage;"
            )
            put("    memset(buffer_storage, 0x5A, sizeof buffer_storage);")
            put(f"    CHECK_STATUS(LAPS_STATUS_BUFFER_TOO_SMALL, {call(changed)});")
            put(f"    needed = {needed};")
            put("    CHECK(needed > 0 && needed * sizeof *buffer < sizeof buffer_storage);")
            changed[at], changed[length] = "buffer", "needed - 1"
            put(f"    {needed} = 0;")
            put(f"    CHECK_STATUS(LAPS_STATUS_BUFFER_TOO_SMALL, {call(changed)});")
            put(f"    CHECK({needed} == needed);")
            put("    CHECK(((unsigned char *)buffer_storage)[0] == 0x5A);")
            changed[length] = "needed"
            put(f"    OK({call(changed)});")
            put(f"    CHECK({needed} <= needed);")
            put("    CHECK(((unsigned char *)(buffer + needed))[0] == 0x5A);")
            put("    memset(out_storage, 0xA5, sizeof out_storage);\n    }")
        if result == "laps_status":
            put("    { /* no failure is left in the objects */")
            put(f"    laps_status status = {call(values)};")
            put(
                "    CHECK(status != LAPS_STATUS_NULL_ARGUMENT && status != "
                "LAPS_STATUS_BUFFER_TOO_SMALL &&"
            )
            put("          status != LAPS_STATUS_POISONED && status != LAPS_STATUS_INTERNAL);")
            put("    if (status != LAPS_STATUS_OK) UNTOUCHED();")
            for index, (kind, parameter) in enumerate(parameters):
                if is_out(kind, parameter) and kind.count("*") == 2 and base(kind) in FIXTURES:
                    slot = 64 * outs.index(parameter)
                    put(
                        f"    if (status == LAPS_STATUS_OK) {base(kind)}_free(*({base(kind)} "
                        f"**)(void *)(out_storage + {slot}));"
                    )
            put("    memset(out_storage, 0xA5, sizeof out_storage);\n    }")
        if "const" not in result and (result == "laps_status" or fails) and parameters or freeing:
            # Static texts and numbers do not go through the edge: there is nothing in them that can
            # panic.
            put("#ifdef LAPS_PANIC_FOR_TESTS")
            objects = any(base(k) in FIXTURES and not is_out(k, p) for k, p in parameters)
            if freeing:
                put(f"    laps_test_panic(0);\n    {call(values)}; /* panics: nothing is freed */")
                put("    laps_test_panic(-1);")
            elif result == "laps_status":
                put("    {\n    int point;\n    for (point = 0; point < 100; point++) {")
                put("        laps_status status;")
                put("        laps_test_panic(point);")
                put(f"        status = {call(values)};")
                put(
                    "        if (laps_test_panic(-1) >= 0) break; /* fewer points than that: it "
                    "went through */"
                )
                put("        CHECK_STATUS(LAPS_STATUS_INTERNAL, status);")
                put("        UNTOUCHED();")
                if objects:
                    put(
                        "        if (point > 0) CHECK_STATUS(LAPS_STATUS_POISONED, "
                        f"{call(values)});"
                    )
                    put("        UNTOUCHED();")
                put(f"        tear_down();\n        set_up({costly});\n    }}")
                put("    CHECK(point > 0 && point < 100);")
                for index, (kind, parameter) in enumerate(parameters):
                    if is_out(kind, parameter) and kind.count("*") == 2 and base(kind) in FIXTURES:
                        slot = 64 * outs.index(parameter)
                        put(f"    if (memcmp(out_storage + {slot}, sentinel, 8) != 0)")
                        put(
                            f"        {base(kind)}_free(*({base(kind)} **)(void *)(out_storage + "
                            f"{slot}));"
                        )
                put("    }")
            else:
                put(
                    f"    laps_test_panic(0);\n    CHECK({call(values)} == {fails});\n    "
                    "laps_test_panic(-1);"
                )
            put("#endif")
        put("}\n")
    put("int main(void) {")
    put("    memset(sentinel, 0xA5, sizeof sentinel);")
    for name, costly in names:
        put(f"    set_up({costly});\n    contract_{name}();\n    tear_down();")
    put(f'    printf("the contract: {len(names)} functions, %lu checks hold\\n", checks);')
    put("    return 0;\n}")


if __name__ == "__main__":
    main()
