using System.Globalization;
using System.Net.Http.Headers;

namespace HttpResilience.Tests.Http;

/// <summary>Header values that a server should not send, made from such that it may.</summary>
internal static class FuzzedHeader
{
    private const string Alphabet = "0123456789 ,:-+.eE\t\0\"\\GMTSunJanDec;=\u0660\u2028\uD83D";

    internal static string Value(Random random)
    {
        string value = random.Next(10) switch
        {
            0 => new string([.. Enumerable.Range(0, random.Next(40)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]),
            1 => new string([.. Enumerable.Range(0, random.Next(40)).Select(_ => (char)random.Next(char.MaxValue + 1))]),
            2 => new string((char)('0' + random.Next(10)), random.Next(60)),
            3 => random.NextInt64().ToString(CultureInfo.InvariantCulture),
            4 => (random.NextDouble() * Math.Pow(10, random.Next(-12, 30))).ToString("F6", CultureInfo.InvariantCulture),
            5 => random.Next(400).ToString(CultureInfo.InvariantCulture),
            _ => Date(random),
        };
        for (int mutations = random.Next(4); mutations > 0 && value.Length > 0; mutations--)
            value = Mutated(value, random);
        return value;
    }

    /// <summary>Items of <c>RateLimit</c> in both forms.</summary>
    internal static string RateLimit(Random random)
    {
        string value = string.Join(random.Next(2) == 0 ? "," : ", ",
            Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(4) switch
            {
                0 => $"limit=10,remaining={random.Next(2)},reset={random.Next(400)}",
                1 => $"\"{Value(random)}\";r={random.Next(2)};t={Value(random)}",
                2 => $"a;r={Value(random)};t={random.Next(400)}",
                _ => $"\"a\";r={random.Next(2)};t={random.Next(400)};pk=:YQ==:",
            }));
        for (int mutations = random.Next(4); mutations > 0 && value.Length > 0; mutations--)
            value = Mutated(value, random);
        return value;
    }

    internal static string Show(HttpResponseHeaders headers) =>
        string.Join(" | ", headers.NonValidated.SelectMany(h => h.Value.Select(v => $"{h.Key}: {Uri.EscapeDataString(v)}")));

    private static string Date(Random random)
    {
        int year =
            random.Next(4) switch { 0 => 2026, 1 => random.Next(1990, 2090), 2 => random.Next(1, 10_000), _ => random.Next(9_900, 10_000) };
        var date = new DateTimeOffset(
            year, random.Next(1, 13), random.Next(1, 29), random.Next(24), random.Next(60), random.Next(60), TimeSpan.Zero);
        if (year == 2026)
            date = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero).AddSeconds(random.Next(-600, 600));
        return random.Next(3) switch
        {
            0 => date.ToString("R", CultureInfo.InvariantCulture),
            1 => date.ToString("dddd, dd-MMM-yy HH:mm:ss 'GMT'", CultureInfo.InvariantCulture),
            _ => date.ToString("ddd MMM dd HH:mm:ss yyyy", CultureInfo.InvariantCulture).Replace(" 0", "  ", StringComparison.Ordinal),
        };
    }

    private static string Mutated(string value, Random random)
    {
        int at = random.Next(value.Length);
        string letter = Alphabet[random.Next(Alphabet.Length)].ToString();
        return random.Next(7) switch
        {
            0 => value.Insert(at, letter),
            1 => value.Remove(at, 1),
            2 => value.Remove(at, 1).Insert(at, letter),
            3 => value[..at],
            4 => value.Insert(at, value[at..]),
            5 => value.ToUpperInvariant(),
            _ => value.Remove(at, 1).Insert(at, ((char)('0' + random.Next(10))).ToString()),
        };
    }
}
