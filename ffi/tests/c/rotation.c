/* A whole rotation, driven from C: a vault (in the full build), an account that is a string, crashes at every step. */
#include "check.h"

#ifndef LAPS_AGENT

enum { NOW = 1700000000, DAY = 86400 };

/* What survives a crash: the account, its change stamp, the state file, the vault. */
static struct {
    char account[LAPS_PASSWORD_MAX_LEN + 1];
    uint8_t stamp[32];
    uint8_t *state;
    size_t state_len;
    char path[256];
    laps_vault *vault;
    laps_reader_key *key;
    laps_reader *reader;
    laps_generator *generator;
    laps_policy *policy;
    laps_recipe *recipe;
    uint64_t now;
    int committed, events;
} world;

static laps_rotation *start(void) {
    laps_config *config = NULL;
    laps_rotation *rotation = NULL;
    OK(laps_config_new(world.policy, LAPS_TEXT("pc-17"), LAPS_TEXT("Admin"), &config));
    OK(laps_config_set_sid(config, LAPS_TEXT("S-1-5-21-1-2-3-500")));
    if (world.state == NULL)
        OK(laps_rotation_new(config, world.now, &rotation));
    else
        OK(laps_rotation_resume(config, world.state, world.state_len, world.stamp, world.now, &rotation));
    laps_config_free(config);
    return rotation;
}

static void check_in(laps_rotation *rotation) {
    laps_bytes *message = NULL, *answer = NULL;
    OK(laps_rotation_check_in(rotation, world.generator, &message));
    OK(laps_vault_check_in(world.vault, LAPS_TEXT("pc-17"), laps_bytes_data(message), laps_bytes_len(message),
                           world.now, &answer));
    OK(laps_rotation_handle_answer(rotation, laps_bytes_data(answer), laps_bytes_len(answer), world.generator,
                                   world.now));
    /* The same answer a second time is refused and changes nothing. */
    CHECK_STATUS(LAPS_STATUS_UNEXPECTED_EVENT,
                 laps_rotation_handle_answer(rotation, laps_bytes_data(answer), laps_bytes_len(answer),
                                             world.generator, world.now));
    laps_bytes_free(answer);
    laps_bytes_free(message);
}

static void save(laps_rotation *rotation) {
    laps_bytes *state = NULL;
    OK(laps_rotation_state(rotation, &state));
    free(world.state);
    world.state_len = laps_bytes_len(state);
    world.state = malloc(world.state_len);
    CHECK(world.state != NULL);
    memcpy(world.state, laps_bytes_data(state), world.state_len);
    laps_bytes_free(state);
    OK(laps_rotation_handle_saved(rotation));
}

static int holds(const laps_password *password) {
    laps_password *now = NULL;
    int same;
    OK(laps_password_from_utf8(world.account, strlen(world.account), &now));
    same = laps_password_equal(password, now);
    laps_password_free(now);
    return same;
}

/* Does what is wished until there is nothing to do, or until so many steps are done: then the power fails. */
static int run(int steps, uint32_t first_outcome) {
    laps_rotation *rotation = start();
    int step;

    for (step = 0; step < steps; step++) {
        uint32_t wish = 0;
        uint64_t with = 0;
        laps_event *event = NULL;
        size_t len = 0;

        while (laps_rotation_poll_event(rotation, &event) == LAPS_STATUS_OK) {
            CHECK(strlen(laps_event_name(event)) > 0 && strlen(laps_event_reason(event)) > 0);
            CHECK(laps_event_level(event) >= LAPS_LEVEL_INFORMATION && laps_event_at(event) <= world.now);
            if (strcmp(laps_event_name(event), "committed") == 0) {
                world.committed++;
                CHECK(laps_event_id(event) == 10029);
            }
            world.events++;
            laps_event_free(event);
        }
        OK(laps_rotation_poll(rotation, &wish, &with));
        switch (wish) {
        case LAPS_WISH_SAVE:
            save(rotation);
            break;
        case LAPS_WISH_LOOK_UP:
            OK(laps_rotation_handle_account(rotation, LAPS_ACCOUNT_PRESENT, world.stamp, world.now));
            OK(laps_rotation_handle_readers(rotation, (const laps_reader *const *)&world.reader, 1, world.now));
            break;
        case LAPS_WISH_CHECK_IN:
            check_in(rotation);
            break;
        case LAPS_WISH_PREPARE:
            OK(laps_rotation_prepare(rotation, world.generator, world.recipe,
                                     (const laps_reader *const *)&world.reader, 1, world.stamp, world.now));
            break;
        case LAPS_WISH_READ_STAMP:
            OK(laps_rotation_handle_stamp(rotation, world.stamp, world.now));
            break;
        case LAPS_WISH_APPLY:
            if (first_outcome == LAPS_APPLIED_SUCCESS) {
                OK(laps_password_copy_utf8(laps_rotation_password(rotation), world.account, sizeof world.account,
                                           &len));
                world.stamp[0]++;
            }
            OK(laps_rotation_handle_applied(rotation, first_outcome, world.generator, world.now));
            first_outcome = LAPS_APPLIED_SUCCESS;
            break;
        case LAPS_WISH_VERIFY: {
            const laps_password *password = laps_rotation_password(rotation);
            CHECK(password != NULL);
            OK(laps_rotation_handle_verified(rotation,
                                             holds(password) ? LAPS_VERIFIED_MATCH : LAPS_VERIFIED_MISMATCH,
                                             world.generator, world.now));
            break;
        }
        case LAPS_WISH_ACT:
            OK(laps_rotation_handle_acted(rotation, LAPS_ACTED_DONE, world.now));
            break;
        case LAPS_WISH_WAIT:
            CHECK(with > world.now);
            CHECK(laps_rotation_password(rotation) == NULL);
            laps_rotation_free(rotation);
            return 1;
        default:
            CHECK(0);
        }
    }
    laps_rotation_free(rotation);
    return 0;
}

/* Whether a reader finds the account's password among what the vault gives out. */
static int a_reader_can_get_it(void) {
    laps_disclosure *disclosure = NULL;
    size_t i, count;
    int found = 0;
    OK(laps_vault_disclose(world.vault, LAPS_TEXT("pc-17"), LAPS_TEXT("anna"), LAPS_TEXT("ticket 4711"), true, 0,
                           world.now, &disclosure));
    count = laps_disclosure_count(disclosure);
    for (i = 0; i < count; i++) {
        laps_record *record = NULL;
        laps_password *password = NULL;
        CHECK(laps_disclosure_state(disclosure, i) != 0);
        OK(laps_disclosure_record(disclosure, i, &record));
        OK(laps_reader_key_open(world.key, record, &password, NULL));
        found |= holds(password);
        laps_password_free(password);
        laps_record_free(record);
    }
    CHECK(laps_disclosure_state(disclosure, i) == 0);
    CHECK(laps_disclosure_entry(disclosure) > 0 && strlen(laps_disclosure_head(disclosure)) > 64);
    laps_disclosure_free(disclosure);
    return found;
}

/* The vault's file, and what SQLite keeps beside it. */
static void remove_vault(void) {
    static const char *const beside[] = {"", "-wal", "-shm"};
    size_t i;
    for (i = 0; i < 3; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s%s", world.path, beside[i]);
        remove(path);
    }
}

static void open_world(const char *name) {
    static const char policy[] = "{\"BackupDirectory\":1,\"AdministratorAccountName\":\"Admin\"}";
    const char *folder = getenv("TMPDIR");
    memset(&world, 0, sizeof world);
    world.now = NOW;
    if (folder == NULL) folder = ".";
    snprintf(world.path, sizeof world.path, "%s/%s", folder, name);
    remove_vault();
    OK(laps_generator_new(&world.generator));
    OK(laps_reader_key_new(world.generator, LAPS_SUITE_X_WING, LAPS_TEXT("help desk"), &world.key));
    OK(laps_reader_key_reader(world.key, &world.reader));
    OK(laps_policy_read((const uint8_t *)policy, sizeof policy - 1, &world.policy));
    OK(laps_policy_recipe(world.policy, &world.recipe));
    OK(laps_vault_init(world.path, strlen(world.path), NULL, 0, (const laps_reader *const *)&world.reader, 1,
                       LAPS_TEXT("setup"), world.now, &world.vault));
}

static void close_world(void) {
    laps_vault_free(world.vault);
    laps_recipe_free(world.recipe);
    laps_policy_free(world.policy);
    laps_reader_free(world.reader);
    laps_reader_key_free(world.key);
    laps_generator_free(world.generator);
    free(world.state);
    remove_vault();
}

static void an_order_makes_a_new_password_and_the_trail_tells_it(void) {
    char before[sizeof world.account];
    laps_vault *none = NULL;
    uint64_t entries = 0;

    open_world("rotation.vault");
    CHECK(run(100, LAPS_APPLIED_SUCCESS));
    CHECK(strlen(world.account) == 14 && world.committed == 1);
    CHECK(a_reader_can_get_it());

    memcpy(before, world.account, sizeof before);
    CHECK(run(100, LAPS_APPLIED_SUCCESS));
    CHECK(strcmp(before, world.account) == 0); /* nothing was due */
    OK(laps_vault_order_rotation(world.vault, LAPS_TEXT("pc-17"), LAPS_TEXT("anna"), LAPS_TEXT("after ticket 4711"),
                                 world.now));
    CHECK(run(100, LAPS_APPLIED_SUCCESS));
    CHECK(strcmp(before, world.account) != 0 && world.committed == 2);
    CHECK(a_reader_can_get_it());

    world.now += 31 * (uint64_t)DAY; /* its age */
    memcpy(before, world.account, sizeof before);
    CHECK(run(100, LAPS_APPLIED_SUCCESS));
    CHECK(strcmp(before, world.account) != 0 && world.committed == 3);

    OK(laps_vault_audit_verify(world.vault, NULL, 0, &entries));
    CHECK(entries >= 4);
    CHECK(laps_vault_audit_verify(world.vault, LAPS_TEXT("no head"), &entries) != LAPS_STATUS_OK);
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND,
                 laps_vault_order_rotation(world.vault, LAPS_TEXT("pc-18"), LAPS_TEXT("anna"), LAPS_TEXT("x"), NOW));
    CHECK(laps_vault_open(LAPS_TEXT("no/such/vault"), NULL, 0, &none) != LAPS_STATUS_OK);
    CHECK(none == NULL);
    close_world();
}

static void after_a_power_cut_at_every_step_a_reader_can_get_the_password(void) {
    int cut;
    for (cut = 1; cut < 40; cut++) {
        int done;
        open_world("crash.vault");
        CHECK(run(100, LAPS_APPLIED_SUCCESS));
        OK(laps_vault_order_rotation(world.vault, LAPS_TEXT("pc-17"), LAPS_TEXT("anna"), LAPS_TEXT("x"), world.now));
        done = run(cut, LAPS_APPLIED_SUCCESS);
        CHECK(a_reader_can_get_it());
        world.now += 2 * (uint64_t)DAY; /* whatever waits for a back-off */
        CHECK(run(100, LAPS_APPLIED_SUCCESS));
        CHECK(a_reader_can_get_it());
        close_world();
        if (done) break;
    }
    CHECK(cut > 8 && cut < 40);
}

static void a_setter_that_fails_or_refuses_loses_nothing(void) {
    uint32_t outcome;
    for (outcome = LAPS_APPLIED_SUCCESS; outcome <= LAPS_APPLIED_TIMED_OUT; outcome++) {
        open_world("setter.vault");
        CHECK(run(100, LAPS_APPLIED_SUCCESS));
        OK(laps_vault_order_rotation(world.vault, LAPS_TEXT("pc-17"), LAPS_TEXT("anna"), LAPS_TEXT("x"), world.now));
        run(100, outcome);
        CHECK(a_reader_can_get_it());
        world.now += DAY;
        run(100, LAPS_APPLIED_SUCCESS);
        CHECK(a_reader_can_get_it());
        CHECK(world.committed >= 2);
        close_world();
    }
}

static void what_was_not_wished_is_refused_and_changes_nothing(void) {
    laps_rotation *rotation, *none = NULL;
    laps_config *config = NULL;
    uint32_t wish = 0, again = 0;
    uint64_t with = 0;

    open_world("facts.vault");
    rotation = start();
    OK(laps_rotation_poll(rotation, &wish, &with));
    CHECK(laps_rotation_step(rotation) == LAPS_STATE_STARTING && laps_rotation_due(rotation) == 0);
    CHECK_STATUS(LAPS_STATUS_UNEXPECTED_EVENT,
                 laps_rotation_handle_applied(rotation, LAPS_APPLIED_SUCCESS, world.generator, NOW));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_rotation_handle_applied(rotation, 99, world.generator, NOW));
    CHECK(strcmp(laps_last_error(), "applied is 99; one of LAPS_APPLIED_* is accepted") == 0);
    CHECK_STATUS(LAPS_STATUS_UNEXPECTED_EVENT,
                 laps_rotation_handle_verified(rotation, LAPS_VERIFIED_MATCH, world.generator, NOW));
    CHECK_STATUS(LAPS_STATUS_UNEXPECTED_EVENT, laps_rotation_handle_acted(rotation, LAPS_ACTED_DONE, NOW));
    CHECK_STATUS(LAPS_STATUS_UNEXPECTED_EVENT, laps_rotation_handle_saved(rotation));
    CHECK_STATUS(LAPS_STATUS_UNEXPECTED_EVENT,
                 laps_rotation_prepare(rotation, world.generator, world.recipe,
                                       (const laps_reader *const *)&world.reader, 1, NULL, NOW));
    CHECK(laps_rotation_handle_answer(rotation, world.stamp, 32, world.generator, NOW) != LAPS_STATUS_OK);
    CHECK(laps_rotation_password(rotation) == NULL);
    OK(laps_rotation_poll(rotation, &again, &with));
    CHECK(wish == again);
    laps_rotation_free(rotation);

    OK(laps_config_new(world.policy, LAPS_TEXT("pc-17"), LAPS_TEXT("Admin"), &config));
    CHECK_STATUS(LAPS_STATUS_JOURNAL_MALFORMED,
                 laps_rotation_resume(config, (const uint8_t *)"laps", 4, NULL, NOW, &none));
    CHECK(run(100, LAPS_APPLIED_SUCCESS));
    world.state[20] ^= 1;
    CHECK_STATUS(LAPS_STATUS_JOURNAL_MALFORMED,
                 laps_rotation_resume(config, world.state, world.state_len, NULL, NOW, &none));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_config_set_check_in_seconds(config, 59));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_config_set_plaintext_seconds(config, 3601));
    CHECK(none == NULL);
    laps_config_free(config);
    close_world();
}

/* The device sleeps between the wish for a stamp and the stamp. */
static void a_password_that_lay_too_long_is_wiped_and_the_rotation_goes_on(void) {
    laps_rotation *rotation;
    uint32_t wish = 0;
    uint64_t with = 0;
    open_world("sleep.vault");
    rotation = start();
    while (wish != LAPS_WISH_READ_STAMP) {
        OK(laps_rotation_poll(rotation, &wish, &with));
        if (wish == LAPS_WISH_SAVE)
            save(rotation);
        else if (wish == LAPS_WISH_LOOK_UP)
            OK(laps_rotation_handle_account(rotation, LAPS_ACCOUNT_PRESENT, world.stamp, world.now));
        else if (wish == LAPS_WISH_CHECK_IN)
            check_in(rotation);
        else if (wish == LAPS_WISH_PREPARE)
            OK(laps_rotation_prepare(rotation, world.generator, world.recipe,
                                     (const laps_reader *const *)&world.reader, 1, world.stamp, world.now));
        else
            CHECK(wish == LAPS_WISH_READ_STAMP);
    }
    world.now += 3600; /* 900 are allowed */
    CHECK_STATUS(LAPS_STATUS_UNEXPECTED_EVENT, laps_rotation_handle_stamp(rotation, world.stamp, world.now));
    OK(laps_rotation_poll(rotation, &wish, &with));
    CHECK(wish != LAPS_WISH_APPLY && laps_rotation_password(rotation) == NULL);
    laps_rotation_free(rotation);
    CHECK(run(100, LAPS_APPLIED_SUCCESS) && a_reader_can_get_it());
    close_world();
}

void test_rotation(void) {
    an_order_makes_a_new_password_and_the_trail_tells_it();
    after_a_power_cut_at_every_step_a_reader_can_get_the_password();
    a_setter_that_fails_or_refuses_loses_nothing();
    what_was_not_wished_is_refused_and_changes_nothing();
    a_password_that_lay_too_long_is_wiped_and_the_rotation_goes_on();
}

#else

void test_rotation(void) {
}

#endif
