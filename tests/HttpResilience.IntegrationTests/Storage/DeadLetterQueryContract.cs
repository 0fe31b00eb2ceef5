namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The contract of <see cref="IDeadLetterStore"/> for lists, counts and purges, for every store.</summary>
public abstract class DeadLetterQueryContract : StorageContract
{
    public static TheoryData<string> Filters => ["status", "client", "authority", "tenant", "class", "since", "until"];

    private IDeadLetterStore Store => field ??= Database.Open().DeadLetters;

    [Fact]
    public async Task Pages_go_from_the_newest_to_the_oldest_letter_and_list_each_once()
    {
        var letters = Enumerable.Range(0, 25).Select(_ => Letters.Plain()).ToList();
        await Task.WhenAll(letters.AsEnumerable().Reverse().Select(l => Store.AddAsync(l, Stop)));

        List<DeadLetter> seen = [];
        IReadOnlyList<DeadLetter> page;
        do
        {
            page = await Store.ListAsync(new() { Limit = 10, Before = seen.LastOrDefault()?.Id }, Stop);
            page.Count.ShouldBe(seen.Count == 20 ? 5 : 10);
            seen.AddRange(page);
        }
        while (page.Count == 10);

        seen.Select(l => l.Id).ShouldBe(letters.Select(l => l.Id).OrderDescending());
        seen[^1].ShouldBeThatOf(letters.MinBy(l => l.Id)!);
    }

    [Fact]
    public async Task A_page_has_50_letters_by_default()
    {
        await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => Store.AddAsync(Letters.Plain(), Stop)));

        (await Store.ListAsync(new(), Stop)).Count.ShouldBe(50);
        (await Store.ListAsync(new() { Limit = 1000 }, Stop)).Count.ShouldBe(60);
    }

    [Theory, MemberData(nameof(Filters))]
    public async Task Only_matching_letters_are_listed(string filter)
    {
        var wanted = Letters.Plain() with { Tenant = "a" };
        var (other, query) = filter switch
        {
            "status" =>
                (wanted with { Status = DeadLetterStatus.RequiresReview }, new DeadLetterQuery { Status = DeadLetterStatus.Pending }),
            "client" => (wanted with { ClientName = "Billing" }, new() { ClientName = "billing" }),
            "authority" =>
                (wanted with { Uri = new("https://api.example.com:8443/invoices") }, new() { Authority = "https://api.example.com" }),
            "tenant" => (wanted with { Tenant = null }, new() { Tenant = "a" }),
            "class" => (wanted with { FailureClass = FailureClass.Conflict }, new() { FailureClass = FailureClass.Transient }),
            "since" => (wanted with { FirstFailedAt = wanted.FirstFailedAt.AddMicroseconds(-1) }, new() { Since = wanted.FirstFailedAt }),
            _ => (wanted with { FirstFailedAt = wanted.FirstFailedAt.AddMicroseconds(1) },
                new() { Until = wanted.FirstFailedAt.AddMicroseconds(1) }),
        };
        await Store.AddAsync(wanted, Stop);
        await Store.AddAsync(other with { Id = Guid.CreateVersion7() }, Stop);

        (await Store.ListAsync(query, Stop)).ShouldHaveSingleItem().ShouldBeThatOf(wanted);
        (await Store.ListAsync(new(), Stop)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task All_filters_apply_together_and_to_every_page()
    {
        for (int i = 0; i < 40; i++)
        {
            var status = i % 4 < 2 ? DeadLetterStatus.Pending : DeadLetterStatus.RequiresReview;
            await Store.AddAsync(Letters.Plain(client: i % 2 == 0 ? "a" : "b", status: status) with { Tenant = $"{i % 5}" }, Stop);
        }

        var query = new DeadLetterQuery
        {
            ClientName = "a",
            Status = DeadLetterStatus.Pending,
            Tenant = "0",
            FailureClass = FailureClass.Transient,
            Limit = 1,
        };

        var first = (await Store.ListAsync(query, Stop)).ShouldHaveSingleItem();
        var second = (await Store.ListAsync(query with { Before = first.Id }, Stop)).ShouldHaveSingleItem();

        (await Store.ListAsync(query with { Before = second.Id }, Stop)).ShouldBeEmpty();
        (second.Id < first.Id).ShouldBeTrue();
    }

    [Fact]
    public async Task A_filter_is_never_executed_as_SQL()
    {
        await Store.AddAsync(Letters.Plain(), Stop);

        (await Store.ListAsync(new() { ClientName = "' OR 1=1 --", Authority = "x' OR 'a'='a", Tenant = "'; DELETE FROM dead_letters; --" },
            Stop)).ShouldBeEmpty();

        (await Store.ListAsync(new(), Stop)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Each_status_with_letters_is_counted()
    {
        (await Store.CountAsync(Stop)).ByStatus.ShouldBeEmpty();
        for (int i = 0; i < 3; i++)
            await Store.AddAsync(Letters.Plain(Noon.AddMinutes(-i)), Stop);
        await Store.AddAsync(Letters.Plain(Noon.AddDays(-1), status: DeadLetterStatus.InProgress), Stop);
        await Store.AddAsync(Letters.Plain(Noon.AddDays(-1), status: DeadLetterStatus.RequiresReview), Stop);

        var counts = await Store.CountAsync(Stop);

        var expected = new Dictionary<DeadLetterStatus, long>
        {
            [DeadLetterStatus.Pending] = 3,
            [DeadLetterStatus.InProgress] = 1,
            [DeadLetterStatus.RequiresReview] = 1,
        };
        counts.ByStatus.ShouldBe(expected, ignoreOrder: true);
        counts[DeadLetterStatus.Resolved].ShouldBe(0);
        counts.OldestDueAt.ShouldBe(Noon.AddMinutes(-2));
    }

    [Fact]
    public async Task No_letter_is_due_when_none_is_pending()
    {
        await Store.AddAsync(Letters.Plain(status: DeadLetterStatus.RequiresReview), Stop);

        (await Store.CountAsync(Stop)).OldestDueAt.ShouldBeNull();
    }

    [Fact]
    public async Task Only_closed_letters_that_last_failed_before_the_given_time_are_purged()
    {
        List<DeadLetter> kept = [];
        foreach (var status in Enum.GetValues<DeadLetterStatus>())
        {
            bool isDone = status is DeadLetterStatus.Replayed or DeadLetterStatus.Resolved or DeadLetterStatus.Resubmitted;
            foreach (var failedAt in new[] { Noon, Noon.AddMicroseconds(-1) })
            {
                var firstFailedAt = Noon.AddDays(-9);
                var letter = Letters.Plain(firstFailedAt, status: status) with { FirstFailedAt = firstFailedAt, LastFailedAt = failedAt };
                await Store.AddAsync(letter, Stop);
                if (!isDone || failedAt == Noon)
                    kept.Add(letter);
            }
        }

        (await Store.PurgeAsync(Noon, Stop)).ShouldBe(3);

        (await Store.ListAsync(new(), Stop)).Select(l => l.Id).ShouldBe(kept.Select(l => l.Id), ignoreOrder: true);
        (await Store.PurgeAsync(Noon, Stop)).ShouldBe(0);
    }

    [Fact]
    public async Task All_closed_letters_are_purged_however_many_there_are()
    {
        await Task.WhenAll(Enumerable.Range(0, 2001).Select(_ => Store.AddAsync(Letters.Plain(status: DeadLetterStatus.Replayed), Stop)));

        (await Store.PurgeAsync(Noon, Stop)).ShouldBe(2001);

        (await Store.CountAsync(Stop)).ByStatus.ShouldBeEmpty();
    }
}
