/* laps.dll is loaded and unloaded again and again, by several threads at once, from a working directory that is not its
 * own, and its version resource is read back.
 *
 *   load DLL BUILD VERSION
 */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAPS_STATIC /* nothing is imported; every function is looked up */
#include <laps.h>

#define CHECK(condition)                                                                                  \
    do {                                                                                                  \
        if (!(condition)) {                                                                               \
            fprintf(stderr, "load.c:%d: %s (error %lu)\n", __LINE__, #condition, (unsigned long)GetLastError()); \
            exit(1);                                                                                      \
        }                                                                                                 \
    } while (0)

enum { ROUNDS = 100, THREADS = 8 };

static const char *dll, *version;

/* A function of the library, by its name. */
static void find(HMODULE module, const char *name, void *function) {
    FARPROC found = GetProcAddress(module, name);
    CHECK(found != NULL);
    memcpy(function, &found, sizeof found);
}

/* Loads, makes a password, fails once (the thread gets a last error), unloads. */
static void use(void) {
    const char *(*text)(void);
    const char *(*last_error)(void);
    laps_status (*recipe_new)(uint8_t, uint8_t, laps_recipe **);
    laps_status (*generator_new)(laps_generator **);
    laps_status (*make)(laps_generator *, const laps_recipe *, laps_password **);
    size_t (*len)(const laps_password *);
    void (*recipe_free)(laps_recipe *);
    void (*generator_free)(laps_generator *);
    void (*password_free)(laps_password *);
    laps_recipe *recipe = NULL, *none = NULL;
    laps_generator *generator = NULL;
    laps_password *password = NULL;
    HMODULE module = LoadLibraryA(dll);
    CHECK(module != NULL);
    find(module, "laps_version", &text);
    find(module, "laps_last_error", &last_error);
    find(module, "laps_recipe_new", &recipe_new);
    find(module, "laps_generator_new", &generator_new);
    find(module, "laps_generator_password", &make);
    find(module, "laps_password_len", &len);
    find(module, "laps_recipe_free", &recipe_free);
    find(module, "laps_generator_free", &generator_free);
    find(module, "laps_password_free", &password_free);
    CHECK(strcmp(text(), version) == 0);
    CHECK(recipe_new(4, 14, &recipe) == LAPS_STATUS_OK && generator_new(&generator) == LAPS_STATUS_OK);
    CHECK(make(generator, recipe, &password) == LAPS_STATUS_OK && len(password) == 14);
    CHECK(recipe_new(99, 14, &none) != LAPS_STATUS_OK && none == NULL && strstr(last_error(), "99") != NULL);
    password_free(password);
    generator_free(generator);
    recipe_free(recipe);
    CHECK(FreeLibrary(module));
}

static DWORD WINAPI work(void *unused) {
    int i;
    (void)unused;
    for (i = 0; i < ROUNDS; i++) use();
    return 0;
}

static void the_resource_tells_version_and_build(const char *build) {
    DWORD handle = 0, size = GetFileVersionInfoSizeA(dll, &handle);
    void *block = malloc(size);
    VS_FIXEDFILEINFO *fixed = NULL;
    char *text = NULL, number[32];
    UINT len = 0;
    CHECK(size > 0 && block != NULL && GetFileVersionInfoA(dll, 0, size, block));
    CHECK(VerQueryValueA(block, "\\", (void **)&fixed, &len) && len == sizeof *fixed);
    snprintf(number, sizeof number, "%u.%u.%u", HIWORD(fixed->dwFileVersionMS), LOWORD(fixed->dwFileVersionMS),
             HIWORD(fixed->dwFileVersionLS));
    CHECK(strcmp(number, version) == 0);
    CHECK(VerQueryValueA(block, "\\StringFileInfo\\040904B0\\ProductVersion", (void **)&text, &len));
    CHECK(strcmp(text, version) == 0);
    CHECK(VerQueryValueA(block, "\\StringFileInfo\\040904B0\\FileDescription", (void **)&text, &len));
    CHECK(strstr(text, build) != NULL);
    free(block);
}

int main(int argc, char **argv) {
    HANDLE threads[THREADS];
    int i;
    CHECK(argc == 4);
    dll = argv[1];
    version = argv[3];
    the_resource_tells_version_and_build(argv[2]);
    CHECK(SetCurrentDirectoryA("C:\\"));
    for (i = 0; i < ROUNDS; i++) {
        use();
        CHECK(GetModuleHandleA("laps.dll") == NULL); /* it is gone */
    }
    for (i = 0; i < THREADS; i++) CHECK((threads[i] = CreateThread(NULL, 0, work, NULL, 0, NULL)) != NULL);
    for (i = 0; i < THREADS; i++) {
        CHECK(WaitForSingleObject(threads[i], INFINITE) == WAIT_OBJECT_0);
        CloseHandle(threads[i]);
    }
    CHECK(GetModuleHandleA("laps.dll") == NULL);
    printf("loaded and unloaded %d times, %d of them by %d threads at once\n", ROUNDS * (THREADS + 1), ROUNDS * THREADS, THREADS);
    return 0;
}
