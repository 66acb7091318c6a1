/* Passwords of another directory; devices that have them are those of answers.c. */
#include "answers.h"

#ifndef LAPS_AGENT

laps_generator *generator;
laps_reader_key *key;
laps_reader *reader, *second;
laps_vault *vault;
laps_metadata *metadata;

void remove_file(const char *path) {
    static const char *const beside[] = {"", "-wal", "-shm"};
    size_t i;
    for (i = 0; i < 3; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s%s", path, beside[i]);
        remove(name);
    }
}

void open_vault(void) {
    OK(laps_vault_open(LAPS_TEXT(PATH), NULL, 0, &vault));
    OK(laps_vault_metadata(vault, &metadata));
}

void close_vault(void) {
    laps_metadata_free(metadata);
    laps_vault_free(vault);
}

static laps_adoptable *adoptable(const char *device, const laps_foreign *foreign) {
    laps_adoptable *wanted = NULL;
    OK(laps_vault_adoptable(vault, device, strlen(device), foreign, &wanted));
    return wanted;
}

/* Seals what is wanted: the password says when the other directory was given it. */
static size_t seal(const laps_adoptable *wanted, const uint64_t *times, laps_record **records) {
    size_t i;
    for (i = 0; i < laps_adoptable_count(wanted); i++) {
        laps_header *header = NULL;
        laps_password *password = NULL;
        char text[32];
        size_t position = 99;
        OK(laps_adoptable_header(wanted, i, &position, &header));
        snprintf(text, sizeof text, "since %lu", (unsigned long)times[position]);
        OK(laps_password_from_utf8(text, strlen(text), &password));
        records[i] = NULL;
        OK(laps_record_seal(header, password, (const laps_reader *const *)&reader, 1, generator, &records[i]));
        laps_password_free(password);
        laps_header_free(header);
    }
    return i;
}

/* A device with one record, which no agent manages. */
void add_device(const char *device) {
    const uint64_t time = NOW - 100;
    laps_foreign *foreign = NULL;
    laps_adoptable *wanted;
    laps_record *record;
    uint64_t adopted = 0;
    OK(laps_foreign_new(&foreign));
    OK(laps_foreign_add(foreign, LAPS_TEXT("Admin"), NULL, 0, time));
    wanted = adoptable(device, foreign);
    CHECK(seal(wanted, &time, &record) == 1);
    OK(laps_vault_adopt(vault, device, strlen(device), (const laps_record *const *)&record, 1, NOW, 0, WHO, &adopted));
    CHECK(adopted == 1);
    laps_record_free(record);
    laps_adoptable_free(wanted);
    laps_foreign_free(foreign);
}

int is(const laps_rows *rows, size_t index, uint32_t field, const char *expected) {
    const char *found = laps_rows_text(rows, index, field);
    if (found == NULL || strcmp(found, expected) != 0)
        fprintf(stderr, "field %u of row %u: %s\n", (unsigned)field, (unsigned)index, found == NULL ? "none" : found);
    return found != NULL && strcmp(found, expected) == 0;
}

uint64_t entries(void) {
    uint64_t count = 0;
    OK(laps_vault_audit_verify(vault, NULL, 0, &count));
    return count;
}

void passwords_of_another_directory_are_taken_in(void) {
    static const uint64_t times[] = {NOW - 200, NOW - 300, NOW - 100};
    static const char *const texts[] = {"since 1699999700", "since 1699999800", "since 1699999900"};
    laps_foreign *foreign = NULL;
    laps_adoptable *wanted = NULL;
    laps_header *header = NULL;
    laps_record *records[3];
    laps_rows *rows = NULL;
    laps_disclosure *disclosure = NULL;
    uint64_t adopted = 99, before = entries();
    size_t i, position = 99;
    OK(laps_foreign_new(&foreign));
    CHECK(laps_foreign_count(foreign) == 0);
    for (i = 0; i < 3; i++) OK(laps_foreign_add(foreign, LAPS_TEXT("Admin"), LAPS_TEXT("S-1-5-21-1-2-3-500"), times[i]));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_foreign_add(foreign, LAPS_TEXT("a\nb"), NULL, 0, NOW));
    CHECK_STATUS(LAPS_STATUS_SID_MALFORMED, laps_foreign_add(foreign, LAPS_TEXT("Admin"), LAPS_TEXT("S-1-x"), NOW));
    CHECK(laps_foreign_count(foreign) == 3);

    wanted = adoptable("entra-1", foreign);
    CHECK(laps_adoptable_count(wanted) == 3);
    OK(laps_adoptable_header(wanted, 0, &position, &header));
    CHECK(position == 1); /* the oldest */
    laps_header_free(header);
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_adoptable_header(wanted, 3, &position, &header));
    seal(wanted, times, records);
    laps_adoptable_free(wanted);

    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_vault_adopt(vault, LAPS_TEXT("entra-1"), NULL, 0, NOW, 0, WHO, &adopted));
    CHECK_STATUS(LAPS_STATUS_REASON_REQUIRED,
                 laps_vault_adopt(vault, LAPS_TEXT("entra-1"), (const laps_record *const *)records, 3, NOW, 0, LAPS_TEXT("anna"),
                                  NULL, 0, NOW, &adopted));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, /* under the name of another device */
                 laps_vault_adopt(vault, LAPS_TEXT("entra-2"), (const laps_record *const *)records, 3, NOW, 0, WHO, &adopted));
    OK(laps_vault_add_reader(vault, second, WHO));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, /* not sealed to the second reader */
                 laps_vault_adopt(vault, LAPS_TEXT("entra-1"), (const laps_record *const *)records, 3, NOW, 0, WHO, &adopted));
    CHECK(adopted == 99 && entries() == before + 5); /* four refused attempts, and the reader */
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_metadata_show(metadata, LAPS_TEXT("entra-1"), &rows));
    {
        uint8_t id[32];
        uint64_t devices = 0;
        OK(laps_reader_id(second, id));
        OK(laps_vault_remove_reader(vault, id, false, 0, false, WHO, &devices));
    }
    OK(laps_vault_adopt(vault, LAPS_TEXT("entra-1"), (const laps_record *const *)records, 3, NOW, NOW + 50, WHO, &adopted));
    CHECK(adopted == 3 && entries() == before + 7);
    OK(laps_metadata_show(metadata, LAPS_TEXT("entra-1"), &rows));
    CHECK(is(rows, 0, LAPS_FIELD_STATE, "pending") && is(rows, 0, LAPS_FIELD_SID, "S-1-5-21-1-2-3-500"));
    CHECK(laps_rows_number(rows, 0, LAPS_FIELD_EXPIRES) == NOW + 50);
    laps_rows_free(rows);

    /* A second run takes in nothing that is known, and may say only when the device was seen. */
    wanted = adoptable("entra-1", foreign);
    CHECK(laps_adoptable_count(wanted) == 0);
    laps_adoptable_free(wanted);
    OK(laps_vault_adopt(vault, LAPS_TEXT("entra-1"), NULL, 0, NOW, 0, WHO, &adopted));
    CHECK(adopted == 0);
    OK(laps_metadata_show(metadata, LAPS_TEXT("entra-1"), &rows));
    CHECK(laps_rows_number(rows, 0, LAPS_FIELD_EXPIRES) == 0);
    laps_rows_free(rows);

    OK(laps_vault_disclose(vault, LAPS_TEXT("entra-1"), LAPS_TEXT("anna"), LAPS_TEXT("look"), true, 0, NOW, &disclosure));
    CHECK(laps_disclosure_count(disclosure) == 3);
    for (i = 0; i < 3; i++) {
        laps_record *record = NULL;
        laps_password *password = NULL;
        char text[64];
        size_t len = 0;
        CHECK(laps_disclosure_state(disclosure, i) == (i == 0 ? LAPS_CANDIDATE_PENDING : LAPS_CANDIDATE_HISTORY));
        OK(laps_disclosure_record(disclosure, i, &record));
        OK(laps_reader_key_open(key, record, &password, NULL));
        OK(laps_password_copy_utf8(password, text, sizeof text, &len));
        CHECK(strcmp(text, texts[2 - i]) == 0);
        laps_password_free(password);
        laps_record_free(record);
    }
    laps_disclosure_free(disclosure);
    for (i = 0; i < 3; i++) laps_record_free(records[i]);
    laps_foreign_free(foreign);
}

#endif
