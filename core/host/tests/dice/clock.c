/* The wall clock of the walk by dice: as many seconds ahead as LAPS_DICE_CLOCK says. Loaded into each agent by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *at) {
    int (*real)(clockid_t, struct timespec *);
    *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, at);
    const char *ahead = getenv("LAPS_DICE_CLOCK");
    if (!failed && clock == CLOCK_REALTIME && ahead)
        at->tv_sec += strtoll(ahead, NULL, 10);
    return failed;
}
