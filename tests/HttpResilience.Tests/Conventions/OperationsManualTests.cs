using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HttpResilience.Tests.Conventions;

/// <summary>The manual for the person on call lists what the code can say: all of it, and nothing else.</summary>
public sealed class OperationsManualTests
{
    [Fact]
    public void Every_log_event_is_in_the_manual_with_its_level_and_properties_and_no_other_is() => OperationsManual.ShouldList(
        Events().Select(r => $"{r[0]} {r[1]}, {r[2]}, properties: {(r[4] is "none" or "see below" ? "" : string.Join(", ", r.Names(4)))}"),
        LogEvent.All.Select(e => $"{e.Id} {e.Name}, {e.Level}, properties: {e.Properties}").Distinct());

    [Fact]
    public void Every_log_event_is_in_the_manual_under_a_category_that_its_logger_has()
    {
        var categories = LogEvent.All.Select(e => (Event: $"{e.Id} {e.Name}", e.Categories)).DistinctBy(e => e.Event).ToDictionary(
            e => e.Event, e => e.Categories);

        Events().Where(r => !categories.GetValueOrDefault($"{r[0]} {r[1]}", []).Contains(r[3]))
            .Select(r => $"{r[0]} {r[1]} is not of {r[3]}").ShouldBeEmpty();
    }

    [Fact]
    public void An_id_means_one_event() =>
        LogEvent.All.GroupBy(e => e.Id).Where(g => g.Select(e => e.Name).Distinct().Count() > 1).Select(g => g.Key).ShouldBeEmpty();

    [Fact]
    public void Every_property_of_the_event_of_a_call_is_in_the_manual()
    {
        // By the source: no single call has all of them.
        string source = Repository.Read("src/HttpResilience/RequestLogging/CallLogEntry.cs");
        var written = source.Split('\n').Where(l => l.TrimStart().StartsWith("Add(", StringComparison.Ordinal)).SelectMany(
            l => Regex.Matches(l, "\"([A-Z]\\w+)\""));

        OperationsManual.ShouldList(
            OperationsManual.Rows("Log events", "property").Select(r => r[0]), written.Select(m => m.Groups[1].Value).Distinct());
    }

    [Fact]
    public async Task Every_instrument_is_in_the_manual_with_its_kind_and_unit_and_no_other_is()
    {
        List<string> published = [];
        IServiceCollection? registered = null;
        using var chain =
            new Chain(services: s => registered = s.AddHttpResilienceStorage(storage => storage.UseSqlite("Data Source=never-opened.db"))
                .AddDeadLetterReplay().AddHttpResilienceOperations());
        // The store can only be given up like this.
        await using var services = chain.Services;
        using var listener = new MeterListener
        {
            InstrumentPublished = (i, _) =>
            {
                if (i.Meter.Name == ResilienceMeter.Name && i.Meter.Scope == chain.Services.GetRequiredService<IMeterFactory>())
                    published.Add($"{i.Name}, {KindOf(i)}, unit: {i.Unit}");
            },
        };
        listener.Start();

        // All that the library registers is made, whatever may measure something.
        chain.Client.ShouldNotBeNull();
        foreach (var service in registered!.Where(d => d is { IsKeyedService: false, ServiceType.IsGenericType: false } && IsOurs(d))
            .Select(d => d.ServiceType).Distinct())
            chain.Services.GetServices(service).ShouldNotBeEmpty();

        OperationsManual.ShouldList(OperationsManual.Rows("Metrics", "instrument").Select(r => $"{r[0]}, {r[1]}, unit: {r[2]}"), published);
    }

    [Fact]
    public void Every_tag_of_metrics_and_spans_is_in_the_manual()
    {
        string text = OperationsManual.SectionOf("Metrics") + OperationsManual.SectionOf("Traces");

        typeof(TelemetryTags).GetFields(BindingFlags.Static | BindingFlags.NonPublic).Where(f => f.IsLiteral).Select(
            f => (string)f.GetRawConstantValue()!)
            .Append(ErrorBudgetGauges.WindowTag)
            .Where(tag => !text.Contains($"`{tag}`", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public void Every_rule_is_in_the_manual_with_the_numbers_that_it_has() => OperationsManual.ShouldList(
        OperationsManual.Rows("Alerts", "rule", "threshold").Select(r => string.Join(", ", r[0], r[1], r[2], r[3], r[4])),
        Enum.GetValues<AlertRuleType>().SelectMany(type => AlertRule.From(new() { Type = type })).Select(rule => string.Join(", ",
            rule.Type,
            AlertRuleShape.Of(rule.Type).Min is null ? "" : rule.Threshold.ToString(CultureInfo.InvariantCulture),
            rule.Window == TimeSpan.Zero ? "" : Durations.Show(rule.Window),
            Durations.Show(rule.CoolDown),
            rule.Severity)));

    [Fact]
    public void Every_rule_is_in_the_manual_with_what_to_do_about_it()
    {
        var rows = OperationsManual.Rows("Alerts", "rule", "holds when");

        OperationsManual.ShouldList(rows.Select(r => r[0]), Enum.GetNames<AlertRuleType>());
        rows.ShouldAllBe(r => r[1].Length > 0 && r[3].Length > 0 && r[4].Length > 0);
    }

    [Fact]
    public void The_alert_that_the_manual_shows_has_the_fields_that_are_sent()
    {
        string json = OperationsManual.SectionOf("Alerts").Split("```json\n")[1].Split("```")[0];

        OperationsManual.ShouldList(JsonDocument.Parse(json).RootElement.EnumerateObject().Select(p => p.Name),
            AlertJson.Default.Alert.Properties.Select(p => p.Name));
        JsonSerializer.Deserialize(
            json, AlertJson.Default.Alert)!.Rules.ShouldBe([AlertRuleType.TenantFailing, AlertRuleType.ConsecutiveFailures]);
    }

    [Fact]
    public void Every_way_for_a_call_to_end_is_in_the_manual()
    {
        OperationsManual.ShouldList(OperationsManual.Rows("Why a call ended", "StopReason").Select(r => r[0]), Enum.GetNames<StopReason>());
        OperationsManual.ShouldList(
            OperationsManual.Rows("Why a call ended", "FailureClass").Select(r => r[0]), Enum.GetNames<FailureClass>());
    }

    [Fact]
    public void Every_state_of_a_letter_and_of_a_budget_is_in_the_manual()
    {
        OperationsManual.ShouldList(OperationsManual.Rows("Dead letters", "status").Select(r => r[0]), Enum.GetNames<DeadLetterStatus>());
        OperationsManual.ShouldList(
            OperationsManual.Rows("Error budgets and pauses", "state").Select(r => r[0]), Enum.GetNames<ErrorBudgetState>());
    }

    [Fact]
    public void Every_action_that_is_suggested_is_in_the_manual()
    {
        bool[] either = [false, true];
        var fates = from sent in either
                    from repeated in either
                    from needsKey in either
                    from missing in either
                    from lacks in new string?[] { null, "X-Api-Key", "?sig" }
                    from status in new int?[] { null, 400, 409 }
                    let fate = new LetterFate(sent, repeated, needsKey, missing) { Lacks = lacks }
                    select fate.After(status, isGuarded: true);
        var letter = Letter();
        var afterFailure = from failure in Enum.GetValues<FailureClass>().Where(IsKept)
                           from fate in fates
                           from replays in Enumerable.Range(0, 11)
                           select DeadLetterDecision.AfterFailure(failure, fate, null, replays, 10).SuggestedAction;
        var beforeReplay = from fate in fates
                           from there in either
                           from expired in either
                           select DeadLetterDecision.BeforeReplay(
            letter, fate, there, expired)?.SuggestedAction;
        string?[] ofReplay =
        [
            ReplayRedirect.Review(HttpStatusCode.Found, null, 0)?.SuggestedAction,
            ReplayRedirect.Review(HttpStatusCode.PermanentRedirect, null, 0)?.SuggestedAction,
            DeadLetterDecision.NotItsOwnUri.SuggestedAction,
        ];
        string unreadable = (string)Assembly.Load("HttpResilience.Sqlite").GetType("HttpResilience.StoredLetter", throwOnError: true)!
            .GetField("Action", BindingFlags.Static | BindingFlags.NonPublic)!.GetRawConstantValue()!;

        OperationsManual.ShouldList(
            OperationsManual.Rows("Dead letters", "suggested action").Select(r => r[0]),
            afterFailure.Concat(beforeReplay).Concat(ofReplay).OfType<string>()
                .Concat([unreadable, DeadLetterDecision.EndsTheProcess, $"{DeadLetterDecision.CannotBeSent}…"]).Distinct());
    }

    private static bool IsKept(FailureClass failureClass) => DeadLetterDecision.IsKept(
        failureClass, DeadLetterOptions.CancelledCalls.WhenSent, wasOnTheWire: true);

    [Fact]
    public async Task Everything_that_the_health_check_tells_is_in_the_manual()
    {
        using var chain = new Chain(services: s =>
            s.AddHealthChecks().AddHttpResilience().Services.AddSingleton<IDeadLetterStore>(new InMemoryStorage().DeadLetters));
        _ = chain.State;
        await chain.Services.GetRequiredService<IErrorBudgets>().PauseAsync(Chain.Name, "me", TestContext.Current.CancellationToken);

        var entry = (await chain.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(
            TestContext.Current.CancellationToken)).Entries[ResilienceHealthCheck.Name];

        string text = OperationsManual.SectionOf("Health check");
        entry.Data.Keys.Except([Chain.Name]).Concat(((Dictionary<string, object>)entry.Data[Chain.Name]).Keys).Append(
            ResilienceHealthCheck.Name)
            .Where(key => !text.Contains($"`{key}`", StringComparison.Ordinal)).ShouldBeEmpty();
        OperationsManual.ShouldList(OperationsManual.Rows("Health check", "state").Select(r => r[0]), Enum.GetNames<HealthStatus>());
    }

    private static IReadOnlyList<ManualRow> Events() => OperationsManual.Rows("Log events", "id");

    private static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "ObservableGauge" => "gauge",
        var name => name.ToLowerInvariant(),
    };

    private static bool IsOurs(ServiceDescriptor descriptor) =>
        descriptor.ServiceType.Assembly == typeof(HttpCall).Assembly || descriptor.ServiceType.Assembly == typeof(Alert).Assembly;

    private static DeadLetter Letter() => new()
    {
        Id = Guid.NewGuid(),
        ClientName = "api",
        Method = "POST",
        Uri = new("https://api.test/invoices"),
        FailureClass = FailureClass.Transient,
        StopReason = StopReason.AttemptsExhausted,
        FirstFailedAt = DateTimeOffset.UnixEpoch,
        LastFailedAt = DateTimeOffset.UnixEpoch,
        Status = DeadLetterStatus.Pending,
        DueAt = DateTimeOffset.UnixEpoch,
    };
}
