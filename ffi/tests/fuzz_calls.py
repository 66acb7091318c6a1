#!/usr/bin/env python3
"""Writes a C program that makes random sequences of calls of laps.h, and holds every one to the
contract.

usage: fuzz_calls.py HEADER > fuzz_calls.c; then fuzz_calls SEQUENCES [SEED]

The functions, and what a valid argument is, come from where contract.py has them, so a new function
takes part by itself. A call gets valid objects, NULL, and objects that a forced panic poisoned;
valid, damaged, random and missing inputs, each in a block of exactly its length; lengths that no
memory has; output blocks of exactly their size. Under AddressSanitizer, with a library that is
instrumented too, whatever is read or written beside them is a finding. Beyond that every call must
keep the contract: a known status with its words, nothing written by a call that failed, INTERNAL
only where a panic was forced, POISONED only where an object saw one. At its end a sequence frees
what it made; what is left is a leak.
"""
import re
import sys

from contract import arguments, base, functions, is_out, is_pointer
from contract_fixtures import FIXTURES, PRELUDE, VAULT_PRELUDE

# Inputs of a fixed length that the comment does not say in words that a program reads.
FIXED = {"stamp": 32, "proof": 32, "previous": 16, "in_force": 40, "reader_id": 32, "record_id": 16}
# Texts that name files and programs: only the valid one, or none. A random name could be that of a
# file of somebody else.
PATHS = ("path", "copy", "folder", "store")
# Clean objects that calls change: made again for every sequence, after the objects that they are
# made from.
CHANGES = (
    "laps_evaluation", "laps_header", "laps_accounts", "laps_config", "laps_rotation", "laps_event",
    "laps_bytes", "laps_check_ins", "laps_devices", "laps_foreign", "laps_agent_options",
    "laps_account_store"
)
# Slow by design (scrypt, disks, key pairs): one call of N is made.
RARE = [
    (r"_key_to_file$", 8),
    (r"^laps_vault_(init|open)", 400),
    (r"^laps_agent_(open|run|run_once|check_in)$", 100),
    (r"^laps_account_store_open$", 2000),
    (r"^laps_account_store_", 100),
    (r"^laps_(vault|disclosure|metadata|adoptable)", 80),
    (r"^laps_reader_key_(open|reseal)", 10),
    (r"^laps_(reader|signer)_key_(new|signer|reader|sign_readers)", 40),
    (r"laps_recipe_new|laps_policy_recipe|laps_recipe_read", 12),
]


def out_bytes(name, comment):
    found = re.findall(r"(\d+) bytes", comment)
    if len(set(found)) != 1:
        raise SystemExit(f"{name}: its comment does not say how many bytes it writes")
    return int(found[0])


def emit(put, number, result, name, parameters, comment):
    """One function: fuzz_NAME() draws arguments, calls, and looks at what happened."""
    valid = arguments(name, parameters)
    names = [p for _, p in parameters]
    put(f"static void fuzz_{name}(void) {{\n    used = 0;")
    call, before, after = [], [], []
    outs = []
    skip = set()
    for index, (kind, parameter) in enumerate(parameters):
        kind = kind.strip()
        if parameter in skip:
            call.append(f"a_{parameter}")
            continue
        if f"{parameter}_len" in names and parameter == "buffer":
            unit = kind.replace("*", "").strip()
            before.append(f"size_t a_buffer_len = buffer_size();")
            before.append(f"{unit} *a_buffer = block(a_buffer_len * sizeof({unit}));")
            after.append(
                f"    look_at_buffer(a_buffer, a_buffer_len, sizeof({unit}), out_out_len, status);"
            )
            after.append("    free(a_buffer);")
            call.append("a_buffer")
            skip.add("buffer_len")
        elif parameter == "out_places":
            before.append(
                "size_t a_place_size = (size_t)PICK(0, 1, 8, 15, 65, 129), a_count = "
                "(size_t)rnd(6);"
            )
            before.append("char *a_out_places = block(a_place_size * a_count);")
            before.append("if (rnd(50) == 0) a_count = SIZE_MAX - rnd(4);")
            after.append("    free(a_out_places);")
            call.append("a_out_places")
            skip.update(("place_size", "count"))
        elif f"{parameter}_len" in names:
            unit = kind.replace("const", "").replace("*", "").strip()
            lengths = valid[names.index(f"{parameter}_len")]
            draw = "draw_path" if parameter.endswith(PATHS) else "draw_input"
            draw = "draw_passphrase" if parameter == "passphrase" else draw
            at = valid[index] if valid[index] != "NULL" else '""'
            before.append(f"size_t a_{parameter}_len;")
            before.append(f"void *free_{parameter};")
            before.append(
                f"const {unit} *a_{parameter} = {draw}({at}, {lengths}, sizeof({unit}), "
                f"&a_{parameter}_len, &free_{parameter});"
            )
            after.append(f"    free(free_{parameter});")
            call.append(f"a_{parameter}")
            skip.add(f"{parameter}_len")
        elif kind.count("*") == 2 and kind.startswith("const"):
            before.append(f"size_t a_{names[index + 1]};")
            before.append(
                f"const {base(kind)} **a_{parameter} = "
                f"draw_array_{base(kind)}(&a_{names[index + 1]});"
            )
            after.append(f"    free((void *)a_{parameter});")
            call.append(f"(const {base(kind)} *const *)a_{parameter}")
            skip.add(names[index + 1])
        elif is_out(kind, parameter):
            target = kind[:-1].strip()
            size = str(out_bytes(name, comment)) if target == "uint8_t" else f"sizeof({target})"
            before.append(f"{kind}out_{parameter} = draw_out({size});")
            outs.append((parameter, kind, size))
            call.append(f"out_{parameter}")
        elif is_pointer(kind) and base(kind) in FIXTURES:
            take = "take_free" if name.endswith("_free") else "take"
            before.append(
                f"{base(kind)} *a_{parameter} = {take}({list(FIXTURES).index(base(kind))});"
            )
            call.append(f"a_{parameter}")
        elif parameter in FIXED:
            before.append(f"uint8_t *a_{parameter} = rnd(3) ? block({FIXED[parameter]}) : NULL;")
            after.append(f"    free(a_{parameter});")
            call.append(f"a_{parameter}")
        elif parameter == "user":
            call.append("(rnd(2) ? &told_calls : NULL)")
        elif parameter == "calls":
            call.append(f"(rnd(16) ? {valid[index]} : NULL)")
        elif parameter in ("lock_seconds", "setter_seconds", "patience_seconds"):
            call.append("(rnd(20) ? rnd(2) : UINT64_MAX - rnd(3))")  # a longer wait is one
        elif base(kind) in ("laps_progress", "laps_step", "laps_channel", "laps_on_event"):
            call.append(f"(rnd(4) ? {valid[index]} : NULL)")
        elif parameter == "memory":
            before.append("size_t a_len = rnd(20) ? rnd(64) : SIZE_MAX - rnd(3);")
            before.append("uint8_t *a_memory = block(a_len > 64 ? 0 : a_len);")
            after.append("    free(a_memory);")
            call.append("a_memory")
            skip.add("len")
        elif not is_pointer(kind):
            before.append(
                f"{kind} a_{parameter} = ({kind})draw_number((uint64_t)({valid[index]}));"
            )
            call.append(f"a_{parameter}")
        else:
            raise SystemExit(f"fuzz_calls.py: no argument for `{kind} {parameter}` of {name}")
    if name == "laps_agent_run":
        before.append("laps_agent_stop(a_agent); /* nobody else would end it */")
    for line in before:
        put(f"    {line}")
    text = f"{name}({', '.join(call)})"
    put("    arm();")
    if result == "laps_status":
        put(f"    {{ laps_status status = {text};")
        put(f'    judge({number}, "{name}", status);')
        for parameter, kind, size in outs:
            if parameter == "out_len" and "buffer" in names:
                continue
            owned = kind.count("*") == 2 and base(kind) in FIXTURES
            keep = (
                f"keep({list(FIXTURES).index(base(kind))}, out_{parameter})" if owned else "(void)0"
            )
            put(
                f"    if (status == LAPS_STATUS_OK) {keep}; else CHECK(untouched(out_{parameter}, "
                f"{size}));"
            )
    else:
        put("    { laps_status status = LAPS_STATUS_OK; (void)status;")
        if result == "void":
            # it panicked before it freed
            again = f" if (disarm()) {text};" if name.endswith("_free") else " disarm();"
            put(f"    {text};{again}")
        elif result == "const char *":
            put(
                f"    {{ const char *text = {text}; disarm(); if (text != NULL) touched += "
                "strlen(text); }"
            )
        elif result == "const uint8_t *":
            length = (
                name.replace("_data", "_len").replace("_bytes", "_len") if name != "laps_bytes_data"
                else "laps_bytes_len"
            )
            of = ", ".join(call) if name == "laps_rows_bytes" else call[0]
            length = "laps_rows_bytes_len" if name == "laps_rows_bytes" else length
            put(
                f"    {{ const uint8_t *bytes = {text}; disarm(); if (bytes != NULL) "
                f"remember(bytes, {length}({of})); }}"
            )
        elif result == "const laps_password *":
            put(
                f"    {{ const laps_password *password = {text}; disarm(); touched += "
                "laps_password_len(password); }"
            )
        else:
            put(f"    touched += (uint64_t){text}; disarm();")
    for line in after:
        put(line)
    for parameter, _, _ in outs:
        put(f"    free(out_{parameter});")
    put("    }\n}\n")


def main():
    header = open(sys.argv[1], encoding="utf-8").read()
    table = list(functions(header))
    put = print
    put("/* Made by fuzz_calls.py from laps.h; see there. */")
    put('#include "check.h"\n')
    put("unsigned long checks = 0;\n#define LAPS_PANIC_FOR_TESTS")
    put(PRELUDE)
    put(VAULT_PRELUDE)
    put("static const uint8_t bytes_32[32] = {1, 2, 3};")
    put("static struct fixtures {")
    for kind in FIXTURES:
        put(f"    {kind} *{kind};")
    put("} f;")
    for kind, made in FIXTURES.items():
        put(f"static void make_{kind}(void) {{\n    {made}\n}}")
        put(f"static void end_{kind}(void *object) {{ {kind}_free(({kind} *)object); }}")
    put(f"#define TYPES {len(FIXTURES)}")
    put(
        "static void (*const make[TYPES])(void) = {" + ", ".join(f"make_{k}" for k in FIXTURES)
        + "};"
    )
    put(
        "static void (*const end[TYPES])(void *) = {" + ", ".join(f"end_{k}" for k in FIXTURES)
        + "};"
    )
    put(
        "static void **const clean[TYPES] = {" + ", ".join(f"(void **)&f.{k}" for k in FIXTURES)
        + "};"
    )
    put(
        "static const char changes[TYPES] = {" + ", ".join(str(int(k in CHANGES)) for k in FIXTURES)
        + "};"
    )
    for kind in (
        "laps_rotation", "laps_generator", "laps_recipe", "laps_reader", "laps_vault",
        "laps_metadata", "laps_bytes", "laps_record", "laps_reader_key", "laps_event",
        "laps_header", "laps_adoptable", "laps_foreign", "laps_rows"
    ):
        put(f"#define T_{kind} {list(FIXTURES).index(kind)}")
    put(f"#define CALLS {len(table)}")
    put('#include "fuzz_calls.h"\n')
    arrays = {
        base(k) for _, _, ps, _ in table for k, _ in ps
        if k.count("*") == 2 and k.strip().startswith("const")
    }
    for kind in sorted(arrays):
        put(f"static const {kind} **draw_array_{kind}(size_t *count) {{")
        put(f"    return (const {kind} **)draw_array({list(FIXTURES).index(kind)}, count);\n}}\n")
    for number, (result, name, parameters, comment) in enumerate(table):
        emit(put, number, result, name, parameters, comment)
    put(
        "static const struct { const char *name; void (*call)(void); unsigned rare, fails; } "
        "calls[CALLS] = {"
    )
    for result, name, _, _ in table:
        rare = next((n for pattern, n in RARE if re.search(pattern, name)), 1)
        put(f'    {{"{name}", fuzz_{name}, {rare}, {int(result == "laps_status")}}},')
    put("};")
    put('#include "fuzz_main.h"')


main()
