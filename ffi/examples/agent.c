/* The agent of a device: laps_agent has all of it, a way to the vault excepted.
 *
 *   agent [--stay] POLICY STATE DEVICE STORE READER VAULT
 *
 * POLICY is a policy document, which may change while the agent runs; STATE the folder of its state; STORE its accounts: linux,
 * windows, command:CMD, or file:PATH, an "account" for trying it out; READER a file with a reader's line of text; VAULT a vault
 * file that stands for your server: put your transport into channel(). Without --stay a single run does what is due and ends:
 * 0 nothing due or committed, 3 policy refused and none accepted before, 4 no such account, 7 the vault was not reached or
 * another agent runs, 8 a rotation was due and is not committed. For an agent that goes its own steps see rotation.c.
 */
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "account_file.h"

static const char *device;
static laps_agent *agent;

/* Brings a check-in to the vault and its answer back. Your transport goes here; it authenticates the device. */
static laps_status channel(void *vault, const uint8_t *check_in, size_t len, laps_bytes **out_answer) {
    return laps_vault_check_in((laps_vault *)vault, device, strlen(device), check_in, len, (uint64_t)time(NULL), out_answer);
}

static void on_event(void *log, const laps_event *event) {
    fprintf((FILE *)log, "%s\n", laps_event_json(event));
    fflush((FILE *)log);
}

static void stop(int signal_number) {
    (void)signal_number;
    laps_agent_stop(agent);
}

/* A process that ends anywhere loses no password; nothing is to be undone. */
static void must(laps_status status) {
    if (status == LAPS_STATUS_OK) return;
    fprintf(stderr, "agent: %s\n", laps_last_error());
    exit(status == LAPS_STATUS_POLICY_REFUSED ? 3 : status == LAPS_STATUS_BUSY ? 7 : 1);
}

int main(int argc, char **argv) {
    static const int exit_status[] = {1, 0, 0, 8, 4, 7}; /* of LAPS_OUTCOME_* */
    const int stay = argc > 1 && strcmp(argv[1], "--stay") == 0;
    laps_agent_options *options = NULL;
    laps_reader *reader = NULL;
    laps_vault *vault = NULL;
    uint32_t outcome = LAPS_OUTCOME_NOTHING_DUE;
    char line[8192];
    size_t len = 0;
    FILE *file;
    if (argc - stay != 7) return fprintf(stderr, "usage: agent [--stay] POLICY STATE DEVICE STORE READER VAULT\n"), 2;
    argv += stay;
    device = argv[3];
    if ((file = fopen(argv[5], "rb")) != NULL) {
        len = fread(line, 1, sizeof line, file);
        fclose(file);
    }
    must(laps_reader_parse(line, len, &reader));
    must(laps_vault_open(argv[6], strlen(argv[6]), NULL, 0, &vault));
    must(laps_agent_options_new(device, strlen(device), argv[2], strlen(argv[2]), &options));
    must(laps_agent_options_add_policy_file(options, argv[1], strlen(argv[1])));
    must(laps_agent_options_set_readers(options, (const laps_reader *const *)&reader, 1));
    must(strncmp(argv[4], "file:", 5) == 0 ? laps_agent_options_set_account_calls(options, &account_file, argv[4] + 5)
                                           : laps_agent_options_set_store(options, argv[4], strlen(argv[4])));
    must(laps_agent_options_set_channel(options, channel, vault));
    must(laps_agent_options_set_on_event(options, on_event, stdout));
    must(laps_agent_open(options, &agent));
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    must(stay ? laps_agent_run(agent, 3600) : laps_agent_run_once(agent, false, &outcome));
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    laps_agent_free(agent);
    laps_agent_options_free(options);
    laps_vault_free(vault);
    laps_reader_free(reader);
    return exit_status[outcome];
}
