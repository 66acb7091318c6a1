/* Threads that share objects, and a child that goes on after a fork. POSIX. */
#define _DEFAULT_SOURCE /* syscall() */
#include "check.h"

#ifndef _WIN32

#include <pthread.h>
#include <signal.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 200 };

static laps_recipe *recipe;
static laps_password *shared;
static int failures[THREADS];

static void *work(void *number) {
    int *failed = number, i;
    laps_generator *generator = NULL;
    if (laps_generator_new(&generator) != LAPS_STATUS_OK) ++*failed;
    for (i = 0; i < ROUNDS; i++) {
        laps_password *password = NULL;
        char message[64];
        if (laps_generator_password(generator, recipe, &password) != LAPS_STATUS_OK) ++*failed;
        if (laps_password_equal(password, shared) || laps_password_len(shared) != 6) ++*failed;
        laps_password_free(password);
        /* The last error belongs to this thread. */
        snprintf(message, sizeof message, "complexity %d is outside 1 to 8", 100 + (int)(failed - failures));
        if (laps_recipe_new((uint8_t)(100 + (failed - failures)), 14, NULL) != LAPS_STATUS_NULL_ARGUMENT) ++*failed;
        if (laps_recipe_new((uint8_t)(100 + (failed - failures)), 14, &(laps_recipe *){NULL}) == LAPS_STATUS_OK)
            ++*failed;
        if (strcmp(laps_last_error(), message) != 0) ++*failed;
    }
    laps_generator_free(generator);
    return NULL;
}

static void threads_share_what_is_const(void) {
    pthread_t threads[THREADS];
    int i;
    OK(laps_recipe_new(4, 14, &recipe));
    OK(laps_password_from_utf8(LAPS_TEXT("shared"), &shared));
    for (i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, &failures[i]) == 0);
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(failures[i] == 0);
    }
    laps_password_free(shared);
    laps_recipe_free(recipe);
}

static void after_a_fork_parent_and_child_make_different_passwords(void) {
    laps_generator *generator = NULL;
    laps_recipe *any = NULL;
    laps_password *ours = NULL, *theirs = NULL;
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    size_t len = 0;
    int pipes[2], status = 1;
    ssize_t got;
    pid_t child;

    OK(laps_generator_new(&generator));
    OK(laps_recipe_new(4, 14, &any));
    OK(laps_generator_password(generator, any, &ours)); /* so that random bytes lie ready */
    laps_password_free(ours);
    CHECK(pipe(pipes) == 0);
    child = fork();
    CHECK(child >= 0);
    OK(laps_generator_password(generator, any, &ours));
    OK(laps_password_copy_utf8(ours, text, sizeof text, &len));
    if (child == 0) _exit(write(pipes[1], text, len) == (ssize_t)len ? 0 : 1); /* what was read tells */
    close(pipes[1]);
    got = read(pipes[0], text, sizeof text);
    close(pipes[0]);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(got == 14);
    OK(laps_password_from_utf8(text, 14, &theirs));
    CHECK(!laps_password_equal(ours, theirs));
    laps_wipe(text, sizeof text);
    laps_password_free(theirs);
    laps_password_free(ours);
    laps_recipe_free(any);
    laps_generator_free(generator);
}

#if defined(__linux__) && !defined(LAPS_AGENT)

enum { NOW = 1700000000 };

/* What both processes draw from copies of one generator. */
struct drawn {
    uint8_t copied[16], id[16], public_key[32], body[177], resealed[177];
    char password[LAPS_PASSWORD_MAX_LEN + 1];
};

static laps_reader_key *key;
static laps_reader *reader;
static laps_record *first;

/* The password that a rotation is about to set on the account, with a vault of this process. */
static void rotate(laps_generator *generator, const char *path, struct drawn *drawn) {
    static const char text[] = "{\"BackupDirectory\":1,\"AdministratorAccountName\":\"Admin\"}";
    static const char *const beside[] = {"", "-wal", "-shm"};
    laps_policy *policy = NULL;
    laps_recipe *any = NULL;
    laps_config *config = NULL;
    laps_vault *vault = NULL;
    laps_rotation *rotation = NULL;
    uint32_t wish = 0;
    uint64_t with = 0;
    size_t i, len = 0;
    char name[64];

    OK(laps_policy_read((const uint8_t *)text, sizeof text - 1, &policy));
    OK(laps_policy_recipe(policy, &any));
    OK(laps_vault_init(path, strlen(path), NULL, 0, (const laps_reader *const *)&reader, 1, LAPS_TEXT("setup"), NOW,
                       &vault));
    OK(laps_config_new(policy, LAPS_TEXT("pc-17"), LAPS_TEXT("Admin"), &config));
    OK(laps_rotation_new(config, NOW, &rotation));
    for (;;) {
        laps_bytes *bytes = NULL, *answer = NULL;
        OK(laps_rotation_poll(rotation, &wish, &with));
        if (wish == LAPS_WISH_APPLY) break;
        switch (wish) {
        case LAPS_WISH_SAVE:
            OK(laps_rotation_state(rotation, &bytes));
            OK(laps_rotation_handle_saved(rotation));
            break;
        case LAPS_WISH_LOOK_UP: OK(laps_rotation_handle_account(rotation, LAPS_ACCOUNT_PRESENT, NULL, NOW)); break;
        case LAPS_WISH_CHECK_IN:
            OK(laps_rotation_check_in(rotation, generator, &bytes));
            OK(laps_vault_check_in(vault, LAPS_TEXT("pc-17"), laps_bytes_data(bytes), laps_bytes_len(bytes), NOW,
                                   &answer));
            OK(laps_rotation_handle_answer(rotation, laps_bytes_data(answer), laps_bytes_len(answer), generator, NOW));
            break;
        case LAPS_WISH_PREPARE:
            OK(laps_rotation_prepare(rotation, generator, any, (const laps_reader *const *)&reader, 1, NULL, NOW));
            break;
        default:
            CHECK(wish == LAPS_WISH_READ_STAMP);
            OK(laps_rotation_handle_stamp(rotation, NULL, NOW));
        }
        laps_bytes_free(answer);
        laps_bytes_free(bytes);
    }
    OK(laps_password_copy_utf8(laps_rotation_password(rotation), drawn->password, sizeof drawn->password, &len));
    laps_rotation_free(rotation);
    laps_config_free(config);
    laps_vault_free(vault);
    laps_recipe_free(any);
    laps_policy_free(policy);
    for (i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, beside[i]);
        remove(name);
    }
}

static void body_of(const laps_record *record, uint8_t *body) {
    memcpy(body, laps_record_bytes(record) + laps_record_len(record) - 177, 177);
}

static void draw(laps_generator *generator, const char *path, struct drawn *drawn) {
    laps_recipe *any = NULL;
    laps_password *password = NULL, *same = NULL;
    laps_header *header = NULL;
    laps_record *record = NULL, *again = NULL;
    laps_reader_key *other = NULL;
    laps_reader *public_half = NULL;
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    size_t len = 0;

    memset(drawn, 0, sizeof *drawn);
    /* A single password comes from the generator as it is: the copy is a true one. */
    OK(laps_recipe_new(4, 16, &any));
    OK(laps_generator_password(generator, any, &password));
    OK(laps_password_copy_utf8(password, text, sizeof text, &len));
    memcpy(drawn->copied, text, 16);
    OK(laps_reader_key_new(generator, LAPS_SUITE_X25519, LAPS_TEXT("r"), &other));
    OK(laps_reader_key_reader(other, &public_half));
    OK(laps_reader_id(public_half, drawn->public_key));
    OK(laps_header_new(generator, LAPS_TEXT("pc-17"), LAPS_TEXT("Admin"), &header));
    OK(laps_header_id(header, drawn->id));
    OK(laps_password_from_utf8(LAPS_TEXT("one password"), &same));
    OK(laps_record_seal(header, same, (const laps_reader *const *)&reader, 1, generator, &record));
    body_of(record, drawn->body);
    OK(laps_reader_key_reseal(key, first, (const laps_reader *const *)&reader, 1, generator, &again));
    body_of(again, drawn->resealed);
    rotate(generator, path, drawn);
    laps_record_free(again);
    laps_record_free(record);
    laps_password_free(same);
    laps_header_free(header);
    laps_reader_free(public_half);
    laps_reader_key_free(other);
    laps_password_free(password);
    laps_recipe_free(any);
}

/* A fork that the C library does not see: nobody tells this library. */
static void a_child_that_nobody_told_of_repeats_no_rotation_and_no_key(void) {
    laps_generator *generator = NULL;
    laps_header *header = NULL;
    laps_password *password = NULL;
    struct drawn ours, theirs;
    int pipes[2], status = 1;
    long child;

    OK(laps_generator_new(&generator));
    OK(laps_reader_key_new(generator, LAPS_SUITE_X25519, LAPS_TEXT("r"), &key));
    OK(laps_reader_key_reader(key, &reader));
    OK(laps_header_new(generator, LAPS_TEXT("pc-17"), LAPS_TEXT("Admin"), &header));
    OK(laps_password_from_utf8(LAPS_TEXT("one password"), &password));
    OK(laps_record_seal(header, password, (const laps_reader *const *)&reader, 1, generator, &first));
    remove("fork.ours");
    remove("fork.theirs");
    CHECK(pipe(pipes) == 0);
    child = syscall(SYS_clone, (unsigned long)SIGCHLD, 0, 0, 0, 0);
    CHECK(child >= 0);
    draw(generator, child == 0 ? "fork.theirs" : "fork.ours", &ours);
    laps_record_free(first);
    laps_password_free(password);
    laps_header_free(header);
    laps_reader_free(reader);
    laps_reader_key_free(key);
    laps_generator_free(generator);
    /* The child ends without a look at what its parent holds: a leak check would find all of it. */
    if (child == 0) {
        if (write(pipes[1], &ours, sizeof ours) == (ssize_t)sizeof ours) kill(getpid(), SIGKILL);
        _exit(1);
    }
    close(pipes[1]);
    CHECK(read(pipes[0], &theirs, sizeof theirs) == (ssize_t)sizeof theirs);
    close(pipes[0]);
    CHECK(waitpid((pid_t)child, &status, 0) == child && WIFSIGNALED(status));
    CHECK(memcmp(ours.copied, theirs.copied, sizeof ours.copied) == 0);
    CHECK(memcmp(ours.id, theirs.id, sizeof ours.id) != 0);
    CHECK(memcmp(ours.public_key, theirs.public_key, sizeof ours.public_key) != 0);
    CHECK(memcmp(ours.body, theirs.body, 16) != 0);
    CHECK(memcmp(ours.resealed, theirs.resealed, 16) != 0);
    CHECK(strlen(ours.password) > 7 && strcmp(ours.password, theirs.password) != 0);
    laps_wipe(&ours, sizeof ours);
    laps_wipe(&theirs, sizeof theirs);
}

#else

static void a_child_that_nobody_told_of_repeats_no_rotation_and_no_key(void) {
}

#endif

void test_process(void) {
    threads_share_what_is_const();
    after_a_fork_parent_and_child_make_different_passwords();
    a_child_that_nobody_told_of_repeats_no_rotation_and_no_key();
}

#else

void test_process(void) {
}

#endif
