/* The vault of answers.c and adopting.c, whose devices no agent manages. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "check.h"

#ifndef LAPS_AGENT

enum { NOW = 1700000000, MANY = 201 };

#define PATH "answers.vault"
#define WHO LAPS_TEXT("anna"), LAPS_TEXT("ticket 4711"), NOW

extern laps_generator *generator;
extern laps_reader_key *key;
extern laps_reader *reader, *second;
extern laps_vault *vault;
extern laps_metadata *metadata;

void remove_file(const char *path);
void open_vault(void);
void close_vault(void);
/* A device with one record. */
void add_device(const char *device);
int is(const laps_rows *rows, size_t index, uint32_t field, const char *expected);
/* How many entries the trail has. */
uint64_t entries(void);

void passwords_of_another_directory_are_taken_in(void);

#endif

#endif
