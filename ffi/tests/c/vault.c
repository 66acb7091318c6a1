/* The vault as a server has it: lists, history, orders, readers, copies, the trail. */
#include "check.h"

#ifndef LAPS_AGENT

enum { NOW = 1700000000 };

#define PATH "surface.vault"
#define COPY "surface.copy"
#define PLACE "surface.place"
#define WHO LAPS_TEXT("anna"), LAPS_TEXT("ticket 4711"), now

static laps_generator *generator;
static laps_policy *policy;
static laps_recipe *recipe;
static laps_reader_key *key, *second_key;
static laps_reader *reader, *second;
static laps_vault *vault;
static laps_metadata *metadata;
static uint64_t now;

static void remove_file(const char *path) {
    static const char *const beside[] = {"", "-wal", "-shm"};
    size_t i;
    for (i = 0; i < 3; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s%s", path, beside[i]);
        remove(name);
    }
}

/* A device that rotates once, from its first check-in to its commit. */
static void rotate(const char *device) {
    laps_config *config = NULL;
    laps_rotation *rotation = NULL;
    uint32_t wish = 0;
    uint64_t with = 0;
    OK(laps_config_new(policy, device, strlen(device), LAPS_TEXT("Admin"), &config));
    OK(laps_config_set_sid(config, LAPS_TEXT("S-1-5-21-1-2-3-500")));
    OK(laps_rotation_new(config, now, &rotation));
    while (wish != LAPS_WISH_WAIT) {
        laps_bytes *bytes = NULL, *answer = NULL;
        static uint8_t stamp[32];
        OK(laps_rotation_poll(rotation, &wish, &with));
        if (wish == LAPS_WISH_SAVE) {
            OK(laps_rotation_state(rotation, &bytes));
            OK(laps_rotation_handle_saved(rotation));
        } else if (wish == LAPS_WISH_CHECK_IN) {
            OK(laps_rotation_check_in(rotation, generator, &bytes));
            OK(laps_vault_check_in(vault, device, strlen(device), laps_bytes_data(bytes), laps_bytes_len(bytes), now,
                                   &answer));
            OK(laps_rotation_handle_answer(rotation, laps_bytes_data(answer), laps_bytes_len(answer), generator, now));
        } else if (wish == LAPS_WISH_PREPARE) {
            OK(laps_rotation_prepare(rotation, generator, recipe, (const laps_reader *const *)&reader, 1, stamp, now));
        } else if (wish == LAPS_WISH_LOOK_UP) {
            OK(laps_rotation_handle_account(rotation, LAPS_ACCOUNT_PRESENT, stamp, now));
        } else if (wish == LAPS_WISH_READ_STAMP) {
            OK(laps_rotation_handle_stamp(rotation, stamp, now));
        } else if (wish == LAPS_WISH_APPLY) {
            stamp[0]++;
            OK(laps_rotation_handle_applied(rotation, LAPS_APPLIED_SUCCESS, generator, now));
        } else if (wish == LAPS_WISH_VERIFY) {
            OK(laps_rotation_handle_verified(rotation, LAPS_VERIFIED_MATCH, generator, now));
        } else {
            CHECK(wish == LAPS_WISH_WAIT);
        }
        laps_bytes_free(bytes);
        laps_bytes_free(answer);
    }
    laps_rotation_free(rotation);
    laps_config_free(config);
    now++;
}

static void open_vault(void) {
    now = NOW;
    remove_file(PATH);
    OK(laps_vault_init(LAPS_TEXT(PATH), NULL, 0, (const laps_reader *const *)&reader, 1, LAPS_TEXT("setup"), now, &vault));
    OK(laps_vault_metadata(vault, &metadata));
}

static void close_vault(void) {
    laps_metadata_free(metadata);
    laps_vault_free(vault);
    metadata = NULL;
    vault = NULL;
    remove_file(PATH);
}

static int is(const laps_rows *rows, size_t index, uint32_t field, const char *expected) {
    const char *found = laps_rows_text(rows, index, field);
    if (found == NULL || strcmp(found, expected) != 0)
        fprintf(stderr, "field %u of row %u: %s\n", (unsigned)field, (unsigned)index, found == NULL ? "none" : found);
    return found != NULL && strcmp(found, expected) == 0;
}

/* One field of the last entry of the trail. */
static int last_entry_is(uint32_t field, const char *expected) {
    laps_rows *trail = NULL;
    int same;
    OK(laps_vault_audit_entries(vault, 0, 1000, &trail));
    same = is(trail, laps_rows_count(trail) - 1, field, expected);
    laps_rows_free(trail);
    return same;
}

static void devices_are_listed_in_pages_and_shown(void) {
    laps_rows *page = NULL, *next = NULL, *one = NULL;
    laps_stats stats;
    rotate("pc-1");
    rotate("pc-2");
    rotate("pc-3");
    OK(laps_metadata_list(metadata, NULL, 0, 2, &page));
    CHECK(laps_rows_count(page) == 2 && is(page, 0, LAPS_FIELD_DEVICE, "pc-1") && is(page, 1, LAPS_FIELD_DEVICE, "pc-2"));
    CHECK(is(page, 0, LAPS_FIELD_ACCOUNT, "Admin") && is(page, 0, LAPS_FIELD_SID, "S-1-5-21-1-2-3-500"));
    CHECK(laps_rows_number(page, 0, LAPS_FIELD_VERSION) == 1 && laps_rows_number(page, 0, LAPS_FIELD_CANDIDATES) == 1);
    CHECK(laps_rows_number(page, 0, LAPS_FIELD_UPDATED) >= NOW && laps_rows_number(page, 0, LAPS_FIELD_LAST_SEEN) >= NOW);
    CHECK(laps_rows_text(page, 0, LAPS_FIELD_HASH) == NULL && laps_rows_number(page, 0, 9999) == 0);
    CHECK(laps_rows_text(page, 2, LAPS_FIELD_DEVICE) == NULL && laps_rows_bytes(page, 0) == NULL);
    CHECK(laps_rows_next(page) != NULL);
    OK(laps_metadata_list(metadata, laps_rows_next(page), strlen(laps_rows_next(page)), 2, &next));
    CHECK(laps_rows_count(next) == 1 && is(next, 0, LAPS_FIELD_DEVICE, "pc-3") && laps_rows_next(next) == NULL);
    laps_rows_free(next);
    laps_rows_free(page);
    OK(laps_metadata_show(metadata, LAPS_TEXT("pc-2"), &one));
    CHECK(laps_rows_count(one) == 1 && is(one, 0, LAPS_FIELD_DEVICE, "pc-2"));
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_metadata_show(metadata, LAPS_TEXT("pc-9"), &next));
    laps_rows_free(one);
    OK(laps_metadata_stats(metadata, now, &stats));
    CHECK(stats.devices == 3 && stats.candidates == 3 && stats.damaged == 0 && stats.retired == 0);
}

static void history_names_its_readers_and_has_no_content(void) {
    laps_rows *records = NULL;
    uint8_t id[32];
    char digits[65] = "";
    size_t i;
    rotate("pc-1");
    rotate("pc-1");
    OK(laps_metadata_history(metadata, LAPS_TEXT("pc-1"), &records));
    CHECK(laps_rows_count(records) == 3);
    CHECK(is(records, 0, LAPS_FIELD_STATE, "current") && is(records, 2, LAPS_FIELD_STATE, "history"));
    CHECK(laps_rows_number(records, 0, LAPS_FIELD_VERSION) == 3 && laps_rows_number(records, 2, LAPS_FIELD_VERSION) == 1);
    CHECK(laps_rows_number(records, 0, LAPS_FIELD_DISPLACED) == 0 && laps_rows_number(records, 1, LAPS_FIELD_DISPLACED) > 0);
    CHECK(strlen(laps_rows_text(records, 0, LAPS_FIELD_RECORD)) == 32);
    OK(laps_reader_id(reader, id));
    for (i = 0; i < 32; i++) snprintf(digits + 2 * i, 3, "%02x", id[i]);
    CHECK(is(records, 1, LAPS_FIELD_READER_IDS, digits));
    CHECK(laps_rows_bytes_len(records, 0) == 0);
    laps_rows_free(records);
}

static void orders_are_for_all_for_the_overdue_and_for_what_somebody_saw(void) {
    laps_rows *due = NULL;
    laps_disclosure *disclosure = NULL;
    uint64_t devices = 0, entry;
    OK(laps_vault_disclose(vault, LAPS_TEXT("pc-2"), LAPS_TEXT("mallory"), LAPS_TEXT("look"), false, 0, now, &disclosure));
    entry = laps_disclosure_entry(disclosure);
    laps_disclosure_free(disclosure);
    OK(laps_vault_order_revealed_by(vault, LAPS_TEXT("mallory"), now + 1, WHO, &devices));
    CHECK(devices == 0);
    OK(laps_vault_record_outcome(vault, entry, false, LAPS_TEXT("mallory"), LAPS_TEXT("the wrong key"), now));
    OK(laps_vault_order_revealed_by(vault, LAPS_TEXT("mallory"), 0, WHO, &devices));
    CHECK(devices == 1); /* "not opened" is mallory's own word */
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_vault_record_outcome(vault, 1, true, WHO));
    OK(laps_vault_order_revealed_by(vault, LAPS_TEXT("mallory"), 0, WHO, &devices));
    CHECK(devices == 0); /* ordered already */
    OK(laps_metadata_due(metadata, now, NULL, 0, 10, &due));
    CHECK(laps_rows_count(due) == 1 && is(due, 0, LAPS_FIELD_DEVICE, "pc-2"));
    CHECK(laps_rows_number(due, 0, LAPS_FIELD_ORDERED) == 1 && laps_rows_number(due, 0, LAPS_FIELD_EXPIRES) <= now);
    laps_rows_free(due);
    OK(laps_vault_order_overdue(vault, WHO, &devices));
    CHECK(devices == 0); /* it has its order */
    OK(laps_vault_order_all(vault, WHO, &devices));
    CHECK(devices == 2);
    CHECK_STATUS(LAPS_STATUS_REASON_REQUIRED,
                 laps_vault_order_all(vault, LAPS_TEXT("anna"), LAPS_TEXT(" "), now, &devices));
    CHECK(last_entry_is(LAPS_FIELD_ACTION, "refused"));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_metadata_due(metadata, now, LAPS_TEXT("x"), 10, &due));
}

/* The first message of a device, as its agent sends it. */
static laps_bytes *first_message(const char *device) {
    laps_config *config = NULL;
    laps_rotation *rotation = NULL;
    laps_bytes *message = NULL;
    uint32_t wish = 0;
    uint64_t with = 0;
    OK(laps_config_new(policy, device, strlen(device), LAPS_TEXT("Admin"), &config));
    OK(laps_rotation_new(config, now, &rotation));
    OK(laps_rotation_poll(rotation, &wish, &with));
    if (wish == LAPS_WISH_SAVE) OK(laps_rotation_handle_saved(rotation));
    OK(laps_rotation_poll(rotation, &wish, &with));
    CHECK(wish == LAPS_WISH_LOOK_UP);
    OK(laps_rotation_handle_account(rotation, LAPS_ACCOUNT_PRESENT, NULL, now));
    OK(laps_rotation_poll(rotation, &wish, &with));
    CHECK(wish == LAPS_WISH_CHECK_IN);
    OK(laps_rotation_check_in(rotation, generator, &message));
    laps_rotation_free(rotation);
    laps_config_free(config);
    return message;
}

static void many_check_ins_are_answered_each_for_itself(void) {
    static const char *const devices[] = {"many-1", "many-2", "many-3", "many-4"};
    laps_bytes *messages[4];
    laps_check_ins *check_ins = NULL;
    laps_rows *answers = NULL;
    size_t i;
    OK(laps_check_ins_new(&check_ins));
    CHECK(laps_check_ins_count(check_ins) == 0);
    OK(laps_vault_check_in_many(vault, check_ins, now, &answers));
    CHECK(laps_rows_count(answers) == 0);
    laps_rows_free(answers);

    /* The second is cut short, and the third comes under the name of another device. */
    for (i = 0; i < 4; i++) {
        const char *device = i == 2 ? "many-4" : devices[i];
        messages[i] = first_message(devices[i]);
        OK(laps_check_ins_add(check_ins, device, strlen(device), laps_bytes_data(messages[i]),
                              laps_bytes_len(messages[i]) - (i == 1)));
        laps_bytes_free(messages[i]);
    }
    CHECK_STATUS(LAPS_STATUS_INVALID_UTF8, laps_check_ins_add(check_ins, LAPS_TEXT("\xff"), NULL, 0));
    OK(laps_check_ins_add(check_ins, NULL, 0, NULL, 0));
    CHECK(laps_check_ins_count(check_ins) == 5);
    OK(laps_vault_check_in_many(vault, check_ins, now, &answers));
    CHECK(laps_rows_count(answers) == 5 && laps_rows_next(answers) == NULL);
    for (i = 0; i < 4; i++) {
        CHECK(is(answers, i, LAPS_FIELD_DEVICE, i == 2 ? "many-4" : devices[i]));
        CHECK((laps_rows_bytes_len(answers, i) > 0) == (i == 0 || i == 3));
        CHECK((laps_rows_text(answers, i, LAPS_FIELD_WHY) == NULL) == (i == 0 || i == 3));
    }
    CHECK(laps_rows_number(answers, 0, LAPS_FIELD_STATUS) == LAPS_STATUS_OK);
    CHECK(laps_rows_number(answers, 1, LAPS_FIELD_STATUS) == LAPS_STATUS_MESSAGE_MALFORMED);
    CHECK(laps_rows_number(answers, 2, LAPS_FIELD_STATUS) == LAPS_STATUS_MESSAGE_WRONG_DEVICE);
    CHECK(laps_rows_number(answers, 3, LAPS_FIELD_STATUS) == LAPS_STATUS_OK);
    CHECK(laps_rows_number(answers, 4, LAPS_FIELD_STATUS) == LAPS_STATUS_INVALID_ARGUMENT);
    laps_rows_free(answers);
    laps_check_ins_free(check_ins);
    OK(laps_metadata_show(metadata, LAPS_TEXT("many-4"), &answers)); /* it was taken beside the bad ones */
    laps_rows_free(answers);
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_metadata_show(metadata, LAPS_TEXT("many-2"), &answers));
    for (i = 0; i < 4; i += 3) OK(laps_vault_purge(vault, devices[i], strlen(devices[i]), true, WHO));
}

/* The machine of a reader, which the records are carried to and from; here it is this one. */
static void records_are_sealed_anew_where_the_key_is(void) {
    const laps_reader *readers[2];
    laps_rows *page = NULL, *next = NULL, *failed = NULL;
    laps_record *handed_out[4], *anew[4];
    const laps_record *given_back[4];
    laps_password *password = NULL;
    uint64_t replaced = 99;
    size_t i, count;
    readers[0] = reader;
    readers[1] = second;
    OK(laps_vault_resealing(vault, NULL, 0, 1000, WHO, &page));
    CHECK(laps_rows_count(page) == 0 && laps_rows_next(page) == NULL);
    laps_rows_free(page);
    OK(laps_vault_add_reader(vault, second, WHO));
    CHECK_STATUS(LAPS_STATUS_REASON_REQUIRED,
                 laps_vault_resealing(vault, NULL, 0, 1000, LAPS_TEXT("anna"), NULL, 0, now, &page));

    /* Page by page: one device, then the others. */
    OK(laps_vault_resealing(vault, NULL, 0, 1, WHO, &next));
    CHECK(laps_rows_count(next) == 3 && is(next, 2, LAPS_FIELD_DEVICE, "pc-1"));
    OK(laps_vault_resealing(vault, laps_rows_next(next), strlen(laps_rows_next(next)), 1000, WHO, &page));
    laps_rows_free(next);
    CHECK(last_entry_is(LAPS_FIELD_DETAIL, "2 records of 2 devices"));
    count = laps_rows_count(page);
    CHECK(count == 2 && is(page, 0, LAPS_FIELD_DEVICE, "pc-2") && laps_rows_next(page) == NULL);
    for (i = 0; i < count; i++) {
        handed_out[i] = anew[i] = NULL;
        CHECK(strlen(laps_rows_text(page, i, LAPS_FIELD_RECORD)) == 32 && laps_rows_number(page, i, LAPS_FIELD_DAMAGED) == 0);
        OK(laps_record_parse(laps_rows_bytes(page, i), laps_rows_bytes_len(page, i), &handed_out[i]));
        OK(laps_reader_key_reseal(key, handed_out[i], readers, 2, generator, &anew[i]));
    }
    laps_rows_free(page);

    /* One comes back as it went out; the other is taken all the same. */
    given_back[0] = anew[0];
    given_back[1] = handed_out[1];
    OK(laps_vault_take_resealed(vault, given_back, 2, WHO, &replaced, &failed));
    CHECK(replaced == 1 && laps_rows_count(failed) == 1 && is(failed, 0, LAPS_FIELD_DEVICE, "pc-3"));
    CHECK(strstr(laps_rows_text(failed, 0, LAPS_FIELD_WHY), "re-sealed") != NULL);
    laps_rows_free(failed);
    given_back[1] = anew[1];
    OK(laps_vault_take_resealed(vault, given_back, 2, WHO, &replaced, &failed));
    CHECK(replaced == 1 && laps_rows_count(failed) == 0); /* the first was taken already */
    laps_rows_free(failed);
    CHECK_STATUS(LAPS_STATUS_REASON_REQUIRED,
                 laps_vault_take_resealed(vault, given_back, 2, LAPS_TEXT("anna"), NULL, 0, now, &replaced, &failed));
    CHECK(last_entry_is(LAPS_FIELD_ACTION, "refused"));

    /* The rest is that of the device of the first page; what is stored now, the second reader opens. */
    OK(laps_vault_resealing(vault, NULL, 0, 1000, WHO, &page));
    CHECK(laps_rows_count(page) == 3 && is(page, 0, LAPS_FIELD_DEVICE, "pc-1"));
    laps_rows_free(page);
    OK(laps_reader_key_open(second_key, anew[1], &password, NULL));
    laps_password_free(password);
    for (i = 0; i < count; i++) {
        laps_record_free(handed_out[i]);
        laps_record_free(anew[i]);
    }
}

static void readers_come_and_go_and_records_are_sealed_anew(void) {
    laps_rows *rows = NULL, *failed = NULL;
    laps_disclosure *disclosure = NULL;
    laps_record *record = NULL;
    laps_password *password = NULL;
    uint64_t replaced = 0, not_ours = 0, devices = 0;
    uint32_t records = 0, days = 0;
    uint8_t id[32];

    CHECK_STATUS(LAPS_STATUS_ALREADY_EXISTS, laps_vault_add_reader(vault, second, WHO));
    OK(laps_vault_reseal(vault, second_key, WHO, &replaced, &not_ours, &failed));
    CHECK(replaced == 0 && not_ours == 3 && laps_rows_count(failed) == 0);
    laps_rows_free(failed);
    OK(laps_vault_reseal(vault, key, WHO, &replaced, &not_ours, &failed));
    CHECK(replaced == 3 && not_ours == 0 && laps_rows_count(failed) == 0);
    laps_rows_free(failed);
    OK(laps_vault_disclose(vault, LAPS_TEXT("pc-3"), LAPS_TEXT("anna"), LAPS_TEXT("look"), false, 0, now, &disclosure));
    OK(laps_disclosure_record(disclosure, 0, &record));
    CHECK(laps_disclosure_updated(disclosure, 0) >= NOW && laps_disclosure_updated(disclosure, 9) == 0);
    OK(laps_disclosure_damaged(disclosure, &rows));
    CHECK(laps_rows_count(rows) == 0);
    laps_rows_free(rows);
    OK(laps_reader_key_open(second_key, record, &password, NULL));
    laps_password_free(password);
    CHECK(laps_record_sealing(record) == 1);
    laps_record_free(record);
    laps_disclosure_free(disclosure);

    OK(laps_reader_id(reader, id));
    OK(laps_vault_remove_reader(vault, id, true, 3600, false, WHO, &devices));
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_vault_remove_reader(vault, id, false, 0, false, WHO, &devices));
    OK(laps_vault_order_readable(vault, id, 3600, WHO, &devices));
    CHECK(devices == 0); /* the removal has ordered it all */
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_vault_order_readable(vault, NULL, 0, WHO, &devices));
    OK(laps_vault_readers(vault, &rows));
    CHECK(laps_rows_count(rows) == 2);
    CHECK(laps_rows_number(rows, 0, LAPS_FIELD_REMOVED) == now && laps_rows_number(rows, 1, LAPS_FIELD_REMOVED) == 0);
    CHECK(strlen(laps_rows_text(rows, 1, LAPS_FIELD_READER_ID)) == 64);
    laps_rows_free(rows);
    OK(laps_reader_id(second, id));
    CHECK_STATUS(LAPS_STATUS_CONFIRMATION_REQUIRED, laps_vault_remove_reader(vault, id, false, 0, false, WHO, &devices));
    OK(laps_vault_remove_reader(vault, id, false, 0, true, WHO, &devices));
    OK(laps_vault_add_reader(vault, second, WHO));
    OK(laps_vault_reseal(vault, second_key, WHO, &replaced, &not_ours, &failed));
    CHECK(replaced == 5 && laps_rows_count(failed) == 0);
    laps_rows_free(failed);
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_vault_set_history(vault, 0, 0, WHO));
    OK(laps_vault_history(vault, &records, &days));
    CHECK(records == 3 && days == 0);
    OK(laps_vault_set_history(vault, 12, 90, WHO));
    OK(laps_vault_history(vault, &records, &days));
    CHECK(records == 12 && days == 90);
    CHECK(last_entry_is(LAPS_FIELD_DETAIL, "history: 12 records, and 90 days"));
}

static void devices_are_retired_brought_back_and_purged(void) {
    laps_rows *rows = NULL;
    uint8_t id[16] = {0};
    unsigned byte;
    size_t i;
    OK(laps_vault_retire(vault, LAPS_TEXT("pc-3"), WHO));
    CHECK_STATUS(LAPS_STATUS_ALREADY_EXISTS, laps_vault_retire(vault, LAPS_TEXT("pc-3"), WHO));
    CHECK(strstr(laps_last_error(), "device pc-3 (account Admin) is retired already, since ") != NULL);
    OK(laps_metadata_show(metadata, LAPS_TEXT("pc-3"), &rows));
    CHECK(is(rows, 0, LAPS_FIELD_STATE, "retired"));
    laps_rows_free(rows);
    OK(laps_vault_re_enrol(vault, LAPS_TEXT("pc-3"), WHO));
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_vault_re_enrol(vault, LAPS_TEXT("pc-3"), WHO));
    CHECK_STATUS(LAPS_STATUS_CONFIRMATION_REQUIRED, laps_vault_purge(vault, LAPS_TEXT("pc-3"), false, WHO));
    OK(laps_vault_purge(vault, LAPS_TEXT("pc-3"), true, WHO));
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_metadata_history(metadata, LAPS_TEXT("pc-3"), &rows));
    OK(laps_metadata_history(metadata, LAPS_TEXT("pc-1"), &rows));
    for (i = 0; i < 16; i++) {
        CHECK(sscanf(laps_rows_text(rows, 2, LAPS_FIELD_RECORD) + 2 * i, "%2x", &byte) == 1);
        id[i] = (uint8_t)byte;
    }
    laps_rows_free(rows);
    CHECK_STATUS(LAPS_STATUS_CONFIRMATION_REQUIRED, laps_vault_remove_record(vault, LAPS_TEXT("pc-1"), id, false, WHO));
    OK(laps_vault_remove_record(vault, LAPS_TEXT("pc-1"), id, true, WHO));
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_vault_remove_record(vault, LAPS_TEXT("pc-1"), id, true, WHO));
    OK(laps_metadata_history(metadata, LAPS_TEXT("pc-1"), &rows));
    CHECK(laps_rows_count(rows) == 2);
    laps_rows_free(rows);
}

static void a_file_has_scopes_that_do_not_see_each_other(void) {
    laps_vault *tenant = NULL;
    laps_rows *rows = NULL;
    OK(laps_vault_open(LAPS_TEXT(PATH), LAPS_TEXT("tenant"), &tenant));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_vault_initialise(tenant, NULL, 0, WHO));
    OK(laps_vault_initialise(tenant, (const laps_reader *const *)&reader, 1, WHO));
    CHECK_STATUS(LAPS_STATUS_ALREADY_EXISTS,
                 laps_vault_initialise(tenant, (const laps_reader *const *)&reader, 1, WHO));
    OK(laps_vault_readers(tenant, &rows));
    CHECK(laps_rows_count(rows) == 1);
    laps_rows_free(rows);
    OK(laps_vault_readers(vault, &rows));
    CHECK(laps_rows_count(rows) > 1);
    laps_rows_free(rows);
    laps_vault_free(tenant);
}

static void the_trail_names_who_why_and_from_where(void) {
    laps_rows *trail = NULL;
    char head[128];
    size_t len = 0, last;
    uint64_t entries = 0;
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_vault_set_context(vault, LAPS_TEXT("a\nb")));
    OK(laps_vault_set_context(vault, LAPS_TEXT("portal, host web-1, process 42")));
    OK(laps_vault_retire(vault, LAPS_TEXT("pc-2"), WHO));
    OK(laps_vault_audit_head(vault, head, sizeof head, &len));
    OK(laps_vault_audit_entries(vault, 0, 1000, &trail));
    last = laps_rows_count(trail) - 1;
    CHECK(laps_rows_number(trail, last, LAPS_FIELD_NUMBER) == last + 1);
    CHECK(is(trail, last, LAPS_FIELD_ACTOR, "anna") && is(trail, last, LAPS_FIELD_REASON, "ticket 4711"));
    CHECK(is(trail, last, LAPS_FIELD_CONTEXT, "portal, host web-1, process 42"));
    CHECK(is(trail, last, LAPS_FIELD_ACTION, "retired") && is(trail, last, LAPS_FIELD_DEVICE, "pc-2"));
    CHECK(strstr(head, laps_rows_text(trail, last, LAPS_FIELD_HASH)) != NULL);
    laps_rows_free(trail);
    OK(laps_vault_re_enrol(vault, LAPS_TEXT("pc-2"), WHO));
    OK(laps_vault_audit_verify(vault, head, len, &entries));
    CHECK(entries == last + 2);
    OK(laps_vault_audit_entries(vault, last, 1, &trail));
    CHECK(laps_rows_count(trail) == 1 && laps_rows_number(trail, 0, LAPS_FIELD_NUMBER) == last + 1);
    laps_rows_free(trail);
    /* A clock that was set back: the entry says so, also at the beginning of a page. */
    OK(laps_vault_retire(vault, LAPS_TEXT("pc-2"), LAPS_TEXT("anna"), LAPS_TEXT("ticket 4711"), now - 60));
    OK(laps_vault_re_enrol(vault, LAPS_TEXT("pc-2"), WHO));
    OK(laps_vault_audit_entries(vault, last + 2, 2, &trail));
    CHECK(laps_rows_number(trail, 0, LAPS_FIELD_EARLIER) == 1 && laps_rows_number(trail, 1, LAPS_FIELD_EARLIER) == 0);
    laps_rows_free(trail);
    OK(laps_vault_set_context(vault, NULL, 0));
}

static void what_happened_is_kept_from_the_first_question_on(void) {
    laps_reader *const removed = reader;
    laps_rows *rows = NULL;
    laps_disclosure *disclosure = NULL;
    uint64_t missed = 99, devices = 0, added = 0;
    size_t i, commits = 0;
    OK(laps_vault_order_all(vault, WHO, &devices));
    OK(laps_vault_observed(vault, &missed, &rows));
    CHECK(missed == 0 && laps_rows_count(rows) == 0 && laps_rows_next(rows) == NULL);
    laps_rows_free(rows);

    CHECK_STATUS(LAPS_STATUS_NOT_FOUND,
                 laps_vault_disclose(vault, LAPS_TEXT("pc-9"), LAPS_TEXT("anna"), LAPS_TEXT("look"), false, 0, now, &disclosure));
    OK(laps_vault_disclose(vault, LAPS_TEXT("pc-1"), LAPS_TEXT("anna"), LAPS_TEXT("look"), true, 0, now, &disclosure));
    OK(laps_vault_order_all(vault, WHO, &devices));
    OK(laps_vault_observed(vault, &missed, &rows));
    CHECK(missed == 0 && laps_rows_count(rows) == 3);
    CHECK(laps_rows_number(rows, 0, LAPS_FIELD_KIND) == LAPS_OBSERVED_REFUSED);
    CHECK(laps_rows_number(rows, 0, LAPS_FIELD_STATUS) == LAPS_STATUS_NOT_FOUND);
    CHECK(laps_rows_text(rows, 0, LAPS_FIELD_DEVICE) == NULL);
    CHECK(laps_rows_number(rows, 1, LAPS_FIELD_KIND) == LAPS_OBSERVED_DISCLOSED && is(rows, 1, LAPS_FIELD_DEVICE, "pc-1"));
    CHECK(laps_rows_number(rows, 1, LAPS_FIELD_COUNT) == laps_disclosure_count(disclosure));
    CHECK(laps_rows_number(rows, 2, LAPS_FIELD_KIND) == LAPS_OBSERVED_ORDERED);
    CHECK(laps_rows_number(rows, 2, LAPS_FIELD_COUNT) == devices);
    for (i = 0; i < 3; i++) CHECK(laps_rows_text(rows, i, LAPS_FIELD_ACTOR) == NULL);
    laps_rows_free(rows);
    laps_disclosure_free(disclosure);

    reader = second; /* the vault removed the other, and would order a rotation at once, again and again */
    rotate("pc-4");
    reader = removed;
    OK(laps_vault_observed(vault, &missed, &rows));
    CHECK(missed == 0 && laps_rows_count(rows) >= 2);
    for (i = 0; i < laps_rows_count(rows); i++) {
        CHECK(laps_rows_number(rows, i, LAPS_FIELD_KIND) == LAPS_OBSERVED_CHECK_IN && is(rows, i, LAPS_FIELD_DEVICE, "pc-4"));
        CHECK(laps_rows_number(rows, i, LAPS_FIELD_REFUSED) == 0);
        if (laps_rows_number(rows, i, LAPS_FIELD_COUNT) > 0) CHECK(laps_rows_number(rows, i, LAPS_FIELD_CHANGED) == 1);
        commits += laps_rows_number(rows, i, LAPS_FIELD_COMMIT) == LAPS_COMMIT_ACKNOWLEDGED;
        added += laps_rows_number(rows, i, LAPS_FIELD_COUNT);
    }
    CHECK(commits == 1 && added == 1); /* one record was added, and one committed */
    laps_rows_free(rows);

    OK(laps_vault_purge(vault, LAPS_TEXT("pc-4"), true, WHO)); /* what happens below knows two devices */
}

static void copies_and_exports_carry_what_the_vault_has(void) {
    laps_vault *restored = NULL, *other = NULL, *none = NULL;
    laps_rows *page = NULL, *rows = NULL;
    laps_metadata *seen = NULL;
    uint64_t devices = 0;
    uint8_t *bytes;
    size_t i, len = 0;

    remove_file(COPY);
    remove_file(PLACE);
    OK(laps_vault_back_up(vault, LAPS_TEXT(COPY), WHO));
    CHECK_STATUS(LAPS_STATUS_ALREADY_EXISTS, laps_vault_back_up(vault, LAPS_TEXT(COPY), WHO));
    CHECK_STATUS(LAPS_STATUS_ALREADY_EXISTS,
                 laps_vault_restore(LAPS_TEXT(COPY), LAPS_TEXT(PATH), NULL, 0, WHO, &none));
    CHECK(none == NULL && last_entry_is(LAPS_FIELD_ACTION, "refused"));
    OK(laps_vault_restore(LAPS_TEXT(COPY), LAPS_TEXT(PLACE), NULL, 0, WHO, &restored));
    OK(laps_vault_metadata(restored, &seen));
    laps_vault_free(restored);
    OK(laps_metadata_show(seen, LAPS_TEXT("pc-1"), &rows)); /* it lives on */
    laps_rows_free(rows);
    laps_metadata_free(seen);
    remove_file(PLACE);
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_vault_migrate(LAPS_TEXT(PATH), true, WHO)); /* it is of this schema */

    OK(laps_vault_export(vault, NULL, 0, 1000, WHO, &page));
    CHECK(laps_rows_count(page) == 2 && laps_rows_next(page) == NULL);
    for (i = 0; i < 2; i++) len += laps_rows_bytes_len(page, i);
    bytes = malloc(len);
    CHECK(bytes != NULL && len > 1000);
    for (i = 0, len = 0; i < 2; i++) {
        memcpy(bytes + len, laps_rows_bytes(page, i), laps_rows_bytes_len(page, i));
        len += laps_rows_bytes_len(page, i);
    }
    laps_rows_free(page);
    OK(laps_vault_init(LAPS_TEXT(PLACE), NULL, 0, (const laps_reader *const *)&second, 1, LAPS_TEXT("setup"), now, &other));
    CHECK(laps_vault_import(other, bytes, len - 1, WHO, &devices) != LAPS_STATUS_OK);
    OK(laps_vault_import(other, bytes, len, WHO, &devices));
    CHECK(devices == 2);
    CHECK_STATUS(LAPS_STATUS_ALREADY_EXISTS, laps_vault_import(other, bytes, len, WHO, &devices));
    CHECK(strstr(laps_last_error(), " (account Admin) is in this vault already") != NULL);
    free(bytes);
    laps_vault_free(other);
    remove_file(COPY);
    remove_file(PLACE);
}

static void the_oldest_of_what_happened_is_forgotten_and_counted(void) {
    enum { KEPT = 1024 };
    laps_bytes *message, *answer = NULL;
    laps_rows *rows = NULL;
    uint64_t missed = 0;
    size_t i;
    /* The first message of a device that nobody knows: nothing is stored for it, so this needs no sync. */
    message = first_message("pc-5");
    OK(laps_vault_observed(vault, &missed, &rows)); /* asked before: these are kept */
    laps_rows_free(rows);
    for (i = 0; i < KEPT + 2; i++) {
        OK(laps_vault_check_in(vault, LAPS_TEXT("pc-5"), laps_bytes_data(message), laps_bytes_len(message), now, &answer));
        laps_bytes_free(answer);
    }
    laps_bytes_free(message);
    OK(laps_vault_observed(vault, &missed, &rows));
    CHECK(missed == 2 && laps_rows_count(rows) == KEPT);
    CHECK(is(rows, 0, LAPS_FIELD_DEVICE, "pc-5") && laps_rows_number(rows, 0, LAPS_FIELD_CHANGED) == 0);
    laps_rows_free(rows);
}

/* Changes every copy of these bytes in the file of the vault, which nobody has open. */
static void damage(const uint8_t *bytes, size_t len) {
    FILE *file = fopen(PATH, "r+b");
    uint8_t *all;
    long size, at, found = 0;
    CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size = ftell(file);
    rewind(file);
    all = malloc((size_t)size);
    CHECK(all != NULL && fread(all, 1, (size_t)size, file) == (size_t)size);
    for (at = 0; at + (long)len <= size; at++) {
        if (memcmp(all + at, bytes, len) != 0) continue;
        CHECK(fseek(file, at, SEEK_SET) == 0 && fputc(bytes[0] ^ 1, file) != EOF);
        found++;
    }
    free(all);
    CHECK(fclose(file) == 0 && found > 0);
}

static void damaged_records_are_named_and_the_rest_is_given_out(void) {
    laps_disclosure *disclosure = NULL;
    laps_record *record = NULL;
    laps_rows *rows = NULL;
    uint8_t piece[48];
    size_t count, last;
    OK(laps_vault_disclose(vault, LAPS_TEXT("pc-1"), LAPS_TEXT("anna"), LAPS_TEXT("look"), true, 0, now, &disclosure));
    count = laps_disclosure_count(disclosure);
    CHECK(count > 1);
    OK(laps_disclosure_record(disclosure, count - 1, &record));
    memcpy(piece, laps_record_bytes(record) + laps_record_len(record) - sizeof piece, sizeof piece);
    laps_record_free(record);
    laps_disclosure_free(disclosure);
    laps_metadata_free(metadata);
    laps_vault_free(vault);
    damage(piece, sizeof piece);
    OK(laps_vault_open(LAPS_TEXT(PATH), NULL, 0, &vault));
    OK(laps_vault_metadata(vault, &metadata));

    OK(laps_vault_disclose(vault, LAPS_TEXT("pc-1"), LAPS_TEXT("anna"), LAPS_TEXT("look"), true, 0, now, &disclosure));
    CHECK(laps_disclosure_count(disclosure) == count - 1);
    OK(laps_disclosure_damaged(disclosure, &rows));
    CHECK(laps_rows_count(rows) == 1 && is(rows, 0, LAPS_FIELD_DEVICE, "pc-1"));
    CHECK(laps_rows_number(rows, 0, LAPS_FIELD_DAMAGED) == 1 && strlen(laps_rows_text(rows, 0, LAPS_FIELD_RECORD)) == 32);
    laps_rows_free(rows);
    laps_disclosure_free(disclosure);

    OK(laps_vault_add_reader(vault, reader, WHO));
    OK(laps_vault_resealing(vault, NULL, 0, 1000, WHO, &rows));
    last = laps_rows_count(rows) - 1;
    CHECK(last > 0 && laps_rows_number(rows, 0, LAPS_FIELD_DAMAGED) == 0 && laps_rows_bytes_len(rows, 0) > 0);
    CHECK(is(rows, last, LAPS_FIELD_DEVICE, "pc-1") && laps_rows_number(rows, last, LAPS_FIELD_DAMAGED) == 1);
    CHECK(strlen(laps_rows_text(rows, last, LAPS_FIELD_RECORD)) == 32 && laps_rows_bytes(rows, last) == NULL);
    laps_rows_free(rows);
}

void test_vault(void) {
    static const char document[] = "{\"BackupDirectory\":1,\"AdministratorAccountName\":\"Admin\"}";
    OK(laps_generator_new(&generator));
    OK(laps_policy_read((const uint8_t *)document, sizeof document - 1, &policy));
    OK(laps_policy_recipe(policy, &recipe));
    OK(laps_reader_key_new(generator, LAPS_SUITE_X25519, LAPS_TEXT("help desk"), &key));
    OK(laps_reader_key_reader(key, &reader));
    OK(laps_reader_key_new(generator, LAPS_SUITE_X25519, LAPS_TEXT("auditor"), &second_key));
    OK(laps_reader_key_reader(second_key, &second));
    open_vault();
    devices_are_listed_in_pages_and_shown();
    history_names_its_readers_and_has_no_content();
    orders_are_for_all_for_the_overdue_and_for_what_somebody_saw();
    many_check_ins_are_answered_each_for_itself();
    records_are_sealed_anew_where_the_key_is();
    readers_come_and_go_and_records_are_sealed_anew();
    devices_are_retired_brought_back_and_purged();
    a_file_has_scopes_that_do_not_see_each_other();
    the_trail_names_who_why_and_from_where();
    what_happened_is_kept_from_the_first_question_on();
    copies_and_exports_carry_what_the_vault_has();
    the_oldest_of_what_happened_is_forgotten_and_counted();
    damaged_records_are_named_and_the_rest_is_given_out();
    close_vault();
    laps_reader_free(second);
    laps_reader_key_free(second_key);
    laps_reader_free(reader);
    laps_reader_key_free(key);
    laps_recipe_free(recipe);
    laps_policy_free(policy);
    laps_generator_free(generator);
}

#else

void test_vault(void) {
}

#endif
