/* What the calls of a vault answer and tell: receipts, reports, how far they are. */
#include "answers.h"

#ifndef LAPS_AGENT

#define PLACE "answers.place"

static uint32_t ordered(const char *device) {
    uint32_t open = 99;
    OK(laps_vault_is_ordered(vault, device, strlen(device), &open));
    return open;
}

static void an_order_for_named_devices_is_whole_or_not_at_all(void) {
    laps_devices *devices = NULL;
    laps_rows *rows = NULL;
    uint64_t count = 99, before;
    uint32_t open = 99;
    add_device("named-1");
    add_device("named-2");
    OK(laps_devices_new(&devices));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_vault_order_devices(vault, devices, WHO, &count));
    OK(laps_devices_add(devices, LAPS_TEXT("named-1")));
    OK(laps_devices_add(devices, LAPS_TEXT("named-9")));
    CHECK_STATUS(LAPS_STATUS_INVALID_UTF8, laps_devices_add(devices, LAPS_TEXT("\xff")));
    CHECK(laps_devices_count(devices) == 2);
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_vault_order_devices(vault, devices, WHO, &count));
    CHECK(strstr(laps_last_error(), "named-9") != NULL && count == 99 && ordered("named-1") == 0);
    laps_devices_free(devices);

    OK(laps_devices_new(&devices));
    OK(laps_devices_add(devices, LAPS_TEXT("named-2")));
    OK(laps_devices_add(devices, LAPS_TEXT("named-1")));
    OK(laps_devices_add(devices, LAPS_TEXT("named-2")));
    CHECK(laps_devices_count(devices) == 3);
    before = entries();
    OK(laps_vault_order_devices(vault, devices, WHO, &count));
    CHECK(count == 2 && entries() == before + 1 && ordered("named-1") == 1 && ordered("named-2") == 1);
    OK(laps_vault_audit_entries(vault, before, 10, &rows));
    CHECK(is(rows, 0, LAPS_FIELD_DETAIL, "named-2 named-1") && is(rows, 0, LAPS_FIELD_ACTION, "rotation-ordered"));
    laps_rows_free(rows);
    OK(laps_vault_order_devices(vault, devices, WHO, &count));
    CHECK(count == 0);
    laps_devices_free(devices);

    /* The order of a retired device waits: the list does not show it. */
    OK(laps_vault_retire(vault, LAPS_TEXT("named-2"), WHO));
    OK(laps_metadata_show(metadata, LAPS_TEXT("named-2"), &rows));
    CHECK(laps_rows_number(rows, 0, LAPS_FIELD_ORDERED) == 0 && ordered("named-2") == 1);
    laps_rows_free(rows);
    OK(laps_vault_re_enrol(vault, LAPS_TEXT("named-2"), WHO));
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_vault_is_ordered(vault, LAPS_TEXT("named-9"), &open));
    CHECK(open == 99);
}

/* The receipt is the head of the trail now, with the number of its last entry. */
static void receipt_is_the_head(void) {
    char receipt[128], head[128];
    size_t receipt_len = 0, head_len = 0;
    uint64_t entry = 0;
    OK(laps_vault_receipt(vault, receipt, sizeof receipt, &receipt_len, &entry));
    OK(laps_vault_audit_head(vault, head, sizeof head, &head_len));
    CHECK(receipt_len == head_len && strcmp(receipt, head) == 0);
    CHECK(entry == (uint64_t)strtoull(head, NULL, 10) && entry == entries());
}

static void changes_answer_a_head_of_the_trail(void) {
    laps_vault *other = NULL;
    laps_disclosure *disclosure = NULL;
    laps_devices *devices = NULL;
    laps_rows *rows = NULL;
    char text[128];
    uint8_t id[32], record[16];
    uint64_t entry = 99, count = 0, shown;
    size_t len = 99;
    OK(laps_vault_open(LAPS_TEXT(PATH), NULL, 0, &other));
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_vault_receipt(other, text, sizeof text, &len, &entry));
    CHECK(len == 99 && entry == 99);

    add_device("changed");
    OK(laps_vault_retire(vault, LAPS_TEXT("changed"), WHO));
    receipt_is_the_head();
    CHECK_STATUS(LAPS_STATUS_BUFFER_TOO_SMALL, laps_vault_receipt(vault, text, 66, &len, &entry));
    CHECK(len > 66 && len < sizeof text && entry == 99);
    OK(laps_vault_re_enrol(vault, LAPS_TEXT("changed"), WHO));
    receipt_is_the_head();
    OK(laps_vault_set_history(vault, 5, 0, WHO));
    receipt_is_the_head();
    OK(laps_vault_order_rotation(vault, LAPS_TEXT("changed"), WHO));
    receipt_is_the_head();
    OK(laps_devices_new(&devices));
    OK(laps_devices_add(devices, LAPS_TEXT("changed")));
    OK(laps_vault_order_devices(vault, devices, WHO, &count));
    laps_devices_free(devices);
    receipt_is_the_head();
    OK(laps_vault_order_all(vault, WHO, &count));
    receipt_is_the_head();
    OK(laps_vault_order_overdue(vault, WHO, &count));
    receipt_is_the_head();
    OK(laps_vault_order_revealed_by(vault, LAPS_TEXT("anna"), 0, WHO, &count));
    receipt_is_the_head();
    OK(laps_vault_disclose(vault, LAPS_TEXT("changed"), LAPS_TEXT("anna"), LAPS_TEXT("look"), false, 0, NOW, &disclosure));
    receipt_is_the_head();
    shown = laps_disclosure_entry(disclosure);
    laps_disclosure_free(disclosure);
    OK(laps_vault_record_outcome(vault, shown, true, WHO));
    receipt_is_the_head();
    OK(laps_vault_add_reader(vault, second, WHO));
    receipt_is_the_head();
    OK(laps_reader_id(second, id));
    OK(laps_vault_remove_reader(vault, id, true, 0, false, WHO, &count));
    receipt_is_the_head();
    OK(laps_vault_order_readable(vault, id, 0, WHO, &count));
    receipt_is_the_head();
    OK(laps_metadata_history(metadata, LAPS_TEXT("changed"), &rows));
    for (len = 0; len < 16; len++) {
        unsigned byte = 0;
        CHECK(sscanf(laps_rows_text(rows, 0, LAPS_FIELD_RECORD) + 2 * len, "%2x", &byte) == 1);
        record[len] = (uint8_t)byte;
    }
    laps_rows_free(rows);
    OK(laps_vault_remove_record(vault, LAPS_TEXT("changed"), record, true, WHO));
    receipt_is_the_head();
    OK(laps_vault_purge(vault, LAPS_TEXT("changed"), true, WHO));
    receipt_is_the_head();

    /* A change that is refused is in the trail, and has no receipt: the one before stays. */
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_vault_retire(vault, LAPS_TEXT("changed"), WHO));
    OK(laps_vault_receipt(vault, text, sizeof text, &len, &entry));
    CHECK(entry + 1 == entries());
    OK(laps_vault_audit_verify(vault, text, len, &count));

    /* The latest change of this thread goes through another object. */
    OK(laps_vault_set_history(other, 5, 0, WHO));
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_vault_receipt(vault, text, sizeof text, &len, &entry));
    OK(laps_vault_receipt(other, text, sizeof text, &len, &entry));
    CHECK(entry == entries());
    laps_vault_free(other);
    OK(laps_vault_open(LAPS_TEXT(PATH), LAPS_TEXT("tenant"), &other));
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_vault_receipt(other, text, sizeof text, &len, &entry));
    OK(laps_vault_initialise(other, (const laps_reader *const *)&reader, 1, WHO));
    OK(laps_vault_receipt(other, text, sizeof text, &len, &entry));
    CHECK(entry == 1 && strncmp(text, "1-", 2) == 0);
    laps_vault_free(other);
}

/* What is told to a function that is called back. */
struct told {
    uint64_t calls, done, total, stop_at;
};

static void tell(void *user, uint64_t done, uint64_t total) {
    struct told *told = user;
    CHECK(done > told->done && (told->calls == 0 || total == told->total));
    told->calls++;
    told->done = done;
    told->total = total;
}

static bool ask(void *user, uint64_t records) {
    struct told *told = user;
    told->calls++;
    told->total += records;
    return told->calls != told->stop_at;
}

static void an_import_tells_how_far_it_is(void) {
    struct told told = {0, 0, 0, 0};
    laps_vault *other = NULL;
    laps_rows *page = NULL;
    uint64_t devices = 0;
    uint8_t *bytes;
    size_t i, count, len = 0;
    OK(laps_vault_export(vault, NULL, 0, 1000, WHO, &page));
    count = laps_rows_count(page);
    CHECK(count == 3);
    for (i = 0; i < count; i++) len += laps_rows_bytes_len(page, i);
    bytes = malloc(len);
    CHECK(bytes != NULL);
    for (i = 0, len = 0; i < count; i++) {
        memcpy(bytes + len, laps_rows_bytes(page, i), laps_rows_bytes_len(page, i));
        len += laps_rows_bytes_len(page, i);
    }
    laps_rows_free(page);
    remove_file(PLACE);
    OK(laps_vault_init(LAPS_TEXT(PLACE), NULL, 0, (const laps_reader *const *)&reader, 1, LAPS_TEXT("setup"), NOW, &other));
    CHECK(laps_vault_import_watched(other, bytes, len - 1, WHO, tell, &told, &devices) != LAPS_STATUS_OK);
    CHECK(told.calls == 2 && devices == 0); /* it was told of two, and then all went back */
    memset(&told, 0, sizeof told);
    OK(laps_vault_import_watched(other, bytes, len, WHO, tell, &told, &devices));
    CHECK(devices == 3 && told.calls == 3 && told.done == len && told.total == len);
    OK(laps_vault_purge(other, LAPS_TEXT("entra-1"), true, WHO));
    OK(laps_vault_purge(other, LAPS_TEXT("named-1"), true, WHO));
    OK(laps_vault_purge(other, LAPS_TEXT("named-2"), true, WHO));
    OK(laps_vault_import_watched(other, bytes, len, WHO, NULL, NULL, &devices));
    CHECK(devices == 3);
    laps_vault_free(other);
    free(bytes);
    remove_file(PLACE);
}

static void sealing_anew_is_asked_before_each_step_and_can_be_stopped(void) {
    struct told told = {0, 0, 0, 2};
    laps_rows *failed = NULL;
    laps_stats stats;
    uint64_t replaced = 99, not_ours = 99, first;
    size_t i;
    for (i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "many-%03u", (unsigned)i);
        add_device(name);
    }
    OK(laps_metadata_stats(metadata, NOW, &stats));
    OK(laps_vault_add_reader(vault, second, WHO));
    OK(laps_vault_reseal_watched(vault, key, WHO, ask, &told, &replaced, &not_ours, &failed));
    CHECK(told.calls == 2 && told.total == stats.candidates + stats.history); /* both steps were asked about */
    CHECK(replaced > 0 && replaced < told.total && not_ours == 0 && laps_rows_count(failed) == 0);
    laps_rows_free(failed);
    first = replaced;
    memset(&told, 0, sizeof told);
    told.stop_at = 1;
    OK(laps_vault_reseal_watched(vault, key, WHO, ask, &told, &replaced, &not_ours, &failed));
    CHECK(told.calls == 1 && replaced == 0);
    laps_rows_free(failed);
    memset(&told, 0, sizeof told);
    OK(laps_vault_reseal_watched(vault, key, WHO, ask, &told, &replaced, &not_ours, &failed));
    CHECK(told.calls == 1 && told.total == replaced && first + replaced == stats.candidates + stats.history);
    laps_rows_free(failed);
    OK(laps_vault_reseal_watched(vault, key, WHO, ask, &told, &replaced, &not_ours, &failed));
    CHECK(told.calls == 1 && replaced == 0); /* nothing to do is nothing to ask about */
    laps_rows_free(failed);
    OK(laps_vault_reseal_watched(vault, key, WHO, NULL, NULL, &replaced, &not_ours, &failed));
    CHECK(replaced == 0 && not_ours == 0);
    laps_rows_free(failed);
    CHECK_STATUS(LAPS_STATUS_REASON_REQUIRED,
                 laps_vault_reseal_watched(vault, key, LAPS_TEXT("anna"), NULL, 0, NOW, ask, &told, &replaced, &not_ours, &failed));
}

/* Changes every such text in the file of the vault, which nobody has open. */
static void damage(const char *text) {
    FILE *file = fopen(PATH, "r+b");
    size_t len = strlen(text), size, at, found = 0;
    char *all;
    CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size = (size_t)ftell(file);
    rewind(file);
    all = malloc(size);
    CHECK(all != NULL && fread(all, 1, size, file) == size);
    for (at = 0; at + len <= size; at++) {
        if (memcmp(all + at, text, len) != 0) continue;
        CHECK(fseek(file, (long)at, SEEK_SET) == 0 && fputc(text[0] ^ 1, file) != EOF);
        found++;
    }
    free(all);
    CHECK(fclose(file) == 0 && found > 0);
}

static void a_report_names_the_first_bad_entry(void) {
    struct told told = {0, 0, 0, 0};
    laps_rows *report = NULL;
    char head[128], bad_head[128];
    size_t len = 0;
    uint64_t count, bad;
    OK(laps_vault_retire(vault, LAPS_TEXT("named-1"), LAPS_TEXT("anna"), LAPS_TEXT("quite unmistakable"), NOW));
    bad = entries();
    OK(laps_vault_re_enrol(vault, LAPS_TEXT("named-1"), WHO));
    count = entries();
    OK(laps_vault_audit_head(vault, head, sizeof head, &len));
    OK(laps_vault_audit_report(vault, head, len, tell, &told, &report));
    CHECK(laps_rows_count(report) == 1 && laps_rows_next(report) == NULL);
    CHECK(laps_rows_number(report, 0, LAPS_FIELD_VERIFIED) == 1 && laps_rows_number(report, 0, LAPS_FIELD_COUNT) == count);
    CHECK(laps_rows_number(report, 0, LAPS_FIELD_FIRST_BAD) == 0 && is(report, 0, LAPS_FIELD_HEAD, head));
    CHECK(told.calls > 0 && told.done == count && told.total == count);
    laps_rows_free(report);
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_vault_audit_report(vault, LAPS_TEXT("1-0"), NULL, NULL, &report));

    /* A head that is not in it: the same entry with another hash. */
    strcpy(bad_head, head);
    bad_head[len - 1] = bad_head[len - 1] == '0' ? '1' : '0';
    OK(laps_vault_audit_report(vault, bad_head, len, NULL, NULL, &report));
    CHECK(laps_rows_number(report, 0, LAPS_FIELD_VERIFIED) == 0 && laps_rows_number(report, 0, LAPS_FIELD_FIRST_BAD) == count);
    CHECK(is(report, 0, LAPS_FIELD_HEAD, head));
    laps_rows_free(report);

    close_vault();
    damage("quite unmistakable");
    open_vault();
    OK(laps_vault_audit_report(vault, NULL, 0, NULL, NULL, &report));
    CHECK(laps_rows_number(report, 0, LAPS_FIELD_VERIFIED) == 0 && laps_rows_number(report, 0, LAPS_FIELD_COUNT) == count);
    CHECK(laps_rows_number(report, 0, LAPS_FIELD_FIRST_BAD) == bad);
    CHECK(strtoull(laps_rows_text(report, 0, LAPS_FIELD_HEAD), NULL, 10) == bad - 1);
    laps_rows_free(report);
    CHECK_STATUS(LAPS_STATUS_AUDIT_BROKEN, laps_vault_audit_verify(vault, NULL, 0, &count));
}

/* A vault of this schema is not migrated, and one of an earlier schema than there ever was cannot be. */
static void a_migration_is_refused(void) {
    laps_vault *none = NULL;
    laps_rows *report = NULL;
    FILE *file;
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_vault_migrate_report(LAPS_TEXT(PATH), true, WHO, &report));
    CHECK(report == NULL);
    close_vault();
    file = fopen(PATH, "r+b");
    CHECK(file != NULL && fseek(file, 63, SEEK_SET) == 0 && fgetc(file) == 1);
    CHECK(fseek(file, 63, SEEK_SET) == 0 && fputc(0, file) == 0 && fclose(file) == 0);
    CHECK_STATUS(LAPS_STATUS_SCHEMA_OLDER, laps_vault_open(LAPS_TEXT(PATH), NULL, 0, &none));
    CHECK_STATUS(LAPS_STATUS_SCHEMA_OLDER, laps_vault_migrate_report(LAPS_TEXT(PATH), true, WHO, &report));
    CHECK(report == NULL);
    file = fopen(PATH, "r+b");
    CHECK(file != NULL && fseek(file, 63, SEEK_SET) == 0 && fputc(1, file) == 1 && fclose(file) == 0);
    open_vault();
}

void test_answers(void) {
    laps_reader_key *second_key = NULL;
    OK(laps_generator_new(&generator));
    OK(laps_reader_key_new(generator, LAPS_SUITE_X25519, LAPS_TEXT("help desk"), &key));
    OK(laps_reader_key_reader(key, &reader));
    OK(laps_reader_key_new(generator, LAPS_SUITE_X25519, LAPS_TEXT("auditor"), &second_key));
    OK(laps_reader_key_reader(second_key, &second));
    remove_file(PATH);
    OK(laps_vault_init(LAPS_TEXT(PATH), NULL, 0, (const laps_reader *const *)&reader, 1, LAPS_TEXT("setup"), NOW, &vault));
    OK(laps_vault_metadata(vault, &metadata));
    passwords_of_another_directory_are_taken_in();
    an_order_for_named_devices_is_whole_or_not_at_all();
    changes_answer_a_head_of_the_trail();
    an_import_tells_how_far_it_is();
    sealing_anew_is_asked_before_each_step_and_can_be_stopped();
    a_report_names_the_first_bad_entry();
    a_migration_is_refused();
    close_vault();
    remove_file(PATH);
    laps_reader_free(second);
    laps_reader_key_free(second_key);
    laps_reader_free(reader);
    laps_reader_key_free(key);
    laps_generator_free(generator);
}

#else

void test_answers(void) {
}

#endif
