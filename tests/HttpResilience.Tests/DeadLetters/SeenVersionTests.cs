using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>Of two operators who have seen the same letter, the second one learns what the first has done, and changes nothing.</summary>
public sealed class SeenVersionTests : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddLogging()
        .AddHttpResilienceStorage(storage => storage.UseInMemory()).AddResilientHttpClient("invoices", o => o.DeadLetter.Enabled = true)
        .ConfigurePrimaryHttpMessageHandler(() => new FaultScript().Status(200)).Services.BuildServiceProvider();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private IDeadLetterReview Review => _services.GetRequiredService<IDeadLetterReview>();

    public static TheoryData<string> Deeds => ["replay", "send", "resubmit", "resolve"];

    [Theory, MemberData(nameof(Deeds))]
    public async Task A_change_of_the_version_that_was_seen_is_made(string deed)
    {
        var seen = await AddAsync();

        await DoAsync(deed, seen, "anna");

        (await FindAsync(seen)).Version.ShouldBeGreaterThan(seen.Version);
    }

    [Theory, MemberData(nameof(Deeds))]
    public async Task A_change_of_another_version_is_refused_and_tells_what_was_done(string deed)
    {
        var seen = await AddAsync();
        var done = await Review.ReplayAsync(seen.Id, seen.Version, "anna", Stop);

        var refusal = await Should.ThrowAsync<DeadLetterChangedException>(() => DoAsync(deed, seen, "ben"));

        (refusal.Letter.Version, refusal.Letter.Resolution!.By, refusal.Letter.Resolution.Action)
            .ShouldBe((done.Version, "anna", "Replay"));
        refusal.Message.ShouldContain("anna");
        refusal.Message.ShouldContain("'Replay'");
        (await FindAsync(seen)).Version.ShouldBe(done.Version);
    }

    [Theory, MemberData(nameof(Deeds))]
    public async Task What_was_done_is_told_also_when_the_letter_is_settled(string deed)
    {
        var seen = await AddAsync();
        await Review.ResolveAsync(seen.Id, seen.Version, "Entered by hand", null, "anna", Stop);

        var refusal = await Should.ThrowAsync<DeadLetterChangedException>(() => DoAsync(deed, seen, "ben"));

        (refusal.Letter.Status, refusal.Letter.Resolution!.By).ShouldBe((DeadLetterStatus.Resolved, "anna"));
    }

    [Theory, MemberData(nameof(Deeds))]
    public async Task Of_many_at_once_one_succeeds(string deed)
    {
        var seen = await AddAsync();

        var all = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            try
            {
                await DoAsync(deed, seen, $"operator {i}");
                return true;
            }
            catch (DeadLetterChangedException)
            {
                return false;
            }
        })));

        all.Count(isDone => isDone).ShouldBe(1);
    }

    [Fact]
    public async Task Groups_are_those_of_the_store()
    {
        var letter = await AddAsync();

        (await Review.GroupsAsync(new(), cancellationToken: Stop)).ShouldHaveSingleItem().Fingerprint.ShouldBe(letter.Fingerprint);
        (await Review.GroupsAsync(new() { ClientName = "other" }, cancellationToken: Stop)).ShouldBeEmpty();
        await Should.ThrowAsync<ArgumentNullException>(() => Review.GroupsAsync(null!, cancellationToken: Stop));
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private Task<DeadLetter> DoAsync(string deed, DeadLetter seen, string by) => deed switch
    {
        "replay" => Review.ReplayAsync(seen.Id, seen.Version, by, Stop),
        "send" => Review.SendAsync(seen.Id, seen.Version, by, Stop),
        "resubmit" => Review.ResubmitAsync(seen.Id, seen.Version, l => l with { Body = new byte[] { 1 } }, by, Stop),
        _ => Review.ResolveAsync(seen.Id, seen.Version, "Done", null, by, Stop),
    };

    private async Task<DeadLetter> FindAsync(DeadLetter letter) => (await Review.FindAsync(letter.Id, Stop))!;

    private async Task<DeadLetter> AddAsync()
    {
        var letter = new DeadLetter
        {
            Id = Guid.CreateVersion7(),
            ClientName = "invoices",
            Method = "POST",
            Uri = new("https://api.example.com/invoices"),
            FailureClass = FailureClass.Validation,
            StopReason = StopReason.NotRetryable,
            StatusCode = 422,
            FirstFailedAt = DateTimeOffset.UnixEpoch,
            LastFailedAt = DateTimeOffset.UnixEpoch,
            Status = DeadLetterStatus.RequiresReview,
            DueAt = DateTimeOffset.UnixEpoch,
        };
        await _services.GetRequiredService<IDeadLetterStore>().AddAsync(letter, Stop);
        return await FindAsync(letter);
    }
}
