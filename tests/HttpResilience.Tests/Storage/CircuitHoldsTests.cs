using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Storage;

/// <summary>Hosts that are held back on all instances: several hosts on one store, and a person at another process.</summary>
public sealed class CircuitHoldsTests : IAsyncDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(10);

    // A Uri takes it for a host, and no name in DNS has this form.
    private const string NoDns = "xn--\u00e4";

    private static readonly Uri Api = new("https://api.test/v1/");

    private readonly ManualTimeProvider _clock = new();
    private readonly TestStorage _store = new();
    private readonly FaultScript _server;
    private readonly List<IHost> _hosts = [];
    private readonly Dictionary<IHost, LogCollector> _logs = [];

    public CircuitHoldsTests() => _server = new(_clock);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private CircuitHolds Operator => field ??= HoldsOf("shop");

    [Fact]
    public async Task A_host_is_held_back_and_let_through_on_all_instances_within_10_seconds()
    {
        var (one, two) = (await StartAsync(), await StartAsync());
        await BeatAsync(1);
        (await SendAsync(one), await SendAsync(two)).ShouldBe((true, true));

        var hold = await Operator.HoldBackAsync("api", Api, "anna", " they asked ", cancellationToken: Stop);
        await BeatAsync(1);

        hold.ShouldBe(new()
        {
            ClientName = "api",
            Authority = "https://api.test",
            IsHeld = true,
            By = "anna",
            Note = "they asked",
            At = _clock.GetUtcNow() - Beat,
        });
        (await SendAsync(one), await SendAsync(two)).ShouldBe((false, false));
        var circuit = (await Operator.ListAsync(cancellationToken: Stop)).ShouldHaveSingleItem();
        (circuit.IsHeld, circuit.State, circuit.LastChange).ShouldBe((true, CircuitState.Isolated, hold));
        circuit.Instances.Select(i => i.Circuit.State).ShouldBe([CircuitState.Isolated, CircuitState.Isolated]);
        foreach (var host in _hosts)
            (_logs[host].WithId(597).ShouldHaveSingleItem().Level, _logs[host].WithId(304).Count).ShouldBe((LogLevel.Warning, 1));

        await Operator.LetThroughAsync("api", Api, "ben", "works again", cancellationToken: Stop);
        await BeatAsync(1);

        (await SendAsync(one), await SendAsync(two)).ShouldBe((true, true));
        circuit = (await Operator.ListAsync("api", cancellationToken: Stop)).ShouldHaveSingleItem();
        (circuit.IsHeld, circuit.State, circuit.LastChange!.By).ShouldBe((false, CircuitState.Closed, "ben"));
        (await Operator.ListAsync("other", cancellationToken: Stop)).ShouldBeEmpty();
        (await _store.Storage.Activity.ListAsync(null, 10, Stop)).ShouldBeEmpty("it is that of no application");
        foreach (var host in _hosts)
            _logs[host].WithId(598).ShouldHaveSingleItem().Message.ShouldContain("by ben");
    }

    [Fact]
    public async Task An_instance_that_starts_later_holds_back_before_its_first_10_seconds_are_over()
    {
        await StartAsync();
        await BeatAsync(1);
        await Operator.HoldBackAsync("api", Api, "anna", cancellationToken: Stop);

        var later = await StartAsync();

        (await SendAsync(later)).ShouldBeFalse();
        _logs[later].WithId(597).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Where_it_was_asked_for_it_holds_at_once()
    {
        var host = await StartAsync();
        await BeatAsync(1);
        var holds = host.Services.GetRequiredService<CircuitHolds>();

        await holds.HoldBackAsync("api", Api, "anna", cancellationToken: Stop);
        (await SendAsync(host)).ShouldBeFalse();
        holds.HeldHere.ShouldHaveSingleItem().By.ShouldBe("anna");

        _clock.Advance(TimeSpan.FromSeconds(1));
        await holds.LetThroughAsync("api", Api, "anna", cancellationToken: Stop);
        (await SendAsync(host)).ShouldBeTrue();
        holds.HeldHere.ShouldBeEmpty();
        (await ActivityAsync(host)).Select(a => (a.Action, a.By, a.ClientName, a.Letters, a.Notes)).ShouldBe(
            [("LetThrough", "anna", "api", 0, "https://api.test"), ("HoldBack", "anna", "api", 0, "https://api.test")]);
    }

    [Fact]
    public async Task What_a_person_does_to_one_instance_afterwards_stays()
    {
        var (one, two) = (await StartAsync(), await StartAsync());
        await BeatAsync(1);
        await Operator.HoldBackAsync("api", Api, "anna", cancellationToken: Stop);
        await BeatAsync(1);

        one.Services.GetRequiredService<ICircuits>().Close("api", Api);
        await BeatAsync(2);

        (await SendAsync(one), await SendAsync(two)).ShouldBe((true, false));
        await Operator.LetThroughAsync("api", Api, "anna", cancellationToken: Stop);
        await BeatAsync(1);
        one.Services.GetRequiredService<ICircuits>().Isolate("api", Api);
        await BeatAsync(2);
        (await SendAsync(one), await SendAsync(two)).ShouldBe((false, true));
    }

    [Fact]
    public async Task A_circuit_that_has_opened_by_itself_is_let_through_once()
    {
        var host = await StartAsync();
        await BeatAsync(1);
        await OpenAsync(host);
        await BeatAsync(1);
        var open = (await Operator.ListAsync(cancellationToken: Stop)).ShouldHaveSingleItem();
        open.State.ShouldBe(CircuitState.Open);
        open.Instances[0].Circuit.Since.ShouldNotBeNull();
        open.Instances[0].Circuit.OpenFor.ShouldNotBeNull();

        await Operator.LetThroughAsync("api", Api, "anna", cancellationToken: Stop);
        await BeatAsync(1);
        StateIn(host).ShouldBe(CircuitState.Closed);

        await OpenAsync(host);
        await BeatAsync(2);
        StateIn(host).ShouldBe(CircuitState.Open);
    }

    [Fact]
    public async Task What_was_let_through_before_an_instance_started_closes_nothing_in_it()
    {
        var first = await StartAsync();
        await BeatAsync(1);
        await Operator.LetThroughAsync("api", Api, "anna", cancellationToken: Stop);
        await BeatAsync(1);
        _logs[first].WithId(598).Count.ShouldBe(1);

        var later = await StartAsync();
        await OpenAsync(later);
        await BeatAsync(2);

        StateIn(later).ShouldBe(CircuitState.Open);
        _logs[later].WithId(598).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_store_that_is_away_changes_nothing()
    {
        var host = await StartAsync();
        await BeatAsync(1);
        await Operator.HoldBackAsync("api", Api, "anna", cancellationToken: Stop);
        await BeatAsync(1);
        await Operator.LetThroughAsync("api", Api, "ben", cancellationToken: Stop);
        _store.Fails = new HttpResilienceStorageException("gone");

        await BeatAsync(3, waitsForRows: false);
        (await SendAsync(host)).ShouldBeFalse();

        _store.Fails = null;
        await BeatAsync(1);
        (await SendAsync(host)).ShouldBeTrue();
    }

    [Fact]
    public async Task Holds_that_cannot_be_read_are_a_warning_once_and_the_process_is_seen_all_the_same()
    {
        var host = await StartAsync();
        await BeatAsync(1);
        _store.FailsHolds = new HttpResilienceStorageException("gone");

        await BeatAsync(3);

        _logs[host].WithId(599).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Warning);
        _logs[host].WithId(544).ShouldBeEmpty();
        _store.FailsHolds = null;
        await BeatAsync(1);
        _store.FailsHolds = new HttpResilienceStorageException("gone");
        await BeatAsync(1);
        _logs[host].WithId(599).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_tenant_is_held_back_and_no_other()
    {
        var host = await StartAsync();
        await BeatAsync(1);

        await Operator.HoldBackAsync("api", Api, "anna", tenant: "a", cancellationToken: Stop);
        await BeatAsync(1);

        (await SendAsync(host, "a"), await SendAsync(host, "b"), await SendAsync(host)).ShouldBe((false, true, true));
        (await Operator.ListAsync(
            cancellationToken: Stop))[0].ShouldSatisfyAllConditions(c => c.Tenant.ShouldBe("a"), c => c.IsHeld.ShouldBeTrue());
    }

    [Fact]
    public async Task A_second_hold_changes_nothing_and_a_change_comes_after_the_last_whatever_the_clocks_say()
    {
        await StartAsync();
        await BeatAsync(1);
        var first = await Operator.HoldBackAsync("api", Api, "anna", cancellationToken: Stop);

        (await Operator.HoldBackAsync("api", new("HTTPS://API.test:443/x?y"), "ben", cancellationToken: Stop)).ShouldBe(first);
        // Another machine's clock is ahead.
        var ahead = first with { At = first.At.AddMinutes(5) };
        lock (_store.Storage.Database.Gate)
            _store.Storage.Database.Holds[("shop", "api", "https://api.test", null)] = ahead;
        var released = await Operator.LetThroughAsync("api", Api, "ben", cancellationToken: Stop);

        (released.IsHeld, released.At).ShouldBe((false, ahead.At.AddMicroseconds(1)));
    }

    [Theory]
    [InlineData("ftp://api.test"), InlineData("/v1"), InlineData("https://me:secret@api.test"), InlineData("file:///x")]
    [InlineData($"https://{NoDns}")]
    public async Task A_host_that_is_none_is_refused(string authority)
    {
        await StartAsync();
        await BeatAsync(1);
        var uri = new Uri(authority, UriKind.RelativeOrAbsolute);

        await Should.ThrowAsync<ArgumentException>(() => Operator.HoldBackAsync("api", uri, "anna", cancellationToken: Stop));
        await Should.ThrowAsync<ArgumentException>(() => Operator.LetThroughAsync("api", uri, "anna", cancellationToken: Stop));

        _store.Storage.Database.Holds.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_not_valid_or_not_known_is_refused()
    {
        (await Should.ThrowAsync<KeyNotFoundException>(() => Operator.HoldBackAsync("api", Api, "anna", cancellationToken: Stop))).Message
            .ShouldEndWith("No instance of the application was seen within an hour.");
        await StartAsync();
        await BeatAsync(1);

        (await Should.ThrowAsync<KeyNotFoundException>(() => Operator.HoldBackAsync("API", Api, "anna", cancellationToken: Stop))).Message
            .ShouldBe("There is no client 'API' with circuits. Known: api, other.");
        await Should.ThrowAsync<KeyNotFoundException>(() => Operator.LetThroughAsync("without", Api, "anna", cancellationToken: Stop));
        await Should.ThrowAsync<KeyNotFoundException>(
            () => HoldsOf("elsewhere").HoldBackAsync("api", Api, "anna", cancellationToken: Stop));
        await Should.ThrowAsync<ArgumentException>(() => Operator.HoldBackAsync("api", Api, " ", cancellationToken: Stop));
        await Should.ThrowAsync<ArgumentException>(() => Operator.HoldBackAsync("", Api, "anna", cancellationToken: Stop));
        await Should.ThrowAsync<ArgumentException>(
            () => Operator.HoldBackAsync("api", Api, "anna", new string('x', 1001), cancellationToken: Stop));
        await Should.ThrowAsync<ArgumentException>(
            () => Operator.HoldBackAsync("api", Api, "anna", tenant: new string('x', 501), cancellationToken: Stop));
        await Should.ThrowAsync<ArgumentException>(
            () => Operator.HoldBackAsync("api", Api, "anna", tenant: "a\0", cancellationToken: Stop));
        _store.Storage.Database.Holds.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_held_is_let_through_also_when_no_instance_has_the_client_any_more()
    {
        var host = await StartAsync();
        await BeatAsync(1);
        await Operator.HoldBackAsync("api", Api, "anna", cancellationToken: Stop);
        await StopAsync(host);
        _clock.Advance(TimeSpan.FromHours(2));

        (await Operator.ListAsync(cancellationToken: Stop)).ShouldHaveSingleItem().IsHeld.ShouldBeTrue();
        (await Operator.LetThroughAsync("api", Api, "anna", cancellationToken: Stop)).IsHeld.ShouldBeFalse();
        (await Operator.ListAsync(cancellationToken: Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_instance_reports_its_clients_with_circuits_and_the_calls_that_are_under_way()
    {
        var host = await StartAsync();
        _server.Replace(Outcome.NeverAnswers());
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Task[] calls = [.. Enumerable.Range(0, 3).Select(_ => ClientOf(host).GetAsync(Api, end.Token))];
        await EventuallyAsync(() => _server.Requests.Count == 3);
        await BeatAsync(1);

        var report = (await Operator.InstancesAsync(cancellationToken: Stop)).ShouldHaveSingleItem().Report!;
        (report.CallsUnderWay, string.Join(' ', report.Clients)).ShouldBe((3, "api other"));

        await end.CancelAsync();
        await Task.WhenAll(calls.Select(c => Should.ThrowAsync<OperationCanceledException>(() => c)));
        await BeatAsync(1);
        (await Operator.InstancesAsync(cancellationToken: Stop)).ShouldHaveSingleItem().Report!.CallsUnderWay.ShouldBe(0);
    }

    [Fact]
    public async Task What_is_not_closed_is_reported_first_and_the_rest_is_a_number()
    {
        var host = await StartAsync();
        for (int i = 0; i < 300; i++)
            await ClientOf(host).GetAsync(new Uri($"https://h{i}.test/"), Stop);
        var circuits = host.Services.GetRequiredService<ICircuits>();
        for (int i = 290; i < 300; i++)
            circuits.Isolate("api", new($"https://h{i}.test/"));
        circuits.Isolate("api", Api, new string('t', 600));

        await BeatAsync(1);

        var report = (await Operator.InstancesAsync(cancellationToken: Stop)).ShouldHaveSingleItem().Report!;
        (report.Circuits.Count, report.OtherCircuits).ShouldBe((200, 101));
        report.Circuits.Take(11).Select(c => c.State).ShouldBe(
            [.. Enumerable.Repeat(CircuitState.Isolated, 10), CircuitState.Closed]);
    }

    [Theory, InlineData("not a host"), InlineData($"https://{NoDns}"), InlineData("ftp://api.test"), InlineData("")]
    public async Task A_row_whose_host_is_none_does_no_harm(string authority)
    {
        lock (_store.Storage.Database.Gate)
        {
            var odd = new CircuitHold
            {
                ClientName = "api",
                Authority = authority,
                IsHeld = true,
                By = "eve\u202e",
                At = _clock.GetUtcNow(),
            };
            _store.Storage.Database.Holds[("shop", "api", authority, null)] = odd;
            _store.Storage.Database.Holds[("shop", "api", "https://api.test", null)] = odd with { Authority = "https://api.test" };
        }

        var host = await StartAsync();

        (await SendAsync(host)).ShouldBeFalse();
        _logs[host].WithId(597).ShouldHaveSingleItem().Message.ShouldNotContain("\u202e");
    }

    [Fact]
    public async Task What_was_let_through_is_deleted_after_a_week_and_what_is_held_never()
    {
        var host = await StartAsync();
        await BeatAsync(1);
        await Operator.HoldBackAsync("api", Api, "anna", cancellationToken: Stop);
        await Operator.LetThroughAsync("other", Api, "anna", cancellationToken: Stop);
        _clock.Advance(TimeSpan.FromDays(8));

        await EventuallyAsync(() =>
        {
            _clock.Advance(TimeSpan.FromHours(1));
            lock (_store.Storage.Database.Gate)
                return _store.Storage.Database.Holds.Count == 1;
        });

        (await Operator.ListAsync(cancellationToken: Stop)).Single(c => c.IsHeld).ClientName.ShouldBe("api");
        host.ShouldNotBeNull();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts.ToList())
            await StopAsync(host);
    }

    private CircuitHolds HoldsOf(string application)
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(_clock);
        services.AddSingleton(new StorageApplication(application));
        services.AddHttpResilienceStorage(storage => storage.UseInMemory(_store.Storage));
        return services.BuildServiceProvider().GetRequiredService<CircuitHolds>();
    }

    private async Task<IHost> StartAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var logs = new LogCollector();
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddProvider(logs);
        builder.Services.AddSingleton(new StorageApplication("shop"));
        builder.Services.AddSingleton<TimeProvider>(_clock);
        builder.Services.AddHttpResilienceStorage(storage => storage.UseInMemory(_store.Storage));
        foreach (string name in new[] { "api", "other", "without" })
        {
            builder.Services.AddResilientHttpClient(name, o =>
            {
                o.Retry.MaxRetryAttempts = 0;
                o.CircuitBreaker.MaxWait = null;
                o.CircuitBreaker.BreakDuration = name == "without" ? null : TimeSpan.FromMinutes(10);
                o.CircuitBreaker.MaxBreakDuration = TimeSpan.FromMinutes(10);
                o.CircuitBreaker.Isolation = CircuitIsolation.AuthorityAndTenant;
            }).ConfigurePrimaryHttpMessageHandler(() => _server);
        }

        var host = builder.Build();
        _hosts.Add(host);
        _logs[host] = logs;
        int rows = (await RowsAsync()).Count;
        await host.StartAsync(Stop);
        await EventuallyAsync(async () => (await RowsAsync()).Count > rows);
        return host;
    }

    private async Task StopAsync(IHost host)
    {
        await host.StopAsync(CancellationToken.None);
        host.Dispose();
        _hosts.Remove(host);
    }

    private static HttpClient ClientOf(IHost host) => host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("api");

    /// <returns>Whether it was sent.</returns>
    private static async Task<bool> SendAsync(IHost host, string? tenant = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Api);
        if (tenant is not null)
            request.Options.Set(HttpCallScopeOptions.Key, new() { Tenant = tenant });
        try
        {
            using var response = await ClientOf(host).SendAsync(request, Stop);
            return true;
        }
        catch (CircuitOpenException)
        {
            return false;
        }
    }

    private async Task OpenAsync(IHost host)
    {
        _server.Replace(Outcome.Status(503));
        await EventuallyAsync(async () =>
        {
            await SendAsync(host);
            _clock.Advance(TimeSpan.FromMilliseconds(200));
            return StateIn(host) is CircuitState.Open;
        });
        _server.Replace(Outcome.Status(200));
    }

    private static CircuitState StateIn(IHost host) =>
        host.Services.GetRequiredService<ICircuits>().List("api").Single(c => c.Authority == "https://api.test").State;

    private static Task<IReadOnlyList<OperatorActivity>> ActivityAsync(IHost host) =>
        host.Services.GetRequiredService<IOperatorActivityStore>().ListAsync(null, 10, Stop);

    private Task<IReadOnlyList<StorageInstance>> RowsAsync() => _store.Storage.Instances.ListAsync(DateTimeOffset.MinValue, Stop);

    // Every running process has written its row when the clock goes on.
    private async Task BeatAsync(int times, bool waitsForRows = true)
    {
        for (int i = 0; i < times; i++)
        {
            var before = _clock.GetUtcNow();
            _clock.Advance(Beat);
            if (waitsForRows)
                await EventuallyAsync(async () => (await RowsAsync()).Count(r => r.SeenAt > before) == _hosts.Count);
        }
    }

    private static Task EventuallyAsync(Func<bool> condition) => EventuallyAsync(() => Task.FromResult(condition()));

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        using var hang = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        hang.CancelAfter(TimeSpan.FromMinutes(2));
        while (!await condition())
            await Task.Delay(1, hang.Token);
    }
}
