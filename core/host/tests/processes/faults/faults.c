/* Makes calls on the files of one folder fail: the n-th that writes, reads, syncs or cuts, and those behind it if asked for.
   Loaded into a test with LD_PRELOAD; the test finds the three functions below by name. Threads may work at the same time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { WRITE = 1, SYNC = 2, READ = 4, CUT = 8 };
enum how {
    NOTHING, /* nothing is done: EIO */
    FULL,    /* nothing is done: ENOSPC */
    SHORT,   /* the first half is written, and the next call finds the disk full */
    TORN,    /* the first half is written, and EIO is said */
    STALE    /* nothing is done: ESTALE, which is of the connection and not of the disk */
};

static char folder[4096];
static int kind, how, for_ever;
static long at;
/* Of every thread. */
static _Atomic int armed, paused, met, full_next;
static _Atomic long seen;

void laps_fault_arm(const char *path, int a_kind, int a_how, long number, int again) {
    snprintf(folder, sizeof folder, "%s/", path);
    kind = a_kind, how = a_how, at = number, for_ever = again;
    paused = 0;
    met = 0;
    full_next = 0;
    seen = 0;
    armed = 1;
}

void laps_fault_pause(int pause) { paused = pause; }

/* How many calls of the kind there were; negative when the fault was not met. */
long laps_fault_disarm(void) {
    armed = 0;
    return met ? seen : -seen;
}

static int fails(int fd, int this) {
    char name[64], path[4096];
    if (!armed || paused || kind != this) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder)) != 0) return 0;
    if (seen++ == at) {
        met = 1;
        return 1;
    }
    return met && (for_ever || full_next);
}

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

static ssize_t refuse(int error) {
    errno = error;
    return -1;
}

#define WRITES(name, offset_type) \
    ssize_t name(int fd, const void *bytes, size_t count, offset_type offset) { \
        REAL(ssize_t, name, int, const void *, size_t, offset_type); \
        if (!fails(fd, WRITE)) return real(fd, bytes, count, offset); \
        if (how == FULL || full_next) { \
            full_next = for_ever; \
            return refuse(ENOSPC); \
        } \
        if (how == NOTHING) return refuse(EIO); \
        ssize_t written = real(fd, bytes, count / 2, offset); \
        if (how == TORN) return refuse(EIO); \
        full_next = 1; \
        return written > 0 ? written : refuse(ENOSPC); \
    }
WRITES(pwrite, off_t)
WRITES(pwrite64, off64_t)

#define READS(name, offset_type) \
    ssize_t name(int fd, void *bytes, size_t count, offset_type offset) { \
        REAL(ssize_t, name, int, void *, size_t, offset_type); \
        return fails(fd, READ) ? refuse(how == STALE ? ESTALE : EIO) : real(fd, bytes, count, offset); \
    }
READS(pread, off_t)
READS(pread64, off64_t)

#define CUTS(name, offset_type) \
    int name(int fd, offset_type length) { \
        REAL(int, name, int, offset_type); \
        return fails(fd, CUT) ? (int)refuse(EIO) : real(fd, length); \
    }
CUTS(ftruncate, off_t)
CUTS(ftruncate64, off64_t)

/* No power fails in this test, so a sync that succeeds need not wait for the disk. */
int fsync(int fd) { return fails(fd, SYNC) ? (int)refuse(EIO) : 0; }
int fdatasync(int fd) { return fails(fd, SYNC) ? (int)refuse(EIO) : 0; }
