using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Storage;

/// <summary>Settled letters are deleted after <c>DeadLetter:Retention</c>, by each client's own.</summary>
public sealed class RetentionTests : IDisposable
{
    private static readonly DateTimeOffset Start = new ManualTimeProvider().GetUtcNow();

    private readonly ManualTimeProvider _clock = new();
    private readonly TestStorage _store = new();
    private readonly LogCollector _logs = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _store.Storage.Dispose();

    // The value of the setting (none: not set), whether the store is from before, and the ages in days that are deleted.
    public static TheoryData<string?, bool, int[]> Settings => new()
    {
        { null, false, [31, 400] }, { null, true, [] }, { "", false, [] }, { "", true, [] }, { "30.00:00:00", true, [31, 400] },
        { "365.00:00:00", false, [400] }, { "1.00:00:00", true, [2, 29, 31, 400] },
    };

    [Theory, MemberData(nameof(Settings), DisableDiscoveryEnumeration = true)]
    public async Task Letters_are_deleted_that_were_settled_longer_ago(string? retention, bool isFromBefore, int[] deleted)
    {
        _store.Storage.KeepsByDefault = isFromBefore;
        int[] ages = [0, 2, 29, 31, 400];
        foreach (int age in ages)
            await AddAsync(age, DeadLetterStatus.Resolved);
        using var host = await StartAsync(new() { ["a:DeadLetter:Retention"] = retention });

        await PassAsync();

        _store.Letters.Select(l => l.Attempts).Order().ShouldBe(ages.Except(deleted).Order());
        if (deleted.Length > 0)
        {
            var line = _logs.WithId(560).ShouldHaveSingleItem();
            (line.Level, line["ClientName"], line["Count"]).ShouldBe((LogLevel.Information, "a", deleted.Length));
        }
        else
        {
            _logs.WithId(560).ShouldBeEmpty();
        }

        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task Each_client_has_a_retention_of_its_own_and_other_applications_have_theirs()
    {
        await AddAsync(10, DeadLetterStatus.Replayed, "a");
        await AddAsync(11, DeadLetterStatus.Replayed, "b");
        await AddAsync(12, DeadLetterStatus.Replayed, "unknown");
        await AddAsync(13, DeadLetterStatus.Replayed, "a", "another");
        await AddAsync(14, DeadLetterStatus.Replayed, "a", "");
        using var host = await StartAsync(new() { ["a:DeadLetter:Retention"] = "5.00:00:00", ["b:DeadLetter:Retention"] = "20.00:00:00" });

        await PassAsync();

        _store.Letters.Select(l => l.Attempts).Order().ShouldBe([11, 12, 13]);
        await host.StopAsync(Stop);
    }

    [Theory, InlineData(DeadLetterStatus.Pending), InlineData(DeadLetterStatus.InProgress), InlineData(DeadLetterStatus.RequiresReview)]
    public async Task A_letter_that_is_not_settled_is_never_deleted(DeadLetterStatus status)
    {
        await AddAsync(4000, status);
        await AddAsync(4001, DeadLetterStatus.Resolved);
        using var host = await StartAsync(new() { ["a:DeadLetter:Retention"] = "00:01:00" });

        await PassAsync();

        _store.Letter.Status.ShouldBe(status);
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_reload_applies_to_the_next_hour()
    {
        await AddAsync(10, DeadLetterStatus.Resolved);
        using var host = await StartAsync(new() { ["a:DeadLetter:Retention"] = "20.00:00:00" });
        await PassAsync();
        _store.Letters.Count.ShouldBe(1);
        var configuration = (IConfigurationRoot)host.Services.GetRequiredService<IConfiguration>();
        configuration["HttpResilience:Clients:a:DeadLetter:Retention"] = "5.00:00:00";
        configuration.Reload();

        _clock.Advance(StorageUpkeep.Interval);

        await Eventually(() => _store.Letters.Count == 0);
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task An_error_of_any_kind_is_a_warning_and_the_next_hour_deletes()
    {
        await AddAsync(40, DeadLetterStatus.Resolved);
        (_store.FailsOn, _store.Fails) = (nameof(IDeadLetterStore.KeepsByDefaultAsync), new InvalidOperationException("of an own store"));
        using var host = await StartAsync([]);
        await PassAsync();
        await Eventually(() => _logs.WithId(524).Count == 2);
        _store.Fails = null;

        await _clock.TimerDueInAsync(StorageUpkeep.Interval);
        _clock.Advance(StorageUpkeep.Interval);

        await Eventually(() => _store.Letters.Count == 0);
        await host.StopAsync(Stop);
    }

    private Task<bool> AddAsync(int age, DeadLetterStatus status, string client = "a", string? application = "test") =>
        _store.DeadLetters.AddAsync(
            new()
            {
                Id = Guid.CreateVersion7(),
                Application = application ?? "",
                ClientName = client,
                Method = "POST",
                Uri = new("https://api.test/"),
                FailureClass = FailureClass.Transient,
                StopReason = StopReason.AttemptsExhausted,
                Attempts = age,
                FirstFailedAt = Start.AddDays(-5000),
                LastFailedAt = Start.AddDays(-age),
                Status = status,
                DueAt = Start.AddDays(-age),
            }, Stop);

    private async Task PassAsync()
    {
        await _clock.TimerDueInAsync(StorageUpkeep.FirstDelay);
        _clock.Advance(StorageUpkeep.FirstDelay);
        await _clock.TimerDueInAsync(StorageUpkeep.Interval);
        await Eventually(() => _logs.WithId(523).Count == 1);
        // What it deletes comes after; the next pass begins with the same line.
        _clock.Advance(StorageUpkeep.Interval);
        await Eventually(() => _logs.WithId(523).Count == 2);
    }

    private async Task<IHost> StartAsync(Dictionary<string, string?> settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = "test" });
        builder.Configuration.AddInMemoryCollection(settings.Where(s => s.Value is not null)
            .Select(s => KeyValuePair.Create($"HttpResilience:Clients:{s.Key}", s.Value is "" ? null : s.Value)));
        builder.Services.AddSingleton<TimeProvider>(_clock);
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddProvider(_logs);
        builder.Services.AddHttpResilienceStorage(s => s.UseInMemory(_store.Storage));
        foreach (string name in new[] { "a", "b" })
            builder.Services.AddResilientHttpClient(name, o => (o.BaseAddress, o.DeadLetter.Enabled) = (new("https://api.test"), true));
        var host = builder.Build();
        await host.StartAsync(Stop);
        return host;
    }

    private static async Task Eventually(Func<bool> condition)
    {
        while (!condition())
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
