/* The world of an agent under test: what its account and its vault do, and what was seen of them. */
#ifndef AGENT_H
#define AGENT_H

#include "check.h"

#define FOLDER "agent.state"
#define ACCOUNT "agent.account"
#define POLICY "{\"BackupDirectory\":1,\"AdministratorAccountName\":\"Admin\"}"

/* The world of a device. The account's password is in a file, so that it outlives a process. */
struct world {
    uint32_t seen;    /* what a look at the account finds */
    uint32_t applied; /* what setting it answers; anything but a success leaves it alone */
    int reached;      /* whether the vault can be reached */
    int exchanges, sets, told;
    int dies_before, dies_after; /* the number of the set, or of the exchange below 0, at which the process ends */
    const char *wanted;          /* the event to be waited for, and whether it was told */
    int wanted_told;
    laps_agent *stops; /* is stopped when an event is told */
    laps_status inside;
};
extern struct world world;

extern laps_reader *helpdesk;
#ifdef LAPS_FULL
extern laps_vault *device_vault;
void with_a_vault(void);
#endif

void clear_folder(void);
size_t held(char *text, size_t size);
laps_agent_options *options(const laps_reader *const *readers, size_t reader_count);
laps_agent *open_with(const laps_reader *reader);
laps_agent *open_agent(void);
int status_has(const char *text);

#endif
