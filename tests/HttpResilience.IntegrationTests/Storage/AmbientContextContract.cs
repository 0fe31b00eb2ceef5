using System.Diagnostics;
using System.Transactions;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>
/// The store is used for the first time inside a transaction, an activity or a scope of one caller. It then serves other callers, so it
/// keeps nothing of that caller's context; and rows reported as stored stay stored when the caller's transaction is rolled back.
/// </summary>
public abstract class AmbientContextContract : StorageContract
{
    [Fact]
    public async Task Letters_of_calls_in_a_transaction_that_is_rolled_back_are_kept()
    {
        const int Calls = 6;
        await using var api = await FaultServer.StartAsync(new FaultScript().Status(503), cancellationToken: Stop);
        using var host = await KeepingHost.StartAsync(Database, api.Uri);
        using var http = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(KeepingHost.Client);
        List<Guid?> kept = [];

        using (Scope())
        {
            // One in the scope, then those of other callers, who share the background work.
            kept.Add(await KeepingHost.SendAsync(http));
            List<Task<Guid?>> others = [];
            using (ExecutionContext.SuppressFlow())
                others.AddRange(Enumerable.Range(1, Calls - 1).Select(_ => Task.Run(() => KeepingHost.SendAsync(http), Stop)));
            kept.AddRange(await Task.WhenAll(others));
        }

        kept.ShouldAllBe(id => id != null);
        var store = Database.Open().DeadLetters;
        foreach (var id in kept)
            (await store.FindAsync(id!.Value, Stop)).ShouldNotBeNull();
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_remembered_call_in_a_transaction_that_is_rolled_back_stays_remembered()
    {
        var keys = Database.Open().IdempotencyKeys;
        var request = new RememberedRequest("billing", "key", "hash", Guid.NewGuid(), Noon, Noon.AddSeconds(30));

        using (Scope())
        {
            await keys.BeginAsync(request, Stop);
            (await keys.CompleteAsync(request, new(201, null, [], default), Noon.AddDays(1), Stop)).ShouldBeTrue();
        }

        var other = request with { Owner = Guid.NewGuid() };
        (await Database.Open().IdempotencyKeys.BeginAsync(other, Stop)).Response.ShouldNotBeNull().StatusCode.ShouldBe(201);
    }

    [Fact]
    public async Task Claims_checkpoints_counts_and_pauses_in_a_transaction_that_is_rolled_back_stay_as_they_were_reported()
    {
        var storage = Database.Open();
        var letter = Letters.Plain(Noon);
        await storage.DeadLetters.AddAsync(letter, Stop);
        var owner = Guid.NewGuid();

        using (Scope())
        {
            (await storage.DeadLetters.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldHaveSingleItem();
            await storage.Checkpoints.BeginAsync("nightly", owner, Noon, Noon.AddSeconds(30), Stop);
            var update = new CheckpointUpdate
            {
                Name = "nightly",
                Owner = owner,
                LeaseUntil = Noon.AddSeconds(30),
                Position = 7,
                Done = [],
                Failed = [],
                Healed = [],
            };
            (await storage.Checkpoints.SaveAsync(update, Stop)).ShouldBeTrue();
            await storage.ErrorBudgets.SetPauseAsync(new("billing", true, "me", Noon), Stop);
            await storage.ErrorBudgets.AddAsync(
                new(owner, 1, Noon, [new("billing", "1.0", Noon, FailureClass.ServerError, 3)]), Stop);
        }

        var after = Database.Open();
        (await after.DeadLetters.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldBeEmpty();
        (await after.Checkpoints.BeginAsync("nightly", owner, Noon, Noon.AddSeconds(30), Stop)).Position.ShouldBe(7);
        (await after.ErrorBudgets.PausesAsync(Stop)).ShouldHaveSingleItem().IsPaused.ShouldBeTrue();
        (await after.ErrorBudgets.LoadAsync("billing", Noon.AddDays(-1), Stop)).ShouldHaveSingleItem().Calls.ShouldBe(3);
    }

    [Fact]
    public async Task A_batch_with_a_checkpoint_runs_in_a_transaction()
    {
        var storage = Database.Open();
        BatchReport report;

        using (Scope())
        {
            report = await IsolatedBatch.RunAsync(
                Enumerable.Range(0, 50), (_, _) => Task.CompletedTask,
                new() { MaxParallelism = 8, Checkpoint = new(storage.Checkpoints, "nightly", CheckpointMode.AdvanceAndDeadLetter) },
                cancellationToken: Stop);
        }

        (report.StopReason, report.Succeeded).ShouldBe((BatchStopReason.Completed, 50));
        var now = DateTimeOffset.UtcNow;
        var next = await Database.Open().Checkpoints.BeginAsync("nightly", Guid.NewGuid(), now, now, Stop);
        next.Position.ShouldBe(50);
    }

    [Fact]
    public async Task Connections_that_were_opened_in_a_transaction_serve_later_callers()
    {
        var storage = Database.Open();
        var letters = Enumerable.Range(0, 20).Select(_ => Letters.Plain()).ToList();

        using (Scope())
        {
            await Task.WhenAll(letters.Take(10).Select(l => storage.DeadLetters.FindAsync(l.Id, Stop)));
            await Task.WhenAll(letters.Take(10).Select(l => storage.DeadLetters.AddAsync(l, Stop)));
        }

        await Task.WhenAll(letters.Skip(10).Select(l => storage.DeadLetters.AddAsync(l, Stop)));
        (await Database.Open().DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(20);
    }

    /// <summary>Looks twice where a new store writes.</summary>
    private protected abstract Task<(string First, string Later)> InBackgroundAsync(Func<string> look);

    [Fact]
    public async Task Nothing_of_the_first_caller_flows_into_the_background()
    {
        var local = new AsyncLocal<string?> { Value = "local" };
        using var activity = new Activity("first").Start();
        using var tenant = HttpCallScope.Begin(new() { Tenant = "first" });
        using var scope = Scope();

        (await InBackgroundAsync(Look)).ShouldBe(("- - - -", "- - - -"));

        string Look() => $"{local.Value ?? "-"} {Activity.Current?.OperationName ?? "-"} "
            + $"{(HttpCallScope.Current is null ? "-" : "scope")} {(Transaction.Current is null ? "-" : "transaction")}";
    }

    private static TransactionScope Scope() => new(TransactionScopeAsyncFlowOption.Enabled);
}
