namespace HttpResilience.IntegrationTests.Storage;

/// <summary>
/// Two programs with one client name on one store, for every store. A store of no application writes what version 1 wrote.
/// </summary>
public abstract class ApplicationsContract : StorageContract
{
    private static readonly RememberedResponse Created = new(201, null, [], new byte[] { 1 });

    private IHttpResilienceStorage A => field ??= Database.Open(application: "a");

    private IHttpResilienceStorage B => field ??= Database.Open(application: "b");

    private IHttpResilienceStorage Old => field ??= Database.Open(application: "");

    [Fact]
    public async Task Letters_are_claimed_by_their_own_application_and_by_those_that_name_it()
    {
        await A.DeadLetters.AddAsync(Letters.Plain() with { Application = "" }, Stop);

        (await B.DeadLetters.ClaimAsync(Claim(), Stop)).ShouldBeEmpty();
        (await B.DeadLetters.ClaimAsync(Claim() with { Only = new("billing", "https://api.example.com") }, Stop)).ShouldBeEmpty();
        (await B.DeadLetters.ClaimAsync(Claim() with { Applications = ["A", "a "] }, Stop)).ShouldBeEmpty();
        (await B.DeadLetters.ClaimAsync(Claim() with { Applications = ["c", "a"] }, Stop)).ShouldHaveSingleItem().Application.ShouldBe("a");
    }

    [Theory, InlineData("HttpResilience.Alerts"), InlineData("billing")]
    public async Task Letters_of_alerts_and_of_all_clients_are_claimed_by_their_own_application(string client)
    {
        await A.DeadLetters.AddAsync(Letters.Plain(client: client) with { Application = "" }, Stop);

        (await B.DeadLetters.ClaimAsync(Letters.ClaimOf(client) with { Now = Noon }, Stop)).ShouldBeEmpty();
        (await A.DeadLetters.ClaimAsync(Letters.ClaimOf(client) with { Now = Noon }, Stop)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Letters_of_no_application_are_claimed_by_every_application()
    {
        await Old.DeadLetters.AddAsync(Letters.Plain() with { Application = "" }, Stop);

        (await B.DeadLetters.ClaimAsync(Claim(), Stop)).ShouldHaveSingleItem().Application.ShouldBe("");
    }

    [Fact]
    public async Task Letters_are_counted_by_their_own_application()
    {
        await A.DeadLetters.AddAsync(Letters.Plain(Noon) with { Application = "" }, Stop);
        await A.DeadLetters.AddAsync(Letters.Plain(Noon.AddHours(1)) with { Application = "" }, Stop);
        await B.DeadLetters.AddAsync(Letters.Plain(Noon.AddHours(2)) with { Application = "" }, Stop);
        await Old.DeadLetters.AddAsync(Letters.Plain(Noon.AddHours(3)) with { Application = "" }, Stop);

        var (ofA, ofB) = (await A.DeadLetters.CountAsync(Stop), await B.DeadLetters.CountAsync(Stop));

        (ofA[DeadLetterStatus.Pending], ofA.OldestDueAt).ShouldBe((3, Noon));
        (ofB[DeadLetterStatus.Pending], ofB.OldestDueAt).ShouldBe((2, Noon.AddHours(2)));
    }

    [Fact]
    public async Task The_counts_are_those_of_the_rows_after_any_changes_by_several_processes()
    {
        IDeadLetterStore[] stores = [A.DeadLetters, B.DeadLetters, Database.Open(application: "a").DeadLetters];
        await Task.WhenAll(stores.Select((store, s) => Task.Run(async () =>
        {
            var random = new Random(s);
            for (int i = 0; i < 40; i++)
            {
                var letter = Letters.Plain(Noon.AddMinutes(-random.Next(100))) with { Application = "" };
                (await store.AddAsync(letter, Stop)).ShouldBeTrue();
                (await store.AddAsync(letter, Stop)).ShouldBeFalse();
                if (random.Next(3) == 0)
                    await store.ClaimAsync(Claim() with { Limit = 3 }, Stop);
                if (random.Next(2) == 0 && await store.FindAsync(letter.Id, Stop) is { } stored)
                {
                    await store.UpdateAsync(
                        stored with { Status = (DeadLetterStatus)random.Next(0, 5), LastFailedAt = Noon.AddDays(-random.Next(3)) }, Stop);
                    await store.UpdateAsync(stored with { Status = DeadLetterStatus.RequiresReview }, Stop);
                }

                if (random.Next(5) == 0)
                    await store.CommitAsync(new() { Changed = [letter], Added = [Letters.Plain(Noon) with { Application = "b" }] }, Stop);
                await store.ProbeAsync(Stop);
                if (i == 20)
                    await store.PurgeAsync(Noon.AddDays(-1), Stop);
            }
        }, Stop)));
        await A.Instances.PurgeAsync(Noon, Stop);

        foreach (var (application, store) in new[] { ("a", A), ("b", B) })
        {
            var counts = await store.DeadLetters.CountAsync(Stop);
            foreach (var status in Enum.GetValues<DeadLetterStatus>())
            {
                (await CountRowsAsync(application, status)).ShouldBe(counts[status], $"{application} {status}");
            }
        }
    }

    private async Task<long> CountRowsAsync(string application, DeadLetterStatus status)
    {
        List<DeadLetter> all = [];
        while (await Old.DeadLetters.ListAsync(
            new() { Status = status, Limit = 500, Before = all.Count == 0 ? null : all[^1].Id }, Stop) is { Count: > 0 } page)
            all.AddRange(page);
        return all.LongCount(l => l.Application == application);
    }

    [Fact]
    public async Task The_backlog_has_the_earliest_letter_of_each_destination_and_application()
    {
        (await A.DeadLetters.BacklogAsync(Stop)).ShouldBeEmpty();
        await A.DeadLetters.AddAsync(Letters.Plain(Noon.AddHours(1)) with { Application = "" }, Stop);
        await A.DeadLetters.AddAsync(Letters.Plain(Noon) with { Application = "" }, Stop);
        await B.DeadLetters.AddAsync(Letters.Plain(Noon.AddHours(2)) with { Application = "" }, Stop);
        await B.DeadLetters.AddAsync(Letters.Plain(Noon, "other", "b.example.com") with { Application = "" }, Stop);
        await B.DeadLetters.AddAsync(Letters.Plain(Noon, "third", status: DeadLetterStatus.RequiresReview) with { Application = "" }, Stop);
        await Old.DeadLetters.AddAsync(Letters.Plain(Noon, "other", "a.example.com") with { Application = "" }, Stop);

        (await B.DeadLetters.BacklogAsync(Stop)).ShouldBe(
        [
            new("a", "billing", "https://api.example.com", Noon), new("b", "billing", "https://api.example.com", Noon.AddHours(2)),
            new("", "other", "https://a.example.com", Noon), new("b", "other", "https://b.example.com", Noon),
        ]);
    }

    [Fact]
    public async Task The_backlog_has_every_destination_once()
    {
        DeadLetterBacklog[] all =
        [
            .. from client in (string[])["a", "b", "c"]
               from host in (string[])["h1", "h2", "h3"]
               from application in (string[])["x", "y", "z"]
               select new DeadLetterBacklog(application, client, $"https://{host}.example.com", Noon),
        ];
        foreach (var destination in all.Reverse())
        {
            var letter = Letters.Plain(Noon, destination.ClientName, new Uri(destination.Authority).Host) with
            {
                Application = destination.Application,
            };
            await A.DeadLetters.AddAsync(letter with { DueAt = Noon.AddHours(1) }, Stop);
            await A.DeadLetters.AddAsync(letter with { Id = Guid.NewGuid(), DueAt = Noon }, Stop);
        }

        (await A.DeadLetters.BacklogAsync(Stop)).ShouldBe(all, ignoreOrder: true);
    }

    [Fact]
    public async Task A_remembered_response_answers_calls_of_its_own_application_only()
    {
        var ofA = Request();
        await A.IdempotencyKeys.BeginAsync(ofA, Stop);
        var ofB = Request();

        (await B.IdempotencyKeys.BeginAsync(ofB, Stop)).Owner.ShouldBe(ofB.Owner);
        await A.IdempotencyKeys.CompleteAsync(ofA, Created, Noon.AddDays(1), Stop);
        (await B.IdempotencyKeys.BeginAsync(ofB, Stop)).Response.ShouldBeNull();
        (await B.IdempotencyKeys.CompleteAsync(ofB, Created with { StatusCode = 202 }, Noon.AddDays(1), Stop)).ShouldBeTrue();

        (await A.IdempotencyKeys.BeginAsync(Request(), Stop)).Response!.StatusCode.ShouldBe(201);
        (await B.IdempotencyKeys.BeginAsync(Request(), Stop)).Response!.StatusCode.ShouldBe(202);
        (await Old.IdempotencyKeys.BeginAsync(Request(), Stop)).Response.ShouldBeNull();
    }

    [Fact]
    public async Task A_forgotten_key_of_one_application_stays_with_the_other()
    {
        var (ofA, ofB) = (Request(), Request());
        await A.IdempotencyKeys.BeginAsync(ofA, Stop);
        await B.IdempotencyKeys.BeginAsync(ofB, Stop);

        (await A.IdempotencyKeys.ForgetAsync(ofA, Stop)).ShouldBeTrue();

        (await B.IdempotencyKeys.BeginAsync(Request(), Stop)).Owner.ShouldBe(ofB.Owner);
    }

    [Fact]
    public async Task A_key_of_no_application_is_honoured_by_all_until_it_expires()
    {
        var old = Request();
        await Old.IdempotencyKeys.BeginAsync(old, Stop);
        (await A.IdempotencyKeys.BeginAsync(Request(), Stop)).Owner.ShouldBe(old.Owner);
        await Old.IdempotencyKeys.CompleteAsync(old, Created, Noon.AddHours(1), Stop);

        (await A.IdempotencyKeys.BeginAsync(Request(), Stop)).Response!.StatusCode.ShouldBe(201);
        (await B.IdempotencyKeys.BeginAsync(Request() with { Fingerprint = "other" }, Stop)).Fingerprint.ShouldBe("hash");

        var later = Request(Noon.AddHours(1));
        (await A.IdempotencyKeys.BeginAsync(later, Stop)).Owner.ShouldBe(later.Owner);
        (await B.IdempotencyKeys.BeginAsync(Request(Noon.AddHours(1)), Stop)).Response.ShouldBeNull();
    }

    [Fact]
    public async Task An_abandoned_key_of_no_application_is_taken_over_in_doubt_and_completed()
    {
        await Old.IdempotencyKeys.BeginAsync(Request(), Stop);
        var next = Request(Noon.AddMinutes(5));

        var taken = await A.IdempotencyKeys.BeginAsync(next, Stop);

        (taken.Owner, taken.IsInDoubt).ShouldBe((next.Owner, true));
        (await A.IdempotencyKeys.CompleteAsync(next, Created, Noon.AddDays(1), Stop)).ShouldBeTrue();
        (await Old.IdempotencyKeys.BeginAsync(Request(Noon.AddMinutes(6)), Stop)).Response.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_key_of_the_application_precedes_one_of_none()
    {
        var (ofA, old) = (Request(), Request());
        await A.IdempotencyKeys.BeginAsync(ofA, Stop);
        await Old.IdempotencyKeys.BeginAsync(old, Stop);

        (await A.IdempotencyKeys.BeginAsync(Request(), Stop)).Owner.ShouldBe(ofA.Owner);
        (await B.IdempotencyKeys.BeginAsync(Request(), Stop)).Owner.ShouldBe(old.Owner);
    }

    [Fact]
    public async Task A_fallback_response_serves_its_own_application_only()
    {
        await A.Fallbacks.SaveAsync("api", [Response(Noon, 1)], long.MaxValue, Stop);

        (await B.Fallbacks.FindAsync("api", "r", "v", Stop)).ShouldBeNull();
        (await B.Fallbacks.RemoveAsync("api", "r", null, Stop)).ShouldBe(0);
        await B.Fallbacks.SaveAsync("api", [Response(Noon, 2)], maxBytes: 0, Stop);
        (await A.Fallbacks.FindAsync("api", "r", "v", Stop))!.Response.Body.ToArray().ShouldBe([1]);
    }

    [Fact]
    public async Task Of_a_fallback_response_of_the_application_and_one_of_none_the_newer_is_found_and_both_are_removed()
    {
        await Old.Fallbacks.SaveAsync("api", [Response(Noon, 1)], long.MaxValue, Stop);
        (await A.Fallbacks.FindAsync("api", "r", "v", Stop))!.Response.Body.ToArray().ShouldBe([1]);
        await A.Fallbacks.SaveAsync("api", [Response(Noon.AddHours(1), 2)], long.MaxValue, Stop);

        (await A.Fallbacks.FindAsync("api", "r", "v", Stop))!.Response.Body.ToArray().ShouldBe([2]);
        (await B.Fallbacks.FindAsync("api", "r", "v", Stop))!.Response.Body.ToArray().ShouldBe([1]);
        (await A.Fallbacks.RemoveAsync("api", "r", null, Stop)).ShouldBe(2);
        (await A.Fallbacks.FindAsync("api", "r", "v", Stop)).ShouldBeNull();
    }

    [Fact]
    public async Task Batches_of_one_name_are_separate()
    {
        var (ofA, ofB) = (Guid.NewGuid(), Guid.NewGuid());
        await BeginAsync(A, ofA);
        await A.Checkpoints.SaveAsync(Update(ofA, 7), Stop);

        (await BeginAsync(B, ofB)).ShouldBe((ofB, 0));
        (await B.Checkpoints.SaveAsync(Update(ofA, 9), Stop)).ShouldBeFalse();
        (await B.Checkpoints.FailuresAsync("invoices", null, 10, Stop)).ShouldBeEmpty();
        (await B.Checkpoints.DeleteAsync("invoices", Stop)).ShouldBeTrue();
        (await B.Checkpoints.DeleteAsync("invoices", Stop)).ShouldBeFalse();
        (await A.Checkpoints.FailuresAsync("invoices", null, 10, Stop)).ShouldHaveSingleItem().Index.ShouldBe(7);
        (await BeginAsync(A, ofA)).ShouldBe((ofA, 7));
    }

    [Fact]
    public async Task A_batch_of_no_application_is_resumed_where_it_stands()
    {
        var (old, mine) = (Guid.NewGuid(), Guid.NewGuid());
        await BeginAsync(Old, old);
        await Old.Checkpoints.SaveAsync(Update(old, 7), Stop);
        (await BeginAsync(A, mine)).ShouldBe((old, 7));

        (await BeginAsync(A, mine, Noon.AddMinutes(5))).ShouldBe((mine, 7));
        (await A.Checkpoints.FailuresAsync("invoices", null, 10, Stop)).ShouldHaveSingleItem();
        (await A.Checkpoints.SaveAsync(Update(mine, 8) with { Healed = [7] }, Stop)).ShouldBeTrue();
        (await A.Checkpoints.FailuresAsync("invoices", null, 10, Stop)).ShouldHaveSingleItem().Index.ShouldBe(8);
        (await BeginAsync(Old, old, Noon.AddMinutes(10))).ShouldBe((old, 8));
        (await A.Checkpoints.DeleteAsync("invoices", Stop)).ShouldBeTrue();
        (await BeginAsync(Old, old)).ShouldBe((old, 0));
    }

    [Fact]
    public async Task A_pause_stops_its_own_application_only()
    {
        await A.ErrorBudgets.SetPauseAsync(new("api", true, "alice", Noon), Stop);

        (await B.ErrorBudgets.PausesAsync(Stop)).ShouldBeEmpty();
        await B.ErrorBudgets.SetPauseAsync(new("api", false, null, Noon.AddHours(1)), Stop);
        (await A.ErrorBudgets.PausesAsync(Stop)).ShouldBe([new("api", true, "alice", Noon)]);
    }

    [Fact]
    public async Task A_pause_of_no_application_holds_for_all_until_a_later_change()
    {
        await Old.ErrorBudgets.SetPauseAsync(new("api", true, "alice", Noon), Stop);
        await A.ErrorBudgets.SetPauseAsync(new("api", false, null, Noon.AddHours(1)), Stop);
        (await A.ErrorBudgets.PausesAsync(Stop)).ShouldBe([new("api", false, null, Noon.AddHours(1))]);
        (await B.ErrorBudgets.PausesAsync(Stop)).ShouldBe([new("api", true, "alice", Noon)]);

        await Old.ErrorBudgets.SetPauseAsync(new("api", true, "bob", Noon.AddHours(2)), Stop);

        (await A.ErrorBudgets.PausesAsync(Stop)).ShouldBe([new("api", true, "bob", Noon.AddHours(2))]);
    }

    [Fact]
    public async Task Counts_are_separate_and_those_of_no_application_are_everybodys()
    {
        await CountAsync(A, 1);
        await CountAsync(B, 10);
        await CountAsync(Old, 100);

        (await A.ErrorBudgets.LoadAsync("api", Noon, Stop)).ShouldHaveSingleItem().ShouldBe(
            new("api", "1.0", Noon, FailureClass.Transient, 101));
        (await B.ErrorBudgets.LoadAsync("api", Noon, Stop)).ShouldHaveSingleItem().Calls.ShouldBe(110);
        (await Old.ErrorBudgets.LoadAsync("api", Noon, Stop)).ShouldHaveSingleItem().Calls.ShouldBe(100);
    }

    [Fact]
    public async Task Deployed_versions_are_separate_and_those_of_no_application_are_everybodys()
    {
        await Old.ErrorBudgets.StartedAsync("1.0", Noon, Stop);
        await A.ErrorBudgets.StartedAsync("2.0", Noon.AddHours(1), Stop);

        (await B.ErrorBudgets.StartedAsync("1.0", Noon.AddHours(2), Stop)).ShouldBe([new("1.0", Noon, Noon.AddHours(2))]);
        (await A.ErrorBudgets.StartedAsync("2.0", Noon.AddHours(3), Stop)).ShouldBe(
            [new("2.0", Noon.AddHours(1), Noon.AddHours(3)), new("1.0", Noon, Noon)]);
    }

    [Theory, InlineData("a\u001fapi"), InlineData("a\0"), InlineData(" "), InlineData("A")]
    public async Task A_name_of_an_application_cannot_pose_as_another(string name)
    {
        var other = Database.Open(application: name);
        await A.ErrorBudgets.SetPauseAsync(new("api", true, null, Noon), Stop);

        await other.ErrorBudgets.SetPauseAsync(new("api", false, null, Noon.AddHours(1)), Stop);

        (await A.ErrorBudgets.PausesAsync(Stop)).ShouldHaveSingleItem().IsPaused.ShouldBeTrue();
        (await other.ErrorBudgets.PausesAsync(Stop)).ShouldHaveSingleItem().IsPaused.ShouldBeFalse();
    }

    [Theory, InlineData("\u001f"), InlineData("\u001f\u001f"), InlineData("\0\u001f")]
    public async Task A_name_of_a_client_or_batch_cannot_pose_as_that_of_another_application(string separator)
    {
        var other = Database.Open(application: "b");
        string posed = $"b{separator}api";
        RememberedRequest Ask(string client) => new(client, "key", "hash", Guid.NewGuid(), Noon, Noon.AddSeconds(30));
        var asked = Ask("api");
        await other.IdempotencyKeys.BeginAsync(asked, Stop);
        (await other.IdempotencyKeys.CompleteAsync(asked, new(201, null, [], default), Noon.AddDays(1), Stop)).ShouldBeTrue();
        var response = new FallbackResponse("r", "v", Noon, TimeSpan.Zero, Noon.AddDays(1), new(200, null, [], default));
        await other.Fallbacks.SaveAsync("api", [response], 1_000_000, Stop);
        await other.ErrorBudgets.AddAsync(new(Guid.NewGuid(), 1, Noon, [new("api", "1", Noon, FailureClass.None, 3)]), Stop);
        await other.Checkpoints.BeginAsync("api", Guid.NewGuid(), Noon, Noon.AddDays(1), Stop);

        foreach (var posing in new[] { A, Database.Open(application: "") })
        {
            (await posing.IdempotencyKeys.BeginAsync(Ask(posed), Stop)).Response.ShouldBeNull();
            (await posing.Fallbacks.FindAsync(posed, "r", "v", Stop)).ShouldBeNull();
            (await posing.Fallbacks.RemoveAsync(posed, "r", null, Stop)).ShouldBe(0);
            (await posing.ErrorBudgets.LoadAsync(posed, Noon.AddDays(-1), Stop)).ShouldBeEmpty();
            (await posing.Checkpoints.DeleteAsync(posed, Stop)).ShouldBeFalse();
        }

        (await other.Fallbacks.FindAsync("api", "r", "v", Stop)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_process_is_listed_with_its_last_row_until_it_is_purged()
    {
        var instance = new StorageInstance
        {
            Id = Guid.CreateVersion7(),
            Application = "a",
            Name = "host-1:42\0",
            Version = "1.2.3",
            Replays = true,
            ReplaysFor = ["web", "é"],
            Clients = ["api", ""],
            StartedAt = Noon.AddTicks(1),
            SeenAt = Noon,
        };
        var bare = new StorageInstance { Id = Guid.CreateVersion7(), Application = "b", Name = "x", StartedAt = Noon, SeenAt = Noon };
        await A.Instances.SaveAsync(instance with { Replays = false, Clients = [] }, Stop);
        await A.Instances.SaveAsync(instance, Stop);
        await B.Instances.SaveAsync(bare, Stop);

        var listed = await B.Instances.ListAsync(Noon, Stop);

        listed.Select(i => i.Id).ShouldBe([instance.Id, bare.Id], ignoreOrder: true);
        var first = listed.Single(i => i.Id == instance.Id);
        (first with { ReplaysFor = instance.ReplaysFor, Clients = instance.Clients }).ShouldBe(
            instance with { Name = "host-1:42\uFFFD", StartedAt = Noon });
        (first.ReplaysFor, first.Clients).ShouldSatisfyAllConditions(
            p => p.ReplaysFor.ShouldBe(["web", "é"]), p => p.Clients.ShouldBe(["api", ""]));
        (await A.Instances.ListAsync(Noon.AddMicroseconds(1), Stop)).ShouldBeEmpty();
        (await A.Instances.PurgeAsync(Noon, Stop)).ShouldBe(0);
        (await A.Instances.PurgeAsync(Noon.AddMicroseconds(1), Stop)).ShouldBe(2);
    }

    private static DeadLetterClaim Claim() => Letters.ClaimOf("billing") with { Now = Noon, LeaseUntil = Noon.AddSeconds(30) };

    private static RememberedRequest Request(DateTimeOffset? now = null) =>
        new("api", "key", "hash", Guid.NewGuid(), now ?? Noon, (now ?? Noon).AddSeconds(30));

    private static FallbackResponse Response(DateTimeOffset receivedAt, byte body) => new(
        "r", "v", receivedAt, TimeSpan.Zero, Noon.AddDays(1), new(200, null, [], new[] { body }));

    private static CheckpointUpdate Update(Guid owner, long position) => new()
    {
        Name = "invoices",
        Owner = owner,
        LeaseUntil = Noon.AddSeconds(15),
        Position = position,
        Done = [],
        Failed = [new() { Index = position, FailureClass = FailureClass.Transient, Error = "", FailedAt = Noon }],
    };

    private static async Task<(Guid, long)> BeginAsync(IHttpResilienceStorage storage, Guid owner, DateTimeOffset? now = null)
    {
        var begun = await storage.Checkpoints.BeginAsync("invoices", owner, now ?? Noon, (now ?? Noon).AddSeconds(15), Stop);
        return (begun.Owner, begun.Position);
    }

    private static Task<bool> CountAsync(IHttpResilienceStorage storage, long calls) => storage.ErrorBudgets.AddAsync(
        new(Guid.NewGuid(), 1, Noon, [new("api", "1.0", Noon, FailureClass.Transient, calls)]), Stop);
}

public sealed class SqliteApplicationsTests : ApplicationsContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlApplicationsTests(PostgreSqlServer server) : ApplicationsContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class InMemoryApplicationsTests : ApplicationsContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}
