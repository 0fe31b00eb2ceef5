namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Batches in lists, for every store.</summary>
public abstract class BatchListContract : StorageContract
{
    private static readonly Guid Mine = Guid.NewGuid(), Other = Guid.NewGuid();

    private ICheckpointStore Store => field ??= Database.Open().Checkpoints;

    [Fact]
    public async Task A_batch_is_listed_with_its_progress_its_rate_and_who_has_it()
    {
        await BeginAsync("invoices", Mine, Noon);
        (await Store.ListAsync(10, Stop)).ShouldHaveSingleItem().Run.ShouldBeNull();
        await Store.SaveAsync(
            Update("invoices") with
            {
                Position = 20,
                Done = [new(25, 30), new(40, 45)],
                Failed = [Failure(3), Failure(27)],
                Run = new(Noon, 10, Noon.AddSeconds(10), 1_000_000_000_000, "web-1:7\0"),
            }, Stop);

        var batch = (await Database.Open().Checkpoints.ListAsync(10, Stop)).ShouldHaveSingleItem();

        batch.ShouldBe(new()
        {
            Name = "invoices",
            Owner = Mine,
            LeaseUntil = Noon.AddSeconds(15),
            Position = 20,
            Done = 30,
            Failed = 2,
            Run = new(Noon, 10, Noon.AddSeconds(10), 1_000_000_000_000, "web-1:7\uFFFD"),
        });
        batch.PerSecond.ShouldBe(2);
        (await Store.FindAsync("invoices", Stop)).ShouldBe(batch);
        (await Store.FindAsync("Invoices", Stop)).ShouldBeNull();
    }

    [Fact]
    public async Task The_begin_is_that_of_the_first_run_and_another_run_has_its_own()
    {
        await BeginAsync("invoices", Mine, Noon);
        await Store.SaveAsync(Update("invoices") with { Run = new(Noon, 0, Noon.AddSeconds(5), 7, null) }, Stop);
        await Store.SaveAsync(Update("invoices") with { Position = 5, Run = new(Noon, 0, Noon.AddSeconds(9), 7, null) }, Stop);
        await BeginAsync("invoices", Other, Noon.AddMinutes(1));

        var taken = (await Store.FindAsync("invoices", Stop))!;
        (taken.BegunAt, taken.Owner, taken.Done, taken.Run, taken.PerSecond).ShouldBe((Noon, Other, 5, null, null));
        var run = new CheckpointRun(Noon.AddMinutes(1), 5, Noon.AddMinutes(2), null, "b");
        await Store.SaveAsync(Update("invoices") with { Owner = Other, Position = 5, Run = run }, Stop);

        taken = (await Store.FindAsync("invoices", Stop))!;
        (taken.BegunAt, taken.Run, taken.PerSecond).ShouldBe((Noon, run, 0));
    }

    [Fact]
    public async Task Those_of_other_applications_are_not_listed_and_the_last_saved_is_first()
    {
        foreach (var (name, minute) in ((string, int)[])[("a", 1), ("b", 3), ("c", 2)])
        {
            await BeginAsync(name, Mine, Noon);
            await Store.SaveAsync(Update(name) with { Run = new(Noon, 0, Noon.AddMinutes(minute), null, null) }, Stop);
        }

        await BeginAsync("d", Mine, Noon);
        await Database.Open(application: "elsewhere").Checkpoints.BeginAsync("theirs", Mine, Noon, Noon.AddSeconds(15), Stop);
        // In the prefix of its names a percent sign and an underscore stand for themselves.
        await Database.Open(application: "%_").Checkpoints.BeginAsync("theirs", Mine, Noon, Noon.AddSeconds(15), Stop);

        (await Store.ListAsync(10, Stop)).Select(b => b.Name).ShouldBe(["b", "c", "a", "d"]);
        (await Store.ListAsync(2, Stop)).Select(b => b.Name).ShouldBe(["b", "c"]);
        (await Store.FindAsync("theirs", Stop)).ShouldBeNull();
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => Store.ListAsync(0, Stop));
    }

    [Fact]
    public async Task A_run_of_a_batch_stores_its_total_and_its_time()
    {
        int[] records = [1, 2, 3, 4];
        var report = await IsolatedBatch.RunAsync(
            records, (record, _) => record == 3 ? throw new InvalidOperationException("three") : Task.CompletedTask,
            new() { Checkpoint = new(Store, "numbers"), MaxParallelism = 1 }, Stop);

        report.Succeeded.ShouldBe(3);
        var batch = (await Store.FindAsync("numbers", Stop))!;
        (batch.Done, batch.Failed, batch.Run!.Total, batch.Run.BegunWith).ShouldBe((4, 1, 4, 0));
        batch.BegunAt.ShouldNotBeNull().ShouldBeLessThanOrEqualTo(batch.Run.SavedAt);
        batch.Run.Instance.ShouldBe($"{Environment.MachineName}:{Environment.ProcessId}");
    }

    private Task<StoredCheckpoint> BeginAsync(string name, Guid owner, DateTimeOffset now) =>
        Store.BeginAsync(name, owner, now, now.AddSeconds(15), Stop);

    private static CheckpointUpdate Update(string name) =>
        new() { Name = name, Owner = Mine, LeaseUntil = Noon.AddSeconds(15), Position = 0, Done = [] };

    private static BatchFailure Failure(long index) =>
        new() { Index = index, FailureClass = FailureClass.Validation, Error = "no such currency", FailedAt = Noon };
}
