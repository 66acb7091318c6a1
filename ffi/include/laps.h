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
 *   Objects    An object pointer is one that this library handed out and that was not freed; no call but its *_free
 *              ends an object. Freeing twice is undefined, as with free(); laps.hpp and Laps.cs make it impossible.
 *   Ownership  What a call hands out through a pointer to a pointer is yours; release it once, with the *_free
 *              of its type. What a call answers as a pointer is borrowed and lives as long as the object that
 *              lent it and until that object is changed.
 *   Buffers    A buffer is a pointer and a length, counted in units of its type. Input is only read, and only
 *              during the call. Text goes in as UTF-8 with its length (no NUL is needed); it comes out with a
 *              NUL at its end: the buffer must have room for it, the length on success does not count it, the
 *              length that LAPS_STATUS_BUFFER_TOO_SMALL writes does. Bytes come out without a NUL. What a call
 *              writes to overlaps nothing else that it is given.
 *   Secrets    The library wipes what it owns. What was copied into your memory is yours: laps_wipe().
 *   Threads    An object behind a pointer to const may be used by several threads at once; a call that takes
 *              it without const must be alone. The last error belongs to its thread.
 *   Stack      A call needs less than 256 KiB of stack below the caller's, callbacks not counted. Threads of C libraries with small
 *              ones (128 KiB with musl), fibers and the threads of other languages must be given as much.
 *   Fork       A child process may go on using every object; generators draw a new seed before they are used. A laps_vault
 *              and what came from it, a laps_agent and a laps_account_store work in the process that opened them alone, elsewhere
 *              they answer LAPS_STATUS_INVALID_ARGUMENT: free them before the fork, open them after the fork in each process.
 *   Callbacks  A function that you pass is called by the thread that makes the call, and only until the call answers; user
 *              is handed on to it as it is. It must return: leaving it by longjmp or by an exception is undefined
 *              (laps.hpp and Laps.cs carry exceptions past the library). It uses no object of the call, and nothing
 *              over the same vault file, whose transaction may be open and would be waited for; other objects it may, and
 *              what it is lent, until it returns. What an agent is given is called until laps_agent_free(), by whichever
 *              thread makes a call of the agent, never two at once.
 *   Clock      Times are seconds since 1970-01-01 UTC and always passed in; the library reads no clock but an agent's: a
 *              laps_agent takes the time from the system.
 *   Panics     A bug in the library never crosses this boundary: the call answers LAPS_STATUS_INTERNAL, and the
 *              objects it used answer LAPS_STATUS_POISONED from then on; free them. A process to which the system
 *              gives no memory any more is ended, as by abort().
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

/* A text literal as pointer and length. Anything else does not compile: the size of a pointer is not a length. */
#define LAPS_TEXT(literal) ("" literal ""), (sizeof("" literal "") - 1)

/* The version of this header. */
#define LAPS_VERSION "0.1.0"
#define LAPS_VERSION_MAJOR 0
#define LAPS_VERSION_MINOR 1
#define LAPS_VERSION_PATCH 0
#define LAPS_VERSION_NUMBER ((LAPS_VERSION_MAJOR << 16) | (LAPS_VERSION_MINOR << 8) | LAPS_VERSION_PATCH)

/* The longest password in bytes of UTF-8. */
#define LAPS_PASSWORD_MAX_LEN 128

/* The suites of readers: X-Wing (ML-KEM-768 and X25519), the default; X25519 alone. */
#define LAPS_SUITE_X_WING 1
#define LAPS_SUITE_X25519 2

enum {
    LAPS_STATUS_OK = 0,
    /* 1 to 63: the call is wrong */
    LAPS_STATUS_NULL_ARGUMENT = 1, /* a null pointer was given where an object or an out parameter belongs */
    LAPS_STATUS_INVALID_ARGUMENT = 2, /* an argument is outside what this call accepts */
    LAPS_STATUS_BUFFER_TOO_SMALL = 3, /* the buffer is too small */
    LAPS_STATUS_UNEXPECTED_EVENT = 4, /* this event cannot happen in the present state */
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
    LAPS_STATUS_AUDIT_BROKEN = 106, /* the audit log does not verify */
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
 * Something went as it should.
 */
#define LAPS_LEVEL_INFORMATION 1

/**
 * Somebody should look.
 */
#define LAPS_LEVEL_WARNING 2

/**
 * Something failed.
 */
#define LAPS_LEVEL_ERROR 3

/**
 * Write the state: laps_rotation_state() to a temporary file, sync it, rename it over the old one,
 * sync the folder; then laps_rotation_handle_saved() or laps_rotation_handle_save_failed().
 */
#define LAPS_WISH_SAVE 1

/**
 * Send laps_rotation_check_in() to the vault; then laps_rotation_handle_answer() or
 * laps_rotation_handle_check_in_failed().
 */
#define LAPS_WISH_CHECK_IN 2

/**
 * Read the account's change stamp; then laps_rotation_prepare(), which mixes fresh bytes of the
 * operating system into the generator.
 */
#define LAPS_WISH_PREPARE 3

/**
 * Read the account's change stamp; then laps_rotation_handle_stamp().
 */
#define LAPS_WISH_READ_STAMP 4

/**
 * Set laps_rotation_password() on laps_rotation_account(); then laps_rotation_handle_applied().
 */
#define LAPS_WISH_APPLY 5

/**
 * Find out whether the account holds laps_rotation_password(); then
 * laps_rotation_handle_verified().
 */
#define LAPS_WISH_VERIFY 6

/**
 * Do the LAPS_ACTION_* that is the value; then laps_rotation_handle_acted().
 */
#define LAPS_WISH_ACT 7

/**
 * Wait until the time that is the value, or until something happens; then
 * laps_rotation_handle_timeout(), or what happened. A single run ends here.
 */
#define LAPS_WISH_WAIT 8

/**
 * Look the account up and read its change stamp; then laps_rotation_handle_account().
 */
#define LAPS_WISH_LOOK_UP 9

/**
 * Tell the account's sessions that they will be signed out in two minutes.
 */
#define LAPS_ACTION_WARN_SIGN_OUT 1

/**
 * Sign the account's sessions out and end its connections.
 */
#define LAPS_ACTION_SIGN_OUT 2

/**
 * End every remaining process of the account, without notice.
 */
#define LAPS_ACTION_TERMINATE 3

/**
 * Tell the sessions of the device that it will restart in one minute.
 */
#define LAPS_ACTION_WARN_RESTART 4

/**
 * Restart the device.
 */
#define LAPS_ACTION_RESTART 5

/**
 * This run has not heard from the vault yet.
 */
#define LAPS_STATE_STARTING 1

/**
 * No rotation is under way.
 */
#define LAPS_STATE_SETTLED 2

/**
 * A password was made; the vault is to store it.
 */
#define LAPS_STATE_BACKING_UP 3

/**
 * The account is being changed.
 */
#define LAPS_STATE_APPLYING 4

/**
 * The account is being asked.
 */
#define LAPS_STATE_VERIFYING 5

/**
 * The account holds the new password; the vault is to take it as the current one.
 */
#define LAPS_STATE_COMMITTING 6

/**
 * The password was set.
 */
#define LAPS_APPLIED_SUCCESS 1

/**
 * The device's password policy refused it.
 */
#define LAPS_APPLIED_REFUSED 2

/**
 * There is no such account.
 */
#define LAPS_APPLIED_NOT_FOUND 3

/**
 * Another policy manages the account.
 */
#define LAPS_APPLIED_MANAGED_ELSEWHERE 4

/**
 * It failed, or what it did is unknown.
 */
#define LAPS_APPLIED_FAILED 5

/**
 * It did not end in time.
 */
#define LAPS_APPLIED_TIMED_OUT 6

/**
 * The account holds the password.
 */
#define LAPS_VERIFIED_MATCH 1

/**
 * The account holds another.
 */
#define LAPS_VERIFIED_MISMATCH 2

/**
 * The account could not be asked, or did not answer.
 */
#define LAPS_VERIFIED_UNAVAILABLE 3

/**
 * The account is there.
 */
#define LAPS_ACCOUNT_PRESENT 1

/**
 * There is no such account.
 */
#define LAPS_ACCOUNT_MISSING 2

/**
 * The account could not be looked up.
 */
#define LAPS_ACCOUNT_UNKNOWN 3

/**
 * The action was done.
 */
#define LAPS_ACTED_DONE 1

/**
 * The action failed; it is not tried again.
 */
#define LAPS_ACTED_FAILED 2

/**
 * The platform cannot do it.
 */
#define LAPS_ACTED_NOT_SUPPORTED 3

/**
 * A rotation was due, and the vault has taken its commit.
 */
#define LAPS_OUTCOME_COMMITTED 1

/**
 * Nothing was due.
 */
#define LAPS_OUTCOME_NOTHING_DUE 2

/**
 * A rotation is due and not committed: it failed, it waits, or the agent was stopped; the events
 * say why. It goes on at the next run.
 */
#define LAPS_OUTCOME_NOT_COMMITTED 3

/**
 * The account does not exist. The vault knows, and no password is made until it does.
 */
#define LAPS_OUTCOME_ACCOUNT_MISSING 4

/**
 * The vault was not reached or is locked.
 */
#define LAPS_OUTCOME_UNREACHABLE 5

/**
 * laps_account_store_change_stamp() works.
 */
#define LAPS_ABILITY_CHANGE_STAMP 1

/**
 * laps_account_store_verify() works.
 */
#define LAPS_ABILITY_VERIFY 2

/**
 * laps_account_store_used_since() works.
 */
#define LAPS_ABILITY_USED_SINCE 4

/**
 * LAPS_ACTION_SIGN_OUT can be done.
 */
#define LAPS_ABILITY_SIGN_OUT 8

/**
 * LAPS_ACTION_TERMINATE can be done.
 */
#define LAPS_ABILITY_TERMINATE 16

/**
 * LAPS_ACTION_RESTART can be done.
 */
#define LAPS_ABILITY_RESTART 32

#if defined(LAPS_FULL)
/**
 * The record is the current one.
 */
#define LAPS_CANDIDATE_CURRENT 1
#endif

#if defined(LAPS_FULL)
/**
 * The record was stored, and its application is not known yet.
 */
#define LAPS_CANDIDATE_PENDING 2
#endif

#if defined(LAPS_FULL)
/**
 * The record was displaced by a later one.
 */
#define LAPS_CANDIDATE_HISTORY 3
#endif

#if defined(LAPS_FULL)
/**
 * Text: the device.
 */
#define LAPS_FIELD_DEVICE 1
#endif

#if defined(LAPS_FULL)
/**
 * Text: the managed account.
 */
#define LAPS_FIELD_ACCOUNT 2
#endif

#if defined(LAPS_FULL)
/**
 * Text: its SID; none where the device did not say.
 */
#define LAPS_FIELD_SID 3
#endif

#if defined(LAPS_FULL)
/**
 * Number: the version of a record; of a device's current one, or of its newest candidate.
 */
#define LAPS_FIELD_VERSION 4
#endif

#if defined(LAPS_FULL)
/**
 * Text: "settled", "pending", "uncertain", "failed", "unreadable", "retired" for a device;
 * "current", "pending", "ruled-out", "history" for a record.
 */
#define LAPS_FIELD_STATE 5
#endif

#if defined(LAPS_FULL)
/**
 * Number: 1 when an order to rotate is open.
 */
#define LAPS_FIELD_ORDERED 6
#endif

#if defined(LAPS_FULL)
/**
 * Number: when the vault received the record.
 */
#define LAPS_FIELD_UPDATED 7
#endif

#if defined(LAPS_FULL)
/**
 * Number: when the device will rotate, as it says, or when it is due.
 */
#define LAPS_FIELD_EXPIRES 8
#endif

#if defined(LAPS_FULL)
/**
 * Number: the last check-in, to the hour.
 */
#define LAPS_FIELD_LAST_SEEN 9
#endif

#if defined(LAPS_FULL)
/**
 * Text: how the last rotation ended.
 */
#define LAPS_FIELD_OUTCOME 10
#endif

#if defined(LAPS_FULL)
/**
 * Text: why.
 */
#define LAPS_FIELD_OUTCOME_REASON 11
#endif

#if defined(LAPS_FULL)
/**
 * Number: the event id of Windows LAPS, where it has this event.
 */
#define LAPS_FIELD_OUTCOME_ID 12
#endif

#if defined(LAPS_FULL)
/**
 * Number: when.
 */
#define LAPS_FIELD_OUTCOME_AT 13
#endif

#if defined(LAPS_FULL)
/**
 * Number: how many records the device may hold, as the vault sees it.
 */
#define LAPS_FIELD_CANDIDATES 14
#endif

#if defined(LAPS_FULL)
/**
 * Text: a record's id, 32 hexadecimal digits.
 */
#define LAPS_FIELD_RECORD 15
#endif

#if defined(LAPS_FULL)
/**
 * Number: when the record was displaced or ruled out.
 */
#define LAPS_FIELD_DISPLACED 16
#endif

#if defined(LAPS_FULL)
/**
 * Number: 1 when the device said that it was never applied.
 */
#define LAPS_FIELD_RULED_OUT 17
#endif

#if defined(LAPS_FULL)
/**
 * Number: 1 when a kept sealing of it names a reader that was removed.
 */
#define LAPS_FIELD_STALE_READERS 18
#endif

#if defined(LAPS_FULL)
/**
 * Text: the ids of those who can open it, 64 hexadecimal digits each, a space between them.
 */
#define LAPS_FIELD_READER_IDS 19
#endif

#if defined(LAPS_FULL)
/**
 * Text: a reader's line, as laps_reader_parse() takes it.
 */
#define LAPS_FIELD_READER 20
#endif

#if defined(LAPS_FULL)
/**
 * Text: its id, 64 hexadecimal digits.
 */
#define LAPS_FIELD_READER_ID 21
#endif

#if defined(LAPS_FULL)
/**
 * Number: when it was added.
 */
#define LAPS_FIELD_ADDED 22
#endif

#if defined(LAPS_FULL)
/**
 * Number: when it was removed.
 */
#define LAPS_FIELD_REMOVED 23
#endif

#if defined(LAPS_FULL)
/**
 * Number: an entry of the trail, from 1.
 */
#define LAPS_FIELD_NUMBER 24
#endif

#if defined(LAPS_FULL)
/**
 * Number: when.
 */
#define LAPS_FIELD_AT 25
#endif

#if defined(LAPS_FULL)
/**
 * Text: what.
 */
#define LAPS_FIELD_ACTION 26
#endif

#if defined(LAPS_FULL)
/**
 * Text: who.
 */
#define LAPS_FIELD_ACTOR 27
#endif

#if defined(LAPS_FULL)
/**
 * Text: why.
 */
#define LAPS_FIELD_REASON 28
#endif

#if defined(LAPS_FULL)
/**
 * Text: from where.
 */
#define LAPS_FIELD_CONTEXT 29
#endif

#if defined(LAPS_FULL)
/**
 * Text: the records it is about, ids as above, a space between them.
 */
#define LAPS_FIELD_RECORDS 30
#endif

#if defined(LAPS_FULL)
/**
 * Number: the entry that this one follows up.
 */
#define LAPS_FIELD_REFERS_TO 31
#endif

#if defined(LAPS_FULL)
/**
 * Text: what else there is to say.
 */
#define LAPS_FIELD_DETAIL 32
#endif

#if defined(LAPS_FULL)
/**
 * Text: its hash, 64 hexadecimal digits.
 */
#define LAPS_FIELD_HASH 33
#endif

#if defined(LAPS_FULL)
/**
 * Number: 1 when the vault cannot read this row; what else the row has is all that is known.
 */
#define LAPS_FIELD_DAMAGED 34
#endif

#if defined(LAPS_FULL)
/**
 * Text: why something was not done.
 */
#define LAPS_FIELD_WHY 35
#endif

#if defined(LAPS_FULL)
/**
 * Number: what happened, one of LAPS_OBSERVED_*.
 */
#define LAPS_FIELD_KIND 36
#endif

#if defined(LAPS_FULL)
/**
 * Number: how many: records that a check-in added or a disclosure gave out, devices that were
 * ordered to rotate, entries of the trail.
 */
#define LAPS_FIELD_COUNT 37
#endif

#if defined(LAPS_FULL)
/**
 * Number: 1 when a check-in changed anything but the time of the last one.
 */
#define LAPS_FIELD_CHANGED 38
#endif

#if defined(LAPS_FULL)
/**
 * Number: how many offered records a check-in did not take.
 */
#define LAPS_FIELD_REFUSED 39
#endif

#if defined(LAPS_FULL)
/**
 * Number: what became of a check-in's commit, one of LAPS_COMMIT_*; 0 when it had none.
 */
#define LAPS_FIELD_COMMIT 40
#endif

#if defined(LAPS_FULL)
/**
 * Number: the status with which something was refused.
 */
#define LAPS_FIELD_STATUS 41
#endif

#if defined(LAPS_FULL)
/**
 * Number: 1 when every entry of the trail is as it was written, and the expected head is in it.
 */
#define LAPS_FIELD_VERIFIED 42
#endif

#if defined(LAPS_FULL)
/**
 * Text: the head of the trail, as far as it holds.
 */
#define LAPS_FIELD_HEAD 43
#endif

#if defined(LAPS_FULL)
/**
 * Number: the first entry that is not as it was written, or is missing, from 1.
 */
#define LAPS_FIELD_FIRST_BAD 44
#endif

#if defined(LAPS_FULL)
/**
 * Number: the schema of a vault's file before it was migrated.
 */
#define LAPS_FIELD_SCHEMA_BEFORE 45
#endif

#if defined(LAPS_FULL)
/**
 * Number: its schema now.
 */
#define LAPS_FIELD_SCHEMA 46
#endif

#if defined(LAPS_FULL)
/**
 * Text: the path of the file from before, where it was kept.
 */
#define LAPS_FIELD_COPY 47
#endif

#if defined(LAPS_FULL)
/**
 * Text: what else there is to say about a device, a space between: "unreadable", "stale-readers",
 * "account-missing", "log-differs", "log-restored".
 */
#define LAPS_FIELD_FINDINGS 48
#endif

#if defined(LAPS_FULL)
/**
 * Number: when the password is to be reset because the account was used, as the device says.
 */
#define LAPS_FIELD_RESET_AT 49
#endif

#if defined(LAPS_FULL)
/**
 * Number: until when the device waits with a rotation that is due, as it says.
 */
#define LAPS_FIELD_WAITS_UNTIL 50
#endif

#if defined(LAPS_FULL)
/**
 * Number: when the first open order is given to the device.
 */
#define LAPS_FIELD_ORDER_AT 51
#endif

#if defined(LAPS_FULL)
/**
 * Number: when somebody last proved that a record of the account can be opened.
 */
#define LAPS_FIELD_PROVEN_AT 52
#endif

#if defined(LAPS_FULL)
/**
 * Text: accounts that the device managed before, the latest first, a line break between.
 */
#define LAPS_FIELD_FORMER_ACCOUNTS 53
#endif

#if defined(LAPS_FULL)
/**
 * Number: 1 when the device has named the record among what the account may hold.
 */
#define LAPS_FIELD_CONFIRMED 54
#endif

#if defined(LAPS_FULL)
/**
 * Text: whether somebody opened the record: "no", "claimed", "proven".
 */
#define LAPS_FIELD_OPENED 55
#endif

#if defined(LAPS_FULL)
/**
 * Number: when the password was made, by the device's clock, as the sealed header has it.
 */
#define LAPS_FIELD_MADE_AT 56
#endif

#if defined(LAPS_FULL)
/**
 * Text: whom the program authenticated.
 */
#define LAPS_FIELD_CALLER 57
#endif

#if defined(LAPS_FULL)
/**
 * Number: 1 when the entry's time is before that of the entry in front of it: a clock was set
 * back, or had been wrong.
 */
#define LAPS_FIELD_EARLIER 58
#endif

#if defined(LAPS_FULL)
/**
 * A check-in was answered. Fields: DEVICE, CHANGED, COUNT, REFUSED, COMMIT.
 */
#define LAPS_OBSERVED_CHECK_IN 1
#endif

#if defined(LAPS_FULL)
/**
 * Sealed records were given out. Fields: DEVICE, COUNT.
 */
#define LAPS_OBSERVED_DISCLOSED 2
#endif

#if defined(LAPS_FULL)
/**
 * Rotations were ordered. Field: COUNT.
 */
#define LAPS_OBSERVED_ORDERED 3
#endif

#if defined(LAPS_FULL)
/**
 * Something was asked for and refused. Field: STATUS.
 */
#define LAPS_OBSERVED_REFUSED 4
#endif

#if defined(LAPS_FULL)
/**
 * The commit was taken, or known already.
 */
#define LAPS_COMMIT_ACKNOWLEDGED 1
#endif

#if defined(LAPS_FULL)
/**
 * The vault does not have the record that was committed; the device offers it again.
 */
#define LAPS_COMMIT_LACKING 2
#endif

#if defined(LAPS_FULL)
/**
 * The check-in did not carry the token of now; the device commits again.
 */
#define LAPS_COMMIT_STALE_TOKEN 3
#endif

/**
 * The accounts of this machine, or those that a program of yours knows: what laps_agent uses, for
 * a loop of your own with laps_rotation. laps_account_store_find() chooses the account that the
 * other calls are about. One thread at a time. It works in the process that opened it alone,
 * elsewhere its calls that touch the account answer LAPS_STATUS_INVALID_ARGUMENT.
 */
typedef struct laps_account_store laps_account_store;

/**
 * The local accounts of a device, of which one is to be managed.
 */
typedef struct laps_accounts laps_accounts;

#if defined(LAPS_FULL)
/**
 * Which of those passwords a vault lacks, and under which headers they are to be sealed; the
 * oldest first. Immutable: threads may share it.
 */
typedef struct laps_adoptable laps_adoptable;
#endif

/**
 * The agent of a device. It holds its state folder locked, rotates the password of one account,
 * and loses none when it is killed. Threads may share it: laps_agent_stop() is answered at once,
 * every other call waits until the one before it is over. In a function that the agent calls, only
 * laps_agent_stop() works on it; every other call there is LAPS_STATUS_UNEXPECTED_EVENT. It works
 * in the process that opened it alone, elsewhere it answers LAPS_STATUS_INVALID_ARGUMENT.
 */
typedef struct laps_agent laps_agent;

/**
 * What an agent is opened with: the device and its state folder, at least one policy document,
 * readers or a signed reader set, an account store, a channel.
 */
typedef struct laps_agent_options laps_agent_options;

/**
 * Bytes that a call handed out: a message, a state to be written, a key file. Wiped when they are
 * freed.
 */
typedef struct laps_bytes laps_bytes;

#if defined(LAPS_FULL)
/**
 * Check-ins of devices, which a vault takes together with laps_vault_check_in_many().
 */
typedef struct laps_check_ins laps_check_ins;
#endif

/**
 * What a rotation is told: the device, the managed account, the policy.
 */
typedef struct laps_config laps_config;

#if defined(LAPS_FULL)
/**
 * Names of devices, which laps_vault_order_devices() takes together.
 */
typedef struct laps_devices laps_devices;
#endif

#if defined(LAPS_FULL)
/**
 * What a vault gave out about one device: sealed records, any of which may hold the password of
 * its account.
 */
typedef struct laps_disclosure laps_disclosure;
#endif

/**
 * Policy documents, what is in force because of them, and what is wrong with them.
 */
typedef struct laps_evaluation laps_evaluation;

/**
 * One event of a rotation or of an agent, for the device's log. It holds no secret.
 */
typedef struct laps_event laps_event;

#if defined(LAPS_FULL)
/**
 * What another directory, such as Microsoft Entra, holds for one device: for which account each
 * password is and when the directory was given it. The passwords themselves are not in it.
 */
typedef struct laps_foreign laps_foreign;
#endif

/**
 * A random generator, seeded by the operating system. Its state gives no password that was made
 * before. One thread at a time. Sealing, keys, record ids and rotations mix fresh bytes in by
 * themselves. A single password does not: a child of fork() is noticed, one that came past the C
 * library and a copied machine are not.
 */
typedef struct laps_generator laps_generator;

/**
 * What a record will say about its password, in clear and bound to it: device, account, record id,
 * version.
 */
typedef struct laps_header laps_header;

#if defined(LAPS_FULL)
/**
 * What a vault knows but its sealed records: names, versions, times, states. It can hand nothing
 * out and change nothing. Threads may share it.
 */
typedef struct laps_metadata laps_metadata;
#endif

/**
 * A password. Wiped when it is freed. Immutable: threads may share it.
 */
typedef struct laps_password laps_password;

/**
 * A policy in force: every setting of Windows LAPS has a value in its range. Immutable: threads
 * may share it.
 */
typedef struct laps_policy laps_policy;

/**
 * The public half of a reader: who can open a record that is sealed to it. Immutable: threads may
 * share it.
 */
typedef struct laps_reader laps_reader;

#if defined(LAPS_FULL)
/**
 * A reader's private key, which opens what is sealed to it. Wiped when it is freed. Immutable:
 * threads may share it.
 */
typedef struct laps_reader_key laps_reader_key;
#endif

/**
 * The readers that devices seal to, as an authority signed them. Immutable: threads may share it.
 */
typedef struct laps_reader_set laps_reader_set;

/**
 * What a password must look like; some password always satisfies it. Immutable: threads may share
 * it.
 */
typedef struct laps_recipe laps_recipe;

/**
 * One password, sealed to readers. Immutable: threads may share it.
 */
typedef struct laps_record laps_record;

/**
 * The rotation of one account's password on one device. It says what to do next
 * (laps_rotation_poll); you do it and tell it what happened (laps_rotation_handle_*). It touches
 * nothing itself, holds the new password until it is verified, and wipes it then. One thread at a
 * time.
 */
typedef struct laps_rotation laps_rotation;

#if defined(LAPS_FULL)
/**
 * A page of rows: devices, records, readers, entries of the trail. Which fields a row has stands
 * with the call that hands it out. Immutable: threads may share it.
 */
typedef struct laps_rows laps_rows;
#endif

/**
 * The public half of an authority (Ed25519): who says which readers devices seal to. Pinned when a
 * device is enrolled. Immutable: threads may share it.
 */
typedef struct laps_signer laps_signer;

#if defined(LAPS_FULL)
/**
 * An authority's private key, which signs reader sets. Wiped when it is freed. Immutable: threads
 * may share it.
 */
typedef struct laps_signer_key laps_signer_key;
#endif

#if defined(LAPS_FULL)
/**
 * A vault file: sealed records, their history, orders to rotate, the audit trail. It holds no key
 * that opens a password. Threads may share it.
 */
typedef struct laps_vault laps_vault;
#endif

/**
 * The rules that a password breaks. They say what is asked for, and nothing about the password.
 */
typedef struct laps_violations laps_violations;

/**
 * What a call answers: LAPS_STATUS_OK, or the number of what went wrong.
 */
typedef int32_t laps_status;

/**
 * Looks the managed account up: adds what the device has under that name to accounts, or, for an
 * empty name, every account that may be the built-in administrator. Answers LAPS_ACCOUNT_PRESENT,
 * of which the library chooses one; LAPS_ACCOUNT_MISSING; or LAPS_ACCOUNT_UNKNOWN. Asked before
 * every check-in. Names are UTF-8, ended by NUL.
 */
typedef uint32_t (*laps_account_find)(void *user, const char *name, laps_accounts *accounts);

/**
 * Sets the password of an account; answers one of LAPS_APPLIED_*. What is not certainly a success
 * or a refusal is LAPS_APPLIED_FAILED. When it answers, nothing changes the account any more.
 */
typedef uint32_t (*laps_account_set)(void *user, const char *account, const laps_password *password);

/**
 * Whether an account has a password; answers one of LAPS_VERIFIED_*. It is no use of the account.
 */
typedef uint32_t (*laps_account_verify)(void *user, const char *account, const laps_password *password);

/**
 * Writes 32 bytes that change whenever the password of the account is set; false when they cannot
 * be read.
 */
typedef bool (*laps_account_change_stamp)(void *user, const char *account, uint8_t *out_stamp);

/**
 * Writes when the account was last used, at or after a time, or 0 for never; false when that
 * cannot be read.
 */
typedef bool (*laps_account_used_since)(void *user, const char *account, uint64_t since, uint64_t *out_at);

/**
 * Does one of LAPS_ACTION_*; answers one of LAPS_ACTED_*.
 */
typedef uint32_t (*laps_account_act)(void *user, const char *account, uint32_t action);

/**
 * An account store of your own: what an agent calls, each with user. NULL is what it cannot; find
 * and set must be there.
 */
typedef struct {
    /**
     * sizeof(laps_account_calls).
     */
    size_t size;
    /**
     * See laps_account_find.
     */
    laps_account_find find;
    /**
     * See laps_account_set.
     */
    laps_account_set set;
    /**
     * See laps_account_verify. Without it a success of the setter is believed.
     */
    laps_account_verify verify;
    /**
     * See laps_account_change_stamp. Without it both passwords stay candidates after a crash.
     */
    laps_account_change_stamp change_stamp;
    /**
     * See laps_account_used_since. Without it no use of the account is noticed.
     */
    laps_account_used_since used_since;
    /**
     * See laps_account_act. Without it no action follows a use.
     */
    laps_account_act act;
} laps_account_calls;

/**
 * Brings a check-in to the vault and its answer back; it authenticates the device. With
 * LAPS_STATUS_OK it has put the answer into out_answer, as laps_bytes_new() makes it, and the
 * library frees it. Any other status means that the answer is not known; LAPS_STATUS_UNREACHABLE
 * is the usual one. See the contract, Callbacks.
 */
typedef laps_status (*laps_channel)(void *user,
                                    const uint8_t *check_in,
                                    size_t check_in_len,
                                    laps_bytes **out_answer);

/**
 * Is told what happened on the device. The event is lent for the call. See the contract,
 * Callbacks.
 */
typedef void (*laps_on_event)(void *user, const laps_event *event);

#if defined(LAPS_FULL)
/**
 * Figures about a vault.
 */
typedef struct {
    /**
     * Devices, retired ones included.
     */
    uint64_t devices;
    /**
     * Devices that have one password, and know it.
     */
    uint64_t settled;
    /**
     * Devices whose rotation is under way, or that committed nothing yet.
     */
    uint64_t pending;
    /**
     * Devices that may have one of several passwords.
     */
    uint64_t uncertain;
    /**
     * Devices whose password in use names no active reader.
     */
    uint64_t unreadable;
    /**
     * Devices whose last rotation failed.
     */
    uint64_t failed;
    /**
     * Devices taken out of service.
     */
    uint64_t retired;
    /**
     * Devices that the vault cannot read.
     */
    uint64_t damaged;
    /**
     * Devices with an open order to rotate.
     */
    uint64_t ordered;
    /**
     * Devices whose due date has passed.
     */
    uint64_t overdue;
    /**
     * Records that devices may hold.
     */
    uint64_t candidates;
    /**
     * Records in history.
     */
    uint64_t history;
    /**
     * Entries of the trail.
     */
    uint64_t entries;
} laps_stats;
#endif

#if defined(LAPS_FULL)
/**
 * Is told how far a call is: done of total, in the unit that the call names. See the contract,
 * Callbacks.
 */
typedef void (*laps_progress)(void *user, uint64_t done, uint64_t total);
#endif

#if defined(LAPS_FULL)
/**
 * Is asked before a step, of so many records, whether to take it; false ends the call. See the
 * contract, Callbacks.
 */
typedef bool (*laps_step)(void *user, uint64_t records);
#endif

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
 * What the latest failed call of this thread found wrong, where, and what would be accepted; ended
 * by NUL. Valid in this thread until its next call that fails. Never holds a secret. Empty before
 * the first failure.
 */
LAPS_API LAPS_NODISCARD const char *laps_last_error(void);

/**
 * Overwrites memory with zeros and is not left out by a compiler. For copies of secrets in your
 * memory. NULL or a length of 0 is nothing to wipe.
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
 * A password from UTF-16 text (text_len counts 16-bit units) of at most LAPS_PASSWORD_MAX_LEN
 * bytes of UTF-8.
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
 * Copies the text as UTF-8 with a NUL at its end; a buffer of LAPS_PASSWORD_MAX_LEN + 1 always
 * holds it. The copy is yours to wipe.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_password_copy_utf8(const laps_password *password,
                                    char *buffer,
                                    size_t buffer_len,
                                    size_t *out_len);

/**
 * Copies the text as UTF-16 with a NUL at its end, as Windows wants it; lengths count 16-bit
 * units, and a buffer of LAPS_PASSWORD_MAX_LEN + 1 units always holds it. The copy is yours to
 * wipe.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_password_copy_utf16(const laps_password *password,
                                     uint16_t *buffer,
                                     size_t buffer_len,
                                     size_t *out_len);

/**
 * Whether two passwords are equal, in a time that does not depend on them; false where one is
 * NULL.
 */
LAPS_API LAPS_NODISCARD bool laps_password_equal(const laps_password *a, const laps_password *b);

/**
 * Wipes and frees a password.
 */
LAPS_API void laps_password_free(laps_password *password);

/**
 * The policy of one document: our JSON, Intune's exported JSON, SyncML of the CSP, or a .reg
 * export. LAPS_STATUS_POLICY_REFUSED when a setting is unknown or out of range; laps_evaluation_*
 * gives every finding.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_policy_read(const uint8_t *document,
                             size_t document_len,
                             laps_policy **out_policy);

/**
 * An evaluation without documents: the defaults of Windows LAPS.
 */
LAPS_API LAPS_NODISCARD laps_status laps_evaluation_new(laps_evaluation **out_evaluation);

/**
 * Adds a document of any known form. The source is its name, for findings. Documents of one root
 * (the CSP, Group Policy) are joined setting by setting, and a setting that two of them set
 * differently is an error that names both; between roots, what Windows would let win, wins. The
 * order in which documents are added does not matter. The findings change, and borrowed ones end.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_evaluation_add(laps_evaluation *evaluation,
                                const uint8_t *document,
                                size_t document_len,
                                const char *source,
                                size_t source_len);

/**
 * The policy in force. LAPS_STATUS_POLICY_REFUSED when a finding is an error: keep the policy that
 * you had.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_evaluation_policy(const laps_evaluation *evaluation,
                                   laps_policy **out_policy);

/**
 * Whether a document that was added asks for a new password now: SyncML with an Exec of
 * Actions/ResetPassword. Obey with laps_rotation_force(). false for NULL.
 */
LAPS_API LAPS_NODISCARD bool laps_evaluation_resets_password(const laps_evaluation *evaluation);

/**
 * How many findings there are; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_evaluation_finding_count(const laps_evaluation *evaluation);

/**
 * LAPS_LEVEL_ERROR, LAPS_LEVEL_WARNING or LAPS_LEVEL_INFORMATION; index counts from 0. 0 when
 * there is no such finding.
 */
LAPS_API
LAPS_NODISCARD
uint32_t laps_evaluation_finding_level(const laps_evaluation *evaluation,
                                       size_t index);

/**
 * The setting that a finding is about, empty when it is about several or about the whole; index
 * counts from 0. Borrowed. NULL when there is no such finding.
 */
LAPS_API
LAPS_NODISCARD
const char *laps_evaluation_finding_setting(const laps_evaluation *evaluation,
                                            size_t index);

/**
 * What a finding says, in one line; index counts from 0. Borrowed. NULL when there is no such
 * finding.
 */
LAPS_API
LAPS_NODISCARD
const char *laps_evaluation_finding_message(const laps_evaluation *evaluation,
                                            size_t index);

/**
 * What is configured, in another form: "csp" (SyncML), "reg", "intune" or "json", as the bytes of
 * a file. LAPS_STATUS_POLICY_REFUSED when a finding is an error, and when the form cannot carry a
 * setting; the error's message names each.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_evaluation_export(const laps_evaluation *evaluation,
                                   const char *form,
                                   size_t form_len,
                                   laps_bytes **out_bytes);

/**
 * What is configured, as SyncML that an MDM sends to the Windows LAPS CSP: one Atomic that for
 * every configured setting has an "add" (refused by a device that has the setting), a "replace" or
 * a "delete" (the values are left out). LAPS_STATUS_POLICY_REFUSED as for
 * laps_evaluation_export().
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_evaluation_export_csp(const laps_evaluation *evaluation,
                                       const char *command,
                                       size_t command_len,
                                       laps_bytes **out_bytes);

/**
 * What changes on a device that has the old policy and gets the new one, as one line of JSON in
 * UTF-8: {"changes":[{"setting","old","new","effect","because"}]}. LAPS_STATUS_POLICY_REFUSED when
 * either has errors.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_evaluation_diff(const laps_evaluation *old_evaluation,
                                 const laps_evaluation *new_evaluation,
                                 laps_bytes **out_bytes);

/**
 * Frees an evaluation.
 */
LAPS_API void laps_evaluation_free(laps_evaluation *evaluation);

/**
 * The policy of a device on which nothing was configured: the defaults of Windows LAPS. It manages
 * nothing.
 */
LAPS_API LAPS_NODISCARD laps_status laps_policy_new_default(laps_policy **out_policy);

/**
 * What a password must look like under this policy.
 */
LAPS_API LAPS_NODISCARD laps_status laps_policy_recipe(const laps_policy *policy, laps_recipe **out_recipe);

/**
 * BackupDirectory: 0 nowhere (nothing is managed), 1 Microsoft Entra, 2 Active Directory. 0 for
 * NULL.
 */
LAPS_API LAPS_NODISCARD uint8_t laps_policy_backup_directory(const laps_policy *policy);

/**
 * PasswordAgeDays: 1 to 365. 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint16_t laps_policy_password_age_days(const laps_policy *policy);

/**
 * PasswordComplexity: 1 to 8. 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint8_t laps_policy_password_complexity(const laps_policy *policy);

/**
 * PasswordLength: 8 to 64. 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint8_t laps_policy_password_length(const laps_policy *policy);

/**
 * PassphraseLength: 3 to 10 words. 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint8_t laps_policy_passphrase_length(const laps_policy *policy);

/**
 * PostAuthenticationResetDelay in minutes: 0 (no actions) to 1440. 0 for NULL.
 */
LAPS_API
LAPS_NODISCARD
uint16_t laps_policy_post_authentication_reset_delay_minutes(const laps_policy *policy);

/**
 * PostAuthenticationActions: 1 resets, 2 signs out, 4 restarts, 8 terminates; as their sum. 0 for
 * NULL.
 */
LAPS_API LAPS_NODISCARD uint8_t laps_policy_post_authentication_actions(const laps_policy *policy);

/**
 * AdministratorAccountName; empty means the built-in administrator.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_policy_administrator_account_name(const laps_policy *policy,
                                                   char *buffer,
                                                   size_t buffer_len,
                                                   size_t *out_len);

/**
 * The value of any setting by its name in the Windows LAPS CSP, as text.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_policy_value(const laps_policy *policy,
                              const char *setting,
                              size_t setting_len,
                              char *buffer,
                              size_t buffer_len,
                              size_t *out_len);

/**
 * SHA-256 over all settings: 32 bytes. Two policies are the same if and only if these are.
 */
LAPS_API LAPS_NODISCARD laps_status laps_policy_hash(const laps_policy *policy, uint8_t *out_hash);

/**
 * SyncML that asks a device for a new password now, and how it went: Exec of
 * Actions/ResetPassword, Get of Actions/ResetPasswordStatus.
 */
LAPS_API LAPS_NODISCARD laps_status laps_policy_reset_password(laps_bytes **out_bytes);

/**
 * SyncML that asks a device how the new password that was asked for went: Get of
 * Actions/ResetPasswordStatus.
 */
LAPS_API LAPS_NODISCARD laps_status laps_policy_reset_status(laps_bytes **out_bytes);

/**
 * What a device answered to it, in SyncML with Results: an HRESULT, 0 for done, 0x8000000A for not
 * done yet. LAPS_STATUS_NOT_FOUND when the document has no such answer, or says that the device
 * has no such node.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_policy_read_reset_status(const uint8_t *document,
                                          size_t document_len,
                                          uint32_t *out_hresult);

/**
 * Every setting with its type, range, default and what it needs, as one line of JSON in UTF-8.
 */
LAPS_API LAPS_NODISCARD laps_status laps_policy_schema(laps_bytes **out_bytes);

/**
 * Frees a policy.
 */
LAPS_API void laps_policy_free(laps_policy *policy);

/**
 * A recipe for characters: complexity 1 to 5 of Windows LAPS, length 8 to 64.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_recipe_new(uint8_t complexity,
                            uint8_t length,
                            laps_recipe **out_recipe);

/**
 * A recipe for words: complexity 6 to 8 of Windows LAPS, 3 to 10 words.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_recipe_new_passphrase(uint8_t complexity,
                                       uint8_t words,
                                       laps_recipe **out_recipe);

/**
 * A recipe from its document: JSON such as {"length":16,"groups":[{"chars":"abc","min":2}]}.
 * LAPS_STATUS_RECIPE_INVALID when it cannot be read or a rule is outside its limits,
 * LAPS_STATUS_RECIPE_INFEASIBLE when no password satisfies its rules together (the last error
 * names those in conflict), LAPS_STATUS_RECIPE_TOO_COMPLEX when it would need too large a counting
 * table.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_recipe_read(const uint8_t *document,
                             size_t document_len,
                             laps_recipe **out_recipe);

/**
 * The strength: bits times 1 000 000, rounded down. Counted exactly; every password of a recipe is
 * equally likely.
 */
LAPS_API LAPS_NODISCARD uint64_t laps_recipe_bits_micro(const laps_recipe *recipe);

/**
 * How many passwords satisfy the recipe, in decimal digits.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_recipe_admissible(const laps_recipe *recipe,
                                   char *buffer,
                                   size_t buffer_len,
                                   size_t *out_len);

/**
 * The shortest password of the recipe, in bytes.
 */
LAPS_API LAPS_NODISCARD size_t laps_recipe_min_length(const laps_recipe *recipe);

/**
 * The longest password of the recipe, in bytes.
 */
LAPS_API LAPS_NODISCARD size_t laps_recipe_max_length(const laps_recipe *recipe);

/**
 * Frees a recipe.
 */
LAPS_API void laps_recipe_free(laps_recipe *recipe);

/**
 * Checks a text against a recipe. It satisfies the recipe when there are no violations.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_recipe_check(const laps_recipe *recipe,
                              const char *text,
                              size_t text_len,
                              laps_violations **out_violations);

/**
 * What the password policy of a Windows device would say to a text, before the device is asked;
 * nothing is asked of the machine. min_length is MinimumPasswordLength, 0 to 128, counted in
 * UTF-16 units; complexity is "Password must meet complexity requirements". The names are those of
 * the account; an empty one is not looked for. The device would take the text when there are no
 * violations, as far as this policy goes: history and password filters are not looked at. Rules:
 * "min_length", "categories", "user_name", "full_name".
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_windows_check(uint8_t min_length,
                               bool complexity,
                               const char *user_name,
                               size_t user_name_len,
                               const char *full_name,
                               size_t full_name_len,
                               const char *text,
                               size_t text_len,
                               laps_violations **out_violations);

/**
 * How many rules are broken; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_violations_count(const laps_violations *violations);

/**
 * The name of a broken rule; index counts from 0. Borrowed. NULL when there is no such index.
 */
LAPS_API LAPS_NODISCARD const char *laps_violations_rule(const laps_violations *violations, size_t index);

/**
 * What a broken rule asks for, in one line; index counts from 0. Borrowed. NULL when there is no
 * such index.
 */
LAPS_API LAPS_NODISCARD const char *laps_violations_message(const laps_violations *violations, size_t index);

/**
 * Frees violations.
 */
LAPS_API void laps_violations_free(laps_violations *violations);

/**
 * A generator. Make one and keep it: seeding costs more than a password.
 */
LAPS_API LAPS_NODISCARD laps_status laps_generator_new(laps_generator **out_generator);

/**
 * Mixes fresh bytes of the operating system in: before a password that you make and seal by
 * yourself, after a virtual machine was copied, and in a child that was not made by fork().
 */
LAPS_API LAPS_NODISCARD laps_status laps_generator_reseed(laps_generator *generator);

/**
 * Makes a password: every password of the recipe is equally likely.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_generator_password(laps_generator *generator,
                                    const laps_recipe *recipe,
                                    laps_password **out_password);

/**
 * Makes many passwords straight into your memory: count places of place_size bytes, each filled
 * with one password in UTF-8 and a NUL. place_size is at least laps_recipe_max_length() + 1.
 * Allocates nothing. When it fails on the way, every place is zero.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_generator_passwords(laps_generator *generator,
                                     const laps_recipe *recipe,
                                     char *out_places,
                                     size_t place_size,
                                     size_t count);

/**
 * Frees a generator and wipes its state.
 */
LAPS_API void laps_generator_free(laps_generator *generator);

/**
 * A reader from its line of text, as `laps reader new` writes it. The bytes of a file do as
 * they are: UTF-8, or UTF-16 with its byte order mark; ends of lines behind the line are dropped.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_reader_parse(const char *line,
                              size_t line_len,
                              laps_reader **out_reader);

/**
 * The reader as a line of text, without a newline.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_reader_text(const laps_reader *reader,
                             char *buffer,
                             size_t buffer_len,
                             size_t *out_len);

/**
 * The reader's name.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_reader_name(const laps_reader *reader,
                             char *buffer,
                             size_t buffer_len,
                             size_t *out_len);

/**
 * The reader's id, by which records name it: 32 bytes.
 */
LAPS_API LAPS_NODISCARD laps_status laps_reader_id(const laps_reader *reader, uint8_t *out_id);

/**
 * The number of the reader's suite: LAPS_SUITE_X_WING or LAPS_SUITE_X25519; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint16_t laps_reader_suite(const laps_reader *reader);

/**
 * Frees a reader.
 */
LAPS_API void laps_reader_free(laps_reader *reader);

/**
 * A signer from its line of text, as `laps reader set authority` prints it. The bytes of a file do
 * as they are: UTF-8, or UTF-16 with its byte order mark; ends of lines behind the line are
 * dropped.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_signer_parse(const char *line,
                              size_t line_len,
                              laps_signer **out_signer);

/**
 * The signer as a line of text, without a newline.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_signer_text(const laps_signer *signer,
                             char *buffer,
                             size_t buffer_len,
                             size_t *out_len);

/**
 * Frees a signer.
 */
LAPS_API void laps_signer_free(laps_signer *signer);

/**
 * Reads a signed reader set. LAPS_STATUS_READER_SET_REFUSED unless the authority signed it, for
 * this scope (empty where there is one tenant), and it is not older than the set in force:
 * in_force is what laps_reader_set_head() gave for that one, 40 bytes, or NULL where none was
 * accepted before.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_reader_set_verify(const uint8_t *document,
                                   size_t document_len,
                                   const laps_signer *authority,
                                   const char *scope,
                                   size_t scope_len,
                                   const uint8_t *in_force,
                                   laps_reader_set **out_set);

/**
 * What to remember of the set, durably and before anything is sealed to it, so that an older one
 * is refused: 40 bytes.
 */
LAPS_API LAPS_NODISCARD laps_status laps_reader_set_head(const laps_reader_set *set, uint8_t *out_head);

/**
 * The version of the set, from 1; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint64_t laps_reader_set_version(const laps_reader_set *set);

/**
 * How many readers are in the set: 1 to 16 of one suite; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_reader_set_count(const laps_reader_set *set);

/**
 * One of its readers; index counts from 0. Yours, and it outlives the set.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_reader_set_reader(const laps_reader_set *set,
                                   size_t index,
                                   laps_reader **out_reader);

/**
 * Frees a reader set.
 */
LAPS_API void laps_reader_set_free(laps_reader_set *set);

/**
 * A header with a new random record id: for one password. The device has 1 to 128 bytes, the
 * account 1 to 64 characters. Scope, SID and predecessor are absent, version, time and policy hash
 * are zero until they are set.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_header_new(laps_generator *generator,
                            const char *device,
                            size_t device_len,
                            const char *account,
                            size_t account_len,
                            laps_header **out_header);

/**
 * The record id of this header: 16 bytes.
 */
LAPS_API LAPS_NODISCARD laps_status laps_header_id(const laps_header *header, uint8_t *out_id);

/**
 * Sets the scope (the tenant): at most 64 bytes.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_header_set_scope(laps_header *header,
                                  const char *scope,
                                  size_t scope_len);

/**
 * Sets the account's security identifier, such as S-1-5-21-1-2-3-500.
 */
LAPS_API LAPS_NODISCARD laps_status laps_header_set_sid(laps_header *header, const char *sid, size_t sid_len);

/**
 * Names the record made before this one on this device, applied or not: 16 bytes, or NULL for
 * none.
 */
LAPS_API LAPS_NODISCARD laps_status laps_header_set_previous(laps_header *header, const uint8_t *previous);

/**
 * Sets the version, which counts up per account and orders its records, and when the password was
 * made.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_header_set_version(laps_header *header,
                                    uint64_t version,
                                    uint64_t made_at);

/**
 * Names the policy under which the password was made, by its hash.
 */
LAPS_API LAPS_NODISCARD laps_status laps_header_set_policy(laps_header *header, const laps_policy *policy);

/**
 * Frees a header.
 */
LAPS_API void laps_header_free(laps_header *header);

/**
 * Seals a password to 1 to 16 readers of one suite: only they can open it, this device cannot.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_record_seal(const laps_header *header,
                             const laps_password *password,
                             const laps_reader *const *readers,
                             size_t reader_count,
                             laps_generator *generator,
                             laps_record **out_record);

/**
 * Reads a record from its bytes. Needs no key: whether it is whole, only a reader can tell.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_record_parse(const uint8_t *bytes,
                              size_t bytes_len,
                              laps_record **out_record);

/**
 * The record as it is stored and sent: laps_record_len() bytes, borrowed. NULL for NULL.
 */
LAPS_API LAPS_NODISCARD const uint8_t *laps_record_bytes(const laps_record *record);

/**
 * How many bytes the record has: at most 32 KiB. 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_record_len(const laps_record *record);

/**
 * The record's id: 16 bytes.
 */
LAPS_API LAPS_NODISCARD laps_status laps_record_id(const laps_record *record, uint8_t *out_id);

/**
 * The id of the record made before this one: 16 bytes. LAPS_STATUS_NOT_FOUND when it names none.
 */
LAPS_API LAPS_NODISCARD laps_status laps_record_previous(const laps_record *record, uint8_t *out_id);

/**
 * The record's version; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint64_t laps_record_version(const laps_record *record);

/**
 * When the password was made, by the device's clock; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint64_t laps_record_made_at(const laps_record *record);

/**
 * The scope for which the record was made; often empty.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_record_scope(const laps_record *record,
                              char *buffer,
                              size_t buffer_len,
                              size_t *out_len);

/**
 * The device for which the record was made.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_record_device(const laps_record *record,
                               char *buffer,
                               size_t buffer_len,
                               size_t *out_len);

/**
 * The account for which the record was made.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_record_account(const laps_record *record,
                                char *buffer,
                                size_t buffer_len,
                                size_t *out_len);

/**
 * The account's security identifier. LAPS_STATUS_NOT_FOUND when the record has none.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_record_sid(const laps_record *record,
                            char *buffer,
                            size_t buffer_len,
                            size_t *out_len);

/**
 * The number of readers that can open the record; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_record_reader_count(const laps_record *record);

/**
 * The id of one of its readers: 32 bytes. They are in increasing order; index counts from 0.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_record_reader_id(const laps_record *record,
                                  size_t index,
                                  uint8_t *out_id);

#if defined(LAPS_FULL)
/**
 * The number of the record's suite: LAPS_SUITE_X_WING or LAPS_SUITE_X25519; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint16_t laps_record_suite(const laps_record *record);
#endif

#if defined(LAPS_FULL)
/**
 * How often the record was sealed anew; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint32_t laps_record_sealing(const laps_record *record);
#endif

#if defined(LAPS_FULL)
/**
 * The hash of the policy under which the password was made: 32 bytes.
 */
LAPS_API LAPS_NODISCARD laps_status laps_record_policy_hash(const laps_record *record, uint8_t *out_hash);
#endif

#if defined(LAPS_FULL)
/**
 * Whether this proof, 32 bytes that laps_reader_key_open() gave, shows that somebody opened the
 * record. Needs no key; false for NULL.
 */
LAPS_API LAPS_NODISCARD bool laps_record_is_proven_by(const laps_record *record, const uint8_t *proof);
#endif

#if defined(LAPS_FULL)
/**
 * Whether the record has a signature; false for NULL. Whose it is and whether it holds,
 * laps_record_verify_signature() tells.
 */
LAPS_API LAPS_NODISCARD bool laps_record_is_signed(const laps_record *record);
#endif

#if defined(LAPS_FULL)
/**
 * Whether this signer signed the record: LAPS_STATUS_REJECTED when it did not, or somebody else
 * did, or nobody.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_record_verify_signature(const laps_record *record,
                                         const laps_signer *signer);
#endif

/**
 * Frees a record.
 */
LAPS_API void laps_record_free(laps_record *record);

/**
 * No account yet.
 */
LAPS_API LAPS_NODISCARD laps_status laps_accounts_new(laps_accounts **out_accounts);

/**
 * Adds an account of the device. The SID may be NULL with length 0 where the platform has none.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_accounts_add(laps_accounts *accounts,
                              const char *name,
                              size_t name_len,
                              const char *sid,
                              size_t sid_len,
                              bool enabled);

/**
 * Chooses the managed account by the policy's AdministratorAccountName: by its name, or, when that
 * is blank, the built-in administrator by its SID. The index counts from 0 in the order of
 * laps_accounts_add().
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_accounts_choose(const laps_accounts *accounts,
                                 const laps_policy *policy,
                                 size_t *out_index);

/**
 * The name of the account that is managed automatically under a policy:
 * AutomaticAccountManagementNameOrPrefix, and six random digits where
 * AutomaticAccountManagementRandomizeName asks for them, drawn anew at every call. The accounts
 * are those whose names it must not have: leave out the one that is managed already.
 * LAPS_STATUS_ACCOUNT_REFUSED when the name cannot be one, or is taken. A buffer of 64 always
 * holds it.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_accounts_automatic_name(const laps_accounts *accounts,
                                         const laps_policy *policy,
                                         laps_generator *generator,
                                         char *buffer,
                                         size_t buffer_len,
                                         size_t *out_len);

/**
 * Frees accounts.
 */
LAPS_API void laps_accounts_free(laps_accounts *accounts);

/**
 * A configuration for one account of one device under a policy. The device has 1 to 128 bytes, the
 * account 1 to 64 characters: the name that laps_accounts_choose() found, never blank.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_config_new(const laps_policy *policy,
                            const char *device,
                            size_t device_len,
                            const char *account,
                            size_t account_len,
                            laps_config **out_config);

/**
 * Sets the scope (the tenant): at most 64 bytes.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_config_set_scope(laps_config *config,
                                  const char *scope,
                                  size_t scope_len);

/**
 * Sets the account's security identifier, such as S-1-5-21-1-2-3-500. It tells an account that was
 * made anew under the same name.
 */
LAPS_API LAPS_NODISCARD laps_status laps_config_set_sid(laps_config *config, const char *sid, size_t sid_len);

/**
 * Says whether this platform can find out if the account holds a password; true until it is set.
 */
LAPS_API LAPS_NODISCARD laps_status laps_config_set_can_verify(laps_config *config, bool can_verify);

/**
 * Sets the seconds from one check-in to the next: 60 to 86 400; 3600 until it is set.
 */
LAPS_API LAPS_NODISCARD laps_status laps_config_set_check_in_seconds(laps_config *config, uint64_t seconds);

/**
 * Sets how many seconds a password may lie in memory before it is applied: 60 to 3600; 900 until
 * it is set.
 */
LAPS_API LAPS_NODISCARD laps_status laps_config_set_plaintext_seconds(laps_config *config, uint64_t seconds);

/**
 * Frees a configuration.
 */
LAPS_API void laps_config_free(laps_config *config);

/**
 * A rotation without a state: nothing is known of the account's password. Only where no state was
 * ever written, or laps_rotation_resume() answered LAPS_STATUS_JOURNAL_MALFORMED.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_new(const laps_config *config,
                              uint64_t now,
                              laps_rotation **out_rotation);

/**
 * Goes on from the state that was written last. Before this no setter of an earlier run may be
 * running any more; stamp is the account's change stamp, read after that: 32 bytes that differ
 * after every change of its password, or NULL where the platform has none.
 * LAPS_STATUS_JOURNAL_MALFORMED: start with laps_rotation_new(). LAPS_STATUS_UNSUPPORTED_VERSION:
 * update the library, do not start.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_resume(const laps_config *config,
                                 const uint8_t *state,
                                 size_t state_len,
                                 const uint8_t *stamp,
                                 uint64_t now,
                                 laps_rotation **out_rotation);

/**
 * What to do next: one of LAPS_WISH_*. The value is a time for LAPS_WISH_WAIT, a LAPS_ACTION_* for
 * LAPS_WISH_ACT, the version for LAPS_WISH_PREPARE, otherwise 0. Changes nothing, and says the
 * same until a fact arrives.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_poll(const laps_rotation *rotation,
                               uint32_t *out_wish,
                               uint64_t *out_value);

/**
 * The next event, oldest first. LAPS_STATUS_NOT_FOUND when there is none.
 */
LAPS_API LAPS_NODISCARD laps_status laps_rotation_poll_event(laps_rotation *rotation, laps_event **out_event);

/**
 * The state to be written for LAPS_WISH_SAVE. It holds no secret that this device could open;
 * `laps open` reads the passwords in it with a reader's key.
 */
LAPS_API LAPS_NODISCARD laps_status laps_rotation_state(laps_rotation *rotation, laps_bytes **out_bytes);

/**
 * The check-in to be sent for LAPS_WISH_CHECK_IN. Only the answer to the latest one is taken. It
 * may also be made without the wish, to check in early.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_check_in(laps_rotation *rotation,
                                   laps_generator *generator,
                                   laps_bytes **out_bytes);

/**
 * The new password, for LAPS_WISH_APPLY and LAPS_WISH_VERIFY. Borrowed until the next call that
 * changes the rotation. NULL at every other time.
 */
LAPS_API LAPS_NODISCARD const laps_password *laps_rotation_password(const laps_rotation *rotation);

/**
 * The account whose password is being replaced. While a rotation is under way it stays the one
 * that it began with.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_account(const laps_rotation *rotation,
                                  char *buffer,
                                  size_t buffer_len,
                                  size_t *out_len);

/**
 * Where the rotation stands: one of LAPS_STATE_*; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint32_t laps_rotation_step(const laps_rotation *rotation);

/**
 * The version of the last committed password; 0 for none.
 */
LAPS_API LAPS_NODISCARD uint64_t laps_rotation_version(const laps_rotation *rotation);

/**
 * When the next rotation is due; 0 before the first commit.
 */
LAPS_API LAPS_NODISCARD uint64_t laps_rotation_due(const laps_rotation *rotation);

/**
 * Whether a rotation is due now, also one that waits for its back-off, or under way.
 */
LAPS_API LAPS_NODISCARD bool laps_rotation_is_due(const laps_rotation *rotation);

/**
 * Frees a rotation and wipes its password. What was written as its state goes on.
 */
LAPS_API void laps_rotation_free(laps_rotation *rotation);

/**
 * The state that laps_rotation_state() gave last is durable.
 */
LAPS_API LAPS_NODISCARD laps_status laps_rotation_handle_saved(laps_rotation *rotation);

/**
 * The state could not be made durable; it is wished again after a while.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_handle_save_failed(laps_rotation *rotation,
                                             laps_generator *generator,
                                             uint64_t now);

/**
 * The vault answered. LAPS_STATUS_MESSAGE_MALFORMED or LAPS_STATUS_UNEXPECTED_EVENT: nothing has
 * changed; ignore it, or give up with laps_rotation_handle_check_in_failed().
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_handle_answer(laps_rotation *rotation,
                                        const uint8_t *bytes,
                                        size_t bytes_len,
                                        laps_generator *generator,
                                        uint64_t now);

/**
 * No answer came, or none that could be read.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_handle_check_in_failed(laps_rotation *rotation,
                                                 laps_generator *generator,
                                                 uint64_t now);

/**
 * For LAPS_WISH_PREPARE: makes a password, seals it to 1 to 16 readers of one suite, and keeps
 * both. stamp is the account's change stamp: 32 bytes, or NULL where the platform has none. When
 * it fails, the rotation knows, waits a while and wishes it again; an argument that is NULL or
 * poisoned is told to you alone.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_prepare(laps_rotation *rotation,
                                  laps_generator *generator,
                                  const laps_recipe *recipe,
                                  const laps_reader *const *readers,
                                  size_t reader_count,
                                  const uint8_t *stamp,
                                  uint64_t now);

/**
 * The account's change stamp, for LAPS_WISH_READ_STAMP: 32 bytes, or NULL where the platform has
 * none. LAPS_STATUS_UNEXPECTED_EVENT also when the password's time in memory ended while the stamp
 * was read (the device slept): it is wiped, and laps_rotation_poll() says what is next.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_handle_stamp(laps_rotation *rotation,
                                       const uint8_t *stamp,
                                       uint64_t now);

/**
 * What a look at the account found, for LAPS_WISH_LOOK_UP: one of LAPS_ACCOUNT_*. With
 * LAPS_ACCOUNT_PRESENT stamp is its change stamp: 32 bytes, or NULL where the platform has none.
 * It may be told at any time.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_handle_account(laps_rotation *rotation,
                                         uint32_t seen,
                                         const uint8_t *stamp,
                                         uint64_t now);

/**
 * Whom the next password is sealed to: 1 to 16 readers. Tell it at the start, after every commit
 * and whenever they change. A password that is sealed to a reader who is not among them any more
 * is replaced, once.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_handle_readers(laps_rotation *rotation,
                                         const laps_reader *const *readers,
                                         size_t reader_count,
                                         uint64_t now);

/**
 * A person has looked into it and says that the vault's audit log is in order as it is: the device
 * remembers it from then on.
 */
LAPS_API LAPS_NODISCARD laps_status laps_rotation_acknowledge_log(laps_rotation *rotation, uint64_t now);

/**
 * What the setter reported: one of LAPS_APPLIED_*. What is not certainly a success or a refusal is
 * LAPS_APPLIED_FAILED.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_handle_applied(laps_rotation *rotation,
                                         uint32_t applied,
                                         laps_generator *generator,
                                         uint64_t now);

/**
 * What the account said to the password: one of LAPS_VERIFIED_*.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_handle_verified(laps_rotation *rotation,
                                          uint32_t verified,
                                          laps_generator *generator,
                                          uint64_t now);

/**
 * How the wished action ended: one of LAPS_ACTED_*.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_handle_acted(laps_rotation *rotation,
                                       uint32_t acted,
                                       uint64_t now);

/**
 * Somebody used the account at the time `at`. Your own verification is never one.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_handle_used(laps_rotation *rotation,
                                      uint64_t at,
                                      uint64_t now);

/**
 * Uses of the account before this time are of no interest; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint64_t laps_rotation_used_since(const laps_rotation *rotation);

/**
 * Time passed.
 */
LAPS_API LAPS_NODISCARD laps_status laps_rotation_handle_timeout(laps_rotation *rotation, uint64_t now);

/**
 * Another policy is in force, or another account is to be managed; not another scope or device.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_rotation_handle_config(laps_rotation *rotation,
                                        const laps_config *config,
                                        uint64_t now);

/**
 * The administrator of this device asks for a new password now. It does not wait for a back-off.
 */
LAPS_API LAPS_NODISCARD laps_status laps_rotation_force(laps_rotation *rotation, uint64_t now);

/**
 * A single run by hand: whatever is due does not wait for its back-off.
 */
LAPS_API LAPS_NODISCARD laps_status laps_rotation_skip_back_off(laps_rotation *rotation, uint64_t now);

/**
 * What happened, such as "committed". Borrowed. NULL for NULL.
 */
LAPS_API LAPS_NODISCARD const char *laps_event_name(const laps_event *event);

/**
 * Why, such as "order"; "none" for nothing in particular. Borrowed. NULL for NULL.
 */
LAPS_API LAPS_NODISCARD const char *laps_event_reason(const laps_event *event);

/**
 * The event of an agent as one JSON object, with device, account and a sentence for people; empty
 * for the event of a rotation. Borrowed. NULL for NULL.
 */
LAPS_API LAPS_NODISCARD const char *laps_event_json(const laps_event *event);

/**
 * The event id of Windows LAPS; 0 where it has no such event.
 */
LAPS_API LAPS_NODISCARD uint32_t laps_event_id(const laps_event *event);

/**
 * How loud it is: one of LAPS_LEVEL_*; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint32_t laps_event_level(const laps_event *event);

/**
 * When it happened; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint64_t laps_event_at(const laps_event *event);

/**
 * The version of the record that it is about; 0 for none.
 */
LAPS_API LAPS_NODISCARD uint64_t laps_event_version(const laps_event *event);

/**
 * A number that belongs to the event of a rotation: tries, a deadline, candidates; otherwise 0.
 */
LAPS_API LAPS_NODISCARD uint64_t laps_event_detail(const laps_event *event);

/**
 * The id of the record that it is about: 16 bytes. LAPS_STATUS_NOT_FOUND when it is about none, or
 * comes from an agent.
 */
LAPS_API LAPS_NODISCARD laps_status laps_event_record(const laps_event *event, uint8_t *out_id);

/**
 * Frees an event.
 */
LAPS_API void laps_event_free(laps_event *event);

/**
 * Options for a device, as the vault calls it, with the folder that keeps its state.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_options_new(const char *device,
                                   size_t device_len,
                                   const char *folder,
                                   size_t folder_len,
                                   laps_agent_options **out_options);

/**
 * Sets the scope (the tenant): at most 64 bytes.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_options_set_scope(laps_agent_options *options,
                                         const char *scope,
                                         size_t scope_len);

/**
 * Adds a policy document of any known form, which is copied; source names it in findings. What
 * several documents say is joined as laps_evaluation_policy() does it. A refused policy changes
 * nothing: the last accepted one stays in force, and an event says so.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_options_add_policy(laps_agent_options *options,
                                          const uint8_t *document,
                                          size_t document_len,
                                          const char *source,
                                          size_t source_len);

/**
 * Adds the file of a policy document, which is read again at every run, so that a changed one is
 * followed. Documents are all files, or none is.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_options_add_policy_file(laps_agent_options *options,
                                               const char *path,
                                               size_t path_len);

/**
 * Whether the last of two documents that clash wins; otherwise a clash is refused.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_options_set_last_wins(laps_agent_options *options,
                                             bool last_wins);

/**
 * Sets for whom passwords are sealed: 1 to 16 readers, which are copied.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_options_set_readers(laps_agent_options *options,
                                           const laps_reader *const *readers,
                                           size_t reader_count);

/**
 * Sets, in place of readers, the file of a signed reader set, which is read again at every run,
 * and who signs it. The first authority is pinned in the state folder, and an older set is
 * refused.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_options_set_reader_set(laps_agent_options *options,
                                              const char *path,
                                              size_t path_len,
                                              const laps_signer *authority);

/**
 * Sets the account store by its name: "linux" (the accounts of this machine but root, or the one
 * in "linux:NAME"), "windows", or "command:CMD", a program of yours (not on Windows).
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_options_set_store(laps_agent_options *options,
                                         const char *store,
                                         size_t store_len);

/**
 * Sets an account store of your own. The table is copied; user goes to each of its functions, and
 * may be NULL.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_options_set_account_calls(laps_agent_options *options,
                                                 const laps_account_calls *calls,
                                                 void *user);

/**
 * Sets how a check-in reaches the vault. user goes to channel, and may be NULL.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_options_set_channel(laps_agent_options *options,
                                           laps_channel channel,
                                           void *user);

/**
 * Sets who is told of events; NULL: nobody. user goes to on_event, and may be NULL.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_options_set_on_event(laps_agent_options *options,
                                            laps_on_event on_event,
                                            void *user);

/**
 * Sets how many seconds to wait: for another agent on the state folder (10 by default), for a
 * program that sets the password (30), and in a single run for another try at the account (30). At
 * most 1000000000 each.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_options_set_timeouts(laps_agent_options *options,
                                            uint64_t lock_seconds,
                                            uint64_t setter_seconds,
                                            uint64_t patience_seconds);

/**
 * Takes the vault's audit log as it is: a person has looked into what the device said about it.
 */
LAPS_API LAPS_NODISCARD laps_status laps_agent_options_acknowledge_log(laps_agent_options *options);

/**
 * Frees options.
 */
LAPS_API void laps_agent_options_free(laps_agent_options *options);

/**
 * Opens an agent on its state folder, which is made when it is not there. LAPS_STATUS_BUSY when
 * another agent has the folder for as long as the options let it wait. The options are copied and
 * may be freed; what they said is to be called lives until laps_agent_free().
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_open(const laps_agent_options *options,
                            laps_agent **out_agent);

/**
 * One check-in, and what is due after it; with force a new password in any case. The outcome is
 * one of LAPS_OUTCOME_*. Ends at its next step when another thread stops the agent.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_run_once(const laps_agent *agent,
                                bool force,
                                uint32_t *out_outcome);

/**
 * One check-in, without a rotation. The outcome is one of LAPS_OUTCOME_*.
 */
LAPS_API LAPS_NODISCARD laps_status laps_agent_check_in(const laps_agent *agent, uint32_t *out_outcome);

/**
 * Runs until the agent is stopped: a check-in every so many seconds (a minute to a day), and
 * whatever is due in between. Files of policies and reader sets are read again every minute. What
 * goes wrong is an event, and tried again.
 */
LAPS_API LAPS_NODISCARD laps_status laps_agent_run(const laps_agent *agent, uint64_t interval_seconds);

/**
 * Asks the agent to end what it does at its next step, for good: every later run ends at once. Any
 * thread, a handler of a signal and a function that the agent calls may ask, also for NULL. A
 * function that blocks is waited for, and a password that is being set is set to the end.
 */
LAPS_API void laps_agent_stop(const laps_agent *agent);

/**
 * What a state folder says about its device, as one JSON object: the last thing that was made
 * durable. Nothing is locked or changed, so it works beside a running agent.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_agent_status(const char *folder,
                              size_t folder_len,
                              laps_bytes **out_json);

/**
 * Frees an agent and gives its state folder free. Stop it first where another thread runs it, and
 * wait for that thread.
 */
LAPS_API void laps_agent_free(laps_agent *agent);

/**
 * Opens an account store by its name, as laps_agent_options_set_store() has them. path names a
 * file for its lock, which is made when it is not there: whatever sets a password holds it, also a
 * program that an earlier process left behind, which is waited for and ended after setter_seconds
 * (1 to 1000000000; 30 is usual). LAPS_STATUS_BUSY when it does not end. Each account has a lock
 * of its own, in a folder that nobody else may write in.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_account_store_open(const char *store,
                                    size_t store_len,
                                    const char *path,
                                    size_t path_len,
                                    uint64_t setter_seconds,
                                    laps_account_store **out_account_store);

/**
 * What the store can do on this machine, as far as that is known without trying: the sum of
 * LAPS_ABILITY_*.
 */
LAPS_API LAPS_NODISCARD uint32_t laps_account_store_abilities(const laps_account_store *account_store);

/**
 * Looks up the account of this name, or the built-in administrator for an empty one, and takes it
 * for the calls that follow. Answers what laps_rotation_handle_account() wants, one of
 * LAPS_ACCOUNT_*; unless it is LAPS_ACCOUNT_PRESENT, no account is taken and
 * laps_account_store_reason() says why. Look it up before every check-in.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_account_store_find(laps_account_store *account_store,
                                    const char *name,
                                    size_t name_len,
                                    uint32_t *out_seen);

/**
 * The name of the account that was found, ended by NUL; NULL when none was. Lives until the next
 * laps_account_store_find().
 */
LAPS_API LAPS_NODISCARD const char *laps_account_store_account(const laps_account_store *account_store);

/**
 * The security identifier of the account that was found, ended by NUL; empty when the platform has
 * none, NULL when no account was found. Lives until the next laps_account_store_find().
 */
LAPS_API LAPS_NODISCARD const char *laps_account_store_sid(const laps_account_store *account_store);

/**
 * Reads the account's change stamp: 32 bytes. LAPS_STATUS_NOT_FOUND where the platform has none;
 * pass NULL on then.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_account_store_change_stamp(laps_account_store *account_store,
                                            uint8_t *out_stamp);

/**
 * Whether laps_account_store_verify() will have an answer for the account as it is now: for
 * laps_config_set_can_verify(). password is one that the account does not have, since a store may
 * have to try it. false also when no account was found.
 */
LAPS_API
LAPS_NODISCARD
bool laps_account_store_can_verify(laps_account_store *account_store,
                                   const laps_password *password);

/**
 * Sets the account's password. Answers what laps_rotation_handle_applied() wants, one of
 * LAPS_APPLIED_*; laps_account_store_reason() says why it is not LAPS_APPLIED_SUCCESS. A program
 * that sets it is ended after the seconds that the store was opened with.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_account_store_set(laps_account_store *account_store,
                                   const laps_password *password,
                                   uint32_t *out_applied);

/**
 * Whether the account has a password, which is no use of the account. Answers what
 * laps_rotation_handle_verified() wants, one of LAPS_VERIFIED_*; laps_account_store_reason() says
 * why it is LAPS_VERIFIED_UNAVAILABLE.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_account_store_verify(laps_account_store *account_store,
                                      const laps_password *password,
                                      uint32_t *out_verified);

/**
 * When the account was last used, at or after a time, for laps_rotation_handle_used(); 0 for not
 * at all. LAPS_STATUS_ACCOUNT_FAILED when that cannot be read.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_account_store_used_since(laps_account_store *account_store,
                                          uint64_t since,
                                          uint64_t *out_at);

/**
 * Does one of LAPS_ACTION_*: it signs the account out, or restarts the machine. Answers what
 * laps_rotation_handle_acted() wants, one of LAPS_ACTED_*; laps_account_store_reason() says why it
 * is not LAPS_ACTED_DONE.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_account_store_act(laps_account_store *account_store,
                                   uint32_t action,
                                   uint32_t *out_acted);

/**
 * Why the latest call on this store found no account, or did not do what it was asked; empty where
 * it did. Ended by NUL; never holds a password. Lives until the next call on the store.
 */
LAPS_API LAPS_NODISCARD const char *laps_account_store_reason(const laps_account_store *account_store);

/**
 * Frees an account store and its lock.
 */
LAPS_API void laps_account_store_free(laps_account_store *account_store);

/**
 * A copy of bytes of yours, as a function that the library calls hands an answer out.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_bytes_new(const uint8_t *bytes,
                           size_t bytes_len,
                           laps_bytes **out_bytes);

/**
 * The bytes, laps_bytes_len() of them, borrowed. NULL for NULL.
 */
LAPS_API LAPS_NODISCARD const uint8_t *laps_bytes_data(const laps_bytes *bytes);

/**
 * How many bytes there are; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_bytes_len(const laps_bytes *bytes);

/**
 * Frees bytes.
 */
LAPS_API void laps_bytes_free(laps_bytes *bytes);

#if defined(LAPS_FULL)
/**
 * A new key for a reader with this name (1 to 64 bytes), of suite LAPS_SUITE_X_WING or
 * LAPS_SUITE_X25519.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_reader_key_new(laps_generator *generator,
                                uint16_t suite,
                                const char *name,
                                size_t name_len,
                                laps_reader_key **out_key);
#endif

#if defined(LAPS_FULL)
/**
 * A key from its key file. An empty passphrase is none.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_reader_key_from_file(const uint8_t *file,
                                      size_t file_len,
                                      const uint8_t *passphrase,
                                      size_t passphrase_len,
                                      laps_reader_key **out_key);
#endif

#if defined(LAPS_FULL)
/**
 * The bytes of a key file. An empty passphrase leaves it unencrypted.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_reader_key_to_file(const laps_reader_key *key,
                                    const uint8_t *passphrase,
                                    size_t passphrase_len,
                                    laps_generator *generator,
                                    laps_bytes **out_bytes);
#endif

#if defined(LAPS_FULL)
/**
 * The public half.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_reader_key_reader(const laps_reader_key *key,
                                   laps_reader **out_reader);
#endif

#if defined(LAPS_FULL)
/**
 * Opens a record. LAPS_STATUS_NOT_A_READER when it is sealed to others; LAPS_STATUS_REJECTED when
 * it was changed. out_proof takes 32 bytes that show that somebody opened it,
 * laps_record_is_proven_by(); or it is NULL.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_reader_key_open(const laps_reader_key *key,
                                 const laps_record *record,
                                 laps_password **out_password,
                                 uint8_t *out_proof);
#endif

#if defined(LAPS_FULL)
/**
 * Opens a record and seals it anew for 1 to 16 other readers of one suite. Old copies stay
 * readable to old readers.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_reader_key_reseal(const laps_reader_key *key,
                                   const laps_record *record,
                                   const laps_reader *const *readers,
                                   size_t reader_count,
                                   laps_generator *generator,
                                   laps_record **out_record);
#endif

#if defined(LAPS_FULL)
/**
 * Wipes and frees a key.
 */
LAPS_API void laps_reader_key_free(laps_reader_key *key);
#endif

#if defined(LAPS_FULL)
/**
 * A new key for an authority with this name (1 to 64 bytes).
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_signer_key_new(laps_generator *generator,
                                const char *name,
                                size_t name_len,
                                laps_signer_key **out_key);
#endif

#if defined(LAPS_FULL)
/**
 * A key from its key file. An empty passphrase is none.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_signer_key_from_file(const uint8_t *file,
                                      size_t file_len,
                                      const uint8_t *passphrase,
                                      size_t passphrase_len,
                                      laps_signer_key **out_key);
#endif

#if defined(LAPS_FULL)
/**
 * The bytes of a key file. An empty passphrase leaves it unencrypted.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_signer_key_to_file(const laps_signer_key *key,
                                    const uint8_t *passphrase,
                                    size_t passphrase_len,
                                    laps_generator *generator,
                                    laps_bytes **out_bytes);
#endif

#if defined(LAPS_FULL)
/**
 * The public half.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_signer_key_signer(const laps_signer_key *key,
                                   laps_signer **out_signer);
#endif

#if defined(LAPS_FULL)
/**
 * A reader set of 1 to 16 readers of one suite, signed, as the text that devices verify. The scope
 * is empty where there is one tenant; versions count from 1, and a later one replaces an earlier
 * one.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_signer_key_sign_readers(const laps_signer_key *key,
                                         const char *scope,
                                         size_t scope_len,
                                         uint64_t version,
                                         const laps_reader *const *readers,
                                         size_t reader_count,
                                         laps_bytes **out_bytes);
#endif

#if defined(LAPS_FULL)
/**
 * Wipes and frees a key.
 */
LAPS_API void laps_signer_key_free(laps_signer_key *key);
#endif

#if defined(LAPS_FULL)
/**
 * Makes a vault file with its first readers, 1 to 16 of one suite. actor goes into its audit
 * trail. The scope is empty where there is one tenant; laps_vault_initialise() sets up another.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_init(const char *path,
                            size_t path_len,
                            const char *scope,
                            size_t scope_len,
                            const laps_reader *const *readers,
                            size_t reader_count,
                            const char *actor,
                            size_t actor_len,
                            uint64_t now,
                            laps_vault **out_vault);
#endif

#if defined(LAPS_FULL)
/**
 * Opens a vault file. An older schema is refused, never changed; so is a file that others can
 * read, one with two names, and one on a network file system. Once the file or its log was removed
 * or replaced, every call on it is LAPS_STATUS_UNREACHABLE for good: free it and open it again.
 * One on read-only media, and a published snapshot, can be read only.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_open(const char *path,
                            size_t path_len,
                            const char *scope,
                            size_t scope_len,
                            laps_vault **out_vault);
#endif

#if defined(LAPS_FULL)
/**
 * Says what the program knows about where its requests come from (user, host, process): at most
 * 1024 bytes. It goes into the audit trail beside actor and reason, from now on. Empty at first.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_set_context(laps_vault *vault,
                                   const char *context,
                                   size_t context_len);
#endif

#if defined(LAPS_FULL)
/**
 * Takes a check-in and makes its answer. device is the one that you authenticated; a message that
 * names another is refused. laps_vault_check_in_many() takes many at once.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_check_in(const laps_vault *vault,
                                const char *device,
                                size_t device_len,
                                const uint8_t *bytes,
                                size_t bytes_len,
                                uint64_t now,
                                laps_bytes **out_bytes);
#endif

#if defined(LAPS_FULL)
/**
 * Orders a new password for a device; it obeys at its next check-in. actor and reason go into the
 * audit trail. laps_vault_order_devices() is for several.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_order_rotation(const laps_vault *vault,
                                      const char *device,
                                      size_t device_len,
                                      const char *actor,
                                      size_t actor_len,
                                      const char *reason,
                                      size_t reason_len,
                                      uint64_t now);
#endif

#if defined(LAPS_FULL)
/**
 * Gives out the sealed records of a device. The audit entry with actor and reason is durable
 * before it answers. rotate_after is the seconds after which the device gets a new password, 0 for
 * the setting of the vault.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_disclose(const laps_vault *vault,
                                const char *device,
                                size_t device_len,
                                const char *actor,
                                size_t actor_len,
                                const char *reason,
                                size_t reason_len,
                                bool history,
                                uint64_t rotate_after,
                                uint64_t now,
                                laps_disclosure **out_disclosure);
#endif

#if defined(LAPS_FULL)
/**
 * Verifies the audit trail. expect is a head from before, such as laps_disclosure_head() gave, or
 * empty. LAPS_STATUS_AUDIT_BROKEN when an entry was changed, removed, moved or cut off; the last
 * error says which, and laps_vault_audit_report() as a number.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_audit_verify(const laps_vault *vault,
                                    const char *expect,
                                    size_t expect_len,
                                    uint64_t *out_entries);
#endif

#if defined(LAPS_FULL)
/**
 * Closes a vault.
 */
LAPS_API void laps_vault_free(laps_vault *vault);
#endif

#if defined(LAPS_FULL)
/**
 * How many records were given out; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_disclosure_count(const laps_disclosure *disclosure);
#endif

#if defined(LAPS_FULL)
/**
 * One of the records; index counts from 0. Open it with laps_reader_key_open().
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_disclosure_record(const laps_disclosure *disclosure,
                                   size_t index,
                                   laps_record **out_record);
#endif

#if defined(LAPS_FULL)
/**
 * What one of the records is: one of LAPS_CANDIDATE_*; index counts from 0. 0 when there is no
 * such index.
 */
LAPS_API LAPS_NODISCARD uint32_t laps_disclosure_state(const laps_disclosure *disclosure, size_t index);
#endif

#if defined(LAPS_FULL)
/**
 * When the vault received one of the records; index counts from 0. 0 when there is no such index.
 */
LAPS_API LAPS_NODISCARD uint64_t laps_disclosure_updated(const laps_disclosure *disclosure, size_t index);
#endif

#if defined(LAPS_FULL)
/**
 * Records that are not among those given out, because what is stored of them is damaged. Fields:
 * DEVICE, RECORD, DAMAGED.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_disclosure_damaged(const laps_disclosure *disclosure,
                                    laps_rows **out_rows);
#endif

#if defined(LAPS_FULL)
/**
 * The number of its audit entry, from 1; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD uint64_t laps_disclosure_entry(const laps_disclosure *disclosure);
#endif

#if defined(LAPS_FULL)
/**
 * The head of the audit trail: keep it, laps_vault_audit_verify() compares with it. Borrowed. NULL
 * for NULL.
 */
LAPS_API LAPS_NODISCARD const char *laps_disclosure_head(const laps_disclosure *disclosure);
#endif

#if defined(LAPS_FULL)
/**
 * Frees a disclosure.
 */
LAPS_API void laps_disclosure_free(laps_disclosure *disclosure);
#endif

#if defined(LAPS_FULL)
/**
 * How many rows there are; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_rows_count(const laps_rows *rows);
#endif

#if defined(LAPS_FULL)
/**
 * A text of a row: field is one of LAPS_FIELD_*, index counts from 0. Borrowed. NULL where the row
 * has no such text, and when there is no such row.
 */
LAPS_API LAPS_NODISCARD const char *laps_rows_text(const laps_rows *rows, size_t index, uint32_t field);
#endif

#if defined(LAPS_FULL)
/**
 * A number of a row: field is one of LAPS_FIELD_*, index counts from 0. 0 where the row has no
 * such number, and when there is no such row. Times are as everywhere.
 */
LAPS_API LAPS_NODISCARD uint64_t laps_rows_number(const laps_rows *rows, size_t index, uint32_t field);
#endif

#if defined(LAPS_FULL)
/**
 * The bytes of a row, laps_rows_bytes_len() of them, borrowed; which rows have bytes stands with
 * the call that hands them out. NULL where the row has none, and when there is no such row.
 */
LAPS_API LAPS_NODISCARD const uint8_t *laps_rows_bytes(const laps_rows *rows, size_t index);
#endif

#if defined(LAPS_FULL)
/**
 * How many bytes a row has; 0 when it has none, and when there is no such row.
 */
LAPS_API LAPS_NODISCARD size_t laps_rows_bytes_len(const laps_rows *rows, size_t index);
#endif

#if defined(LAPS_FULL)
/**
 * What to pass as after for the next page. Borrowed. NULL at the end.
 */
LAPS_API LAPS_NODISCARD const char *laps_rows_next(const laps_rows *rows);
#endif

#if defined(LAPS_FULL)
/**
 * Frees rows.
 */
LAPS_API void laps_rows_free(laps_rows *rows);
#endif

#if defined(LAPS_FULL)
/**
 * The vault without the power to hand anything out or to change anything. It lives on when the
 * vault is freed.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_metadata(const laps_vault *vault,
                                laps_metadata **out_metadata);
#endif

#if defined(LAPS_FULL)
/**
 * Devices by name, those behind after (empty: from the first), at most limit, 1 to 10000. Fields:
 * DEVICE, ACCOUNT, SID, VERSION, STATE, ORDERED, UPDATED, EXPIRES, LAST_SEEN, OUTCOME and its own,
 * CANDIDATES, FINDINGS, RESET_AT, WAITS_UNTIL, ORDER_AT, PROVEN_AT, FORMER_ACCOUNTS; or DEVICE and
 * DAMAGED.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_metadata_list(const laps_metadata *metadata,
                               const char *after,
                               size_t after_len,
                               size_t limit,
                               laps_rows **out_rows);
#endif

#if defined(LAPS_FULL)
/**
 * One device: one row with the fields of laps_metadata_list().
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_metadata_show(const laps_metadata *metadata,
                               const char *device,
                               size_t device_len,
                               laps_rows **out_rows);
#endif

#if defined(LAPS_FULL)
/**
 * The records of a device without their content: current, pending, history. Fields: RECORD,
 * VERSION, STATE, UPDATED, DISPLACED, RULED_OUT, STALE_READERS, CONFIRMED, OPENED, ACCOUNT,
 * MADE_AT, READER_IDS.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_metadata_history(const laps_metadata *metadata,
                                  const char *device,
                                  size_t device_len,
                                  laps_rows **out_rows);
#endif

#if defined(LAPS_FULL)
/**
 * Devices by due date, those that are due no later than until; after is laps_rows_next() of the
 * page before, or empty. Fields: DEVICE, EXPIRES, ORDERED; or DEVICE and DAMAGED. Costs grow with
 * the answer, not with the vault.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_metadata_due(const laps_metadata *metadata,
                              uint64_t until,
                              const char *after,
                              size_t after_len,
                              size_t limit,
                              laps_rows **out_rows);
#endif

#if defined(LAPS_FULL)
/**
 * Figures about the vault. Costs grow with the vault.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_metadata_stats(const laps_metadata *metadata,
                                uint64_t now,
                                laps_stats *out_stats);
#endif

#if defined(LAPS_FULL)
/**
 * Frees metadata.
 */
LAPS_API void laps_metadata_free(laps_metadata *metadata);
#endif

#if defined(LAPS_FULL)
/**
 * Makes an empty list of check-ins.
 */
LAPS_API LAPS_NODISCARD laps_status laps_check_ins_new(laps_check_ins **out_check_ins);
#endif

#if defined(LAPS_FULL)
/**
 * Adds a check-in, which is copied. device is the one that you authenticated. Whether the message
 * is one is seen when it is taken, so a bad one can be added.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_check_ins_add(laps_check_ins *check_ins,
                               const char *device,
                               size_t device_len,
                               const uint8_t *bytes,
                               size_t bytes_len);
#endif

#if defined(LAPS_FULL)
/**
 * How many were added; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_check_ins_count(const laps_check_ins *check_ins);
#endif

#if defined(LAPS_FULL)
/**
 * Frees check-ins.
 */
LAPS_API void laps_check_ins_free(laps_check_ins *check_ins);
#endif

#if defined(LAPS_FULL)
/**
 * Takes check-ins together, in one transaction with one wait for the disk. Each has its own row,
 * in the order in which they were added, and one that is refused does not hinder the others:
 * DEVICE and the bytes of its answer; or DEVICE, STATUS and WHY, with the status that
 * laps_vault_check_in() would answer. A call that fails has taken none of them, and may be
 * made again. Where nothing can be written, those that change nothing are answered all the same,
 * and the others have that status.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_check_in_many(const laps_vault *vault,
                                     const laps_check_ins *check_ins,
                                     uint64_t now,
                                     laps_rows **out_rows);
#endif

#if defined(LAPS_FULL)
/**
 * Orders a new password for every device; each obeys at its next check-in, a retired one too.
 * out_devices receives how many have an order now that had none before. A thousand devices in each
 * transaction: after a failure, call again.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_order_all(const laps_vault *vault,
                                 const char *actor,
                                 size_t actor_len,
                                 const char *reason,
                                 size_t reason_len,
                                 uint64_t now,
                                 uint64_t *out_devices);
#endif

#if defined(LAPS_FULL)
/**
 * As laps_vault_order_all(), for every device whose due date has passed.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_order_overdue(const laps_vault *vault,
                                     const char *actor,
                                     size_t actor_len,
                                     const char *reason,
                                     size_t reason_len,
                                     uint64_t now,
                                     uint64_t *out_devices);
#endif

#if defined(LAPS_FULL)
/**
 * As laps_vault_order_all(), for every device that may hold now what this actor was shown at the
 * time since or later: by a disclosure, whatever was noted about it with
 * laps_vault_record_outcome(), by an export, or by records that were handed out to be sealed anew
 * or given back. A back-up counts as all that was stored until an hour behind its entry in the
 * trail.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_order_revealed_by(const laps_vault *vault,
                                         const char *whom,
                                         size_t whom_len,
                                         uint64_t since,
                                         const char *actor,
                                         size_t actor_len,
                                         const char *reason,
                                         size_t reason_len,
                                         uint64_t now,
                                         uint64_t *out_devices);
#endif

#if defined(LAPS_FULL)
/**
 * Notes whether what an entry of the trail disclosed was opened; see laps_disclosure_entry().
 * Without such a note it counts as revealed.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_record_outcome(const laps_vault *vault,
                                      uint64_t entry,
                                      bool opened,
                                      const char *actor,
                                      size_t actor_len,
                                      const char *reason,
                                      size_t reason_len,
                                      uint64_t now);
#endif

#if defined(LAPS_FULL)
/**
 * Makes an empty list of devices.
 */
LAPS_API LAPS_NODISCARD laps_status laps_devices_new(laps_devices **out_devices);
#endif

#if defined(LAPS_FULL)
/**
 * Adds a device by its name, which is copied. Whether the vault has it is seen when it is used.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_devices_add(laps_devices *devices,
                             const char *device,
                             size_t device_len);
#endif

#if defined(LAPS_FULL)
/**
 * How many were added; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_devices_count(const laps_devices *devices);
#endif

#if defined(LAPS_FULL)
/**
 * Frees a list of devices.
 */
LAPS_API void laps_devices_free(laps_devices *devices);
#endif

#if defined(LAPS_FULL)
/**
 * As laps_vault_order_rotation(), for several devices in one transaction with one entry in the
 * trail: all of them, or none when one is unknown or has no record (LAPS_STATUS_NOT_FOUND) or
 * cannot be read. One that was added twice counts once; at least one is needed. out_devices
 * receives how many have an order now that had none before.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_order_devices(const laps_vault *vault,
                                     const laps_devices *devices,
                                     const char *actor,
                                     size_t actor_len,
                                     const char *reason,
                                     size_t reason_len,
                                     uint64_t now,
                                     uint64_t *out_devices);
#endif

#if defined(LAPS_FULL)
/**
 * Whether an order to rotate is open for a device: out_ordered receives 1 or 0. Unlike
 * LAPS_FIELD_ORDERED also for a retired one, whose order waits until it is back in service.
 * LAPS_STATUS_NOT_FOUND for a device that the vault does not have.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_is_ordered(const laps_vault *vault,
                                  const char *device,
                                  size_t device_len,
                                  uint32_t *out_ordered);
#endif

#if defined(LAPS_FULL)
/**
 * Sets up another scope of a vault file with its first readers, 1 to 16 of one suite: open the
 * file with that scope first. laps_vault_init() has done so for its own.
 * LAPS_STATUS_ALREADY_EXISTS where readers are.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_initialise(const laps_vault *vault,
                                  const laps_reader *const *readers,
                                  size_t reader_count,
                                  const char *actor,
                                  size_t actor_len,
                                  const char *reason,
                                  size_t reason_len,
                                  uint64_t now);
#endif

#if defined(LAPS_FULL)
/**
 * The readers that the vault knows, also those that were removed. Fields: READER, READER_ID,
 * ADDED, and REMOVED where it was.
 */
LAPS_API LAPS_NODISCARD laps_status laps_vault_readers(const laps_vault *vault, laps_rows **out_rows);
#endif

#if defined(LAPS_FULL)
/**
 * Adds a reader. What is stored is sealed anew for it by laps_vault_reseal(), or, where the keys
 * are elsewhere, by way of laps_vault_resealing(). At most 16 of one suite.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_add_reader(const laps_vault *vault,
                                  const laps_reader *reader,
                                  const char *actor,
                                  size_t actor_len,
                                  const char *reason,
                                  size_t reason_len,
                                  uint64_t now);
#endif

#if defined(LAPS_FULL)
/**
 * Removes a reader by its id of 32 bytes. With rotate, what it can open is ordered to rotate,
 * spread over rotate_within seconds; out_devices receives how many devices that is. What it has a
 * copy of stays readable to it. The last reader needs confirm. The orders follow the removal, a
 * thousand devices in each transaction: when they fail, or the process is killed between, go on
 * with laps_vault_order_readable().
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_remove_reader(const laps_vault *vault,
                                     const uint8_t *reader_id,
                                     bool rotate,
                                     uint64_t rotate_within,
                                     bool confirm,
                                     const char *actor,
                                     size_t actor_len,
                                     const char *reason,
                                     size_t reason_len,
                                     uint64_t now,
                                     uint64_t *out_devices);
#endif

#if defined(LAPS_FULL)
/**
 * Orders a new password for every device with a candidate that a reader can open, spread over
 * within seconds; the reader may have been removed. Its id has 32 bytes. out_devices receives how
 * many have an order now that had none before. A thousand devices in each transaction: after a
 * failure, call again.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_order_readable(const laps_vault *vault,
                                      const uint8_t *reader_id,
                                      uint64_t within,
                                      const char *actor,
                                      size_t actor_len,
                                      const char *reason,
                                      size_t reason_len,
                                      uint64_t now,
                                      uint64_t *out_devices);
#endif

#if defined(LAPS_FULL)
/**
 * Opens every record that is not sealed to exactly the readers of now and seals it anew, on all
 * cores; nothing is rotated. out_replaced receives how many; out_not_ours how many are not sealed
 * to this key, so that another reader has to seal them; out_failed those that could not be sealed
 * anew and stay as they were: DEVICE, RECORD, WHY; or DEVICE and DAMAGED. When it is stopped, the
 * next call goes on where it was. laps_vault_reseal_watched() asks before each step.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_reseal(const laps_vault *vault,
                              const laps_reader_key *key,
                              const char *actor,
                              size_t actor_len,
                              const char *reason,
                              size_t reason_len,
                              uint64_t now,
                              uint64_t *out_replaced,
                              uint64_t *out_not_ours,
                              laps_rows **out_failed);
#endif

#if defined(LAPS_FULL)
/**
 * Sets how many displaced records of a device are kept, 1 to 65535, and that beyond those all are
 * that were displaced within so many days (0: no such rule). A shorter history takes effect at a
 * device's next change.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_set_history(const laps_vault *vault,
                                   uint16_t records,
                                   uint16_t days,
                                   const char *actor,
                                   size_t actor_len,
                                   const char *reason,
                                   size_t reason_len,
                                   uint64_t now);
#endif

#if defined(LAPS_FULL)
/**
 * What laps_vault_set_history() set: how many displaced records of a device are kept, and within
 * how many days all are (0: no such rule).
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_history(const laps_vault *vault,
                               uint32_t *out_records,
                               uint32_t *out_days);
#endif

#if defined(LAPS_FULL)
/**
 * Records that are not sealed to exactly the readers of now, of those devices behind after (empty:
 * from the first), at most limit devices, 1 to 1000, for a vault whose readers' keys are
 * elsewhere: there laps_record_parse() and laps_reader_key_reseal(), and back with
 * laps_vault_take_resealed(). Seal to readers that you know, from a signed set
 * (laps_reader_set_verify()) or a list of your own: who keeps the vault could name you one of
 * theirs. The handing out is in the trail. Fields: DEVICE, RECORD and the bytes of the record;
 * DEVICE, RECORD and DAMAGED for one whose bytes are damaged; DEVICE and DAMAGED for a device that
 * the vault cannot read. A page may be empty and still not the last one.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_resealing(const laps_vault *vault,
                                 const char *after,
                                 size_t after_len,
                                 size_t limit,
                                 const char *actor,
                                 size_t actor_len,
                                 const char *reason,
                                 size_t reason_len,
                                 uint64_t now,
                                 laps_rows **out_rows);
#endif

#if defined(LAPS_FULL)
/**
 * Takes back records of laps_vault_resealing() that were sealed anew. Each must hold the same
 * password for the same purpose, sealed to readers of now. out_replaced receives how many replaced
 * what was stored; those that are gone, were taken already, or were sealed anew by somebody else
 * meanwhile are left out, so a page may be given back again. out_failed receives those that were
 * refused and stay as they were: DEVICE, RECORD, WHY. After a call that fails, what it took stays,
 * and all may be given back again. The vault opens nothing, so it cannot tell whether a reader can
 * open what it takes: let only those give records back whom you trust not to destroy them.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_take_resealed(const laps_vault *vault,
                                     const laps_record *const *resealed,
                                     size_t resealed_count,
                                     const char *actor,
                                     size_t actor_len,
                                     const char *reason,
                                     size_t reason_len,
                                     uint64_t now,
                                     uint64_t *out_replaced,
                                     laps_rows **out_failed);
#endif

#if defined(LAPS_FULL)
/**
 * Takes a device out of service: it is never due. What is stored stays, and can be disclosed.
 * Orders to rotate wait until it checks in again.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_retire(const laps_vault *vault,
                              const char *device,
                              size_t device_len,
                              const char *actor,
                              size_t actor_len,
                              const char *reason,
                              size_t reason_len,
                              uint64_t now);
#endif

#if defined(LAPS_FULL)
/**
 * Brings a retired device back into service, also with another account and SID. What is stored
 * stays.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_re_enrol(const laps_vault *vault,
                                const char *device,
                                size_t device_len,
                                const char *actor,
                                size_t actor_len,
                                const char *reason,
                                size_t reason_len,
                                uint64_t now);
#endif

#if defined(LAPS_FULL)
/**
 * Removes a device and every password of it, for ever. Needs confirm. The trail stays.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_purge(const laps_vault *vault,
                             const char *device,
                             size_t device_len,
                             bool confirm,
                             const char *actor,
                             size_t actor_len,
                             const char *reason,
                             size_t reason_len,
                             uint64_t now);
#endif

#if defined(LAPS_FULL)
/**
 * Removes one record of a device by its id of 16 bytes, a candidate or one in history. Needs
 * confirm: the device may still have this password.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_remove_record(const laps_vault *vault,
                                     const char *device,
                                     size_t device_len,
                                     const uint8_t *record_id,
                                     bool confirm,
                                     const char *actor,
                                     size_t actor_len,
                                     const char *reason,
                                     size_t reason_len,
                                     uint64_t now);
#endif

#if defined(LAPS_FULL)
/**
 * Entries of the trail as they are stored, those behind number after (0: from the first), at most
 * limit, 1 to 10000. Whether they were changed, only laps_vault_audit_verify() tells. Fields:
 * NUMBER, HASH, AT, ACTION, ACTOR, REASON, CONTEXT, DEVICE, RECORDS, REFERS_TO, DETAIL, EARLIER;
 * or NUMBER, HASH, DAMAGED, WHY.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_audit_entries(const laps_vault *vault,
                                     uint64_t after,
                                     size_t limit,
                                     laps_rows **out_rows);
#endif

#if defined(LAPS_FULL)
/**
 * The head of the trail now: its length and hash. Keep it, laps_vault_audit_verify() compares with
 * it.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_audit_head(const laps_vault *vault,
                                  char *buffer,
                                  size_t buffer_len,
                                  size_t *out_len);
#endif

#if defined(LAPS_FULL)
/**
 * Verifies the audit trail as laps_vault_audit_verify() does, and reports what it found in one
 * row. A broken trail is LAPS_STATUS_OK here: look at VERIFIED. Fields: VERIFIED, COUNT, HEAD, and
 * FIRST_BAD where it is broken. progress is told about once in a thousand entries how many were
 * looked at, and of how many the vault knows; NULL: nobody is told. user goes to progress, and may
 * be NULL. The verification cannot be stopped.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_audit_report(const laps_vault *vault,
                                    const char *expect,
                                    size_t expect_len,
                                    laps_progress progress,
                                    void *user,
                                    laps_rows **out_rows);
#endif

#if defined(LAPS_FULL)
/**
 * What happened through this object, and what came from it, since the last such call, oldest
 * first: for metrics, without who and why, which are in the trail. The first call answers no rows,
 * and from then on at most 1024 are kept; out_missed receives how many older ones were forgotten.
 * Fields: KIND and those of LAPS_OBSERVED_*. Ignore kinds that you do not know.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_observed(const laps_vault *vault,
                                uint64_t *out_missed,
                                laps_rows **out_rows);
#endif

#if defined(LAPS_FULL)
/**
 * Copies a vault to a new file, whole, while others work on it. It is in the trail first.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_back_up(const laps_vault *vault,
                               const char *path,
                               size_t path_len,
                               const char *actor,
                               size_t actor_len,
                               const char *reason,
                               size_t reason_len,
                               uint64_t now);
#endif

#if defined(LAPS_FULL)
/**
 * Puts a copy of a vault in a place where none is, and opens it. That is in its trail; devices
 * that know a later head of it say so at their next check-in.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_restore(const char *copy,
                               size_t copy_len,
                               const char *path,
                               size_t path_len,
                               const char *scope,
                               size_t scope_len,
                               const char *actor,
                               size_t actor_len,
                               const char *reason,
                               size_t reason_len,
                               uint64_t now,
                               laps_vault **out_vault);
#endif

#if defined(LAPS_FULL)
/**
 * Brings a vault of an older schema to the one of this version. With keep, the file from before
 * stays beside it, under its name with ".schema-" and the number of its schema behind it.
 * laps_vault_migrate_report() tells what it did.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_migrate(const char *path,
                               size_t path_len,
                               bool keep,
                               const char *actor,
                               size_t actor_len,
                               const char *reason,
                               size_t reason_len,
                               uint64_t now);
#endif

#if defined(LAPS_FULL)
/**
 * As laps_vault_migrate(), and reports what it did in one row: SCHEMA_BEFORE, SCHEMA, and COPY
 * with keep.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_migrate_report(const char *path,
                                      size_t path_len,
                                      bool keep,
                                      const char *actor,
                                      size_t actor_len,
                                      const char *reason,
                                      size_t reason_len,
                                      uint64_t now,
                                      laps_rows **out_rows);
#endif

#if defined(LAPS_FULL)
/**
 * Devices with everything that is kept about them, for another vault; nothing in it opens
 * anything. Those behind after (empty: from the first), at most limit, 1 to 1000. Each row has
 * bytes; write them one behind the other for laps_vault_import(). A device that is left out
 * because the vault cannot read it is a row with DEVICE and DAMAGED.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_export(const laps_vault *vault,
                              const char *after,
                              size_t after_len,
                              size_t limit,
                              const char *actor,
                              size_t actor_len,
                              const char *reason,
                              size_t reason_len,
                              uint64_t now,
                              laps_rows **out_rows);
#endif

#if defined(LAPS_FULL)
/**
 * Takes exported devices in, all of them or none; out_devices receives how many.
 * laps_vault_import_watched() tells how far it is.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_import(const laps_vault *vault,
                              const uint8_t *bytes,
                              size_t bytes_len,
                              const char *actor,
                              size_t actor_len,
                              const char *reason,
                              size_t reason_len,
                              uint64_t now,
                              uint64_t *out_devices);
#endif

#if defined(LAPS_FULL)
/**
 * Makes an empty list of passwords of another directory.
 */
LAPS_API LAPS_NODISCARD laps_status laps_foreign_new(laps_foreign **out_foreign);
#endif

#if defined(LAPS_FULL)
/**
 * Adds one: the account (1 to 64 characters; what is not is refused when its record is sealed),
 * its SID (empty where the directory does not know it), and when the directory was given the
 * password. The order does not matter.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_foreign_add(laps_foreign *foreign,
                             const char *account,
                             size_t account_len,
                             const char *sid,
                             size_t sid_len,
                             uint64_t made_at);
#endif

#if defined(LAPS_FULL)
/**
 * How many were added; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_foreign_count(const laps_foreign *foreign);
#endif

#if defined(LAPS_FULL)
/**
 * Frees a list of passwords of another directory.
 */
LAPS_API void laps_foreign_free(laps_foreign *foreign);
#endif

#if defined(LAPS_FULL)
/**
 * Which passwords of another directory the vault lacks for a device; none when it has them all,
 * and at most the newest 16. Nothing is written. Seal each under its header
 * (laps_adoptable_header(), laps_record_seal()) to exactly the readers of the vault that are not
 * removed (laps_vault_readers()), and give them to laps_vault_adopt(). LAPS_STATUS_ALREADY_EXISTS
 * for a device that an agent manages: what the agent says is better.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_adoptable(const laps_vault *vault,
                                 const char *device,
                                 size_t device_len,
                                 const laps_foreign *foreign,
                                 laps_adoptable **out_adoptable);
#endif

#if defined(LAPS_FULL)
/**
 * How many passwords the vault lacks; 0 for NULL.
 */
LAPS_API LAPS_NODISCARD size_t laps_adoptable_count(const laps_adoptable *adoptable);
#endif

#if defined(LAPS_FULL)
/**
 * One of the passwords that the vault lacks; index counts from 0. out_position receives which one
 * it is, counted from 0 in the order of laps_foreign_add(), and out_header the header under which
 * it is to be sealed, as it is.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_adoptable_header(const laps_adoptable *adoptable,
                                  size_t index,
                                  size_t *out_position,
                                  laps_header **out_header);
#endif

#if defined(LAPS_FULL)
/**
 * Frees what laps_vault_adoptable() found.
 */
LAPS_API void laps_adoptable_free(laps_adoptable *adoptable);
#endif

#if defined(LAPS_FULL)
/**
 * Takes in the records that laps_vault_adoptable() asked for, all of them in its order, in one
 * transaction with one entry in the trail. The newest is pending, for no agent has said what is on
 * the account; the others are history. last_seen is when the device last spoke to the other
 * directory, expires when that will have the password replaced (0: not known). Without
 * records only these two are noted, for a device that is there. out_adopted receives how many were
 * taken in. LAPS_STATUS_INVALID_ARGUMENT when these are not the records that are wanted now, or
 * not sealed to exactly the readers of now: ask again. LAPS_STATUS_ALREADY_EXISTS for a device
 * that an agent manages.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_adopt(const laps_vault *vault,
                             const char *device,
                             size_t device_len,
                             const laps_record *const *adopted,
                             size_t adopted_count,
                             uint64_t last_seen,
                             uint64_t expires,
                             const char *actor,
                             size_t actor_len,
                             const char *reason,
                             size_t reason_len,
                             uint64_t now,
                             uint64_t *out_adopted);
#endif

#if defined(LAPS_FULL)
/**
 * As laps_vault_import(), and progress is told after each device how many of the bytes are taken
 * in. NULL: nobody is told. user goes to progress, and may be NULL. The import cannot be stopped.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_import_watched(const laps_vault *vault,
                                      const uint8_t *bytes,
                                      size_t bytes_len,
                                      const char *actor,
                                      size_t actor_len,
                                      const char *reason,
                                      size_t reason_len,
                                      uint64_t now,
                                      laps_progress progress,
                                      void *user,
                                      uint64_t *out_devices);
#endif

#if defined(LAPS_FULL)
/**
 * As laps_vault_reseal(), and before it seals what there is of the next few hundred devices, step
 * is asked with how many records that is, 1 or more. When it answers false, the call ends as
 * LAPS_STATUS_OK with what is sealed by then, and the next call goes on there. NULL: nobody is
 * asked. user goes to step, and may be NULL.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_reseal_watched(const laps_vault *vault,
                                      const laps_reader_key *key,
                                      const char *actor,
                                      size_t actor_len,
                                      const char *reason,
                                      size_t reason_len,
                                      uint64_t now,
                                      laps_step step,
                                      void *user,
                                      uint64_t *out_replaced,
                                      uint64_t *out_not_ours,
                                      laps_rows **out_failed);
#endif

#if defined(LAPS_FULL)
/**
 * The head of the trail that the latest successful change answered which this thread made through
 * this object, and in out_entry the number of its entry, from 1: after laps_vault_disclose(),
 * laps_vault_order_*(), laps_vault_record_outcome(), laps_vault_initialise(), _add_reader(),
 * _remove_reader(), _set_history(), _retire(), _re_enrol(), _purge(), _remove_record().
 * Other calls leave it as it is. Keep it: laps_vault_audit_verify() compares with it. Ask in the
 * thread of the change, before its next one. LAPS_STATUS_NOT_FOUND when this thread made none, or
 * made its latest through another object.
 */
LAPS_API
LAPS_NODISCARD
laps_status laps_vault_receipt(const laps_vault *vault,
                               char *buffer,
                               size_t buffer_len,
                               size_t *out_len,
                               uint64_t *out_entry);
#endif

#ifdef __cplusplus
}  /* extern "C" */
#endif  /* __cplusplus */

#endif  /* LAPS_H */
