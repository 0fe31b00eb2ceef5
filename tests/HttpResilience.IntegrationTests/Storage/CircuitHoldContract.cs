using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Storage;

public sealed class SqliteCircuitHoldTests : CircuitHoldContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlCircuitHoldTests(PostgreSqlServer server) : CircuitHoldContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class InMemoryCircuitHoldTests : CircuitHoldContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

/// <summary>The contract of <see cref="ICircuitHoldStore"/> and of the reports of processes, for every store.</summary>
public abstract class CircuitHoldContract : StorageContract
{
    private IHttpResilienceStorage Storage => field ??= Database.Open(application: "shop");

    [Fact]
    public async Task A_hold_is_read_as_it_was_written_with_the_activity()
    {
        var (hold, activity) = (Hold(Noon), Activity(Noon));
        var ofTenant = Hold(Noon) with { Tenant = "täna\u202e", Note = null, By = "bob\0" };

        (await CommitAsync(hold, activity)).ShouldBeTrue();
        (await CommitAsync(ofTenant)).ShouldBeTrue();

        (await Storage.CircuitHolds.ListAsync(Stop)).ShouldBe([hold, ofTenant with { By = "bob\ufffd" }]);
        (await Storage.Activity.ListAsync(null, 10, Stop)).ShouldHaveSingleItem().ShouldBe(activity);
    }

    [Theory, InlineData(-1), InlineData(0), InlineData(1)]
    public async Task A_later_change_replaces_an_earlier_one_and_no_other_does(int microseconds)
    {
        await CommitAsync(Hold(Noon));
        var change = Hold(Noon.AddMicroseconds(microseconds)) with { IsHeld = false, By = "bob", Note = "works again" };

        bool made = await CommitAsync(change, Activity(Noon.AddSeconds(1)));

        made.ShouldBe(microseconds > 0);
        (await Storage.CircuitHolds.ListAsync(Stop)).ShouldHaveSingleItem().ShouldBe(made ? change : Hold(Noon));
        (await Storage.Activity.ListAsync(null, 10, Stop)).Count.ShouldBe(made ? 1 : 0);
    }

    [Fact]
    public async Task A_change_after_the_one_that_was_read_is_seen_first()
    {
        var (first, later) = (Hold(Noon), Hold(Noon.AddSeconds(1)) with { By = "bob" });
        await CommitAsync(first);

        foreach (var read in new[] { null, Hold(Noon.AddMicroseconds(-1)) })
        {
            (await Storage.DeadLetters.CommitAsync(
                new() { Hold = later, HoldBefore = read, Activity = Activity(Noon.AddSeconds(1)) }, Stop)).ShouldBeFalse();
        }

        (await Storage.CircuitHolds.ListAsync(Stop)).ShouldBe([first]);
        (await Storage.Activity.ListAsync(null, 10, Stop)).ShouldBeEmpty();
        (await Storage.DeadLetters.CommitAsync(new() { Hold = later, HoldBefore = first }, Stop)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_commit_with_an_earlier_change_makes_nothing_else()
    {
        await CommitAsync(Hold(Noon));
        var letter = Letters.Plain();
        await Storage.DeadLetters.AddAsync(letter, Stop);
        var job = new LetterJob
        {
            Id = Guid.CreateVersion7(),
            Request = new() { Action = LetterJobAction.Replay, Query = new() { ClientName = "billing" }, By = "anna" },
            UpTo = Guid.CreateVersion7(),
            CreatedAt = Noon,
        };

        (await Storage.DeadLetters.CommitAsync(new()
        {
            Changed = [letter with { Status = DeadLetterStatus.Resolved }],
            Job = job,
            Hold = Hold(Noon.AddSeconds(-1)) with { IsHeld = false },
        }, Stop)).ShouldBeFalse();

        (await Storage.DeadLetters.FindAsync(letter.Id, Stop))!.Status.ShouldBe(DeadLetterStatus.Pending);
        (await Storage.Jobs.FindAsync(job.Id, Stop)).ShouldBeNull();
        (await Storage.CircuitHolds.ListAsync(Stop)).ShouldHaveSingleItem().ShouldBe(Hold(Noon));
    }

    [Fact]
    public async Task Of_many_changes_at_once_the_latest_is_there()
    {
        await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(
            () => CommitAsync(Hold(Noon.AddSeconds(i)) with { IsHeld = i % 2 == 0, By = $"{i}" }))));

        (await Storage.CircuitHolds.ListAsync(Stop)).ShouldHaveSingleItem().By.ShouldBe("23");
    }

    [Fact]
    public async Task Holds_belong_to_their_application_and_to_their_client_host_and_tenant()
    {
        await CommitAsync(Hold(Noon));
        await CommitAsync(Hold(Noon) with { ClientName = "Billing" });
        await CommitAsync(Hold(Noon) with { Authority = "http://api.test" });
        await CommitAsync(Hold(Noon) with { Tenant = "a" });
        var other = Database.Open(application: "Shop");

        (await other.CircuitHolds.ListAsync(Stop)).ShouldBeEmpty();
        (await other.DeadLetters.CommitAsync(new() { Hold = Hold(Noon.AddDays(-1)) }, Stop)).ShouldBeTrue();

        (await Storage.CircuitHolds.ListAsync(Stop)).Select(h => (h.ClientName, h.Authority, h.Tenant)).ShouldBe(
        [
            ("Billing", "https://api.test", null), ("billing", "http://api.test", null), ("billing", "https://api.test", null),
            ("billing", "https://api.test", "a"),
        ]);
    }

    [Fact]
    public async Task Only_what_was_let_through_long_ago_is_deleted()
    {
        await CommitAsync(Hold(Noon.AddYears(-1)));
        await CommitAsync(Hold(Noon.AddMicroseconds(-1)) with { ClientName = "old", IsHeld = false });
        await CommitAsync(Hold(Noon) with { ClientName = "new", IsHeld = false });

        (await Storage.CircuitHolds.PurgeAsync(Noon, Stop)).ShouldBe(1);

        (await Storage.CircuitHolds.ListAsync(Stop)).Select(h => h.ClientName).ShouldBe(["billing", "new"]);
    }

    [Fact]
    public async Task A_process_is_read_with_its_report()
    {
        var report = new InstanceReport
        {
            CallsUnderWay = 7,
            Clients = ["billing", "ä\u202e\""],
            Circuits =
            [
                Circuit(CircuitState.Isolated) with { Tenant = "ä\"\\<" },
                Circuit(CircuitState.Open) with { Since = Noon.AddMinutes(-3), OpenFor = TimeSpan.FromMilliseconds(1500) },
                Circuit(CircuitState.HalfOpen) with { Since = Noon.AddMinutes(-3) }, Circuit(CircuitState.Closed),
            ],
            OtherCircuits = 3,
        };
        await Storage.Instances.SaveAsync(Instance(report), Stop);

        var read = (await Storage.Instances.ListAsync(Noon, Stop)).ShouldHaveSingleItem().Report!;

        (read.CallsUnderWay, read.OtherCircuits).ShouldBe((7, 3));
        read.Clients.ShouldBe(report.Clients);
        read.Circuits.ShouldBe(report.Circuits);
    }

    [Fact]
    public async Task A_process_without_a_report_has_none()
    {
        await Storage.Instances.SaveAsync(Instance(null), Stop);

        (await Storage.Instances.ListAsync(Noon, Stop)).ShouldHaveSingleItem().Report.ShouldBeNull();
    }

    [Fact]
    public async Task A_report_is_bounded_and_counts_the_rest()
    {
        var circuits = Enumerable.Range(0, 250).Select(i => Circuit(CircuitState.Open) with { Authority = $"https://{i}.test" });
        await Storage.Instances.SaveAsync(Instance(new() { Circuits = [.. circuits], OtherCircuits = 5 }), Stop);

        var read = (await Storage.Instances.ListAsync(Noon, Stop)).ShouldHaveSingleItem().Report!;

        (read.Circuits.Count, read.OtherCircuits).ShouldBe((200, 55));
    }

    public static TheoryData<string> Unreadable =>
    [
        "", "{", "[]", "3", "null", "\"x\"", "{\"circuits\":3}", "{\"underWay\":99999999999}", "{\"clients\":[1]}",
        "{\"circuits\":[{\"client\":\"\\ud800\",\"host\":\"h\",\"state\":\"Open\"}]}", new string('[', 5000),
    ];

    [Theory, MemberData(nameof(Unreadable))]
    public async Task A_report_that_cannot_be_read_hides_no_process(string json)
    {
        // The in-memory store has no SQL.
        if (Database is InMemoryTestDatabase)
            return;
        await Storage.Instances.SaveAsync(Instance(new() { CallsUnderWay = 1 }), Stop);
        await Database.ScalarAsync($"UPDATE instances SET report = '{json}'");

        (await Storage.Instances.ListAsync(Noon, Stop)).ShouldHaveSingleItem().Report.ShouldBeNull();
    }

    [Fact]
    public async Task What_a_newer_version_reports_is_counted_and_the_rest_is_read()
    {
        if (Database is InMemoryTestDatabase)
            return;
        await Storage.Instances.SaveAsync(Instance(new()), Stop);
        await Database.ScalarAsync("""
            UPDATE instances SET report = '{"newer":{"a":[1]},"underWay":-4,"others":-9,"clients":[null,"a"],"circuits":[null,{},
            {"client":"a","host":"https://a.test","state":"Melted"},{"client":"a","host":"https://a.test","state":"1"},
            {"client":"a","host":"https://a.test","state":"Open","since":9223372036854775807,"openMs":-9223372036854775807,"newer":1}]}'
            """);

        var read = (await Storage.Instances.ListAsync(Noon, Stop)).ShouldHaveSingleItem().Report!;

        (read.CallsUnderWay, read.OtherCircuits).ShouldBe((0, 4));
        read.Clients.ShouldBe(["a"]);
        read.Circuits.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            c => c.State.ShouldBe(CircuitState.Open), c => c.OpenFor.ShouldBe(TimeSpan.Zero), c => c.Since!.Value.Year.ShouldBe(9999));
    }

    [Fact]
    public async Task A_hold_that_cannot_be_read_hides_no_other_and_is_logged_once()
    {
        if (Database is InMemoryTestDatabase)
            return;
        await CommitAsync(Hold(Noon));
        await CommitAsync(Hold(Noon) with { ClientName = "odd" });
        string time = Database is SqliteTestDatabase ? "9223372036854775807" : "'12000-01-01Z'";
        await Database.ScalarAsync($"UPDATE circuit_holds SET changed_at = {time} WHERE client_name = 'odd'");

        (await Storage.CircuitHolds.ListAsync(Stop)).ShouldHaveSingleItem().ClientName.ShouldBe("billing");
        (await Storage.CircuitHolds.ListAsync(Stop)).ShouldHaveSingleItem();

        var logged = Database.Log.Lines.Where(l => l.EventId == 422).ShouldHaveSingleItem();
        (logged.Level, logged["Table"]).ShouldBe((LogLevel.Error, "circuit_holds"));
    }

    private Task<bool> CommitAsync(CircuitHold hold, OperatorActivity? activity = null) =>
        Storage.DeadLetters.CommitAsync(
            new() { Hold = hold, HoldBefore = hold with { At = hold.At.AddMicroseconds(-1) }, Activity = activity }, Stop);

    private static CircuitHold Hold(DateTimeOffset at) => new()
    {
        ClientName = "billing",
        Authority = "https://api.test",
        IsHeld = true,
        By = "anna",
        Note = "they asked us to\nwait",
        At = at,
    };

    private static ReportedCircuit Circuit(CircuitState state) =>
        new() { ClientName = "billing", Authority = "https://api.test", State = state };

    private static StorageInstance Instance(InstanceReport? report) => new()
    {
        Id = Guid.CreateVersion7(),
        Application = "shop",
        Name = "host:1",
        StartedAt = Noon,
        SeenAt = Noon,
        Report = report,
    };

    private static OperatorActivity Activity(DateTimeOffset at) => new()
    {
        Id = Guid.CreateVersion7(at),
        At = at,
        By = "anna",
        Action = "HoldBack",
        ClientName = "billing",
        Notes = "https://api.test",
        Letters = 0,
    };
}
