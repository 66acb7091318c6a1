/* The vectors of sealed records, reader lines, key files and reader sets (core/src/seal/FORMAT.md, section 13): C answers
 * every case as Rust and Python do. LAPS_VECTORS is their folder. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#if !defined(LAPS_AGENT) && defined(LAPS_VECTORS)

#include <dirent.h>

static char text[1 << 17];
static const char *body;

/* Reads a file as text that ends in NUL. */
static size_t slurp(const char *folder, const char *name, char *into, size_t capacity) {
    char path[1024];
    FILE *file;
    size_t len;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (file == NULL) perror(path);
    CHECK(file != NULL);
    len = fread(into, 1, capacity - 1, file);
    CHECK(len < capacity - 1);
    fclose(file);
    into[len] = 0;
    return len;
}

/* The value of a field of the case; NULL when it has none. Good until the next call with the same slot. */
static const char *field(const char *name) {
    static char values[32][2048];
    static unsigned slot;
    const char *line = text;
    size_t name_len = strlen(name);
    while (line < body) {
        const char *end = strchr(line, '\n');
        if (strncmp(line, name, name_len) == 0 && line[name_len] == ':') {
            const char *start = line + name_len + 1;
            char *value = values[slot++ % 32];
            size_t len;
            if (*start == ' ') start++;
            len = (size_t)(end - start);
            CHECK(len < sizeof values[0]);
            memcpy(value, start, len);
            value[len] = 0;
            return value;
        }
        line = end + 1;
    }
    return NULL;
}

static void same(const char *name, const char *found) {
    const char *expected = field(name);
    if (expected == NULL || strcmp(expected, found) != 0)
        fprintf(stderr, "%s: expected %s, found %s\n", name, expected == NULL ? "nothing" : expected, found);
    CHECK(expected != NULL && strcmp(expected, found) == 0);
}

static void same_number(const char *name, uint64_t found) {
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)found);
    same(name, digits);
}

static const char *hex(const uint8_t *bytes, size_t len, char *into) {
    size_t i;
    for (i = 0; i < len; i++) snprintf(into + 2 * i, 3, "%02x", bytes[i]);
    return into;
}

static size_t from_hex(const char *digits, uint8_t *into, size_t capacity) {
    size_t len = 0;
    while (*digits != 0) {
        unsigned byte = 0;
        if (*digits == '\n') {
            digits++;
            continue;
        }
        CHECK(sscanf(digits, "%2x", &byte) == 1 && len < capacity);
        into[len++] = (uint8_t)byte;
        digits += 2;
    }
    return len;
}

/* What FORMAT.md calls a status. */
static const char *word(laps_status status) {
    switch (status) {
    case LAPS_STATUS_RECORD_MALFORMED:
    case LAPS_STATUS_KEY_FILE_MALFORMED:
    case LAPS_STATUS_READER_MALFORMED:
    case LAPS_STATUS_READER_SET_MALFORMED: return "malformed";
    case LAPS_STATUS_UNSUPPORTED_VERSION: return "unsupported";
    case LAPS_STATUS_NOT_A_READER: return "not-a-reader";
    case LAPS_STATUS_REJECTED:
    case LAPS_STATUS_KEY_FILE_REJECTED: return "rejected";
    case LAPS_STATUS_READER_SET_REFUSED: return "refused";
    default: return "no case expects this";
    }
}

static void compare_ids(const laps_record *record) {
    char ids[16 * 65 + 1] = "";
    size_t i;
    for (i = 0; i < laps_record_reader_count(record); i++) {
        uint8_t id[32];
        OK(laps_record_reader_id(record, i, id));
        if (i > 0) strcat(ids, " ");
        hex(id, 32, ids + strlen(ids));
    }
    same("readers", ids);
}

typedef laps_status text_of_record(const laps_record *, char *, size_t, size_t *);

/* A text of the record, "none" where it has none. */
static void same_text(const char *name, const laps_record *record, text_of_record *function) {
    char value[600];
    size_t len = 0;
    laps_status status = function(record, value, sizeof value, &len);
    if (status == LAPS_STATUS_NOT_FOUND)
        strcpy(value, "none");
    else
        OK(status);
    same(name, value);
}

static void compare_record(const laps_record *record, const laps_password *password) {
    char value[LAPS_PASSWORD_MAX_LEN + 1], digits[65];
    const char *signer_line = field("signer");
    uint8_t bytes[32];
    size_t len = 0;
    laps_status status;

    OK(laps_password_copy_utf8(password, value, sizeof value, &len));
    same("password", value);
    same_text("scope", record, laps_record_scope);
    same_text("device", record, laps_record_device);
    same_text("account", record, laps_record_account);
    same_text("sid", record, laps_record_sid);
    OK(laps_record_id(record, bytes));
    same("id", hex(bytes, 16, digits));
    status = laps_record_previous(record, bytes);
    if (status == LAPS_STATUS_NOT_FOUND) {
        same("previous", "none");
    } else {
        OK(status);
        same("previous", hex(bytes, 16, digits));
    }
    same_number("version", laps_record_version(record));
    same_number("made-at", laps_record_made_at(record));
    OK(laps_record_policy_hash(record, bytes));
    same("policy-hash", hex(bytes, 32, digits));
    same("suite", laps_record_suite(record) == LAPS_SUITE_X_WING ? "x-wing" : "x25519");
    same_number("sealing", laps_record_sealing(record));
    compare_ids(record);
    CHECK(signer_line != NULL);
    if (strcmp(signer_line, "none") == 0) {
        CHECK(!laps_record_is_signed(record));
    } else {
        laps_signer *signer = NULL;
        CHECK(laps_record_is_signed(record));
        OK(laps_signer_parse(signer_line, strlen(signer_line), &signer));
        OK(laps_record_verify_signature(record, signer));
        laps_signer_free(signer);
    }
}

static const char *run_record(void) {
    static uint8_t bytes[1 << 16];
    static char file[4096];
    char keys[1024], digits[65];
    uint8_t proof[32];
    laps_record *record = NULL;
    laps_reader_key *key = NULL;
    laps_password *password = NULL;
    size_t len = from_hex(body, bytes, sizeof bytes), file_len;
    laps_status status = laps_record_parse(bytes, len, &record);

    if (status != LAPS_STATUS_OK) return word(status);
    CHECK(laps_record_len(record) == len && memcmp(laps_record_bytes(record), bytes, len) == 0);
    snprintf(keys, sizeof keys, "%s/keys", LAPS_VECTORS);
    file_len = slurp(keys, field("key"), file, sizeof file);
    OK(laps_reader_key_from_file((const uint8_t *)file, file_len, NULL, 0, &key));
    status = laps_reader_key_open(key, record, &password, proof);
    if (status == LAPS_STATUS_OK) {
        compare_record(record, password);
        same("proof", hex(proof, 32, digits));
        CHECK(laps_record_is_proven_by(record, proof));
        proof[31] ^= 1;
        CHECK(!laps_record_is_proven_by(record, proof));
    }
    laps_password_free(password);
    laps_reader_key_free(key);
    laps_record_free(record);
    return status == LAPS_STATUS_OK ? "opens" : word(status);
}

static void compare_reader(const laps_reader *reader, int with_name) {
    char digits[65], name[600];
    uint8_t id[32];
    size_t len = 0;
    OK(laps_reader_id(reader, id));
    same("id", hex(id, 32, digits));
    if (!with_name) return;
    same("suite", laps_reader_suite(reader) == LAPS_SUITE_X_WING ? "x-wing" : "x25519");
    OK(laps_reader_name(reader, name, sizeof name, &len));
    same("name", name);
}

static const char *run_reader(void) {
    laps_reader *reader = NULL;
    /* laps_reader_parse() drops a newline at the end; the line of a vector has one only where it is wrong. */
    laps_status status = laps_reader_parse(body, strlen(body), &reader);
    if (status != LAPS_STATUS_OK) return word(status);
    compare_reader(reader, 1);
    laps_reader_free(reader);
    return "reads";
}

static const char *run_key_file(void) {
    laps_reader_key *key = NULL;
    laps_reader *reader = NULL;
    const char *passphrase = field("passphrase");
    size_t len = strcmp(passphrase, "none") == 0 ? 0 : strlen(passphrase);
    laps_status status = laps_reader_key_from_file((const uint8_t *)body, strlen(body),
                                                   len == 0 ? NULL : (const uint8_t *)passphrase, len, &key);
    if (status != LAPS_STATUS_OK) return word(status);
    OK(laps_reader_key_reader(key, &reader));
    compare_reader(reader, 0);
    laps_reader_free(reader);
    laps_reader_key_free(key);
    return "reads";
}

static const char *run_reader_set(void) {
    laps_signer *authority = NULL;
    laps_reader_set *set = NULL;
    const char *line = field("authority"), *scope = field("scope"), *in_force = field("in-force");
    uint8_t head[40];
    char ids[16 * 65 + 1] = "";
    size_t i;
    laps_status status;

    OK(laps_signer_parse(line, strlen(line), &authority));
    if (strcmp(in_force, "none") != 0) CHECK(from_hex(in_force, head, sizeof head) == sizeof head);
    status = laps_reader_set_verify((const uint8_t *)body, strlen(body), authority, scope, strlen(scope),
                                    strcmp(in_force, "none") == 0 ? NULL : head, &set);
    laps_signer_free(authority);
    if (status != LAPS_STATUS_OK) return word(status);
    same_number("version", laps_reader_set_version(set));
    for (i = 0; i < laps_reader_set_count(set); i++) {
        laps_reader *reader = NULL;
        uint8_t id[32];
        OK(laps_reader_set_reader(set, i, &reader));
        OK(laps_reader_id(reader, id));
        if (i > 0) strcat(ids, " ");
        hex(id, 32, ids + strlen(ids));
        laps_reader_free(reader);
    }
    same("readers", ids);
    laps_reader_set_free(set);
    return "accepted";
}

static void run_case(const char *name) {
    const char *kind, *expected, *found = "no such kind";
    size_t len = strlen(name);
    if (len < 4 || strcmp(name + len - 4, ".txt") != 0) return;
    slurp(LAPS_VECTORS, name, text, sizeof text);
    body = strstr(text, "\n\n");
    CHECK(body != NULL);
    body += 2;
    kind = field("kind");
    expected = field("expect");
    CHECK(kind != NULL && expected != NULL);
    if (strcmp(kind, "record") == 0) found = run_record();
    if (strcmp(kind, "reader") == 0) found = run_reader();
    if (strcmp(kind, "key-file") == 0) found = run_key_file();
    if (strcmp(kind, "reader-set") == 0) found = run_reader_set();
    if (strcmp(expected, found) != 0) fprintf(stderr, "%s: expected %s, found %s\n", name, expected, found);
    CHECK(strcmp(expected, found) == 0);
}

void test_vectors(void) {
    DIR *folder = opendir(LAPS_VECTORS);
    struct dirent *entry;
    int cases = 0;
    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "keys") == 0) continue;
        run_case(entry->d_name);
        cases++;
    }
    closedir(folder);
    CHECK(cases >= 138);
}

#else

void test_vectors(void) {
}

#endif
