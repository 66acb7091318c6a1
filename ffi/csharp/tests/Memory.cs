// Searches the memory of this process for passwords: while they are in use they are there, and nowhere afterwards.
using System;
using System.Globalization;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Laps;

static class Memory {
    [DllImport("libc")] static extern int open(string path, int flags);
    [DllImport("libc")] static extern int close(int file);
    [DllImport("libc")] static extern IntPtr pread(int file, byte[] buffer, UIntPtr count, long offset);

    /// <summary>What a password was, told in a way that does not hold it.</summary>
    sealed class Mask {
        const byte Key = 0xA5;
        readonly byte[] units;
        internal Mask(Secret secret) {
            units = new byte[secret.Length];
            for (int i = 0; i < units.Length; i++) units[i] = (byte)(secret.Chars[i] ^ Key);
        }
        /// <summary>Whether the text begins here, in units of one or two bytes.</summary>
        internal bool At(byte[] memory, int start, int unit) {
            for (int i = 0; i < units.Length; i++) {
                if ((memory[start + i * unit] ^ Key) != units[i]) return false;
                if (unit == 2 && memory[start + i * unit + 1] != 0) return false;
            }
            return true;
        }
        internal int Length => units.Length;
    }

    /// <summary>How often the text stands in the memory that this process can write.</summary>
    static int Count(Mask mask) {
        int found = 0, file = open("/proc/self/mem", 0), overlap = 2 * mask.Length;
        var buffer = new byte[1 << 20];
        foreach (string line in File.ReadAllLines("/proc/self/maps")) {
            string[] parts = line.Split(' ');
            if (!parts[1].StartsWith("rw")) continue;
            string[] ends = parts[0].Split('-');
            long at = long.Parse(ends[0], NumberStyles.HexNumber), end = long.Parse(ends[1], NumberStyles.HexNumber);
            while (at < end) {
                int want = (int)Math.Min(buffer.Length, end - at);
                int got = (int)pread(file, buffer, (UIntPtr)(uint)want, at);
                if (got <= overlap) break;
                for (int i = 0; i <= got - mask.Length; i++) {
                    if (mask.At(buffer, i, 1)) found++;
                    if (i <= got - overlap && mask.At(buffer, i, 2)) found++;
                }
                if (got < want || at + got >= end) break;
                at += got - overlap;
            }
        }
        Array.Clear(buffer, 0, buffer.Length);
        close(file);
        return found;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static Mask Use(Generator generator, Recipe recipe, bool reveal, out int during, ref string kept) {
        using (Password password = generator.Password(recipe))
        using (Secret secret = password.Expose())
        using (Password again = Password.FromChars(secret.Chars, secret.Length)) {
            var mask = new Mask(secret);
            if (recipe.Check(secret.Chars, secret.Length).Length != 0) throw new Exception("it does not satisfy its recipe");
            if (!again.SameAs(password)) throw new Exception("another password");
            if (reveal) kept = secret.Reveal();
            during = Count(mask);
            return mask;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static Mask UseMany(Generator generator, Recipe recipe) {
        Secret[] many = generator.Passwords(recipe, 3);
        var mask = new Mask(many[1]);
        foreach (Secret secret in many) secret.Dispose();
        return mask;
    }

    internal static int WipedPasswordsAreNowhere() {
        using (var generator = new Generator())
        using (Recipe recipe = Recipe.Characters(4, 40)) {
            int during;
            string kept = null;
            Mask mask = Use(generator, recipe, false, out during, ref kept);
            if (during < 3) throw new Exception("the search found " + during + " of the three that are there");
            int after = Count(mask);
            if (after != 0) throw new Exception("a wiped password is in memory " + after + " times");
            after = Count(UseMany(generator, recipe));
            if (after != 0) throw new Exception("a wiped password of many is in memory " + after + " times");
            mask = Use(generator, recipe, true, out during, ref kept);
            if (Count(mask) == 0) throw new Exception("the search does not find a string that is there");
            GC.KeepAlive(kept);
            return 4;
        }
    }
}
