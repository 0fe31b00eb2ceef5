using HttpResilience.Tests.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>Letters of an integration that is paused.</summary>
public sealed class PausedIntegrationTests : ReplayTestBase
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_rejected_by_a_pause_is_stored_completely(bool byPerson)
    {
        var chain = Open(services: s => s.AddHttpResilienceOperations());
        Pause(chain, byPerson ? "Ann" : null);
        chain.Clock.Advance(TimeSpan.FromSeconds(10));

        await Should.ThrowAsync<IntegrationPausedException>(() => chain.PostAsync());
        using var streamed = Chain.Post(new StreamContent(new OneShotStream("{}"u8.ToArray())));
        streamed.Content!.Headers.ContentLength = 2;
        await Should.ThrowAsync<IntegrationPausedException>(() => chain.SendAsync(async: true, streamed));

        Store.Letters.Count.ShouldBe(2);
        Store.Letters.ShouldAllBe(l =>
            l.Status == DeadLetterStatus.Pending && l.StopReason == StopReason.IntegrationPaused && l.FailureClass == FailureClass.Transient
            && !l.MayHaveBeenProcessed && !l.BodyIsMissing && l.Attempts == 0);
        // Due with the next probe, or after a minute without one.
        Store.Letters.ShouldAllBe(l => l.DueAt == chain.Clock.GetUtcNow() + TimeSpan.FromSeconds(byPerson ? 60 : 20));
        chain.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Letters_of_a_paused_integration_are_not_claimed_before_the_next_probe()
    {
        var chain = Open(services: s => s.AddHttpResilienceOperations().AddResilientHttpClient("crm", o => o.DeadLetter.Enabled = true));
        _ = chain.Services.GetRequiredKeyedService<Client>("crm");
        Pause(chain, by: null);
        var letter = Letter();
        await AddAsync(letter);
        await StartAsync();
        await ClaimsAsync(1);
        Store.Claims[^1].Clients.ShouldBe(["crm"]);
        Store.Letter.Status.ShouldBe(DeadLetterStatus.Pending);

        chain.Clock.Advance(TimeSpan.FromSeconds(30));
        Store.WakeUp();
        await UntilAsync(letter, DeadLetterStatus.Replayed);

        chain.Budget.IsPaused.ShouldBeTrue();
        chain.Logs.WithId(604).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_letter_rejected_by_a_pause_uses_up_no_replay()
    {
        var chain = Open(services: s => s.AddHttpResilienceOperations());
        var letter = Letter();
        await AddAsync(letter);
        Pause(chain, by: null);
        var replay = chain.Services.GetRequiredService<DeadLetterReplayer>();
        var claimed = (await Store.DeadLetters.ClaimAsync(new()
        {
            Clients = ["api"],
            Now = chain.Clock.GetUtcNow(),
            LeaseUntil = chain.Clock.GetUtcNow() + DeadLetterReplayer.LeaseLength,
            Limit = 1,
        }, Stop)).Single();

        await replay.SendAsync(claimed, Stop);

        (Store.Letter.Status, Store.Letter.Replays, Store.Letter.DueAt).ShouldBe(
            (DeadLetterStatus.Pending, 0, chain.Clock.GetUtcNow() + TimeSpan.FromSeconds(30)));
    }

    private static void Pause(Chain chain, string? by) =>
        chain.Budget.Pause.TrySet(new("api", IsPaused: true, by, chain.Clock.GetUtcNow()), chain.Clock.GetTimestamp());
}
