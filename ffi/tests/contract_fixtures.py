"""What contract.py passes to the functions of laps.h where an argument is to be valid."""

from pathlib import Path

READER = (
    "laps-reader-1 x25519 db0208f198fe94bd8e39761bd1847a0c6d73ad4d5fdd61f5ae734187e5f4b97a "
    "VGq2/gUzZm9Ct/mrkzw2geXPvKLBSKW+2zfJM/HJhDQ= helpdesk"
)
# A signed reader set of the core's vectors: its authority, and its text.
VECTOR = (
    Path(__file__).parents[2] / "core/tests/seal/vectors/x25519_set.txt"
).read_text(encoding="utf-8")
SIGNER = next(
    line for line in VECTOR.splitlines() if line.startswith("authority: ")
).removeprefix("authority: ")
SET = VECTOR[VECTOR.index("laps-reader-set-1") :].replace("\n", "\\n")
ANSWER = (
    "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncBody><Results><CmdID>2</CmdID><Item><Source><LocURI>"
    "./Device/Vendor/MSFT/LAPS/Actions/ResetPasswordStatus</LocURI></Source><Data>0</Data></Item>"
    "</Results></SyncBody></SyncML>"
)
POLICY = '{\\"BackupDirectory\\":1,\\"AdministratorAccountName\\":\\"Admin\\"}'

RECIPE = '{\\"length\\":16,\\"groups\\":[{\\"chars\\":\\"abcdefgh\\",\\"min\\":2}]}'

# C that stands before the fixtures.
PRELUDE = rf"""
#ifdef LAPS_PANIC_FOR_TESTS
/* Panics at the point with this number from now on (0: at the start of the next call); -1: nowhere. Answers how many
   points are left until then, -1 where it has happened. */
int32_t laps_test_panic(int32_t point);
#endif

#define READER "{READER}"
#define SIGNER "{SIGNER}"
#define SET "{SET}"
#define ANSWER "{ANSWER}"
#define POLICY "{POLICY}"
#define RECIPE "{RECIPE}"

static uint8_t record_copy[4096];
static size_t record_copy_len;
static uint8_t state_copy[8192];
static size_t state_copy_len;

/* What is called back, and how often; it checks that it gets what was passed. */
static uint64_t told_calls;

/* An agent's world: no vault is reached, and there is no account. */
static laps_status channel(void *user, const uint8_t *check_in, size_t check_in_len, laps_bytes **out_answer) {{
    CHECK((user == NULL || user == &told_calls) && check_in != NULL && check_in_len > 0 && *out_answer == NULL);
    return LAPS_STATUS_UNREACHABLE;
}}
static void on_event(void *user, const laps_event *event) {{
    CHECK((user == NULL || user == &told_calls) && event != NULL);
}}
static uint32_t find(void *user, const char *name, laps_accounts *accounts) {{
    CHECK((user == NULL || user == &told_calls) && strcmp(name, "Admin") == 0 && accounts != NULL);
    return LAPS_ACCOUNT_MISSING;
}}
static uint32_t set(void *user, const char *account, const laps_password *password) {{
    CHECK((user == NULL || user == &told_calls) && account != NULL && password != NULL);
    return LAPS_APPLIED_FAILED;
}}
static const laps_account_calls account_calls = {{sizeof account_calls, find, set, NULL, NULL, NULL, NULL}};

static void make_options(const char *folder, const laps_reader *reader, laps_agent_options **out_options) {{
    OK(laps_agent_options_new(LAPS_TEXT("pc-17"), folder, strlen(folder), out_options));
    OK(laps_agent_options_add_policy(*out_options, (const uint8_t *)POLICY, sizeof POLICY - 1, LAPS_TEXT("test")));
    OK(laps_agent_options_set_readers(*out_options, &reader, 1));
    OK(laps_agent_options_set_account_calls(*out_options, &account_calls, NULL));
    OK(laps_agent_options_set_channel(*out_options, channel, NULL));
    OK(laps_agent_options_set_timeouts(*out_options, 0, 1, 0));
}}
/* It is stopped, so that a run ends at once. */
static void make_agent(const laps_reader *reader, laps_agent **out_agent) {{
    laps_agent_options *options = NULL;
    make_options("contract.agent", reader, &options);
    OK(laps_agent_open(options, out_agent));
    laps_agent_options_free(options);
    laps_agent_stop(*out_agent);
}}
"""

# Only in the full build: a vault with one device that has backed a password up.
VAULT_PRELUDE = r"""
static void told(void *user, uint64_t done, uint64_t total) {
    CHECK((user == NULL || user == &told_calls) && done <= total);
    told_calls++;
}
static bool asked(void *user, uint64_t records) {
    CHECK(user == NULL || user == &told_calls);
    return told_calls++ % 4 != 3 || records > 1000000;
}

static void make_vault(laps_vault **out_vault, const laps_config *config, laps_generator *generator,
                       const laps_recipe *recipe, laps_reader *const *reader) {
    const uint64_t now = 1700000000;
    laps_rotation *rotation = NULL;
    uint32_t wish = 0;
    remove("contract.vault");
    remove("contract.vault-wal");
    remove("contract.vault-shm");
    OK(laps_vault_init(LAPS_TEXT("contract.vault"), NULL, 0, (const laps_reader *const *)reader, 1, LAPS_TEXT("test"),
                       now, out_vault));
    OK(laps_rotation_new(config, now, &rotation));
    while (wish != LAPS_WISH_READ_STAMP && wish != LAPS_WISH_APPLY) {
        laps_bytes *bytes = NULL, *answer = NULL;
        uint64_t with;
        OK(laps_rotation_poll(rotation, &wish, &with));
        if (wish == LAPS_WISH_SAVE) {
            OK(laps_rotation_state(rotation, &bytes));
            OK(laps_rotation_handle_saved(rotation));
        } else if (wish == LAPS_WISH_LOOK_UP) {
            OK(laps_rotation_handle_account(rotation, LAPS_ACCOUNT_PRESENT, NULL, now));
        } else if (wish == LAPS_WISH_CHECK_IN) {
            OK(laps_rotation_check_in(rotation, generator, &bytes));
            OK(laps_vault_check_in(*out_vault, LAPS_TEXT("pc-17"), laps_bytes_data(bytes), laps_bytes_len(bytes), now,
                                   &answer));
            OK(laps_rotation_handle_answer(rotation, laps_bytes_data(answer), laps_bytes_len(answer), generator, now));
        } else if (wish == LAPS_WISH_PREPARE) {
            OK(laps_rotation_prepare(rotation, generator, recipe, (const laps_reader *const *)reader, 1, NULL, now));
        } else {
            CHECK(wish == LAPS_WISH_READ_STAMP || wish == LAPS_WISH_APPLY);
        }
        laps_bytes_free(bytes);
        laps_bytes_free(answer);
    }
    laps_rotation_free(rotation);
}
"""

# These are made only for the functions that use them.
COSTLY = [
    "laps_account_store", "laps_agent", "laps_vault", "laps_disclosure", "laps_metadata",
    "laps_rows", "laps_adoptable"
]

# How an object of each type is made; in an order in which a later one may use the earlier ones.
FIXTURES = {
    "laps_password": 'OK(laps_password_from_utf8(LAPS_TEXT("correct horse"), &f.laps_password));',
    "laps_policy": (
        "OK(laps_policy_read((const uint8_t *)POLICY, sizeof POLICY - 1, &f.laps_policy));"
    ),
    "laps_evaluation": "OK(laps_evaluation_new(&f.laps_evaluation));",
    "laps_recipe": "OK(laps_recipe_new(4, 14, &f.laps_recipe));",
    "laps_violations": (
        'OK(laps_recipe_check(f.laps_recipe, LAPS_TEXT("short"), &f.laps_violations));'
    ),
    "laps_generator": "OK(laps_generator_new(&f.laps_generator));",
    "laps_reader": "OK(laps_reader_parse(LAPS_TEXT(READER), &f.laps_reader));",
    "laps_signer": "OK(laps_signer_parse(LAPS_TEXT(SIGNER), &f.laps_signer));",
    "laps_reader_set": (
        "OK(laps_reader_set_verify((const uint8_t *)LAPS_TEXT(SET), f.laps_signer, "
        'LAPS_TEXT("contoso"), NULL,\n'
        "        &f.laps_reader_set));"
    ),
    "laps_header": (
        'OK(laps_header_new(f.laps_generator, LAPS_TEXT("pc-17"), LAPS_TEXT("Admin"), '
        '&f.laps_header));\n'
        '    OK(laps_header_set_sid(f.laps_header, LAPS_TEXT("S-1-5-21-1-2-3-500")));\n'
        "    OK(laps_header_set_previous(f.laps_header, bytes_32));"
    ),
    "laps_record": (
        "OK(laps_record_seal(f.laps_header, f.laps_password, "
        "(const laps_reader *const *)&f.laps_reader, 1,\n"
        "        f.laps_generator, &f.laps_record));\n"
        "    record_copy_len = laps_record_len(f.laps_record);\n"
        "    memcpy(record_copy, laps_record_bytes(f.laps_record), record_copy_len);"
    ),
    "laps_accounts": 'OK(laps_accounts_new(&f.laps_accounts));\n'
    '    OK(laps_accounts_add(f.laps_accounts, LAPS_TEXT("Admin"), NULL, 0, true));',
    "laps_config": (
        'OK(laps_config_new(f.laps_policy, LAPS_TEXT("pc-17"), LAPS_TEXT("Admin"), '
        '&f.laps_config));'
    ),
    # A rotation that could not reach the vault: it has an event, and a state to be saved.
    "laps_rotation": "OK(laps_rotation_new(f.laps_config, 1700000000, &f.laps_rotation));\n"
    "    OK(laps_rotation_handle_check_in_failed(f.laps_rotation, f.laps_generator, 1700000000));",
    "laps_event": "OK(laps_rotation_poll_event(f.laps_rotation, &f.laps_event));",
    "laps_bytes": "OK(laps_rotation_state(f.laps_rotation, &f.laps_bytes));\n"
    "    state_copy_len = laps_bytes_len(f.laps_bytes);\n"
    "    memcpy(state_copy, laps_bytes_data(f.laps_bytes), state_copy_len);",
    "laps_agent_options": (
        'make_options("contract.state", f.laps_reader, &f.laps_agent_options);'
    ),
    "laps_agent": "make_agent(f.laps_reader, &f.laps_agent);",
    # A program that fails, and so knows no better than that the account is there.
    "laps_account_store": (
        'OK(laps_account_store_open(LAPS_TEXT("command:false"), LAPS_TEXT("contract.setter"), 1,\n'
        '        &f.laps_account_store));\n'
        '    {\n    uint32_t seen = 0;\n'
        '    OK(laps_account_store_find(f.laps_account_store, LAPS_TEXT("Admin"), &seen));\n'
        '    CHECK(seen == LAPS_ACCOUNT_PRESENT);\n    }'
    ),
    "laps_reader_key": (
        'OK(laps_reader_key_new(f.laps_generator, LAPS_SUITE_X25519, LAPS_TEXT("auditor"),\n'
        '        &f.laps_reader_key));'
    ),
    "laps_signer_key": (
        'OK(laps_signer_key_new(f.laps_generator, LAPS_TEXT("authority"), &f.laps_signer_key));'
    ),
    "laps_vault": (
        "make_vault(&f.laps_vault, f.laps_config, f.laps_generator, f.laps_recipe, &f.laps_reader);"
    ),
    # A check-in that is none, and its refusal.
    "laps_check_ins": "OK(laps_check_ins_new(&f.laps_check_ins));\n"
    '    OK(laps_check_ins_add(f.laps_check_ins, LAPS_TEXT("pc-17"), bytes_32, 32));',
    "laps_devices": "OK(laps_devices_new(&f.laps_devices));\n"
    '    OK(laps_devices_add(f.laps_devices, LAPS_TEXT("pc-17")));',
    # A password of a device that no agent manages.
    "laps_foreign": "OK(laps_foreign_new(&f.laps_foreign));\n"
    '    OK(laps_foreign_add(f.laps_foreign, LAPS_TEXT("Admin"), NULL, 0, 1699999999));',
    "laps_adoptable": (
        'OK(laps_vault_adoptable(f.laps_vault, LAPS_TEXT("pc-99"), f.laps_foreign, '
        '&f.laps_adoptable));'
    ),
    "laps_disclosure": (
        'OK(laps_vault_disclose(f.laps_vault, LAPS_TEXT("pc-17"), LAPS_TEXT("anna"),\n'
        '        LAPS_TEXT("test"), false, 0, 1700000000, &f.laps_disclosure));'
    ),
    "laps_metadata": "OK(laps_vault_metadata(f.laps_vault, &f.laps_metadata));",
    "laps_rows": "OK(laps_metadata_list(f.laps_metadata, NULL, 0, 10, &f.laps_rows));",
}

# Valid values by (function, parameter), by parameter, or by type.
ARGUMENTS = {
    "status": "0",
    "memory": "buffer_storage",
    "len": "8",
    "buffer": "(void *)buffer_storage",
    "buffer_len": "8000",
    "text": '"abc"',
    ("laps_password_from_utf16", "text"): '(const uint16_t *)(const void *)L"abc"',
    "text_len": "3",
    "document": "(const uint8_t *)POLICY",
    "document_len": "sizeof POLICY - 1",
    ("laps_recipe_read", "document"): "(const uint8_t *)RECIPE",
    ("laps_recipe_read", "document_len"): "sizeof RECIPE - 1",
    ("laps_reader_set_verify", "document"): "(const uint8_t *)SET",
    ("laps_reader_set_verify", "document_len"): "sizeof SET - 1",
    ("laps_policy_read_reset_status", "document"): "(const uint8_t *)ANSWER",
    ("laps_policy_read_reset_status", "document_len"): "sizeof ANSWER - 1",
    "authority": "f.laps_signer",
    "in_force": "NULL",
    ("laps_signer_parse", "line"): "SIGNER",
    ("laps_signer_parse", "line_len"): "sizeof SIGNER - 1",
    "command": '"add"',
    "command_len": "3",
    "form": '"json"',
    "form_len": "4",
    "source": '"test"',
    "source_len": "4",
    "setting": '"PasswordLength"',
    "setting_len": "14",
    "complexity": "4",
    ("laps_windows_check", "complexity"): "true",
    "min_length": "14",
    "user_name": '"Admin"',
    "user_name_len": "5",
    "full_name": '"Local Administrator"',
    "full_name_len": "19",
    ("laps_recipe_new_passphrase", "complexity"): "6",
    "length": "14",
    "words": "6",
    "index": "0",
    "count": "3",
    "out_places": "(char *)out_storage",
    "place_size": "65",
    "line": "READER",
    "line_len": "sizeof READER - 1",
    "readers": "(const laps_reader *const *)&f.laps_reader",
    "reader_count": "1",
    "device": '"pc-17"',
    "device_len": "5",
    "account": '"Admin"',
    "account_len": "5",
    "scope": '"contoso"',
    "scope_len": "7",
    "sid": '"S-1-5-21-1-2-3-500"',
    "sid_len": "18",
    "previous": "bytes_32",
    "name": '"Admin"',
    "name_len": "5",
    "enabled": "true",
    "can_verify": "true",
    "seconds": "3600",
    "now": "1700000000",
    "at": "1700000000",
    "stamp": "bytes_32",
    "proof": "bytes_32",
    ("laps_bytes_new", "bytes"): "bytes_32",
    ("laps_bytes_new", "bytes_len"): "32",
    "folder": '"contract.state"',
    "folder_len": "14",
    "store": '"command:false"',
    ("laps_account_store_open", "path"): '"contract.other-setter"',
    ("laps_account_store_open", "path_len"): "21",
    "action": "LAPS_ACTION_SIGN_OUT",
    "store_len": "13",
    "calls": "&account_calls",
    "channel": "channel",
    "on_event": "on_event",
    "last_wins": "true",
    "force": "false",
    "lock_seconds": "0",
    "setter_seconds": "1",
    "patience_seconds": "0",
    "interval_seconds": "3600",
    "state": "state_copy",
    "state_len": "state_copy_len",
    "seen": "LAPS_ACCOUNT_PRESENT",
    "applied": "LAPS_APPLIED_SUCCESS",
    "verified": "LAPS_VERIFIED_MATCH",
    "acted": "LAPS_ACTED_DONE",
    ("laps_rotation_handle_answer", "bytes"): "bytes_32",
    ("laps_rotation_handle_answer", "bytes_len"): "32",
    ("laps_vault_check_in", "bytes"): "bytes_32",
    ("laps_vault_check_in", "bytes_len"): "32",
    ("laps_check_ins_add", "bytes"): "bytes_32",
    ("laps_check_ins_add", "bytes_len"): "32",
    ("laps_vault_adoptable", "device"): '"pc-99"',
    "adopted": "(const laps_record *const *)&f.laps_record",
    "adopted_count": "1",
    "last_seen": "1700000000",
    "expires": "0",
    "progress": "told",
    "step": "asked",
    "user": "&told_calls",
    "resealed": "(const laps_record *const *)&f.laps_record",
    "resealed_count": "1",
    # The one device of the vault, seen as its columns.
    "field": "LAPS_FIELD_DEVICE",
    ("laps_rows_number", "field"): "LAPS_FIELD_LAST_SEEN",
    "after": "NULL",
    "after_len": "0",
    ("laps_vault_audit_entries", "after"): "0",
    "limit": "10",
    "until": "1900000000",
    "since": "0",
    "whom": '"anna"',
    "whom_len": "4",
    "entry": "1",
    "opened": "true",
    "reader_id": "bytes_32",
    "record_id": "bytes_32",
    "rotate": "true",
    "rotate_within": "0",
    "within": "0",
    "confirm": "false",
    "records": "3",
    "days": "0",
    "context": '"a server"',
    "context_len": "8",
    "keep": "true",
    "copy": '"no.vault"',
    "copy_len": "8",
    ("laps_vault_import", "bytes"): "bytes_32",
    ("laps_vault_import", "bytes_len"): "32",
    ("laps_vault_import_watched", "bytes"): "bytes_32",
    ("laps_vault_import_watched", "bytes_len"): "32",
    # A vault that is there already: making another in its place fails, and no panic hides that.
    "path": '"contract.vault"',
    "path_len": "14",
    "actor": '"anna"',
    "actor_len": "4",
    "reason": '"a test"',
    "reason_len": "6",
    "history": "true",
    "rotate_after": "0",
    "expect": "NULL",
    "expect_len": "0",
    "suite": "LAPS_SUITE_X25519",
    "file": "bytes_32",
    "file_len": "32",
    "passphrase": "bytes_32",
    "passphrase_len": "32",
    "version": "7",
    "made_at": "1700000000",
    ("laps_record_parse", "bytes"): "record_copy",
    ("laps_record_parse", "bytes_len"): "record_copy_len",
}

# Where NULL is a valid argument and the comment in the header says so.
MAY_BE_NULL = {
    ("laps_agent_options_set_account_calls", "user"),
    ("laps_agent_options_set_channel", "user"),
    ("laps_agent_options_set_on_event", "user"),
    ("laps_agent_stop", "agent"),
    ("laps_wipe", "memory"),
    ("laps_header_set_previous", "previous"),
    ("laps_reader_key_open", "out_proof"),
    ("laps_reader_set_verify", "in_force"),
    ("laps_rotation_resume", "stamp"),
    ("laps_rotation_prepare", "stamp"),
    ("laps_rotation_handle_stamp", "stamp"),
    ("laps_rotation_handle_account", "stamp"),
    ("laps_vault_audit_report", "user"),
    ("laps_vault_import_watched", "user"),
    ("laps_vault_reseal_watched", "user"),
}

# What a call answers when it fails, by its result.
NOTHING = {
    "size_t": "0",
    "uint8_t": "0",
    "uint16_t": "0",
    "uint32_t": "0",
    "uint64_t": "0",
    "int32_t": "0",
    "bool": "false",
    "const laps_password *": "NULL",
    "const char *": "NULL",
    "const uint8_t *": "NULL",
}
