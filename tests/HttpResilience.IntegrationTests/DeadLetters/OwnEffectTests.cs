using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.IntegrationTests.DeadLetters;

/// <summary>
/// The connection is cut after the first attempt was read, and a later one gets a status that may be due to the first one's own effect.
/// </summary>
public sealed class OwnEffectTests : IAsyncLifetime
{
    private const string Check = "Check whether it was processed; then resolve it, or replay it";

    private readonly InMemoryTestDatabase _database = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Theory, InlineData(404), InlineData(410)]
    public async Task What_a_DELETE_does_not_find_any_more_was_deleted(int status)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Abort, Reply.With(status));
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri, o => o.Retry.MaxRetryAttempts = 1);

        using var response = await process.Http.DeleteAsync(new Uri("invoices/1", UriKind.Relative), Token);

        ((int)response.StatusCode, server.Count).ShouldBe((status, 2));
        var call = response.GetHttpCall()!;
        (call.StopReason, call.FailureClass, call.DeadLetterId).ShouldBe((StopReason.Succeeded, FailureClass.None, null));
        (await process.Review.ListAsync(new(), Token)).ShouldBeEmpty();
    }

    [Theory, InlineData(404), InlineData(410)]
    public async Task What_a_replayed_DELETE_does_not_find_any_more_was_deleted(int status)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Abort, Reply.With(status));
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri);

        var letter = await process.KeepAsync(new(HttpMethod.Delete, "invoices/1"));
        var after = await process.ReplayAsync(letter);

        (after.Status, after.StatusCode, server.Count).ShouldBe((DeadLetterStatus.Replayed, status, 2));
    }

    [Theory]
    [InlineData("PUT", "If-Match", 412), InlineData("PUT", null, 412), InlineData("PATCH", "If-Unmodified-Since", 412)]
    [InlineData("POST", "Idempotency-Key", 422), InlineData("PATCH", "Idempotency-Key", 422), InlineData("PUT", "If-Match", 409)]
    [InlineData("POST", "If-None-Match", 422), InlineData("DELETE", "If-Match", 412)]
    public async Task What_may_be_the_effect_of_an_earlier_attempt_is_checked(string method, string? header, int status)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Abort, Reply.With(status), Reply.Abort, Reply.With(status));
        await using var live = await ReplayProcess.StartAsync(_database, server.Uri, o => o.Retry.MaxRetryAttempts = 1);
        var ofCall = await live.KeepAsync(Request(method, header));

        await using var later = await ReplayProcess.StartAsync(_database, server.Uri);
        var ofReplay = await later.ReplayAsync(await later.KeepAsync(Request(method, header)));

        server.Count.ShouldBe(4);
        foreach (var letter in new[] { ofCall, ofReplay })
            (letter.Status, letter.StatusCode, letter.SuggestedAction).ShouldBe((DeadLetterStatus.RequiresReview, status, Check));
    }

    [Fact]
    public async Task A_keyed_409_after_a_cut_means_that_the_request_is_in_flight()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Abort, Reply.With(409), Reply.With(201));
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri, o => o.Retry.MaxRetryAttempts = 2);

        using var response = await process.Http.SendAsync(Request("POST", null), Token);

        ((int)response.StatusCode, server.Requests.Select(r => r.Key).Distinct().Count()).ShouldBe((201, 1));
    }

    [Theory, InlineData("POST", 422), InlineData("PUT", 412), InlineData("POST", 409)]
    public async Task Without_an_earlier_attempt_it_is_about_the_data(string method, int status)
    {
        await using var server = await KestrelServer.StartAsync(Reply.With(status));
        await using var process = await ReplayProcess.StartAsync(_database, server.Uri);

        (await process.KeepAsync(Request(method, null))).SuggestedAction.ShouldNotBe(Check);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static HttpRequestMessage Request(string method, string? header)
    {
        var request = new HttpRequestMessage(new(method), "invoices/1") { Content = new StringContent("invoice 1") };
        if (header is not null)
            request.Headers.TryAddWithoutValidation(header, header is "If-Unmodified-Since" ? "Sun, 06 Nov 1994 08:49:37 GMT" : "\"1\"");
        return request;
    }
}
