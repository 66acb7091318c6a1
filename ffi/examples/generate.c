/* Makes a password as a policy asks for, and says how strong such passwords are.
 *
 *   cc generate.c -llaps -o generate && ./generate policy.json
 */
#include <stdio.h>
#include <stdlib.h>

#include <laps.h>

static void check(laps_status status) {
    if (status != LAPS_STATUS_OK) {
        fprintf(stderr, "generate: %s\n", laps_last_error());
        exit(status >= 64 && status < 96 ? 3 : 1);
    }
}

int main(int argc, char **argv) {
    static uint8_t document[65536];
    laps_policy *policy = NULL;
    laps_recipe *recipe = NULL;
    laps_generator *generator = NULL;
    laps_password *password = NULL;
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    size_t len = 0;
    uint64_t bits;
    FILE *file;

    if (argc != 2) {
        fprintf(stderr, "usage: generate POLICY\n");
        return 2;
    }
    file = fopen(argv[1], "rb");
    if (file == NULL) {
        perror(argv[1]);
        return 1;
    }
    len = fread(document, 1, sizeof document, file);
    fclose(file);

    check(laps_policy_read(document, len, &policy));
    check(laps_policy_recipe(policy, &recipe));
    check(laps_generator_new(&generator));
    check(laps_generator_password(generator, recipe, &password));
    check(laps_password_copy_utf8(password, text, sizeof text, &len));
    bits = laps_recipe_bits_micro(recipe);
    printf("%s\n", text);
    fprintf(stderr, "%u.%06u bits\n", (unsigned)(bits / 1000000), (unsigned)(bits % 1000000));

    laps_wipe(text, sizeof text); /* the one copy that is ours */
    laps_password_free(password);
    laps_generator_free(generator);
    laps_recipe_free(recipe);
    laps_policy_free(policy);
    return 0;
}
