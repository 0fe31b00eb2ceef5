using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>A replay has the settings of the original call; scopes of the code that starts the replay do not apply.</summary>
public sealed class ReplayScopeTests : ReplayTestBase
{
    private static readonly HttpCallScopeOptions OfThePage = new()
    {
        IdempotencyKey = "page-1",
        Tenant = "operators",
        MaxRetryAttempts = 0,
        Timeout = TimeSpan.FromHours(1),
        Tags = { ["url.template"] = "/page", ["user"] = "ann" },
    };

    [Theory, InlineData("comp1", false), InlineData(null, false), InlineData("comp1", true), InlineData(null, true)]
    public async Task A_replay_has_nothing_of_the_scope_around_it(string? tenant, bool byWorker)
    {
        var chain = Open();
        var letter = Letter() with { Tenant = tenant };
        await AddAsync(letter);

        using (HttpCallScope.Begin(OfThePage))
            await ReplayAsync(chain, letter, byWorker);

        chain.Server.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe("key-1");
        var call = chain.Logs.Calls.ShouldHaveSingleItem();
        (call["Tenant"], call["Path"], call["user"]).ShouldBe((tenant, "/invoices", null));
    }

    [Fact]
    public async Task A_replay_leaves_the_scope_to_the_calls_after_it()
    {
        var chain = Open();
        var letter = Letter();
        await AddAsync(letter);
        using var scope = HttpCallScope.Begin(new() { Tenant = "operators" });

        await ReplayAsync(chain, letter, byWorker: false);
        (await chain.GetAsync()).Dispose();

        chain.Logs.Calls.Select(c => c["Tenant"]).ShouldBe([null, "operators"]);
    }

    private async Task ReplayAsync(Chain chain, DeadLetter letter, bool byWorker)
    {
        if (byWorker)
        {
            await StartAsync();
            await UntilAsync(letter, DeadLetterStatus.Replayed);
        }
        else
        {
            var review = new DeadLetterReview(
                Store.DeadLetters, chain.Services.GetRequiredService<DeadLetterReplayer>,
                new(Store.DeadLetters, Store.Instances, "test", replays: [], _ => true, chain.Clock), chain.Clock, meter: null);
            (await review.SendAsync(letter.Id, "ann", TestContext.Current.CancellationToken)).Status.ShouldBe(DeadLetterStatus.Replayed);
        }
    }
}
