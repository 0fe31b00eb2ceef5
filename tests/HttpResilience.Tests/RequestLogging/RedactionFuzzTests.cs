using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace HttpResilience.Tests.RequestLogging;

/// <summary>Random secrets, written down by the platform's own encoders, never stay in the text; and no text makes the log throw.</summary>
public sealed class RedactionFuzzTests
{
    private const int Seed = 5;
    private const int Secrets = 1_000;
    private const string Alphabet = "abcXYZ019+/=-_.~%&<>\"'\\:;, ?#@!$()[]{}|^`\u00e9\u4e2d";

    private static readonly Redaction Redaction = new([], []);

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly (string Name, Func<string, string> Encode)[] Encoders =
    [
        ("as it is", s => s),
        ("JSON", s => JsonSerializer.Serialize(s)[1..^1]),
        ("relaxed JSON", s => JsonSerializer.Serialize(s, Relaxed)[1..^1]),
        ("JSON with escaped slashes", s => JsonSerializer.Serialize(s, Relaxed)[1..^1].Replace("/", "\\/", StringComparison.Ordinal)),
        ("HTML", WebUtility.HtmlEncode),
        ("URI", Uri.EscapeDataString),
        ("form", WebUtility.UrlEncode),
        ("upper case", s => s.ToUpperInvariant()),
    ];

    [Fact]
    public void A_secret_header_is_not_found_in_the_text_in_any_encoding() => ForEachSecret((secret, request) =>
        request.Headers.TryAddWithoutValidation("X-Api-Key", secret));

    [Fact]
    public void A_query_value_is_not_found_in_the_text_in_any_encoding() => ForEachSecret((secret, request) =>
        request.RequestUri = new($"https://a.example/?sig={Uri.EscapeDataString(secret)}"));

    [Fact]
    public void A_form_encoded_query_value_is_not_found_in_the_text_in_any_encoding() => ForEachSecret((secret, request) =>
        request.RequestUri = new($"https://a.example/?sig={WebUtility.UrlEncode(secret)}"));

    [Fact]
    public void A_password_is_not_found_in_the_text_in_any_encoding() => ForEachSecret((secret, request) =>
        request.RequestUri = new($"https://jane:{Uri.EscapeDataString(secret)}@a.example/"));

    [Fact]
    public void No_header_and_no_text_makes_it_throw()
    {
        var random = new Random(Seed);
        string Anything() => new([.. Enumerable.Range(0, random.Next(20)).Select(_ => (char)random.Next(char.MaxValue + 1))]);
        for (int i = 0; i < Secrets; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "https://a.example");
            request.Headers.TryAddWithoutValidation("Authorization", random.Next(2) == 0 ? Anything() : $"Basic {Anything()}");
            string text = Anything();

            string scrubbed = Should.NotThrow(() => Redaction.Scrub(text, request), $"seed {Seed}, secret {i}");

            scrubbed.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029').ShouldBeFalse($"seed {Seed}, secret {i}");
        }
    }

    private static void ForEachSecret(Action<string, HttpRequestMessage> place)
    {
        var random = new Random(Seed);
        for (int i = 0; i < Secrets; i++)
        {
            string secret =
                $"k{new string([.. Enumerable.Range(0, random.Next(4, 24)).Select(_ => Alphabet[random.Next(Alphabet.Length)])])}k";
            using var request = new HttpRequestMessage(HttpMethod.Get, "https://a.example");
            place(secret, request);
            foreach (var (name, encode) in Encoders)
            {
                string echoed = encode(secret);
                string scrubbed = Redaction.Scrub($">>{echoed}<<", request);
                if (scrubbed != ">>***<<")
                    Assert.Fail($"seed {Seed}, secret {i}, {name}: {secret} is echoed as {echoed} and becomes {scrubbed}");
            }
        }
    }
}
