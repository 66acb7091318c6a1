// The device agent of rotation.c in C#, with ../csharp/Laps.cs.
//
//   rotation [--stay] POLICY STATE DEVICE ACCOUNT READER VAULT [FILE]
//
//   csc rotation.cs Laps.cs, or: mcs rotation.cs Laps.cs
//
// The arguments and the exit status are those of rotation.c, and so is what a product adds.
using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using Laps;

/// <summary>Files that survive a crash, and a lock.</summary>
static class Files {
    internal static readonly bool Windows = Environment.OSVersion.Platform == PlatformID.Win32NT;

    [DllImport("kernel32", CharSet = CharSet.Unicode, SetLastError = true)]
    static extern bool MoveFileExW(string from, string to, uint flags);
    const uint ReplaceExisting = 1, WriteThrough = 8;

    [DllImport("libc", SetLastError = true)] static extern int rename(string from, string to);
    [DllImport("libc", SetLastError = true)] static extern int open(string path, int flags);
    [DllImport("libc", SetLastError = true)] static extern int fsync(int file);
    [DllImport("libc", SetLastError = true)] static extern int close(int file);
    [DllImport("libc", SetLastError = true)] static extern uint umask(uint mask);

    /// <summary>What is written from now on is for this user alone. On Windows the folder's permissions say so.</summary>
    internal static void ForThisUserOnly() {
        if (!Windows) umask(0x3f); // 077
    }

    /// <summary>Durable, or as it was before: a temporary file, synced, renamed over the old one, the folder synced.</summary>
    internal static bool Write(string path, byte[] bytes, int length) {
        string temporary = path + ".new";
        try {
            // No buffer of the stream's own: a copy in it would not be wiped.
            using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1)) {
                file.Write(bytes, 0, length);
                file.Flush(true);
            }
        } catch (IOException) {
            return false;
        } catch (UnauthorizedAccessException) {
            return false;
        }
        if (Windows) return MoveFileExW(temporary, path, ReplaceExisting | WriteThrough);
        if (rename(temporary, path) != 0) return false;
        int folder = open(Path.GetDirectoryName(Path.GetFullPath(path)), 0);
        bool good = folder >= 0 && fsync(folder) == 0;
        if (folder >= 0) close(folder);
        return good;
    }

    /// <summary>One agent at a time: held until the process ends. Null when it does not come free within a minute. (Windows and
    /// .NET hold others off; Mono on Linux does not.)</summary>
    internal static FileStream Lock(string state) {
        for (int tries = 0; tries < 60; tries++) {
            try {
                return new FileStream(state + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            } catch (IOException) {
                Thread.Sleep(1000);
            }
        }
        return null;
    }
}

/// <summary>The account whose password is managed: one of this machine, or a file.</summary>
sealed class ManagedAccount : IDisposable {
    readonly string name, file;
    readonly AccountStore store;

    internal ManagedAccount(string name, string file, string lockPath) {
        this.name = name;
        this.file = file;
        if (file == null) store = new AccountStore(Files.Windows ? "windows" : "linux", lockPath);
    }
    public void Dispose() => store?.Dispose();

    internal string Sid => store?.Sid;
    internal bool CanBeAsked => store == null || store.Can(Ability.Verify);

    internal Account LookUp() {
        if (store == null) return Account.Present;
        Account seen = store.Find(name);
        Tell(seen == Account.Present);
        return seen;
    }

    /// <summary>Null where there is none, or it cannot be read.</summary>
    internal byte[] ChangeStamp() {
        try {
            return store?.ChangeStamp();
        } catch (LapsException error) {
            Console.Error.WriteLine("rotation: {0}", error.Message);
            return null;
        }
    }

    internal Acted Act(RotationAction action) => store == null ? Acted.NotSupported : store.Act(action);

    /// <summary>What is not certainly a success is a failure.</summary>
    internal Applied Set(Secret secret) {
        if (file != null) return WriteFile(secret) ? Applied.Success : Applied.Failed;
        using (Password password = Password.FromChars(secret.Chars, secret.Length)) {
            Applied applied = store.Set(password);
            Tell(applied == Applied.Success);
            return applied;
        }
    }

    internal Verified Ask(Secret secret) {
        if (file != null) return ReadFile(secret);
        using (Password password = Password.FromChars(secret.Chars, secret.Length)) return store.Verify(password);
    }

    void Tell(bool good) {
        if (!good) Console.Error.WriteLine("rotation: {0}", store.Reason);
    }

    bool WriteFile(Secret secret) {
        using (Password password = Password.FromChars(secret.Chars, secret.Length)) {
            var bytes = new byte[129];
            GCHandle pin = GCHandle.Alloc(bytes, GCHandleType.Pinned);
            try {
                return Files.Write(file, bytes, password.CopyUtf8(bytes));
            } finally {
                Array.Clear(bytes, 0, bytes.Length);
                pin.Free();
            }
        }
    }

    Verified ReadFile(Secret secret) {
        byte[] bytes;
        try {
            bytes = File.ReadAllBytes(file);
        } catch (IOException) {
            return Verified.Unavailable;
        }
        try {
            using (Password held = Password.FromUtf8(bytes))
            using (Password password = Password.FromChars(secret.Chars, secret.Length))
                return held.SameAs(password) ? Verified.Match : Verified.Mismatch;
        } catch (LapsException) {
            return Verified.Mismatch; // what is there is no password of ours
        } finally {
            Array.Clear(bytes, 0, bytes.Length);
        }
    }
}

/// <summary>Does what a rotation wishes.</summary>
sealed class Agent : IDisposable {
    readonly string policyPath, statePath, device, accountName;
    readonly ManagedAccount account;
    readonly Reader reader;
    readonly Vault vault;
    readonly Generator generator = new Generator();
    Policy policy;
    Recipe recipe;
    Config config;
    Rotation rotation;
    bool changed;

    internal Agent(string[] arguments) {
        policyPath = arguments[0];
        statePath = arguments[1];
        device = arguments[2];
        accountName = arguments[3];
        reader = Reader.Parse(File.ReadAllText(arguments[4]));
        vault = Vault.Open(arguments[5], null);
        account = new ManagedAccount(accountName, arguments.Length > 6 ? arguments[6] : null, statePath + ".setter");
        account.LookUp();
    }

    public void Dispose() {
        foreach (IDisposable owned in new IDisposable[] { rotation, config, recipe, policy, account, generator, vault, reader }) owned?.Dispose();
    }

    internal bool IsDue => rotation.IsDue;

    /// <summary>The policy of the file, or the last one that was accepted. False when there is neither.</summary>
    internal bool LoadPolicy() {
        byte[] document;
        changed = false;
        string kept = statePath + ".policy";
        if (TakePolicy(policyPath, out document)) {
            if (changed && !Files.Write(kept, document, document.Length)) Console.Error.WriteLine("rotation: {0} cannot be written", kept);
            return true;
        }
        return policy != null || TakePolicy(kept, out document);
    }

    bool TakePolicy(string path, out byte[] document) {
        Policy read = null;
        document = null;
        try {
            document = File.ReadAllBytes(path);
            read = Policy.Read(document);
            Recipe asked = read.Recipe();
            var configured = new Config(read, device, accountName);
            configured.SetCanVerify(account.CanBeAsked);
            if (!string.IsNullOrEmpty(account.Sid)) configured.SetSid(account.Sid);
            changed = policy == null || Convert.ToBase64String(policy.Hash()) != Convert.ToBase64String(read.Hash());
            foreach (IDisposable old in new IDisposable[] { policy, recipe, config }) old?.Dispose();
            policy = read;
            recipe = asked;
            config = configured;
            return true;
        } catch (Exception error) when (error is LapsException || error is IOException) { // refused: told, and nothing changes
            read?.Dispose();
            Console.Error.WriteLine("rotation: {0}: {1}", path, error.Message);
            return false;
        }
    }

    /// <summary>The rotation as it was written last; from nothing only where no state was ever written, or it is damaged.</summary>
    internal void Start(bool stay) {
        byte[] state = null;
        try {
            state = File.ReadAllBytes(statePath);
        } catch (FileNotFoundException) { } // any other failure ends the agent: File.Exists would take it for "no state"
        if (state != null) {
            try {
                rotation = Rotation.Resume(config, state, account.ChangeStamp(), Clock.Now());
            } catch (LapsException error) when (error.Status == Status.JournalMalformed) {
                Console.Error.WriteLine("rotation: {0}: {1}", statePath, error.Message);
            }
        }
        if (rotation == null) rotation = Rotation.Start(config, Clock.Now());
        if (!stay) rotation.SkipBackOff(Clock.Now());
    }

    /// <summary>Does what is wished until there is only waiting left; until when.</summary>
    internal ulong Run() {
        for (;;) {
            ShowEvents();
            Wish wish = rotation.Poll();
            switch (wish.Kind) {
                case RotationWish.Save: Save(); break;
                case RotationWish.LookUp: // these readers never change
                    Account seen = account.LookUp();
                    rotation.HandleAccount(seen, seen == Account.Present ? account.ChangeStamp() : null, Clock.Now());
                    rotation.HandleReaders(new[] { reader }, Clock.Now());
                    break;
                case RotationWish.CheckIn: CheckIn(); break;
                case RotationWish.Prepare: Prepare(); break;
                case RotationWish.ReadStamp: Stamp(); break;
                case RotationWish.Apply:
                    using (Secret password = rotation.ExposePassword())
                        rotation.HandleApplied(account.Set(password), generator, Clock.Now());
                    break;
                case RotationWish.Verify:
                    using (Secret password = rotation.ExposePassword())
                        rotation.HandleVerified(account.Ask(password), generator, Clock.Now());
                    break;
                case RotationWish.Act: rotation.HandleActed(account.Act((RotationAction)wish.Value), Clock.Now()); break;
                default: return wish.Value;
            }
        }
    }

    /// <summary>Waits, looks at the policy every minute, and goes on.</summary>
    internal void Wait(ulong until) {
        ulong now = Clock.Now();
        Thread.Sleep(TimeSpan.FromSeconds(until <= now ? 0 : Math.Min(until - now, 60)));
        if (LoadPolicy() && changed) rotation.HandleConfig(config, Clock.Now());
        rotation.HandleTimeout(Clock.Now());
    }

    void ShowEvents() {
        for (Event next = rotation.PollEvent(); next != null; next = rotation.PollEvent())
            using (next)
                Console.WriteLine("{{\"time\":{0},\"name\":\"{1}\",\"id\":{2},\"version\":{3},\"reason\":\"{4}\"}}", next.At, next.Name,
                                  next.Id, next.Version, next.Reason);
    }

    void Save() {
        byte[] state = rotation.State();
        if (Files.Write(statePath, state, state.Length))
            rotation.HandleSaved();
        else
            rotation.HandleSaveFailed(generator, Clock.Now());
    }

    /// <summary>Your transport goes where the vault is asked; it authenticates the device.</summary>
    void CheckIn() {
        byte[] message = rotation.CheckIn(generator);
        try {
            rotation.HandleAnswer(vault.CheckIn(device, message, Clock.Now()), generator, Clock.Now());
        } catch (LapsException error) {
            Console.Error.WriteLine("rotation: {0}", error.Message);
            rotation.HandleCheckInFailed(generator, Clock.Now());
        }
    }

    void Prepare() {
        try {
            rotation.Prepare(generator, recipe, new[] { reader }, account.ChangeStamp(), Clock.Now());
        } catch (LapsException error) { // the rotation knows, and waits
            Console.Error.WriteLine("rotation: {0}", error.Message);
        }
    }

    void Stamp() {
        try {
            rotation.HandleStamp(account.ChangeStamp(), Clock.Now());
        } catch (LapsException error) when (error.Status == Status.UnexpectedEvent) {
            // The device slept: the password's time is over, and the next wish says how it goes on.
        }
    }

    static int Main(string[] arguments) {
        bool stay = arguments.Length > 0 && arguments[0] == "--stay";
        if (stay) {
            var rest = new string[arguments.Length - 1];
            Array.Copy(arguments, 1, rest, 0, rest.Length);
            arguments = rest;
        }
        if (arguments.Length < 6 || arguments.Length > 7) {
            Console.Error.WriteLine("usage: rotation [--stay] POLICY STATE DEVICE ACCOUNT READER VAULT [FILE]");
            return 2;
        }
        Files.ForThisUserOnly();
        FileStream held = Files.Lock(arguments[1]);
        if (held == null) {
            Console.Error.WriteLine("rotation: another agent has {0}", arguments[1]);
            return 7;
        }
        try {
            using (held)
            using (var agent = new Agent(arguments)) {
                if (!agent.LoadPolicy()) return 3;
                agent.Start(stay);
                ulong until = agent.Run();
                while (stay) {
                    agent.Wait(until);
                    until = agent.Run();
                }
                return agent.IsDue ? 8 : 0;
            }
        } catch (Exception error) when (error is LapsException || error is IOException) {
            Console.Error.WriteLine("rotation: {0}", error.Message);
            return 1;
        }
    }
}
