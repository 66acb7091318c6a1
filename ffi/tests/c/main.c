/* The C tests of laps.h, in one program: exit status 0 and one line when everything holds. */
#include "check.h"

unsigned long checks = 0;

int main(void) {
    test_basics();
    test_password();
    test_policy();
    test_generate();
    test_seal();
    test_readers();
    test_rotation();
    test_vault();
    test_answers();
    test_vectors();
    test_account_store();
    test_agent();
    test_process();
    printf("laps %s (%s): %lu checks hold\n", laps_version(), laps_build(), checks);
    return 0;
}
