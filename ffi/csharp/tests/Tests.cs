// The tests of Laps.cs: exit status 0 and one line when everything holds.
using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using Laps;

static partial class Tests {
    const ulong Now = 1700000000;
    // The line of the authority that the vector's head names.
    static string Authority;
    static int checks;

    static void Check(bool holds, string what) {
        checks++;
        if (!holds) throw new Exception("does not hold: " + what);
    }

    static void Throws<T>(Action action, string words = "", Status status = 0) where T : Exception {
        checks++;
        try {
            action();
        } catch (T error) {
            var laps = error as LapsException;
            if (!error.Message.Contains(words) || (status != 0 && (laps == null || laps.Status != status)))
                throw new Exception("another error: " + error);
            return;
        }
        throw new Exception("nothing was thrown: " + words);
    }

    static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);
    static Policy Managed() => Policy.Read(Json("{\"BackupDirectory\":1,\"AdministratorAccountName\":\"Admin\",\"PasswordLength\":24}"));

    static void TheLibraryIsThatOfTheHeader() {
        Check(Library.VersionNumber != 0 && Library.Version.Split('.').Length == 3, "a version");
        Check(Library.Build == "full" || Library.Build == "agent", "a build");
        foreach (Status status in Enum.GetValues(typeof(Status)))
            Check(Library.Message(status) != "unknown status", "every status has its words: " + status);
    }

    static void PolicyAndFindings() {
        using (Policy policy = Managed()) {
            Check(policy.BackupDirectory == 1 && policy.PasswordLength == 24 && policy.AdministratorAccountName == "Admin", "values");
            Check(policy.Value("PasswordAgeDays") == policy.PasswordAgeDays.ToString(), "a value by its name");
            Check(policy.PasswordComplexity == 4 && policy.PassphraseLength == 6, "defaults");
            Check(policy.PostAuthenticationActions == 3 && policy.PostAuthenticationResetDelayMinutes == 1440, "actions");
            using (Policy none = Policy.Default())
                Check(none.BackupDirectory == 0 && Convert.ToBase64String(none.Hash()) != Convert.ToBase64String(policy.Hash()), "hashes");
            Throws<LapsException>(() => policy.Value("Nonsense"), "Nonsense", Status.InvalidArgument);
        }
        Throws<LapsException>(() => Policy.Read(Json("{\"BackupDirectory\":1,\"PasswordLength\":7}")), "8 to 64", Status.PolicyRefused);
        Throws<LapsException>(() => Policy.Read(null), "", Status.PolicyMalformed);
        Check(Policy.Schema().Contains("PasswordComplexity"), "a schema");
        using (var evaluation = new Evaluation())
        using (var later = new Evaluation()) {
            evaluation.Add(Json("{\"BackupDirectory\":1,\"PasswordComplexity\":1,\"PasswordLength\":8}"), "weak.json");
            Finding[] findings = evaluation.Findings();
            Check(Array.Exists(findings, f => f.Level == Level.Warning && f.Message.Length > 0 && f.Setting.Length > 0), "a warning");
            using (Policy policy = evaluation.Policy()) Check(policy.PasswordLength == 8, "the policy in force");
            later.Add(evaluation.Export("reg"), "again.reg");
            Check(evaluation.ChangesTo(later).Contains("PolicySource") && later.ChangesTo(evaluation).Contains("\"csp\""), "changes");
            Check(Encoding.UTF8.GetString(evaluation.ExportCsp("delete")).Contains("<Delete>"), "SyncML");
            Check(!evaluation.ResetsPassword, "no Exec");
            later.Add(Policy.ResetPassword(), "exec.xml");
            Check(later.ResetsPassword, "an Exec");
            Throws<LapsException>(() => Policy.ReadResetStatus(Policy.ResetStatus()), "", Status.NotFound);
        }
    }

    static void TextGoesBothWaysInUtf16() {
        char[] text = "pässwört \U0001F511 ключ".ToCharArray();
        using (Password password = Password.FromChars(text, text.Length))
        using (Password same = Password.FromUtf8(Encoding.UTF8.GetBytes(text)))
        using (Secret secret = password.Expose()) {
            Check(password.SameAs(same) && password.Length == text.Length && password.Utf8Length == Encoding.UTF8.GetByteCount(text), "lengths");
            Check(secret.Length == text.Length && secret.Reveal() == new string(text), "the same text");
            Check(secret.Chars[text.Length] == '\0' && secret.ToString() == "Secret", "a NUL behind, and nothing shown");
            var bytes = new byte[200];
            Check(Encoding.UTF8.GetString(bytes, 0, password.CopyUtf8(bytes)) == new string(text), "UTF-8");
            var chars = new char[200];
            Check(new string(chars, 0, password.CopyUtf16(chars)) == new string(text), "UTF-16");
            Throws<LapsException>(() => password.CopyUtf8(new byte[3]), "", Status.BufferTooSmall);
        }
        Throws<LapsException>(() => Password.FromChars(new[] { '\ud83d' }, 1), "surrogate", Status.InvalidUtf8);
        Throws<LapsException>(() => Password.FromChars(new char[129], 129), "128", Status.InvalidArgument);
        using (Password empty = Password.FromChars(new char[0], 0)) Check(empty.Length == 0, "an empty password");
    }

    static void RecipesGenerateAndCheck() {
        using (var generator = new Generator())
        using (Recipe recipe = Recipe.Characters(4, 14))
        using (Recipe words = Recipe.Passphrase(6, 3))
        using (Recipe own = Recipe.Read(Json("{\"length\":12,\"groups\":[{\"chars\":\"abcdef\",\"min\":2}]}"))) {
            generator.Reseed();
            Check(recipe.BitsMicro == 88207138 && recipe.Admissible == "357268275568693564843622400", "exact strength");
            Check(recipe.MinLength == 14 && recipe.MaxLength == 14 && words.MaxLength > 20, "lengths");
            using (Password password = generator.Password(recipe))
            using (Secret secret = password.Expose())
                Check(recipe.Check(secret.Chars, secret.Length).Length == 0 && own.Check(secret.Chars, secret.Length).Length > 0, "checked");
            Secret[] many = generator.Passwords(own, 100);
            foreach (Secret secret in many)
                using (secret) Check(secret.Length == 12 && own.Check(secret.Chars, 12).Length == 0, "in bulk");
            Check(generator.Passwords(own, 0).Length == 0, "none");
        }
        Violation[] said = WindowsPolicy.Check(14, true, "anna", "Anna Berg", "Anna-1".ToCharArray(), 6);
        Check(Array.Exists(said, v => v.Rule == "min_length") && Array.Exists(said, v => v.Rule == "user_name"), "what Windows would say");
        Throws<LapsException>(() => Recipe.Characters(9, 14), "1 to 8", Status.RecipeInvalid);
        Throws<LapsException>(() => Recipe.Read(Json("{\"length\":4,\"groups\":[{\"chars\":\"ab\",\"min\":5}]}")), "", Status.RecipeInfeasible);
    }

    static void AnAccountIsChosen() {
        using (Policy builtIn = Policy.Read(Json("{\"BackupDirectory\":1}")))
        using (Policy named = Managed())
        using (var accounts = new Accounts())
        using (var generator = new Generator()) {
            accounts.Add("Guest", "S-1-5-21-1-2-3-501", false);
            accounts.Add("Verwalter", "S-1-5-21-1-2-3-500", true);
            accounts.Add("admin", null, true);
            Check(accounts.Choose(builtIn) == 1 && accounts.Choose(named) == 2, "the managed account");
            Check(accounts.AutomaticName(builtIn, generator).StartsWith("WLapsAdmin"), "an automatic name");
            Throws<LapsException>(() => accounts.Add("x", "S-nonsense", true), "", Status.SidMalformed);
        }
    }

    static void AnAgentCallsWhatItIsGivenAndLetsNothingThrough() {
        int exchanges = 0, told = 0, found = 0;
        bool hasEvents = true, lost = false;
        Agent agent;
        using (Reader reader = Reader.Parse("laps-reader-1 x25519 db0208f198fe94bd8e39761bd1847a0c6d73ad4d5fdd61f5ae734187e5f4b97a " +
                                            "VGq2/gUzZm9Ct/mrkzw2geXPvKLBSKW+2zfJM/HJhDQ= helpdesk"))
        using (var options = new AgentOptions("pc-17", "csharp.state")) {
            options.AddPolicy(Json("{\"BackupDirectory\":1,\"AdministratorAccountName\":\"Admin\"}"), "a test");
            options.SetReaders(new[] { reader });
            options.SetTimeouts(0, 5, 0);
            options.SetStore(new AccountCalls {
                Find = (name, accounts) => {
                    found++;
                    if (lost) throw new InvalidOperationException("mine");
                    accounts.Add(name, null, true);
                    return Account.Present;
                },
                Set = (account, password) => { throw new InvalidOperationException("mine"); },
            });
            options.SetChannel(checkIn => {
                if (++exchanges % 2 != 0) throw new InvalidOperationException("mine");
                return Json("no answer");
            });
            options.SetOnEvent(happened => {
                told++;
                hasEvents &= happened.Json.Contains("\"device\":\"pc-17\"") && happened.Name.Length > 0;
                throw new InvalidOperationException("mine");
            });
            Throws<LapsException>(() => options.SetStore("no store"), "no store", Status.InvalidArgument);
            agent = new Agent(options);
        }
        GC.Collect();
        GC.WaitForPendingFinalizers(); // the functions outlive the options
        using (agent) {
            Check(agent.RunOnce() == Outcome.Unreachable && exchanges > 0 && told > 0 && found > 0 && hasEvents, "the agent's functions");
            lost = true;
            Throws<LapsException>(() => agent.CheckIn(), "", Status.AccountFailed);
            agent.Stop();
            agent.Run(3600);
        }
        Check(Agent.StatusOf("csharp.state").Contains("\"device\":\"pc-17\""), "the status of a state folder");
    }

    static void AProgramIsAnAccountStore() {
        const string Knows = "command:sh -c 'case $0 in exists) exit 0 ;; set) cat > csharp.account ;; verify) [ $(cat) = $(cat csharp.account) ] || exit 13 ;; " +
                             "used-since) echo 2023-11-14T22:13:20Z ;; sign-out) ;; *) exit 11 ;; esac'";
        using (var store = new AccountStore(Knows, "csharp.setter"))
        using (Password first = Password.FromUtf8(Encoding.UTF8.GetBytes("correct-horse")))
        using (Password second = Password.FromUtf8(Encoding.UTF8.GetBytes("battery-staple"))) {
            Check(store.Can(Ability.Verify) && !store.Can(Ability.ChangeStamp) && store.AccountName == null, "what it can");
            Throws<LapsException>(() => store.Set(first), "laps_account_store_find", Status.UnexpectedEvent);
            Check(store.Find("Admin") == Account.Present && store.AccountName == "Admin" && store.Sid == "", "an account");
            Check(store.Set(first) == Applied.Success && store.Reason == "", "set");
            Check(store.Verify(first) == Verified.Match && store.Verify(second) == Verified.Mismatch && store.CanVerify(second), "verified");
            Check(store.ChangeStamp() == null && store.UsedSince(Now) == Now && store.UsedSince(Now + 1) == 0, "stamp and use");
            Check(store.Act(RotationAction.SignOut) == Acted.Done && store.Act(RotationAction.Restart) == Acted.NotSupported, "actions");
            Check(store.Reason != "", "why not");
        }
        Throws<LapsException>(() => new AccountStore("ldap", "csharp.setter"), "ldap", Status.InvalidArgument);
    }

    static void AReaderSetIsVerified(string vector) {
        string signed = vector.Substring(vector.IndexOf("laps-reader-set-1", StringComparison.Ordinal));
        string line = signed.Split('\n')[4]; // behind format, scope, version and authority
        byte[] text = Json(signed);
        using (Signer authority = Signer.Parse(Authority))
        using (ReaderSet set = ReaderSet.Verify(text, authority, "contoso", null))
        using (Reader first = set.Reader(0)) {
            Check(authority.Text == Authority && set.Version == 2 && set.Count == 2 && first.Text == line, "a signed set");
            Check(first.Suite == Suite.X25519 && first.Id().Length == 32 && line.EndsWith(" " + first.Name), "its reader");
            using (ReaderSet again = ReaderSet.Verify(text, authority, "contoso", set.Head())) Check(again.Count == 2, "the same again");
            byte[] newer = set.Head();
            newer[7]++;
            Throws<LapsException>(() => ReaderSet.Verify(text, authority, "contoso", newer), "older", Status.ReaderSetRefused);
            Throws<ArgumentException>(() => ReaderSet.Verify(text, authority, "contoso", new byte[39]), "40");
            Throws<LapsException>(() => set.Reader(2), "", Status.InvalidArgument);
        }
    }

#if !LAPS_AGENT
    static void ARotationGoesItsWay() {
        foreach (string end in new[] { "", "-wal", "-shm" }) File.Delete("csharp.vault" + end);
        using (var generator = new Generator())
        using (var key = new ReaderKey(generator, Suite.X25519, "help desk"))
        using (Reader reader = key.Reader())
        using (Vault vault = Vault.Init("csharp.vault", null, new[] { reader }, "setup", Now))
        using (Policy policy = Managed())
        using (Recipe recipe = policy.Recipe())
        using (var config = new Config(policy, "pc-17", "Admin")) {
            config.SetSid("S-1-5-21-1-2-3-500");
            config.SetCanVerify(true);
            config.SetCheckInSeconds(3600);
            config.SetPlaintextSeconds(900);
            Throws<LapsException>(() => config.SetPlaintextSeconds(1), "", Status.InvalidArgument);
            var names = new List<string>();
            byte[] state = null;
            Password held = null;
            using (Rotation rotation = Rotation.Start(config, Now)) {
                Check(rotation.ExposePassword() == null && rotation.Account == "Admin", "no password yet");
                for (Wish wish = rotation.Poll(); wish.Kind != RotationWish.Wait; wish = rotation.Poll()) {
                    switch (wish.Kind) {
                        case RotationWish.Save: state = rotation.State(); rotation.HandleSaved(); break;
                        case RotationWish.CheckIn:
                            rotation.HandleAnswer(vault.CheckIn("pc-17", rotation.CheckIn(generator), Now), generator, Now);
                            break;
                        case RotationWish.Prepare: rotation.Prepare(generator, recipe, new[] { reader }, null, Now); break;
                        case RotationWish.LookUp:
                            rotation.HandleAccount(Account.Present, null, Now);
                            rotation.HandleReaders(new[] { reader }, Now);
                            break;
                        case RotationWish.ReadStamp: rotation.HandleStamp(null, Now); break;
                        case RotationWish.Apply:
                            using (Secret secret = rotation.ExposePassword()) held = Password.FromChars(secret.Chars, secret.Length);
                            rotation.HandleApplied(Applied.Success, generator, Now);
                            break;
                        case RotationWish.Verify: rotation.HandleVerified(Verified.Match, generator, Now); break;
                        case RotationWish.Act: rotation.HandleActed(Acted.NotSupported, Now); break;
                        default: throw new Exception("an unknown wish");
                    }
                }
                for (Event next = rotation.PollEvent(); next != null; next = rotation.PollEvent())
                    using (next) {
                        names.Add(next.Name);
                        if (next.Name == "committed") Check(next.Id == 10029 && next.Record().Length == 16 && next.At == Now, "its event");
                    }
                Check(names.Contains("committed") && rotation.Version > 0 && !rotation.IsDue && rotation.Due > Now, "committed");
                Check(rotation.Step == RotationState.Settled && rotation.ExposePassword() == null, "settled, and wiped");
                Throws<LapsException>(() => rotation.HandleApplied(Applied.Success, generator, Now), "", Status.UnexpectedEvent);
                rotation.HandleUsed(Now, Now);
                rotation.HandleTimeout(Now + 1);
                rotation.Force(Now + 1);
                rotation.SkipBackOff(Now + 1);
                Check(rotation.UsedSince <= Now + 1, "uses");
            }
            using (Rotation again = Rotation.Resume(config, state, null, Now)) Check(again.Version > 0, "resumed");
            Throws<LapsException>(() => Rotation.Resume(config, new byte[4], null, Now), "", Status.JournalMalformed);
            Throws<ArgumentException>(() => Rotation.Resume(config, state, new byte[31], Now), "32");
            using (Disclosure disclosure = vault.Disclose("pc-17", false, 0, Anna))
            using (Record record = disclosure.Record(0))
            using (Opened opened = key.Open(record)) {
                Check(disclosure.Count == 1 && disclosure.State(0) == Candidate.Current && opened.Password.SameAs(held), "a reader has the password");
                Check(vault.AuditVerify(disclosure.Head) >= disclosure.Entry, "the trail");
                Check(record.Sid == "S-1-5-21-1-2-3-500" && record.Device == "pc-17" && record.Account == "Admin" && record.Scope == "", "its words");
            }
            vault.OrderRotation("pc-17", Anna);
            TheVaultTells(vault, key, generator);
            using (var foreign = new Foreign())
                Throws<LapsException>(() => vault.Adoptable("pc-17", foreign), "agent", Status.AlreadyExists);
            using (Vault open = Vault.Open("csharp.vault", null)) Check(open.AuditVerify(null) > 0, "opened again");
            held.Dispose();
        }
    }

    static readonly Request Anna = new Request("anna", "ticket 4711", Now);

    static void TheVaultTells(Vault vault, ReaderKey key, Generator generator) {
        using (Metadata metadata = vault.Metadata()) {
            using (Rows list = metadata.List(null, 10)) {
                Check(list.Count == 1 && list.Text(0, Field.Device) == "pc-17" && list.Next == null, "a list");
                Check(list.Number(0, Field.Ordered) == 1 && list.Number(0, Field.Version) > 0 && list.Bytes(0) == null, "its fields");
                Check(list.Text(1, Field.Device) == null && list.Number(1, Field.Version) == 0, "no such row");
            }
            using (Rows show = metadata.Show("pc-17")) Check(show.Text(0, Field.Account) == "Admin", "one device");
            using (Rows history = metadata.History("pc-17")) Check(history.Text(0, Field.Record).Length == 32, "its records");
            using (Rows due = metadata.Due(Now + 4000000, null, 10)) Check(due.Count == 1, "what is due");
            Check(metadata.Stats(Now).Devices == 1, "figures");
            Throws<LapsException>(() => metadata.Show("pc-99"), "", Status.NotFound);
        }
        ulong devices = vault.OrderAll(Anna) + vault.OrderOverdue(Anna) + vault.OrderRevealedBy("anna", 0, Anna);
        Check(devices == 0, "it has an order already");
        using (var second = new ReaderKey(generator, Suite.X25519, "second"))
        using (Reader reader = second.Reader()) {
            vault.AddReader(reader, Anna);
            using (Reader own = key.Reader())
            using (Rows page = vault.Resealing(null, 10, Anna)) {
                Check(page.Count == 1 && page.Text(0, Field.Device) == "pc-17" && page.Next == null, "a page to seal again");
                using (Record handedOut = Record.Parse(page.Bytes(0)))
                // Taken back is what is sealed to exactly the readers of now, and nothing that was handed out.
                using (Record sealedAgain = key.Reseal(handedOut, new[] { own, reader }, generator))
                using (Resealed taken = vault.TakeResealed(new[] { handedOut, sealedAgain }, Anna))
                    Check(taken.Replaced == 1 && taken.Failed.Count == 1 && taken.Failed.Text(0, Field.Device) == "pc-17", "taken back");
                Throws<ArgumentNullException>(() => vault.TakeResealed(null, Anna), "resealed");
            }
            using (Resealed resealed = vault.Reseal(key, Anna))
                Check(resealed.Replaced == 0 && resealed.NotOurs == 0 && resealed.Failed.Count == 0, "all are sealed again");
            using (Disclosure disclosure = vault.Disclose("pc-17", true, 0, Anna))
            using (Record record = disclosure.Record(0))
            using (Opened opened = second.Open(record)) {
                Check(opened.Password.Length == 24 && record.Sealing == 1 && record.Suite == Suite.X25519 && !record.IsSigned, "the second opens it");
                Check(record.PolicyHash().Length == 32, "a hash");
                using (Signer signer = Signer.Parse(Authority))
                    Throws<LapsException>(() => record.VerifySignature(signer), "", Status.Rejected);
                using (Rows damaged = disclosure.Damaged()) Check(damaged.Count == 0 && disclosure.Updated(0) >= Now, "nothing is damaged");
                vault.RecordOutcome(disclosure.Entry, true, Anna);
            }
            using (Rows readers = vault.Readers()) Check(readers.Count == 2, "two readers");
            Check(vault.RemoveReader(reader.Id(), false, 0, false, Anna) == 0, "removed");
            Throws<ArgumentException>(() => vault.RemoveReader(new byte[31], false, 0, false, Anna), "32");
            Check(vault.OrderReadable(reader.Id(), 0, Anna) == 0, "it has an order already");
            Throws<ArgumentException>(() => vault.OrderReadable(new byte[33], 0, Anna), "32");
            using (Vault tenant = Vault.Open("csharp.vault", "tenant")) {
                tenant.Initialise(new[] { reader }, Anna);
                Throws<LapsException>(() => tenant.Initialise(new[] { reader }, Anna), "", Status.AlreadyExists);
            }
        }
        using (var checkIns = new CheckIns()) {
            checkIns.Add("pc-17", new byte[] { 1, 2, 3 });
            checkIns.Add("pc-18", null);
            using (Rows answers = vault.CheckInMany(checkIns, Now)) {
                Check(checkIns.Count == 2 && answers.Count == 2, "an answer for each");
                Check(answers.Number(1, Field.Status) == (ulong)Status.MessageMalformed && answers.Bytes(1) == null, "refused");
                Check(answers.Text(0, Field.Device) == "pc-17" && answers.Text(0, Field.Why) != null, "and why");
            }
            Throws<ArgumentNullException>(() => vault.CheckInMany(null, Now), "checkIns");
        }
        vault.SetHistory(5, 30, Anna);
        uint records, days;
        vault.History(out records, out days);
        Check(records == 5 && days == 30, "how much history");
        vault.Retire("pc-17", Anna);
        vault.ReEnrol("pc-17", Anna);
        Throws<LapsException>(() => vault.Purge("pc-17", false, Anna), "", Status.ConfirmationRequired);
        Throws<LapsException>(() => vault.RemoveRecord("pc-17", new byte[16], true, Anna), "", Status.NotFound);
        using (ObservedRows first = vault.Observed()) Check(first.Missed == 0 && first.Rows.Count == 0, "nobody asked before");
        Throws<LapsException>(() => vault.Disclose("pc-99", false, 0, Anna), "", Status.NotFound);
        using (vault.Disclose("pc-17", false, 0, Anna))
        using (ObservedRows seen = vault.Observed()) {
            Rows rows = seen.Rows;
            Check(seen.Missed == 0 && rows.Count == 2, "what happened");
            Check(rows.Number(0, Field.Kind) == (ulong)Observed.Refused && rows.Number(0, Field.Status) == (ulong)Status.NotFound, "refused");
            Check(rows.Number(1, Field.Kind) == (ulong)Observed.Disclosed && rows.Text(1, Field.Device) == "pc-17", "disclosed");
        }
        using (Rows trail = vault.AuditEntries(0, 100)) Check(trail.Count > 5 && trail.Text(1, Field.Actor) != null, "entries");
        foreach (string file in new[] { "csharp.copy", "csharp.restored", "csharp.other" })
            foreach (string end in new[] { "", "-wal", "-shm" }) File.Delete(file + end);
        vault.BackUp("csharp.copy", Anna);
        using (Vault restored = Vault.Restore("csharp.copy", "csharp.restored", null, Anna, "a test"))
            Check(restored.AuditVerify(null) > 0, "restored");
        Throws<LapsException>(() => Vault.Migrate("csharp.restored", false, Anna), "already");
        using (Rows exported = vault.Export(null, 10, Anna))
        using (Reader reader = key.Reader())
        using (Vault other = Vault.Init("csharp.other", null, new[] { reader }, "setup", Now)) {
            Check(other.Import(exported.Bytes(0), Anna) == 1, "taken in");
            other.Purge("pc-17", true, Anna);
        }
        Check(vault.AuditVerify(vault.AuditHead) > 0, "the head");
        Throws<LapsException>(() => vault.OrderAll(new Request(null, "why", Now)), "", Status.ReasonRequired);
    }

    static void KeysAndRecords() {
        using (var generator = new Generator())
        using (var key = new ReaderKey(generator, Suite.XWing, "one"))
        using (var other = new ReaderKey(generator, Suite.XWing, "two"))
        using (ReaderKey same = ReaderKey.FromFile(key.ToFile(null, generator), null))
        using (Reader reader = key.Reader())
        using (Reader second = other.Reader())
        using (Password password = Password.FromUtf8(Encoding.UTF8.GetBytes("correct horse")))
        using (var header = new Header(generator, "pc-17", "Admin"))
        using (Policy policy = Managed()) {
            header.SetScope("contoso");
            header.SetSid("S-1-5-21-1-2-3-500");
            header.SetVersion(7, Now);
            header.SetPolicy(policy);
            header.SetPrevious(new byte[16] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 });
            using (Record made = Record.Seal(header, password, new[] { reader }, generator))
            using (Record record = Record.Parse(made.ToBytes()))
            using (Opened opened = same.Open(record))
            using (Record sealedAgain = key.Reseal(record, new[] { reader, second }, generator))
            using (Opened reopened = other.Open(sealedAgain)) {
                Check(opened.Password.SameAs(password) && reopened.Password.SameAs(password) && sealedAgain.ReaderCount == 2, "opened");
                Check(sealedAgain.IsProvenBy(opened.Proof) && record.IsProvenBy(reopened.Proof), "proven");
                Check(!record.IsProvenBy(new byte[32]) && !record.IsProvenBy(new byte[31]) && !record.IsProvenBy(null), "not proven");
                Check(record.Version == 7 && record.MadeAt == Now && record.Previous()[15] == 16 && record.ReaderId(0).Length == 32, "its header");
                Check(Convert.ToBase64String(record.Id()) == Convert.ToBase64String(header.Id()), "its id");
                Throws<LapsException>(() => other.Open(record), "", Status.NotAReader);
            }
            using (var authority = new SignerKey(generator, "authority"))
            using (SignerKey again = SignerKey.FromFile(authority.ToFile(Encoding.UTF8.GetBytes("phrase"), generator), Encoding.UTF8.GetBytes("phrase")))
            using (Signer signer = again.Signer())
            using (ReaderSet set = ReaderSet.Verify(authority.SignReaders("", 1, new[] { reader, second }), signer, "", null))
                Check(set.Count == 2, "signed");
            Throws<ArgumentNullException>(() => Record.Seal(header, password, new Reader[] { null }, generator));
            Throws<ArgumentNullException>(() => Record.Seal(header, null, new[] { reader }, generator));
        }
    }
#endif

    static void DisposedOnceAndNotUsedAfter() {
        Password password = Password.FromUtf8(Json("abc"));
        Secret secret = password.Expose();
        password.Dispose();
        password.Dispose();
        secret.Dispose();
        secret.Dispose();
        Throws<ObjectDisposedException>(() => password.Expose());
        Throws<ObjectDisposedException>(() => { int length = password.Length; });
        Throws<ObjectDisposedException>(() => { char[] chars = secret.Chars; });
        Throws<ObjectDisposedException>(() => secret.Reveal());
        Throws<ObjectDisposedException>(() => { IntPtr pointer = secret.Pointer; });
        var generator = new Generator();
        Recipe recipe = Recipe.Characters(4, 14);
        recipe.Dispose();
        Throws<ObjectDisposedException>(() => generator.Password(recipe));
        Throws<ArgumentNullException>(() => generator.Password(null));
        generator.Dispose();
        Throws<ObjectDisposedException>(() => generator.Reseed());
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Mallinfo2 {
        public UIntPtr Arena, Ordblks, Smblks, Hblks, Hblkhd, Usmblks, Fsmblks, Uordblks, Fordblks, Keepcost;
    }
    [DllImport("libc")] static extern Mallinfo2 mallinfo2();

    static void Forget(int count) {
        for (int i = 0; i < count; i++) Password.FromUtf8(Json("forgotten")).Expose();
    }

    static void WhatIsForgottenIsFinalized() {
        Forget(1000);
        Collect();
        ulong before = (ulong)mallinfo2().Uordblks;
        for (int i = 0; i < 20; i++) {
            Forget(5000);
            Collect();
        }
        ulong after = (ulong)mallinfo2().Uordblks;
        // A hundred thousand passwords of over a hundred bytes each; the runtime itself may take some.
        Check(after < before + 4000000, "forgotten passwords are freed: " + before + " and " + after + " bytes");
    }

    static void Collect() {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    static void Together(int threads, Action<int> work) {
        var errors = new List<Exception>();
        var all = new List<Thread>();
        for (int t = 0; t < threads; t++) {
            int number = t;
            var thread = new Thread(() => {
                try { work(number); } catch (Exception error) { lock (errors) errors.Add(error); }
            });
            all.Add(thread);
            thread.Start();
        }
        foreach (Thread thread in all) thread.Join();
        if (errors.Count > 0) throw errors[0];
    }

    static void ThreadsShareObjects() {
        using (var generator = new Generator())
        using (Recipe recipe = Recipe.Characters(4, 14)) {
            var seen = new HashSet<string>();
            Together(8, number => {
                for (int i = 0; i < 200; i++)
                    using (Password password = generator.Password(recipe))
                    using (Secret secret = password.Expose()) {
                        string text = secret.Reveal();
                        lock (seen) Check(text.Length == 14 && seen.Add(text), "passwords differ");
                    }
            });
            Check(seen.Count == 1600, "all of them");
        }
        // One thread disposes of what the others use: they are told, and nothing else happens.
        for (int round = 0; round < 50; round++) {
            Password password = Password.FromUtf8(Json("shared"));
            Together(4, number => {
                try {
                    for (int i = 0; i < 50; i++) {
                        if (number == 0 && i == 10) password.Dispose();
                        using (Secret secret = password.Expose()) Check(secret.Length == 6, "whole or not at all");
                    }
                } catch (ObjectDisposedException) {
                }
            });
        }
        using (var one = new Evaluation())
        using (var two = new Evaluation())
            Together(4, number => {
                for (int i = 0; i < 50; i++) Check((number % 2 == 0 ? one.ChangesTo(two) : two.ChangesTo(one)).Length > 0, "no deadlock");
            });
    }

    static void ThreadsHaveTheirOwnErrors() => Together(4, number => {
        for (int i = 0; i < 100; i++) {
            byte length = (byte)(number + 1);
            Throws<LapsException>(() => Recipe.Characters(4, length), length.ToString());
        }
    });

    static int Main(string[] arguments) {
        string vector = File.ReadAllText(arguments[0]);
        const string Head = "authority: ";
        Authority = Array.Find(vector.Split('\n'), line => line.StartsWith(Head, StringComparison.Ordinal)).Substring(Head.Length);
        TheLibraryIsThatOfTheHeader();
        PolicyAndFindings();
        TextGoesBothWaysInUtf16();
        RecipesGenerateAndCheck();
        AnAccountIsChosen();
        AnAgentCallsWhatItIsGivenAndLetsNothingThrough();
        AProgramIsAnAccountStore();
        AReaderSetIsVerified(vector);
#if !LAPS_AGENT
        ARotationGoesItsWay();
        KeysAndRecords();
        AVaultAnswersAndTells();
#endif
        DisposedOnceAndNotUsedAfter();
        ThreadsShareObjects();
        ThreadsHaveTheirOwnErrors();
        WhatIsForgottenIsFinalized();
        checks += Memory.WipedPasswordsAreNowhere();
        Console.WriteLine("Laps.cs with laps {0} ({1}): {2} checks hold", Library.Version, Library.Build, checks);
        return 0;
    }
}
