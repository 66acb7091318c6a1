/* Sealing to a reader: what a device does and cannot undo. */
#include "check.h"

#define LINE                                                                                    \
    "laps-reader-1 x25519 db0208f198fe94bd8e39761bd1847a0c6d73ad4d5fdd61f5ae734187e5f4b97a "    \
    "VGq2/gUzZm9Ct/mrkzw2geXPvKLBSKW+2zfJM/HJhDQ= helpdesk"

static laps_generator *generator;
static laps_reader *reader;

static void a_reader_is_one_line_of_text(void) {
    laps_reader *none = NULL, *again = NULL;
    char text[256];
    uint8_t id[32];
    size_t len = 0;

    OK(laps_reader_text(reader, text, sizeof text, &len));
    CHECK(strcmp(text, LINE) == 0);
    OK(laps_reader_name(reader, text, sizeof text, &len));
    CHECK(strcmp(text, "helpdesk") == 0 && len == 8);
    OK(laps_reader_id(reader, id));
    CHECK(id[0] == 0xdb && id[31] == 0x7a);
    CHECK(laps_reader_suite(reader) == LAPS_SUITE_X25519 && laps_reader_suite(NULL) == 0);
    OK(laps_reader_parse(LAPS_TEXT(LINE "\n"), &again));
    laps_reader_free(again);
    CHECK(laps_reader_parse(LAPS_TEXT("laps-reader-1 x25519"), &none) != LAPS_STATUS_OK);
    CHECK(strstr(laps_last_error(), "five parts") != NULL);
    CHECK_STATUS(LAPS_STATUS_INVALID_UTF8, laps_reader_parse(LAPS_TEXT("\xff"), &none));
    CHECK(none == NULL);
}

static laps_record *sealed(const char *password_text) {
    laps_password *password = NULL;
    laps_header *header = NULL;
    laps_record *record = NULL;
    static const uint8_t before[16] = {9};

    OK(laps_password_from_utf8(password_text, strlen(password_text), &password));
    OK(laps_header_new(generator, LAPS_TEXT("pc-17"), LAPS_TEXT("Admin"), &header));
    OK(laps_header_set_scope(header, LAPS_TEXT("contoso")));
    OK(laps_header_set_sid(header, LAPS_TEXT("S-1-5-21-1-2-3-500")));
    OK(laps_header_set_previous(header, before));
    OK(laps_header_set_version(header, 7, 1700000000));
    OK(laps_record_seal(header, password, (const laps_reader *const *)&reader, 1, generator, &record));
    laps_header_free(header);
    laps_password_free(password);
    return record;
}

static void a_record_says_what_it_is_about_and_nothing_else(void) {
    laps_record *record = sealed("correct horse"), *parsed = NULL;
    const uint8_t *bytes = laps_record_bytes(record);
    size_t len = laps_record_len(record), i, at = 0;
    char text[128];
    uint8_t id[16], other[16], readers[32], expected[32];

    OK(laps_record_parse(bytes, len, &parsed));
    CHECK(laps_record_len(parsed) == len && memcmp(laps_record_bytes(parsed), bytes, len) == 0);
    CHECK(laps_record_version(parsed) == 7 && laps_record_made_at(parsed) == 1700000000);
    OK(laps_record_scope(parsed, text, sizeof text, &at));
    CHECK(strcmp(text, "contoso") == 0);
    OK(laps_record_device(parsed, text, sizeof text, &at));
    CHECK(strcmp(text, "pc-17") == 0);
    OK(laps_record_account(parsed, text, sizeof text, &at));
    CHECK(strcmp(text, "Admin") == 0);
    OK(laps_record_sid(parsed, text, sizeof text, &at));
    CHECK(strcmp(text, "S-1-5-21-1-2-3-500") == 0);
    OK(laps_record_id(parsed, id));
    OK(laps_record_id(record, other));
    CHECK(memcmp(id, other, 16) == 0);
    OK(laps_record_previous(parsed, other));
    CHECK(other[0] == 9 && other[1] == 0);
    CHECK(laps_record_reader_count(parsed) == 1);
    OK(laps_record_reader_id(parsed, 0, readers));
    OK(laps_reader_id(reader, expected));
    CHECK(memcmp(readers, expected, 32) == 0);
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_record_reader_id(parsed, 1, readers));
    for (i = 0; i + 7 <= len; i++) CHECK(memcmp(bytes + i, "correct", 7) != 0);
    laps_record_free(parsed);
    laps_record_free(record);
}

static void a_record_cut_anywhere_is_malformed(void) {
    laps_record *record = sealed("x"), *none = NULL;
    size_t len;
    for (len = 0; len < laps_record_len(record); len++)
        CHECK_STATUS(LAPS_STATUS_RECORD_MALFORMED, laps_record_parse(laps_record_bytes(record), len, &none));
    CHECK(none == NULL && strlen(laps_last_error()) > 0);
    laps_record_free(record);
}

static void what_cannot_be_sealed_is_refused(void) {
    const laps_reader *twice[2];
    laps_password *password = NULL, *empty = NULL;
    laps_header *header = NULL, *none = NULL;
    laps_record *record = NULL;
    uint8_t id[16];

    twice[0] = twice[1] = reader;
    OK(laps_password_from_utf8(LAPS_TEXT("x"), &password));
    OK(laps_password_from_utf8(NULL, 0, &empty));
    OK(laps_header_new(generator, LAPS_TEXT("pc-17"), LAPS_TEXT("Admin"), &header));
    OK(laps_header_id(header, id));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_record_seal(header, password, NULL, 0, generator, &record));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_record_seal(header, password, twice, 2, generator, &record));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_record_seal(header, empty, twice, 1, generator, &record));
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_record_seal(header, password, NULL, 1, generator, &record));
    twice[1] = NULL;
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_record_seal(header, password, twice, 2, generator, &record));
    CHECK(record == NULL);
    CHECK_STATUS(LAPS_STATUS_SID_MALFORMED, laps_header_set_sid(header, LAPS_TEXT("S-1-x")));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT,
                 laps_header_new(generator, LAPS_TEXT("pc\n17"), LAPS_TEXT("Admin"), &none));
    CHECK(none == NULL);
    OK(laps_header_set_previous(header, NULL));
    twice[1] = reader;
    OK(laps_record_seal(header, password, twice, 1, generator, &record));
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_record_previous(record, id));
    {
        char text[64];
        size_t len = 0;
        CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_record_sid(record, text, sizeof text, &len));
    }
    laps_record_free(record);
    laps_header_free(header);
    laps_password_free(empty);
    laps_password_free(password);
}

void test_seal(void) {
    OK(laps_generator_new(&generator));
    OK(laps_reader_parse(LAPS_TEXT(LINE), &reader));
    a_reader_is_one_line_of_text();
    a_record_says_what_it_is_about_and_nothing_else();
    a_record_cut_anywhere_is_malformed();
    what_cannot_be_sealed_is_refused();
    laps_reader_free(reader);
    laps_generator_free(generator);
}
