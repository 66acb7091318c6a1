/* Signed reader sets: a device takes its readers from them. */
#include "check.h"

/* The vector x25519_set of core/tests/seal/vectors. */
#define AUTHORITY                                                                                              \
    "laps-signer-1 ed25519 d6ae442d0b4dff096714330c9aa39e404a5b102e2f3fda941d58604fe1c55b9f "                  \
    "rUp6VvYS6xiejMeUNNpMiDucQb2kiusR+tklQqyiEPM= Authority"

static const char set_text[] =
    "laps-reader-set-1\n"
    "scope contoso\n"
    "version 2\n"
    "authority d6ae442d0b4dff096714330c9aa39e404a5b102e2f3fda941d58604fe1c55b9f\n"
    "laps-reader-1 x25519 72ac87bdd00a42413a6418df0a818ebec585e68c69a2fb45fe74810a010a245c sc8eg/5y+mqLVBdoNBWR/lFOrIvA4R0U8LgXXGYt7EU= Reader a\n"
    "laps-reader-1 x25519 c05f98871e1a189be3ec215a7174cfe1837fd05e9dc10538e55adf3f2932d754 6Rhhyl6DEdjMxjPVEAtNch6j9yxzhRdQvDF9djhAqVo= Reader b\n"
    "signature LOei7ZThE/aBbyuDbx/bhvz5g7u0xdpUCIke/IxZAtSUMTLVFpz9HUE/rpHxttGKCDrzrkxqhcrk6XXmegHsDw==\n";

static laps_signer *authority;

static laps_status verify(const char *text, size_t len, const char *scope, const uint8_t *in_force,
                          laps_reader_set **out_set) {
    return laps_reader_set_verify((const uint8_t *)text, len, authority, scope, strlen(scope), in_force, out_set);
}

static void an_authority_is_one_line_of_text(void) {
    laps_signer *none = NULL;
    char text[256];
    size_t len = 0;
    OK(laps_signer_text(authority, text, sizeof text, &len));
    CHECK(strcmp(text, AUTHORITY) == 0);
    CHECK(laps_signer_parse(LAPS_TEXT("laps-signer-1 ed25519"), &none) != LAPS_STATUS_OK && none == NULL);
}

static void a_signed_set_gives_its_readers(void) {
    laps_reader_set *set = NULL;
    laps_reader *first = NULL, *second = NULL, *none = NULL;
    char name[64];
    uint8_t head[40];
    size_t len = 0;
    OK(verify(set_text, sizeof set_text - 1, "contoso", NULL, &set));
    CHECK(laps_reader_set_version(set) == 2 && laps_reader_set_count(set) == 2);
    OK(laps_reader_set_reader(set, 0, &first));
    OK(laps_reader_set_reader(set, 1, &second));
    CHECK_STATUS(LAPS_STATUS_INVALID_ARGUMENT, laps_reader_set_reader(set, 2, &none));
    CHECK(none == NULL);
    OK(laps_reader_set_head(set, head));
    laps_reader_set_free(set);
    OK(laps_reader_name(first, name, sizeof name, &len)); /* it outlives the set */
    CHECK(strcmp(name, "Reader a") == 0);
    OK(laps_reader_name(second, name, sizeof name, &len));
    CHECK(strcmp(name, "Reader b") == 0);
    laps_reader_free(first);
    laps_reader_free(second);
    CHECK(head[7] == 2); /* the version, big-endian, and a hash */
    set = NULL;
    OK(verify(set_text, sizeof set_text - 1, "contoso", head, &set)); /* the same set again */
    laps_reader_set_free(set);
}

static void what_is_older_or_not_signed_is_refused(void) {
    laps_reader_set *set = NULL;
    laps_signer *right = authority;
    char changed[sizeof set_text];
    uint8_t newer[40] = {0, 0, 0, 0, 0, 0, 0, 3}, other[40] = {0, 0, 0, 0, 0, 0, 0, 2};
    size_t i;
    CHECK_STATUS(LAPS_STATUS_READER_SET_REFUSED, verify(set_text, sizeof set_text - 1, "contoso", newer, &set));
    CHECK(strstr(laps_last_error(), "older") != NULL);
    CHECK_STATUS(LAPS_STATUS_READER_SET_REFUSED, verify(set_text, sizeof set_text - 1, "contoso", other, &set));
    CHECK_STATUS(LAPS_STATUS_READER_SET_REFUSED, verify(set_text, sizeof set_text - 1, "", NULL, &set));
    authority = NULL;
    OK(laps_signer_parse(LAPS_TEXT("laps-signer-1 ed25519 "
                                   "0bcc5fc7dc7c1fca6fc41443e782cc637e807ae0b2a626ec2ba46ad90ee95644 "
                                   "3kGvnjrJ7WQqNi3E30jAT9HnXm78YG92bW397Hkp8G0= Authority"),
                         &authority));
    CHECK_STATUS(LAPS_STATUS_READER_SET_REFUSED, verify(set_text, sizeof set_text - 1, "contoso", NULL, &set));
    laps_signer_free(authority);
    authority = right;
    for (i = 0; i < sizeof set_text - 1; i++) { /* no changed character passes, and no set that was cut */
        memcpy(changed, set_text, sizeof set_text);
        changed[i] ^= 1;
        CHECK(verify(changed, sizeof changed - 1, "contoso", NULL, &set) != LAPS_STATUS_OK);
        CHECK(i == sizeof set_text - 2 || verify(set_text, i, "contoso", NULL, &set) != LAPS_STATUS_OK);
    }
    CHECK(set == NULL);
}

#ifdef LAPS_FULL
static void a_set_is_signed_sealed_to_and_replaced(void) {
    laps_generator *generator = NULL;
    laps_signer_key *key = NULL, *again = NULL;
    laps_signer *signer = NULL;
    laps_reader_key *reader_key = NULL;
    laps_reader *reader = NULL;
    laps_reader_set *set = NULL;
    laps_bytes *file = NULL, *first = NULL, *second = NULL;
    uint8_t head[40];
    OK(laps_generator_new(&generator));
    OK(laps_signer_key_new(generator, LAPS_TEXT("authority"), &key));
    OK(laps_signer_key_to_file(key, NULL, 0, generator, &file));
    OK(laps_signer_key_from_file(laps_bytes_data(file), laps_bytes_len(file), NULL, 0, &again));
    OK(laps_signer_key_signer(again, &signer));
    OK(laps_reader_key_new(generator, LAPS_SUITE_X25519, LAPS_TEXT("help desk"), &reader_key));
    OK(laps_reader_key_reader(reader_key, &reader));
    OK(laps_signer_key_sign_readers(key, NULL, 0, 1, (const laps_reader *const *)&reader, 1, &first));
    OK(laps_signer_key_sign_readers(again, NULL, 0, 2, (const laps_reader *const *)&reader, 1, &second));
    OK(laps_reader_set_verify(laps_bytes_data(second), laps_bytes_len(second), signer, NULL, 0, NULL, &set));
    OK(laps_reader_set_head(set, head));
    laps_reader_set_free(set);
    set = NULL;
    CHECK_STATUS(LAPS_STATUS_READER_SET_REFUSED, laps_reader_set_verify(laps_bytes_data(first), laps_bytes_len(first),
                                                                        signer, NULL, 0, head, &set));
    CHECK(set == NULL);
    laps_bytes_free(second);
    second = NULL;
    CHECK(laps_signer_key_sign_readers(key, NULL, 0, 0, (const laps_reader *const *)&reader, 1, &second) !=
          LAPS_STATUS_OK);
    CHECK(laps_signer_key_sign_readers(key, NULL, 0, 1, NULL, 0, &second) != LAPS_STATUS_OK && second == NULL);
    laps_bytes_free(first);
    laps_bytes_free(file);
    laps_reader_free(reader);
    laps_reader_key_free(reader_key);
    laps_signer_free(signer);
    laps_signer_key_free(again);
    laps_signer_key_free(key);
    laps_generator_free(generator);
}
#endif

void test_readers(void) {
    OK(laps_signer_parse(LAPS_TEXT(AUTHORITY), &authority));
    an_authority_is_one_line_of_text();
    a_signed_set_gives_its_readers();
    what_is_older_or_not_signed_is_refused();
#ifdef LAPS_FULL
    a_set_is_signed_sealed_to_and_replaced();
#endif
    laps_signer_free(authority);
    authority = NULL;
}
