/* Policies: from documents to the policy in force, and what is said about wrong ones. */
#include "check.h"

#define READ(text, out) laps_policy_read((const uint8_t *)(text), sizeof(text) - 1, out)

static void the_policy_of_an_administrator_is_in_force(void) {
    static const char json[] =
        "{\"BackupDirectory\":1,\"AdministratorAccountName\":\"Admin\",\"PasswordAgeDays\":30,"
        "\"PasswordComplexity\":4,\"PasswordLength\":14,\"PostAuthenticationActions\":3,"
        "\"PostAuthenticationResetDelay\":24}";
    laps_policy *policy = NULL, *defaults = NULL;
    laps_recipe *recipe = NULL;
    uint8_t hash[32], other[32];
    char text[64];
    size_t len = 0;

    OK(READ(json, &policy));
    CHECK(laps_policy_backup_directory(policy) == 1);
    CHECK(laps_policy_password_age_days(policy) == 30);
    CHECK(laps_policy_password_complexity(policy) == 4);
    CHECK(laps_policy_password_length(policy) == 14);
    CHECK(laps_policy_passphrase_length(policy) == 6);
    CHECK(laps_policy_post_authentication_actions(policy) == 3);
    CHECK(laps_policy_post_authentication_reset_delay_minutes(policy) == 24 * 60);
    OK(laps_policy_administrator_account_name(policy, text, sizeof text, &len));
    CHECK(len == 5 && strcmp(text, "Admin") == 0);
    OK(laps_policy_value(policy, LAPS_TEXT("PasswordLength"), text, sizeof text, &len));
    CHECK(strcmp(text, "14") == 0);
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT,
                 laps_policy_value(policy, LAPS_TEXT("PasswordLenght"), text, sizeof text, &len));
    CHECK(strcmp(laps_last_error(), "\"PasswordLenght\" is not a setting of Windows LAPS") == 0);

    OK(laps_policy_new_default(&defaults));
    CHECK(laps_policy_backup_directory(defaults) == 0);
    OK(laps_policy_hash(policy, hash));
    OK(laps_policy_hash(defaults, other));
    CHECK(memcmp(hash, other, sizeof hash) != 0);

    OK(laps_policy_recipe(policy, &recipe));
    CHECK(laps_recipe_min_length(recipe) == 14 && laps_recipe_max_length(recipe) == 14);
    laps_recipe_free(recipe);
    laps_policy_free(defaults);
    laps_policy_free(policy);
}

static void a_wrong_policy_is_refused_and_says_why(void) {
    static const char unknown[] = "{\"BackupDirectory\":1,\"PaswordLength\":14}";
    static const char no_json[] = "{\"BackupDirectory\":1,";
    laps_policy *none = NULL;

    CHECK_STATUS(LAPS_STATUS_POLICY_MALFORMED, READ(no_json, &none));
    CHECK(strstr(laps_last_error(), "line 1") != NULL);
    CHECK_STATUS(LAPS_STATUS_POLICY_REFUSED, READ("{\"BackupDirectory\":1,\"PasswordLength\":7}", &none));
    CHECK(strstr(laps_last_error(), "PasswordLength") != NULL && strstr(laps_last_error(), "8 to 64") != NULL);
    CHECK_STATUS(LAPS_STATUS_POLICY_REFUSED, READ("{\"BackupDirectory\":1,\"PasswordComplexity\":9}", &none));
    CHECK(strstr(laps_last_error(), "PasswordComplexity") != NULL);
    CHECK_STATUS(LAPS_STATUS_POLICY_REFUSED, READ(unknown, &none));
    CHECK(strstr(laps_last_error(), "PaswordLength") != NULL);
    CHECK_STATUS(LAPS_STATUS_POLICY_MALFORMED, laps_policy_read(NULL, 0, &none));
    CHECK(none == NULL);
}

static void an_evaluation_has_every_finding(void) {
    static const char json[] = "{\"BackupDirectory\":1,\"PasswordLength\":7,\"PasswordComplexity\":9}";
    static const char weak[] = "{\"BackupDirectory\":1,\"PasswordComplexity\":1,\"PasswordLength\":8}";
    laps_evaluation *evaluation = NULL;
    laps_policy *policy = NULL;
    size_t i, errors = 0, warnings = 0;

    OK(laps_evaluation_new(&evaluation));
    OK(laps_evaluation_policy(evaluation, &policy));
    CHECK(laps_policy_backup_directory(policy) == 0);
    laps_policy_free(policy);
    policy = NULL;

    CHECK_STATUS(LAPS_STATUS_POLICY_MALFORMED,
                 laps_evaluation_add(evaluation, (const uint8_t *)"?", 1, LAPS_TEXT("mine.json")));
    CHECK(strstr(laps_last_error(), "mine.json") != NULL);
    OK(laps_evaluation_add(evaluation, (const uint8_t *)json, sizeof json - 1, LAPS_TEXT("mine.json")));
    CHECK_STATUS(LAPS_STATUS_POLICY_REFUSED, laps_evaluation_policy(evaluation, &policy));
    CHECK(policy == NULL && strstr(laps_last_error(), "(and 1 more)") != NULL);
    for (i = 0; i < laps_evaluation_finding_count(evaluation); i++) {
        errors += laps_evaluation_finding_level(evaluation, i) == LAPS_LEVEL_ERROR;
        CHECK(strlen(laps_evaluation_finding_setting(evaluation, i)) > 0);
        CHECK(strlen(laps_evaluation_finding_message(evaluation, i)) > 0);
    }
    CHECK(errors == 2);
    CHECK(laps_evaluation_finding_level(evaluation, i) == 0);
    CHECK(laps_evaluation_finding_setting(evaluation, i) == NULL);
    CHECK(laps_evaluation_finding_message(evaluation, i) == NULL);
    laps_evaluation_free(evaluation);

    OK(laps_evaluation_new(&evaluation));
    OK(laps_evaluation_add(evaluation, (const uint8_t *)weak, sizeof weak - 1, LAPS_TEXT("weak.json")));
    OK(laps_evaluation_policy(evaluation, &policy));
    for (i = 0; i < laps_evaluation_finding_count(evaluation); i++)
        warnings += laps_evaluation_finding_level(evaluation, i) == LAPS_LEVEL_WARNING;
    CHECK(warnings > 0);
    laps_policy_free(policy);
    laps_evaluation_free(evaluation);
}

void test_policy(void) {
    the_policy_of_an_administrator_is_in_force();
    a_wrong_policy_is_refused_and_says_why();
    an_evaluation_has_every_finding();
}
