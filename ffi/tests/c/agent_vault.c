/* The agent behind the C ABI with a vault: what it does, and what it never loses. */
#ifndef _WIN32
#define _DEFAULT_SOURCE
#endif
#include "agent.h"

#ifdef LAPS_FULL

#include <time.h>
#ifndef _WIN32
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

static laps_reader_key *key, *other_key;
static laps_reader *other;

static void make_vault(void) {
    remove("agent.vault");
    remove("agent.vault-wal");
    remove("agent.vault-shm");
    OK(laps_vault_init(LAPS_TEXT("agent.vault"), NULL, 0, (const laps_reader *const *)&helpdesk, 1, LAPS_TEXT("test"),
                       (uint64_t)time(NULL), &device_vault));
}

/* Whether the reader's key opens a record of the vault that holds the account's password. */
static int can_be_read(const laps_reader_key *with) {
    char text[LAPS_PASSWORD_MAX_LEN];
    laps_disclosure *disclosure = NULL;
    laps_password *ours = NULL;
    size_t i, len = held(text, sizeof text);
    int found = 0;
    OK(laps_password_from_utf8(text, len, &ours));
    OK(laps_vault_disclose(device_vault, LAPS_TEXT("pc-17"), LAPS_TEXT("anna"), LAPS_TEXT("test"), false, 0,
                           (uint64_t)time(NULL), &disclosure));
    for (i = 0; i < laps_disclosure_count(disclosure); i++) {
        laps_record *record = NULL;
        laps_password *password = NULL;
        OK(laps_disclosure_record(disclosure, i, &record));
        if (laps_reader_key_open(with, record, &password, NULL) == LAPS_STATUS_OK)
            found |= laps_password_equal(password, ours);
        laps_password_free(password);
        laps_record_free(record);
    }
    laps_disclosure_free(disclosure);
    laps_password_free(ours);
    return found;
}

static void run_once(laps_agent *agent, bool force, uint32_t expected) {
    uint32_t outcome = 0;
    OK(laps_agent_run_once(agent, force, &outcome));
    if (outcome != expected) fprintf(stderr, "the outcome is %u, not %u\n", (unsigned)outcome, (unsigned)expected);
    CHECK(outcome == expected);
}

static void it_rotates_once_and_goes_on_where_it_was(void) {
    laps_agent *agent;
    uint32_t outcome = 0;
    clear_folder();
    make_vault();
    agent = open_agent();
    world.wanted = "committed";
    run_once(agent, false, LAPS_OUTCOME_COMMITTED);
    CHECK(world.sets == 1 && world.wanted_told && can_be_read(key));
    run_once(agent, false, LAPS_OUTCOME_NOTHING_DUE);
    laps_agent_free(agent);
    agent = open_agent(); /* restarted */
    run_once(agent, false, LAPS_OUTCOME_NOTHING_DUE);
    OK(laps_agent_check_in(agent, &outcome));
    CHECK(outcome == LAPS_OUTCOME_NOTHING_DUE && world.sets == 1);
    run_once(agent, true, LAPS_OUTCOME_COMMITTED);
    CHECK(world.sets == 2 && can_be_read(key));
    CHECK(status_has("\"version\":2") && status_has("\"state\":\"settled\"") && status_has("\"account\":\"Admin\""));
    laps_agent_free(agent);
    laps_vault_free(device_vault);
}

static void a_refused_password_leaves_the_old_one(void) {
    laps_agent *agent;
    clear_folder();
    make_vault();
    agent = open_agent();
    run_once(agent, false, LAPS_OUTCOME_COMMITTED);
    world.applied = LAPS_APPLIED_REFUSED;
    world.wanted = "password-refused";
    run_once(agent, true, LAPS_OUTCOME_NOT_COMMITTED);
    CHECK(world.wanted_told && can_be_read(key));
    world.applied = LAPS_APPLIED_SUCCESS;
    run_once(agent, true, LAPS_OUTCOME_COMMITTED);
    CHECK(can_be_read(key));
    laps_agent_free(agent);
    laps_vault_free(device_vault);
}

static void a_missing_account_gets_no_password_until_it_is_there(void) {
    laps_agent *agent;
    clear_folder();
    make_vault();
    world.seen = LAPS_ACCOUNT_MISSING;
    agent = open_agent();
    run_once(agent, false, LAPS_OUTCOME_ACCOUNT_MISSING);
    CHECK(world.sets == 0 && status_has("\"account_missing\":true"));
    world.seen = LAPS_ACCOUNT_PRESENT;
    run_once(agent, false, LAPS_OUTCOME_COMMITTED);
    CHECK(world.sets == 1 && can_be_read(key));
    laps_agent_free(agent);
    laps_vault_free(device_vault);
}

static void a_removed_reader_costs_one_rotation(void) {
    const laps_reader *both[2];
    laps_agent_options *made;
    laps_agent *agent = NULL;
    clear_folder();
    make_vault();
    OK(laps_vault_add_reader(device_vault, other, LAPS_TEXT("anna"), LAPS_TEXT("test"), (uint64_t)time(NULL)));
    both[0] = helpdesk;
    both[1] = other;
    made = options(both, 2);
    OK(laps_agent_open(made, &agent));
    laps_agent_options_free(made);
    run_once(agent, false, LAPS_OUTCOME_COMMITTED);
    CHECK(can_be_read(key) && can_be_read(other_key));
    laps_agent_free(agent);
    agent = open_with(helpdesk);
    run_once(agent, false, LAPS_OUTCOME_COMMITTED);
    CHECK(world.sets == 2 && can_be_read(key) && !can_be_read(other_key));
    run_once(agent, false, LAPS_OUTCOME_NOTHING_DUE);
    laps_agent_free(agent);
    laps_vault_free(device_vault);
}

#ifndef _WIN32
/* Ends the process of an agent within one call of the store or the channel; then a reader has the password. */
static void killed(int before, int after) {
    int status = 0;
    pid_t child;
    clear_folder();
    make_vault();
    {
        laps_agent *agent = open_agent();
        run_once(agent, false, LAPS_OUTCOME_COMMITTED);
        laps_agent_free(agent);
    }
    laps_vault_free(device_vault); /* each process opens its own */
    child = fork();
    if (child == 0) {
        laps_agent *agent;
        uint32_t outcome = 0;
        world.sets = world.exchanges = 0;
        world.dies_before = before;
        world.dies_after = after;
        OK(laps_vault_open(LAPS_TEXT("agent.vault"), NULL, 0, &device_vault));
        agent = open_agent();
        OK(laps_agent_run_once(agent, true, &outcome));
        _exit(0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    if (!WIFSIGNALED(status)) fprintf(stderr, "it was to die before %d, after %d, and did not\n", before, after);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    OK(laps_vault_open(LAPS_TEXT("agent.vault"), NULL, 0, &device_vault));
    CHECK(can_be_read(key));
    {
        laps_agent *agent = open_agent();
        uint32_t outcome = 0;
        OK(laps_agent_run_once(agent, true, &outcome));
        CHECK(outcome == LAPS_OUTCOME_COMMITTED && can_be_read(key));
        laps_agent_free(agent);
    }
    laps_vault_free(device_vault);
}

static void an_agent_that_is_killed_loses_no_password(void) {
    int exchange;
    killed(1, 0); /* before the account is set, and after */
    killed(0, 1);
    for (exchange = 1; exchange <= 3; exchange++) { /* the token, the record, the commit */
        killed(-exchange, 0);
        killed(0, -exchange);
    }
}

/* The same through the command store: a program, by its name. */
static void the_command_store_is_named(void) {
    static const char program[] = "case $1 in\n"
                                  "exists) exit 0 ;;\n"
                                  "set) cat > " ACCOUNT " ;;\n"
                                  "verify) [ \"$(cat)\" = \"$(cat " ACCOUNT ")\" ] || exit 13 ;;\n"
                                  "*) exit 11 ;;\n"
                                  "esac\n";
    laps_agent_options *made;
    laps_agent *agent = NULL;
    FILE *file = fopen("agent-store.sh", "wb");
    CHECK(file != NULL && fwrite(program, 1, sizeof program - 1, file) == sizeof program - 1 && fclose(file) == 0);
    clear_folder();
    make_vault();
    made = options((const laps_reader *const *)&helpdesk, 1);
    OK(laps_agent_options_set_store(made, LAPS_TEXT("command:sh ./agent-store.sh")));
    OK(laps_agent_open(made, &agent));
    laps_agent_options_free(made);
    run_once(agent, false, LAPS_OUTCOME_COMMITTED);
    CHECK(world.sets == 0 && can_be_read(key));
    laps_agent_free(agent);
    laps_vault_free(device_vault);
}
#endif

void with_a_vault(void) {
    laps_generator *generator = NULL;
    OK(laps_generator_new(&generator));
    laps_reader_free(helpdesk);
    OK(laps_reader_key_new(generator, LAPS_SUITE_X25519, LAPS_TEXT("help desk"), &key));
    OK(laps_reader_key_reader(key, &helpdesk));
    OK(laps_reader_key_new(generator, LAPS_SUITE_X25519, LAPS_TEXT("other"), &other_key));
    OK(laps_reader_key_reader(other_key, &other));
    it_rotates_once_and_goes_on_where_it_was();
    a_refused_password_leaves_the_old_one();
    a_missing_account_gets_no_password_until_it_is_there();
    a_removed_reader_costs_one_rotation();
#ifndef _WIN32
    an_agent_that_is_killed_loses_no_password();
    the_command_store_is_named();
#endif
    laps_reader_free(other);
    laps_reader_key_free(other_key);
    laps_reader_key_free(key);
    laps_generator_free(generator);
}

#else

typedef int there_is_no_vault; /* a file of C is not empty */

#endif
