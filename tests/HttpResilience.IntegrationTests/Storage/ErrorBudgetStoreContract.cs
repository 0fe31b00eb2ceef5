namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The contract of <see cref="IErrorBudgetStore"/>, for every store.</summary>
public abstract class ErrorBudgetStoreContract : StorageContract
{
    private static readonly Guid Writer = Guid.NewGuid();

    private IErrorBudgetStore Store => field ??= Database.Open().ErrorBudgets;

    [Fact]
    public async Task Stored_counts_are_loaded_by_the_next_run_in_another_process()
    {
        ErrorBudgetCount[] counts =
        [
            Count(Noon, FailureClass.None, 5_000_000_000), Count(Noon, FailureClass.Transient, 3),
            Count(Noon.AddMinutes(5), FailureClass.None, 7), Count(Noon.AddMinutes(5), FailureClass.None, 1) with { Version = "2.0" },
        ];
        (await AddAsync(1, counts)).ShouldBeTrue();

        (await Database.Open().ErrorBudgets.LoadAsync("billing", Noon, Stop)).ShouldBe(counts, ignoreOrder: true);
    }

    [Fact]
    public async Task Counts_of_one_time_version_and_class_add_up_from_all_processes()
    {
        await AddAsync(1, Count(Noon, FailureClass.ServerError, 2));
        await AddAsync(2, Count(Noon, FailureClass.ServerError, 3));
        await Store.AddAsync(new(Guid.NewGuid(), 1, Noon, [Count(Noon, FailureClass.ServerError, 4)]), Stop);

        (await Store.LoadAsync("billing", Noon, Stop)).ShouldBe([Count(Noon, FailureClass.ServerError, 9)]);
    }

    [Fact]
    public async Task A_repeated_update_is_added_once()
    {
        (await AddAsync(1, Count(Noon, FailureClass.None, 2))).ShouldBeTrue();
        (await AddAsync(1, Count(Noon, FailureClass.None, 2))).ShouldBeFalse();
        (await AddAsync(3, Count(Noon, FailureClass.None, 5))).ShouldBeTrue();
        (await AddAsync(2, Count(Noon, FailureClass.None, 100))).ShouldBeFalse();

        (await Store.LoadAsync("billing", Noon, Stop)).ShouldBe([Count(Noon, FailureClass.None, 7)]);
    }

    [Fact]
    public async Task Only_counts_of_the_client_since_the_given_time_are_loaded()
    {
        await AddAsync(1, Count(Noon.AddMinutes(-5), FailureClass.None, 1), Count(Noon, FailureClass.None, 2),
            Count(Noon, FailureClass.None, 4) with { ClientName = "Billing" });

        (await Store.LoadAsync("billing", Noon, Stop)).ShouldBe([Count(Noon, FailureClass.None, 2)]);
        (await Store.LoadAsync("nobody", Noon, Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_latest_change_of_a_pause_is_kept_in_any_order_of_arrival()
    {
        await Store.SetPauseAsync(new("billing", IsPaused: true, "Ann\0", Noon), Stop);
        await Store.SetPauseAsync(new("billing", IsPaused: false, "Bob", Noon.AddMicroseconds(-1)), Stop);
        await Store.SetPauseAsync(new("crm", IsPaused: true, By: null, Noon), Stop);
        await Store.SetPauseAsync(new("crm", IsPaused: false, By: null, Noon.AddSeconds(1)), Stop);

        (await Database.Open().ErrorBudgets.PausesAsync(Stop)).ShouldBe(
            [new("billing", IsPaused: true, "Ann\uFFFD", Noon), new("crm", IsPaused: false, By: null, Noon.AddSeconds(1))],
            ignoreOrder: true);
    }

    [Fact]
    public async Task Each_version_is_stored_with_its_first_and_last_start()
    {
        (await Store.StartedAsync("1.0", Noon, Stop)).ShouldBe([new("1.0", Noon, Noon)]);
        await Store.StartedAsync("2.0", Noon.AddHours(1), Stop);

        (await Store.StartedAsync("1.0", Noon.AddHours(2), Stop)).ShouldBe(
            [new("1.0", Noon, Noon.AddHours(2)), new("2.0", Noon.AddHours(1), Noon.AddHours(1))]);
    }

    [Fact]
    public async Task Only_counts_that_are_too_old_are_purged()
    {
        await AddAsync(
            1, Count(Noon, FailureClass.None, 1), Count(Noon, FailureClass.Transient, 1), Count(Noon.AddMinutes(5), FailureClass.None, 2));
        await Store.SetPauseAsync(new("billing", IsPaused: true, "Ann", Noon.AddDays(-100)), Stop);

        (await Store.PurgeAsync(Noon.AddMinutes(5), Stop)).ShouldBe(2);

        (await Store.LoadAsync("billing", DateTimeOffset.UnixEpoch, Stop)).ShouldBe([Count(Noon.AddMinutes(5), FailureClass.None, 2)]);
        (await Store.PausesAsync(Stop)).Count.ShouldBe(1);
        // Writers without a newer update are forgotten; active ones are not.
        (await Store.AddAsync(new(Writer, 1, Noon, [Count(Noon, FailureClass.None, 1)]), Stop)).ShouldBeTrue();
    }

    [Fact]
    public async Task Concurrent_updates_of_many_processes_lose_no_count()
    {
        IErrorBudgetStore[] stores = [Store, Database.Open().ErrorBudgets];
        Guid[] writers = [.. Enumerable.Range(0, 8).Select(_ => Guid.NewGuid())];

        await Task.WhenAll(writers.Select((writer, w) => Task.Run(async () =>
        {
            for (int i = 1; i <= 20; i++)
            {
                ErrorBudgetCount[] counts = [.. Enum.GetValues<FailureClass>().Select(c => Count(Noon, c, 1))];
                Random.Shared.Shuffle(counts);
                await stores[w % 2].AddAsync(new(writer, i, Noon, counts), Stop);
            }
        }, Stop)));

        (await Store.LoadAsync("billing", Noon, Stop)).ShouldAllBe(c => c.Calls == 160);
    }

    private Task<bool> AddAsync(long sequence, params ErrorBudgetCount[] counts) =>
        Store.AddAsync(new(Writer, sequence, Noon, counts), Stop);

    private static ErrorBudgetCount Count(DateTimeOffset period, FailureClass failureClass, long calls) =>
        new("billing", "1.0", period, failureClass, calls);
}
