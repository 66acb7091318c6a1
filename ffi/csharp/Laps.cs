// Laps.cs - laps.h for C#: copy this file into your project; beside your program stands laps.dll (liblaps.so on Linux).
//
// For .NET Framework 4.7.2 and later, .NET 6 and later, and Mono; C# 7. The whole of the C library is here; define LAPS_AGENT
// where the library is the agent build, which has no readers' keys and no vault.
//
// * Every object is a SafeHandle: disposed once however often Dispose() is called, by the finalizer where it is forgotten,
//   and never while a call uses it. A call on a disposed object throws ObjectDisposedException.
// * Objects may be used by several threads: calls that change one wait for each other.
// * A call that fails throws LapsException with the status of laps.h and what the library found wrong.
// * A password is never a string unless you ask for one. Secret holds it as char[] that does not move in memory and is
//   wiped when it is disposed, or finalized.
// * Times are seconds since 1970-01-01 UTC, as in laps.h; Clock.Now() reads the system's clock.
//
// What a call means stands in laps.h, at the function that it calls.
#pragma warning disable IDE1006 // the native calls keep the names of laps.h
using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;

namespace Laps {
    // ---- made from laps.h by tests/header.rs: do not edit
    /// <summary>The structure of laps.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeAccountCalls {
        public UIntPtr Size;
        public AccountFind Find;
        public AccountSet Set;
        public AccountVerify Verify;
        public AccountChangeStamp ChangeStamp;
        public AccountUsedSince UsedSince;
        public AccountAct Act;
    }

    /// <summary>The structure of laps.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Stats {
        public ulong Devices;
        public ulong Settled;
        public ulong Pending;
        public ulong Uncertain;
        public ulong Unreadable;
        public ulong Failed;
        public ulong Retired;
        public ulong Damaged;
        public ulong Ordered;
        public ulong Overdue;
        public ulong Candidates;
        public ulong History;
        public ulong Entries;
    }

    /// <summary>LAPS_SUITE_* of laps.h.</summary>
    public enum Suite {
        XWing = 1,
        X25519 = 2,
    }

    /// <summary>LAPS_STATUS_* of laps.h.</summary>
    public enum Status {
        Ok = 0,
        NullArgument = 1,
        InvalidArgument = 2,
        BufferTooSmall = 3,
        UnexpectedEvent = 4,
        InvalidUtf8 = 5,
        NotFound = 6,
        ReasonRequired = 7,
        ConfirmationRequired = 8,
        AlreadyExists = 9,
        PolicyMalformed = 64,
        PolicyRefused = 65,
        RecipeInvalid = 66,
        RecipeInfeasible = 67,
        RecipeTooComplex = 68,
        RecipeNeedsHeap = 69,
        AccountNotFound = 70,
        AccountRefused = 71,
        SidMalformed = 72,
        AccountManagedElsewhere = 73,
        RecordMalformed = 96,
        UnsupportedVersion = 97,
        Rejected = 98,
        NotAReader = 99,
        KeyFileMalformed = 100,
        KeyFileRejected = 101,
        MessageMalformed = 102,
        MessageWrongDevice = 103,
        JournalMalformed = 104,
        VaultDamaged = 105,
        AuditBroken = 106,
        SchemaOlder = 107,
        SchemaNewer = 108,
        ReaderSetRefused = 109,
        ReaderMalformed = 110,
        ReaderSetMalformed = 111,
        RandomFailure = 128,
        OutOfMemory = 129,
        Busy = 130,
        Io = 131,
        PermissionDenied = 132,
        StorageFull = 133,
        PasswordRefused = 134,
        AccountFailed = 135,
        Unreachable = 136,
        Poisoned = 254,
        Internal = 255,
    }

    /// <summary>LAPS_LEVEL_* of laps.h.</summary>
    public enum Level {
        Information = 1,
        Warning = 2,
        Error = 3,
    }

    /// <summary>LAPS_WISH_* of laps.h.</summary>
    public enum RotationWish {
        Save = 1,
        CheckIn = 2,
        Prepare = 3,
        ReadStamp = 4,
        Apply = 5,
        Verify = 6,
        Act = 7,
        Wait = 8,
        LookUp = 9,
    }

    /// <summary>LAPS_ACTION_* of laps.h.</summary>
    public enum RotationAction {
        WarnSignOut = 1,
        SignOut = 2,
        Terminate = 3,
        WarnRestart = 4,
        Restart = 5,
    }

    /// <summary>LAPS_STATE_* of laps.h.</summary>
    public enum RotationState {
        Starting = 1,
        Settled = 2,
        BackingUp = 3,
        Applying = 4,
        Verifying = 5,
        Committing = 6,
    }

    /// <summary>LAPS_APPLIED_* of laps.h.</summary>
    public enum Applied {
        Success = 1,
        Refused = 2,
        NotFound = 3,
        ManagedElsewhere = 4,
        Failed = 5,
        TimedOut = 6,
    }

    /// <summary>LAPS_VERIFIED_* of laps.h.</summary>
    public enum Verified {
        Match = 1,
        Mismatch = 2,
        Unavailable = 3,
    }

    /// <summary>LAPS_ACCOUNT_* of laps.h.</summary>
    public enum Account {
        Present = 1,
        Missing = 2,
        Unknown = 3,
    }

    /// <summary>LAPS_ACTED_* of laps.h.</summary>
    public enum Acted {
        Done = 1,
        Failed = 2,
        NotSupported = 3,
    }

    /// <summary>LAPS_OUTCOME_* of laps.h.</summary>
    public enum Outcome {
        Committed = 1,
        NothingDue = 2,
        NotCommitted = 3,
        AccountMissing = 4,
        Unreachable = 5,
    }

    /// <summary>LAPS_ABILITY_* of laps.h.</summary>
    public enum Ability {
        ChangeStamp = 1,
        Verify = 2,
        UsedSince = 4,
        SignOut = 8,
        Terminate = 16,
        Restart = 32,
    }

    /// <summary>LAPS_CANDIDATE_* of laps.h.</summary>
    public enum Candidate {
        Current = 1,
        Pending = 2,
        History = 3,
    }

    /// <summary>LAPS_FIELD_* of laps.h.</summary>
    public enum Field {
        Device = 1,
        Account = 2,
        Sid = 3,
        Version = 4,
        State = 5,
        Ordered = 6,
        Updated = 7,
        Expires = 8,
        LastSeen = 9,
        Outcome = 10,
        OutcomeReason = 11,
        OutcomeId = 12,
        OutcomeAt = 13,
        Candidates = 14,
        Record = 15,
        Displaced = 16,
        RuledOut = 17,
        StaleReaders = 18,
        ReaderIds = 19,
        Reader = 20,
        ReaderId = 21,
        Added = 22,
        Removed = 23,
        Number = 24,
        At = 25,
        Action = 26,
        Actor = 27,
        Reason = 28,
        Context = 29,
        Records = 30,
        RefersTo = 31,
        Detail = 32,
        Hash = 33,
        Damaged = 34,
        Why = 35,
        Kind = 36,
        Count = 37,
        Changed = 38,
        Refused = 39,
        Commit = 40,
        Status = 41,
        Verified = 42,
        Head = 43,
        FirstBad = 44,
        SchemaBefore = 45,
        Schema = 46,
        Copy = 47,
        Findings = 48,
        ResetAt = 49,
        WaitsUntil = 50,
        OrderAt = 51,
        ProvenAt = 52,
        FormerAccounts = 53,
        Confirmed = 54,
        Opened = 55,
        MadeAt = 56,
        Caller = 57,
        Earlier = 58,
    }

    /// <summary>LAPS_OBSERVED_* of laps.h.</summary>
    public enum Observed {
        CheckIn = 1,
        Disclosed = 2,
        Ordered = 3,
        Refused = 4,
    }

    /// <summary>LAPS_COMMIT_* of laps.h.</summary>
    public enum Commit {
        Acknowledged = 1,
        Lacking = 2,
        StaleToken = 3,
    }

    internal static class Native {
        const string Library = "laps";

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_version();
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint laps_version_number();
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_build();
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_status_message(int status);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_last_error();
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_wipe(IntPtr memory, UIntPtr len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_password_from_utf8(byte[] text, UIntPtr text_len, out IntPtr out_password);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_password_from_utf16(IntPtr text, UIntPtr text_len, out IntPtr out_password);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_password_len(Password password);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_password_len_utf16(Password password);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_password_copy_utf8(Password password, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_password_copy_utf16(Password password, IntPtr buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        [return: MarshalAs(UnmanagedType.I1)] internal static extern bool laps_password_equal(Password a, Password b);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_password_free(IntPtr password);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_policy_read(byte[] document, UIntPtr document_len, out IntPtr out_policy);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_evaluation_new(out IntPtr out_evaluation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_evaluation_add(Evaluation evaluation, byte[] document, UIntPtr document_len, byte[] source, UIntPtr source_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_evaluation_policy(Evaluation evaluation, out IntPtr out_policy);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        [return: MarshalAs(UnmanagedType.I1)] internal static extern bool laps_evaluation_resets_password(Evaluation evaluation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_evaluation_finding_count(Evaluation evaluation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint laps_evaluation_finding_level(Evaluation evaluation, UIntPtr index);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_evaluation_finding_setting(Evaluation evaluation, UIntPtr index);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_evaluation_finding_message(Evaluation evaluation, UIntPtr index);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_evaluation_export(Evaluation evaluation, byte[] form, UIntPtr form_len, out IntPtr out_bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_evaluation_export_csp(Evaluation evaluation, byte[] command, UIntPtr command_len, out IntPtr out_bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_evaluation_diff(Evaluation old_evaluation, Evaluation new_evaluation, out IntPtr out_bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_evaluation_free(IntPtr evaluation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_policy_new_default(out IntPtr out_policy);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_policy_recipe(Policy policy, out IntPtr out_recipe);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern byte laps_policy_backup_directory(Policy policy);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ushort laps_policy_password_age_days(Policy policy);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern byte laps_policy_password_complexity(Policy policy);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern byte laps_policy_password_length(Policy policy);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern byte laps_policy_passphrase_length(Policy policy);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ushort laps_policy_post_authentication_reset_delay_minutes(Policy policy);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern byte laps_policy_post_authentication_actions(Policy policy);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_policy_administrator_account_name(Policy policy, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_policy_value(Policy policy, byte[] setting, UIntPtr setting_len, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_policy_hash(Policy policy, [Out] byte[] out_hash);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_policy_reset_password(out IntPtr out_bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_policy_reset_status(out IntPtr out_bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_policy_read_reset_status(byte[] document, UIntPtr document_len, out uint out_hresult);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_policy_schema(out IntPtr out_bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_policy_free(IntPtr policy);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_recipe_new(byte complexity, byte length, out IntPtr out_recipe);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_recipe_new_passphrase(byte complexity, byte words, out IntPtr out_recipe);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_recipe_read(byte[] document, UIntPtr document_len, out IntPtr out_recipe);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ulong laps_recipe_bits_micro(Recipe recipe);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_recipe_admissible(Recipe recipe, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_recipe_min_length(Recipe recipe);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_recipe_max_length(Recipe recipe);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_recipe_free(IntPtr recipe);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_recipe_check(Recipe recipe, byte[] text, UIntPtr text_len, out IntPtr out_violations);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_windows_check(byte min_length, [MarshalAs(UnmanagedType.I1)] bool complexity, byte[] user_name, UIntPtr user_name_len, byte[] full_name, UIntPtr full_name_len, byte[] text, UIntPtr text_len, out IntPtr out_violations);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_violations_count(Violations violations);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_violations_rule(Violations violations, UIntPtr index);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_violations_message(Violations violations, UIntPtr index);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_violations_free(IntPtr violations);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_generator_new(out IntPtr out_generator);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_generator_reseed(Generator generator);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_generator_password(Generator generator, Recipe recipe, out IntPtr out_password);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_generator_passwords(Generator generator, Recipe recipe, [Out] byte[] out_places, UIntPtr place_size, UIntPtr count);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_generator_free(IntPtr generator);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_reader_parse(byte[] line, UIntPtr line_len, out IntPtr out_reader);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_reader_text(Reader reader, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_reader_name(Reader reader, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_reader_id(Reader reader, [Out] byte[] out_id);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ushort laps_reader_suite(Reader reader);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_reader_free(IntPtr reader);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_signer_parse(byte[] line, UIntPtr line_len, out IntPtr out_signer);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_signer_text(Signer signer, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_signer_free(IntPtr signer);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_reader_set_verify(byte[] document, UIntPtr document_len, Signer authority, byte[] scope, UIntPtr scope_len, byte[] in_force, out IntPtr out_set);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_reader_set_head(ReaderSet set, [Out] byte[] out_head);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ulong laps_reader_set_version(ReaderSet set);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_reader_set_count(ReaderSet set);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_reader_set_reader(ReaderSet set, UIntPtr index, out IntPtr out_reader);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_reader_set_free(IntPtr set);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_header_new(Generator generator, byte[] device, UIntPtr device_len, byte[] account, UIntPtr account_len, out IntPtr out_header);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_header_id(Header header, [Out] byte[] out_id);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_header_set_scope(Header header, byte[] scope, UIntPtr scope_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_header_set_sid(Header header, byte[] sid, UIntPtr sid_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_header_set_previous(Header header, byte[] previous);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_header_set_version(Header header, ulong version, ulong made_at);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_header_set_policy(Header header, Policy policy);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_header_free(IntPtr header);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_record_seal(Header header, Password password, IntPtr[] readers, UIntPtr reader_count, Generator generator, out IntPtr out_record);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_record_parse(byte[] bytes, UIntPtr bytes_len, out IntPtr out_record);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_record_bytes(Record record);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_record_len(Record record);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_record_id(Record record, [Out] byte[] out_id);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_record_previous(Record record, [Out] byte[] out_id);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ulong laps_record_version(Record record);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ulong laps_record_made_at(Record record);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_record_scope(Record record, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_record_device(Record record, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_record_account(Record record, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_record_sid(Record record, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_record_reader_count(Record record);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_record_reader_id(Record record, UIntPtr index, [Out] byte[] out_id);
#if !LAPS_AGENT
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ushort laps_record_suite(Record record);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint laps_record_sealing(Record record);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_record_policy_hash(Record record, [Out] byte[] out_hash);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        [return: MarshalAs(UnmanagedType.I1)] internal static extern bool laps_record_is_proven_by(Record record, byte[] proof);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        [return: MarshalAs(UnmanagedType.I1)] internal static extern bool laps_record_is_signed(Record record);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_record_verify_signature(Record record, Signer signer);
#endif
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_record_free(IntPtr record);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_accounts_new(out IntPtr out_accounts);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_accounts_add(Accounts accounts, byte[] name, UIntPtr name_len, byte[] sid, UIntPtr sid_len, [MarshalAs(UnmanagedType.I1)] bool enabled);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_accounts_choose(Accounts accounts, Policy policy, out UIntPtr out_index);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_accounts_automatic_name(Accounts accounts, Policy policy, Generator generator, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_accounts_free(IntPtr accounts);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_config_new(Policy policy, byte[] device, UIntPtr device_len, byte[] account, UIntPtr account_len, out IntPtr out_config);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_config_set_scope(Config config, byte[] scope, UIntPtr scope_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_config_set_sid(Config config, byte[] sid, UIntPtr sid_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_config_set_can_verify(Config config, [MarshalAs(UnmanagedType.I1)] bool can_verify);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_config_set_check_in_seconds(Config config, ulong seconds);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_config_set_plaintext_seconds(Config config, ulong seconds);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_config_free(IntPtr config);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_new(Config config, ulong now, out IntPtr out_rotation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_resume(Config config, byte[] state, UIntPtr state_len, byte[] stamp, ulong now, out IntPtr out_rotation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_poll(Rotation rotation, out uint out_wish, out ulong out_value);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_poll_event(Rotation rotation, out IntPtr out_event);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_state(Rotation rotation, out IntPtr out_bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_check_in(Rotation rotation, Generator generator, out IntPtr out_bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_rotation_password(Rotation rotation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_account(Rotation rotation, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint laps_rotation_step(Rotation rotation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ulong laps_rotation_version(Rotation rotation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ulong laps_rotation_due(Rotation rotation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        [return: MarshalAs(UnmanagedType.I1)] internal static extern bool laps_rotation_is_due(Rotation rotation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_rotation_free(IntPtr rotation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_handle_saved(Rotation rotation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_handle_save_failed(Rotation rotation, Generator generator, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_handle_answer(Rotation rotation, byte[] bytes, UIntPtr bytes_len, Generator generator, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_handle_check_in_failed(Rotation rotation, Generator generator, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_prepare(Rotation rotation, Generator generator, Recipe recipe, IntPtr[] readers, UIntPtr reader_count, byte[] stamp, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_handle_stamp(Rotation rotation, byte[] stamp, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_handle_account(Rotation rotation, uint seen, byte[] stamp, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_handle_readers(Rotation rotation, IntPtr[] readers, UIntPtr reader_count, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_acknowledge_log(Rotation rotation, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_handle_applied(Rotation rotation, uint applied, Generator generator, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_handle_verified(Rotation rotation, uint verified, Generator generator, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_handle_acted(Rotation rotation, uint acted, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_handle_used(Rotation rotation, ulong at, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ulong laps_rotation_used_since(Rotation rotation);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_handle_timeout(Rotation rotation, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_handle_config(Rotation rotation, Config config, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_force(Rotation rotation, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_rotation_skip_back_off(Rotation rotation, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_event_name(Event @event);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_event_reason(Event @event);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_event_json(Event @event);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint laps_event_id(Event @event);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint laps_event_level(Event @event);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ulong laps_event_at(Event @event);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ulong laps_event_version(Event @event);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ulong laps_event_detail(Event @event);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_event_record(Event @event, [Out] byte[] out_id);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_event_free(IntPtr @event);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_options_new(byte[] device, UIntPtr device_len, byte[] folder, UIntPtr folder_len, out IntPtr out_options);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_options_set_scope(AgentOptions options, byte[] scope, UIntPtr scope_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_options_add_policy(AgentOptions options, byte[] document, UIntPtr document_len, byte[] source, UIntPtr source_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_options_add_policy_file(AgentOptions options, byte[] path, UIntPtr path_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_options_set_last_wins(AgentOptions options, [MarshalAs(UnmanagedType.I1)] bool last_wins);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_options_set_readers(AgentOptions options, IntPtr[] readers, UIntPtr reader_count);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_options_set_reader_set(AgentOptions options, byte[] path, UIntPtr path_len, Signer authority);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_options_set_store(AgentOptions options, byte[] store, UIntPtr store_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_options_set_account_calls(AgentOptions options, [In] ref NativeAccountCalls calls, IntPtr user);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_options_set_channel(AgentOptions options, Channel channel, IntPtr user);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_options_set_on_event(AgentOptions options, OnEvent on_event, IntPtr user);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_options_set_timeouts(AgentOptions options, ulong lock_seconds, ulong setter_seconds, ulong patience_seconds);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_options_acknowledge_log(AgentOptions options);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_agent_options_free(IntPtr options);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_open(AgentOptions options, out IntPtr out_agent);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_run_once(Agent agent, [MarshalAs(UnmanagedType.I1)] bool force, out uint out_outcome);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_check_in(Agent agent, out uint out_outcome);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_run(Agent agent, ulong interval_seconds);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_agent_stop(Agent agent);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_agent_status(byte[] folder, UIntPtr folder_len, out IntPtr out_json);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_agent_free(IntPtr agent);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_account_store_open(byte[] store, UIntPtr store_len, byte[] path, UIntPtr path_len, ulong setter_seconds, out IntPtr out_account_store);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint laps_account_store_abilities(AccountStore account_store);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_account_store_find(AccountStore account_store, byte[] name, UIntPtr name_len, out uint out_seen);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_account_store_account(AccountStore account_store);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_account_store_sid(AccountStore account_store);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_account_store_change_stamp(AccountStore account_store, [Out] byte[] out_stamp);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        [return: MarshalAs(UnmanagedType.I1)] internal static extern bool laps_account_store_can_verify(AccountStore account_store, Password password);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_account_store_set(AccountStore account_store, Password password, out uint out_applied);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_account_store_verify(AccountStore account_store, Password password, out uint out_verified);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_account_store_used_since(AccountStore account_store, ulong since, out ulong out_at);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_account_store_act(AccountStore account_store, uint action, out uint out_acted);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_account_store_reason(AccountStore account_store);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_account_store_free(IntPtr account_store);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_bytes_new(byte[] bytes, UIntPtr bytes_len, out IntPtr out_bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_bytes_data(Bytes bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_bytes_len(Bytes bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_bytes_free(IntPtr bytes);
#if !LAPS_AGENT
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_reader_key_new(Generator generator, ushort suite, byte[] name, UIntPtr name_len, out IntPtr out_key);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_reader_key_from_file(byte[] file, UIntPtr file_len, byte[] passphrase, UIntPtr passphrase_len, out IntPtr out_key);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_reader_key_to_file(ReaderKey key, byte[] passphrase, UIntPtr passphrase_len, Generator generator, out IntPtr out_bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_reader_key_reader(ReaderKey key, out IntPtr out_reader);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_reader_key_open(ReaderKey key, Record record, out IntPtr out_password, [Out] byte[] out_proof);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_reader_key_reseal(ReaderKey key, Record record, IntPtr[] readers, UIntPtr reader_count, Generator generator, out IntPtr out_record);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_reader_key_free(IntPtr key);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_signer_key_new(Generator generator, byte[] name, UIntPtr name_len, out IntPtr out_key);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_signer_key_from_file(byte[] file, UIntPtr file_len, byte[] passphrase, UIntPtr passphrase_len, out IntPtr out_key);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_signer_key_to_file(SignerKey key, byte[] passphrase, UIntPtr passphrase_len, Generator generator, out IntPtr out_bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_signer_key_signer(SignerKey key, out IntPtr out_signer);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_signer_key_sign_readers(SignerKey key, byte[] scope, UIntPtr scope_len, ulong version, IntPtr[] readers, UIntPtr reader_count, out IntPtr out_bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_signer_key_free(IntPtr key);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_init(byte[] path, UIntPtr path_len, byte[] scope, UIntPtr scope_len, IntPtr[] readers, UIntPtr reader_count, byte[] actor, UIntPtr actor_len, ulong now, out IntPtr out_vault);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_open(byte[] path, UIntPtr path_len, byte[] scope, UIntPtr scope_len, out IntPtr out_vault);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_set_context(Vault vault, byte[] context, UIntPtr context_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_check_in(Vault vault, byte[] device, UIntPtr device_len, byte[] bytes, UIntPtr bytes_len, ulong now, out IntPtr out_bytes);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_order_rotation(Vault vault, byte[] device, UIntPtr device_len, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_disclose(Vault vault, byte[] device, UIntPtr device_len, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, [MarshalAs(UnmanagedType.I1)] bool history, ulong rotate_after, ulong now, out IntPtr out_disclosure);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_audit_verify(Vault vault, byte[] expect, UIntPtr expect_len, out ulong out_entries);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_vault_free(IntPtr vault);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_disclosure_count(Disclosure disclosure);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_disclosure_record(Disclosure disclosure, UIntPtr index, out IntPtr out_record);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint laps_disclosure_state(Disclosure disclosure, UIntPtr index);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ulong laps_disclosure_updated(Disclosure disclosure, UIntPtr index);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_disclosure_damaged(Disclosure disclosure, out IntPtr out_rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ulong laps_disclosure_entry(Disclosure disclosure);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_disclosure_head(Disclosure disclosure);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_disclosure_free(IntPtr disclosure);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_rows_count(Rows rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_rows_text(Rows rows, UIntPtr index, uint field);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern ulong laps_rows_number(Rows rows, UIntPtr index, uint field);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_rows_bytes(Rows rows, UIntPtr index);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_rows_bytes_len(Rows rows, UIntPtr index);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern IntPtr laps_rows_next(Rows rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_rows_free(IntPtr rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_metadata(Vault vault, out IntPtr out_metadata);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_metadata_list(Metadata metadata, byte[] after, UIntPtr after_len, UIntPtr limit, out IntPtr out_rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_metadata_show(Metadata metadata, byte[] device, UIntPtr device_len, out IntPtr out_rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_metadata_history(Metadata metadata, byte[] device, UIntPtr device_len, out IntPtr out_rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_metadata_due(Metadata metadata, ulong until, byte[] after, UIntPtr after_len, UIntPtr limit, out IntPtr out_rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_metadata_stats(Metadata metadata, ulong now, out Stats out_stats);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_metadata_free(IntPtr metadata);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_check_ins_new(out IntPtr out_check_ins);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_check_ins_add(CheckIns check_ins, byte[] device, UIntPtr device_len, byte[] bytes, UIntPtr bytes_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_check_ins_count(CheckIns check_ins);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_check_ins_free(IntPtr check_ins);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_check_in_many(Vault vault, CheckIns check_ins, ulong now, out IntPtr out_rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_order_all(Vault vault, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out ulong out_devices);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_order_overdue(Vault vault, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out ulong out_devices);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_order_revealed_by(Vault vault, byte[] whom, UIntPtr whom_len, ulong since, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out ulong out_devices);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_record_outcome(Vault vault, ulong entry, [MarshalAs(UnmanagedType.I1)] bool opened, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_devices_new(out IntPtr out_devices);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_devices_add(Devices devices, byte[] device, UIntPtr device_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_devices_count(Devices devices);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_devices_free(IntPtr devices);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_order_devices(Vault vault, Devices devices, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out ulong out_devices);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_is_ordered(Vault vault, byte[] device, UIntPtr device_len, out uint out_ordered);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_initialise(Vault vault, IntPtr[] readers, UIntPtr reader_count, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_readers(Vault vault, out IntPtr out_rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_add_reader(Vault vault, Reader reader, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_remove_reader(Vault vault, byte[] reader_id, [MarshalAs(UnmanagedType.I1)] bool rotate, ulong rotate_within, [MarshalAs(UnmanagedType.I1)] bool confirm, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out ulong out_devices);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_order_readable(Vault vault, byte[] reader_id, ulong within, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out ulong out_devices);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_reseal(Vault vault, ReaderKey key, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out ulong out_replaced, out ulong out_not_ours, out IntPtr out_failed);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_set_history(Vault vault, ushort records, ushort days, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_history(Vault vault, out uint out_records, out uint out_days);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_resealing(Vault vault, byte[] after, UIntPtr after_len, UIntPtr limit, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out IntPtr out_rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_take_resealed(Vault vault, IntPtr[] resealed, UIntPtr resealed_count, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out ulong out_replaced, out IntPtr out_failed);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_retire(Vault vault, byte[] device, UIntPtr device_len, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_re_enrol(Vault vault, byte[] device, UIntPtr device_len, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_purge(Vault vault, byte[] device, UIntPtr device_len, [MarshalAs(UnmanagedType.I1)] bool confirm, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_remove_record(Vault vault, byte[] device, UIntPtr device_len, byte[] record_id, [MarshalAs(UnmanagedType.I1)] bool confirm, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_audit_entries(Vault vault, ulong after, UIntPtr limit, out IntPtr out_rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_audit_head(Vault vault, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_audit_report(Vault vault, byte[] expect, UIntPtr expect_len, Progress progress, IntPtr user, out IntPtr out_rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_observed(Vault vault, out ulong out_missed, out IntPtr out_rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_back_up(Vault vault, byte[] path, UIntPtr path_len, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_restore(byte[] copy, UIntPtr copy_len, byte[] path, UIntPtr path_len, byte[] scope, UIntPtr scope_len, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out IntPtr out_vault);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_migrate(byte[] path, UIntPtr path_len, [MarshalAs(UnmanagedType.I1)] bool keep, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_migrate_report(byte[] path, UIntPtr path_len, [MarshalAs(UnmanagedType.I1)] bool keep, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out IntPtr out_rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_export(Vault vault, byte[] after, UIntPtr after_len, UIntPtr limit, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out IntPtr out_rows);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_import(Vault vault, byte[] bytes, UIntPtr bytes_len, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out ulong out_devices);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_foreign_new(out IntPtr out_foreign);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_foreign_add(Foreign foreign, byte[] account, UIntPtr account_len, byte[] sid, UIntPtr sid_len, ulong made_at);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_foreign_count(Foreign foreign);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_foreign_free(IntPtr foreign);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_adoptable(Vault vault, byte[] device, UIntPtr device_len, Foreign foreign, out IntPtr out_adoptable);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern UIntPtr laps_adoptable_count(Adoptable adoptable);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_adoptable_header(Adoptable adoptable, UIntPtr index, out UIntPtr out_position, out IntPtr out_header);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void laps_adoptable_free(IntPtr adoptable);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_adopt(Vault vault, byte[] device, UIntPtr device_len, IntPtr[] adopted, UIntPtr adopted_count, ulong last_seen, ulong expires, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, out ulong out_adopted);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_import_watched(Vault vault, byte[] bytes, UIntPtr bytes_len, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, Progress progress, IntPtr user, out ulong out_devices);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_reseal_watched(Vault vault, ReaderKey key, byte[] actor, UIntPtr actor_len, byte[] reason, UIntPtr reason_len, ulong now, Step step, IntPtr user, out ulong out_replaced, out ulong out_not_ours, out IntPtr out_failed);
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int laps_vault_receipt(Vault vault, [Out] byte[] buffer, UIntPtr buffer_len, out UIntPtr out_len, out ulong out_entry);
#endif
    }

    // ---- end of what is made from laps.h

    /// <summary>A call that failed: its status, and what the library found wrong.</summary>
    public sealed class LapsException : Exception {
        public Status Status { get; }
        public LapsException(Status status, string message) : base(message) { Status = status; }
    }

    /// <summary>The library that was loaded.</summary>
    public static class Library {
        public static string Version => Text.Copy(Native.laps_version());
        public static uint VersionNumber => Native.laps_version_number();
        /// <summary>"full" or "agent".</summary>
        public static string Build => Text.Copy(Native.laps_build());
        public static string Message(Status status) => Text.Copy(Native.laps_status_message((int)status));

        internal static void Check(int status) {
            if (status != 0) throw new LapsException((Status)status, Text.Copy(Native.laps_last_error()));
        }
    }

    /// <summary>The system's clock, in the unit of this library.</summary>
    public static class Clock {
        public static ulong Now() => (ulong)Math.Max(0, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
    }

    internal static class Text {
        internal static readonly UTF8Encoding Utf8 = new UTF8Encoding(false, true);
        internal static readonly byte[] None = new byte[0];

        /// <summary>Fills a buffer of the caller's, as laps.h does it.</summary>
        internal delegate int Fill(byte[] buffer, UIntPtr size, out UIntPtr length);

        /// <summary>UTF-8 for a call; not for secrets.</summary>
        internal static byte[] Bytes(string text) => text == null ? None : Utf8.GetBytes(text);
        internal static UIntPtr Length(Array array) => (UIntPtr)(uint)(array == null ? 0 : array.Length);

        /// <summary>A text that ends in NUL.</summary>
        internal static string Copy(IntPtr text) {
            if (text == IntPtr.Zero) return null;
            int length = 0;
            while (Marshal.ReadByte(text, length) != 0) length++;
            var bytes = new byte[length];
            Marshal.Copy(text, bytes, 0, length);
            return Encoding.UTF8.GetString(bytes);
        }

        internal static string Filled(Fill fill) {
            UIntPtr length;
            int status = fill(null, UIntPtr.Zero, out length);
            for (;;) {
                if (status != (int)Status.BufferTooSmall) Library.Check(status);
                var buffer = new byte[(int)length];
                status = fill(buffer, Length(buffer), out length);
                if (status == 0) return Encoding.UTF8.GetString(buffer, 0, (int)length);
            }
        }
    }

    /// <summary>An object of the C library.</summary>
    public abstract class LapsObject : SafeHandle {
        static long made;
        /// <summary>Where two objects are locked, the older one comes first.</summary>
        readonly long age = Interlocked.Increment(ref made);

        internal LapsObject() : base(IntPtr.Zero, true) { }

        public override bool IsInvalid => handle == IntPtr.Zero;

        internal static T Own<T>(T empty, int status, IntPtr made) where T : LapsObject {
            if (status != 0) empty.SetHandleAsInvalid();
            Library.Check(status);
            empty.SetHandle(made);
            return empty;
        }

        /// <summary>Reads what the object lends, while it cannot be freed or changed.</summary>
        internal TResult Lent<TResult>(Func<TResult> read) {
            bool held = false;
            try {
                DangerousAddRef(ref held);
                lock (this) return read();
            } finally {
                if (held) DangerousRelease();
            }
        }

        internal static TResult Both<TResult>(LapsObject one, LapsObject other, Func<TResult> call) {
            LapsObject first = one.age <= other.age ? one : other, second = first == one ? other : one;
            lock (first) lock (second) return call();
        }

        /// <summary>Calls with the pointers of several objects, none of which is freed meanwhile.</summary>
        internal static TResult All<T, TResult>(IReadOnlyList<T> objects, Func<IntPtr[], TResult> call) where T : LapsObject {
            if (objects == null) throw new ArgumentNullException(nameof(objects));
            var pointers = new IntPtr[objects.Count];
            int taken = 0;
            try {
                for (; taken < pointers.Length; taken++) {
                    if (objects[taken] == null) throw new ArgumentNullException(nameof(objects));
                    bool held = false;
                    objects[taken].DangerousAddRef(ref held);
                    pointers[taken] = objects[taken].DangerousGetHandle();
                }
                return call(pointers);
            } finally {
                while (taken > 0) objects[--taken].DangerousRelease();
            }
        }

        /// <summary>Calls with what the library lends for a call: it is not freed, and of no use afterwards.</summary>
        internal static TResult Borrowed<T, TResult>(T empty, IntPtr lent, Func<T, TResult> call) where T : LapsObject {
            empty.SetHandle(lent);
            try {
                return call(empty);
            } finally {
                empty.SetHandleAsInvalid();
            }
        }

        internal static T NotNull<T>(T value, string name) where T : class {
            if (value == null) throw new ArgumentNullException(name);
            // The call would say so too, but Mono then never releases the objects that it had taken before this one.
            var handle = value as SafeHandle;
            if (handle != null && handle.IsClosed) throw new ObjectDisposedException(name);
            return value;
        }
    }

    internal sealed class Bytes : LapsObject {
        internal Bytes() { }
        protected override bool ReleaseHandle() { Native.laps_bytes_free(handle); return true; }

        internal delegate int Make(out IntPtr made);

        /// <summary>The bytes that a call hands out. The library's own are wiped.</summary>
        internal static byte[] Of(Make make) {
            IntPtr made;
            using (var bytes = new Bytes()) {
                Own(bytes, make(out made), made);
                return bytes.Lent(() => {
                    var copy = new byte[(int)Native.laps_bytes_len(bytes)];
                    if (copy.Length > 0) Marshal.Copy(Native.laps_bytes_data(bytes), copy, 0, copy.Length);
                    return copy;
                });
            }
        }
    }

    /// <summary>Text in your hands that is wiped when it is disposed. It does not move in memory, so no copy of it is left behind.</summary>
    public sealed class Secret : IDisposable {
        readonly object gate = new object();
        char[] chars;
        GCHandle pin;

        /// <summary>The characters without the NUL behind them.</summary>
        public int Length { get; private set; }

        internal Secret(int capacity) {
            chars = new char[capacity];
            pin = GCHandle.Alloc(chars, GCHandleType.Pinned);
        }

        ~Secret() { Wipe(); }

        /// <summary>The characters, and a NUL behind them, as Windows wants them. They are zeros after Dispose(): do not copy them.</summary>
        public char[] Chars {
            get {
                lock (gate) {
                    if (chars == null) throw new ObjectDisposedException(nameof(Secret));
                    return chars;
                }
            }
        }

        /// <summary>A pointer to Chars, for calls of the system.</summary>
        public IntPtr Pointer {
            get {
                lock (gate) {
                    if (chars == null) throw new ObjectDisposedException(nameof(Secret));
                    return pin.AddrOfPinnedObject();
                }
            }
        }

        /// <summary>A string: it is never wiped, and stays in memory until it is collected, and after. Only where nothing else will do.</summary>
        public string Reveal() => new string(Chars, 0, Length);

        /// <summary>Says that it is a secret, and not what it is.</summary>
        public override string ToString() => "Secret";

        public void Dispose() {
            Wipe();
            GC.SuppressFinalize(this);
        }

        void Wipe() {
            lock (gate) {
                if (chars == null || !pin.IsAllocated) return;
                Native.laps_wipe(pin.AddrOfPinnedObject(), (UIntPtr)(uint)(chars.Length * sizeof(char)));
                pin.Free();
                chars = null;
                Length = 0;
            }
        }

        /// <summary>The text of a password that is alive during the call.</summary>
        internal static Secret Of(IntPtr password) {
            var secret = new Secret((int)Pin.LenUtf16(password) + 1);
            UIntPtr length;
            int status = Pin.CopyUtf16(password, secret.Pointer, Text.Length(secret.chars), out length);
            if (status != 0) secret.Dispose();
            Library.Check(status);
            secret.Length = (int)length;
            return secret;
        }

        /// <summary>UTF-8 as it stands in a pinned buffer.</summary>
        internal static Secret Of(byte[] utf8, int start, int length) {
            var secret = new Secret(Text.Utf8.GetCharCount(utf8, start, length) + 1);
            secret.Length = Text.Utf8.GetChars(utf8, start, length, secret.chars, 0);
            return secret;
        }
    }

    internal static class Pin {
        // The same calls for a password that an object lends: it has no wrapper of its own.
        [DllImport("laps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true, EntryPoint = "laps_password_len_utf16")]
        internal static extern UIntPtr LenUtf16(IntPtr password);
        [DllImport("laps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true, EntryPoint = "laps_password_copy_utf16")]
        internal static extern int CopyUtf16(IntPtr password, IntPtr buffer, UIntPtr size, out UIntPtr length);

        /// <summary>Pins an array for a call.</summary>
        internal static TResult Pinned<TResult>(Array array, Func<IntPtr, TResult> call) {
            GCHandle pin = GCHandle.Alloc(array, GCHandleType.Pinned);
            try {
                return call(pin.AddrOfPinnedObject());
            } finally {
                pin.Free();
            }
        }

        /// <summary>Characters as UTF-8 in a buffer that is wiped after the call.</summary>
        internal static TResult Utf8<TResult>(char[] chars, int length, Func<byte[], TResult> call) {
            LapsObject.NotNull(chars, nameof(chars));
            var bytes = new byte[Text.Utf8.GetByteCount(chars, 0, length)];
            return Pinned(bytes, at => {
                try {
                    Text.Utf8.GetBytes(chars, 0, length, bytes, 0);
                    return call(bytes);
                } finally {
                    Native.laps_wipe(at, Text.Length(bytes));
                }
            });
        }
    }

    /// <summary>A password inside the library, wiped when it is disposed.</summary>
    public sealed class Password : LapsObject {
        internal Password() { }
        protected override bool ReleaseHandle() { Native.laps_password_free(handle); return true; }

        /// <summary>From characters that stay yours to wipe.</summary>
        public static Password FromChars(char[] chars, int length) {
            NotNull(chars, nameof(chars));
            if (length < 0 || length > chars.Length) throw new ArgumentOutOfRangeException(nameof(length));
            IntPtr made = IntPtr.Zero;
            var password = new Password();
            return Own(password, Pin.Pinned(chars, at => Native.laps_password_from_utf16(at, (UIntPtr)(uint)length, out made)), made);
        }

        /// <summary>From UTF-8 that stays yours to wipe.</summary>
        public static Password FromUtf8(byte[] utf8) {
            IntPtr made;
            var password = new Password();
            return Own(password, Native.laps_password_from_utf8(utf8, Text.Length(utf8), out made), made);
        }

        /// <summary>A copy of the text that wipes itself.</summary>
        public Secret Expose() => Lent(() => Secret.Of(handle));

        /// <summary>The length in UTF-16 units, as .NET counts.</summary>
        public int Length => (int)Native.laps_password_len_utf16(this);
        public int Utf8Length => (int)Native.laps_password_len(this);

        /// <summary>Copies the text as UTF-8 and a NUL into your buffer, which is yours to pin and to wipe; its length without the NUL.</summary>
        public int CopyUtf8(byte[] buffer) {
            UIntPtr length;
            Library.Check(Native.laps_password_copy_utf8(this, buffer, Text.Length(buffer), out length));
            return (int)length;
        }

        /// <summary>Copies the text as UTF-16 and a NUL into your buffer, which is yours to pin and to wipe; its length without the NUL.</summary>
        public int CopyUtf16(char[] buffer) {
            UIntPtr length = UIntPtr.Zero;
            Library.Check(Pin.Pinned(NotNull(buffer, nameof(buffer)),
                at => Native.laps_password_copy_utf16(this, at, Text.Length(buffer), out length)));
            return (int)length;
        }

        /// <summary>Whether two passwords are equal, in a time that does not depend on them.</summary>
        public bool SameAs(Password other) => Native.laps_password_equal(this, NotNull(other, nameof(other)));
    }

    /// <summary>A rule that a password breaks; it says nothing about the password.</summary>
    public struct Violation {
        public readonly string Rule, Message;
        internal Violation(string rule, string message) { Rule = rule; Message = message; }
        public override string ToString() => Message;
    }

    internal sealed class Violations : LapsObject {
        internal Violations() { }
        protected override bool ReleaseHandle() { Native.laps_violations_free(handle); return true; }

        internal static Violation[] Of(Bytes.Make make) {
            IntPtr made;
            using (var violations = new Violations()) {
                Own(violations, make(out made), made);
                return violations.Lent(() => {
                    var all = new Violation[(int)Native.laps_violations_count(violations)];
                    for (uint i = 0; i < all.Length; i++)
                        all[i] = new Violation(Text.Copy(Native.laps_violations_rule(violations, (UIntPtr)i)),
                                               Text.Copy(Native.laps_violations_message(violations, (UIntPtr)i)));
                    return all;
                });
            }
        }
    }

    /// <summary>The password policy of a Windows device, asked before the device is.</summary>
    public static class WindowsPolicy {
        public static Violation[] Check(byte minLength, bool complexity, string userName, string fullName, char[] chars, int length) {
            byte[] user = Text.Bytes(userName), full = Text.Bytes(fullName);
            return Pin.Utf8(chars, length, text => Violations.Of((out IntPtr made) => Native.laps_windows_check(
                minLength, complexity, user, Text.Length(user), full, Text.Length(full), text, Text.Length(text), out made)));
        }
    }

    /// <summary>What a password must look like; some password always satisfies it.</summary>
    public sealed class Recipe : LapsObject {
        internal Recipe() { }
        protected override bool ReleaseHandle() { Native.laps_recipe_free(handle); return true; }

        /// <summary>Complexity 1 to 5 of Windows LAPS, length 8 to 64.</summary>
        public static Recipe Characters(byte complexity, byte length) {
            IntPtr made;
            var recipe = new Recipe();
            return Own(recipe, Native.laps_recipe_new(complexity, length, out made), made);
        }

        /// <summary>Complexity 6 to 8 of Windows LAPS, 3 to 10 words.</summary>
        public static Recipe Passphrase(byte complexity, byte words) {
            IntPtr made;
            var recipe = new Recipe();
            return Own(recipe, Native.laps_recipe_new_passphrase(complexity, words, out made), made);
        }

        /// <summary>From its document in JSON.</summary>
        public static Recipe Read(byte[] document) {
            IntPtr made;
            var recipe = new Recipe();
            return Own(recipe, Native.laps_recipe_read(document, Text.Length(document), out made), made);
        }

        /// <summary>Bits times 1 000 000, rounded down.</summary>
        public ulong BitsMicro => Native.laps_recipe_bits_micro(this);
        /// <summary>How many passwords there are, in decimal digits.</summary>
        public string Admissible => Text.Filled((byte[] buffer, UIntPtr size, out UIntPtr length) =>
            Native.laps_recipe_admissible(this, buffer, size, out length));
        public int MinLength => (int)Native.laps_recipe_min_length(this);
        public int MaxLength => (int)Native.laps_recipe_max_length(this);

        /// <summary>The rules that a text breaks; none when it satisfies the recipe.</summary>
        public Violation[] Check(char[] chars, int length) => Pin.Utf8(chars, length, text =>
            Violations.Of((out IntPtr made) => Native.laps_recipe_check(this, text, Text.Length(text), out made)));
    }

    /// <summary>A policy in force: every setting of Windows LAPS has a value in its range.</summary>
    public sealed class Policy : LapsObject {
        internal Policy() { }
        protected override bool ReleaseHandle() { Native.laps_policy_free(handle); return true; }

        /// <summary>The policy of one document: our JSON, Intune's JSON, SyncML, or a .reg export.</summary>
        public static Policy Read(byte[] document) {
            IntPtr made;
            var policy = new Policy();
            return Own(policy, Native.laps_policy_read(document, Text.Length(document), out made), made);
        }

        /// <summary>The defaults of Windows LAPS; nothing is managed.</summary>
        public static Policy Default() {
            IntPtr made;
            var policy = new Policy();
            return Own(policy, Native.laps_policy_new_default(out made), made);
        }

        public Recipe Recipe() {
            IntPtr made;
            var recipe = new Recipe();
            return Own(recipe, Native.laps_policy_recipe(this, out made), made);
        }

        public byte BackupDirectory => Native.laps_policy_backup_directory(this);
        public ushort PasswordAgeDays => Native.laps_policy_password_age_days(this);
        public byte PasswordComplexity => Native.laps_policy_password_complexity(this);
        public byte PasswordLength => Native.laps_policy_password_length(this);
        public byte PassphraseLength => Native.laps_policy_passphrase_length(this);
        public ushort PostAuthenticationResetDelayMinutes => Native.laps_policy_post_authentication_reset_delay_minutes(this);
        public byte PostAuthenticationActions => Native.laps_policy_post_authentication_actions(this);
        /// <summary>Empty means the built-in administrator.</summary>
        public string AdministratorAccountName => Text.Filled((byte[] buffer, UIntPtr size, out UIntPtr length) =>
            Native.laps_policy_administrator_account_name(this, buffer, size, out length));

        /// <summary>The value of any setting by its name in the CSP.</summary>
        public string Value(string setting) {
            byte[] name = Text.Bytes(setting);
            return Text.Filled((byte[] buffer, UIntPtr size, out UIntPtr length) =>
                Native.laps_policy_value(this, name, Text.Length(name), buffer, size, out length));
        }

        /// <summary>SHA-256 over all settings: equal for equal policies.</summary>
        public byte[] Hash() {
            var hash = new byte[32];
            Library.Check(Native.laps_policy_hash(this, hash));
            return hash;
        }

        /// <summary>Every setting with its type, range and default, as JSON.</summary>
        public static string Schema() =>
            Encoding.UTF8.GetString(Bytes.Of((out IntPtr made) => Native.laps_policy_schema(out made)));
        /// <summary>SyncML that asks a device for a new password now.</summary>
        public static byte[] ResetPassword() => Bytes.Of((out IntPtr made) => Native.laps_policy_reset_password(out made));
        /// <summary>SyncML that asks a device how that went.</summary>
        public static byte[] ResetStatus() => Bytes.Of((out IntPtr made) => Native.laps_policy_reset_status(out made));

        /// <summary>The HRESULT in a device's answer to ResetStatus().</summary>
        public static uint ReadResetStatus(byte[] document) {
            uint hresult;
            Library.Check(Native.laps_policy_read_reset_status(document, Text.Length(document), out hresult));
            return hresult;
        }
    }

    /// <summary>What is wrong with policy documents, or should be looked at.</summary>
    public struct Finding {
        public readonly Level Level;
        public readonly string Setting, Message;
        internal Finding(Level level, string setting, string message) { Level = level; Setting = setting; Message = message; }
        public override string ToString() => Setting + ": " + Message;
    }

    /// <summary>Policy documents, what is in force because of them, and what is wrong with them.</summary>
    public sealed class Evaluation : LapsObject {
        public Evaluation() {
            IntPtr made;
            Own(this, Native.laps_evaluation_new(out made), made);
        }
        protected override bool ReleaseHandle() { Native.laps_evaluation_free(handle); return true; }

        public void Add(byte[] document, string source) {
            byte[] name = Text.Bytes(source);
            lock (this)
                Library.Check(Native.laps_evaluation_add(this, document, Text.Length(document), name, Text.Length(name)));
        }

        public Policy Policy() {
            IntPtr made;
            var policy = new Policy();
            lock (this) return Own(policy, Native.laps_evaluation_policy(this, out made), made);
        }

        public Finding[] Findings() => Lent(() => {
            var all = new Finding[(int)Native.laps_evaluation_finding_count(this)];
            for (uint i = 0; i < all.Length; i++)
                all[i] = new Finding((Level)Native.laps_evaluation_finding_level(this, (UIntPtr)i),
                                     Text.Copy(Native.laps_evaluation_finding_setting(this, (UIntPtr)i)),
                                     Text.Copy(Native.laps_evaluation_finding_message(this, (UIntPtr)i)));
            return all;
        });

        /// <summary>Whether a document asks for a new password now (SyncML Exec).</summary>
        public bool ResetsPassword => Lent(() => Native.laps_evaluation_resets_password(this));

        /// <summary>What is configured, as "csp", "reg", "intune" or "json".</summary>
        public byte[] Export(string form) {
            byte[] name = Text.Bytes(form);
            lock (this)
                return Bytes.Of((out IntPtr made) => Native.laps_evaluation_export(this, name, Text.Length(name), out made));
        }

        /// <summary>What is configured, as SyncML with "add", "replace" or "delete".</summary>
        public byte[] ExportCsp(string command) {
            byte[] name = Text.Bytes(command);
            lock (this)
                return Bytes.Of((out IntPtr made) => Native.laps_evaluation_export_csp(this, name, Text.Length(name), out made));
        }

        /// <summary>What changes on a device that gets the later policy instead of this one, as JSON.</summary>
        public string ChangesTo(Evaluation later) => Both(this, NotNull(later, nameof(later)), () => Encoding.UTF8.GetString(
            Bytes.Of((out IntPtr made) => Native.laps_evaluation_diff(this, later, out made))));
    }

    /// <summary>A random generator. Make one and keep it.</summary>
    public sealed class Generator : LapsObject {
        public Generator() {
            IntPtr made;
            Own(this, Native.laps_generator_new(out made), made);
        }
        protected override bool ReleaseHandle() { Native.laps_generator_free(handle); return true; }

        public void Reseed() {
            lock (this) Library.Check(Native.laps_generator_reseed(this));
        }

        public Password Password(Recipe recipe) {
            IntPtr made;
            var password = new Password();
            lock (this) return Own(password, Native.laps_generator_password(this, NotNull(recipe, nameof(recipe)), out made), made);
        }

        /// <summary>Many passwords at once; dispose every one.</summary>
        public Secret[] Passwords(Recipe recipe, int count) {
            NotNull(recipe, nameof(recipe));
            if (count < 0) throw new ArgumentOutOfRangeException(nameof(count));
            int place = recipe.MaxLength + 1;
            var places = new byte[checked(place * count)];
            var all = new Secret[count];
            return Pin.Pinned(places, at => {
                try {
                    lock (this)
                        Library.Check(Native.laps_generator_passwords(this, recipe, places, (UIntPtr)(uint)place, (UIntPtr)(uint)count));
                    for (int i = 0; i < count; i++)
                        all[i] = Secret.Of(places, i * place, Array.IndexOf(places, (byte)0, i * place) - i * place);
                    return all;
                } catch {
                    foreach (Secret secret in all) secret?.Dispose();
                    throw;
                } finally {
                    Native.laps_wipe(at, Text.Length(places));
                }
            });
        }
    }

    /// <summary>The public half of a reader: who can open what is sealed to it.</summary>
    public sealed class Reader : LapsObject {
        internal Reader() { }
        protected override bool ReleaseHandle() { Native.laps_reader_free(handle); return true; }

        /// <summary>From its line of text.</summary>
        public static Reader Parse(string line) {
            IntPtr made;
            byte[] text = Laps.Text.Bytes(line);
            var reader = new Reader();
            return Own(reader, Native.laps_reader_parse(text, Laps.Text.Length(text), out made), made);
        }

        public string Text => Laps.Text.Filled((byte[] buffer, UIntPtr size, out UIntPtr length) =>
            Native.laps_reader_text(this, buffer, size, out length));
        public string Name => Laps.Text.Filled((byte[] buffer, UIntPtr size, out UIntPtr length) =>
            Native.laps_reader_name(this, buffer, size, out length));
        public Suite Suite => (Suite)Native.laps_reader_suite(this);

        /// <summary>32 bytes, by which records name it.</summary>
        public byte[] Id() {
            var id = new byte[32];
            Library.Check(Native.laps_reader_id(this, id));
            return id;
        }
    }

    /// <summary>The public half of an authority: who says which readers devices seal to.</summary>
    public sealed class Signer : LapsObject {
        internal Signer() { }
        protected override bool ReleaseHandle() { Native.laps_signer_free(handle); return true; }

        /// <summary>From its line of text.</summary>
        public static Signer Parse(string line) {
            IntPtr made;
            byte[] text = Laps.Text.Bytes(line);
            var signer = new Signer();
            return Own(signer, Native.laps_signer_parse(text, Laps.Text.Length(text), out made), made);
        }

        public string Text => Laps.Text.Filled((byte[] buffer, UIntPtr size, out UIntPtr length) =>
            Native.laps_signer_text(this, buffer, size, out length));
    }

    /// <summary>The readers that devices seal to, as an authority signed them.</summary>
    public sealed class ReaderSet : LapsObject {
        internal ReaderSet() { }
        protected override bool ReleaseHandle() { Native.laps_reader_set_free(handle); return true; }

        /// <summary>inForce is what Head() gave for the set in force, or null.</summary>
        public static ReaderSet Verify(byte[] document, Signer authority, string scope, byte[] inForce) {
            if (inForce != null && inForce.Length != 40) throw new ArgumentException("40 bytes are remembered", nameof(inForce));
            IntPtr made;
            byte[] name = Text.Bytes(scope);
            var set = new ReaderSet();
            return Own(set, Native.laps_reader_set_verify(document, Text.Length(document), NotNull(authority, nameof(authority)),
                                                          name, Text.Length(name), inForce, out made), made);
        }

        public ulong Version => Native.laps_reader_set_version(this);
        public int Count => (int)Native.laps_reader_set_count(this);

        public Reader Reader(int index) {
            IntPtr made;
            var reader = new Reader();
            return Own(reader, Native.laps_reader_set_reader(this, (UIntPtr)(ulong)index, out made), made);
        }

        /// <summary>40 bytes to remember, so that an older set is refused.</summary>
        public byte[] Head() {
            var head = new byte[40];
            Library.Check(Native.laps_reader_set_head(this, head));
            return head;
        }
    }

    /// <summary>What a record will say about its password, in clear and bound to it.</summary>
    public sealed class Header : LapsObject {
        internal Header() { }
        public Header(Generator generator, string device, string account) {
            IntPtr made;
            byte[] deviceText = Text.Bytes(device), accountText = Text.Bytes(account);
            lock (NotNull(generator, nameof(generator)))
                Own(this, Native.laps_header_new(generator, deviceText, Text.Length(deviceText), accountText,
                                                 Text.Length(accountText), out made), made);
        }
        protected override bool ReleaseHandle() { Native.laps_header_free(handle); return true; }

        /// <summary>16 bytes.</summary>
        public byte[] Id() {
            var id = new byte[16];
            lock (this) Library.Check(Native.laps_header_id(this, id));
            return id;
        }
        public void SetScope(string scope) {
            byte[] text = Text.Bytes(scope);
            lock (this) Library.Check(Native.laps_header_set_scope(this, text, Text.Length(text)));
        }
        public void SetSid(string sid) {
            byte[] text = Text.Bytes(sid);
            lock (this) Library.Check(Native.laps_header_set_sid(this, text, Text.Length(text)));
        }
        /// <summary>16 bytes, or null for none.</summary>
        public void SetPrevious(byte[] id) {
            if (id != null && id.Length != 16) throw new ArgumentException("a record id has 16 bytes", nameof(id));
            lock (this) Library.Check(Native.laps_header_set_previous(this, id));
        }
        public void SetVersion(ulong version, ulong madeAt) {
            lock (this) Library.Check(Native.laps_header_set_version(this, version, madeAt));
        }
        public void SetPolicy(Policy policy) {
            lock (this) Library.Check(Native.laps_header_set_policy(this, NotNull(policy, nameof(policy))));
        }
    }

    /// <summary>One password, sealed to readers.</summary>
    public sealed class Record : LapsObject {
        internal Record() { }
        protected override bool ReleaseHandle() { Native.laps_record_free(handle); return true; }

        public static Record Seal(Header header, Password password, IReadOnlyList<Reader> readers, Generator generator) {
            NotNull(header, nameof(header));
            NotNull(password, nameof(password));
            NotNull(generator, nameof(generator));
            return All(readers, pointers => {
                IntPtr made;
                var record = new Record();
                lock (header) lock (generator)
                    return Own(record, Native.laps_record_seal(header, password, pointers, Text.Length(pointers), generator, out made), made);
            });
        }

        public static Record Parse(byte[] bytes) {
            IntPtr made;
            var record = new Record();
            return Own(record, Native.laps_record_parse(bytes, Text.Length(bytes), out made), made);
        }

        public byte[] ToBytes() => Lent(() => {
            var copy = new byte[(int)Native.laps_record_len(this)];
            Marshal.Copy(Native.laps_record_bytes(this), copy, 0, copy.Length);
            return copy;
        });

        /// <summary>16 bytes.</summary>
        public byte[] Id() {
            var id = new byte[16];
            Library.Check(Native.laps_record_id(this, id));
            return id;
        }

        /// <summary>The id of the record made before; null when it names none.</summary>
        public byte[] Previous() {
            var id = new byte[16];
            int status = Native.laps_record_previous(this, id);
            if (status == (int)Status.NotFound) return null;
            Library.Check(status);
            return id;
        }

        public ulong Version => Native.laps_record_version(this);
        public ulong MadeAt => Native.laps_record_made_at(this);
        public string Scope => Text.Filled((byte[] buffer, UIntPtr size, out UIntPtr length) =>
            Native.laps_record_scope(this, buffer, size, out length));
        public string Device => Text.Filled((byte[] buffer, UIntPtr size, out UIntPtr length) =>
            Native.laps_record_device(this, buffer, size, out length));
        public string Account => Text.Filled((byte[] buffer, UIntPtr size, out UIntPtr length) =>
            Native.laps_record_account(this, buffer, size, out length));
        /// <summary>Null when the record has none.</summary>
        public string Sid {
            get {
                try {
                    return Text.Filled((byte[] buffer, UIntPtr size, out UIntPtr length) =>
                        Native.laps_record_sid(this, buffer, size, out length));
                } catch (LapsException error) when (error.Status == Status.NotFound) {
                    return null;
                }
            }
        }
        public int ReaderCount => (int)Native.laps_record_reader_count(this);
#if !LAPS_AGENT
        public Suite Suite => (Suite)Native.laps_record_suite(this);
        /// <summary>How often it was re-sealed.</summary>
        public uint Sealing => Native.laps_record_sealing(this);

        /// <summary>32 bytes: the hash of the policy under which the password was made.</summary>
        public byte[] PolicyHash() {
            var hash = new byte[32];
            Library.Check(Native.laps_record_policy_hash(this, hash));
            return hash;
        }

        /// <summary>Whether a proof of 32 bytes that <see cref="ReaderKey.Open"/> gave shows that somebody opened this record.</summary>
        public bool IsProvenBy(byte[] proof) =>
            proof != null && proof.Length == 32 && Native.laps_record_is_proven_by(this, proof);
        public bool IsSigned => Native.laps_record_is_signed(this);
        /// <summary>Throws with Status.Rejected unless this signer signed the record.</summary>
        public void VerifySignature(Signer signer) =>
            Library.Check(Native.laps_record_verify_signature(this, NotNull(signer, nameof(signer))));
#endif

        /// <summary>32 bytes.</summary>
        public byte[] ReaderId(int index) {
            var id = new byte[32];
            Library.Check(Native.laps_record_reader_id(this, (UIntPtr)(ulong)index, id));
            return id;
        }
    }

    /// <summary>The local accounts of a device, of which one is to be managed.</summary>
    public sealed class Accounts : LapsObject {
        public Accounts() {
            IntPtr made;
            Own(this, Native.laps_accounts_new(out made), made);
        }
        Accounts(IntPtr none) { SetHandle(none); }
        /// <summary>For accounts that the library lends.</summary>
        internal static Accounts Empty() => new Accounts(IntPtr.Zero);
        protected override bool ReleaseHandle() { Native.laps_accounts_free(handle); return true; }

        /// <summary>A SID of null is none.</summary>
        public void Add(string name, string sid, bool enabled) {
            byte[] nameText = Text.Bytes(name), sidText = Text.Bytes(sid);
            lock (this)
                Library.Check(Native.laps_accounts_add(this, nameText, Text.Length(nameText), sidText, Text.Length(sidText), enabled));
        }

        /// <summary>The index of the managed account, in the order of Add().</summary>
        public int Choose(Policy policy) {
            UIntPtr index;
            lock (this) Library.Check(Native.laps_accounts_choose(this, NotNull(policy, nameof(policy)), out index));
            return (int)index;
        }

        /// <summary>The name of the account that is managed automatically, which none of these has.</summary>
        public string AutomaticName(Policy policy, Generator generator) {
            NotNull(policy, nameof(policy));
            lock (this) lock (NotNull(generator, nameof(generator))) {
                var name = new byte[64];
                UIntPtr length;
                Library.Check(Native.laps_accounts_automatic_name(this, policy, generator, name, Text.Length(name), out length));
                return Encoding.UTF8.GetString(name, 0, (int)length);
            }
        }
    }

    /// <summary>What a rotation is told: the device, the managed account, the policy.</summary>
    public sealed class Config : LapsObject {
        public Config(Policy policy, string device, string account) {
            IntPtr made;
            byte[] deviceText = Text.Bytes(device), accountText = Text.Bytes(account);
            Own(this, Native.laps_config_new(NotNull(policy, nameof(policy)), deviceText, Text.Length(deviceText), accountText,
                                             Text.Length(accountText), out made), made);
        }
        protected override bool ReleaseHandle() { Native.laps_config_free(handle); return true; }

        public void SetScope(string scope) {
            byte[] text = Text.Bytes(scope);
            lock (this) Library.Check(Native.laps_config_set_scope(this, text, Text.Length(text)));
        }
        public void SetSid(string sid) {
            byte[] text = Text.Bytes(sid);
            lock (this) Library.Check(Native.laps_config_set_sid(this, text, Text.Length(text)));
        }
        public void SetCanVerify(bool canVerify) {
            lock (this) Library.Check(Native.laps_config_set_can_verify(this, canVerify));
        }
        public void SetCheckInSeconds(ulong seconds) {
            lock (this) Library.Check(Native.laps_config_set_check_in_seconds(this, seconds));
        }
        public void SetPlaintextSeconds(ulong seconds) {
            lock (this) Library.Check(Native.laps_config_set_plaintext_seconds(this, seconds));
        }
    }

    /// <summary>What to do next. Value is a time for Wait, a RotationAction for Act, the version for Prepare.</summary>
    public struct Wish {
        public readonly RotationWish Kind;
        public readonly ulong Value;
        internal Wish(uint kind, ulong value) { Kind = (RotationWish)kind; Value = value; }
    }

    /// <summary>One event of a rotation, for the device's log. It holds no secret.</summary>
    public sealed class Event : LapsObject {
        internal Event() { }
        protected override bool ReleaseHandle() { Native.laps_event_free(handle); return true; }

        public string Name => Lent(() => Text.Copy(Native.laps_event_name(this)));
        public string Reason => Lent(() => Text.Copy(Native.laps_event_reason(this)));
        /// <summary>The event id of Windows LAPS; 0 where it has none.</summary>
        public uint Id => Native.laps_event_id(this);
        public Level Level => (Level)Native.laps_event_level(this);
        public ulong At => Native.laps_event_at(this);
        public ulong Version => Native.laps_event_version(this);
        public ulong Detail => Native.laps_event_detail(this);
        /// <summary>The event of an agent as one JSON object; empty for that of a rotation.</summary>
        public string Json => Lent(() => Text.Copy(Native.laps_event_json(this)));

        /// <summary>The id of the record that it is about, 16 bytes; null for none.</summary>
        public byte[] Record() {
            var id = new byte[16];
            int status = Native.laps_event_record(this, id);
            if (status == (int)Status.NotFound) return null;
            Library.Check(status);
            return id;
        }
    }

    /// <summary>As laps.h has them. Public calls take an Action or a Func.</summary>
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate int Channel(IntPtr user, IntPtr checkIn, UIntPtr length, IntPtr outAnswer);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate void OnEvent(IntPtr user, IntPtr lent);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate uint AccountFind(IntPtr user, IntPtr name, IntPtr accounts);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate uint AccountSet(IntPtr user, IntPtr account, IntPtr password);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate uint AccountVerify(IntPtr user, IntPtr account, IntPtr password);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    [return: MarshalAs(UnmanagedType.I1)]
    internal delegate bool AccountChangeStamp(IntPtr user, IntPtr account, IntPtr outStamp);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    [return: MarshalAs(UnmanagedType.I1)]
    internal delegate bool AccountUsedSince(IntPtr user, IntPtr account, ulong since, IntPtr outAt);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate uint AccountAct(IntPtr user, IntPtr account, uint action);

    /// <summary>An account store of your own. What is null it cannot; Find and Set must be there. What a function throws is its
    /// failure. Accounts and passwords are lent for the call.</summary>
    public sealed class AccountCalls {
        /// <summary>Adds the account of this name to the accounts.</summary>
        public Func<string, Accounts, Account> Find;
        public Func<string, Password, Applied> Set;
        public Func<string, Password, Verified> Verify;
        /// <summary>32 bytes.</summary>
        public Func<string, byte[]> ChangeStamp;
        /// <summary>When the account was last used, at or after a time; 0 for never.</summary>
        public Func<string, ulong, ulong> UsedSince;
        public Func<string, RotationAction, Acted> Act;

        /// <summary>What the library calls; no exception may go through it.</summary>
        internal NativeAccountCalls Calls() {
            Func<string, Accounts, Account> find = Find;
            Func<string, Password, Applied> set = Set;
            Func<string, Password, Verified> verify = Verify;
            Func<string, byte[]> changeStamp = ChangeStamp;
            Func<string, ulong, ulong> usedSince = UsedSince;
            Func<string, RotationAction, Acted> act = Act;
            var calls = new NativeAccountCalls { Size = (UIntPtr)(uint)Marshal.SizeOf(typeof(NativeAccountCalls)) };
            if (find != null)
                calls.Find = (user, name, accounts) => Kept((uint)Account.Unknown, () =>
                    LapsObject.Borrowed(Accounts.Empty(), accounts, lent => (uint)find(Text.Copy(name), lent)));
            if (set != null)
                calls.Set = (user, account, password) => Kept((uint)Applied.Failed, () =>
                    LapsObject.Borrowed(new Password(), password, lent => (uint)set(Text.Copy(account), lent)));
            if (verify != null)
                calls.Verify = (user, account, password) => Kept((uint)Verified.Unavailable, () =>
                    LapsObject.Borrowed(new Password(), password, lent => (uint)verify(Text.Copy(account), lent)));
            if (changeStamp != null)
                calls.ChangeStamp = (user, account, stamp) => Kept(false, () => {
                    byte[] made = changeStamp(Text.Copy(account));
                    if (made == null || made.Length != 32) return false;
                    Marshal.Copy(made, 0, stamp, made.Length);
                    return true;
                });
            if (usedSince != null)
                calls.UsedSince = (user, account, since, at) => Kept(false, () => {
                    Marshal.WriteInt64(at, (long)usedSince(Text.Copy(account), since));
                    return true;
                });
            if (act != null)
                calls.Act = (user, account, action) => Kept((uint)Acted.Failed, () =>
                    (uint)act(Text.Copy(account), (RotationAction)action));
            return calls;
        }

        internal static T Kept<T>(T failed, Func<T> call) {
            try { return call(); } catch (Exception) { return failed; }
        }
    }

    /// <summary>
    /// The accounts of this machine, for a loop of your own: see laps_account_store. Find() comes first; where a call did not do what it
    /// was asked, Reason says why.
    /// </summary>
    public sealed class AccountStore : LapsObject {
        /// <summary>The store by its name, as AgentOptions.SetStore() has it, and the file of its lock.</summary>
        public AccountStore(string store, string path, ulong setterSeconds = 30) {
            IntPtr made;
            byte[] name = Text.Bytes(store), file = Text.Bytes(path);
            Own(this, Native.laps_account_store_open(name, Text.Length(name), file, Text.Length(file), setterSeconds, out made), made);
        }
        protected override bool ReleaseHandle() { Native.laps_account_store_free(handle); return true; }

        public bool Can(Ability ability) => ((Ability)Native.laps_account_store_abilities(this) & ability) == ability;

        /// <summary>An empty name means the built-in administrator.</summary>
        public Account Find(string name) {
            uint seen;
            byte[] text = Text.Bytes(name);
            lock (this) Library.Check(Native.laps_account_store_find(this, text, Text.Length(text), out seen));
            return (Account)seen;
        }
        /// <summary>The account that was found, or null; its SID may be empty.</summary>
        public string AccountName => Lent(() => Text.Copy(Native.laps_account_store_account(this)));
        public string Sid => Lent(() => Text.Copy(Native.laps_account_store_sid(this)));
        public string Reason => Lent(() => Text.Copy(Native.laps_account_store_reason(this)));

        /// <summary>32 bytes, or null where the platform has none.</summary>
        public byte[] ChangeStamp() {
            var stamp = new byte[32];
            lock (this) {
                int status = Native.laps_account_store_change_stamp(this, stamp);
                if (status == (int)Status.NotFound) return null;
                Library.Check(status);
            }
            return stamp;
        }
        /// <summary>The password is one that the account does not have.</summary>
        public bool CanVerify(Password password) {
            lock (this) return Native.laps_account_store_can_verify(this, NotNull(password, nameof(password)));
        }
        public Applied Set(Password password) {
            uint applied;
            lock (this) Library.Check(Native.laps_account_store_set(this, NotNull(password, nameof(password)), out applied));
            return (Applied)applied;
        }
        public Verified Verify(Password password) {
            uint verified;
            lock (this) Library.Check(Native.laps_account_store_verify(this, NotNull(password, nameof(password)), out verified));
            return (Verified)verified;
        }
        /// <summary>When the account was last used, at or after a time; 0 for not at all.</summary>
        public ulong UsedSince(ulong since) {
            ulong at;
            lock (this) Library.Check(Native.laps_account_store_used_since(this, since, out at));
            return at;
        }
        public Acted Act(RotationAction action) {
            uint acted;
            lock (this) Library.Check(Native.laps_account_store_act(this, (uint)action, out acted));
            return (Acted)acted;
        }
    }

    /// <summary>What an agent is opened with. An agent keeps the functions that the options had when it was opened.</summary>
    public sealed class AgentOptions : LapsObject {
        /// <summary>What the library calls; kept from the collector by whoever has it.</summary>
        internal NativeAccountCalls Store;
        internal Channel Channel;
        internal OnEvent OnEvent;

        /// <summary>The device as the vault calls it, and the folder that keeps its state.</summary>
        public AgentOptions(string device, string folder) {
            IntPtr made;
            byte[] deviceText = Text.Bytes(device), folderText = Text.Bytes(folder);
            Own(this, Native.laps_agent_options_new(deviceText, Text.Length(deviceText), folderText, Text.Length(folderText), out made), made);
        }
        protected override bool ReleaseHandle() { Native.laps_agent_options_free(handle); return true; }

        public void SetScope(string scope) {
            byte[] text = Text.Bytes(scope);
            lock (this) Library.Check(Native.laps_agent_options_set_scope(this, text, Text.Length(text)));
        }

        public void AddPolicy(byte[] document, string source) {
            byte[] text = Text.Bytes(source);
            lock (this) Library.Check(Native.laps_agent_options_add_policy(this, document, Text.Length(document), text, Text.Length(text)));
        }

        /// <summary>A file that is read again at every run.</summary>
        public void AddPolicyFile(string path) {
            byte[] text = Text.Bytes(path);
            lock (this) Library.Check(Native.laps_agent_options_add_policy_file(this, text, Text.Length(text)));
        }

        public void SetLastWins(bool lastWins) {
            lock (this) Library.Check(Native.laps_agent_options_set_last_wins(this, lastWins));
        }

        public void SetReaders(IReadOnlyList<Reader> readers) {
            lock (this) All(readers, all => {
                Library.Check(Native.laps_agent_options_set_readers(this, all, Text.Length(all)));
                return true;
            });
        }

        /// <summary>The file of a signed set, which is read again at every run, and who signs it.</summary>
        public void SetReaderSet(string path, Signer authority) {
            byte[] text = Text.Bytes(path);
            lock (this)
                Library.Check(Native.laps_agent_options_set_reader_set(this, text, Text.Length(text), NotNull(authority, nameof(authority))));
        }

        /// <summary>"linux", "windows" or "command:CMD".</summary>
        public void SetStore(string name) {
            byte[] text = Text.Bytes(name);
            lock (this) Library.Check(Native.laps_agent_options_set_store(this, text, Text.Length(text)));
        }

        public void SetStore(AccountCalls store) {
            NativeAccountCalls calls = NotNull(store, nameof(store)).Calls();
            lock (this) {
                Library.Check(Native.laps_agent_options_set_account_calls(this, ref calls, IntPtr.Zero));
                Store = calls;
            }
        }

        /// <summary>Takes a check-in to the vault and gives its answer. A LapsException has its status for the agent; whatever else it
        /// throws means that the vault was not reached.</summary>
        public void SetChannel(Func<byte[], byte[]> channel) {
            NotNull(channel, nameof(channel));
            Channel call = (user, checkIn, length, outAnswer) => {
                try {
                    var message = new byte[(int)length];
                    Marshal.Copy(checkIn, message, 0, message.Length);
                    byte[] answer = channel(message);
                    IntPtr made;
                    int status = Native.laps_bytes_new(answer, Text.Length(answer), out made);
                    if (status == 0) Marshal.WriteIntPtr(outAnswer, made);
                    return status;
                } catch (LapsException error) {
                    return (int)error.Status;
                } catch (Exception) {
                    return (int)Status.Unreachable;
                }
            };
            lock (this) {
                Library.Check(Native.laps_agent_options_set_channel(this, call, IntPtr.Zero));
                Channel = call;
            }
        }

        /// <summary>Is told what happened; null: nobody. The event is lent for the call. What it throws is dropped.</summary>
        public void SetOnEvent(Action<Event> tell) {
            OnEvent call = null;
            if (tell != null)
                call = (user, lent) => AccountCalls.Kept(false, () => Borrowed(new Event(), lent, told => { tell(told); return true; }));
            lock (this) {
                Library.Check(Native.laps_agent_options_set_on_event(this, call, IntPtr.Zero));
                OnEvent = call;
            }
        }

        public void SetTimeouts(ulong lockSeconds, ulong setterSeconds, ulong patienceSeconds) {
            lock (this) Library.Check(Native.laps_agent_options_set_timeouts(this, lockSeconds, setterSeconds, patienceSeconds));
        }

        public void AcknowledgeLog() {
            lock (this) Library.Check(Native.laps_agent_options_acknowledge_log(this));
        }
    }

    /// <summary>The agent of a device: see laps_agent. Threads may share it.</summary>
    public sealed class Agent : LapsObject {
        /// <summary>What the library calls, as long as the agent lives.</summary>
        readonly object[] called;

        public Agent(AgentOptions options) {
            IntPtr made;
            lock (NotNull(options, nameof(options))) {
                NativeAccountCalls store = options.Store;
                called = new object[] {
                    options.Channel, options.OnEvent, store.Find, store.Set, store.Verify, store.ChangeStamp, store.UsedSince, store.Act
                };
                Own(this, Native.laps_agent_open(options, out made), made);
            }
        }
        protected override bool ReleaseHandle() {
            Native.laps_agent_free(handle);
            GC.KeepAlive(called);
            return true;
        }

        public Outcome RunOnce(bool force = false) {
            uint outcome;
            Library.Check(Native.laps_agent_run_once(this, force, out outcome));
            return (Outcome)outcome;
        }

        public Outcome CheckIn() {
            uint outcome;
            Library.Check(Native.laps_agent_check_in(this, out outcome));
            return (Outcome)outcome;
        }

        /// <summary>Runs until Stop(): checks in at the intervals of the options, and does what is due in between.</summary>
        public void Run(ulong intervalSeconds) => Library.Check(Native.laps_agent_run(this, intervalSeconds));

        /// <summary>Ends what the agent does at its next step, for good; from any thread.</summary>
        public void Stop() => Native.laps_agent_stop(this);

        /// <summary>What a state folder says about its device, as one JSON object.</summary>
        public static string StatusOf(string folder) {
            byte[] text = Text.Bytes(folder);
            return Encoding.UTF8.GetString(Bytes.Of((out IntPtr made) => Native.laps_agent_status(text, Text.Length(text), out made)));
        }
    }

    /// <summary>The rotation of one account's password on one device.</summary>
    public sealed class Rotation : LapsObject {
        Rotation() { }
        protected override bool ReleaseHandle() { Native.laps_rotation_free(handle); return true; }

        /// <summary>Only where no state was ever written, or Resume() threw with Status.JournalMalformed.</summary>
        public static Rotation Start(Config config, ulong now) {
            IntPtr made;
            var rotation = new Rotation();
            lock (NotNull(config, nameof(config))) return Own(rotation, Native.laps_rotation_new(config, now, out made), made);
        }

        /// <summary>Goes on from the state that was written last. The stamp is 32 bytes, or null.</summary>
        public static Rotation Resume(Config config, byte[] state, byte[] stamp, ulong now) {
            IntPtr made;
            var rotation = new Rotation();
            lock (NotNull(config, nameof(config)))
                return Own(rotation, Native.laps_rotation_resume(config, state, Text.Length(state), Stamp(stamp), now, out made), made);
        }

        static byte[] Stamp(byte[] stamp) {
            if (stamp != null && stamp.Length != 32) throw new ArgumentException("a change stamp has 32 bytes", nameof(stamp));
            return stamp;
        }

        /// <summary>What to do next. Changes nothing, and says the same until a fact arrives.</summary>
        public Wish Poll() {
            uint kind;
            ulong value;
            lock (this) Library.Check(Native.laps_rotation_poll(this, out kind, out value));
            return new Wish(kind, value);
        }

        /// <summary>The next event, or null.</summary>
        public Event PollEvent() {
            IntPtr made;
            var next = new Event();
            lock (this) {
                int status = Native.laps_rotation_poll_event(this, out made);
                if (status == (int)Status.NotFound) {
                    next.SetHandleAsInvalid();
                    return null;
                }
                return Own(next, status, made);
            }
        }

        /// <summary>For RotationWish.Save: what is to be written, durably; then HandleSaved() or HandleSaveFailed().</summary>
        public byte[] State() {
            lock (this) return Bytes.Of((out IntPtr made) => Native.laps_rotation_state(this, out made));
        }

        /// <summary>For RotationWish.CheckIn: what is to be sent to the vault.</summary>
        public byte[] CheckIn(Generator generator) {
            lock (this) lock (NotNull(generator, nameof(generator)))
                return Bytes.Of((out IntPtr made) => Native.laps_rotation_check_in(this, generator, out made));
        }

        /// <summary>For Apply and Verify: the new password, a copy that wipes itself. Null at every other time.</summary>
        public Secret ExposePassword() => Lent(() => {
            IntPtr password = Native.laps_rotation_password(this);
            return password == IntPtr.Zero ? null : Secret.Of(password);
        });

        public string Account => Lent(() => Text.Filled((byte[] buffer, UIntPtr size, out UIntPtr length) =>
            Native.laps_rotation_account(this, buffer, size, out length)));
        public RotationState Step => Lent(() => (RotationState)Native.laps_rotation_step(this));
        public ulong Version => Lent(() => Native.laps_rotation_version(this));
        public ulong Due => Lent(() => Native.laps_rotation_due(this));
        public bool IsDue => Lent(() => Native.laps_rotation_is_due(this));
        public ulong UsedSince => Lent(() => Native.laps_rotation_used_since(this));

        /// <summary>For RotationWish.Prepare. When it throws, the rotation knows, waits a while and wishes it again.</summary>
        public void Prepare(Generator generator, Recipe recipe, IReadOnlyList<Reader> readers, byte[] stamp, ulong now) {
            NotNull(generator, nameof(generator));
            NotNull(recipe, nameof(recipe));
            Stamp(stamp);
            All(readers, pointers => {
                lock (this) lock (generator)
                    Library.Check(Native.laps_rotation_prepare(this, generator, recipe, pointers, Text.Length(pointers), stamp, now));
                return 0;
            });
        }
        /// <summary>The stamp may be null.</summary>
        public void HandleAccount(Account account, byte[] stamp, ulong now) {
            lock (this) Library.Check(Native.laps_rotation_handle_account(this, (uint)account, Stamp(stamp), now));
        }
        public void HandleReaders(IReadOnlyList<Reader> readers, ulong now) {
            All(readers, pointers => {
                lock (this) Library.Check(Native.laps_rotation_handle_readers(this, pointers, Text.Length(pointers), now));
                return 0;
            });
        }
        public void AcknowledgeLog(ulong now) {
            lock (this) Library.Check(Native.laps_rotation_acknowledge_log(this, now));
        }
        public void HandleSaved() {
            lock (this) Library.Check(Native.laps_rotation_handle_saved(this));
        }
        public void HandleSaveFailed(Generator generator, ulong now) {
            lock (this) lock (NotNull(generator, nameof(generator)))
                Library.Check(Native.laps_rotation_handle_save_failed(this, generator, now));
        }
        public void HandleAnswer(byte[] answer, Generator generator, ulong now) {
            lock (this) lock (NotNull(generator, nameof(generator)))
                Library.Check(Native.laps_rotation_handle_answer(this, answer, Text.Length(answer), generator, now));
        }
        public void HandleCheckInFailed(Generator generator, ulong now) {
            lock (this) lock (NotNull(generator, nameof(generator)))
                Library.Check(Native.laps_rotation_handle_check_in_failed(this, generator, now));
        }
        /// <summary>Throws with Status.UnexpectedEvent also when the password lay too long: Poll() says what is next.</summary>
        public void HandleStamp(byte[] stamp, ulong now) {
            lock (this) Library.Check(Native.laps_rotation_handle_stamp(this, Stamp(stamp), now));
        }
        public void HandleApplied(Applied applied, Generator generator, ulong now) {
            lock (this) lock (NotNull(generator, nameof(generator)))
                Library.Check(Native.laps_rotation_handle_applied(this, (uint)applied, generator, now));
        }
        public void HandleVerified(Verified verified, Generator generator, ulong now) {
            lock (this) lock (NotNull(generator, nameof(generator)))
                Library.Check(Native.laps_rotation_handle_verified(this, (uint)verified, generator, now));
        }
        public void HandleActed(Acted acted, ulong now) {
            lock (this) Library.Check(Native.laps_rotation_handle_acted(this, (uint)acted, now));
        }
        public void HandleUsed(ulong at, ulong now) {
            lock (this) Library.Check(Native.laps_rotation_handle_used(this, at, now));
        }
        public void HandleTimeout(ulong now) {
            lock (this) Library.Check(Native.laps_rotation_handle_timeout(this, now));
        }
        public void HandleConfig(Config config, ulong now) {
            lock (this) lock (NotNull(config, nameof(config))) Library.Check(Native.laps_rotation_handle_config(this, config, now));
        }
        public void Force(ulong now) {
            lock (this) Library.Check(Native.laps_rotation_force(this, now));
        }
        public void SkipBackOff(ulong now) {
            lock (this) Library.Check(Native.laps_rotation_skip_back_off(this, now));
        }
    }

#if !LAPS_AGENT
    /// <summary>What opening a record gives. Dispose it: that wipes the password.</summary>
    public sealed class Opened : IDisposable {
        internal Opened(Password password, byte[] proof) { Password = password; Proof = proof; }
        public Password Password { get; }
        /// <summary>32 bytes that show that somebody opened the record.</summary>
        public byte[] Proof { get; }
        public void Dispose() => Password.Dispose();
    }

    /// <summary>A reader's private key, which opens what is sealed to it.</summary>
    public sealed class ReaderKey : LapsObject {
        internal ReaderKey() { }
        public ReaderKey(Generator generator, Suite suite, string name) {
            IntPtr made;
            byte[] text = Text.Bytes(name);
            lock (NotNull(generator, nameof(generator)))
                Own(this, Native.laps_reader_key_new(generator, (ushort)suite, text, Text.Length(text), out made), made);
        }
        protected override bool ReleaseHandle() { Native.laps_reader_key_free(handle); return true; }

        /// <summary>A passphrase of null is none; it stays yours to wipe.</summary>
        public static ReaderKey FromFile(byte[] file, byte[] passphrase) {
            IntPtr made;
            var key = new ReaderKey();
            return Own(key, Native.laps_reader_key_from_file(file, Text.Length(file), passphrase, Text.Length(passphrase), out made), made);
        }

        /// <summary>A passphrase of null leaves the key file unencrypted.</summary>
        public byte[] ToFile(byte[] passphrase, Generator generator) {
            lock (NotNull(generator, nameof(generator)))
                return Bytes.Of((out IntPtr made) =>
                    Native.laps_reader_key_to_file(this, passphrase, Text.Length(passphrase), generator, out made));
        }

        public Reader Reader() {
            IntPtr made;
            var reader = new Reader();
            return Own(reader, Native.laps_reader_key_reader(this, out made), made);
        }

        /// <summary>The password, and the proof that the record was opened (<see cref="Record.IsProvenBy"/>).</summary>
        public Opened Open(Record record) {
            IntPtr made;
            var password = new Password();
            var proof = new byte[32];
            Own(password, Native.laps_reader_key_open(this, NotNull(record, nameof(record)), out made, proof), made);
            return new Opened(password, proof);
        }

        public Record Reseal(Record record, IReadOnlyList<Reader> readers, Generator generator) {
            NotNull(record, nameof(record));
            NotNull(generator, nameof(generator));
            return All(readers, pointers => {
                IntPtr made;
                var sealedAnew = new Record();
                lock (generator)
                    return Own(sealedAnew, Native.laps_reader_key_reseal(this, record, pointers, Text.Length(pointers), generator, out made), made);
            });
        }
    }

    /// <summary>An authority's private key, which signs reader sets.</summary>
    public sealed class SignerKey : LapsObject {
        internal SignerKey() { }
        public SignerKey(Generator generator, string name) {
            IntPtr made;
            byte[] text = Text.Bytes(name);
            lock (NotNull(generator, nameof(generator)))
                Own(this, Native.laps_signer_key_new(generator, text, Text.Length(text), out made), made);
        }
        protected override bool ReleaseHandle() { Native.laps_signer_key_free(handle); return true; }

        /// <summary>A passphrase of null is none; it stays yours to wipe.</summary>
        public static SignerKey FromFile(byte[] file, byte[] passphrase) {
            IntPtr made;
            var key = new SignerKey();
            return Own(key, Native.laps_signer_key_from_file(file, Text.Length(file), passphrase, Text.Length(passphrase), out made), made);
        }

        /// <summary>A passphrase of null leaves the key file unencrypted.</summary>
        public byte[] ToFile(byte[] passphrase, Generator generator) {
            lock (NotNull(generator, nameof(generator)))
                return Bytes.Of((out IntPtr made) =>
                    Native.laps_signer_key_to_file(this, passphrase, Text.Length(passphrase), generator, out made));
        }

        public Signer Signer() {
            IntPtr made;
            var signer = new Signer();
            return Own(signer, Native.laps_signer_key_signer(this, out made), made);
        }

        /// <summary>A signed reader set, as the text that devices verify.</summary>
        public byte[] SignReaders(string scope, ulong version, IReadOnlyList<Reader> readers) {
            byte[] text = Text.Bytes(scope);
            return All(readers, pointers => Bytes.Of((out IntPtr made) => Native.laps_signer_key_sign_readers(
                this, text, Text.Length(text), version, pointers, Text.Length(pointers), out made)));
        }
    }

    /// <summary>What a vault gave out about one device: sealed records, any of which may hold its password.</summary>
    public sealed class Disclosure : LapsObject {
        internal Disclosure() { }
        protected override bool ReleaseHandle() { Native.laps_disclosure_free(handle); return true; }

        public int Count => (int)Native.laps_disclosure_count(this);
        public Record Record(int index) {
            IntPtr made;
            var record = new Record();
            return Own(record, Native.laps_disclosure_record(this, (UIntPtr)(ulong)index, out made), made);
        }
        public Candidate State(int index) => (Candidate)Native.laps_disclosure_state(this, (UIntPtr)(ulong)index);
        /// <summary>When the vault received it.</summary>
        public ulong Updated(int index) => Native.laps_disclosure_updated(this, (UIntPtr)(ulong)index);
        /// <summary>Records that are missing among these, because what is stored of them is damaged.</summary>
        public Rows Damaged() => Rows.Of((out IntPtr made) => Native.laps_disclosure_damaged(this, out made));
        public ulong Entry => Native.laps_disclosure_entry(this);
        public string Head => Lent(() => Text.Copy(Native.laps_disclosure_head(this)));
    }

    /// <summary>What a vault tells: rows, whose fields are named at the call that makes them in laps.h.</summary>
    public sealed class Rows : LapsObject {
        internal Rows() { }
        protected override bool ReleaseHandle() { Native.laps_rows_free(handle); return true; }

        internal static Rows Of(Laps.Bytes.Make make) {
            IntPtr made;
            var rows = new Rows();
            return Own(rows, make(out made), made);
        }

        public int Count => (int)Native.laps_rows_count(this);
        /// <summary>Null where the row has no such text.</summary>
        public string Text(int index, Field field) =>
            Lent(() => Laps.Text.Copy(Native.laps_rows_text(this, (UIntPtr)(ulong)index, (uint)field)));
        /// <summary>0 where the row has no such number.</summary>
        public ulong Number(int index, Field field) => Native.laps_rows_number(this, (UIntPtr)(ulong)index, (uint)field);
        /// <summary>What the call that made the rows says that they are; null where the row has none.</summary>
        public byte[] Bytes(int index) => Lent(() => {
            IntPtr bytes = Native.laps_rows_bytes(this, (UIntPtr)(ulong)index);
            if (bytes == IntPtr.Zero) return null;
            var copy = new byte[(int)Native.laps_rows_bytes_len(this, (UIntPtr)(ulong)index)];
            Marshal.Copy(bytes, copy, 0, copy.Length);
            return copy;
        });
        /// <summary>What to pass as after for the next page; null at the end.</summary>
        public string Next => Lent(() => Laps.Text.Copy(Native.laps_rows_next(this)));
    }

    /// <summary>Check-ins that Vault.CheckInMany() takes together.</summary>
    public sealed class CheckIns : LapsObject {
        public CheckIns() {
            IntPtr made;
            Own(this, Native.laps_check_ins_new(out made), made);
        }
        protected override bool ReleaseHandle() { Native.laps_check_ins_free(handle); return true; }

        /// <summary>The device is the one that you authenticated. Whether the message is one is seen when it is taken.</summary>
        public void Add(string device, byte[] message) {
            byte[] name = Text.Bytes(device);
            lock (this) Library.Check(Native.laps_check_ins_add(this, name, Text.Length(name), message, Text.Length(message)));
        }
        public int Count { get { lock (this) return (int)Native.laps_check_ins_count(this); } }
    }

    /// <summary>Names of devices that Vault.OrderDevices() takes together.</summary>
    public sealed class Devices : LapsObject {
        public Devices(params string[] names) {
            IntPtr made;
            Own(this, Native.laps_devices_new(out made), made);
            foreach (string name in names ?? new string[0]) Add(name);
        }
        protected override bool ReleaseHandle() { Native.laps_devices_free(handle); return true; }

        public void Add(string device) {
            byte[] name = Text.Bytes(device);
            lock (this) Library.Check(Native.laps_devices_add(this, name, Text.Length(name)));
        }
        public int Count { get { lock (this) return (int)Native.laps_devices_count(this); } }
    }

    /// <summary>What another directory, such as Microsoft Entra, holds for a device, without the passwords.</summary>
    public sealed class Foreign : LapsObject {
        public Foreign() {
            IntPtr made;
            Own(this, Native.laps_foreign_new(out made), made);
        }
        protected override bool ReleaseHandle() { Native.laps_foreign_free(handle); return true; }

        /// <summary>The SID may be null. The time is when the directory was given the password.</summary>
        public void Add(string account, string sid, ulong madeAt) {
            byte[] name = Text.Bytes(account), id = Text.Bytes(sid);
            lock (this) Library.Check(Native.laps_foreign_add(this, name, Text.Length(name), id, Text.Length(id), madeAt));
        }
        public int Count { get { lock (this) return (int)Native.laps_foreign_count(this); } }
    }

    /// <summary>Which of those passwords a vault lacks, the oldest first.</summary>
    public sealed class Adoptable : LapsObject {
        internal Adoptable() { }
        protected override bool ReleaseHandle() { Native.laps_adoptable_free(handle); return true; }

        public int Count => (int)Native.laps_adoptable_count(this);
        /// <summary>The header under which one is to be sealed, and which one it is in the order of Foreign.Add().</summary>
        public Header Header(int index, out int position) {
            IntPtr made;
            UIntPtr at;
            var header = new Header();
            Own(header, Native.laps_adoptable_header(this, (UIntPtr)(ulong)index, out at, out made), made);
            position = (int)at;
            return header;
        }
    }

    /// <summary>As laps.h has it. Public calls take an Action or a Func.</summary>
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate void Progress(IntPtr user, ulong done, ulong total);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    [return: MarshalAs(UnmanagedType.I1)]
    internal delegate bool Step(IntPtr user, ulong records);

    /// <summary>Carries what a function throws past the C library, through which no exception may go.</summary>
    internal sealed class Called {
        Exception thrown;

        internal Progress Progress(Action<ulong, ulong> tell) {
            if (tell == null) return null;
            return (user, done, total) => {
                if (thrown != null) return;
                try { tell(done, total); } catch (Exception error) { thrown = error; }
            };
        }

        internal Step Step(Func<ulong, bool> ask) {
            if (ask == null) return null;
            return (user, records) => {
                try { return ask(records); } catch (Exception error) { thrown = error; return false; }
            };
        }

        /// <summary>After the call, with its own trace.</summary>
        internal void Again() {
            if (thrown != null) ExceptionDispatchInfo.Capture(thrown).Throw();
        }
    }

    /// <summary>What the verification of a trail found, also of a broken one.</summary>
    public sealed class AuditReport {
        public bool Verified { get; internal set; }
        public ulong Entries { get; internal set; }
        /// <summary>The head, as far as the trail holds.</summary>
        public string Head { get; internal set; }
        /// <summary>The first entry that is not as it was written, or is missing, from 1; 0 where nothing is bad.</summary>
        public ulong FirstBad { get; internal set; }
    }

    /// <summary>What a migration did.</summary>
    public sealed class Migration {
        public ulong SchemaBefore { get; internal set; }
        public ulong Schema { get; internal set; }
        /// <summary>Where the file from before is; null where it was not kept.</summary>
        public string Copy { get; internal set; }
    }

    /// <summary>A vault without the power to hand anything out or to change anything. Dispose the rows that it gives.</summary>
    public sealed class Metadata : LapsObject {
        internal Metadata() { }
        protected override bool ReleaseHandle() { Native.laps_metadata_free(handle); return true; }

        /// <summary>Devices by name, those behind after (null: from the first).</summary>
        public Rows List(string after, int limit) {
            byte[] text = Text.Bytes(after);
            return Rows.Of((out IntPtr made) => Native.laps_metadata_list(this, text, Text.Length(text), (UIntPtr)(ulong)limit, out made));
        }
        public Rows Show(string device) {
            byte[] text = Text.Bytes(device);
            return Rows.Of((out IntPtr made) => Native.laps_metadata_show(this, text, Text.Length(text), out made));
        }
        public Rows History(string device) {
            byte[] text = Text.Bytes(device);
            return Rows.Of((out IntPtr made) => Native.laps_metadata_history(this, text, Text.Length(text), out made));
        }
        /// <summary>Devices that are due no later than until.</summary>
        public Rows Due(ulong until, string after, int limit) {
            byte[] text = Text.Bytes(after);
            return Rows.Of((out IntPtr made) =>
                Native.laps_metadata_due(this, until, text, Text.Length(text), (UIntPtr)(ulong)limit, out made));
        }
        public Stats Stats(ulong now) {
            Stats stats;
            Library.Check(Native.laps_metadata_stats(this, now, out stats));
            return stats;
        }
    }

    /// <summary>Who asks a vault for something, and why; it goes into the audit trail.</summary>
    public sealed class Request {
        public string Actor { get; }
        public string Reason { get; }
        public ulong Now { get; }
        internal readonly byte[] Who, Why;
        internal UIntPtr WhoLength => Text.Length(Who);
        internal UIntPtr WhyLength => Text.Length(Why);
        public Request(string actor, string reason, ulong now) {
            Actor = actor;
            Reason = reason;
            Now = now;
            Who = Text.Bytes(actor);
            Why = Text.Bytes(reason);
        }
    }

    /// <summary>What sealing a vault anew, or taking back, did; Failed says what stayed as it was, and is yours to dispose.</summary>
    public sealed class Resealed : IDisposable {
        public ulong Replaced { get; internal set; }
        public ulong NotOurs { get; internal set; }
        public Rows Failed { get; internal set; }
        public void Dispose() => Failed?.Dispose();
    }

    /// <summary>What happened in a vault: rows, oldest first, yours to dispose; and how much before them was forgotten.</summary>
    public sealed class ObservedRows : IDisposable {
        public ulong Missed { get; internal set; }
        public Rows Rows { get; internal set; }
        public void Dispose() => Rows?.Dispose();
    }

    /// <summary>A vault file. It holds no key that opens a password. Threads may share it.</summary>
    public sealed class Vault : LapsObject {
        internal Vault() { }
        protected override bool ReleaseHandle() { Native.laps_vault_free(handle); return true; }

        /// <summary>The context says where requests come from (host, process); it goes into the trail. Set before anybody shares the vault.</summary>
        Vault In(string context) {
            if (context == null) return this;
            byte[] text = Text.Bytes(context);
            int status = Native.laps_vault_set_context(this, text, Text.Length(text));
            if (status != 0) Dispose();
            Library.Check(status);
            return this;
        }

        public static Vault Init(string path, string scope, IReadOnlyList<Reader> readers, string actor, ulong now, string context = null) {
            byte[] file = Text.Bytes(path), tenant = Text.Bytes(scope), who = Text.Bytes(actor);
            return All(readers, pointers => {
                IntPtr made;
                var vault = new Vault();
                return Own(vault, Native.laps_vault_init(file, Text.Length(file), tenant, Text.Length(tenant), pointers,
                                                         Text.Length(pointers), who, Text.Length(who), now, out made), made);
            }).In(context);
        }

        public static Vault Open(string path, string scope, string context = null) {
            IntPtr made;
            byte[] file = Text.Bytes(path), tenant = Text.Bytes(scope);
            var vault = new Vault();
            return Own(vault, Native.laps_vault_open(file, Text.Length(file), tenant, Text.Length(tenant), out made), made).In(context);
        }

        public Metadata Metadata() {
            IntPtr made;
            var metadata = new Metadata();
            return Own(metadata, Native.laps_vault_metadata(this, out made), made);
        }

        /// <summary>The answer to a check-in of the device that you authenticated.</summary>
        public byte[] CheckIn(string device, byte[] message, ulong now) {
            byte[] name = Text.Bytes(device);
            return Bytes.Of((out IntPtr made) => Native.laps_vault_check_in(
                this, name, Text.Length(name), message, Text.Length(message), now, out made));
        }

        /// <summary>
        /// Takes many in one transaction. A row for each, in their order, and one that is refused does not hinder the others: its
        /// answer in Bytes(), or Field.Status and Field.Why. Dispose the rows.
        /// </summary>
        public Rows CheckInMany(CheckIns checkIns, ulong now) {
            lock (NotNull(checkIns, nameof(checkIns)))
                return Rows.Of((out IntPtr made) => Native.laps_vault_check_in_many(this, checkIns, now, out made));
        }

        public void OrderRotation(string device, Request request) {
            byte[] name = Text.Bytes(device);
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_order_rotation(
                this, name, Text.Length(name), request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now));
        }

        /// <summary>All of these devices in one transaction, or none. How many have an order now that had none before.</summary>
        public ulong OrderDevices(Devices devices, Request request) {
            ulong ordered;
            NotNull(request, nameof(request));
            lock (NotNull(devices, nameof(devices)))
                Library.Check(Native.laps_vault_order_devices(
                    this, devices, request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now, out ordered));
            return ordered;
        }
        /// <summary>Whether an order is open, also one that waits for a retired device.</summary>
        public bool IsOrdered(string device) {
            uint ordered;
            byte[] name = Text.Bytes(device);
            Library.Check(Native.laps_vault_is_ordered(this, name, Text.Length(name), out ordered));
            return ordered != 0;
        }
        /// <summary>
        /// The head of the trail that this thread's latest change through this object answered: ask before anything else is awaited or
        /// changed. See laps_vault_receipt().
        /// </summary>
        public string Receipt() {
            ulong entry;
            return Text.Filled((byte[] buffer, UIntPtr size, out UIntPtr length) =>
                Native.laps_vault_receipt(this, buffer, size, out length, out entry));
        }

        /// <summary>How many devices have an order now that had none before; so for the next two.</summary>
        public ulong OrderAll(Request request) {
            ulong devices;
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_order_all(
                this, request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now, out devices));
            return devices;
        }
        public ulong OrderOverdue(Request request) {
            ulong devices;
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_order_overdue(
                this, request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now, out devices));
            return devices;
        }
        public ulong OrderRevealedBy(string whom, ulong since, Request request) {
            ulong devices;
            byte[] name = Text.Bytes(whom);
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_order_revealed_by(this, name, Text.Length(name), since, request.Who, request.WhoLength,
                                                              request.Why, request.WhyLength, request.Now, out devices));
            return devices;
        }

        public Disclosure Disclose(string device, bool history, ulong rotateAfter, Request request) {
            IntPtr made;
            byte[] name = Text.Bytes(device);
            NotNull(request, nameof(request));
            var disclosure = new Disclosure();
            return Own(disclosure, Native.laps_vault_disclose(this, name, Text.Length(name), request.Who, request.WhoLength, request.Why,
                                                              request.WhyLength, history, rotateAfter, request.Now, out made), made);
        }

        /// <summary>Whether what an entry disclosed was opened.</summary>
        public void RecordOutcome(ulong entry, bool opened, Request request) {
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_record_outcome(
                this, entry, opened, request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now));
        }

        /// <summary>Sets up another scope of the file: open it with that scope first.</summary>
        public void Initialise(IReadOnlyList<Reader> readers, Request request) {
            NotNull(request, nameof(request));
            Library.Check(All(readers, pointers => Native.laps_vault_initialise(
                this, pointers, Text.Length(pointers), request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now)));
        }

        public Rows Readers() => Rows.Of((out IntPtr made) => Native.laps_vault_readers(this, out made));

        public void AddReader(Reader reader, Request request) {
            NotNull(reader, nameof(reader));
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_add_reader(
                this, reader, request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now));
        }

        /// <summary>How many devices are to rotate because of it. The last reader needs confirm.</summary>
        public ulong RemoveReader(byte[] readerId, bool rotate, ulong rotateWithin, bool confirm, Request request) {
            ulong devices;
            if (NotNull(readerId, nameof(readerId)).Length != 32) throw new ArgumentException("a reader's id has 32 bytes", nameof(readerId));
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_remove_reader(this, readerId, rotate, rotateWithin, confirm, request.Who, request.WhoLength,
                                                          request.Why, request.WhyLength, request.Now, out devices));
            return devices;
        }

        /// <summary>What RemoveReader() orders, when that was stopped after the removal.</summary>
        public ulong OrderReadable(byte[] readerId, ulong within, Request request) {
            ulong devices;
            if (NotNull(readerId, nameof(readerId)).Length != 32) throw new ArgumentException("a reader's id has 32 bytes", nameof(readerId));
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_order_readable(this, readerId, within, request.Who, request.WhoLength, request.Why,
                                                           request.WhyLength, request.Now, out devices));
            return devices;
        }

        /// <summary>Seals everything anew for the readers of now.</summary>
        public Resealed Reseal(ReaderKey key, Request request) {
            NotNull(key, nameof(key));
            NotNull(request, nameof(request));
            ulong replaced = 0, notOurs = 0;
            Rows failed = Rows.Of((out IntPtr made) => Native.laps_vault_reseal(
                this, key, request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now, out replaced, out notOurs, out made));
            return new Resealed { Replaced = replaced, NotOurs = notOurs, Failed = failed };
        }

        /// <summary>
        /// The same; step is asked before each step, with how many records that is, whether to take it. What it throws ends the call.
        /// </summary>
        public Resealed Reseal(ReaderKey key, Request request, Func<ulong, bool> step) {
            NotNull(key, nameof(key));
            NotNull(request, nameof(request));
            ulong replaced = 0, notOurs = 0;
            var called = new Called();
            Step ask = called.Step(step);
            Rows failed = Rows.Of((out IntPtr made) => Native.laps_vault_reseal_watched(
                this, key, request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now, ask, IntPtr.Zero, out replaced,
                out notOurs, out made));
            GC.KeepAlive(ask);
            var done = new Resealed { Replaced = replaced, NotOurs = notOurs, Failed = failed };
            try { called.Again(); } catch { done.Dispose(); throw; }
            return done;
        }

        /// <summary>
        /// A page of records to be sealed anew where the key is: Rows.Bytes() is for Record.Parse(); then ReaderKey.Reseal() and
        /// TakeResealed(). A page may be empty and still not the last one.
        /// </summary>
        public Rows Resealing(string after, int limit, Request request) {
            byte[] text = Text.Bytes(after);
            NotNull(request, nameof(request));
            return Rows.Of((out IntPtr made) => Native.laps_vault_resealing(
                this, text, Text.Length(text), (UIntPtr)(ulong)limit, request.Who, request.WhoLength, request.Why, request.WhyLength,
                request.Now, out made));
        }
        /// <summary>Takes records back that were sealed anew. One that is refused does not hinder the others.</summary>
        public Resealed TakeResealed(IReadOnlyList<Record> resealed, Request request) {
            NotNull(resealed, nameof(resealed));
            NotNull(request, nameof(request));
            return All(resealed, pointers => {
                ulong replaced = 0;
                Rows failed = Rows.Of((out IntPtr made) => Native.laps_vault_take_resealed(
                    this, pointers, Text.Length(pointers), request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now,
                    out replaced, out made));
                return new Resealed { Replaced = replaced, Failed = failed };
            });
        }

        /// <summary>How many displaced records of a device are kept, and within how many days all are (0: no such rule).</summary>
        public void History(out uint records, out uint days) => Library.Check(Native.laps_vault_history(this, out records, out days));
        public void SetHistory(ushort records, ushort days, Request request) {
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_set_history(
                this, records, days, request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now));
        }

        public void Retire(string device, Request request) {
            byte[] name = Text.Bytes(device);
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_retire(
                this, name, Text.Length(name), request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now));
        }
        public void ReEnrol(string device, Request request) {
            byte[] name = Text.Bytes(device);
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_re_enrol(
                this, name, Text.Length(name), request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now));
        }
        /// <summary>Removes a device and every password of it, for ever. Needs confirm.</summary>
        public void Purge(string device, bool confirm, Request request) {
            byte[] name = Text.Bytes(device);
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_purge(
                this, name, Text.Length(name), confirm, request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now));
        }
        /// <summary>Removes one record by its id of 16 bytes. Needs confirm.</summary>
        public void RemoveRecord(string device, byte[] recordId, bool confirm, Request request) {
            byte[] name = Text.Bytes(device);
            if (NotNull(recordId, nameof(recordId)).Length != 16) throw new ArgumentException("a record id has 16 bytes", nameof(recordId));
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_remove_record(this, name, Text.Length(name), recordId, confirm, request.Who, request.WhoLength,
                                                          request.Why, request.WhyLength, request.Now));
        }

        /// <summary>The number of entries; throws with Status.AuditBroken when they do not verify.</summary>
        public ulong AuditVerify(string expect) {
            ulong entries;
            byte[] head = Text.Bytes(expect);
            Library.Check(Native.laps_vault_audit_verify(this, head, Text.Length(head), out entries));
            return entries;
        }
        /// <summary>As AuditVerify(), without throwing for a broken trail. progress is told (done, total), or null.</summary>
        public AuditReport AuditReport(string expect, Action<ulong, ulong> progress = null) {
            byte[] head = Text.Bytes(expect);
            var called = new Called();
            Progress tell = called.Progress(progress);
            using (Rows rows = Rows.Of((out IntPtr made) => Native.laps_vault_audit_report(
                       this, head, Text.Length(head), tell, IntPtr.Zero, out made))) {
                GC.KeepAlive(tell);
                called.Again();
                return new AuditReport {
                    Verified = rows.Number(0, Field.Verified) == 1, Entries = rows.Number(0, Field.Count),
                    Head = rows.Text(0, Field.Head), FirstBad = rows.Number(0, Field.FirstBad),
                };
            }
        }
        public Rows AuditEntries(ulong after, int limit) =>
            Rows.Of((out IntPtr made) => Native.laps_vault_audit_entries(this, after, (UIntPtr)(ulong)limit, out made));
        /// <summary>Keep it: AuditVerify() compares with it.</summary>
        public string AuditHead => Text.Filled((byte[] buffer, UIntPtr size, out UIntPtr length) =>
            Native.laps_vault_audit_head(this, buffer, size, out length));

        /// <summary>
        /// What happened through this object since the last call, for metrics: Field.Kind is one of Observed, see laps.h. The first
        /// call gives nothing; from then on the last 1024 are kept.
        /// </summary>
        public ObservedRows Observed() {
            ulong missed = 0;
            Rows rows = Rows.Of((out IntPtr made) => Native.laps_vault_observed(this, out missed, out made));
            return new ObservedRows { Missed = missed, Rows = rows };
        }

        /// <summary>Copies the vault to a new file.</summary>
        public void BackUp(string path, Request request) {
            byte[] file = Text.Bytes(path);
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_back_up(
                this, file, Text.Length(file), request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now));
        }
        /// <summary>Puts a copy in a place where no vault is, and opens it.</summary>
        public static Vault Restore(string copy, string path, string scope, Request request, string context = null) {
            IntPtr made;
            byte[] from = Text.Bytes(copy), file = Text.Bytes(path), tenant = Text.Bytes(scope);
            NotNull(request, nameof(request));
            var vault = new Vault();
            return Own(vault, Native.laps_vault_restore(from, Text.Length(from), file, Text.Length(file), tenant, Text.Length(tenant),
                                                        request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now,
                                                        out made), made).In(context);
        }
        /// <summary>Brings a vault of an older schema to the one of this version.</summary>
        public static void Migrate(string path, bool keep, Request request) {
            byte[] file = Text.Bytes(path);
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_migrate(
                file, Text.Length(file), keep, request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now));
        }
        /// <summary>The same, and what it did.</summary>
        public static Migration MigrateReport(string path, bool keep, Request request) {
            byte[] file = Text.Bytes(path);
            NotNull(request, nameof(request));
            using (Rows rows = Rows.Of((out IntPtr made) => Native.laps_vault_migrate_report(
                       file, Text.Length(file), keep, request.Who, request.WhoLength, request.Why, request.WhyLength, request.Now, out made)))
                return new Migration {
                    SchemaBefore = rows.Number(0, Field.SchemaBefore), Schema = rows.Number(0, Field.Schema), Copy = rows.Text(0, Field.Copy),
                };
        }
        /// <summary>Which passwords of another directory the vault lacks for a device.</summary>
        public Adoptable Adoptable(string device, Foreign foreign) {
            IntPtr made;
            byte[] name = Text.Bytes(device);
            var adoptable = new Adoptable();
            lock (NotNull(foreign, nameof(foreign)))
                return Own(adoptable, Native.laps_vault_adoptable(this, name, Text.Length(name), foreign, out made), made);
        }
        /// <summary>Takes them in, sealed under their headers, in their order; expires is 0 where it is not known.</summary>
        public ulong Adopt(string device, IReadOnlyList<Record> adopted, ulong lastSeen, ulong expires, Request request) {
            byte[] name = Text.Bytes(device);
            NotNull(request, nameof(request));
            ulong count = 0;
            Library.Check(All(adopted, pointers => Native.laps_vault_adopt(
                this, name, Text.Length(name), pointers, Text.Length(pointers), lastSeen, expires, request.Who, request.WhoLength,
                request.Why, request.WhyLength, request.Now, out count)));
            return count;
        }
        /// <summary>Devices with everything that is kept about them; Rows.Bytes() is for Import().</summary>
        public Rows Export(string after, int limit, Request request) {
            byte[] text = Text.Bytes(after);
            NotNull(request, nameof(request));
            return Rows.Of((out IntPtr made) => Native.laps_vault_export(
                this, text, Text.Length(text), (UIntPtr)(ulong)limit, request.Who, request.WhoLength, request.Why, request.WhyLength,
                request.Now, out made));
        }
        /// <summary>How many devices were taken in: all of them, or it throws.</summary>
        public ulong Import(byte[] bytes, Request request) {
            ulong devices;
            NotNull(request, nameof(request));
            Library.Check(Native.laps_vault_import(this, bytes, Text.Length(bytes), request.Who, request.WhoLength, request.Why,
                                                   request.WhyLength, request.Now, out devices));
            return devices;
        }
        /// <summary>The same; progress is told how many bytes are taken in, of how many. What it throws is thrown when they all are.</summary>
        public ulong Import(byte[] bytes, Request request, Action<ulong, ulong> progress) {
            ulong devices;
            NotNull(request, nameof(request));
            var called = new Called();
            Progress tell = called.Progress(progress);
            Library.Check(Native.laps_vault_import_watched(this, bytes, Text.Length(bytes), request.Who, request.WhoLength, request.Why,
                                                           request.WhyLength, request.Now, tell, IntPtr.Zero, out devices));
            GC.KeepAlive(tell);
            called.Again();
            return devices;
        }
    }
#endif
}
