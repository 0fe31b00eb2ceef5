namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The contract of <see cref="IIdempotencyStore"/>, for every store.</summary>
public abstract class IdempotencyStoreContract : StorageContract
{
    private static readonly DateTimeOffset Lease = Noon.AddSeconds(30);

    private static readonly RememberedResponse Created = new(
        201, "Created", [new("Location", "/invoices/7"), new("X-Twice", "1"), new("X-Twice", "2")], new byte[] { 0, 1, 255 });

    private IIdempotencyStore Store => field ??= Database.Open().IdempotencyKeys;

    [Fact]
    public async Task An_unknown_key_is_reserved_for_the_caller()
    {
        var mine = Request();

        (await Store.BeginAsync(mine, Stop)).ShouldBe(new("hash", mine.Owner, Noon, Lease, false, null));
    }

    [Fact]
    public async Task A_call_in_progress_is_not_given_to_a_second_owner()
    {
        var (first, second) = (Request(), Request());
        await Store.BeginAsync(first, Stop);

        (await Store.BeginAsync(second with { LeaseUntil = Lease.AddDays(1) }, Stop)).ShouldBe(
            new("hash", first.Owner, Noon, Lease, false, null));
        (await Store.CompleteAsync(second, Created, Noon.AddDays(1), Stop)).ShouldBeFalse();
        (await Store.ForgetAsync(second, Stop)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_completed_call_returns_its_response()
    {
        var (first, second) = (Request(), Request());
        await Store.BeginAsync(first, Stop);

        (await Store.CompleteAsync(first, Created, Noon.AddDays(7), Stop)).ShouldBeTrue();

        var known = await Store.BeginAsync(second with { Now = Noon.AddDays(7).AddMicroseconds(-1) }, Stop);
        (known.Fingerprint, known.Owner, known.IsInDoubt).ShouldBe(("hash", first.Owner, false));
        var response = known.Response.ShouldNotBeNull();
        (response.StatusCode, response.ReasonPhrase).ShouldBe((201, "Created"));
        response.Headers.ShouldBe(Created.Headers);
        response.Body.ToArray().ShouldBe([0, 1, 255]);
    }

    [Theory, InlineData(null), InlineData("Très bien\0")]
    public async Task A_response_needs_no_reason_no_header_and_no_body(string? reason)
    {
        var first = Request();
        await Store.BeginAsync(first, Stop);

        await Store.CompleteAsync(first, new(204, reason, [], default), Noon.AddDays(7), Stop);

        var response = (await Store.BeginAsync(Request(), Stop)).Response!;
        (response.StatusCode, response.ReasonPhrase, response.Headers.Count, response.Body.Length).ShouldBe(
            (204, reason?.Replace('\0', '\uFFFD'), 0, 0));
    }

    [Fact]
    public async Task An_expired_call_begins_again()
    {
        var (first, second) = (Request(), Request(fingerprint: "other"));
        await Store.BeginAsync(first, Stop);
        await Store.CompleteAsync(first, Created, Noon.AddDays(7), Stop);

        (await Store.BeginAsync(second with { Now = Noon.AddDays(7), LeaseUntil = Noon.AddDays(8) }, Stop)).ShouldBe(
            new("other", second.Owner, Noon.AddDays(7), Noon.AddDays(8), false, null));
        (await Store.CompleteAsync(first, Created, Noon.AddDays(9), Stop)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_call_with_an_expired_lease_goes_in_doubt_to_the_next_owner_only()
    {
        var (first, second, third) = (Request(), Request(), Request());
        await Store.BeginAsync(first, Stop);

        (await Store.BeginAsync(second with { Now = Lease.AddMicroseconds(-1) }, Stop)).Owner.ShouldBe(first.Owner);
        (await Store.BeginAsync(second with { Now = Lease, LeaseUntil = Lease.AddMinutes(1) }, Stop)).ShouldBe(
            new("hash", second.Owner, Noon, Lease.AddMinutes(1), true, null));
        (await Store.BeginAsync(third with { Now = Lease }, Stop)).ShouldBe(
            new("hash", second.Owner, Noon, Lease.AddMinutes(1), false, null));

        (await Store.CompleteAsync(first, Created, Noon.AddDays(7), Stop)).ShouldBeFalse();
        (await Store.ForgetAsync(first, Stop)).ShouldBeFalse();
        (await Store.BeginAsync(third with { Now = Lease.AddMinutes(1), LeaseUntil = Noon.AddDays(1) }, Stop)).IsInDoubt.ShouldBeTrue();
        (await Store.CompleteAsync(third, Created, Noon.AddDays(7), Stop)).ShouldBeTrue();
        (await Store.BeginAsync(first, Stop)).IsInDoubt.ShouldBeFalse();
    }

    [Fact]
    public async Task The_owner_renews_its_lease_by_asking_again()
    {
        var (first, second) = (Request(), Request());
        await Store.BeginAsync(first, Stop);

        (await Store.BeginAsync(first with { LeaseUntil = Lease.AddMinutes(1) }, Stop)).ShouldBe(
            new("hash", first.Owner, Noon, Lease.AddMinutes(1), false, null));
        (await Store.BeginAsync(second with { Now = Lease }, Stop)).Owner.ShouldBe(first.Owner);
        await Store.BeginAsync(second with { Now = Lease.AddMinutes(1), LeaseUntil = Lease.AddMinutes(2) }, Stop);

        (await Store.BeginAsync(second with { Now = Lease.AddMinutes(1), LeaseUntil = Lease.AddMinutes(3) }, Stop)).ShouldBe(
            new("hash", second.Owner, Noon, Lease.AddMinutes(3), true, null));
    }

    [Fact]
    public async Task A_key_with_another_fingerprint_is_not_changed()
    {
        var (first, mistaken) = (Request(), Request(fingerprint: "other"));
        await Store.BeginAsync(first, Stop);

        (await Store.BeginAsync(mistaken, Stop)).ShouldBe(new("hash", first.Owner, Noon, Lease, false, null));
        (await Store.BeginAsync(mistaken with { Now = Lease.AddDays(1) }, Stop)).ShouldBe(
            new("hash", first.Owner, Noon, Lease, false, null));
        (await Store.CompleteAsync(first, Created, Noon.AddDays(7), Stop)).ShouldBeTrue();
        (await Store.BeginAsync(mistaken, Stop)).Fingerprint.ShouldBe("hash");
    }

    [Fact]
    public async Task A_forgotten_call_is_unknown()
    {
        var (first, second) = (Request(), Request(fingerprint: "other"));
        await Store.BeginAsync(first, Stop);

        (await Store.ForgetAsync(first, Stop)).ShouldBeTrue();

        (await Store.ForgetAsync(first, Stop)).ShouldBeFalse();
        (await Store.BeginAsync(second, Stop)).ShouldBe(new("other", second.Owner, Noon, Lease, false, null));
    }

    [Fact]
    public async Task A_completed_call_is_not_forgotten()
    {
        var first = Request();
        await Store.BeginAsync(first, Stop);
        await Store.CompleteAsync(first, Created, Noon.AddDays(7), Stop);

        (await Store.ForgetAsync(first, Stop)).ShouldBeFalse();

        (await Store.BeginAsync(Request(), Stop)).Response.ShouldNotBeNull();
    }

    [Fact]
    public async Task Keys_of_different_clients_are_separate()
    {
        await Store.BeginAsync(Request(), Stop);
        var other = Request() with { ClientName = "Billing" };

        (await Store.BeginAsync(other, Stop)).Owner.ShouldBe(other.Owner);
    }

    [Fact]
    public async Task Keys_that_differ_in_case_are_different()
    {
        await Store.BeginAsync(Request(), Stop);
        var other = Request() with { Key = "KEY" };

        (await Store.BeginAsync(other, Stop)).Owner.ShouldBe(other.Owner);
    }

    [Fact]
    public async Task A_key_is_never_executed_as_SQL()
    {
        var first = Request() with { Key = "'; DROP TABLE remembered_calls; --" };

        await Store.BeginAsync(first, Stop);

        (await Store.BeginAsync(Request() with { Key = first.Key }, Stop)).Owner.ShouldBe(first.Owner);
    }

    [Fact]
    public async Task One_of_many_concurrent_callers_owns_the_call_and_all_see_the_same_owner()
    {
        IIdempotencyStore[] stores = [Store, Database.Open().IdempotencyKeys];
        var requests = Enumerable.Range(0, 40).Select(_ => Request()).ToList();

        var calls = await Task.WhenAll(requests.Select((r, i) => Task.Run(() => stores[i % 2].BeginAsync(r, Stop), Stop)));

        calls.Select(c => c.Owner).Distinct().ShouldHaveSingleItem().ShouldBeOneOf([.. requests.Select(r => r.Owner)]);
    }

    [Fact]
    public async Task One_of_many_concurrent_callers_takes_over_an_abandoned_call()
    {
        await Store.BeginAsync(Request(), Stop);
        IIdempotencyStore[] stores = [Store, Database.Open().IdempotencyKeys];
        var requests = Enumerable.Range(0, 40).Select(_ => Request() with { Now = Lease, LeaseUntil = Lease.AddMinutes(1) }).ToList();

        var calls = await Task.WhenAll(requests.Select((r, i) => Task.Run(() => stores[i % 2].BeginAsync(r, Stop), Stop)));

        calls.Count(c => c.IsInDoubt).ShouldBe(1);
        calls.Select(c => c.Owner).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task Only_expired_keys_are_purged()
    {
        string[] keys = ["done", "done later", "in doubt", "in doubt and expired"];
        foreach (string key in keys)
        {
            var request = Request() with { Key = key, ExpiresAt = key == "in doubt and expired" ? Noon.AddDays(1) : null };
            await Store.BeginAsync(request, Stop);
            if (key.StartsWith("done", StringComparison.Ordinal))
                await Store.CompleteAsync(request, Created, key == "done" ? Noon.AddDays(1) : Noon.AddDays(1).AddMicroseconds(1), Stop);
        }

        (await Store.PurgeAsync(Noon.AddDays(1), Stop)).ShouldBe(2);

        (await Store.BeginAsync(Request() with { Key = "done" }, Stop)).Response.ShouldBeNull();
        (await Store.BeginAsync(Request() with { Key = "done later" }, Stop)).Response.ShouldNotBeNull();
        (await Store.BeginAsync(Request() with { Key = "in doubt", Now = Noon.AddYears(1) }, Stop)).IsInDoubt.ShouldBeTrue();
        (await Store.BeginAsync(Request() with { Key = "in doubt and expired", Now = Noon.AddYears(1) }, Stop)).IsInDoubt.ShouldBeFalse();
    }

    [Fact]
    public async Task An_expired_call_in_doubt_begins_again()
    {
        await Store.BeginAsync(Request() with { ExpiresAt = Noon.AddDays(1) }, Stop);

        (await Store.BeginAsync(
            Request() with { Now = Noon.AddDays(1).AddMicroseconds(-1), LeaseUntil = Noon.AddDays(1), ExpiresAt = Noon.AddDays(1) },
            Stop)).IsInDoubt.ShouldBeTrue();
        (await Store.BeginAsync(Request() with { Now = Noon.AddDays(1) }, Stop)).IsInDoubt.ShouldBeFalse();
    }

    private static RememberedRequest Request(string fingerprint = "hash") =>
        new("billing", "key", fingerprint, Guid.NewGuid(), Noon, Lease);
}
