namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The contract of <see cref="ICheckpointStore"/>, for every store.</summary>
public abstract class CheckpointStoreContract : StorageContract
{
    private static readonly DateTimeOffset Lease = Noon.AddSeconds(15);
    private static readonly Guid Mine = Guid.NewGuid(), Other = Guid.NewGuid();

    private ICheckpointStore Store => field ??= Database.Open().Checkpoints;

    [Fact]
    public async Task An_unknown_batch_begins_at_its_first_record()
    {
        var begun = await BeginAsync(Mine);

        (begun.Owner, begun.LeaseUntil, begun.Position, begun.Done.Count).ShouldBe((Mine, Lease, 0, 0));
    }

    [Fact]
    public async Task A_saved_checkpoint_is_loaded_by_the_next_run_in_another_process()
    {
        await BeginAsync(Mine);
        (await Store.SaveAsync(Update() with
        {
            Position = 1_000_000_000_000,
            Done = [new(1_000_000_000_001, 1_000_000_000_005), new(1_000_000_000_009, 1_000_000_000_010)]
        }, Stop)).ShouldBeTrue();

        var next = await Database.Open().Checkpoints.BeginAsync("invoices", Other, Lease, Lease.AddSeconds(15), Stop);

        (next.Owner, next.LeaseUntil, next.Position).ShouldBe((Other, Lease.AddSeconds(15), 1_000_000_000_000));
        next.Done.ShouldBe([new(1_000_000_000_001, 1_000_000_000_005), new(1_000_000_000_009, 1_000_000_000_010)]);
    }

    [Fact]
    public async Task A_leased_batch_is_given_to_no_other_run_before_its_lease_expires()
    {
        await BeginAsync(Mine);

        (await BeginAsync(Other, Lease.AddMicroseconds(-1))).Owner.ShouldBe(Mine);
        (await Store.SaveAsync(Update() with { Owner = Other, Position = 7 }, Stop)).ShouldBeFalse();
        (await BeginAsync(Other, Lease)).Owner.ShouldBe(Other);
        (await Store.SaveAsync(Update() with { Position = 7, Failed = [Failure(1)] }, Stop)).ShouldBeFalse();

        (await BeginAsync(Other)).Position.ShouldBe(0);
        (await Store.FailuresAsync("invoices", null, 10, Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_save_renews_the_lease_and_the_end_of_a_run_releases_the_batch()
    {
        await BeginAsync(Mine);
        await Store.SaveAsync(Update() with { LeaseUntil = Lease.AddMinutes(1) }, Stop);
        (await BeginAsync(Other, Lease.AddMinutes(1).AddMicroseconds(-1))).Owner.ShouldBe(Mine);

        await Store.SaveAsync(Update() with { LeaseUntil = Noon }, Stop);

        (await BeginAsync(Other, Noon)).Owner.ShouldBe(Other);
    }

    [Fact]
    public async Task Failures_are_stored_replaced_and_removed_when_healed()
    {
        await BeginAsync(Mine);
        var full = Failure(3) with
        {
            ErrorType = "HttpRequestException",
            StatusCode = 422,
            Attempts = 4,
            IdempotencyKey = "comp1:3",
            Tenant = "comp1",
            DeadLetterId = Guid.CreateVersion7(),
            Tags = new Dictionary<string, string> { ["rowNumber"] = "5", ["docType"] = "in'voice" },
        };
        await Store.SaveAsync(Update() with { Failed = [Failure(1), full, Failure(long.MaxValue)] }, Stop);
        await Store.SaveAsync(Update() with { Failed = [Failure(1) with { Error = "Étrange\0" }], Healed = [long.MaxValue, 77] }, Stop);

        var kept = await Store.FailuresAsync("invoices", null, 10, Stop);

        kept.Select(f => f.Index).ShouldBe([1, 3]);
        kept[0].Error.ShouldBe("Étrange\uFFFD");
        kept[1].Tags.ShouldBe(full.Tags);
        (kept[1] with { Tags = full.Tags }).ShouldBe(full);
    }

    [Fact]
    public async Task Failures_are_paged_by_index_and_separate_for_each_batch()
    {
        await BeginAsync(Mine);
        await Store.BeginAsync("others", Mine, Noon, Lease, Stop);
        await Store.SaveAsync(Update() with { Failed = [.. Enumerable.Range(0, 25).Reverse().Select(i => Failure(i))] }, Stop);
        await Store.SaveAsync(Update() with { Name = "others", Failed = [Failure(99)] }, Stop);

        List<long> seen = [];
        for (long? after = null; await Store.FailuresAsync("invoices", after, 10, Stop) is { Count: > 0 } page; after = page[^1].Index)
            seen.AddRange(page.Select(f => f.Index));

        seen.ShouldBe(Enumerable.Range(0, 25).Select(i => (long)i));
    }

    [Fact]
    public async Task A_deleted_batch_begins_again()
    {
        await BeginAsync(Mine);
        await Store.SaveAsync(Update() with { Position = 5, Failed = [Failure(1)] }, Stop);

        (await Store.DeleteAsync("invoices", Stop)).ShouldBeTrue();

        (await Store.DeleteAsync("invoices", Stop)).ShouldBeFalse();
        (await Store.FailuresAsync("invoices", null, 10, Stop)).ShouldBeEmpty();
        (await BeginAsync(Other)).Position.ShouldBe(0);
    }

    [Fact]
    public async Task One_of_many_concurrent_runs_gets_the_batch()
    {
        ICheckpointStore[] stores = [Store, Database.Open().Checkpoints];

        var begun = await Task.WhenAll(Enumerable.Range(0, 20).Select(
            i => Task.Run(() => stores[i % 2].BeginAsync("invoices", Guid.NewGuid(), Noon, Lease, Stop), Stop)));

        begun.Select(b => b.Owner).Distinct().Count().ShouldBe(1);
    }

    private Task<StoredCheckpoint> BeginAsync(Guid owner, DateTimeOffset? now = null) =>
        Store.BeginAsync("invoices", owner, now ?? Noon, (now ?? Noon).AddSeconds(15), Stop);

    private static CheckpointUpdate Update() => new() { Name = "invoices", Owner = Mine, LeaseUntil = Lease, Position = 0, Done = [] };

    private static BatchFailure Failure(long index) =>
        new() { Index = index, FailureClass = FailureClass.Validation, Error = "no such currency", FailedAt = Noon };
}
