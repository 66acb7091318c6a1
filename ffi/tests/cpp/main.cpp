// The header in C++: it compiles, and the calls mean the same.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "laps.h"

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);    \
            std::exit(1);                                                           \
        }                                                                           \
    } while (0)

int main() {
    laps_password *password = nullptr;
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    std::size_t len = 0;
    CHECK(laps_version_number() == LAPS_VERSION_NUMBER);
    CHECK(laps_password_from_utf8(LAPS_TEXT("abc"), &password) == LAPS_STATUS_OK);
    CHECK(laps_password_copy_utf8(password, text, sizeof text, &len) == LAPS_STATUS_OK);
    CHECK(len == 3 && std::strcmp(text, "abc") == 0);
    laps_wipe(text, sizeof text);
    laps_password_free(password);
    std::puts("laps.h in C++: everything holds");
}
