/* One run of a device agent: whatever is due is done, step by step, and no crash on the way loses the password.
 *
 *   agent POLICY STATE DEVICE ACCOUNT READER VAULT [FILE]
 *
 * POLICY is a policy document, STATE the file for the rotation's state, READER a reader's line of text, VAULT a vault
 * file that stands for your server: put your transport into exchange(). With FILE the "account" is a file that holds the
 * password, for trying it out; without it the password of a local account is set (Linux: chpasswd; Windows:
 * NetUserSetInfo). Exit status: 0 nothing due or committed, 8 a rotation was due and is not committed.
 *
 * What a product adds: a lock, so that one agent runs at a time; waiting for a setter of an earlier run to end before the
 * stamp is read; uses of the account (laps_rotation_handle_used).
 */
#ifdef _WIN32
#define UNICODE
#include <windows.h>
#include <lm.h>
#else
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <laps.h>

static const char *program_state, *device, *account, *password_file;
static laps_generator *generator;
static laps_vault *vault;

static void check(laps_status status, const char *what) {
    if (status != LAPS_STATUS_OK) {
        fprintf(stderr, "agent: %s: %s\n", what, laps_last_error());
        exit(1);
    }
}

static uint64_t now(void) {
    return (uint64_t)time(NULL);
}

/* A whole file; its length, or -1 when it is not there. */
static long read_file(const char *path, uint8_t *bytes, size_t size) {
    FILE *file = fopen(path, "rb");
    size_t len;
    if (file == NULL) return -1;
    len = fread(bytes, 1, size, file);
    fclose(file);
    return (long)len;
}

/* Durable, or as it was before: a temporary file, synced, renamed. */
static int write_file(const char *path, const uint8_t *bytes, size_t len) {
    char temporary[1024];
    snprintf(temporary, sizeof temporary, "%s.new", path);
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
        int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600), folder, good;
        char *slash, parent[1024];
        if (file < 0) return 0;
        good = write(file, bytes, len) == (ssize_t)len && fsync(file) == 0;
        close(file);
        if (!good || rename(temporary, path) != 0) return 0;
        snprintf(parent, sizeof parent, "%s", path);
        slash = strrchr(parent, '/');
        if (slash != NULL) slash[1] = '\0';
        folder = open(slash != NULL ? parent : ".", O_RDONLY);
        good = folder >= 0 && fsync(folder) == 0;
        if (folder >= 0) close(folder);
        return good;
    }
#endif
}

/* Brings a check-in to the vault and its answer back. Your transport goes here; it authenticates the device. */
static laps_status exchange(const laps_bytes *message, laps_bytes **answer) {
    return laps_vault_check_in(vault, device, strlen(device), laps_bytes_data(message), laps_bytes_len(message), now(),
                               answer);
}

/* Sets the password; what is not certainly a success is a failure. */
static uint32_t set_password(const laps_password *password) {
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    size_t len = 0;
    uint32_t outcome = LAPS_APPLIED_FAILED;
    if (laps_password_copy_utf8(password, text, sizeof text, &len) != LAPS_STATUS_OK) return outcome;
    if (password_file != NULL) {
        if (write_file(password_file, (const uint8_t *)text, len)) outcome = LAPS_APPLIED_SUCCESS;
    } else {
#ifdef _WIN32
        WCHAR name[257], units[LAPS_PASSWORD_MAX_LEN + 1];
        USER_INFO_1003 info;
        NET_API_STATUS status;
        info.usri1003_password = units;
        if (MultiByteToWideChar(CP_UTF8, 0, account, -1, name, 257) > 0 &&
            laps_password_copy_utf16(password, (uint16_t *)units, LAPS_PASSWORD_MAX_LEN + 1, &len) == LAPS_STATUS_OK) {
            status = NetUserSetInfo(NULL, name, 1003, (LPBYTE)&info, NULL);
            outcome = status == NERR_Success            ? LAPS_APPLIED_SUCCESS
                      : status == NERR_PasswordTooShort ? LAPS_APPLIED_REFUSED
                      : status == NERR_UserNotFound     ? LAPS_APPLIED_NOT_FOUND
                                                        : LAPS_APPLIED_FAILED;
        }
        laps_wipe(units, sizeof units);
#else
        FILE *setter;
        signal(SIGPIPE, SIG_IGN);
        setter = popen("chpasswd", "w"); /* on its standard input: arguments can be seen by everybody */
        if (setter != NULL) {
            setvbuf(setter, NULL, _IONBF, 0); /* no copy in a buffer */
            fprintf(setter, "%s:%s\n", account, text);
            if (pclose(setter) == 0) outcome = LAPS_APPLIED_SUCCESS;
        }
#endif
    }
    laps_wipe(text, sizeof text);
    return outcome;
}

/* Whether the account holds the password. */
static uint32_t ask_account(const laps_password *password) {
    if (password_file != NULL) {
        uint8_t held[LAPS_PASSWORD_MAX_LEN];
        laps_password *other = NULL;
        long len = read_file(password_file, held, sizeof held);
        uint32_t answer = LAPS_VERIFIED_UNAVAILABLE;
        if (len >= 0 && laps_password_from_utf8((const char *)held, (size_t)len, &other) == LAPS_STATUS_OK)
            answer = laps_password_equal(password, other) ? LAPS_VERIFIED_MATCH : LAPS_VERIFIED_MISMATCH;
        laps_password_free(other);
        laps_wipe(held, sizeof held);
        return answer;
    }
#ifdef _WIN32
    {
        WCHAR name[257], units[LAPS_PASSWORD_MAX_LEN + 1];
        HANDLE token = NULL;
        size_t len = 0;
        uint32_t answer = LAPS_VERIFIED_UNAVAILABLE;
        if (MultiByteToWideChar(CP_UTF8, 0, account, -1, name, 257) > 0 &&
            laps_password_copy_utf16(password, (uint16_t *)units, LAPS_PASSWORD_MAX_LEN + 1, &len) == LAPS_STATUS_OK) {
            if (LogonUserW(name, L".", units, LOGON32_LOGON_NETWORK, LOGON32_PROVIDER_DEFAULT, &token)) {
                CloseHandle(token);
                answer = LAPS_VERIFIED_MATCH;
            } else if (GetLastError() == ERROR_LOGON_FAILURE) {
                answer = LAPS_VERIFIED_MISMATCH;
            }
        }
        laps_wipe(units, sizeof units);
        return answer;
    }
#else
    return LAPS_VERIFIED_UNAVAILABLE; /* never asked: main() says that it cannot; a product compares with the shadow hash */
#endif
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
        fprintf(stderr, "agent: %s\n", laps_last_error());
        check(laps_rotation_handle_check_in_failed(rotation, generator, now()), "check-in");
    }
    laps_bytes_free(answer);
    laps_bytes_free(message);
}

static void save(laps_rotation *rotation) {
    laps_bytes *state = NULL;
    check(laps_rotation_state(rotation, &state), "state");
    if (write_file(program_state, laps_bytes_data(state), laps_bytes_len(state)))
        check(laps_rotation_handle_saved(rotation), "state");
    else
        check(laps_rotation_handle_save_failed(rotation, generator, now()), "state");
    laps_bytes_free(state);
}

/* Does what is wished until there is only waiting left. */
static void run(laps_rotation *rotation, const laps_recipe *recipe, const laps_reader *reader) {
    for (;;) {
        uint32_t wish = 0;
        uint64_t with = 0;
        show_events(rotation);
        check(laps_rotation_poll(rotation, &wish, &with), "poll");
        switch (wish) {
        case LAPS_WISH_SAVE: save(rotation); break;
        case LAPS_WISH_CHECK_IN: check_in(rotation); break;
        case LAPS_WISH_PREPARE:
            if (laps_rotation_prepare(rotation, generator, recipe, &reader, 1, NULL, now()) != LAPS_STATUS_OK)
                fprintf(stderr, "agent: %s\n", laps_last_error()); /* the rotation knows, and waits */
            break;
        case LAPS_WISH_READ_STAMP: check(laps_rotation_handle_stamp(rotation, NULL, now()), "stamp"); break;
        case LAPS_WISH_APPLY:
            check(laps_rotation_handle_applied(rotation, set_password(laps_rotation_password(rotation)), generator,
                                               now()),
                  "apply");
            break;
        case LAPS_WISH_VERIFY:
            check(laps_rotation_handle_verified(rotation, ask_account(laps_rotation_password(rotation)), generator,
                                                now()),
                  "verify");
            break;
        case LAPS_WISH_ACT: check(laps_rotation_handle_acted(rotation, LAPS_ACTED_NOT_SUPPORTED, now()), "act"); break;
        default: return; /* LAPS_WISH_WAIT: a single run ends here */
        }
    }
}

int main(int argc, char **argv) {
    static uint8_t bytes[1048576];
    laps_policy *policy = NULL;
    laps_recipe *recipe = NULL;
    laps_reader *reader = NULL;
    laps_config *config = NULL;
    laps_rotation *rotation = NULL;
    laps_status status = LAPS_STATUS_JOURNAL_MALFORMED;
    long len;
    int due;

    if (argc < 7 || argc > 8) {
        fprintf(stderr, "usage: agent POLICY STATE DEVICE ACCOUNT READER VAULT [FILE]\n");
        return 2;
    }
    program_state = argv[2];
    device = argv[3];
    account = argv[4];
    password_file = argc == 8 ? argv[7] : NULL;

    len = read_file(argv[1], bytes, sizeof bytes);
    check(laps_policy_read(bytes, len < 0 ? 0 : (size_t)len, &policy), argv[1]);
    check(laps_policy_recipe(policy, &recipe), argv[1]);
    len = read_file(argv[5], bytes, sizeof bytes);
    check(laps_reader_parse((const char *)bytes, len < 0 ? 0 : (size_t)len, &reader), argv[5]);
    check(laps_generator_new(&generator), "generator");
    check(laps_vault_open(argv[6], strlen(argv[6]), NULL, 0, &vault), argv[6]);
    check(laps_config_new(policy, device, strlen(device), account, strlen(account), &config), "configuration");
#ifndef _WIN32
    if (password_file == NULL) check(laps_config_set_can_verify(config, false), "configuration");
#endif

    len = read_file(program_state, bytes, sizeof bytes);
    if (len >= 0) status = laps_rotation_resume(config, bytes, (size_t)len, NULL, now(), &rotation);
    if (status == LAPS_STATUS_JOURNAL_MALFORMED) status = laps_rotation_new(config, now(), &rotation);
    check(status, program_state);

    check(laps_rotation_skip_back_off(rotation, now()), "start");
    run(rotation, recipe, reader);
    due = laps_rotation_is_due(rotation);

    laps_rotation_free(rotation);
    laps_config_free(config);
    laps_vault_free(vault);
    laps_generator_free(generator);
    laps_reader_free(reader);
    laps_recipe_free(recipe);
    laps_policy_free(policy);
    return due ? 8 : 0;
}
