/* The heap: no growth over a million calls, and one allocation for an object that is handed out.
 *
 * malloc and its like are the program's own here, so every block that the library takes is seen: the Rust of it allocates
 * through them (so -fno-builtin). After a warm-up the blocks and bytes in use are the same before and after, exactly. usage: heap [CALLS]
 */
#include <errno.h>
#include <malloc.h>

#include "check.h"

unsigned long checks = 0;

/* glibc's own, behind ours. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

/* One thread: no lock. */
static unsigned long allocations;
static long blocks, block_bytes;

static void *seen(void *memory) {
    if (memory != NULL) {
        allocations++;
        blocks++;
        block_bytes += (long)malloc_usable_size(memory);
    }
    return memory;
}
static void gone(void *memory) {
    if (memory != NULL) {
        blocks--;
        block_bytes -= (long)malloc_usable_size(memory);
    }
}
void *malloc(size_t size) { return seen(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return seen(__libc_calloc(count, size)); }
void *realloc(void *memory, size_t size) {
    gone(memory);
    return seen(__libc_realloc(memory, size));
}
void *memalign(size_t alignment, size_t size) { return seen(__libc_memalign(alignment, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **out, size_t alignment, size_t size) {
    *out = memalign(alignment, size);
    return *out == NULL ? ENOMEM : 0;
}
void free(void *memory) {
    gone(memory);
    __libc_free(memory);
}

static const char policy_text[] = "{\"BackupDirectory\":1,\"AdministratorAccountName\":\"Admin\",\"PasswordLength\":20}";
static const uint64_t now = 1700000000;

static laps_policy *policy;
static laps_recipe *recipe;
static laps_generator *generator;
static laps_reader *reader;
static laps_config *config;
static uint8_t state[65536];
static size_t state_len;

/* What a process does in a long life, and how many calls of the library it took. */
static unsigned long ordinary(unsigned long turn) {
    char text[LAPS_PASSWORD_MAX_LEN + 1], places[4][32];
    uint16_t units[LAPS_PASSWORD_MAX_LEN + 1];
    size_t len = 0;
    unsigned long calls = 0;
    laps_password *password = NULL;
    laps_violations *violations = NULL;
    laps_policy *again = NULL;
#define CALL(call) (calls++, call)
    OK(CALL(laps_generator_password(generator, recipe, &password)));
    OK(CALL(laps_password_copy_utf8(password, text, sizeof text, &len)));
    OK(CALL(laps_password_copy_utf16(password, units, sizeof units / sizeof *units, &len)));
    OK(CALL(laps_generator_passwords(generator, recipe, &places[0][0], sizeof places[0], 4)));
    OK(CALL(laps_recipe_check(recipe, text, len, &violations)));
    CHECK(CALL(laps_violations_count(violations)) == 0);
    CALL(laps_violations_free(violations));
    CALL(laps_password_free(password));
    /* failures too, and their words */
    CHECK(CALL(laps_policy_read((const uint8_t *)"{\"PasswordLength\":7}", 20, &again)) == LAPS_STATUS_POLICY_REFUSED);
    CHECK(CALL(laps_password_copy_utf8(NULL, text, sizeof text, &len)) == LAPS_STATUS_NULL_ARGUMENT);
    CHECK(strlen(CALL(laps_last_error())) > 0);
    if (turn % 16 == 0) { /* a rotation goes on from its state, fails to reach the vault, and is saved */
        laps_rotation *rotation = NULL;
        laps_event *event = NULL;
        laps_bytes *bytes = NULL;
        OK(CALL(laps_rotation_resume(config, state, state_len, NULL, now, &rotation)));
        OK(CALL(laps_rotation_check_in(rotation, generator, &bytes)));
        CALL(laps_bytes_free(bytes));
        OK(CALL(laps_rotation_handle_check_in_failed(rotation, generator, now)));
        while (CALL(laps_rotation_poll_event(rotation, &event)) == LAPS_STATUS_OK) CALL(laps_event_free(event));
        OK(CALL(laps_rotation_state(rotation, &bytes)));
        OK(CALL(laps_rotation_handle_saved(rotation)));
        CALL(laps_bytes_free(bytes));
        CALL(laps_rotation_free(rotation));
    }
    if (turn % 64 == 0) { /* a password is sealed and its record read */
        laps_header *header = NULL;
        laps_record *record = NULL, *parsed = NULL;
        OK(CALL(laps_policy_read((const uint8_t *)policy_text, sizeof policy_text - 1, &again)));
        CALL(laps_policy_free(again));
        OK(CALL(laps_generator_password(generator, recipe, &password)));
        OK(CALL(laps_header_new(generator, LAPS_TEXT("pc-17"), LAPS_TEXT("Admin"), &header)));
        OK(CALL(laps_record_seal(header, password, (const laps_reader *const *)&reader, 1, generator, &record)));
        OK(CALL(laps_record_parse(laps_record_bytes(record), laps_record_len(record), &parsed)));
        CALL(laps_record_free(parsed));
        CALL(laps_record_free(record));
        CALL(laps_header_free(header));
        CALL(laps_password_free(password));
    }
    return calls;
}

/* What a call asks malloc for. */
#define ALLOCATIONS(expected, call)                   \
    do {                                              \
        unsigned long before_ = allocations;          \
        OK(call);                                     \
        CHECK(allocations - before_ == (expected));   \
    } while (0)

static void an_object_is_one_allocation_and_a_buffer_none(void) {
    laps_password *password = NULL, *same = NULL;
    laps_header *header = NULL;
    laps_accounts *accounts = NULL;
    laps_config *configuration = NULL;
    laps_policy *defaults = NULL;
    char text[LAPS_PASSWORD_MAX_LEN + 1], places[8][32];
    uint16_t units[LAPS_PASSWORD_MAX_LEN + 1];
    uint8_t hash[32];
    size_t len = 0;
    unsigned long before;

    ALLOCATIONS(1, laps_generator_password(generator, recipe, &password));
    ALLOCATIONS(0, laps_password_copy_utf8(password, text, sizeof text, &len));
    ALLOCATIONS(0, laps_password_copy_utf16(password, units, sizeof units / sizeof *units, &len));
    ALLOCATIONS(0, laps_generator_passwords(generator, recipe, &places[0][0], sizeof places[0], 8));
    ALLOCATIONS(0, laps_generator_reseed(generator));
    ALLOCATIONS(1, laps_password_from_utf8(text, strlen(text), &same));
    ALLOCATIONS(1, laps_header_new(generator, LAPS_TEXT("pc-17"), LAPS_TEXT("Admin"), &header));
    ALLOCATIONS(1, laps_accounts_new(&accounts));
    ALLOCATIONS(1, laps_config_new(policy, LAPS_TEXT("pc-17"), LAPS_TEXT("Admin"), &configuration));
    ALLOCATIONS(1, laps_policy_new_default(&defaults));
    ALLOCATIONS(0, laps_policy_hash(policy, hash));
    ALLOCATIONS(0, laps_policy_administrator_account_name(policy, text, sizeof text, &len));
    before = allocations; /* failures and their words */
    CHECK(laps_password_copy_utf8(password, text, 1, &len) == LAPS_STATUS_BUFFER_TOO_SMALL);
    CHECK(laps_password_from_utf8("\xff", 1, &same) == LAPS_STATUS_INVALID_UTF8);
    CHECK(allocations == before);
    laps_policy_free(defaults);
    laps_config_free(configuration);
    laps_accounts_free(accounts);
    laps_header_free(header);
    laps_password_free(same);
    laps_password_free(password);
}

int main(int argc, char **argv) {
    unsigned long wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000, calls = 0, turn;
    laps_rotation *rotation = NULL;
    laps_bytes *bytes = NULL;
    long blocks_before, bytes_before;
    void *volatile leak; /* or the compiler leaves it out */

    OK(laps_policy_read((const uint8_t *)policy_text, sizeof policy_text - 1, &policy));
    OK(laps_policy_recipe(policy, &recipe));
    OK(laps_generator_new(&generator));
    OK(laps_reader_parse(LAPS_TEXT("laps-reader-1 x25519 db0208f198fe94bd8e39761bd1847a0c6d73ad4d5fdd61f5ae734187e5f4b97a "
                                   "VGq2/gUzZm9Ct/mrkzw2geXPvKLBSKW+2zfJM/HJhDQ= helpdesk"),
                         &reader));
    OK(laps_config_new(policy, LAPS_TEXT("pc-17"), LAPS_TEXT("Admin"), &config));
    OK(laps_rotation_new(config, now, &rotation));
    OK(laps_rotation_state(rotation, &bytes));
    state_len = laps_bytes_len(bytes);
    CHECK(state_len <= sizeof state);
    memcpy(state, laps_bytes_data(bytes), state_len);
    laps_bytes_free(bytes);
    laps_rotation_free(rotation);

    for (turn = 0; turn < 256; turn++) ordinary(turn); /* what is made once is made */
    an_object_is_one_allocation_and_a_buffer_none();
    blocks_before = blocks;
    bytes_before = block_bytes;
    CHECK(blocks_before > 0);
    for (turn = 0; calls < wanted; turn++) calls += ordinary(turn);
    CHECK(blocks == blocks_before && block_bytes == bytes_before);
    leak = malloc(1); /* the measure sees a single small leak */
    CHECK(leak != NULL && blocks == blocks_before + 1 && block_bytes > bytes_before);
    free(leak);
    printf("no heap growth over %lu calls, which asked for %lu blocks: %ld blocks of %ld bytes before and after\n", calls,
           allocations, blocks_before, bytes_before);

    laps_config_free(config);
    laps_reader_free(reader);
    laps_generator_free(generator);
    laps_recipe_free(recipe);
    laps_policy_free(policy);
    return 0;
}
