using System.Text.RegularExpressions;

namespace HttpResilience.Tests.Http;

/// <summary>Random tables and requests: the route is the one that a naive reading of the rules finds.</summary>
public sealed class RouteTableModelTests
{
    private const int Sequences = 10_000;
    private const int Requests = 20;

    private static readonly string[] Methods = ["GET", "POST", "get"];
    private static readonly string[] Words = ["a", "b", "v1", "A", "ö", "a%2Fb", "%61", "x;y=1"];
    private static readonly string[] Sent = ["a", "b", "v1", "A", "%C3%B6", "a%2Fb", "%61", "x;y=1", ""];

    [Fact]
    public void Ten_thousand_random_tables_find_what_the_model_finds()
    {
        int first = Random.Shared.Next(1_000_000), found = 0, below = 0, ties = 0;
        TestContext.Current.TestOutputHelper?.WriteLine($"seeds from {first}");
        for (int seed = first; seed < first + Sequences; seed++)
        {
            var random = new Random(seed);
            string[] patterns = [.. Enumerable.Range(0, random.Next(1, 8)).Select(_ => Pattern(random)).DistinctBy(Model.IdentityOf)];
            var table = new RouteTable([.. patterns.Select(RoutePatternTests.Parse)]);
            for (int i = 0; i < Requests; i++)
            {
                string method = Methods[random.Next(Methods.Length)];
                string basePath = random.Next(3) switch
                {
                    0 => "",
                    1 => "/",
                    _ => $"/{Words[random.Next(3)]}/{(random.Next(2) == 0 ? "" : "v1/")}",
                };
                string path = basePath.Length > 0 && random.Next(2) == 0 ? basePath + Path(random)[1..] : Path(random);
                int expected = Model.Find(patterns, method, path, basePath, out int matching, out bool isBelow);

                table.Find(method, path, basePath).ShouldBe(
                    expected, $"seed {seed}: {method} {path} below {basePath} in {string.Join(", ", patterns)}");
                found += expected >= 0 ? 1 : 0;
                below += isBelow ? 1 : 0;
                ties += matching > 1 ? 1 : 0;
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{found} found, {below} from the base address, {ties} among several");
        // Else the sequences did not get anywhere.
        foreach (int count in new[] { found, below, ties })
            count.ShouldBeGreaterThan(Sequences / 10);
    }

    private static string Pattern(Random random)
    {
        string[] segments =
            [.. Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(3) == 0 ? "*" : Words[random.Next(Words.Length)])];
        string path = "/" + string.Join('/', segments);
        path = random.Next(3) switch { 0 when segments.Length > 0 => path + "/**", 1 when segments.Length > 0 => path + "/", _ => path };
        return random.Next(3) switch { 0 => path, 1 => $"* {path}", _ => $"{Methods[random.Next(Methods.Length)]} {path}" };
    }

    private static string Path(Random random) =>
        "/" + string.Join('/', Enumerable.Range(0, random.Next(6)).Select(_ => Sent[random.Next(Sent.Length)]));

    /// <summary>The rules, one after another, with regular expressions and sorted texts.</summary>
    private static class Model
    {
        internal static string IdentityOf(string pattern)
        {
            var (method, path) = Split(pattern);
            return $"{method} {string.Join('/', path.TrimEnd('/').Split('/').Select(s => Uri.EscapeDataString(Uri.UnescapeDataString(s))))}"
                .ToUpperInvariant();
        }

        internal static int Find(string[] patterns, string method, string path, string basePath, out int matching, out bool isBelow)
        {
            string? rest = basePath.Length > 1 && path.StartsWith(basePath, StringComparison.OrdinalIgnoreCase)
                ? path[(basePath.Length - 1)..] : null;
            (string? Path, string Before)[] ways = [(rest, basePath), (path, "")];
            var matches = patterns.Index().SelectMany(p => ways.Select(way => (p.Index, p.Item, way.Path, way.Before)))
                .Where(p => p.Path is not null && Matches(p.Item, method, p.Path))
                .OrderBy(p => Rank(p.Item, p.Before), StringComparer.Ordinal).ThenBy(p => p.Index).ToList();
            matching = matches.DistinctBy(m => m.Index).Count();
            isBelow = matches is [{ Before.Length: > 0 }, ..];
            return matches is [var best, ..] ? best.Index : -1;
        }

        private static (string Method, string Path) Split(string pattern) =>
            pattern.Split(' ') is [var method, var path] ? (method == "*" ? "" : method, path) : ("", pattern);

        private static bool Matches(string pattern, string method, string path)
        {
            var (ofPattern, text) = Split(pattern);
            if (ofPattern.Length > 0 && !ofPattern.Equals(method, StringComparison.OrdinalIgnoreCase))
                return false;
            var form = new Regex("^" + string.Concat(text.TrimEnd('/').Split('/').Skip(1).Select(s => s switch
            {
                "*" => "/[^/]+",
                "**" => "(/.*)?",
                _ => "/" + Regex.Escape(Escaped(s)),
            })) + "$", RegexOptions.IgnoreCase);
            // One slash at the end does not count.
            return form.IsMatch(string.Join('/', (path.EndsWith('/') ? path[..^1] : path).Split('/').Select(Escaped)));
        }

        private static string Escaped(string segment) => Uri.EscapeDataString(Uri.UnescapeDataString(segment));

        // A text 0, one segment 1, what follows 2; then the method, then the base address.
        private static string Rank(string pattern, string before)
        {
            var (method, path) = Split(pattern);
            var kinds = path.TrimEnd('/').Split('/').Skip(1).Select(s => s switch { "*" => '1', "**" => '2', _ => '0' });
            string texts = new('0', before.Length == 0 ? 0 : before.Count(c => c == '/') - 1);
            // The end stands before a text: it is compared only with what follows.
            return $"{texts}{string.Concat(kinds)}{(method.Length > 0 ? " a" : " b")}{(before.Length > 0 ? 'a' : 'b')}";
        }
    }
}
