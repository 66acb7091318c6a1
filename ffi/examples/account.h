/* What the examples rotation.c and rotation.cpp do to the machine: files that survive a crash, a lock, an account's password.
 *
 * The account is a local one (Linux: chpasswd; Windows: NetUserSetInfo), or, for trying it out, a file that holds the
 * password.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#ifdef _WIN32
#ifndef UNICODE
#define UNICODE
#endif
#include <windows.h>
#include <lm.h>
#else
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

/* One agent at a time. The setter inherits the lock on Linux: an agent that was killed while one ran leaves the lock to it,
 * and the next agent waits until the account has stopped changing. 0 when it does not come free within a minute. */
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
        static int file = -1; /* inherited, so without O_CLOEXEC; it ends with the last process that has it */
        if (file < 0) file = open(path, O_RDWR | O_CREAT, 0600);
        if (file < 0) return 0;
        if (flock(file, LOCK_EX | LOCK_NB) == 0) return 1;
#endif
        wait_seconds(1);
    }
    return 0;
}

#ifdef _WIN32

/* The password as Windows takes it; units has room for LAPS_PASSWORD_MAX_LEN + 1. */
static int to_windows(const char *account, const laps_password *password, WCHAR *name, WCHAR *units) {
    size_t len = 0;
    return MultiByteToWideChar(CP_UTF8, 0, account, -1, name, 257) > 0 &&
           laps_password_copy_utf16(password, (uint16_t *)units, LAPS_PASSWORD_MAX_LEN + 1, &len) == LAPS_STATUS_OK;
}

/* What Windows answers when its own LAPS manages the account: the caller is not the one who may change it. */
#define MANAGED_BY_WINDOWS 0x21CE
#define MANAGED_BY_WINDOWS_TOO 0xC000A08B

static uint32_t set_local_account(const char *account, const laps_password *password) {
    WCHAR name[257], units[LAPS_PASSWORD_MAX_LEN + 1];
    uint32_t outcome = LAPS_APPLIED_FAILED;
    if (to_windows(account, password, name, units)) {
        USER_INFO_1003 info;
        info.usri1003_password = units;
        switch (NetUserSetInfo(NULL, name, 1003, (LPBYTE)&info, NULL)) {
        case NERR_Success: outcome = LAPS_APPLIED_SUCCESS; break;
        case NERR_PasswordTooShort: outcome = LAPS_APPLIED_REFUSED; break; /* any rule of the device's password policy */
        case NERR_UserNotFound: outcome = LAPS_APPLIED_NOT_FOUND; break;
        case MANAGED_BY_WINDOWS:
        case MANAGED_BY_WINDOWS_TOO: outcome = LAPS_APPLIED_MANAGED_ELSEWHERE; break;
        default: break;
        }
    }
    laps_wipe(units, sizeof units);
    return outcome;
}

static uint32_t ask_local_account(const char *account, const laps_password *password) {
    WCHAR name[257], units[LAPS_PASSWORD_MAX_LEN + 1];
    uint32_t answer = LAPS_VERIFIED_UNAVAILABLE;
    if (to_windows(account, password, name, units)) {
        HANDLE token = NULL;
        if (LogonUserW(name, L".", units, LOGON32_LOGON_NETWORK, LOGON32_PROVIDER_DEFAULT, &token)) {
            CloseHandle(token);
            answer = LAPS_VERIFIED_MATCH;
        } else {
            switch (GetLastError()) {
            case ERROR_LOGON_FAILURE: answer = LAPS_VERIFIED_MISMATCH; break;
            case ERROR_LOGON_TYPE_NOT_GRANTED: /* the password was looked at before */
            case ERROR_PASSWORD_EXPIRED:
            case ERROR_PASSWORD_MUST_CHANGE: answer = LAPS_VERIFIED_MATCH; break;
            default: break; /* disabled, locked, restricted: no answer */
            }
        }
    }
    laps_wipe(units, sizeof units);
    return answer;
}

static int local_accounts_can_be_asked(void) {
    return 1;
}

#else

/* chpasswd reads NAME:PASSWORD on its standard input: arguments can be seen by everybody. Half a minute is enough for it. */
static uint32_t set_local_account(const char *account, const laps_password *password) {
    char line[512];
    size_t len = strlen(account), at = 0, text_len = 0;
    int ends[2], status = 0, tries;
    uint32_t outcome = LAPS_APPLIED_FAILED;
    pid_t child;
    if (len == 0 || len > 64 || strpbrk(account, ":\n") != NULL) return LAPS_APPLIED_NOT_FOUND;
    memcpy(line, account, len);
    line[len++] = ':';
    if (laps_password_copy_utf8(password, line + len, LAPS_PASSWORD_MAX_LEN + 1, &text_len) != LAPS_STATUS_OK)
        return outcome;
    len += text_len;
    line[len++] = '\n';
    signal(SIGPIPE, SIG_IGN);
    if (pipe(ends) == 0) {
        child = fork();
        if (child == 0) {
            dup2(ends[0], 0);
            close(ends[0]);
            close(ends[1]);
            execl("/usr/sbin/chpasswd", "chpasswd", (char *)NULL);
            _exit(127);
        }
        close(ends[0]);
        while (child > 0 && at < len) {
            ssize_t written = write(ends[1], line + at, len - at);
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) break;
            at += (size_t)written;
        }
        close(ends[1]);
        for (tries = 0; child > 0 && tries < 3000; tries++) {
            const struct timespec moment = {0, 10000000};
            pid_t ended = waitpid(child, &status, WNOHANG);
            if (ended == child) {
                if (at == len && WIFEXITED(status) && WEXITSTATUS(status) == 0) outcome = LAPS_APPLIED_SUCCESS;
                child = 0;
                break;
            }
            nanosleep(&moment, NULL);
        }
        if (child > 0) { /* it must not change the account later */
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            outcome = LAPS_APPLIED_TIMED_OUT;
        }
    }
    laps_wipe(line, sizeof line);
    return outcome;
}

/* A product compares with the hash in /etc/shadow (crypt(3)); main() says that this one cannot. */
static uint32_t ask_local_account(const char *account, const laps_password *password) {
    (void)account;
    (void)password;
    return LAPS_VERIFIED_UNAVAILABLE;
}

static int local_accounts_can_be_asked(void) {
    return 0;
}

#endif

/* Sets the password: one of LAPS_APPLIED_*. What is not certainly a success is a failure. */
static uint32_t set_password(const char *account, const char *file, const laps_password *password) {
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    size_t len = 0;
    uint32_t outcome = LAPS_APPLIED_FAILED;
    if (file == NULL) return set_local_account(account, password);
    if (laps_password_copy_utf8(password, text, sizeof text, &len) == LAPS_STATUS_OK &&
        write_file(file, (const uint8_t *)text, len))
        outcome = LAPS_APPLIED_SUCCESS;
    laps_wipe(text, sizeof text);
    return outcome;
}

/* Whether the account holds the password: one of LAPS_VERIFIED_*. */
static uint32_t ask_account(const char *account, const char *file, const laps_password *password) {
    uint8_t held[LAPS_PASSWORD_MAX_LEN + 1];
    laps_password *other = NULL;
    uint32_t answer = LAPS_VERIFIED_UNAVAILABLE;
    long len;
    if (file == NULL) return ask_local_account(account, password);
    len = read_file(file, held, sizeof held);
    if (len >= 0 && laps_password_from_utf8((const char *)held, (size_t)len, &other) == LAPS_STATUS_OK)
        answer = laps_password_equal(password, other) ? LAPS_VERIFIED_MATCH : LAPS_VERIFIED_MISMATCH;
    laps_password_free(other);
    laps_wipe(held, sizeof held);
    return answer;
}

#endif
