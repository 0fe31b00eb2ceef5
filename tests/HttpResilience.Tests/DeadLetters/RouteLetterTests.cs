namespace HttpResilience.Tests.DeadLetters;

/// <summary>Dead letters of a client of which only a route keeps them.</summary>
public sealed class RouteLetterTests : ReplayTestBase
{
    [Fact]
    public async Task Only_the_failed_calls_of_the_route_are_kept()
    {
        var chain = OpenWithRoute();
        chain.Server.Script(Replies.Status(500));

        using var kept = await chain.PostAsync();
        using var other = await chain.SendAsync(true, new(HttpMethod.Post, "other") { Content = new StringContent("{}") });

        Store.Letters.ShouldHaveSingleItem().Uri.AbsolutePath.ShouldBe("/invoices");
        (kept.GetHttpCall()!.DeadLetterId is null, other.GetHttpCall()!.DeadLetterId).ShouldBe((false, null));
    }

    /// <summary>The key of the client is forgotten after an hour, that of the route after a day.</summary>
    [Fact]
    public async Task A_letter_is_replayed_under_the_policy_of_its_route()
    {
        var chain = OpenWithRoute();
        chain.Server.Script(Replies.Status(503), Replies.Status(200));
        var ofRoute = Letter() with { MayHaveBeenProcessed = true, FirstFailedAt = chain.Clock.GetUtcNow() - TimeSpan.FromHours(2) };
        var ofClient = ofRoute with { Id = Guid.CreateVersion7(), Uri = new("https://api.test/other") };
        await AddAsync(ofRoute);
        await AddAsync(ofClient);

        await StartAsync();
        await UntilAsync(ofRoute, DeadLetterStatus.Replayed);
        await UntilAsync(ofClient, DeadLetterStatus.RequiresReview);

        // The route retries once within the replay; the other letter is not sent, its key may have expired.
        chain.Server.Requests.Select(r => (r.Uri.AbsolutePath, r.Call!.Route)).ShouldBe(
            [("/invoices", "POST /invoices"), ("/invoices", "POST /invoices")]);
    }

    [Fact]
    public async Task The_replays_of_a_letter_are_counted_by_its_route()
    {
        var chain = OpenWithRoute();
        chain.Server.Script(Replies.Status(500));
        var letter = Letter();
        await AddAsync(letter);

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.RequiresReview);

        Store.Letters.Single().Replays.ShouldBe(1);
    }

    private Chain OpenWithRoute()
    {
        var chain = Open(o =>
        {
            (o.DeadLetter.Enabled, o.Idempotency.KeyLifetime) = (false, TimeSpan.FromHours(1));
            o.Routes["POST /invoices"] = r =>
            {
                (r.DeadLetter.Enabled, r.DeadLetter.MaxReplays, r.Idempotency.KeyLifetime) = (true, 1, TimeSpan.FromDays(1));
                (r.Retry.MaxRetryAttempts, r.Retry.Delay) = (1, TimeSpan.Zero);
            };
        });
        chain.Clock.SkipsWaits = true;
        return chain;
    }
}
