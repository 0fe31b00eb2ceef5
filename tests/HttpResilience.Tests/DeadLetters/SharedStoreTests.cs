using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>A web application that keeps letters and a worker that replays some, on one store.</summary>
public sealed class SharedStoreTests : IAsyncDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _clock = new();
    private readonly TestStorage _store = new();
    private readonly FaultScript _server;
    private readonly List<IHost> _hosts = [];
    private readonly Dictionary<IHost, LogCollector> _logs = [];

    public SharedStoreTests() => _server = new(_clock);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Due_letters_of_an_application_that_nobody_replays_are_named_in_log_and_health_within_a_minute()
    {
        var web = await StartAsync("web");
        var worker = await StartAsync("worker", replays: true);
        await FailAsync(web, _clock.GetUtcNow());

        await BeatAsync(3);

        await EventuallyAsync(() => _logs[worker].WithId(541).Count == 1);
        var (level, text) = (_logs[worker].WithId(541)[0].Level, _logs[worker].WithId(541)[0].Message);
        level.ShouldBe(LogLevel.Error);
        text.ShouldContain("Dead letters of application web are due since");
        text.ShouldContain("Storage:Application");
        text.ShouldContain("DeadLetterReplayOptions.Applications");
        foreach (var host in _hosts)
        {
            var health = await HealthAsync(host);
            health.Status.ShouldBe(HealthStatus.Degraded);
            health.Description.ShouldStartWith("No live process replays the dead letters of application web");
        }

        _server.Requests.ShouldBeEmpty();
        await BeatAsync(2);
        _logs[worker].WithId(541).Count.ShouldBe(1);
        _logs[web].WithId(541).ShouldBeEmpty();
    }

    [Theory, InlineData("worker", "web"), InlineData("web", null), InlineData("WEB", "web")]
    public async Task Letters_are_sent_by_a_worker_of_the_same_application_or_one_that_names_it(string application, string? named)
    {
        var web = await StartAsync("web");
        var worker = await StartAsync(application, replays: true, names: named);

        var letter = await FailAsync(web, _clock.GetUtcNow());

        await EventuallyAsync(() => _store.Letters.Single(l => l.Id == letter.Id).Status == DeadLetterStatus.Replayed);
        await BeatAsync(4);
        _logs[worker].WithId(541).ShouldBeEmpty();
        (await HealthAsync(worker)).Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task A_worker_that_stops_is_missed_by_another_until_one_starts_again()
    {
        var web = await StartAsync("web");
        var other = await StartAsync("other", replays: true);
        var worker = await StartAsync("web", replays: true);
        await BeatAsync(1);
        await StopAsync(worker);
        await FailAsync(web, _clock.GetUtcNow());

        await BeatAsync(4);
        await EventuallyAsync(() => _logs[other].WithId(541).Count == 1);
        await StartAsync("web", replays: true);
        await BeatAsync(1);

        await EventuallyAsync(() => _logs[other].WithId(543).Count == 1);
        (await HealthAsync(other)).Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task Letters_of_a_renamed_client_are_named_after_the_start_in_log_health_and_review()
    {
        await FailAsync("web", "before", _clock.GetUtcNow().AddHours(1));
        var web = await StartAsync("web", replays: true);

        await BeatAsync(1);

        await EventuallyAsync(() => _logs[web].WithId(542).Count == 1);
        (_logs[web].WithId(542)[0].Level, _logs[web].WithId(542)[0].Message.Contains("before", StringComparison.Ordinal))
            .ShouldBe((LogLevel.Error, true));
        (await HealthAsync(web)).Description!.ShouldContain("has their client before");
        (await web.Services.GetRequiredService<IDeadLetterReview>().UnreplayedAsync(Stop)).ShouldBe(
            [new("web", "before", _clock.Start.AddHours(1))]);
    }

    [Fact]
    public async Task A_missing_key_of_protected_letters_is_named_in_health()
    {
        var web = await StartAsync("web");
        var letter = await FailAsync("web", "api", _clock.GetUtcNow());
        await _store.DeadLetters.AddAsync(
            letter with
            {
                Id = Guid.CreateVersion7(),
                Status = DeadLetterStatus.RequiresReview,
                ProtectedWith = "7c0d@shop",
                SuggestedAction = LetterKeyMissingException.ActionOf("7c0d@shop"),
            },
            Stop);

        var health = await HealthAsync(web);

        health.Status.ShouldBe(HealthStatus.Degraded);
        health.Description!.ShouldStartWith("key 7c0d@shop of protected dead letters is missing");
    }

    [Fact]
    public async Task A_process_that_does_not_replay_reports_the_letters_of_its_own_application_only()
    {
        await FailAsync("crm", "api", _clock.GetUtcNow().AddMinutes(-1));
        var web = await StartAsync("web");

        (await web.Services.GetRequiredService<IDeadLetterReview>().UnreplayedAsync(Stop)).ShouldBeEmpty();
        (await HealthAsync(web)).Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task A_process_writes_what_it_replays_every_10_seconds_and_reports_once_that_the_store_fails()
    {
        var worker = await StartAsync("worker", replays: true, names: "web");

        var first = (await RowsAsync()).ShouldHaveSingleItem();
        (first.Application, first.Replays, first.ReplaysFor.Single(), first.Clients.Single(), first.StartedAt).ShouldBe(
            ("worker", true, "web", "api", _clock.Start));
        first.Name.ShouldBe($"{Environment.MachineName}:{Environment.ProcessId}");
        await BeatAsync(1);
        (await RowsAsync()).ShouldHaveSingleItem().Id.ShouldBe(first.Id);

        (_store.FailsOn, _store.Fails) = (nameof(IInstanceStore.SaveAsync), new HttpResilienceStorageException("gone"));
        _clock.Advance(Beat);
        await EventuallyAsync(() => _logs[worker].WithId(544).Count == 1);
        _clock.Advance(Beat);
        _store.Fails = null;
        await EventuallyAsync(async () =>
        {
            _clock.Advance(Beat);
            return (await RowsAsync()).Single().SeenAt > _clock.Start + (3 * Beat);
        });
        _logs[worker].WithId(544).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_store_that_cannot_be_used_at_the_start_is_an_Error_and_its_recovery_is_logged()
    {
        (_store.FailsOn, _store.Fails) = (nameof(IInstanceStore.SaveAsync), new HttpResilienceStorageException("There is no directory."));
        var web = await StartAsync("web", waitsForRow: false);
        await EventuallyAsync(() => _logs[web].WithId(572).Count == 1);
        (_logs[web].WithId(572)[0].Level, _logs[web].WithId(572)[0].Message.Contains("requests that finally fail are lost",
            StringComparison.Ordinal)).ShouldBe((LogLevel.Error, true));

        _clock.Advance(Beat);
        _store.Fails = null;
        await EventuallyAsync(() =>
        {
            _clock.Advance(Beat);
            return _logs[web].WithId(573).Count == 1;
        });

        (_logs[web].WithId(572).Count, _logs[web].WithId(544).Count).ShouldBe((1, 0));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts.ToList())
            await StopAsync(host);
    }

    private async Task<IHost> StartAsync(string application, bool replays = false, string? names = null, bool waitsForRow = true)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var logs = new LogCollector();
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddProvider(logs);
        builder.Configuration["HttpResilience:Storage:Application"] = application;
        builder.Services.AddSingleton<TimeProvider>(_clock);
        builder.Services.AddHttpResilienceStorage(storage => storage.UseInMemory(_store.Storage));
        builder.Services.AddResilientHttpClient("api", o => (o.DeadLetter.Enabled, o.Retry.MaxRetryAttempts) = (true, 0))
            .ConfigureHttpClient(c => c.BaseAddress = new("https://api.test/"))
            .ConfigurePrimaryHttpMessageHandler(() => _server);
        builder.Services.AddHealthChecks().AddHttpResilience();
        if (replays)
            builder.Services.AddDeadLetterReplay(o =>
            {
                if (names is not null)
                    o.Applications.Add(names);
            });
        var host = builder.Build();
        _hosts.Add(host);
        _logs[host] = logs;
        int rows = (await RowsAsync()).Count;
        await host.StartAsync(Stop);
        if (waitsForRow)
            await EventuallyAsync(async () => (await RowsAsync()).Count > rows);
        return host;
    }

    private async Task StopAsync(IHost host)
    {
        await host.StopAsync(CancellationToken.None);
        host.Dispose();
        _hosts.Remove(host);
    }

    private static Task<DeadLetter> FailAsync(IHost host, DateTimeOffset dueAt) =>
        AddAsync(host.Services.GetRequiredService<IDeadLetterStore>(), "", "api", dueAt);

    private Task<DeadLetter> FailAsync(string application, string client, DateTimeOffset dueAt) =>
        AddAsync(_store.DeadLetters, application, client, dueAt);

    private static async Task<DeadLetter> AddAsync(IDeadLetterStore store, string application, string client, DateTimeOffset dueAt)
    {
        var letter = new DeadLetter
        {
            Id = Guid.CreateVersion7(),
            Application = application,
            ClientName = client,
            Method = "POST",
            Uri = new("https://api.test/invoices"),
            Body = "{}"u8.ToArray(),
            IdempotencyKey = "key-1",
            FailureClass = FailureClass.Transient,
            StopReason = StopReason.AttemptsExhausted,
            Attempts = 1,
            FirstFailedAt = dueAt,
            LastFailedAt = dueAt,
            Status = DeadLetterStatus.Pending,
            DueAt = dueAt,
        };
        await store.AddAsync(letter, Stop);
        return letter;
    }

    private Task<IReadOnlyList<StorageInstance>> RowsAsync() => _store.Storage.Instances.ListAsync(DateTimeOffset.MinValue, Stop);

    // Every running process has written its row when the clock goes on.
    private async Task BeatAsync(int times)
    {
        for (int i = 0; i < times; i++)
        {
            _clock.Advance(Beat);
            await EventuallyAsync(async () => (await RowsAsync()).Count(r => r.SeenAt == _clock.GetUtcNow()) == _hosts.Count);
        }
    }

    private static async Task<HealthReportEntry> HealthAsync(IHost host) =>
        (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Stop)).Entries["http-resilience"];

    private static Task EventuallyAsync(Func<bool> condition) => EventuallyAsync(() => Task.FromResult(condition()));

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        using var hang = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        hang.CancelAfter(TimeSpan.FromMinutes(2));
        while (!await condition())
            await Task.Delay(1, hang.Token);
    }
}
