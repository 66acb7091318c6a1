/* What the program made by fuzz_calls.py draws its arguments from. */

static uint64_t touched, made_calls, failed_calls, panics, poisoned_calls;

static uint64_t random_state = 1;
static uint64_t rnd64(void) { /* xorshift64*: repeatable */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717u;
}
static uint64_t rnd(uint64_t below) { return rnd64() % below; }
#define PICK(...) (((const uint64_t[]){__VA_ARGS__})[rnd(sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))])

/* A block of exactly this many bytes; what lies beside it is poisoned memory. Filled with 0x5A. */
static void *block(size_t size) {
    void *memory = malloc(size);
    CHECK(memory != NULL);
    memset(memory, 0x5A, size);
    return memory;
}
static int untouched(const void *memory, size_t size) {
    size_t i;
    for (i = 0; memory != NULL && i < size; i++)
        if (((const uint8_t *)memory)[i] != 0x5A) return 0;
    return 1;
}

/* What a sequence made, by type; beside it stands one clean object of every type. */
struct slot {
    void *object;
    int poisoned; /* saw a panic */
};
#define SLOTS 12
static struct slot pool[TYPES][SLOTS];
static int clean_poisoned[TYPES];

/* The objects of the call that is being made. */
static int *flags[64];
static unsigned used;

static void use(int *flag) {
    if (used < 64) flags[used++] = flag;
}

/* NULL, the clean object, or one of the sequence. */
static void *take(int type) {
    size_t at = (size_t)rnd(SLOTS), tries;
    struct slot *slot = &pool[type][at];
    if (rnd(16) == 0) return NULL;
    for (tries = 0; tries < SLOTS && slot->object == NULL && rnd(8); tries++) slot = &pool[type][at = (at + 1) % SLOTS];
    if (slot->object != NULL) {
        use(&slot->poisoned);
        return slot->object;
    }
    use(&clean_poisoned[type]);
    return *clean[type];
}

static void *take_free(int type) {
    struct slot *slot = &pool[type][rnd(SLOTS)];
    void *object = slot->object;
    slot->object = NULL;
    return object;
}

static void remember(const uint8_t *bytes, size_t len);

static void keep(int type, void *out) {
    struct slot *slot = &pool[type][rnd(SLOTS)];
    void *object;
    memcpy(&object, out, sizeof object);
    CHECK(object != NULL);
    if (slot->object != NULL) end[type](slot->object);
    slot->object = object;
    slot->poisoned = 0;
    if (type == T_laps_bytes) remember(laps_bytes_data(object), laps_bytes_len(object));
    if (type == T_laps_record) remember(laps_record_bytes(object), laps_record_len(object));
}

static void **draw_array(int type, size_t *count) {
    size_t i;
    void **array;
    *count = (size_t)(rnd(8) ? 1 + rnd(3) : rnd(18));
    array = block(*count * sizeof *array);
    for (i = 0; i < *count; i++) array[i] = take(type);
    return array;
}

/* Bytes that calls gave out: states, messages, records, key files. They come back as inputs. */
static struct {
    uint8_t bytes[8192];
    size_t len;
} blobs[16];
static void remember(const uint8_t *bytes, size_t len) {
    size_t at = (size_t)rnd(16), i;
    for (i = 0; i < len; i++) touched += bytes[i];
    if (len > sizeof blobs[at].bytes) len = sizeof blobs[at].bytes;
    if (len > 0) memcpy(blobs[at].bytes, bytes, len);
    blobs[at].len = len;
}

/* An input: the valid one, a damaged or random one, none, or one of a length that no memory has. */
static void *draw_input(const void *valid, size_t valid_len, size_t unit, size_t *len, void **to_free) {
    uint8_t *memory;
    size_t i, blob = (size_t)rnd(16);
    *to_free = NULL;
    switch (rnd(24)) {
    case 0: *len = 0; return NULL;
    case 1: *len = 1 + (size_t)rnd(9); return NULL;
    case 2: *len = SIZE_MAX - (size_t)rnd(9); return *to_free = block(1);
    case 3: *len = (SIZE_MAX >> 1) / unit + 1 + (size_t)rnd(3); return *to_free = block(1);
    case 4: /* random */
        *len = (size_t)rnd(64);
        memory = *to_free = block(*len * unit);
        for (i = 0; i < *len * unit; i++) memory[i] = (uint8_t)rnd64();
        return memory;
    case 5:
    case 6:
    case 7:
        *len = blobs[blob].len / unit;
        memory = *to_free = block(*len * unit);
        memcpy(memory, blobs[blob].bytes, *len * unit);
        break;
    default:
        *len = valid_len;
        memory = *to_free = block(*len * unit);
        memcpy(memory, valid, *len * unit);
        if (rnd(6)) return memory;
    }
    if (*len == 0 || rnd(3) == 0) return memory;
    if (rnd(2)) {
        memory[rnd(*len * unit)] ^= (uint8_t)(1u << rnd(8));
    } else {
        size_t less = (size_t)rnd(*len);
        uint8_t *shorter = block(less * unit);
        memcpy(shorter, memory, less * unit);
        free(memory);
        *len = less;
        memory = *to_free = shorter;
    }
    return memory;
}

static void *draw_path(const char *valid, size_t valid_len, size_t unit, size_t *len, void **to_free) {
    void *memory;
    (void)unit;
    *to_free = NULL;
    *len = 0;
    if (rnd(8) == 0) return NULL;
    *len = valid_len;
    memory = *to_free = block(valid_len);
    memcpy(memory, valid, valid_len);
    return memory;
}

/* Mostly none: scrypt is slow by design. */
static void *draw_passphrase(const void *valid, size_t valid_len, size_t unit, size_t *len, void **to_free) {
    if (rnd(100) == 0) return draw_input(valid, valid_len, unit, len, to_free);
    *to_free = NULL;
    *len = 0;
    return NULL;
}

static uint64_t draw_number(uint64_t valid) {
    switch (rnd(10)) {
    case 0: return rnd(20);
    case 1: return PICK(0, 1, 127, 128, 255, 256, 65535, 65536, 4294967295u, UINT64_MAX, UINT64_MAX >> 1);
    case 2: return valid + rnd(200000); /* later */
    default: return valid;
    }
}

static size_t buffer_size(void) { return (size_t)(rnd(3) ? PICK(0, 1, 2, 5, 14, 15, 65, 129) : 4096); }

static void *draw_out(size_t size) { return rnd(20) ? block(size) : NULL; }

/* A panic at one of the next points, now and then. */
static int armed;
static void arm(void) {
    made_calls++;
    armed = rnd(24) == 0;
    laps_test_panic(armed ? (int32_t)rnd(6) : -1);
}
/* Whether it happened. */
static int disarm(void) {
    unsigned i;
    int happened = armed && laps_test_panic(-1) < 0;
    laps_test_panic(-1);
    if (happened) {
        panics++;
        for (i = 0; i < used; i++) *flags[i] = 1;
    }
    return happened;
}

static uint64_t succeeded[CALLS]; /* by function */

static void judge(int number, const char *name, laps_status status) {
    int happened = disarm(), seen = 0;
    unsigned i;
    for (i = 0; i < used; i++) seen |= *flags[i];
    if (status != LAPS_STATUS_OK) {
        failed_calls++;
        if (strcmp(laps_status_message(status), "unknown status") == 0 || laps_last_error()[0] == '\0' ||
            (status == LAPS_STATUS_INTERNAL) != happened || (status == LAPS_STATUS_POISONED && !seen)) {
            fprintf(stderr, "%s answered %d: %s\n", name, (int)status, laps_last_error());
            abort();
        }
        poisoned_calls += status == LAPS_STATUS_POISONED;
    } else {
        CHECK(!happened);
        succeeded[number]++;
    }
}

static void look_at_buffer(const void *buffer, size_t len, size_t unit, const size_t *out_len, laps_status status) {
    static const uint8_t zeros[8];
    if (status == LAPS_STATUS_OK) {
        CHECK(*out_len < len);
        CHECK(memcmp((const uint8_t *)buffer + *out_len * unit, zeros, unit) == 0);
    } else {
        CHECK(untouched(buffer, len * unit));
        if (status == LAPS_STATUS_BUFFER_TOO_SMALL)
            CHECK(*out_len > len);
        else
            CHECK(untouched(out_len, sizeof *out_len));
    }
}
