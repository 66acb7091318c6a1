/*
 * laps.h - passwords of local administrators: policy, generation, rotation, sealed records.
 * Made by cbindgen from the sources of the library; do not edit.
 *
 * THE CONTRACT holds for every function unless its comment says otherwise.
 *
 *   Names      laps_<type>_<verb>; the first parameter is the object.
 *   Status     A call that can fail answers a laps_status; LAPS_STATUS_OK is 0. After any other status nothing
 *              was written to an out parameter, except that LAPS_STATUS_BUFFER_TOO_SMALL writes the length
 *              that is needed. laps_status_message() has a line for every status; laps_last_error() says what
 *              this call found wrong, where, and what would be accepted. Calls that answer a number, a flag or
 *              a pointer answer 0, false or NULL where they cannot.
 *   Order      object, inputs, outputs. Pointers to const are inputs, out_* are outputs; there is no parameter
 *              that is both, except the object.
 *   Null       NULL where an object or an out parameter belongs: LAPS_STATUS_NULL_ARGUMENT. NULL with a length
 *              of 0 is an empty input, or an empty buffer. Every *_free accepts NULL.
 *   Objects    An object pointer is one that this library handed out and that was not freed or consumed.
 *              Freeing twice is undefined, as with free(); laps.hpp makes it impossible.
 *   Ownership  What a call hands out through a pointer to a pointer is yours; release it once, with the *_free
 *              of its type. What a call answers as a pointer is borrowed and lives as long as the object that
 *              lent it and until that object is changed.
 *   Buffers    A buffer is a pointer and a length, counted in units of its type. Input is only read, and only
 *              during the call. Text goes in as UTF-8 with its length (no NUL is needed); it comes out with a
 *              NUL at its end: the buffer must have room for it, the length on success does not count it, the
 *              length that LAPS_STATUS_BUFFER_TOO_SMALL writes does. Bytes come out without a NUL.
 *   Secrets    The library wipes what it owns. What was copied into your memory is yours: laps_wipe().
 *   Threads    An object behind a pointer to const may be used by several threads at once; a call that takes
 *              it without const must be alone. The last error belongs to its thread.
 *   Fork       A child process may go on using every object; generators draw a new seed before they are used.
 *   Clock      Times are seconds since 1970-01-01 UTC and always passed in; the library reads no clock.
 *   Panics     A bug in the library never crosses this boundary: the call answers LAPS_STATUS_INTERNAL, and the
 *              objects it used answer LAPS_STATUS_POISONED from then on; free them.
 *
 * Define LAPS_STATIC where the static library is linked on Windows. Define LAPS_AGENT to see only what the agent
 * build of the library holds; the full build has more.
 */


#ifndef LAPS_H
#define LAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef LAPS_AGENT
#define LAPS_FULL
#endif

#if defined(_WIN32) && !defined(LAPS_STATIC)
#define LAPS_API __declspec(dllimport)
#else
#define LAPS_API
#endif

#if defined(__GNUC__)
#define LAPS_NODISCARD __attribute__((warn_unused_result))
#else
#define LAPS_NODISCARD
#endif

/* A text literal as pointer and length. */
#define LAPS_TEXT(literal) (literal), (sizeof(literal) - 1)

/* The version of this header. */
#define LAPS_VERSION "0.1.0"
#define LAPS_VERSION_MAJOR 0
#define LAPS_VERSION_MINOR 1
#define LAPS_VERSION_PATCH 0
#define LAPS_VERSION_NUMBER ((LAPS_VERSION_MAJOR << 16) | (LAPS_VERSION_MINOR << 8) | LAPS_VERSION_PATCH)

/* The longest password in bytes of UTF-8. */
#define LAPS_PASSWORD_MAX_LEN 128

enum {
    LAPS_STATUS_OK = 0,
    /* 1 to 63: the call is wrong */
    LAPS_STATUS_NULL_ARGUMENT = 1, /* a null pointer was given where an object or an out parameter belongs */
    LAPS_STATUS_INVALID_ARGUMENT = 2, /* an argument is outside what this call accepts */
    LAPS_STATUS_BUFFER_TOO_SMALL = 3, /* the buffer is too small */
    LAPS_STATUS_UNEXPECTED_EVENT = 4, /* this fact cannot happen in the present state */
    LAPS_STATUS_INVALID_UTF8 = 5, /* the text is not valid UTF-8 */
    LAPS_STATUS_NOT_FOUND = 6, /* there is no such device, record or reader */
    LAPS_STATUS_REASON_REQUIRED = 7, /* an actor and a reason are required */
    LAPS_STATUS_CONFIRMATION_REQUIRED = 8, /* this removes the last of its kind and needs an explicit confirmation */
    LAPS_STATUS_ALREADY_EXISTS = 9, /* it exists already */
    /* 64 to 95: the policy or the recipe is wrong */
    LAPS_STATUS_POLICY_MALFORMED = 64, /* the policy document cannot be read */
    LAPS_STATUS_POLICY_REFUSED = 65, /* the policy has settings that are refused */
    LAPS_STATUS_RECIPE_INVALID = 66, /* a rule of the recipe is outside its limits */
    LAPS_STATUS_RECIPE_INFEASIBLE = 67, /* no password satisfies these rules together */
    LAPS_STATUS_RECIPE_TOO_COMPLEX = 68, /* the recipe needs a counting table above the limit */
    LAPS_STATUS_RECIPE_NEEDS_HEAP = 69, /* the recipe needs a counting table and this build has no heap */
    LAPS_STATUS_ACCOUNT_NOT_FOUND = 70, /* no local account matches the policy */
    LAPS_STATUS_ACCOUNT_REFUSED = 71, /* the local account cannot be managed */
    LAPS_STATUS_SID_MALFORMED = 72, /* the security identifier is malformed */
    LAPS_STATUS_ACCOUNT_MANAGED_ELSEWHERE = 73, /* another policy manages this account */
    /* 96 to 127: the data is not ours, is damaged, or is for another key */
    LAPS_STATUS_RECORD_MALFORMED = 96, /* the record is malformed */
    LAPS_STATUS_UNSUPPORTED_VERSION = 97, /* the format version or suite is not supported */
    LAPS_STATUS_REJECTED = 98, /* the key does not open this, or it was changed */
    LAPS_STATUS_NOT_A_READER = 99, /* the record is sealed to other readers */
    LAPS_STATUS_KEY_FILE_MALFORMED = 100, /* the key file is malformed */
    LAPS_STATUS_KEY_FILE_REJECTED = 101, /* the passphrase is wrong or the key file is damaged */
    LAPS_STATUS_MESSAGE_MALFORMED = 102, /* the check-in message is malformed */
    LAPS_STATUS_MESSAGE_WRONG_DEVICE = 103, /* the message names another device than the one that was authenticated */
    LAPS_STATUS_JOURNAL_MALFORMED = 104, /* the journal is malformed */
    LAPS_STATUS_VAULT_DAMAGED = 105, /* the vault is damaged */
    LAPS_STATUS_AUDIT_BROKEN = 106, /* the audit trail does not verify */
    LAPS_STATUS_SCHEMA_OLDER = 107, /* the vault has an older schema and must be migrated */
    LAPS_STATUS_SCHEMA_NEWER = 108, /* the vault was written by a later version */
    LAPS_STATUS_READER_SET_REFUSED = 109, /* the reader set is older than the one in force or not signed by the authority */
    LAPS_STATUS_READER_MALFORMED = 110, /* the text is not a reader's public key */
    LAPS_STATUS_READER_SET_MALFORMED = 111, /* the reader set is malformed */
    /* 128 to 159: the machine */
    LAPS_STATUS_RANDOM_FAILURE = 128, /* the random source failed */
    LAPS_STATUS_OUT_OF_MEMORY = 129, /* out of memory */
    LAPS_STATUS_BUSY = 130, /* busy, try again */
    LAPS_STATUS_IO = 131, /* input or output failed */
    LAPS_STATUS_PERMISSION_DENIED = 132, /* permission denied */
    LAPS_STATUS_STORAGE_FULL = 133, /* the disk is full */
    LAPS_STATUS_PASSWORD_REFUSED = 134, /* the device's password policy refused the password */
    LAPS_STATUS_ACCOUNT_FAILED = 135, /* the account could not be changed */
    LAPS_STATUS_UNREACHABLE = 136, /* the vault cannot be reached */
    /* 240 to 255: a bug in this library */
    LAPS_STATUS_POISONED = 254, /* an earlier internal error left this object unusable */
    LAPS_STATUS_INTERNAL = 255, /* internal error */
};


/**
 * A password. Wiped when it is freed. Immutable: threads may share it.
 */
typedef struct laps_password laps_password;

/**
 * What a call answers: LAPS_STATUS_OK, or the number of what went wrong.
 */
typedef int32_t laps_status;

#ifdef __cplusplus
extern "C" {
#endif /* __cplusplus */

/**
 * The version of the library that was linked, such as "0.1.0"; compare with LAPS_VERSION. Static.
 */
LAPS_API LAPS_NODISCARD const char *laps_version(void);

/**
 * The version of the library that was linked as one number; compare with LAPS_VERSION_NUMBER.
 */
LAPS_API LAPS_NODISCARD uint32_t laps_version_number(void);

/**
 * "full", or "agent" for a library without readers' keys and vault. Static.
 */
LAPS_API LAPS_NODISCARD const char *laps_build(void);

/**
 * One line of plain words for a status, in English, ended by NUL. Takes any integer. Static.
 */
LAPS_API LAPS_NODISCARD const char *laps_status_message(int32_t status);

/**
 * What the latest failed call of this thread found wrong, where, and what would be accepted; ended by NUL.
 * Valid in this thread until its next call that fails. Never holds a secret. Empty before the first failure.
 */
LAPS_API LAPS_NODISCARD const char *laps_last_error(void);

/**
 * Overwrites memory with zeros and is not left out by a compiler. For copies of secrets in your memory.
 * NULL or a length of 0 is nothing to wipe.
 */
LAPS_API void laps_wipe(void *memory, size_t len);

/**
 * A password from UTF-8 text of at most LAPS_PASSWORD_MAX_LEN bytes.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_password_from_utf8(const char *text,
                                    size_t text_len,
                                    laps_password **out_password);

/**
 * A password from UTF-16 text (text_len counts 16-bit units) of at most LAPS_PASSWORD_MAX_LEN bytes of UTF-8.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_password_from_utf16(const uint16_t *text,
                                     size_t text_len,
                                     laps_password **out_password);

/**
 * The length in bytes of UTF-8, without a NUL; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_password_len(const laps_password *password);

/**
 * The length in UTF-16 units, without a NUL; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_password_len_utf16(const laps_password *password);

/**
 * Copies the text as UTF-8 with a NUL at its end; a buffer of LAPS_PASSWORD_MAX_LEN + 1 always holds it.
 * The copy is yours to wipe.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_password_copy_utf8(const laps_password *password,
                                    char *buffer,
                                    size_t buffer_len,
                                    size_t *out_len);

/**
 * Copies the text as UTF-16 with a NUL at its end, as Windows wants it; lengths count 16-bit units, and a buffer
 * of LAPS_PASSWORD_MAX_LEN + 1 units always holds it. The copy is yours to wipe.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_password_copy_utf16(const laps_password *password,
                                     uint16_t *buffer,
                                     size_t buffer_len,
                                     size_t *out_len);

/**
 * Whether two passwords are equal, in a time that does not depend on them; false where one is NULL.
 */
LAPS_API LAPS_NODISCARD bool laps_password_equal(const laps_password *a, const laps_password *b);

/**
 * Wipes and frees a password.
 */
LAPS_API void laps_password_free(laps_password *password);

#ifdef __cplusplus
}  /* extern "C" */
#endif  /* __cplusplus */

#endif  /* LAPS_H */
