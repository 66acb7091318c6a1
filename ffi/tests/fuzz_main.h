/* The sequences of the program made by fuzz_calls.py. */

/* Random calls alone rarely get a rotation far: this does what one wishes. */
static void step(int reach_vault) {
    laps_rotation *rotation;
    laps_bytes *bytes = NULL, *answer = NULL;
    laps_event *event = NULL;
    const laps_reader *reader = f.laps_reader;
    uint32_t wish = 0;
    uint64_t with = 0, now = 1700000000 + rnd(100);
    size_t at = (size_t)rnd(SLOTS), tries;
    laps_test_panic(-1);
    for (tries = 0; tries < SLOTS && pool[T_laps_rotation][at].object == NULL; tries++) at = (at + 1) % SLOTS;
    rotation = pool[T_laps_rotation][at].object;
    if (rotation == NULL || pool[T_laps_rotation][at].poisoned || clean_poisoned[T_laps_generator] ||
        clean_poisoned[T_laps_recipe] || clean_poisoned[T_laps_reader] || clean_poisoned[T_laps_vault])
        return;
    OK(laps_rotation_poll(rotation, &wish, &with));
    switch (wish) {
    case LAPS_WISH_SAVE:
        OK(laps_rotation_state(rotation, &bytes));
        OK(laps_rotation_handle_saved(rotation));
        break;
    case LAPS_WISH_CHECK_IN:
        OK(laps_rotation_check_in(rotation, f.laps_generator, &bytes));
        if (reach_vault && laps_vault_check_in(f.laps_vault, LAPS_TEXT("pc-17"), laps_bytes_data(bytes),
                                                laps_bytes_len(bytes), now, &answer) == LAPS_STATUS_OK) {
            remember(laps_bytes_data(answer), laps_bytes_len(answer));
            touched += (uint64_t)laps_rotation_handle_answer(rotation, laps_bytes_data(answer), laps_bytes_len(answer),
                                                             f.laps_generator, now);
        } else {
            OK(laps_rotation_handle_check_in_failed(rotation, f.laps_generator, now));
        }
        break;
    case LAPS_WISH_LOOK_UP:
        OK(laps_rotation_handle_account(rotation, 1 + (uint32_t)rnd(3), NULL, now));
        break;
    case LAPS_WISH_PREPARE:
        touched += (uint64_t)laps_rotation_prepare(rotation, f.laps_generator, f.laps_recipe, &reader, 1, NULL, now);
        break;
    case LAPS_WISH_READ_STAMP: /* refused when its time is over; then the next poll has to say what is next */
        touched += (uint64_t)laps_rotation_handle_stamp(rotation, NULL, now);
        OK(laps_rotation_poll(rotation, &wish, &with));
        break;
    case LAPS_WISH_APPLY:
        CHECK(laps_password_len(laps_rotation_password(rotation)) > 0);
        OK(laps_rotation_handle_applied(rotation, 1 + (uint32_t)rnd(6), f.laps_generator, now));
        break;
    case LAPS_WISH_VERIFY:
        OK(laps_rotation_handle_verified(rotation, 1 + (uint32_t)rnd(3), f.laps_generator, now));
        break;
    case LAPS_WISH_ACT: OK(laps_rotation_handle_acted(rotation, 1 + (uint32_t)rnd(3), now)); break;
    default: OK(laps_rotation_handle_timeout(rotation, with + rnd(2))); break;
    }
    if (rnd(3) == 0 && laps_rotation_poll_event(rotation, &event) == LAPS_STATUS_OK) keep(T_laps_event, &event);
    if (bytes != NULL) remember(laps_bytes_data(bytes), laps_bytes_len(bytes));
    laps_bytes_free(bytes);
    laps_bytes_free(answer);
}

/* A clean object of every type that has none, or whose object saw a panic. */
static void clean_up(void) {
    int type, new_vault = clean_poisoned[T_laps_vault] || rnd(2000) == 0;
    laps_test_panic(-1);
    for (type = TYPES - 1; type >= 0; type--)
        /* Another file in the vault's place: who still has the old one open is told so at every call. */
        if (clean_poisoned[type] || changes[type] || (new_vault && (type == T_laps_vault || type == T_laps_metadata))) {
            end[type](*clean[type]);
            *clean[type] = NULL;
            clean_poisoned[type] = 0;
        }
    for (type = 0; type < TYPES; type++)
        if (*clean[type] == NULL) {
            if (type == T_laps_vault && f.laps_vault == NULL) remove("contract.vault");
            make[type]();
        }
}

#define FUZZ LAPS_TEXT("fuzz"), LAPS_TEXT("a test"), 1700000000

/* A device whose password comes from another directory: taken in, sealed anew, and carried out of the vault and back. */
static void adopt(void) {
    laps_foreign *foreign = NULL;
    laps_adoptable *wanted = NULL;
    laps_rows *rows = NULL;
    const laps_reader *reader = f.laps_reader;
    char name[16];
    size_t position = 0;
    uint64_t count = 0;
    uint32_t ordered = 9;
    snprintf(name, sizeof name, "fz-%u", (unsigned)rnd(1000));
    OK(laps_foreign_new(&foreign));
    OK(laps_foreign_add(foreign, LAPS_TEXT("Admin"), NULL, 0, 1600000000 + rnd(1000)));
    OK(laps_vault_adoptable(f.laps_vault, name, strlen(name), foreign, &wanted));
    if (laps_adoptable_count(wanted) == 1) {
        laps_header *header = NULL;
        laps_record *record = NULL;
        OK(laps_adoptable_header(wanted, 0, &position, &header));
        OK(laps_record_seal(header, f.laps_password, &reader, 1, f.laps_generator, &record));
        /* Random calls may have changed the readers; then it is refused. */
        touched += (uint64_t)laps_vault_adopt(f.laps_vault, name, strlen(name), (const laps_record *const *)&record, 1,
                                              1700000000, rnd(2), FUZZ, &count);
        keep(T_laps_header, &header);
        keep(T_laps_record, &record);
    }
    keep(T_laps_foreign, &foreign);
    keep(T_laps_adoptable, &wanted);
    if (laps_vault_is_ordered(f.laps_vault, name, strlen(name), &ordered) != LAPS_STATUS_OK) return;
    CHECK(ordered <= 1);
    OK(laps_vault_export(f.laps_vault, NULL, 0, 1, FUZZ, &rows));
    if (laps_rows_bytes_len(rows, 0) > 0) {
        const char *first = laps_rows_next(rows);
        OK(laps_vault_purge(f.laps_vault, first, strlen(first), true, FUZZ));
        OK(laps_vault_import_watched(f.laps_vault, laps_rows_bytes(rows, 0), laps_rows_bytes_len(rows, 0), FUZZ, told,
                                     &told_calls, &count));
        CHECK(count == 1);
    }
    keep(T_laps_rows, &rows);
}

static void sequence(void) {
    size_t left = 1 + (size_t)rnd(30), slot;
    int type;
    clean_up();
    if (rnd(4) == 0) { /* a rotation of its own, some steps on its way */
        laps_rotation *rotation = NULL;
        int reach_vault = rnd(16) == 0;
        size_t steps = (size_t)rnd(reach_vault ? 14 : 4);
        OK(laps_rotation_new(f.laps_config, 1700000000, &rotation));
        keep(T_laps_rotation, &rotation);
        while (steps-- > 0) step(reach_vault);
    }
    if (rnd(512) == 0) adopt();
    if (rnd(32) == 0) { /* a record that the key at hand opens */
        laps_reader *reader = NULL;
        laps_record *record = NULL;
        OK(laps_reader_key_reader(f.laps_reader_key, &reader));
        OK(laps_record_seal(f.laps_header, f.laps_password, (const laps_reader *const *)&reader, 1, f.laps_generator,
                            &record));
        keep(T_laps_reader, &reader);
        keep(T_laps_record, &record);
    }
    while (left-- > 0) {
        size_t call = (size_t)rnd(CALLS);
        if (rnd(8) == 0)
            step(rnd(200) == 0);
        else if (rnd(calls[call].rare) == 0)
            calls[call].call();
    }
    laps_test_panic(-1);
    for (type = 0; type < TYPES; type++) /* also what is poisoned */
        for (slot = 0; slot < SLOTS; slot++) {
            end[type](pool[type][slot].object);
            pool[type][slot].object = NULL;
        }
}

int main(int argc, char **argv) {
    unsigned long long count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000, done;
    int type;
    if (argc > 1 && strcmp(argv[1], "overrun") == 0) { /* the library writes beside a block: this has to be a finding */
        clean_up();
        touched += (uint64_t)laps_header_id(f.laps_header, block(15));
        return 0;
    }
    random_state = (argc > 2 ? strtoull(argv[2], NULL, 10) : 0) * 2 + 1;
    for (done = 0; done < count; done++) sequence();
    laps_test_panic(-1);
    for (type = TYPES - 1; type >= 0; type--) end[type](*clean[type]);
    for (type = 0; type < CALLS; type++)
        if (calls[type].fails && succeeded[type] == 0) printf("never succeeded: %s\n", calls[type].name);
    memset(blobs, 0, sizeof blobs);
    printf("%llu sequences, %llu calls of %d functions: %llu failed as they must, %llu panics forced, %llu met a poisoned "
           "object; no finding (%llu)\n",
           count, (unsigned long long)made_calls, CALLS, (unsigned long long)failed_calls, (unsigned long long)panics,
           (unsigned long long)poisoned_calls, (unsigned long long)touched);
    return 0;
}
