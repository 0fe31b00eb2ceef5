namespace HttpResilience.Tests.DeadLetters;

/// <summary>Letters of a tenant that a 429 has paused.</summary>
public sealed class PausedTenantTests : ReplayTestBase
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(200);

    [Fact]
    public async Task They_are_due_again_when_the_pause_ends_and_those_of_other_tenants_are_sent()
    {
        var chain = Open();
        chain.Server.Script(Replies.Status(429, ("Retry-After", "200")), Replies.Status(201));
        using var limited = await chain.SendAsync(async: true, Chain.Post().WithTenant("a"));
        await AddAsync(Letter() with { Tenant = "a" });
        await AddAsync(Letter() with { Tenant = "b" });
        await AddAsync(Letter());

        await StartAsync();
        await EventuallyAsync(() => (Count(DeadLetterStatus.Replayed), Count(DeadLetterStatus.InProgress)) == (2, 0));

        Store.Letters.Where(l => l.Status is DeadLetterStatus.Pending).ShouldAllBe(
            l => l.Tenant == "a" && l.Replays == 0 && l.DueAt == chain.Clock.GetUtcNow() + Pause);
        chain.Server.Requests.Count.ShouldBe(3);

        chain.Clock.Advance(Pause);
        Store.WakeUp();
        await EventuallyAsync(() => Count(DeadLetterStatus.Replayed) == 4);
        chain.Server.Requests.Count.ShouldBe(5);
    }

    private int Count(DeadLetterStatus status) => Store.Letters.Count(l => l.Status == status);
}
