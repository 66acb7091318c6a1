/* An account store of your own, as laps_account_calls wants it: the "account" is a file that holds the password, for trying an
 * agent out. user is the path of the file.
 */
#ifndef ACCOUNT_FILE_H
#define ACCOUNT_FILE_H

#ifdef _WIN32
#include <windows.h>
#endif
#include <stdio.h>
#include <string.h>

#include <laps.h>

/* The account of the policy is there, whatever its name; a real store looks it up. */
static uint32_t file_find(void *user, const char *name, laps_accounts *accounts) {
    (void)user;
    return laps_accounts_add(accounts, name, strlen(name), NULL, 0, true) == LAPS_STATUS_OK ? LAPS_ACCOUNT_PRESENT
                                                                                            : LAPS_ACCOUNT_UNKNOWN;
}

/* The new file takes the place of the old one in one step, so that an agent that is killed leaves one of the two. */
static uint32_t file_set(void *user, const char *account, const laps_password *password) {
    char text[LAPS_PASSWORD_MAX_LEN + 1], path[1024];
    size_t len = 0;
    FILE *file = NULL;
    int good = snprintf(path, sizeof path, "%s.new", (const char *)user) < (int)sizeof path &&
               laps_password_copy_utf8(password, text, sizeof text, &len) == LAPS_STATUS_OK &&
               (file = fopen(path, "wb")) != NULL;
    (void)account;
    if (good) {
        setvbuf(file, NULL, _IONBF, 0); /* no copy in a buffer that nobody wipes */
        good = fwrite(text, 1, len, file) == len;
        good = fclose(file) == 0 && good;
#ifdef _WIN32
        good = good && MoveFileExA(path, (const char *)user, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
#else
        good = good && rename(path, (const char *)user) == 0;
#endif
    }
    laps_wipe(text, sizeof text);
    return good ? LAPS_APPLIED_SUCCESS : LAPS_APPLIED_FAILED;
}

static uint32_t file_verify(void *user, const char *account, const laps_password *password) {
    char text[LAPS_PASSWORD_MAX_LEN];
    uint32_t answer = LAPS_VERIFIED_UNAVAILABLE;
    laps_password *held = NULL;
    size_t len = 0;
    FILE *file = fopen((const char *)user, "rb");
    (void)account;
    if (file != NULL) {
        setvbuf(file, NULL, _IONBF, 0);
        len = fread(text, 1, sizeof text, file);
        fclose(file);
        if (laps_password_from_utf8(text, len, &held) == LAPS_STATUS_OK)
            answer = laps_password_equal(held, password) ? LAPS_VERIFIED_MATCH : LAPS_VERIFIED_MISMATCH;
    }
    laps_password_free(held);
    laps_wipe(text, sizeof text);
    return answer;
}

/* No change stamps, no uses, no actions. */
static const laps_account_calls account_file = {
    sizeof(laps_account_calls), file_find, file_set, file_verify, NULL, NULL, NULL,
};

#endif
