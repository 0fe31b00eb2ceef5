namespace HttpResilience.IntegrationTests.Storage;

/// <summary>What <see cref="ICheckpointStore"/> says, of every store.</summary>
public abstract class CheckpointStoreContract : StorageContract
{
    private static readonly DateTimeOffset Lease = Noon.AddSeconds(15);
    private static readonly Guid Mine = Guid.NewGuid(), Other = Guid.NewGuid();

    private ICheckpointStore Store => field ??= Database.Open().Checkpoints;

    [Fact]
    public async Task A_batch_that_is_not_known_begins_at_its_beginning()
    {
        var begun = await BeginAsync(Mine);

        (begun.Owner, begun.LeaseUntil, begun.Position, begun.Done.Count).ShouldBe((Mine, Lease, 0, 0));
    }

    [Fact]
    public async Task What_is_kept_is_there_for_the_next_run_in_another_process()
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
    public async Task A_batch_that_a_run_has_is_given_to_no_other_before_its_lease_ends()
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
    public async Task A_run_that_saves_renews_its_lease_and_one_that_ends_gives_the_batch_back()
    {
        await BeginAsync(Mine);
        await Store.SaveAsync(Update() with { LeaseUntil = Lease.AddMinutes(1) }, Stop);
        (await BeginAsync(Other, Lease.AddMinutes(1).AddMicroseconds(-1))).Owner.ShouldBe(Mine);

        await Store.SaveAsync(Update() with { LeaseUntil = Noon }, Stop);

        (await BeginAsync(Other, Noon)).Owner.ShouldBe(Other);
    }

    [Fact]
    public async Task Failures_are_kept_whole_replaced_and_healed()
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
    public async Task Failures_come_in_pages_by_index_and_batches_do_not_mix()
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
    public async Task A_batch_that_is_deleted_begins_anew()
    {
        await BeginAsync(Mine);
        await Store.SaveAsync(Update() with { Position = 5, Failed = [Failure(1)] }, Stop);

        (await Store.DeleteAsync("invoices", Stop)).ShouldBeTrue();

        (await Store.DeleteAsync("invoices", Stop)).ShouldBeFalse();
        (await Store.FailuresAsync("invoices", null, 10, Stop)).ShouldBeEmpty();
        (await BeginAsync(Other)).Position.ShouldBe(0);
    }

    [Fact]
    public async Task Of_many_who_begin_at_once_one_gets_the_batch()
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
