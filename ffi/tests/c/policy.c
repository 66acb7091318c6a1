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

static int holds(const laps_bytes *bytes, const char *words) {
    size_t i, len = strlen(words);
    for (i = 0; i + len <= laps_bytes_len(bytes); i++)
        if (memcmp(laps_bytes_data(bytes) + i, words, len) == 0) return 1;
    return 0;
}

static void syncml_adds_deletes_and_asks(void) {
    static const char json[] = "{\"BackupDirectory\":1,\"PasswordLength\":20}";
    static const char answer[] =
        "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncBody><Results><CmdID>2</CmdID><Item><Source><LocURI>./Device/Vendor/MSFT/"
        "LAPS/Actions/ResetPasswordStatus</LocURI></Source><Data>-2147483638</Data></Item></Results></SyncBody></SyncML>";
    static const char *const commands[3] = {"add", "replace", "delete"};
    static const char *const elements[3] = {"<Add>", "<Replace>", "<Delete>"};
    laps_evaluation *evaluation = NULL, *again = NULL;
    laps_bytes *bytes = NULL;
    uint32_t hresult = 7;
    int i;

    OK(laps_evaluation_new(&evaluation));
    OK(laps_evaluation_add(evaluation, (const uint8_t *)json, sizeof json - 1, LAPS_TEXT("mine.json")));
    for (i = 0; i < 3; i++) {
        OK(laps_evaluation_export_csp(evaluation, commands[i], strlen(commands[i]), &bytes));
        CHECK(holds(bytes, elements[i]) && holds(bytes, "LAPS/Policies/PasswordLength"));
        CHECK(holds(bytes, "<Data>20</Data>") == (i < 2));
        laps_bytes_free(bytes);
    }
    bytes = NULL;
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_evaluation_export_csp(evaluation, LAPS_TEXT("exec"), &bytes));
    CHECK(bytes == NULL && strstr(laps_last_error(), "add, delete and replace") != NULL);
    CHECK(!laps_evaluation_resets_password(evaluation) && !laps_evaluation_resets_password(NULL));

    OK(laps_policy_reset_password(&bytes)); /* what one side writes, the other reads */
    OK(laps_evaluation_new(&again));
    OK(laps_evaluation_add(again, laps_bytes_data(bytes), laps_bytes_len(bytes), LAPS_TEXT("exec.xml")));
    CHECK(laps_evaluation_resets_password(again));
    CHECK_STATUS(LAPS_STATUS_NOT_FOUND,
                 laps_policy_read_reset_status(laps_bytes_data(bytes), laps_bytes_len(bytes), &hresult));
    CHECK(hresult == 7);
    laps_bytes_free(bytes);
    laps_evaluation_free(again);
    OK(laps_policy_reset_status(&bytes));
    CHECK(holds(bytes, "<Get>") && !holds(bytes, "<Exec>"));
    laps_bytes_free(bytes);
    OK(laps_policy_read_reset_status((const uint8_t *)answer, sizeof answer - 1, &hresult));
    CHECK(hresult == 0x8000000Au);
    laps_evaluation_free(evaluation);
}

static laps_policy *automatic(const char *prefix, int randomize) {
    char json[256];
    laps_policy *policy = NULL;
    sprintf(json,
            "{\"BackupDirectory\":1,\"AutomaticAccountManagementEnabled\":true,\"AutomaticAccountManagementTarget\":1,"
            "\"AutomaticAccountManagementNameOrPrefix\":\"%s\",\"AutomaticAccountManagementRandomizeName\":%s}",
            prefix, randomize ? "true" : "false");
    OK(laps_policy_read((const uint8_t *)json, strlen(json), &policy));
    return policy;
}

static void an_automatic_account_has_a_free_name(void) {
    laps_accounts *accounts = NULL;
    laps_generator *generator = NULL;
    laps_policy *policy = automatic("lapsadm", 1);
    char name[64], other[64];
    size_t len = 0;

    OK(laps_accounts_new(&accounts));
    OK(laps_generator_new(&generator));
    OK(laps_accounts_automatic_name(accounts, policy, generator, name, sizeof name, &len));
    CHECK(len == 13 && memcmp(name, "lapsadm", 7) == 0 && strspn(name + 7, "0123456789") == 6);
    OK(laps_accounts_automatic_name(accounts, policy, generator, other, sizeof other, &len));
    CHECK(strcmp(name, other) != 0); /* equal once in a million times */
    CHECK_STATUS(LAPS_STATUS_BUFFER_TOO_SMALL,
                 laps_accounts_automatic_name(accounts, policy, generator, name, 13, &len));
    CHECK(len == 14);
    laps_policy_free(policy);

    policy = automatic("lapsadm", 0);
    OK(laps_accounts_automatic_name(accounts, policy, generator, name, sizeof name, &len));
    CHECK(strcmp(name, "lapsadm") == 0);
    OK(laps_accounts_add(accounts, LAPS_TEXT("LapsAdm"), NULL, 0, true));
    CHECK_STATUS(LAPS_STATUS_ACCOUNT_REFUSED,
                 laps_accounts_automatic_name(accounts, policy, generator, name, sizeof name, &len));
    laps_policy_free(policy);
    laps_generator_free(generator);
    laps_accounts_free(accounts);
}

void test_policy(void) {
    the_policy_of_an_administrator_is_in_force();
    a_wrong_policy_is_refused_and_says_why();
    an_evaluation_has_every_finding();
    syncml_adds_deletes_and_asks();
    an_automatic_account_has_a_free_name();
}
