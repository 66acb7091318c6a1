/* The accounts of a machine for a loop of the program's own: an account store by its name, here a program. */
#ifndef _WIN32
#define _DEFAULT_SOURCE
#endif
#include "check.h"

#ifndef _WIN32
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#define LOCK "account_store.lock"
#ifdef _WIN32
#define STORE "windows"
#else
#define STORE "command:./account_store.sh"
#endif

static laps_account_store *opened(const char *store) {
    laps_account_store *accounts = NULL;
    OK(laps_account_store_open(store, strlen(store), LAPS_TEXT(LOCK), 5, &accounts));
    return accounts;
}

static void what_is_no_store_is_refused(void) {
    laps_account_store *none = NULL;
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_account_store_open(LAPS_TEXT("ldap"), LAPS_TEXT(LOCK), 5, &none));
    CHECK(strstr(laps_last_error(), "ldap") != NULL);
    CHECK_STATUS(LAPS_STATUS_IO, laps_account_store_open(LAPS_TEXT(STORE), LAPS_TEXT("no/such/folder"), 5, &none));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_account_store_open(LAPS_TEXT(STORE), LAPS_TEXT(LOCK), 0, &none));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT,
                 laps_account_store_open(LAPS_TEXT(STORE), LAPS_TEXT(LOCK), 1000000001, &none));
    CHECK(strstr(laps_last_error(), "1 to 1000000000") != NULL && none == NULL);
}

static void an_account_is_found_first(void) {
    laps_account_store *accounts = opened(STORE);
    laps_password *password = NULL;
    uint32_t answer = 77, seen = 77;
    uint64_t at = 77;
    uint8_t stamp[32];
    OK(laps_password_from_utf8(LAPS_TEXT("correct horse"), &password));
    CHECK(laps_account_store_account(accounts) == NULL && laps_account_store_sid(accounts) == NULL);
    CHECK_STATUS(LAPS_STATUS_UNEXPECTED_EVENT, laps_account_store_set(accounts, password, &answer));
    CHECK_STATUS(LAPS_STATUS_UNEXPECTED_EVENT, laps_account_store_verify(accounts, password, &answer));
    CHECK_STATUS(LAPS_STATUS_UNEXPECTED_EVENT, laps_account_store_act(accounts, LAPS_ACTION_SIGN_OUT, &answer));
    CHECK_STATUS(LAPS_STATUS_UNEXPECTED_EVENT, laps_account_store_used_since(accounts, 0, &at));
    CHECK_STATUS(LAPS_STATUS_UNEXPECTED_EVENT, laps_account_store_change_stamp(accounts, stamp));
    CHECK(!laps_account_store_can_verify(accounts, password) && answer == 77 && at == 77);
    CHECK(strcmp(laps_account_store_reason(accounts), "") == 0);
    /* A name that no machine has; which a store refuses is not found either. */
    OK(laps_account_store_find(accounts, LAPS_TEXT("lapstest-nobody"), &seen));
#ifdef _WIN32
    /* Wine does not list accounts, and what cannot be looked up is not missing. */
    CHECK(seen == LAPS_ACCOUNT_MISSING || seen == LAPS_ACCOUNT_UNKNOWN);
#else
    CHECK(seen == LAPS_ACCOUNT_MISSING);
#endif
    CHECK(laps_account_store_account(accounts) == NULL);
    CHECK(strlen(laps_account_store_reason(accounts)) > 0);
    laps_password_free(password);
    laps_account_store_free(accounts);
}

#ifndef _WIN32

/* A program that knows the account "Admin": its password is in a file, and the first line of another says how it answers. */
static const char program[] = "#!/bin/sh\n"
                              "verb=$1 account=$2\n"
                              "[ \"$account\" = Admin ] || exit 12\n"
                              "answer=$(cat account_store.answer)\n"
                              "[ \"$answer\" = 0 ] || exit \"$answer\"\n"
                              "case $verb in\n"
                              "    exists) ;;\n"
                              "    set) cat > account_store.password ;;\n"
                              "    verify) [ \"$(cat)\" = \"$(cat account_store.password)\" ] || exit 13 ;;\n"
                              "    used-since) echo 2023-11-14T22:13:20Z ;;\n"
                              "    sign-out) echo \"$account\" > account_store.signed-out ;;\n"
                              "    *) exit 11 ;;\n"
                              "esac\n";

static void write_text(const char *path, const char *text) {
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(text, 1, strlen(text), file) == strlen(text) && fclose(file) == 0);
}

static int file_is(const char *path, const char *text) {
    char found[64];
    FILE *file = fopen(path, "rb");
    size_t len;
    if (file == NULL) return 0;
    len = fread(found, 1, sizeof found, file);
    fclose(file);
    return len == strlen(text) && memcmp(found, text, len) == 0;
}

static uint32_t set(laps_account_store *accounts, const laps_password *password, const char *answer) {
    uint32_t applied = 0;
    write_text("account_store.answer", answer);
    OK(laps_account_store_set(accounts, password, &applied));
    CHECK((applied == LAPS_APPLIED_SUCCESS) == (strcmp(laps_account_store_reason(accounts), "") == 0));
    CHECK(strstr(laps_account_store_reason(accounts), "correct horse") == NULL);
    return applied;
}

static uint32_t verified(laps_account_store *accounts, const laps_password *password) {
    uint32_t answer = 0;
    OK(laps_account_store_verify(accounts, password, &answer));
    CHECK((answer == LAPS_VERIFIED_UNAVAILABLE) == (strcmp(laps_account_store_reason(accounts), "") != 0));
    return answer;
}

static uint32_t acted(laps_account_store *accounts, uint32_t action) {
    uint32_t answer = 0;
    OK(laps_account_store_act(accounts, action, &answer));
    return answer;
}

static void a_program_does_what_a_loop_asks(void) {
    laps_account_store *accounts = opened(STORE);
    laps_password *first = NULL, *second = NULL;
    uint32_t seen = 0, answer = 77;
    uint64_t at = 0;
    uint8_t stamp[32] = {7};
    OK(laps_password_from_utf8(LAPS_TEXT("correct horse"), &first));
    OK(laps_password_from_utf8(LAPS_TEXT("battery staple"), &second));
    CHECK(laps_account_store_abilities(accounts) ==
          (LAPS_ABILITY_VERIFY | LAPS_ABILITY_USED_SINCE | LAPS_ABILITY_SIGN_OUT | LAPS_ABILITY_TERMINATE |
           LAPS_ABILITY_RESTART));
    write_text("account_store.answer", "0");
    OK(laps_account_store_find(accounts, LAPS_TEXT("Admin"), &seen));
    CHECK(seen == LAPS_ACCOUNT_PRESENT && strcmp(laps_account_store_account(accounts), "Admin") == 0);
    CHECK(strcmp(laps_account_store_sid(accounts), "") == 0 && strcmp(laps_account_store_reason(accounts), "") == 0);

    CHECK(set(accounts, first, "0") == LAPS_APPLIED_SUCCESS && file_is("account_store.password", "correct horse"));
    CHECK(verified(accounts, first) == LAPS_VERIFIED_MATCH && verified(accounts, second) == LAPS_VERIFIED_MISMATCH);
    CHECK(laps_account_store_can_verify(accounts, second));
    OK(laps_account_store_used_since(accounts, 1700000000, &at));
    CHECK(at == 1700000000);
    OK(laps_account_store_used_since(accounts, 1700000001, &at));
    CHECK(at == 0);
    CHECK(acted(accounts, LAPS_ACTION_SIGN_OUT) == LAPS_ACTED_DONE && file_is("account_store.signed-out", "Admin\n"));
    CHECK(acted(accounts, LAPS_ACTION_RESTART) == LAPS_ACTED_NOT_SUPPORTED);
    CHECK(acted(accounts, LAPS_ACTION_WARN_SIGN_OUT) == LAPS_ACTED_NOT_SUPPORTED);
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_account_store_act(accounts, 6, &answer));
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND, laps_account_store_change_stamp(accounts, stamp));
    CHECK(answer == 77 && stamp[0] == 7);

    CHECK(set(accounts, second, "10") == LAPS_APPLIED_REFUSED && set(accounts, second, "12") == LAPS_APPLIED_NOT_FOUND);
    CHECK(set(accounts, second, "9") == LAPS_APPLIED_FAILED && set(accounts, second, "11") == LAPS_APPLIED_FAILED);
    CHECK(file_is("account_store.password", "correct horse"));
    CHECK(!laps_account_store_can_verify(accounts, second)); /* 11 is "cannot" */
    CHECK(verified(accounts, first) == LAPS_VERIFIED_UNAVAILABLE);
    write_text("account_store.answer", "9");
    CHECK(verified(accounts, first) == LAPS_VERIFIED_UNAVAILABLE && acted(accounts, LAPS_ACTION_SIGN_OUT) == LAPS_ACTED_FAILED);
    at = 77;
    CHECK_STATUS(LAPS_STATUS_ACCOUNT_FAILED, laps_account_store_used_since(accounts, 0, &at));
    CHECK(at == 77 && strlen(laps_account_store_reason(accounts)) > 0);

    /* An account that is gone is let go; a blank name is none that a program knows. */
    write_text("account_store.answer", "0");
    OK(laps_account_store_find(accounts, LAPS_TEXT("Gone"), &seen));
    CHECK(seen == LAPS_ACCOUNT_MISSING && laps_account_store_account(accounts) == NULL);
    CHECK_STATUS(LAPS_STATUS_UNEXPECTED_EVENT, laps_account_store_set(accounts, second, &answer));
    OK(laps_account_store_find(accounts, NULL, 0, &seen));
    CHECK(seen == LAPS_ACCOUNT_UNKNOWN && strstr(laps_account_store_reason(accounts), "name the account") != NULL);
    CHECK(file_is("account_store.password", "correct horse"));

    laps_password_free(second);
    laps_password_free(first);
    laps_account_store_free(accounts);
}

/* It belongs to the process that opened it: a child that goes on with it could set a password while its parent does. */
static void another_process_is_refused(void) {
    laps_account_store *accounts = opened(STORE);
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        uint32_t seen = 77;
        /* A child that exits would be searched for leaks, and still has what its parent has. */
        if (laps_account_store_find(accounts, LAPS_TEXT("Admin"), &seen) == LAPS_STATUS_INVALID_ARGUMENT && seen == 77)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    laps_account_store_free(accounts);
}

#ifdef LAPS_AGENT
/* Six seconds: in one build only. */
static void the_lock_is_held_by_one(void) {
    laps_account_store *accounts = opened(STORE), *other = NULL;
    CHECK_STATUS(LAPS_STATUS_BUSY, laps_account_store_open(LAPS_TEXT(STORE), LAPS_TEXT(LOCK), 1, &other));
    CHECK(other == NULL);
    laps_account_store_free(accounts);
    laps_account_store_free(opened(STORE));
}
#endif
#endif

void test_account_store(void) {
#ifndef _WIN32
    write_text("account_store.sh", program);
    CHECK(chmod("account_store.sh", 0700) == 0);
    write_text("account_store.answer", "0");
#endif
    what_is_no_store_is_refused();
    an_account_is_found_first();
#ifndef _WIN32
    a_program_does_what_a_loop_asks();
    another_process_is_refused();
#ifdef LAPS_AGENT
    the_lock_is_held_by_one();
#endif
#endif
}
