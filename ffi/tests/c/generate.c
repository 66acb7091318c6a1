/* Recipes, the generator, checks. */
#include "check.h"

static void every_complexity_makes_what_it_says(void) {
    laps_generator *generator = NULL;
    laps_password *password = NULL;
    laps_violations *violations = NULL;
    laps_recipe *recipe = NULL;
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    size_t len = 0;
    uint8_t complexity;
    int i;

    OK(laps_generator_new(&generator));
    for (complexity = 1; complexity <= 8; complexity++) {
        if (complexity <= 5)
            OK(laps_recipe_new(complexity, 14, &recipe));
        else
            OK(laps_recipe_new_passphrase(complexity, 6, &recipe));
        for (i = 0; i < 20; i++) {
            OK(laps_generator_password(generator, recipe, &password));
            OK(laps_password_copy_utf8(password, text, sizeof text, &len));
            CHECK(len >= laps_recipe_min_length(recipe) && len <= laps_recipe_max_length(recipe));
            OK(laps_recipe_check(recipe, text, len, &violations));
            CHECK(laps_violations_count(violations) == 0);
            CHECK(laps_violations_rule(violations, 0) == NULL);
            laps_violations_free(violations);
            laps_password_free(password);
        }
        laps_recipe_free(recipe);
    }
    laps_wipe(text, sizeof text);
    OK(laps_generator_reseed(generator));
    laps_generator_free(generator);
}

static void strength_is_exact(void) {
    laps_recipe *recipe = NULL;
    char digits[128];
    size_t len = 0;

    /* Eight capitals: 26 to the power of 8. */
    OK(laps_recipe_new(1, 8, &recipe));
    OK(laps_recipe_admissible(recipe, digits, sizeof digits, &len));
    CHECK(strcmp(digits, "208827064576") == 0);
    CHECK(laps_recipe_bits_micro(recipe) == 37603517); /* 37.603517… */
    laps_recipe_free(recipe);
}

static void a_check_lists_what_is_broken(void) {
    laps_recipe *recipe = NULL;
    laps_violations *violations = NULL;
    size_t i;

    OK(laps_recipe_new(4, 14, &recipe));
    OK(laps_recipe_check(recipe, LAPS_TEXT("abc"), &violations));
    CHECK(laps_violations_count(violations) >= 2);
    CHECK(strcmp(laps_violations_rule(violations, 0), "length") == 0);
    CHECK(strcmp(laps_violations_message(violations, 0), "it must have 14 characters") == 0);
    for (i = 0; i < laps_violations_count(violations); i++)
        CHECK(strstr(laps_violations_message(violations, i), "abc") == NULL);
    CHECK(laps_violations_message(violations, i) == NULL);
    laps_violations_free(violations);
    laps_recipe_free(recipe);
}

/* The first rule of Windows that a text breaks, and how many it breaks; NULL and 0 when it is taken. */
static size_t windows_refuses(uint8_t min_length, bool complexity, const char *text, const char *first_rule) {
    laps_violations *violations = NULL;
    const char *rule;
    size_t count;

    OK(laps_windows_check(min_length, complexity, LAPS_TEXT("Admin"), LAPS_TEXT("Anna-Lena Berg,IT"), text,
                          strlen(text), &violations));
    count = laps_violations_count(violations);
    rule = laps_violations_rule(violations, 0);
    CHECK(first_rule == NULL ? rule == NULL : rule != NULL && strcmp(rule, first_rule) == 0);
    CHECK(count == 0 || laps_violations_message(violations, 0)[0] != '\0');
    laps_violations_free(violations);
    return count;
}

static void windows_is_asked_beforehand(void) {
    laps_violations *violations = NULL;

    CHECK(windows_refuses(14, true, "Xk7!pQ2#vR9$wT4", NULL) == 0);
    CHECK(windows_refuses(14, true, "Xk7!", "min_length") == 1);
    CHECK(windows_refuses(0, true, "abcdefgh", "categories") == 1);
    CHECK(windows_refuses(0, true, "xADMIN7!a", "user_name") == 1);
    CHECK(windows_refuses(0, true, "x7!LENAxx", "full_name") == 1);
    CHECK(windows_refuses(14, true, "admin", "min_length") == 3);
    CHECK(windows_refuses(0, false, "admin", NULL) == 0);
    /* The length is counted in UTF-16 units: this letter is two of them and four bytes. */
    CHECK(windows_refuses(2, false, "\xF0\x9D\x84\x9E", NULL) == 0);
    CHECK(windows_refuses(3, false, "\xF0\x9D\x84\x9E", "min_length") == 1);

    OK(laps_windows_check(0, true, NULL, 0, NULL, 0, LAPS_TEXT("Ab1"), &violations));
    CHECK(laps_violations_count(violations) == 0);
    laps_violations_free(violations);
    violations = NULL;
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT,
                 laps_windows_check(129, true, NULL, 0, NULL, 0, LAPS_TEXT("Ab1"), &violations));
    CHECK(strcmp(laps_last_error(), "min_length is 129, at most 128") == 0);
    CHECK_STATUS(LAPS_STATUS_INVALID_UTF8,
                 laps_windows_check(8, true, "\xFF", 1, NULL, 0, LAPS_TEXT("Ab1"), &violations));
    CHECK(violations == NULL);
}

static laps_status read_recipe(const char *document, laps_recipe **recipe) {
    return laps_recipe_read((const uint8_t *)document, strlen(document), recipe);
}

static void a_document_makes_a_recipe(void) {
    laps_generator *generator = NULL;
    laps_password *password = NULL;
    laps_violations *violations = NULL;
    laps_recipe *recipe = NULL;
    laps_recipe *none = NULL;
    char digits[8];
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    size_t len = 0;

    /* Four letters of eight characters: all but those without a letter and those without a digit. */
    OK(read_recipe("{\"length\":8,\"groups\":[{\"chars\":\"ab\",\"min\":1},{\"chars\":\"23\",\"min\":1}]}", &recipe));
    OK(laps_recipe_admissible(recipe, digits, sizeof digits, &len));
    CHECK(len == 5 && strcmp(digits, "65024") == 0);
    OK(laps_generator_new(&generator));
    OK(laps_generator_password(generator, recipe, &password));
    OK(laps_password_copy_utf8(password, text, sizeof text, &len));
    CHECK(len == 8 && strspn(text, "ab23") == 8 && strpbrk(text, "ab") != NULL && strpbrk(text, "23") != NULL);
    laps_wipe(text, sizeof text);
    OK(laps_recipe_check(recipe, LAPS_TEXT("aaaaaaaa"), &violations));
    CHECK(laps_violations_count(violations) == 1);
    laps_violations_free(violations);
    laps_password_free(password);
    laps_generator_free(generator);
    laps_recipe_free(recipe);

    CHECK_STATUS(LAPS_STATUS_RECIPE_INVALID, read_recipe("", &none));
    CHECK_STATUS(LAPS_STATUS_RECIPE_INVALID, read_recipe("[8]", &none));
    CHECK_STATUS(LAPS_STATUS_RECIPE_INVALID, read_recipe("{\"length\":8,\"lenght\":9}", &none));
    CHECK_STATUS(LAPS_STATUS_RECIPE_INFEASIBLE, read_recipe("{\"length\":1,\"groups\":[{\"chars\":\"ab\",\"min\":2}]}", &none));
    CHECK(strstr(laps_last_error(), "length, groups[0].min") != NULL);
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_recipe_read(NULL, 2, &none));
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, read_recipe("{}", NULL));
    CHECK(none == NULL);
}

static void what_cannot_be_a_recipe_is_refused(void) {
    laps_recipe *none = NULL;
    CHECK_STATUS(LAPS_STATUS_RECIPE_INVALID, laps_recipe_new(0, 14, &none));
    CHECK_STATUS(LAPS_STATUS_RECIPE_INVALID, laps_recipe_new(9, 14, &none));
    CHECK(strcmp(laps_last_error(), "complexity 9 is outside 1 to 8") == 0);
    CHECK_STATUS(LAPS_STATUS_RECIPE_INVALID, laps_recipe_new(4, 7, &none));
    CHECK_STATUS(LAPS_STATUS_RECIPE_INVALID, laps_recipe_new(4, 65, &none));
    CHECK_STATUS(LAPS_STATUS_RECIPE_INVALID, laps_recipe_new(6, 14, &none));
    CHECK_STATUS(LAPS_STATUS_RECIPE_INVALID, laps_recipe_new_passphrase(6, 2, &none));
    CHECK_STATUS(LAPS_STATUS_RECIPE_INVALID, laps_recipe_new_passphrase(4, 6, &none));
    CHECK(none == NULL);
}

static void many_passwords_go_straight_into_the_callers_memory(void) {
    enum { COUNT = 1000, SIZE = 16 };
    laps_generator *generator = NULL;
    laps_recipe *recipe = NULL;
    laps_violations *violations = NULL;
    char *places = malloc(COUNT * SIZE);
    size_t i;

    CHECK(places != NULL);
    memset(places, '#', COUNT * SIZE);
    OK(laps_generator_new(&generator));
    OK(laps_recipe_new(4, 15, &recipe));
    OK(laps_generator_passwords(generator, recipe, places, SIZE, COUNT));
    for (i = 0; i < COUNT; i++) {
        CHECK(strlen(places + i * SIZE) == 15);
        CHECK(i == 0 || strcmp(places + i * SIZE, places + (i - 1) * SIZE) != 0);
    }
    OK(laps_recipe_check(recipe, places + 7 * SIZE, 15, &violations));
    CHECK(laps_violations_count(violations) == 0);
    laps_violations_free(violations);

    memset(places, '#', COUNT * SIZE);
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_generator_passwords(generator, recipe, places, 15, COUNT));
    CHECK(strcmp(laps_last_error(), "place_size is 15, 16 are needed") == 0);
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_generator_passwords(generator, recipe, places, SIZE, SIZE_MAX));
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_generator_passwords(generator, recipe, NULL, SIZE, 1));
    OK(laps_generator_passwords(generator, recipe, NULL, SIZE, 0));
    CHECK(places[0] == '#' && places[COUNT * SIZE - 1] == '#');

    laps_recipe_free(recipe);
    laps_generator_free(generator);
    free(places);
}

void test_generate(void) {
    every_complexity_makes_what_it_says();
    strength_is_exact();
    a_check_lists_what_is_broken();
    windows_is_asked_beforehand();
    a_document_makes_a_recipe();
    what_cannot_be_a_recipe_is_refused();
    many_passwords_go_straight_into_the_callers_memory();
}
