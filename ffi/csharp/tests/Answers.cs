// What the calls of a vault answer and tell: receipts, reports, how far they are; and passwords of another directory.
#if !LAPS_AGENT
using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Laps;

static partial class Tests {
    static void AVaultAnswersAndTells() {
        foreach (string end in new[] { "", "-wal", "-shm", ".schema-3" }) File.Delete("csharp.answers" + end);
        using (var generator = new Generator())
        using (var key = new ReaderKey(generator, Suite.X25519, "help desk"))
        using (var secondKey = new ReaderKey(generator, Suite.X25519, "auditor"))
        using (Reader reader = key.Reader())
        using (Reader second = secondKey.Reader()) {
            using (Vault vault = Vault.Init("csharp.answers", null, new[] { reader }, "setup", Now)) {
                Throws<LapsException>(() => vault.Receipt(), "", Status.NotFound);
                foreach (string device in new[] { "pc-1", "pc-2" }) APasswordIsTakenIn(vault, device, generator, reader);
                NamedDevicesAreOrdered(vault);
                TheTrailIsReported(vault);
                vault.AddReader(second, Anna);
                Throws<InvalidOperationException>(() => vault.Reseal(key, Anna, count => { throw new InvalidOperationException("mine"); }), "mine");
                using (Resealed none = vault.Reseal(key, Anna, count => false)) Check(none.Replaced == 0, "stopped");
                using (Resealed all = vault.Reseal(key, Anna, count => count == 2)) Check(all.Replaced == 2, "asked, and sealed");
                using (Resealed rest = vault.Reseal(key, Anna, null)) Check(rest.Replaced == 0 && rest.Failed.Count == 0, "nobody is asked");
                AnImportTells(vault);
            }
            Throws<LapsException>(() => Vault.MigrateReport("csharp.answers", true, Anna), "already", Status.InvalidArgument);
        }
    }

    static void APasswordIsTakenIn(Vault vault, string device, Generator generator, Reader reader) {
        using (var foreign = new Foreign()) {
            foreign.Add("Admin", null, Now - 10);
            Throws<LapsException>(() => foreign.Add("Admin", "S-1-x", Now), "", Status.SidMalformed);
            int position;
            using (Adoptable wanted = vault.Adoptable(device, foreign))
            using (Header header = wanted.Header(0, out position))
            using (Password password = Password.FromUtf8(Encoding.UTF8.GetBytes("correct horse")))
            using (Record record = Record.Seal(header, password, new[] { reader }, generator)) {
                Check(wanted.Count == 1 && foreign.Count == 1 && position == 0, "wanted");
                Throws<LapsException>(() => wanted.Header(1, out position), "1 of 1", Status.InvalidArgument);
                Check(vault.Adopt(device, new[] { record }, Now, Now + 60, Anna) == 1, "taken in");
            }
            using (Adoptable known = vault.Adoptable(device, foreign)) Check(known.Count == 0, "known");
            Check(vault.Adopt(device, new Record[0], Now, 0, Anna) == 0, "seen again");
        }
    }

    static void NamedDevicesAreOrdered(Vault vault) {
        using (var wrong = new Devices("pc-1", "pc-9"))
            Throws<LapsException>(() => vault.OrderDevices(wrong, Anna), "pc-9", Status.NotFound);
        Check(!vault.IsOrdered("pc-1"), "none of them");
        using (var devices = new Devices("pc-1")) {
            devices.Add("pc-2");
            Check(devices.Count == 2 && vault.OrderDevices(devices, Anna) == 2 && vault.IsOrdered("pc-2"), "both");
        }
        Throws<LapsException>(() => vault.IsOrdered("pc-9"), "", Status.NotFound);
        string mine = vault.Receipt();
        Check(mine == vault.AuditHead, "the receipt");
        // Every thread has its own.
        Together(2, number => {
            Throws<LapsException>(() => vault.Receipt(), "", Status.NotFound);
            vault.SetHistory(3, 0, Anna);
            Check(vault.Receipt() != mine, "another one");
        });
        Check(vault.Receipt() == mine && vault.AuditHead != mine, "this one stays");
    }

    static void TheTrailIsReported(Vault vault) {
        var told = new List<ulong>();
        AuditReport report = vault.AuditReport(vault.Receipt(), (done, total) => { told.Add(done); told.Add(total); });
        Check(report.Verified && report.FirstBad == 0 && report.Head == vault.AuditHead, "verified");
        Check(told.Count == 2 && told[0] == report.Entries && told[1] == report.Entries, "told");
        report = vault.AuditReport("2-" + new string('0', 64));
        Check(!report.Verified && report.FirstBad == 2, "the first bad one");
        Throws<InvalidOperationException>(() => vault.AuditReport(null, (done, total) => { throw new InvalidOperationException("mine"); }), "mine");
        Throws<LapsException>(() => vault.AuditReport("x"), "", Status.InvalidArgument);
    }

    static void AnImportTells(Vault vault) {
        var bytes = new List<byte>();
        using (Rows exported = vault.Export(null, 10, Anna))
            for (int i = 0; i < exported.Count; i++) bytes.AddRange(exported.Bytes(i));
        ulong last = 0, all = (ulong)bytes.Count;
        foreach (string device in new[] { "pc-1", "pc-2" }) vault.Purge(device, true, Anna);
        Check(vault.Import(bytes.ToArray(), Anna, (done, total) => { last = total == all ? done : 0; }) == 2 && last == all, "how far");
        foreach (string device in new[] { "pc-1", "pc-2" }) vault.Purge(device, true, Anna);
        Throws<InvalidOperationException>(
            () => vault.Import(bytes.ToArray(), Anna, (done, total) => { throw new InvalidOperationException("mine"); }), "mine");
        Check(vault.IsOrdered("pc-2"), "taken in all the same");
        foreach (string device in new[] { "pc-1", "pc-2" }) vault.Purge(device, true, Anna);
        Check(vault.Import(bytes.ToArray(), Anna, null) == 2, "nobody is told");
    }
}
#endif
