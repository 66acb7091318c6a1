/* Writes down what a process does to the files of one folder: what it writes, cuts, syncs, makes, links, renames and removes, in
   order. Loaded into a test with LD_PRELOAD; the test finds the functions below by name. Threads may work at the same time, where
   no two of them change the same files at once. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char folder[4096];
static size_t folder_len;
static int out = -1;

/* One event: a letter, two numbers, bytes. In the order of this machine. */
static void put(char what, uint64_t a, uint64_t b, const void *bytes, uint32_t len) {
    static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
    char head[21];
    pthread_mutex_lock(&turn);
    head[0] = what;
    memcpy(head + 1, &a, 8);
    memcpy(head + 9, &b, 8);
    memcpy(head + 17, &len, 4);
    if (syscall(SYS_write, out, head, sizeof head) != sizeof head ||
        (len && syscall(SYS_write, out, bytes, len) != (long)len))
        abort();
    pthread_mutex_unlock(&turn);
}

void laps_power_record(const char *path, const char *to) {
    folder_len = (size_t)snprintf(folder, sizeof folder, "%s/", path);
    out = (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out < 0) abort();
}

void laps_power_mark(uint64_t number) {
    if (out >= 0) put('M', number, 0, NULL, 0);
}

void laps_power_stop(void) {
    close(out);
    out = -1;
}

/* The name inside the folder; none for other files, and for what is only shared memory. */
static const char *inside(const char *path) {
    size_t len = strlen(path);
    if (out < 0) return NULL;
    if (len >= 4 && strcmp(path + len - 4, "-shm") == 0) return NULL;
    if (len + 1 == folder_len && strncmp(path, folder, len) == 0) return "";
    return strncmp(path, folder, folder_len) == 0 ? path + folder_len : NULL;
}

/* The same of an open file. */
static const char *named(int fd) {
    static _Thread_local char path[4096];
    char link[64];
    if (out < 0) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < 0) return NULL;
    path[len] = 0;
    return inside(path);
}

static uint64_t number(int fd) {
    struct stat found;
    return fstat(fd, &found) ? 0 : found.st_ino;
}

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

static int opened(const char *name, int there, int flags, int fd) {
    if (fd >= 0 && name) {
        if (!there) put('C', number(fd), 0, name, (uint32_t)strlen(name));
        else if (flags & O_TRUNC) put('T', number(fd), 0, NULL, 0);
    }
    return fd;
}

#define OPENS(called) \
    int called(const char *path, int flags, ...) { \
        REAL(int, called, const char *, int, ...); \
        const char *name = flags & (O_CREAT | O_TRUNC) ? inside(path) : NULL; \
        int there = name && access(path, F_OK) == 0; \
        mode_t mode = 0; \
        if (flags & O_CREAT) { \
            va_list rest; \
            va_start(rest, flags); \
            mode = va_arg(rest, mode_t); \
            va_end(rest); \
        } \
        return opened(name, there, flags, real(path, flags, mode)); \
    }
OPENS(open)
OPENS(open64)

#define WRITES(called, type) \
    ssize_t called(int fd, const void *bytes, size_t count, type at) { \
        REAL(ssize_t, called, int, const void *, size_t, type); \
        ssize_t written = real(fd, bytes, count, at); \
        if (written > 0 && named(fd)) put('W', number(fd), (uint64_t)at, bytes, (uint32_t)written); \
        return written; \
    }
WRITES(pwrite, off_t)
WRITES(pwrite64, off64_t)

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(ssize_t, write, int, const void *, size_t);
    const char *name = named(fd);
    off_t at = name ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t written = real(fd, bytes, count);
    if (written > 0 && name) put('W', number(fd), (uint64_t)at, bytes, (uint32_t)written);
    return written;
}

#define CUTS(called, type) \
    int called(int fd, type len) { \
        REAL(int, called, int, type); \
        int done = real(fd, len); \
        if (done == 0 && named(fd)) put('T', number(fd), (uint64_t)len, NULL, 0); \
        return done; \
    }
CUTS(ftruncate, off_t)
CUTS(ftruncate64, off64_t)

/* The power does not really fail, so nothing waits for the disk. */
static int synced(int fd) {
    const char *name = named(fd);
    struct stat found;
    if (name && fstat(fd, &found) == 0) {
        if (S_ISDIR(found.st_mode)) put('D', 0, 0, name, (uint32_t)strlen(name));
        else put('S', found.st_ino, 0, NULL, 0);
    }
    return 0;
}
int fsync(int fd) { return synced(fd); }
int fdatasync(int fd) { return synced(fd); }

static void two(char what, const char *one, const char *other) {
    const char *from = inside(one);
    char names[8192];
    if (!from) return;
    size_t len = strlen(from) + 1;
    memcpy(names, from, len);
    /* A name outside would be lost: no test does that. */
    const char *to = inside(other);
    if (!to) abort();
    memcpy(names + len, to, strlen(to));
    put(what, 0, 0, names, (uint32_t)(len + strlen(to)));
}

int link(const char *one, const char *other) {
    REAL(int, link, const char *, const char *);
    int done = real(one, other);
    if (done == 0) two('L', one, other);
    return done;
}

int linkat(int at, const char *one, int to, const char *other, int flags) {
    REAL(int, linkat, int, const char *, int, const char *, int);
    int done = real(at, one, to, other, flags);
    if (done == 0) two('L', one, other);
    return done;
}

int rename(const char *one, const char *other) {
    REAL(int, rename, const char *, const char *);
    int done = real(one, other);
    if (done == 0) two('R', one, other);
    return done;
}

static void one(char what, const char *path) {
    const char *name = inside(path);
    if (name) put(what, 0, 0, name, (uint32_t)strlen(name));
}

int unlink(const char *path) {
    REAL(int, unlink, const char *);
    int done = real(path);
    if (done == 0) one('U', path);
    return done;
}

int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    int done = real(path, mode);
    if (done == 0) one('K', path);
    return done;
}
