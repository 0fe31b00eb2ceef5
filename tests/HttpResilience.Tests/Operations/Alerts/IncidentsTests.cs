using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Operations.Alerts;

/// <summary>Incidents as a program lists them.</summary>
public sealed class IncidentsTests : IDisposable
{
    private static readonly IncidentKey Calls = new(AlertTopic.Calls, "orders", "https://api.test");
    private static readonly IncidentKey Storage = new(AlertTopic.Storage, "orders");

    private readonly ManualTimeProvider _clock = new();
    private readonly LogCollector _logs = new();
    private readonly LocalAlerts _local;
    private readonly AlertSinks _sinks;

    public IncidentsTests()
    {
        _local = new(_clock);
        _sinks = new(new ServiceCollection().BuildServiceProvider(), [], _clock, _logs.CreateLogger("sinks"));
        _sinks.Use(new(new AlertOptions()));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _sinks.Dispose();

    [Fact]
    public async Task Without_a_store_those_of_this_process_are_listed_and_ended_ones_for_a_day()
    {
        using var sharing = Share(null);
        var first = An("first");
        sharing.Report(Calls, first, isOpen: true, TimeSpan.FromHours(1));
        sharing.Report(Calls, first with { Phase = AlertPhase.Reminder, Count = 2 }, isOpen: true, TimeSpan.FromHours(1));
        (await ListAsync(null)).ShouldBe([("first", true, 2, 1)]);

        _clock.Advance(TimeSpan.FromMinutes(5));
        sharing.Report(
            Calls, first with { Phase = AlertPhase.Ended, Count = 3, At = _clock.GetUtcNow() }, isOpen: false, TimeSpan.FromHours(1));
        sharing.Report(Storage, An("second"), isOpen: true, TimeSpan.FromHours(1));
        (await ListAsync(null)).ShouldBe([("second", true, 1, 1), ("first", false, 3, 1)]);

        _clock.Advance(TimeSpan.FromDays(1.1));
        sharing.Report(Calls, An("third"), isOpen: true, TimeSpan.FromHours(1));
        (await ListAsync(null)).ShouldBe([("third", true, 1, 1), ("second", true, 1, 1)]);
    }

    [Fact]
    public async Task With_a_store_its_incidents_are_listed_and_that_the_store_fails_by_this_process()
    {
        var storage = new TestStorage();
        using var sharing = Share(storage.Storage.Incidents);
        sharing.Report(Calls, An("shared"), isOpen: true, TimeSpan.FromHours(1));
        sharing.Report(Storage, An("store fails"), isOpen: true, TimeSpan.FromHours(1));
        await sharing.LookAsync(storage.Storage.Incidents, Stop);
        await storage.Storage.Incidents.SaveAsync(
            new() { Key = "newer", Alert = """{"rule":"Unknown"}""", Sender = default, LeaseUntil = default, ChangedAt = default }, Stop);

        (await ListAsync(storage.Storage.Incidents)).ShouldBe([("shared", true, 1, 1), ("store fails", true, 1, 1)], ignoreOrder: true);
        (await new Incidents(storage.Storage.Incidents, _local).ListAsync(Stop)).Unreadable.ShouldBe(1);
    }

    private async Task<IEnumerable<(string Title, bool IsOpen, int Count, int SeenBy)>> ListAsync(IIncidentStore? store) =>
        (await new Incidents(store, _local).ListAsync(Stop)).Incidents.Select(i => (i.Alert.Title, i.IsOpen, i.Alert.Count, i.SeenBy));

    private IncidentSharing Share(IIncidentStore? store) => new(
        store,
        new AlertSettings(
            new OptionsFactory<AlertOptions>([], []), configuration: null, new AlertQueue(_clock), _logs.CreateLogger("settings")),
        _sinks, _local, _clock, _logs.CreateLogger("watch"));

    private Alert An(string title) => new()
    {
        Id = Guid.CreateVersion7(_clock.GetUtcNow()),
        Rule = AlertRuleType.ConsecutiveFailures,
        Rules = [AlertRuleType.ConsecutiveFailures],
        Phase = AlertPhase.Started,
        Severity = AlertSeverity.Warning,
        ClientName = "orders",
        Title = title,
        Detail = "Look at it.",
        StartedAt = _clock.GetUtcNow(),
        At = _clock.GetUtcNow(),
        Count = 1,
    };
}
