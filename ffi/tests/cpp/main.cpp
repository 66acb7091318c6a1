// laps.h and laps.hpp in C++.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "laps.hpp"

#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                        \
        }                                                                        \
    } while (0)

static_assert(!std::is_copy_constructible<laps::Password>::value, "a password is not copied");
static_assert(!std::is_copy_assignable<laps::Password>::value, "a password is not copied");
static_assert(std::is_nothrow_move_constructible<laps::Password>::value, "a password is moved");
static_assert(!std::is_copy_constructible<laps::Rotation>::value, "a rotation is not copied");
static_assert(!std::is_copy_constructible<laps::Wiped<char>>::value, "an exposed password is not copied");

static void the_header_means_the_same_in_cpp() {
    laps_password *password = nullptr;
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    std::size_t len = 0;
    CHECK(laps_version_number() == LAPS_VERSION_NUMBER);
    CHECK(laps_password_from_utf8(LAPS_TEXT("abc"), &password) == LAPS_STATUS_OK);
    CHECK(laps_password_copy_utf8(password, text, sizeof text, &len) == LAPS_STATUS_OK);
    CHECK(len == 3 && std::strcmp(text, "abc") == 0);
    laps_wipe(text, sizeof text);
    laps_password_free(password);
}

static void objects_move_and_free_themselves() {
    laps::Policy policy = laps::Policy::read("{\"BackupDirectory\":1,\"AdministratorAccountName\":\"Admin\"}");
    CHECK(policy.account_name() == "Admin");
    laps::Recipe recipe = policy.recipe();
    laps::Generator generator;
    laps::Password one = generator.password(recipe), two = generator.password(recipe);
    CHECK(!one.equals(two));
    CHECK(one.size() == 14 && one.expose().size() == 14 && one.expose_utf16().size() == 14);

    laps::Password moved = std::move(one);
    CHECK(!one && moved);
    two = std::move(moved); // frees what it had
    CHECK(!moved && two.size() == 14);
    laps::Password &self = two;
    two = std::move(self);
    CHECK(two.size() == 14);
    laps_password_free(two.release());
    CHECK(!two && two.size() == 0);
    CHECK(laps::Recipe::characters(1, 8).admissible() == "208827064576");
    CHECK(laps::Recipe::passphrase(6, 6).bits_micro() > 0);
}

static void failures_are_thrown_with_their_words() {
    bool thrown = false;
    try {
        laps::Policy::read("{\"BackupDirectory\":1,\"PasswordLength\":7}");
    } catch (const laps::Error &error) {
        thrown = error.status() == LAPS_STATUS_POLICY_REFUSED && std::strstr(error.what(), "8 to 64") != nullptr;
    }
    CHECK(thrown);
    thrown = false;
    try {
        laps::Password().expose();
    } catch (const laps::Error &error) {
        thrown = error.status() == LAPS_STATUS_NULL_ARGUMENT;
    }
    CHECK(thrown);
}

#ifdef LAPS_FULL
static void a_record_goes_to_its_reader() {
    laps::Generator generator;
    laps::ReaderKey key(generator, LAPS_SUITE_X25519, "help desk");
    laps::Reader reader = laps::Reader::parse(key.reader().text());
    laps::Password password = laps::Password::from_utf8(LAPS_TEXT("correct horse"));
    laps::Record record =
        laps::Record::seal(laps::Header(generator, "pc-17", "Admin"), password, {&reader}, generator);
    CHECK(key.open(laps::Record::parse(record.bytes())).equals(password));
}
#endif

int main() {
    the_header_means_the_same_in_cpp();
    objects_move_and_free_themselves();
    failures_are_thrown_with_their_words();
#ifdef LAPS_FULL
    a_record_goes_to_its_reader();
#endif
    std::puts("laps.h and laps.hpp in C++: everything holds");
}
