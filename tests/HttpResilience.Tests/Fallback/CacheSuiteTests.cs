using System.Globalization;
using System.Text.Json;
using static HttpResilience.Tests.Fallback.FallbackChain;

namespace HttpResilience.Tests.Fallback;

/// <summary>
/// The public suite of HTTP caches (github.com/http-tests/cache-tests, commit b55b8bda; its cases are in CacheSuite.json, one a line).
/// The fallback asks the API each time and uses its cache only when the API fails. So where a case asks whether a response may come from
/// the cache, the API fails here: a response that may not be used must not be the answer.
/// </summary>
public sealed class CacheSuiteTests
{
    private const string NoValidation = "The fallback sends no conditional request of its own and stores no 304.";
    private const string Superseded = "A newer response supersedes the older one, also when it is not stored; no rule asks for the older.";
    private const string NoSingleRange = "A request for a range is not answered from the cache.";

    private static readonly Dictionary<string, JsonElement> Cases = JsonDocument
        .Parse(Repository.Read("tests/HttpResilience.Tests/Fallback/CacheSuite.json")).RootElement.EnumerateArray()
        .ToDictionary(c => c.GetProperty("id").GetString()!);

    /// <summary>The cases that do not apply, each with the reason; those of shared caches are marked in the suite.</summary>
    private static readonly Dictionary<string, string> NotApplicable = new()
    {
        ["stale-while-revalidate"] = "The API is asked each time: there is nothing to revalidate in the background (RFC 5861 §3).",
        ["stale-while-revalidate-window"] = "As stale-while-revalidate.",
        ["stale-warning-stored"] = "RFC 9111 §5.5 has made the field Warning obsolete.",
        ["stale-warning-become"] = "RFC 9111 §5.5 has made the field Warning obsolete.",
        ["conditional-etag-vary-headers"] = NoValidation,
        ["304-lm-use-stored-Test-Header"] = NoValidation,
        ["304-etag-update-response-Test-Header"] = NoValidation,
        ["304-etag-update-response-X-Test-Header"] = NoValidation,
        ["304-etag-update-response-Content-Foo"] = NoValidation,
        ["304-etag-update-response-X-Content-Foo"] = NoValidation,
        ["304-etag-update-response-Cache-Control"] = NoValidation,
        ["304-etag-update-response-Content-Length"] = NoValidation,
        ["partial-use-headers"] = NoSingleRange,
        ["partial-use-stored-headers"] = NoSingleRange,
        ["cc-resp-no-store-old-new"] = Superseded,
        ["cc-resp-no-store-old-max-age"] = Superseded,
        ["headers-store-Set-Cookie"] = "Secrets are not stored; a replayed cookie would be that of another time.",
        ["headers-store-Set-Cookie2"] = "As Set-Cookie.",
    };

    public static TheoryData<string> Applicable =>
        [.. Cases.Values.Where(c => !c.GetProperty("shared").GetBoolean()).Select(Id).Where(id => !NotApplicable.ContainsKey(id))];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Applicable))]
    public async Task A_case_that_applies_to_a_private_cache_passes(string id)
    {
        var test = Cases[id];
        // The cases of stale responses have the time that is usual; in the others a response ends with its freshness.
        bool isStaleCase = test.GetProperty("suite").GetString() == "stale";
        using var chain = Open(o => o.Fallback.StaleIfError = isStaleCase ? TimeSpan.FromDays(1) : TimeSpan.FromSeconds(1));
        var requests = test.GetProperty("requests").EnumerateArray().ToArray();
        for (int i = 0; i < requests.Length; i++)
        {
            var step = requests[i];
            bool isQuestion = !Is(step, "setup") && step.TryGetProperty("expected_type", out _);
            if (isQuestion && !isStaleCase)
                chain.Clock.Advance(TimeSpan.FromSeconds(2));
            chain.Server.Script(Is(step, "disconnect") ? Replies.Reset()
                : isQuestion && !step.TryGetProperty("response_status", out _) ? Replies.Status(503)
                : Replies.With(() => Response(step, chain.Clock.GetUtcNow(), id)));

            await ShouldBeAsExpectedAsync(chain, step, isQuestion, $"{id}, request {i + 1}");

            if (Is(step, "pause_after"))
                chain.Clock.Advance(TimeSpan.FromSeconds(3));
        }
    }

    [Fact]
    public void The_cases_that_do_not_apply_are_cases_of_the_suite() => NotApplicable.Keys.ShouldBeSubsetOf(Cases.Keys);

    private static async Task ShouldBeAsExpectedAsync(Chain chain, JsonElement step, bool isQuestion, string name)
    {
        HttpResponseMessage? response = null;
        try
        {
            response = await chain.SendAsync(true, Request(step));
        }
        catch (HttpRequestException)
        {
            // No response at all.
        }

        using var received = response;
        bool isStale = response?.GetHttpCall() is { IsStale: true };
        if (isQuestion)
            isStale.ShouldBe(step.GetProperty("expected_type").GetString() == "cached", name);
        else if (Is(step, "disconnect"))
            isStale.ShouldBeFalse(name);
        if (!isStale)
            return;
        (await response!.Content.ReadAsStringAsync(Stop)).ShouldNotBeNull();
        foreach (var header in Array(step, "expected_response_headers"))
            ShouldHave(response, header, name);
        foreach (var header in Array(step, "expected_response_headers_missing"))
        {
            if (header.ValueKind == JsonValueKind.String)
                Value(response, header.GetString()!).ShouldBeNull(name);
            else
                (Value(response, header[0].GetString()!) ?? "").ShouldNotContain(header[1].GetString()!, customMessage: name);
        }
    }

    private static void ShouldHave(HttpResponseMessage response, JsonElement header, string name)
    {
        if (header.ValueKind == JsonValueKind.String)
        {
            Value(response, header.GetString()!).ShouldNotBeNull(name);
            return;
        }

        string? value = Value(response, header[0].GetString()!);
        if (header.GetArrayLength() == 3 && header[1].GetString() == ">")
            int.Parse(value!, CultureInfo.InvariantCulture).ShouldBeGreaterThan(header[2].GetInt32(), name);
        else if (header.GetArrayLength() == 3 && header[1].GetString() == "=")
            value.ShouldBe(Value(response, header[2].GetString()!), name);
        else
            value.ShouldBe(Text(header, DateTimeOffset.Parse(Value(response, "Server-Now")!, CultureInfo.InvariantCulture)), name);
    }

    private static HttpRequestMessage Request(JsonElement step)
    {
        string query = step.TryGetProperty("query_arg", out var arg) ? $"?{arg.GetString()}" : "";
        string method = step.TryGetProperty("request_method", out var given) ? given.GetString()! : "GET";
        var request = new HttpRequestMessage(new(method), $"test{query}");
        if (step.TryGetProperty("request_body", out var body))
            request.Content = new StringContent(body.GetString()!);
        foreach (var header in Array(step, "request_headers"))
            request.Headers.TryAddWithoutValidation(header[0].GetString()!, header[1].ToString());
        return request;
    }

    private static HttpResponseMessage Response(JsonElement step, DateTimeOffset now, string id)
    {
        string? length = Array(step, "response_headers").Where(h => h[0].GetString() == "Content-Length").Select(h => h[1].ToString())
            .FirstOrDefault();
        string? body = length is not null ? new('a', int.Parse(length, CultureInfo.InvariantCulture))
            : step.TryGetProperty("response_body", out var given) ? given.GetString() : id;
        var response = new HttpResponseMessage { Content = new StringContent(body ?? "") };
        if (step.TryGetProperty("response_status", out var status))
            response.StatusCode = (System.Net.HttpStatusCode)status[0].GetInt32();
        response.Headers.TryAddWithoutValidation("Server-Now", now.ToString("O", CultureInfo.InvariantCulture));
        foreach (var header in Array(step, "response_headers"))
        {
            string name = header[0].GetString()!;
            if (name is "Content-Length" or "Content-Type")
                response.Content.Headers.Remove(name);
            if (!response.Headers.TryAddWithoutValidation(name, Text(header, now)))
                response.Content.Headers.TryAddWithoutValidation(name, Text(header, now));
        }

        return response;
    }

    // A number in a field of a date is in seconds from the server's time.
    private static string Text(JsonElement header, DateTimeOffset serverNow) =>
        header[1].ValueKind == JsonValueKind.Number && (header[0].GetString()!.ToLowerInvariant() is "date" or "expires" or "last-modified")
            ? serverNow.AddSeconds(header[1].GetDouble()).ToString("R", CultureInfo.InvariantCulture) : header[1].ToString();

    private static string? Value(HttpResponseMessage response, string name) =>
        name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) ? $"{response.Content.Headers.ContentLength}"
        : response.Headers.NonValidated.TryGetValues(name, out var values)
            || response.Content.Headers.NonValidated.TryGetValues(name, out values)
            // The platform writes a media type that it has parsed with a blank before each parameter.
            ? string.Join(", ", values).Replace("; charset", ";charset", StringComparison.Ordinal) : null;

    private static JsonElement.ArrayEnumerator Array(JsonElement step, string name) =>
        step.TryGetProperty(name, out var array) ? array.EnumerateArray() : default;

    private static bool Is(JsonElement step, string name) =>
        step.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private static string Id(JsonElement test) => test.GetProperty("id").GetString()!;
}
