using System.Net;
using System.Text.Json.Nodes;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.AspNetCore;

public sealed class SqliteApiIncidentTests : ApiIncidentContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlApiIncidentTests(PostgreSqlServer server) : ApiIncidentContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

/// <summary>Incidents and batches by the API, on each store.</summary>
public abstract class ApiIncidentContract : StorageContract
{
    private IHttpResilienceStorage Store => field ??= Database.Open();

    [Fact]
    public async Task Open_incidents_come_first_with_their_numbers_and_where_to_look()
    {
        await using var host = await StartAsync();
        var now = DateTimeOffset.UtcNow;
        var warning = Alert("ReplayLag", AlertSeverity.Warning, now.AddMinutes(-1), AlertRuleType.ReplayLag) with { ClientName = null };
        var critical = Alert("no connection", AlertSeverity.Critical, now.AddMinutes(-9)) with
        {
            Values = new Dictionary<string, double> { ["failuresInARow"] = 7 },
            Detail = "\u202E<script>",
        };
        var batch = Alert("late", AlertSeverity.Critical, now.AddMinutes(-20), AlertRuleType.BatchStalled) with { Subject = "a/b" };
        var ended = Alert("over", AlertSeverity.Critical, now.AddMinutes(-30)) with { Phase = AlertPhase.Ended, Count = 3, At = now };
        foreach (var alert in (Alert[])[ended, warning, critical, batch])
            await SaveAsync(alert, now);

        var list = (await host.GetAsync("incidents")).Json;

        var shown = list["incidents"]!.AsArray()
            .Select(i => ((string)i!["title"]!, (bool)i["isOpen"]!, (string)i["severity"]!, (string?)i["about"]));
        shown.ShouldBe(
        [
            ("no connection", true, "critical", "clients/orders"), ("late", true, "critical", "batches/a%2Fb"),
            ("ReplayLag", true, "warning", "letters?status=open"), ("over", false, "critical", "clients/orders"),
        ]);
        ((int)list["unreadable"]!, list["advice"]).ShouldBe((0, null));
        var one = (await host.GetAsync($"incidents/{critical.Id}")).Json;
        ((double)one["values"]!["failuresInARow"]!, (string)one["detail"]!, (int)one["seenBy"]!).ShouldBe((7, "\u202E<script>", 2));
        one["rules"]!.AsArray().Select(r => (string)r!).ShouldBe(["consecutive-failures"]);
        one["endedAt"].ShouldBeNull();
        var over = (await host.GetAsync($"incidents/{ended.Id}")).Json;
        ((int)over["alerts"]!, over["endedAt"] is null).ShouldBe((3, false));
        (await host.GetAsync($"incidents/{Guid.CreateVersion7()}")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await host.GetAsync("incidents/7")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await host.GetAsync("incidents?status=open")).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await host.GetAsync("incidents", person: null)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Incidents_of_a_newer_version_and_damaged_ones_are_counted_and_hide_no_other()
    {
        await using var host = await StartAsync();
        var now = DateTimeOffset.UtcNow;
        await SaveAsync(Alert("known", AlertSeverity.Warning, now), now);
        string json = new SharedIncident("x", 0, Alert("new", default, now), default, now, now, SharedIncident.NoSightings).Row(now).Alert;
        var newer = JsonNode.Parse(json)!;
        newer["rule"] = "RuleOfTheFuture";
        var more = JsonNode.Parse(json)!;
        more["title"] = "with a field of the future";
        more["future"] = new JsonObject { ["a"] = 1 };
        string[] alerts = ["{", "null", "[]", """{"title":null}""", newer.ToJsonString(), more.ToJsonString()];
        foreach (var (i, alert) in alerts.Index())
            (await Store.Incidents.SaveAsync(Row($"k{i}", now) with { Alert = alert }, Stop)).ShouldBeTrue();

        var list = (await host.GetAsync("incidents")).Json;

        list["incidents"]!.AsArray().Select(i => (string)i!["title"]!).ShouldBe(["known", "with a field of the future"], ignoreOrder: true);
        ((int)list["unreadable"]!).ShouldBe(5);
    }

    [Fact]
    public async Task Without_the_package_of_operations_the_line_is_named()
    {
        await using var host = await StartAsync(hasOperations: false);

        ((string)(await host.GetAsync("incidents")).Json["advice"]!).ShouldContain("AddHttpResilienceOperations()");
        (await host.GetAsync($"incidents/{Guid.CreateVersion7()}")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_batch_is_shown_with_its_failures_page_by_page()
    {
        await using var host = await StartAsync();
        var now = DateTimeOffset.UtcNow;
        var owner = Guid.NewGuid();
        await Store.Checkpoints.BeginAsync("in/voices", owner, now, now.AddMinutes(1), Stop);
        await Store.Checkpoints.SaveAsync(
            new()
            {
                Name = "in/voices",
                Owner = owner,
                LeaseUntil = now.AddMinutes(1),
                Position = 100,
                Done = [],
                Failed =
                [
                    .. Enumerable.Range(0, 7).Select(i => new BatchFailure
                    {
                        Index = i * 10,
                        FailureClass = FailureClass.Validation,
                        Error = $"<b>{i}</b>",
                        FailedAt = now,
                        StatusCode = 422,
                        Tags = new Dictionary<string, string> { ["row"] = $"{i}" },
                    }),
                ],
                Run = new(now.AddSeconds(-50), 0, now, 400, "web-1:7"),
            }, Stop);

        var batch = (await host.GetAsync("batches")).Json["batches"]!.AsArray().ShouldHaveSingleItem()!;
        ((string)batch["name"]!, (long)batch["done"]!, (long)batch["total"]!, (long)batch["failed"]!, (bool)batch["isRunning"]!)
            .ShouldBe(("in/voices", 100, 400, 7, true));
        ((double)batch["perSecond"]!).ShouldBe(2, 0.001);
        ((string)batch["instance"]!, batch["heldUntil"] is null).ShouldBe(("web-1:7", false));

        List<long> seen = [];
        string? address = "batches/in%2Fvoices?limit=3";
        while (address is not null)
        {
            var page = (await host.GetAsync(address)).Json;
            seen.AddRange(page["failures"]!.AsArray().Select(f => (long)f!["index"]!));
            address = (string?)page["next"];
        }

        seen.ShouldBe([0, 10, 20, 30, 40, 50, 60]);
        foreach (string path in (string[])["batches?limit=0", "batches/x?after=-1", "batches/x?after=z", "batches/x?page=2", "batches?x=1"])
            (await host.GetAsync(path)).Status.ShouldBe(HttpStatusCode.UnprocessableEntity, path);
        (await host.GetAsync("batches/invoices")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await host.GetAsync("batches", person: null)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    private Task<ApiHost> StartAsync(bool hasOperations = true) => ApiHost.StartAsync(services =>
    {
        Database.AddTo(services);
        if (hasOperations)
            services.AddHttpResilienceOperations();
    });

    private async Task SaveAsync(Alert alert, DateTimeOffset now) => (await Store.Incidents.SaveAsync(
        new SharedIncident(
            alert.Id.ToString(), 0, alert, Guid.NewGuid(), now, alert.At,
            new Dictionary<Guid, DateTimeOffset> { [Guid.NewGuid()] = now, [Guid.NewGuid()] = now }).Row(now), Stop)).ShouldBeTrue();

    private static StorageIncident Row(string key, DateTimeOffset now) =>
        new() { Key = key, Alert = "", Sender = default, LeaseUntil = now, SentAt = now, ChangedAt = now };

    private static Alert Alert(
        string title, AlertSeverity severity, DateTimeOffset startedAt, AlertRuleType rule = AlertRuleType.ConsecutiveFailures) => new()
        {
            Id = Guid.CreateVersion7(),
            Rule = rule,
            Rules = [rule],
            Phase = AlertPhase.Started,
            Severity = severity,
            ClientName = "orders",
            Title = title,
            Detail = "Look at it.",
            StartedAt = startedAt,
            At = startedAt,
            Count = 1,
        };
}
