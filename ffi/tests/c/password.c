/* Passwords: in and out, UTF-8 and UTF-16, NULL and short buffers. */
#include "check.h"

/* "pä€𝄞" in both encodings: 1, 2, 3 and 4 bytes; the last is a surrogate pair. */
#define UTF8 "p\xC3\xA4\xE2\x82\xAC\xF0\x9D\x84\x9E"
static const uint16_t utf16[] = {'p', 0x00E4, 0x20AC, 0xD834, 0xDD1E};

static void both_encodings_say_the_same(void) {
    laps_password *a = NULL, *b = NULL;
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    uint16_t units[LAPS_PASSWORD_MAX_LEN + 1];
    size_t len = 99;

    OK(laps_password_from_utf8(LAPS_TEXT(UTF8), &a));
    OK(laps_password_from_utf16(utf16, 5, &b));
    CHECK(laps_password_equal(a, b));
    CHECK(laps_password_len(a) == 10 && laps_password_len_utf16(a) == 5);

    memset(text, 'x', sizeof text);
    OK(laps_password_copy_utf8(b, text, sizeof text, &len));
    CHECK(len == 10 && strcmp(text, UTF8) == 0 && text[11] == 'x');
    memset(units, 0x58, sizeof units);
    OK(laps_password_copy_utf16(a, units, LAPS_PASSWORD_MAX_LEN + 1, &len));
    CHECK(len == 5 && memcmp(units, utf16, sizeof utf16) == 0 && units[5] == 0 && units[6] == 0x5858);

    laps_wipe(text, sizeof text);
    laps_password_free(a);
    laps_password_free(b);
}

static void a_short_buffer_is_left_alone_and_told_the_length(void) {
    laps_password *password = NULL;
    char text[4] = "xyz";
    uint16_t units[3] = {1, 2, 3};
    size_t len = 0;

    OK(laps_password_from_utf8(LAPS_TEXT("abcd"), &password));
    CHECK_STATUS(LAPS_STATUS_BUFFER_TOO_SMALL, laps_password_copy_utf8(password, text, 4, &len));
    CHECK(len == 5 && memcmp(text, "xyz", 4) == 0);
    CHECK(strcmp(laps_last_error(), "the buffer holds 4 units of 1 bytes, 5 are needed") == 0);
    CHECK_STATUS(LAPS_STATUS_BUFFER_TOO_SMALL, laps_password_copy_utf16(password, units, 3, &len));
    CHECK(len == 5 && units[0] == 1 && units[2] == 3);
    /* An empty buffer asks for the length. */
    len = 0;
    CHECK_STATUS(LAPS_STATUS_BUFFER_TOO_SMALL, laps_password_copy_utf8(password, NULL, 0, &len));
    CHECK(len == 5);
    laps_password_free(password);
}

static void null_is_refused(void) {
    laps_password *password = NULL, *none = NULL;
    char text[8] = "xyz";
    uint16_t units[8] = {1};
    size_t len = 77;

    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_password_from_utf8(LAPS_TEXT("a"), NULL));
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_password_from_utf8(NULL, 1, &none));
    CHECK(strcmp(laps_last_error(), "text is NULL") == 0);
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_password_from_utf16(NULL, 1, &none));
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_password_from_utf16(utf16, 1, NULL));
    CHECK(none == NULL);

    OK(laps_password_from_utf8(NULL, 0, &password));
    CHECK(laps_password_len(password) == 0);
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_password_copy_utf8(NULL, text, sizeof text, &len));
    CHECK(strcmp(laps_last_error(), "laps_password is NULL") == 0);
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_password_copy_utf8(password, NULL, 8, &len));
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_password_copy_utf8(password, text, sizeof text, NULL));
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_password_copy_utf16(NULL, units, 8, &len));
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_password_copy_utf16(password, NULL, 8, &len));
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_password_copy_utf16(password, units, 8, NULL));
    CHECK(len == 77 && strcmp(text, "xyz") == 0 && units[0] == 1);
    CHECK(laps_password_len(NULL) == 0 && laps_password_len_utf16(NULL) == 0);
    CHECK(!laps_password_equal(password, NULL) && !laps_password_equal(NULL, password));
    CHECK(!laps_password_equal(NULL, NULL));
    laps_password_free(NULL);
    laps_password_free(password);
}

static void what_is_no_text_or_too_long_is_refused(void) {
    static const uint16_t lone[] = {'a', 0xD834};
    char long_text[LAPS_PASSWORD_MAX_LEN + 1];
    uint16_t long_units[LAPS_PASSWORD_MAX_LEN + 1];
    laps_password *none = NULL, *longest = NULL;
    size_t i;

    for (i = 0; i <= LAPS_PASSWORD_MAX_LEN; i++) {
        long_text[i] = 'a';
        long_units[i] = 'a';
    }
    CHECK_STATUS(LAPS_STATUS_INVALID_UTF8, laps_password_from_utf8(LAPS_TEXT("ab\xff"), &none));
    CHECK(strcmp(laps_last_error(), "text is not UTF-8 at byte 2") == 0);
    CHECK_STATUS(LAPS_STATUS_INVALID_UTF8, laps_password_from_utf16(lone, 2, &none));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_password_from_utf8(long_text, sizeof long_text, &none));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT,
                 laps_password_from_utf16(long_units, LAPS_PASSWORD_MAX_LEN + 1, &none));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_password_from_utf8(long_text, SIZE_MAX, &none));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_password_from_utf16(long_units, SIZE_MAX / 2, &none));
    CHECK(none == NULL);
    OK(laps_password_from_utf16(long_units, LAPS_PASSWORD_MAX_LEN, &longest));
    CHECK(laps_password_len(longest) == LAPS_PASSWORD_MAX_LEN);
    laps_password_free(longest);
}

void test_password(void) {
    both_encodings_say_the_same();
    a_short_buffer_is_left_alone_and_told_the_length();
    null_is_refused();
    what_is_no_text_or_too_long_is_refused();
}
