/* Threads that share objects, and a child that goes on after a fork. POSIX. */
#include "check.h"

#ifndef _WIN32

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 200 };

static laps_recipe *recipe;
static laps_password *shared;
static int failures[THREADS];

static void *work(void *number) {
    int *failed = number, i;
    laps_generator *generator = NULL;
    if (laps_generator_new(&generator) != LAPS_STATUS_OK) ++*failed;
    for (i = 0; i < ROUNDS; i++) {
        laps_password *password = NULL;
        char message[64];
        if (laps_generator_password(generator, recipe, &password) != LAPS_STATUS_OK) ++*failed;
        if (laps_password_equal(password, shared) || laps_password_len(shared) != 6) ++*failed;
        laps_password_free(password);
        /* The last error belongs to this thread. */
        snprintf(message, sizeof message, "complexity %d is outside 1 to 8", 100 + (int)(failed - failures));
        if (laps_recipe_new((uint8_t)(100 + (failed - failures)), 14, NULL) != LAPS_STATUS_NULL_ARGUMENT) ++*failed;
        if (laps_recipe_new((uint8_t)(100 + (failed - failures)), 14, &(laps_recipe *){NULL}) == LAPS_STATUS_OK)
            ++*failed;
        if (strcmp(laps_last_error(), message) != 0) ++*failed;
    }
    laps_generator_free(generator);
    return NULL;
}

static void threads_share_what_is_const(void) {
    pthread_t threads[THREADS];
    int i;
    OK(laps_recipe_new(4, 14, &recipe));
    OK(laps_password_from_utf8(LAPS_TEXT("shared"), &shared));
    for (i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, &failures[i]) == 0);
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(failures[i] == 0);
    }
    laps_password_free(shared);
    laps_recipe_free(recipe);
}

static void after_a_fork_parent_and_child_make_different_passwords(void) {
    laps_generator *generator = NULL;
    laps_recipe *any = NULL;
    laps_password *ours = NULL, *theirs = NULL;
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    size_t len = 0;
    int pipes[2], status = 1;
    ssize_t got;
    pid_t child;

    OK(laps_generator_new(&generator));
    OK(laps_recipe_new(4, 14, &any));
    OK(laps_generator_password(generator, any, &ours)); /* so that random bytes lie ready */
    laps_password_free(ours);
    CHECK(pipe(pipes) == 0);
    child = fork();
    CHECK(child >= 0);
    OK(laps_generator_password(generator, any, &ours));
    OK(laps_password_copy_utf8(ours, text, sizeof text, &len));
    if (child == 0) _exit(write(pipes[1], text, len) == (ssize_t)len ? 0 : 1); /* what was read tells */
    close(pipes[1]);
    got = read(pipes[0], text, sizeof text);
    close(pipes[0]);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(got == 14);
    OK(laps_password_from_utf8(text, 14, &theirs));
    CHECK(!laps_password_equal(ours, theirs));
    laps_wipe(text, sizeof text);
    laps_password_free(theirs);
    laps_password_free(ours);
    laps_recipe_free(any);
    laps_generator_free(generator);
}

void test_process(void) {
    threads_share_what_is_const();
    after_a_fork_parent_and_child_make_different_passwords();
}

#else

void test_process(void) {
}

#endif
