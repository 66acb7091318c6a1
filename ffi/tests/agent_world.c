/* The world around the example agent, for its test: a reader, a vault, an account that is a file.
 *
 *   agent_world init DIR      makes DIR/key, DIR/reader, DIR/vault
 *   agent_world order DIR     orders a new password
 *   agent_world check DIR     prints "holds" when a reader can get the password in DIR/password from the vault
 *   agent_world show DIR      prints what a reader gets from the vault, a password a line
 */
#include "check.h"

#include <time.h>

unsigned long checks = 0;

static uint8_t bytes[65536];
static char path[1024];

static const char *in(const char *folder, const char *name) {
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static size_t load(const char *name) {
    FILE *file = fopen(name, "rb");
    size_t len;
    if (file == NULL) return 0;
    len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return len;
}

static void store(const char *name, const void *content, size_t len) {
    FILE *file = fopen(name, "wb");
    CHECK(file != NULL);
    CHECK(fwrite(content, 1, len, file) == len && fclose(file) == 0);
}

static void init(const char *folder, uint64_t now) {
    laps_generator *generator = NULL;
    laps_reader_key *key = NULL;
    laps_reader *reader = NULL;
    laps_bytes *file = NULL;
    laps_vault *vault = NULL;
    char line[4096];
    size_t len = 0;
    OK(laps_generator_new(&generator));
    OK(laps_reader_key_new(generator, LAPS_SUITE_X_WING, LAPS_TEXT("help desk"), &key));
    OK(laps_reader_key_to_file(key, NULL, 0, generator, &file));
    store(in(folder, "key"), laps_bytes_data(file), laps_bytes_len(file));
    OK(laps_reader_key_reader(key, &reader));
    OK(laps_reader_text(reader, line, sizeof line, &len));
    store(in(folder, "reader"), line, len);
    in(folder, "vault");
    OK(laps_vault_init(path, strlen(path), NULL, 0, (const laps_reader *const *)&reader, 1, LAPS_TEXT("setup"), now,
                       &vault));
    laps_vault_free(vault);
    laps_bytes_free(file);
    laps_reader_free(reader);
    laps_reader_key_free(key);
    laps_generator_free(generator);
}

static void check(const char *folder, laps_vault *vault, uint64_t now, int show) {
    laps_reader_key *key = NULL;
    laps_password *held = NULL;
    laps_disclosure *disclosure = NULL;
    size_t i, count, len = load(in(folder, "password"));
    int found = 0;
    CHECK(show || len > 0);
    OK(laps_password_from_utf8((const char *)bytes, len, &held));
    len = load(in(folder, "key"));
    OK(laps_reader_key_from_file(bytes, len, NULL, 0, &key));
    OK(laps_vault_disclose(vault, LAPS_TEXT("pc-17"), LAPS_TEXT("anna"), LAPS_TEXT("test"), false, 0, now, &disclosure));
    count = laps_disclosure_count(disclosure);
    for (i = 0; i < count; i++) {
        laps_record *record = NULL;
        laps_password *password = NULL;
        OK(laps_disclosure_record(disclosure, i, &record));
        OK(laps_reader_key_open(key, record, &password, NULL));
        found |= laps_password_equal(password, held);
        if (show) {
            char text[LAPS_PASSWORD_MAX_LEN + 1];
            OK(laps_password_copy_utf8(password, text, sizeof text, &len));
            printf("%s\n", text);
            laps_wipe(text, sizeof text);
        }
        laps_password_free(password);
        laps_record_free(record);
    }
    CHECK(show || found);
    if (!show) puts("holds"); /* a program that was ended early may have status 0, too */
    laps_disclosure_free(disclosure);
    laps_reader_key_free(key);
    laps_password_free(held);
}

int main(int argc, char **argv) {
    uint64_t now = (uint64_t)time(NULL);
    laps_vault *vault = NULL;
    CHECK(argc == 3);
    if (strcmp(argv[1], "init") == 0) {
        init(argv[2], now);
        return 0;
    }
    in(argv[2], "vault");
    OK(laps_vault_open(path, strlen(path), NULL, 0, &vault));
    if (strcmp(argv[1], "order") == 0)
        OK(laps_vault_order_rotation(vault, LAPS_TEXT("pc-17"), LAPS_TEXT("anna"), LAPS_TEXT("test"), now));
    else
        check(argv[2], vault, now, strcmp(argv[1], "show") == 0);
    laps_vault_free(vault);
    return 0;
}
