// The agent of agent.c in C#, with ../csharp/Laps.cs. The arguments and the exit status are the same.
//
//   csc agent.cs Laps.cs, or: mcs agent.cs Laps.cs
using System;
using System.Collections.Generic;
using System.IO;
using Laps;

static class Program {
    /// <summary>An account store of your own: the "account" is a file that holds the password, for trying an agent out.</summary>
    static AccountCalls FileStore(string path) => new AccountCalls {
        Find = (name, accounts) => {
            accounts.Add(name, null, true);
            return Account.Present;
        },
        Set = (account, password) => {
            var text = new byte[129];
            try {
                int length = password.CopyUtf8(text);
                // No buffer of the stream's own: a copy in it would not be wiped.
                using (var file = new FileStream(path + ".new", FileMode.Create, FileAccess.Write, FileShare.None, 1))
                    file.Write(text, 0, length);
            } finally {
                Array.Clear(text, 0, text.Length);
            }
            // In one step, so that an agent that is killed leaves the old one or the new one.
            if (File.Exists(path)) File.Replace(path + ".new", path, null);
            else File.Move(path + ".new", path);
            return Applied.Success;
        },
        Verify = (account, password) => {
            byte[] text = File.ReadAllBytes(path);
            try {
                using (Password held = Password.FromUtf8(text))
                    return password.SameAs(held) ? Verified.Match : Verified.Mismatch;
            } finally {
                Array.Clear(text, 0, text.Length);
            }
        },
    };

    static int Run(IReadOnlyList<string> arguments, bool stay) {
        string device = arguments[2], store = arguments[3];
        using (Reader reader = Reader.Parse(File.ReadAllText(arguments[4])))
        using (Vault vault = Vault.Open(arguments[5], ""))
        using (var options = new AgentOptions(device, arguments[1])) {
            options.AddPolicyFile(arguments[0]);
            options.SetReaders(new[] { reader });
            if (store.StartsWith("file:", StringComparison.Ordinal)) options.SetStore(FileStore(store.Substring(5)));
            else options.SetStore(store);
            // Your transport goes here; it authenticates the device.
            options.SetChannel(checkIn => vault.CheckIn(device, checkIn, (ulong)DateTimeOffset.UtcNow.ToUnixTimeSeconds()));
            options.SetOnEvent(told => Console.WriteLine(told.Json));
            using (var agent = new Agent(options)) {
                Console.CancelKeyPress += (sender, pressed) => {
                    pressed.Cancel = true;
                    agent.Stop();
                };
                if (stay) {
                    agent.Run(3600);
                    return 0;
                }
                switch (agent.RunOnce()) {
                    case Outcome.Committed:
                    case Outcome.NothingDue: return 0;
                    case Outcome.AccountMissing: return 4;
                    case Outcome.Unreachable: return 7;
                    default: return 8;
                }
            }
        }
    }

    static int Main(string[] words) {
        var arguments = new List<string>(words);
        bool stay = arguments.Count > 0 && arguments[0] == "--stay";
        if (stay) arguments.RemoveAt(0);
        if (arguments.Count != 6) {
            Console.Error.WriteLine("usage: agent [--stay] POLICY STATE DEVICE STORE READER VAULT");
            return 2;
        }
        try {
            return Run(arguments, stay);
        } catch (LapsException error) {
            Console.Error.WriteLine("agent: {0}", error.Message);
            return error.Status == Status.PolicyRefused ? 3 : error.Status == Status.Busy ? 7 : 1;
        } catch (IOException error) {
            Console.Error.WriteLine("agent: {0}", error.Message);
            return 1;
        }
    }
}
