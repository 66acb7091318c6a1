/* Version, status texts, the last error, wiping. */
#include "check.h"

static void the_header_is_of_the_library(void) {
    unsigned major, minor, patch;
    char text[32];
    CHECK(strcmp(laps_version(), LAPS_VERSION) == 0);
    CHECK(laps_version_number() == LAPS_VERSION_NUMBER);
    /* The derived number by its value, not by its formula. */
    CHECK(sscanf(LAPS_VERSION, "%u.%u.%u", &major, &minor, &patch) == 3);
    CHECK(LAPS_VERSION_NUMBER == major * 65536 + minor * 256 + patch);
    CHECK(major == LAPS_VERSION_MAJOR && minor == LAPS_VERSION_MINOR && patch == LAPS_VERSION_PATCH);
    snprintf(text, sizeof text, "%u.%u.%u", major, minor, patch);
    CHECK(strcmp(text, LAPS_VERSION) == 0);
#ifdef LAPS_AGENT
    CHECK(strcmp(laps_build(), "agent") == 0);
#else
    CHECK(strcmp(laps_build(), "full") == 0);
#endif
}

static void every_status_has_a_text(void) {
    CHECK(strcmp(laps_status_message(LAPS_STATUS_OK), "success") == 0);
    CHECK(strcmp(laps_status_message(LAPS_STATUS_BUFFER_TOO_SMALL), "the buffer is too small") == 0);
    CHECK(strcmp(laps_status_message(LAPS_STATUS_INTERNAL), "internal error") == 0);
    CHECK(strcmp(laps_status_message(-1), "unknown status") == 0);
    CHECK(strcmp(laps_status_message(INT32_MIN), "unknown status") == 0);
    CHECK(strcmp(laps_status_message(INT32_MAX), "unknown status") == 0);
}

static void wiping_leaves_zeros_and_its_neighbours(void) {
    unsigned char memory[6] = {1, 2, 3, 4, 5, 6};
    static const unsigned char expected[6] = {1, 0, 0, 0, 0, 6};
    laps_wipe(memory + 1, 4);
    CHECK(memcmp(memory, expected, sizeof memory) == 0);
    laps_wipe(NULL, 0);
    laps_wipe(NULL, 5);
    laps_wipe(memory, 0);
    CHECK(memory[0] == 1);
}

void test_basics(void) {
    the_header_is_of_the_library();
    every_status_has_a_text();
    wiping_leaves_zeros_and_its_neighbours();
}
