/* What the C tests share: a check that says where it failed, and counts. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "laps.h"

extern unsigned long checks;

#define CHECK(condition)                                                                      \
    do {                                                                                      \
        checks++;                                                                             \
        if (!(condition)) {                                                                   \
            fprintf(stderr, "%s:%d: %s\n  last error: %s\n", __FILE__, __LINE__, #condition,  \
                    laps_last_error());                                                       \
            exit(1);                                                                          \
        }                                                                                     \
    } while (0)

/* The status of a call, with both numbers where it is another one. */
#define CHECK_STATUS(expected, call)                                                          \
    do {                                                                                      \
        laps_status status_ = (call);                                                         \
        checks++;                                                                             \
        if (status_ != (expected)) {                                                          \
            fprintf(stderr, "%s:%d: %s\n  answered %d (%s), not %d\n  last error: %s\n",      \
                    __FILE__, __LINE__, #call, (int)status_, laps_status_message(status_),    \
                    (int)(expected), laps_last_error());                                      \
            exit(1);                                                                          \
        }                                                                                     \
    } while (0)

#define OK(call) CHECK_STATUS(LAPS_STATUS_OK, call)

void test_basics(void);
void test_password(void);
void test_policy(void);
void test_generate(void);
void test_seal(void);
void test_readers(void);
void test_rotation(void);
void test_vault(void);
void test_answers(void);
void test_vectors(void);
void test_account_store(void);
void test_agent(void);
void test_process(void);

#endif
