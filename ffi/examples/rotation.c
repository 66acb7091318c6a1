/* A device agent of your own steps, for those who do not take laps_agent (agent.c): whatever is due is done, and no crash on
 * the way loses the password.
 *
 *   rotation [--stay] POLICY STATE DEVICE ACCOUNT READER VAULT [FILE]
 *
 * POLICY is a policy document, STATE the file for the rotation's state, READER a reader's line of text, VAULT a vault
 * file that stands for your server: put your transport into exchange(). With FILE the "account" is a file that holds the
 * password, for trying it out; without it ACCOUNT is one of this machine (laps_account_store). Without --stay a single run
 * does what is due and ends: 0 nothing due or committed, 3 policy refused and none accepted before, 7 another agent runs,
 * 8 a rotation was due and is not committed.
 *
 * What a product adds: its readers from a signed set (laps_reader_set_verify), the account by the policy
 * (laps_policy_administrator_account_name), and its uses (laps_account_store_used_since, laps_rotation_handle_used).
 */
#ifndef _WIN32
#define _DEFAULT_SOURCE
#endif
#include "account.h"

static const char *policy_path, *state_path, *device, *account, *password_file;
static laps_generator *generator;
static laps_vault *vault;
static laps_policy *policy;
static laps_recipe *recipe;
static laps_reader *reader;
static laps_config *config;
static uint8_t bytes[1048576];

static void check(laps_status status, const char *what) {
    if (status != LAPS_STATUS_OK) {
        fprintf(stderr, "rotation: %s: %s\n", what, laps_last_error());
        exit(1);
    }
}

/* Brings a check-in to the vault and its answer back. Your transport goes here; it authenticates the device. */
static laps_status exchange(const laps_bytes *message, laps_bytes **answer) {
    return laps_vault_check_in(vault, device, strlen(device), laps_bytes_data(message), laps_bytes_len(message), now(),
                               answer);
}

/* Whether the policy of a file is in force now. A refused one is told, and changes nothing. */
static int take_policy(const char *path, int *out_changed) {
    laps_policy *read = NULL;
    laps_recipe *made = NULL;
    laps_config *configured = NULL;
    uint8_t old_hash[32], new_hash[32];
    long len = read_file(path, bytes, sizeof bytes);
    *out_changed = 0;
    if (len < 0) {
        fprintf(stderr, "rotation: %s cannot be read\n", path);
        return 0;
    }
    if (laps_policy_read(bytes, (size_t)len, &read) != LAPS_STATUS_OK ||
        laps_policy_recipe(read, &made) != LAPS_STATUS_OK ||
        laps_config_new(read, device, strlen(device), account, strlen(account), &configured) != LAPS_STATUS_OK) {
        fprintf(stderr, "rotation: %s: %s\n", path, laps_last_error());
        laps_recipe_free(made);
        laps_policy_free(read);
        return 0;
    }
    check(laps_config_set_can_verify(configured, accounts_can_be_asked()), path);
    if (*account_sid() != '\0') check(laps_config_set_sid(configured, account_sid(), strlen(account_sid())), path);
    check(laps_policy_hash(read, new_hash), path);
    if (policy != NULL) check(laps_policy_hash(policy, old_hash), path);
    *out_changed = policy == NULL || memcmp(old_hash, new_hash, sizeof new_hash) != 0;
    laps_config_free(config);
    laps_recipe_free(recipe);
    laps_policy_free(policy);
    config = configured;
    recipe = made;
    policy = read;
    return 1;
}

/* The policy of the file, or the last one that was accepted, which is kept beside the state. */
static int load_policy(int *out_changed) {
    char kept[1024];
    if (snprintf(kept, sizeof kept, "%s.policy", state_path) >= (int)sizeof kept) return 0;
    if (!take_policy(policy_path, out_changed)) return policy != NULL || take_policy(kept, out_changed);
    if (*out_changed) {
        long len = read_file(policy_path, bytes, sizeof bytes);
        if (len < 0 || !write_file(kept, bytes, (size_t)len)) fprintf(stderr, "rotation: %s cannot be written\n", kept);
    }
    return 1;
}

static void show_events(laps_rotation *rotation) {
    laps_event *event = NULL;
    while (laps_rotation_poll_event(rotation, &event) == LAPS_STATUS_OK) {
        printf("{\"time\":%llu,\"name\":\"%s\",\"id\":%u,\"version\":%llu,\"reason\":\"%s\"}\n",
               (unsigned long long)laps_event_at(event), laps_event_name(event), (unsigned)laps_event_id(event),
               (unsigned long long)laps_event_version(event), laps_event_reason(event));
        laps_event_free(event);
    }
    fflush(stdout);
}

static void check_in(laps_rotation *rotation) {
    laps_bytes *message = NULL, *answer = NULL;
    check(laps_rotation_check_in(rotation, generator, &message), "check-in");
    if (exchange(message, &answer) != LAPS_STATUS_OK ||
        laps_rotation_handle_answer(rotation, laps_bytes_data(answer), laps_bytes_len(answer), generator, now()) !=
            LAPS_STATUS_OK) {
        fprintf(stderr, "rotation: %s\n", laps_last_error());
        check(laps_rotation_handle_check_in_failed(rotation, generator, now()), "check-in");
    }
    laps_bytes_free(answer);
    laps_bytes_free(message);
}

static void save(laps_rotation *rotation) {
    laps_bytes *state = NULL;
    check(laps_rotation_state(rotation, &state), "state");
    if (write_file(state_path, laps_bytes_data(state), laps_bytes_len(state)))
        check(laps_rotation_handle_saved(rotation), "state");
    else
        check(laps_rotation_handle_save_failed(rotation, generator, now()), "state");
    laps_bytes_free(state);
}

static void stamp(laps_rotation *rotation) {
    uint8_t stamped[32];
    laps_status status = laps_rotation_handle_stamp(rotation, change_stamp(stamped), now());
    /* Unexpected: the device slept, and the password's time is over. The next wish says how it goes on. */
    if (status != LAPS_STATUS_UNEXPECTED_EVENT) check(status, "stamp");
}

/* Does what is wished until there is only waiting left; until when. */
static uint64_t run(laps_rotation *rotation) {
    for (;;) {
        const laps_reader *const readers[1] = {reader};
        uint8_t stamped[32];
        uint32_t wish = 0, seen;
        uint64_t with = 0;
        show_events(rotation);
        check(laps_rotation_poll(rotation, &wish, &with), "poll");
        switch (wish) {
        case LAPS_WISH_SAVE: save(rotation); break;
        case LAPS_WISH_LOOK_UP: /* these readers never change */
            seen = look_up(account);
            check(laps_rotation_handle_account(rotation, seen, seen == LAPS_ACCOUNT_PRESENT ? change_stamp(stamped) : NULL, now()),
                  "account");
            check(laps_rotation_handle_readers(rotation, readers, 1, now()), "readers");
            break;
        case LAPS_WISH_CHECK_IN: check_in(rotation); break;
        case LAPS_WISH_PREPARE:
            if (laps_rotation_prepare(rotation, generator, recipe, readers, 1, change_stamp(stamped), now()) !=
                LAPS_STATUS_OK)
                fprintf(stderr, "rotation: %s\n", laps_last_error()); /* the rotation knows, and waits */
            break;
        case LAPS_WISH_READ_STAMP: stamp(rotation); break;
        case LAPS_WISH_APPLY:
            check(laps_rotation_handle_applied(rotation, set_password(password_file, laps_rotation_password(rotation)),
                                               generator, now()),
                  "apply");
            break;
        case LAPS_WISH_VERIFY:
            check(laps_rotation_handle_verified(rotation, ask_account(password_file, laps_rotation_password(rotation)),
                                                generator, now()),
                  "verify");
            break;
        case LAPS_WISH_ACT: check(laps_rotation_handle_acted(rotation, act((uint32_t)with), now()), "act"); break;
        default: return with;
        }
    }
}

/* The rotation as it was written last. Only where no state was ever written, or it is damaged, it starts from nothing: a
 * state that is there and cannot be read is no reason to forget it. */
static laps_rotation *start(void) {
    laps_rotation *rotation = NULL;
    laps_status status = LAPS_STATUS_JOURNAL_MALFORMED;
    uint8_t stamped[32];
    FILE *there = fopen(state_path, "rb");
    if (there != NULL || errno != ENOENT) {
        long len;
        if (there != NULL) fclose(there);
        len = read_file(state_path, bytes, sizeof bytes);
        if (len < 0) {
            fprintf(stderr, "rotation: %s cannot be read\n", state_path);
            exit(1);
        }
        status = laps_rotation_resume(config, bytes, (size_t)len, change_stamp(stamped), now(), &rotation);
    }
    if (status == LAPS_STATUS_JOURNAL_MALFORMED) status = laps_rotation_new(config, now(), &rotation);
    check(status, state_path);
    return rotation;
}

int main(int argc, char **argv) {
    laps_rotation *rotation;
    int stay = argc > 1 && strcmp(argv[1], "--stay") == 0, due, changed;
    uint64_t until;
    long len;

    if (argc - stay < 7 || argc - stay > 8) {
        fprintf(stderr, "usage: rotation [--stay] POLICY STATE DEVICE ACCOUNT READER VAULT [FILE]\n");
        return 2;
    }
    argv += stay;
    policy_path = argv[1];
    state_path = argv[2];
    device = argv[3];
    account = argv[4];
    password_file = argc - stay == 8 ? argv[7] : NULL;

    if (!lock_state(state_path)) {
        fprintf(stderr, "rotation: another agent has %s\n", state_path);
        return 7;
    }
    if (password_file == NULL && !open_accounts(state_path)) {
        fprintf(stderr, "rotation: %s\n", laps_last_error());
        return 7;
    }
    look_up(account); /* its change stamp says what a run that was killed did */
    if (!load_policy(&changed)) return 3;
    len = read_file(argv[5], bytes, sizeof bytes);
    check(laps_reader_parse((const char *)bytes, len < 0 ? 0 : (size_t)len, &reader), argv[5]);
    check(laps_generator_new(&generator), "generator");
    check(laps_vault_open(argv[6], strlen(argv[6]), NULL, 0, &vault), argv[6]);

    rotation = start();
    if (!stay) check(laps_rotation_skip_back_off(rotation, now()), "start");
    until = run(rotation);
    while (stay) { /* a look at the policy every minute */
        wait_seconds(until <= now() ? 0 : until - now() < 60 ? (unsigned)(until - now()) : 60);
        if (load_policy(&changed) && changed) check(laps_rotation_handle_config(rotation, config, now()), policy_path);
        check(laps_rotation_handle_timeout(rotation, now()), "timeout");
        until = run(rotation);
    }
    due = laps_rotation_is_due(rotation);

    laps_rotation_free(rotation);
    laps_account_store_free(machine);
    laps_config_free(config);
    laps_vault_free(vault);
    laps_generator_free(generator);
    laps_reader_free(reader);
    laps_recipe_free(recipe);
    laps_policy_free(policy);
    return due ? 8 : 0;
}
