/* The stack: what laps.h promises that a thread needs, measured over everything that the tests in C call.
 *
 * The thread works on memory of ours, painted before; how far the paint is gone is how deep it went. It has three quarters of what the
 * header says, and less than that is the margin for other compilers and systems. usage: stack
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>

#include "check.h"

unsigned long checks = 0;

/* As laps.h has it, under "Stack". */
enum { PROMISED = 256 * 1024, GIVEN = PROMISED / 4 * 3, PAGE = 4096, PAINT = 0xa5 };

static void (*test)(void);

static void *run(void *unused) {
    (void)unused;
    test();
    return NULL;
}

static size_t measured(void (*which)(void)) {
    pthread_attr_t attributes;
    pthread_t thread;
    size_t left = 0;
    /* A page that nobody may touch lies below: what goes deeper ends the program. */
    unsigned char *memory = mmap(NULL, GIVEN + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    CHECK(memory != MAP_FAILED);
    CHECK(mprotect(memory, PAGE, PROT_NONE) == 0);
    memset(memory + PAGE, PAINT, GIVEN);
    test = which;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstack(&attributes, memory + PAGE, GIVEN) == 0);
    CHECK(pthread_create(&thread, &attributes, run, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(pthread_attr_destroy(&attributes) == 0);
    while (left < GIVEN && memory[PAGE + left] == PAINT) left++;
    CHECK(munmap(memory, GIVEN + PAGE) == 0);
    return GIVEN - left;
}

int main(void) {
    static const struct {
        const char *name;
        void (*test)(void);
    } tests[] = {
        {"basics", test_basics},   {"password", test_password}, {"policy", test_policy},     {"generate", test_generate},
        {"seal", test_seal},       {"readers", test_readers},   {"rotation", test_rotation}, {"vault", test_vault},
        {"answers", test_answers}, {"agent", test_agent},       {"account store", test_account_store},
    };
    size_t i, most = 0;
    for (i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        size_t used = measured(tests[i].test);
        printf("%s: %zu KiB of stack\n", tests[i].name, used / 1024);
        if (used > most) most = used;
    }
    printf("%lu checks passed, with %zu of the %d KiB of stack that laps.h promises\n", checks, most / 1024, PROMISED / 1024);
    return 0;
}
