using System.Net;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.DeadLetters;

/// <summary>What a replay puts on the wire is what the first attempts had there, whatever the settings of its process are.</summary>
public sealed class ReplayAsSentTests : IAsyncLifetime
{
    private const string Check = "Check whether it was processed; then resolve it, or replay it";

    private readonly SqliteTestDatabase _database = new();

    public enum Keys
    {
        Disabled,
        OtherName,
        Quoted,
        Same,
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Theory, InlineData(Keys.Disabled), InlineData(Keys.OtherName), InlineData(Keys.Quoted), InlineData(Keys.Same)]
    public async Task The_key_goes_out_under_the_name_and_in_the_form_it_had(Keys later)
    {
        await using var server = new RawServer(Raw.ResetAfterReading, Raw.Ok);
        DeadLetter letter;
        await using (var first = await ReplayProcess.StartAsync(_database, server.Uri, o => o.Idempotency.HeaderName = "X-Request-Key"))
            letter = await first.KeepAsync(Post("invoices").WithIdempotencyKey("key-1"));

        await using var second = await ReplayProcess.StartAsync(_database, server.Uri, o => Set(o, later));
        (await second.ReplayAsync(letter)).Status.ShouldBe(DeadLetterStatus.Replayed);

        (letter.IdempotencyKey, letter.IdempotencyHeaderName, letter.MayHaveBeenProcessed).ShouldBe(("key-1", "X-Request-Key", true));
        server.Requests.Select(KeysOf).ShouldBe(["X-Request-Key: key-1", "X-Request-Key: key-1"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_structured_form_of_a_key_stays(bool isSet)
    {
        await using var server = new RawServer(Raw.ResetAfterReading, Raw.Ok, Raw.Ok);
        DeadLetter letter;
        await using (var first = await ReplayProcess.StartAsync(_database, server.Uri, o => o.Idempotency.Quoted = true))
        {
            var request = Post("invoices");
            if (isSet)
                request.Headers.Add("Idempotency-Key", "key-1");
            letter = await first.KeepAsync(isSet ? request : request.WithIdempotencyKey("key-1"));
        }

        await using var second = await ReplayProcess.StartAsync(_database, server.Uri, o => o.Idempotency.Quoted = isSet);
        (await second.ReplayAsync(letter)).Status.ShouldBe(DeadLetterStatus.Replayed);

        string sent = isSet ? "Idempotency-Key: key-1" : "Idempotency-Key: \"key-1\"";
        server.Requests.Select(KeysOf).ShouldBe([sent, sent]);
    }

    [Fact]
    public async Task A_corrected_letter_has_a_new_key_in_the_old_form()
    {
        await using var server = new RawServer(Raw.ResetAfterReading, Raw.Ok);
        await using var process = await ReplayProcess.StartAsync(
            _database, server.Uri, o => (o.Idempotency.Quoted, o.Idempotency.HeaderName) = (true, "X-Order"));
        var letter = await process.KeepAsync(Post("invoices"));

        var review = process.Review;
        var corrected = await review.ResubmitAsync(letter.Id, l => l with { Body = "2"u8.ToArray() }, "alice", Token);
        (await process.DoneAsync(corrected)).Status.ShouldBe(DeadLetterStatus.Replayed);

        corrected.IdempotencyKey.ShouldNotBe(letter.IdempotencyKey);
        (corrected.IdempotencyHeaderName, corrected.HttpVersion).ShouldBe(("X-Order", HttpVersion.Version11));
        server.Requests.Select(KeysOf).ShouldBe(
            [$"X-Order: \"{letter.IdempotencyKey}\"", $"X-Order: \"{corrected.IdempotencyKey}\""]);
    }

    [Theory]
    [InlineData(null, Keys.Same, "Idempotency-Key: key-1"), InlineData(null, Keys.OtherName, "X-Other: key-1")]
    [InlineData(null, Keys.Quoted, "Idempotency-Key: \"key-1\""), InlineData("X-Own", Keys.Same, "X-Own: key-1")]
    [InlineData("X-Own", Keys.OtherName, "X-Own: key-1"), InlineData("X-Own", Keys.Disabled, "X-Own: key-1")]
    public async Task A_planted_key_does_not_beat_that_of_the_letter(string? name, Keys keys, string sent)
    {
        await using var server = new RawServer(Raw.Ok);
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri, o => Set(o, keys));
        string ofClient = keys is Keys.OtherName ? "x-other" : "idempotency-key";
        var letter = ReplayProcess.LetterTo(server.Uri) with
        {
            IdempotencyHeaderName = name,
            Headers = [new(keys is Keys.Disabled ? "X-OWN" : ofClient, "planted"), new(name ?? ofClient, "\"planted\"")],
        };

        (await process.DoneAsync(await process.AddAsync(letter))).Status.ShouldBe(DeadLetterStatus.Replayed);

        KeysOf(server.Requests.ShouldHaveSingleItem()).ShouldBe(sent);
    }

    [Theory]
    [InlineData("POST", true, false), InlineData("PATCH", true, false), InlineData("POST", false, true), InlineData("PUT", true, true)]
    public async Task A_client_that_would_send_no_key_sends_no_letter_that_may_have_been_processed(string method, bool may, bool isSent)
    {
        await using var server = new RawServer(Raw.Ok);
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri, o => o.Idempotency.Enabled = false);
        var letter = ReplayProcess.LetterTo(server.Uri) with { Method = method, MayHaveBeenProcessed = may };

        var after = await process.DoneAsync(await process.AddAsync(letter));

        server.Count.ShouldBe(isSent ? 1 : 0);
        (after.Status, after.SuggestedAction).ShouldBe(
            isSent ? (DeadLetterStatus.Replayed, null) : (DeadLetterStatus.RequiresReview, Check));
    }

    [Fact]
    public async Task An_API_of_HTTP_2_only_gets_HTTP_2()
    {
        await using var server = await KestrelServer.StartHttp2Async(Reply.Unavailable, Reply.With(201));
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri);
        var request = Post("invoices");
        (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);

        var letter = await process.KeepAsync(request);
        var after = await process.ReplayAsync(letter);

        (letter.HttpVersion, letter.HttpVersionPolicy).ShouldBe((HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact));
        (after.Status, server.Count).ShouldBe((DeadLetterStatus.Replayed, 2));
    }

    [Fact]
    public async Task A_letter_of_the_first_version_has_the_HTTP_version_of_its_client()
    {
        await using var server = await KestrelServer.StartHttp2Async(Reply.With(201));
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri, build: client => client.ConfigureHttpClient(c =>
            (c.DefaultRequestVersion, c.DefaultVersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact)));

        var after = await process.DoneAsync(await process.AddAsync(ReplayProcess.LetterTo(server.Uri)));

        (after.Status, server.Count).ShouldBe((DeadLetterStatus.Replayed, 1));
    }

    [Fact]
    public async Task A_request_of_its_own_version_keeps_it()
    {
        await using var server = new RawServer(Raw.Unavailable, Raw.Ok);
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri, build: client => client.ConfigureHttpClient(c =>
            (c.DefaultRequestVersion, c.DefaultVersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact)));

        // SendAsync does not apply the defaults of the client.
        var letter = await process.KeepAsync(Post("invoices"));

        (await process.ReplayAsync(letter)).Status.ShouldBe(DeadLetterStatus.Replayed);
        server.Count.ShouldBe(2);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task The_name_of_a_virtual_host_is_kept(bool isDefault)
    {
        await using var server = new RawServer(Raw.Unavailable, Raw.Ok);
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri, build: client =>
            client.ConfigureHttpClient(c => c.DefaultRequestHeaders.Host = isDefault ? "orders.example:8080" : null));
        var request = Post("invoices");
        if (!isDefault)
            request.Headers.Host = "orders.example:8080";

        var letter = await process.KeepAsync(request);
        (await process.ReplayAsync(letter)).Status.ShouldBe(DeadLetterStatus.Replayed);

        server.Requests.Select(r => r.Headers["Host"]).ShouldBe(["orders.example:8080", "orders.example:8080"]);
    }

    [Fact]
    public async Task The_name_of_a_virtual_host_does_not_follow_to_another_host()
    {
        await using var other = new RawServer(Raw.Ok);
        await using var server = new RawServer(
            Raw.Unavailable, Raw.Answer($"HTTP/1.1 308 Moved\r\nLocation: {other.Uri}\r\nContent-Length: 0\r\n\r\n"));
        await using var process = await ReplayProcess.StartAsync(
            _database, server.Uri, o => o.DeadLetter.AllowedAuthorities = [other.Uri.ToString()]);
        var request = Post("invoices");
        request.Headers.Host = "orders.example";

        (await process.ReplayAsync(await process.KeepAsync(request))).Status.ShouldBe(DeadLetterStatus.Replayed);

        other.Requests.ShouldHaveSingleItem().Headers["Host"].ShouldBe(other.Uri.Authority);
    }

    [Theory]
    [InlineData("base/a%2Fb/../c%2e%2e/%7Ed"), InlineData("base/./x//y?q=%7e&r=%41"), InlineData("?q=%2e%2E"), InlineData("a%5Cb\\c/../")]
    public async Task The_characters_of_a_URI_are_sent_as_they_were(string target)
    {
        await using var server = new RawServer(Raw.Unavailable, Raw.Ok);
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri);
        var request = Post(target);
        request.RequestUri = new Uri($"{server.Uri}{target}", AsIs);

        var letter = await process.KeepAsync(request);
        (await process.ReplayAsync(letter)).Status.ShouldBe(DeadLetterStatus.Replayed);

        letter.OriginalUri.ShouldBe($"{server.Uri}{target}");
        server.Requests.Select(r => r.Target).ShouldBe([$"/{target}", $"/{target}"]);
    }

    [Theory, InlineData("invoices/a%2Fb?q=%C3%A9"), InlineData("invoices/../x?y=ü"), InlineData("")]
    public async Task Nothing_more_is_stored_for_an_ordinary_URI(string target)
    {
        await using var server = new RawServer(Raw.Unavailable);
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri);

        (await process.KeepAsync(Post(target))).OriginalUri.ShouldBeNull();
    }

    [Fact]
    public async Task A_URI_with_a_second_request_in_it_is_not_sent()
    {
        await using var server = new RawServer(Raw.Ok);
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri);
        var letter = ReplayProcess.LetterTo(new Uri(server.Uri, "base/x")) with
        {
            OriginalUri = $"{server.Uri}base/x HTTP/1.1\r\nX: y\r\n\r\nGET /admin",
        };

        var after = await process.DoneAsync(await process.AddAsync(letter));

        (after.Status, server.Count).ShouldBe((DeadLetterStatus.RequiresReview, 0));
        after.SuggestedAction!.ShouldContain("its original URI has blanks or control characters");
    }

    [Theory]
    [InlineData("http://evil.example/base/x"), InlineData("{0}other")]
    [InlineData("base/x"), InlineData("http://user@{1}/base/x"), InlineData("{0}base/x?y=1")]
    public async Task Characters_that_are_not_those_of_the_URI_are_not_sent(string original)
    {
        await using var server = new RawServer(Raw.Ok);
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri);
        var letter = ReplayProcess.LetterTo(new Uri(server.Uri, "base/x")) with
        {
            OriginalUri = string.Format(null, original, server.Uri, server.Uri.Authority),
        };

        var after = await process.DoneAsync(await process.AddAsync(letter));

        (after.Status, after.SuggestedAction, server.Count).ShouldBe(
            (DeadLetterStatus.RequiresReview, "Check its URI, which cannot be sent as it was; then resubmit it, or resolve it", 0));
    }

    [Fact]
    public async Task A_corrected_URI_is_sent_in_place_of_the_original_characters()
    {
        await using var other = new RawServer(Raw.Ok);
        await using var server = new RawServer(Raw.Unavailable, Raw.Ok, Raw.Ok);
        await using var process = await ReplayProcess.StartAsync(
            _database, server.Uri, o => o.DeadLetter.AllowedAuthorities = [other.Uri.ToString()]);
        var request = Post("x");
        (request.RequestUri, request.Headers.Host) = (new Uri($"{server.Uri}a/../%7Ed", AsIs), "orders.example");
        var review = process.Review;
        var letter = await process.KeepAsync(request);

        var body = await review.ResubmitAsync(letter.Id, l => l with { Body = "2"u8.ToArray() }, "alice", Token);
        await process.DoneAsync(body);
        var moved = await process.AddAsync(letter with { Version = 0, Status = DeadLetterStatus.RequiresReview });
        moved = await review.ResubmitAsync(moved.Id, l => l with { Uri = new Uri(other.Uri, "right") }, "alice", Token);
        await process.DoneAsync(moved);

        (body.OriginalUri, moved.OriginalUri).ShouldBe((letter.OriginalUri, null));
        server.Requests.Select(r => (r.Target, r.Headers["Host"])).ShouldBe(
            [("/a/../%7Ed", "orders.example"), ("/a/../%7Ed", "orders.example")]);
        other.Requests.Select(r => (r.Target, r.Headers["Host"])).ShouldBe([("/right", other.Uri.Authority)]);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static UriCreationOptions AsIs => new() { DangerousDisablePathAndQueryCanonicalization = true };

    private static HttpRequestMessage Post(string target) =>
        new(HttpMethod.Post, new Uri(target, UriKind.Relative)) { Content = new StringContent("invoice 1") };

    private static void Set(HttpResilienceOptions options, Keys keys)
    {
        options.Idempotency.Enabled = keys is not Keys.Disabled;
        options.Idempotency.Quoted = keys is Keys.Quoted;
        if (keys is Keys.OtherName)
            options.Idempotency.HeaderName = "X-Other";
    }

    private static string KeysOf(ReceivedRequest request) => string.Join("; ", request.Headers
        .Where(h => h.Key.ToUpperInvariant() is "IDEMPOTENCY-KEY" or "X-REQUEST-KEY" or "X-OTHER" or "X-ORDER" or "X-OWN")
        .Select(h => $"{h.Key}: {h.Value}"));
}
