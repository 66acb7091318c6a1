/* The agent behind the C ABI: its options, what it calls, how it ends. With a vault: agent_vault.c. */
#ifndef _WIN32
#define _DEFAULT_SOURCE
#endif
#include "agent.h"

#include <time.h>
#ifndef _WIN32
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

struct world world;
laps_reader *helpdesk;

void clear_folder(void) {
    static const char *const names[] = {"agent", "setter", "journal", "policy", "readers", "demands"};
    size_t i;
    char path[64];
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, FOLDER "/%s", names[i]);
        remove(path);
    }
    remove(ACCOUNT);
    memset(&world, 0, sizeof world);
    world.seen = LAPS_ACCOUNT_PRESENT;
    world.applied = LAPS_APPLIED_SUCCESS;
    world.reached = 1;
}

size_t held(char *text, size_t size) {
    FILE *file = fopen(ACCOUNT, "rb");
    size_t len;
    if (file == NULL) return 0;
    len = fread(text, 1, size, file);
    fclose(file);
    return len;
}

static void dies(int at) {
#ifndef _WIN32
    if (at != 0 && (at == world.sets || at == -world.exchanges)) kill(getpid(), SIGKILL);
#else
    (void)at;
#endif
}

static uint32_t find(void *user, const char *name, laps_accounts *accounts) {
    CHECK(user == &world && strcmp(name, "Admin") == 0);
    if (world.seen == LAPS_ACCOUNT_PRESENT) OK(laps_accounts_add(accounts, LAPS_TEXT("Admin"), NULL, 0, true));
    return world.seen;
}

static uint32_t set(void *user, const char *account, const laps_password *password) {
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    size_t len = 0;
    FILE *file;
    CHECK(user == &world && strcmp(account, "Admin") == 0);
    world.sets++;
    dies(world.dies_before);
    if (world.applied != LAPS_APPLIED_SUCCESS) return world.applied;
    OK(laps_password_copy_utf8(password, text, sizeof text, &len));
    file = fopen(ACCOUNT, "wb");
    CHECK(file != NULL && fwrite(text, 1, len, file) == len && fclose(file) == 0);
    laps_wipe(text, sizeof text);
    dies(world.dies_after);
    return LAPS_APPLIED_SUCCESS;
}

static uint32_t verify(void *user, const char *account, const laps_password *password) {
    char text[LAPS_PASSWORD_MAX_LEN];
    laps_password *ours = NULL;
    size_t len = held(text, sizeof text);
    bool same;
    CHECK(user == &world && strcmp(account, "Admin") == 0);
    OK(laps_password_from_utf8(text, len, &ours));
    same = laps_password_equal(ours, password);
    laps_password_free(ours);
    return same ? LAPS_VERIFIED_MATCH : LAPS_VERIFIED_MISMATCH;
}

static bool used_since(void *user, const char *account, uint64_t since, uint64_t *out_at) {
    CHECK(user == &world && strcmp(account, "Admin") == 0 && since > 0);
    *out_at = 0;
    return true;
}

static void on_event(void *user, const laps_event *event) {
    CHECK(user == &world && laps_event_at(event) > 0);
    CHECK(strstr(laps_event_json(event), "\"device\":\"pc-17\"") != NULL);
    CHECK(strstr(laps_event_json(event), laps_event_name(event)) != NULL);
    CHECK(laps_event_level(event) >= LAPS_LEVEL_INFORMATION && laps_event_level(event) <= LAPS_LEVEL_ERROR);
    world.told++;
    if (world.wanted != NULL && strcmp(laps_event_name(event), world.wanted) == 0) world.wanted_told = 1;
    if (world.stops != NULL) {
        uint32_t outcome = 77;
        world.inside = laps_agent_run_once(world.stops, false, &outcome);
        CHECK(outcome == 77);
        laps_agent_stop(world.stops);
    }
}

static const laps_account_calls calls = {sizeof calls, find, set, verify, NULL, used_since, NULL};

#ifdef LAPS_FULL
laps_vault *device_vault;
#endif

static laps_status channel(void *user, const uint8_t *check_in, size_t check_in_len, laps_bytes **out_answer) {
    CHECK(user == &world && check_in != NULL && check_in_len > 0);
    world.exchanges++;
    dies(world.dies_before);
    if (!world.reached) return LAPS_STATUS_UNREACHABLE;
#ifdef LAPS_FULL
    {
        laps_status status = laps_vault_check_in(device_vault, LAPS_TEXT("pc-17"), check_in, check_in_len,
                                                 (uint64_t)time(NULL), out_answer);
        dies(world.dies_after);
        return status;
    }
#else
    /* An answer that is none. */
    return laps_bytes_new((const uint8_t *)"no answer", 9, out_answer);
#endif
}

laps_agent_options *options(const laps_reader *const *readers, size_t reader_count) {
    laps_agent_options *made = NULL;
    OK(laps_agent_options_new(LAPS_TEXT("pc-17"), LAPS_TEXT(FOLDER), &made));
    OK(laps_agent_options_add_policy(made, (const uint8_t *)POLICY, sizeof POLICY - 1, LAPS_TEXT("a test")));
    OK(laps_agent_options_set_readers(made, readers, reader_count));
    OK(laps_agent_options_set_account_calls(made, &calls, &world));
    OK(laps_agent_options_set_channel(made, channel, &world));
    OK(laps_agent_options_set_on_event(made, on_event, &world));
    OK(laps_agent_options_set_timeouts(made, 0, 5, 0));
    return made;
}

laps_agent *open_with(const laps_reader *reader) {
    laps_agent_options *made = options(&reader, 1);
    laps_agent *agent = NULL;
    OK(laps_agent_open(made, &agent));
    laps_agent_options_free(made);
    return agent;
}

laps_agent *open_agent(void) {
    return open_with(helpdesk);
}

/* Whether the status of the state folder has this text. */
int status_has(const char *text) {
    char json[4096];
    laps_bytes *bytes = NULL;
    size_t len;
    OK(laps_agent_status(LAPS_TEXT(FOLDER), &bytes));
    len = laps_bytes_len(bytes);
    CHECK(len < sizeof json);
    memcpy(json, laps_bytes_data(bytes), len);
    json[len] = '\0';
    laps_bytes_free(bytes);
    return strstr(json, text) != NULL;
}

static void options_that_lack_something_say_what(void) {
    laps_agent_options *made = NULL;
    laps_agent *agent = NULL, *other = NULL;
    laps_account_calls wrong = calls;
    clear_folder();
    OK(laps_agent_options_new(LAPS_TEXT("pc-17"), LAPS_TEXT(FOLDER), &made));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_agent_open(made, &agent));
    CHECK(strstr(laps_last_error(), "laps_agent_options_add_policy()") != NULL);
    OK(laps_agent_options_add_policy(made, (const uint8_t *)POLICY, sizeof POLICY - 1, LAPS_TEXT("a test")));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_agent_options_add_policy_file(made, LAPS_TEXT("policy.json")));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_agent_open(made, &agent));
    CHECK(strstr(laps_last_error(), "laps_agent_options_set_channel()") != NULL);
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_agent_options_set_channel(made, NULL, NULL));
    OK(laps_agent_options_set_channel(made, channel, &world));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_agent_open(made, &agent));
    CHECK(strstr(laps_last_error(), "laps_agent_options_set_store()") != NULL);
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_agent_options_set_store(made, LAPS_TEXT("no store")));
    CHECK(strstr(laps_last_error(), "no store") != NULL);
    wrong.size--;
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_agent_options_set_account_calls(made, &wrong, &world));
    wrong = calls;
    wrong.set = NULL;
    CHECK_STATUS(LAPS_STATUS_NULL_ARGUMENT, laps_agent_options_set_account_calls(made, &wrong, &world));
    OK(laps_agent_options_set_account_calls(made, &calls, &world));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_agent_open(made, &agent));
    CHECK(strstr(laps_last_error(), "reader") != NULL);
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_agent_options_set_timeouts(made, 0, 1000000001, 0));
    OK(laps_agent_options_set_timeouts(made, 0, 5, 0));
    OK(laps_agent_options_set_readers(made, (const laps_reader *const *)&helpdesk, 1));
    OK(laps_agent_options_set_scope(made, LAPS_TEXT("contoso")));
    OK(laps_agent_options_set_last_wins(made, true));
    OK(laps_agent_options_acknowledge_log(made));
    OK(laps_agent_open(made, &agent));
    CHECK_STATUS(LAPS_STATUS_BUSY, laps_agent_open(made, &other));
    laps_agent_free(agent);
    OK(laps_agent_open(made, &agent)); /* it was given free */
    laps_agent_free(agent);
    laps_agent_options_free(made);
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_agent_options_new(LAPS_TEXT("pc-17"), NULL, 0, &made));
}

static void a_vault_that_is_not_reached_changes_nothing(void) {
    laps_agent *agent;
    uint32_t outcome = 0;
    clear_folder();
    world.reached = 0;
    world.wanted = "check-in-failed";
    agent = open_agent();
    OK(laps_agent_run_once(agent, false, &outcome));
    CHECK(outcome == LAPS_OUTCOME_UNREACHABLE && world.sets == 0 && world.exchanges > 0 && world.wanted_told);
    OK(laps_agent_check_in(agent, &outcome));
    CHECK(outcome == LAPS_OUTCOME_UNREACHABLE);
    laps_agent_free(agent);
    CHECK(status_has("\"device\":\"pc-17\"") && status_has("\"version\":0"));
}

static void a_refused_policy_is_none_to_go_by(void) {
    static const char refused[] = "{\"BackupDirectory\":1,\"PasswordLength\":7}";
    laps_agent_options *made = NULL;
    laps_agent *agent = NULL;
    uint32_t outcome = 77;
    clear_folder();
    OK(laps_agent_options_new(LAPS_TEXT("pc-17"), LAPS_TEXT(FOLDER), &made));
    OK(laps_agent_options_add_policy(made, (const uint8_t *)refused, sizeof refused - 1, LAPS_TEXT("a test")));
    OK(laps_agent_options_set_readers(made, (const laps_reader *const *)&helpdesk, 1));
    OK(laps_agent_options_set_account_calls(made, &calls, &world));
    OK(laps_agent_options_set_channel(made, channel, &world));
    OK(laps_agent_open(made, &agent));
    CHECK_STATUS(LAPS_STATUS_POLICY_REFUSED, laps_agent_run_once(agent, false, &outcome));
    CHECK(outcome == 77 && strstr(laps_last_error(), "8 to 64") != NULL);
    laps_agent_free(agent);
    laps_agent_options_free(made);
}

static void an_agent_that_is_stopped_ends_and_a_call_within_a_call_is_refused(void) {
    laps_agent *agent;
    clear_folder();
    world.reached = 0;
    agent = open_agent();
    world.stops = agent;
    OK(laps_agent_run(agent, 3600)); /* ended by its own event */
    CHECK(world.told > 0 && world.inside == LAPS_STATUS_UNEXPECTED_EVENT);
    world.stops = NULL;
    OK(laps_agent_run(agent, 3600)); /* at once, and for good */
    laps_agent_free(agent);
    laps_agent_stop(NULL);
}

#ifndef _WIN32
static void *runs(void *agent) {
    return laps_agent_run(agent, 3600) == LAPS_STATUS_OK ? NULL : agent;
}

static void another_thread_ends_a_run(void) {
    pthread_t thread;
    laps_agent *agent;
    void *failed = NULL;
    uint32_t outcome = 0;
    clear_folder();
    world.reached = 0;
    agent = open_agent();
    CHECK(pthread_create(&thread, NULL, runs, agent) == 0);
    usleep(300000); /* it sleeps by now, or will not begin */
    laps_agent_stop(agent);
    CHECK(pthread_join(thread, &failed) == 0 && failed == NULL);
    OK(laps_agent_run_once(agent, false, &outcome));
    CHECK(outcome == LAPS_OUTCOME_NOT_COMMITTED || outcome == LAPS_OUTCOME_UNREACHABLE);
    laps_agent_free(agent);
}

static void a_child_process_has_no_agent(void) {
    laps_agent *agent;
    pid_t child;
    int status = 0;
    clear_folder();
    agent = open_agent();
    child = fork();
    if (child == 0) {
        uint32_t outcome = 0;
        /* By a signal: valgrind has a word of its own in how a process exits that freed nothing. */
        if (laps_agent_run_once(agent, false, &outcome) == LAPS_STATUS_INVALID_ARGUMENT) kill(getpid(), SIGKILL);
        _exit(1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    laps_agent_free(agent);
}
#endif

void test_agent(void) {
    OK(laps_reader_parse(LAPS_TEXT("laps-reader-1 x25519 db0208f198fe94bd8e39761bd1847a0c6d73ad4d5fdd61f5ae734187e5f4b97a "
                                   "VGq2/gUzZm9Ct/mrkzw2geXPvKLBSKW+2zfJM/HJhDQ= helpdesk"),
                         &helpdesk));
    options_that_lack_something_say_what();
    a_vault_that_is_not_reached_changes_nothing();
    a_refused_policy_is_none_to_go_by();
    an_agent_that_is_stopped_ends_and_a_call_within_a_call_is_refused();
#ifndef _WIN32
    another_thread_ends_a_run();
    a_child_process_has_no_agent();
#endif
#ifdef LAPS_FULL
    with_a_vault();
#endif
    laps_reader_free(helpdesk);
}
