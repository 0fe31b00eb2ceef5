using System.Net.Http.Headers;

namespace HttpResilience.Tests.Http;

/// <summary>Whatever an attempt did to its message, the next one begins with what the application asked for.</summary>
public sealed class RequestSnapshotTests : IDisposable
{
    private readonly HttpRequestMessage _request = new(HttpMethod.Post, "https://a.example/invoices")
    {
        Content = new StringContent("{}", null, "application/json"),
        Headers =
        {
            { "Accept", ["application/json", "text/plain; q=0.5"] },
            { "X-Company", "comp1" },
            { "User-Agent", "Billing/1.0 (nightly) Runtime/10" },
        },
    };

    public RequestSnapshotTests() => _request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "original");

    public void Dispose() => _request.Dispose();

    [Fact]
    public void Headers_that_an_attempt_added_are_removed() => AfterAttempt(request =>
    {
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        request.Headers.Add("tracestate", "a=1");
        request.Headers.TryAddWithoutValidation("Request-Id", ["1", "2"]);
        request.Content!.Headers.ContentEncoding.Add("gzip");
        request.Content.Headers.Add("X-Signature", "abc");
    });

    [Fact]
    public void Values_that_an_attempt_added_to_a_header_are_removed() => AfterAttempt(request =>
    {
        request.Headers.Add("X-Company", "comp2");
        request.Headers.Accept.Add(new("text/html"));
        request.Headers.UserAgent.Add(new("Inner", "1.0"));
    });

    [Fact]
    public void Values_that_an_attempt_changed_are_restored() => AfterAttempt(request =>
    {
        request.Headers.Authorization = new("Bearer", "refreshed");
        request.Headers.Remove("X-Company");
        request.Headers.Add("x-company", "COMP1");
        request.Content!.Headers.ContentType = new("text/plain");
    });

    [Fact]
    public void Headers_that_an_attempt_removed_are_restored() => AfterAttempt(request =>
    {
        request.Headers.Clear();
        request.Content!.Headers.Clear();
    });

    [Fact]
    public void The_changes_of_a_redirect_are_undone()
    {
        var (uri, content) = (_request.RequestUri, _request.Content);

        AfterAttempt(request =>
        {
            request.Method = HttpMethod.Get;
            request.RequestUri = new("https://elsewhere.example/");
            request.Content = null;
            request.Headers.Authorization = null;
            request.Headers.TransferEncodingChunked = false;
        });

        _request.Method.ShouldBe(HttpMethod.Post);
        _request.RequestUri.ShouldBeSameAs(uri);
        _request.Content.ShouldBeSameAs(content);
    }

    [Fact]
    public async Task Content_that_an_attempt_put_around_the_original_is_taken_off()
    {
        AfterAttempt(request => request.Content = new ByteArrayContent([1, 2, 3]));

        (await _request.Content!.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("{}");
    }

    [Fact]
    public void Content_that_an_attempt_gave_a_request_without_any_is_taken_off()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://a.example/");
        var snapshot = new RequestSnapshot(request);
        request.Content = new StringContent("x");
        request.Headers.Add("X-Added", "1");

        snapshot.Restore(request);

        request.Content.ShouldBeNull();
        request.Headers.ShouldBeEmpty();
    }

    [Fact]
    public void A_value_that_is_not_valid_for_its_header_stays_as_it_was_written()
    {
        _request.Headers.TryAddWithoutValidation("If-Match", "not quoted");
        _request.Headers.TryAddWithoutValidation("X-Empty", "");

        AfterAttempt(request => request.Headers.Clear());
    }

    [Fact]
    public void A_header_that_was_only_looked_at_stays_the_same_in_meaning()
    {
        var snapshot = new RequestSnapshot(_request);
        _request.Headers.Accept.Count.ShouldBe(2);
        _request.Headers.UserAgent.Count.ShouldBe(3);
        _request.Content!.Headers.ContentLength.ShouldBe(2);

        snapshot.Restore(_request);

        _request.Headers.Accept.Select(a => (a.MediaType, a.Quality)).ShouldBe([("application/json", null), ("text/plain", 0.5)]);
        _request.Headers.UserAgent.ToString().ShouldBe("Billing/1.0 (nightly) Runtime/10");
        _request.Content.Headers.ContentLength.ShouldBe(2);
    }

    [Fact]
    public void A_hundred_attempts_do_not_accumulate_anything()
    {
        var snapshot = new RequestSnapshot(_request);
        string before = Describe(_request);
        for (int attempt = 0; attempt < 100; attempt++)
        {
            _request.Headers.Add("X-Company", "again");
            _request.Headers.Add("X-Attempt", "again");
            _request.Headers.Authorization = null;
            snapshot.Restore(_request);
        }

        Describe(_request).ShouldBe(before);
    }

    private void AfterAttempt(Action<HttpRequestMessage> attempt)
    {
        string before = Describe(_request);
        var snapshot = new RequestSnapshot(_request);

        attempt(_request);
        Describe(_request).ShouldNotBe(before);
        snapshot.Restore(_request);

        Describe(_request).ShouldBe(before);
    }

    private static string Describe(HttpRequestMessage request) => string.Join('\n',
        request.Headers.NonValidated.Concat(request.Content?.Headers.NonValidated ?? default)
            .OrderBy(h => h.Key, StringComparer.OrdinalIgnoreCase)
            .Select(h => $"{h.Key.ToUpperInvariant()}: {string.Join(" | ", h.Value)}")
            .Prepend($"{request.Method} {request.RequestUri} {request.Content?.GetType().Name}"));
}
