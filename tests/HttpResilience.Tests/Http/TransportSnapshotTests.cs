using System.Net.Http.Headers;

namespace HttpResilience.Tests.Http;

/// <summary>
/// The handler that sends a request adds fields to it and follows redirects; the next attempt begins without that, although the fields are
/// counted only.
/// </summary>
public sealed class TransportSnapshotTests
{
    private static readonly string[] Positions = ["none", "first", "middle", "last"];

    public static TheoryData<string, bool, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, bool, string>();
            foreach (string authorization in Positions)
            {
                foreach (bool isTyped in (bool[])[true, false])
                {
                    foreach (string attempt in Attempts.Keys)
                        cases.Add(authorization, isTyped, attempt);
                }
            }

            return cases;
        }
    }

    private static Dictionary<string, Action<HttpRequestMessage>> Attempts { get; } = new()
    {
        ["tracing"] = request =>
        {
            request.Headers.TryAddWithoutValidation("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
            request.Headers.TryAddWithoutValidation("tracestate", "a=1");
            request.Headers.TryAddWithoutValidation("Correlation-Context", ["k=v", "l=w"]);
        },
        ["decompression and an unknown length"] = request =>
        {
            request.Headers.AcceptEncoding.Add(new("gzip"));
            request.Headers.TransferEncodingChunked = true;
        },
        ["redirect"] = request =>
        {
            request.Headers.TryAddWithoutValidation("traceparent", "1");
            request.Headers.Authorization = null;
            (request.Method, request.RequestUri, request.Content) = (HttpMethod.Get, new("https://elsewhere.example/"), null);
        },
        ["redirect, then tracing"] = request =>
        {
            request.Headers.Authorization = null;
            request.RequestUri = new("https://elsewhere.example/");
            request.Headers.TryAddWithoutValidation("traceparent", "1");
        },
        ["credentials"] = request => request.Headers.Authorization = new("Basic", "dXNlcjpwYXNz"),
        ["credentials of a proxy"] = request => request.Headers.ProxyAuthorization = new("Basic", "dXNlcjpwYXNz"),
        ["credentials after a redirect"] = request =>
        {
            request.Headers.Authorization = null;
            request.Headers.TryAddWithoutValidation("traceparent", "1");
            request.Headers.Authorization = new("Negotiate", "abc");
        },
        ["nothing"] = _ => { },
    };

    [Theory, MemberData(nameof(Cases))]
    public void The_next_attempt_begins_with_what_was_asked(string authorization, bool isTyped, string attempt)
    {
        using var request = RequestWith(authorization, isTyped);
        string before = Describe(request);
        var snapshot = new RequestSnapshot(request, toTransport: true);

        for (int i = 0; i < 5; i++)
        {
            Attempts[attempt](request);
            snapshot.Restore(request);

            Describe(request).ShouldBe(before);
        }
    }

    [Theory, InlineData(30), InlineData(32), InlineData(33), InlineData(70), InlineData(200)]
    public void Any_number_of_fields_is_restored(int count)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://a.example/");
        for (int i = 0; i < count; i++)
            request.Headers.Add($"X-{i}", $"{i}");
        string before = Describe(request);
        var snapshot = new RequestSnapshot(request, toTransport: true);

        Attempts["redirect, then tracing"](request);
        snapshot.Restore(request);

        Describe(request).ShouldBe(before);
    }

    [Fact]
    public void A_redirect_that_drops_the_body_of_an_unknown_length_is_undone()
    {
        using var request = RequestWith("middle", isTyped: true);
        request.Headers.TransferEncodingChunked = true;
        string before = Describe(request);
        var snapshot = new RequestSnapshot(request, toTransport: true);

        request.Headers.TransferEncodingChunked = false;
        Attempts["redirect"](request);
        snapshot.Restore(request);

        Describe(request).ShouldBe(before);
    }

    [Fact]
    public void A_request_that_had_no_fields_has_none_again()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://a.example/");
        var snapshot = new RequestSnapshot(request, toTransport: true);

        Attempts["tracing"](request);
        snapshot.Restore(request);

        request.Headers.ShouldBeEmpty();
    }

    [Fact]
    public void The_log_reports_the_request_before_a_redirect()
    {
        using var request = RequestWith("middle", isTyped: true);
        var snapshot = new RequestSnapshot(request, toTransport: true);

        Attempts["redirect"](request);
        snapshot.RecordOriginal(request);

        var asked = RequestSnapshot.AskedFor(request);
        asked.RequestUri.ShouldBe(new("https://a.example/invoices"));
        asked.Headers.Authorization.ShouldBe(new AuthenticationHeaderValue("Bearer", "original"));
        asked.Headers.Contains("traceparent").ShouldBeFalse();
        asked.Headers.Contains("X-Company").ShouldBeTrue();
    }

    [Fact]
    public void Fields_of_a_content_stay_with_its_copy()
    {
        using var request = RequestWith("none", isTyped: false);
        request.Content!.Headers.Add("X-Signature", "abc");
        var snapshot = new RequestSnapshot(request, toTransport: true);

        request.Content.Dispose();
        var resent = snapshot.Restore(request);

        resent!.Content!.Headers.GetValues("X-Signature").ShouldBe(["abc"]);
        resent.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
    }

    private static HttpRequestMessage RequestWith(string authorization, bool isTyped)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "https://a.example/invoices")
        {
            Content = new StringContent("{}", null, "application/json"),
        };
        if (authorization is "first")
            Authorize();
        request.Headers.Accept.Add(new("application/json"));
        request.Headers.TryAddWithoutValidation("X-Company", ["comp1", "comp2"]);
        if (authorization is "middle")
            Authorize();
        request.Headers.UserAgent.ParseAdd("Billing/1.0 (nightly) Runtime/10");
        if (authorization is "last")
            Authorize();
        return request;

        void Authorize()
        {
            if (isTyped)
                request.Headers.Authorization = new("Bearer", "original");
            else
                request.Headers.TryAddWithoutValidation("Authorization", "Bearer  original ");
        }
    }

    private static string Describe(HttpRequestMessage request) => string.Join('\n',
        request.Headers.NonValidated.OrderBy(h => h.Key, StringComparer.OrdinalIgnoreCase)
            .Select(h => $"{h.Key}: {string.Join(" | ", h.Value)}")
            .Prepend($"{request.Method} {request.RequestUri} {request.Content?.GetType().Name}"));
}
