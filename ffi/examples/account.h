/* What the examples rotation.c and rotation.cpp do to the machine: files that survive a crash, a lock, an account's password.
 *
 * The account is a local one, which laps_account_store knows, or, for trying it out, a file that holds the password.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <laps.h>

static uint64_t now(void) {
    return (uint64_t)time(NULL);
}

static void wait_seconds(unsigned seconds) {
#ifdef _WIN32
    Sleep(1000 * seconds);
#else
    sleep(seconds);
#endif
}

/* A whole file; its length, or -1 when it cannot be read or does not fit. */
static long read_file(const char *path, uint8_t *bytes, size_t size) {
    FILE *file = fopen(path, "rb");
    size_t len;
    if (file == NULL) return -1;
    setvbuf(file, NULL, _IONBF, 0); /* no copy in a buffer that nobody wipes */
    len = fread(bytes, 1, size, file);
    if (ferror(file) || len == size) len = (size_t)-1;
    fclose(file);
    return (long)len;
}

/* Durable, or as it was before: a temporary file, synced, renamed over the old one, the folder synced. */
static int write_file(const char *path, const uint8_t *bytes, size_t len) {
    char temporary[1024];
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary) return 0;
#ifdef _WIN32
    {
        DWORD written = 0;
        HANDLE file = CreateFileA(temporary, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
        int good;
        if (file == INVALID_HANDLE_VALUE) return 0;
        good = WriteFile(file, bytes, (DWORD)len, &written, NULL) && written == len && FlushFileBuffers(file);
        CloseHandle(file);
        return good && MoveFileExA(temporary, path, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
    }
#else
    {
        int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), folder, good = file >= 0;
        char parent[1024], *slash;
        while (good && len > 0) {
            ssize_t written = write(file, bytes, len);
            if (written < 0 && errno == EINTR) continue;
            good = written > 0;
            if (good) {
                bytes += written;
                len -= (size_t)written;
            }
        }
        good = good && fsync(file) == 0;
        if (file >= 0 && close(file) != 0) good = 0;
        if (!good || rename(temporary, path) != 0) return 0;
        snprintf(parent, sizeof parent, "%s", path);
        slash = strrchr(parent, '/');
        if (slash != NULL) slash[1] = '\0';
        folder = open(slash != NULL ? parent : ".", O_RDONLY | O_CLOEXEC);
        good = folder >= 0 && fsync(folder) == 0;
        if (folder >= 0) close(folder);
        return good;
    }
#endif
}

/* One agent at a time; the account store has a lock of its own. 0 when it does not come free within a minute. */
static int lock_state(const char *state) {
    char path[1024];
    int tries;
    if (snprintf(path, sizeof path, "%s.lock", state) >= (int)sizeof path) return 0;
    for (tries = 0; tries < 60; tries++) {
#ifdef _WIN32
        /* No sharing; never closed: it ends with the process. */
        if (CreateFileA(path, GENERIC_WRITE, 0, NULL, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL) != INVALID_HANDLE_VALUE)
            return 1;
        if (GetLastError() != ERROR_SHARING_VIOLATION) return 0;
#else
        static int file = -1; /* never closed: it ends with the process */
        if (file < 0) file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0) return 0;
        if (flock(file, LOCK_EX | LOCK_NB) == 0) return 1;
#endif
        wait_seconds(1);
    }
    return 0;
}

/* The accounts of this machine; NULL where the account is a file. */
static laps_account_store *machine;

/* The lock of whatever sets a password lies beside the state. */
static int open_accounts(const char *state) {
    static const char store[] =
#ifdef _WIN32
        "windows";
#else
        "linux";
#endif
    char path[1024];
    return snprintf(path, sizeof path, "%s.setter", state) < (int)sizeof path &&
           laps_account_store_open(store, sizeof store - 1, path, strlen(path), 30, &machine) == LAPS_STATUS_OK;
}

/* Looks the account up: one of LAPS_ACCOUNT_*. */
static uint32_t look_up(const char *account) {
    uint32_t seen = LAPS_ACCOUNT_UNKNOWN;
    if (machine == NULL) return LAPS_ACCOUNT_PRESENT;
    if (laps_account_store_find(machine, account, strlen(account), &seen) != LAPS_STATUS_OK) return LAPS_ACCOUNT_UNKNOWN;
    if (seen != LAPS_ACCOUNT_PRESENT) fprintf(stderr, "rotation: %s\n", laps_account_store_reason(machine));
    return seen;
}

/* The change stamp of the account that was found, in stamp; NULL where there is none, or it cannot be read. */
static const uint8_t *change_stamp(uint8_t stamp[32]) {
    return machine != NULL && laps_account_store_change_stamp(machine, stamp) == LAPS_STATUS_OK ? stamp : NULL;
}

/* Its security identifier; empty where it has none. */
static const char *account_sid(void) {
    const char *sid = machine == NULL ? NULL : laps_account_store_sid(machine);
    return sid == NULL ? "" : sid;
}

static int accounts_can_be_asked(void) {
    return machine == NULL || (laps_account_store_abilities(machine) & LAPS_ABILITY_VERIFY) != 0;
}

/* Does one of LAPS_ACTION_*: one of LAPS_ACTED_*. */
static uint32_t act(uint32_t action) {
    uint32_t acted = LAPS_ACTED_FAILED;
    if (machine == NULL) return LAPS_ACTED_NOT_SUPPORTED;
    return laps_account_store_act(machine, action, &acted) == LAPS_STATUS_OK ? acted : LAPS_ACTED_FAILED;
}

/* Sets the password: one of LAPS_APPLIED_*. What is not certainly a success is a failure. */
static uint32_t set_password(const char *file, const laps_password *password) {
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    size_t len = 0;
    uint32_t outcome = LAPS_APPLIED_FAILED;
    if (machine != NULL) {
        if (laps_account_store_set(machine, password, &outcome) != LAPS_STATUS_OK) return LAPS_APPLIED_FAILED;
        if (outcome != LAPS_APPLIED_SUCCESS) fprintf(stderr, "rotation: %s\n", laps_account_store_reason(machine));
        return outcome;
    }
    if (laps_password_copy_utf8(password, text, sizeof text, &len) == LAPS_STATUS_OK &&
        write_file(file, (const uint8_t *)text, len))
        outcome = LAPS_APPLIED_SUCCESS;
    laps_wipe(text, sizeof text);
    return outcome;
}

/* Whether the account holds the password: one of LAPS_VERIFIED_*. */
static uint32_t ask_account(const char *file, const laps_password *password) {
    uint8_t held[LAPS_PASSWORD_MAX_LEN + 1];
    laps_password *other = NULL;
    uint32_t answer = LAPS_VERIFIED_UNAVAILABLE;
    long len;
    if (machine != NULL)
        return laps_account_store_verify(machine, password, &answer) == LAPS_STATUS_OK ? answer : LAPS_VERIFIED_UNAVAILABLE;
    len = read_file(file, held, sizeof held);
    if (len >= 0 && laps_password_from_utf8((const char *)held, (size_t)len, &other) == LAPS_STATUS_OK)
        answer = laps_password_equal(password, other) ? LAPS_VERIFIED_MATCH : LAPS_VERIFIED_MISMATCH;
    laps_password_free(other);
    laps_wipe(held, sizeof held);
    return answer;
}

#endif
