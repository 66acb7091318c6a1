"""What contract.py passes to the functions of laps.h where an argument is to be valid."""

# C that stands before the fixtures.
PRELUDE = r"""
#ifdef LAPS_PANIC_FOR_TESTS
/* Panics at the point with this number from now on (0: at the start of the next call); -1: nowhere. Answers how many
   points are left until then, -1 where it has happened. */
int32_t laps_test_panic(int32_t point);
#endif
"""

# How an object of each type is made; in an order in which a later one may use the earlier ones.
FIXTURES = {
    "laps_password": 'OK(laps_password_from_utf8(LAPS_TEXT("correct horse"), &f.laps_password));',
}

# Valid values by (function, parameter), by parameter, or by type.
ARGUMENTS = {
    "status": "0",
    "memory": "buffer_storage",
    "len": "8",
    "buffer": "(void *)buffer_storage",
    "buffer_len": "8000",
    "text": '"abc"',
    ("laps_password_from_utf16", "text"): "(const uint16_t *)(const void *)L\"abc\"",
    "text_len": "3",
}

# Where NULL is a valid argument and the comment in the header says so.
MAY_BE_NULL = {("laps_wipe", "memory")}

# What a call answers when it fails, by its result.
NOTHING = {"size_t": "0", "uint32_t": "0", "uint64_t": "0", "int32_t": "0", "bool": "false", "const char *": "NULL"}
