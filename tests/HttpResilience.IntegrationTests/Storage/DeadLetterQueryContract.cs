namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The contract of <see cref="IDeadLetterStore"/> for lists, counts and purges, for every store.</summary>
public abstract class DeadLetterQueryContract : StorageContract
{
    public static TheoryData<string> Filters =>
        ["status", "client", "authority", "tenant", "application", "tag", "class", "since", "until"];

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
        var wanted = Letters.Plain() with { Tenant = "a", Tags = new Dictionary<string, string> { ["batch"] = "7" } };
        var (other, query) = filter switch
        {
            "status" =>
                (wanted with { Status = DeadLetterStatus.RequiresReview }, new DeadLetterQuery { Status = DeadLetterStatus.Pending }),
            "client" => (wanted with { ClientName = "Billing" }, new() { ClientName = "billing" }),
            "authority" =>
                (wanted with { Uri = new("https://api.example.com:8443/invoices") }, new() { Authority = "https://api.example.com" }),
            "tenant" => (wanted with { Tenant = null }, new() { Tenant = "a" }),
            "application" => (wanted with { Application = "another" }, new() { Application = Letters.Application }),
            "tag" => (wanted with { Tags = new Dictionary<string, string> { ["batch"] = "70" } }, new() { Tag = new("batch", "7") }),
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

    // Each tag, and what a search in the text of the row might take for it.
    public static TheoryData<string, string, string, string> Tags => new()
    {
        { "a", "b", "a", "B" }, { "a", "b", "A", "b" }, { "a", "b", "xa", "b" }, { "a", "b", "a", "bx" },
        { "a", "b", "x", "\"a\":\"b\"" }, { "a", "b", "x\"a", "b" }, { "a", "b", "x,\"a", "b" }, { "a", "b", "a", "b\"" },
        { "a", "b\\", "a", "b\\\\" }, { "\"", "\\", "\\", "\"" },
        { "", "", "", " " }, { "ü", "世🎉", "u", "世" },
        { "%", "_", "x", "y" }, { "a\nb", "c\0d", "a", "c" }, { "a'", "$1", "a", "$1" },
    };

    [Theory, MemberData(nameof(Tags))]
    public async Task A_tag_is_found_and_purged_by_its_exact_name_and_value(string name, string value, string otherName, string otherValue)
    {
        DeadLetter[] wanted =
        [
            Tagged(new() { [name] = value }), Tagged(new() { ["~first"] = "x", [name] = value }),
            Tagged(new() { [name] = value, ["~last"] = "x" }),
        ];
        DeadLetter[] others = [Tagged(new() { [otherName] = otherValue }), Tagged([]), Tagged(new() { ["~"] = name, ["~~"] = value })];
        foreach (var letter in wanted.Concat(others))
            await Store.AddAsync(letter, Stop);
        var query = new DeadLetterQuery { Tag = new(name, value) };

        (await Store.ListAsync(query, Stop)).Select(l => l.Id).ShouldBe(wanted.Select(l => l.Id), ignoreOrder: true);
        (await Store.PurgeAsync(query, DateTimeOffset.MaxValue, Stop)).ShouldBe(3);

        (await Store.ListAsync(new(), Stop)).Select(l => l.Id).ShouldBe(others.Select(l => l.Id), ignoreOrder: true);

        static DeadLetter Tagged(Dictionary<string, string> tags) => Letters.Plain(status: DeadLetterStatus.Resolved) with { Tags = tags };
    }

    public static TheoryData<string> PurgeFilters => ["client", "tenant", "application", "none of these", "class", "since"];

    [Theory, MemberData(nameof(PurgeFilters))]
    public async Task Only_settled_letters_that_match_are_purged(string filter)
    {
        var own = Letters.Plain(status: DeadLetterStatus.Resolved) with { Tenant = "a" };
        var (other, query) = filter switch
        {
            "client" => (own with { ClientName = "other" }, new DeadLetterQuery { ClientName = "billing" }),
            "tenant" => (own with { Tenant = "b" }, new() { Tenant = "a" }),
            "application" => (own with { Application = "other" }, new() { Application = Letters.Application }),
            "class" => (own with { FailureClass = FailureClass.Conflict }, new() { FailureClass = FailureClass.Transient }),
            "since" => (own with { FirstFailedAt = Letters.FailedAt.AddDays(-1) }, new() { Since = Letters.FailedAt }),
            _ => (own with { Status = DeadLetterStatus.RequiresReview }, new()),
        };
        DeadLetter[] kept =
        [
            other with { Id = Guid.CreateVersion7() }, own with { Id = Guid.CreateVersion7(), Status = DeadLetterStatus.RequiresReview },
            own with { Id = Guid.CreateVersion7(), Status = DeadLetterStatus.Pending },
            own with { Id = Guid.CreateVersion7(), Status = DeadLetterStatus.InProgress },
        ];
        foreach (var letter in kept.Append(own))
            await Store.AddAsync(letter, Stop);

        var lastPage = query with { Limit = 1, Before = Guid.Empty };
        (await Store.PurgeAsync(lastPage, Letters.FailedAt, Stop)).ShouldBe(0);
        (await Store.PurgeAsync(lastPage, Letters.FailedAt.AddDays(1), Stop)).ShouldBe(1);

        (await Store.ListAsync(new(), Stop)).Select(l => l.Id).ShouldBe(kept.Select(l => l.Id), ignoreOrder: true);
    }

    [Theory, InlineData(DeadLetterStatus.Replayed), InlineData(DeadLetterStatus.Resolved), InlineData(DeadLetterStatus.Resubmitted)]
    public async Task The_age_of_a_letter_counts_from_the_time_at_which_it_was_settled(DeadLetterStatus status)
    {
        bool isReplayed = status is DeadLetterStatus.Replayed;
        var failedAt = Noon.AddDays(-40);
        // A letter that was resolved before it was due, and one that was replayed at the request of a person before.
        var letter = Letters.Plain(isReplayed ? Noon : Noon.AddDays(20), status: status) with
        {
            FirstFailedAt = failedAt,
            LastFailedAt = failedAt,
            Resolution = new("Replay", null, "me", isReplayed ? failedAt : Noon),
        };
        await Store.AddAsync(letter, Stop);

        (await Store.PurgeAsync(new(), Noon, Stop)).ShouldBe(0);
        (await Store.PurgeAsync(new(), Noon.AddMicroseconds(1), Stop)).ShouldBe(1);
    }

    [Fact]
    public async Task A_count_follows_every_change_of_a_letter()
    {
        var letters = Enumerable.Range(0, 3).Select(i => Letters.Plain(Noon.AddMinutes(i))).ToList();
        foreach (var letter in letters.Append(letters[0]))
            await Store.AddAsync(letter, Stop);
        await ShouldCountAsync((DeadLetterStatus.Pending, 3));
        await Store.ProbeAsync(Stop);
        await ShouldCountAsync((DeadLetterStatus.Pending, 3));

        var first = (await Store.ClaimAsync(Letters.ClaimOf("billing") with { Now = Noon.AddHours(1), Limit = 1 }, Stop)).Single();
        await ShouldCountAsync((DeadLetterStatus.InProgress, 1), (DeadLetterStatus.Pending, 2));
        var waiting = Letters.Plain(status: DeadLetterStatus.RequiresReview) with
        {
            ProtectedWith = "k",
            SuggestedAction = LetterKeyMissingException.ActionOf("k"),
        };
        await Store.AddAsync(waiting, Stop);
        await Store.UpdateAsync(first with { Status = DeadLetterStatus.Replayed }, Stop);
        await Store.UpdateAsync(first with { Status = DeadLetterStatus.Pending }, Stop);
        await Store.CommitAsync(
            new() { Changed = [letters[1] with { Status = DeadLetterStatus.Resubmitted }], Added = [Letters.Plain(Noon)] }, Stop);
        await ShouldCountAsync(
            (DeadLetterStatus.Pending, 2), (DeadLetterStatus.Replayed, 1), (DeadLetterStatus.RequiresReview, 1),
            (DeadLetterStatus.Resubmitted, 1));

        await Store.ReleaseAsync("k", Noon, Stop);
        await Store.PurgeAsync(new() { Status = DeadLetterStatus.Replayed }, DateTimeOffset.MaxValue, Stop);
        await ShouldCountAsync((DeadLetterStatus.Pending, 3), (DeadLetterStatus.Resubmitted, 1));
        await Store.PurgeAsync(new(), DateTimeOffset.MaxValue, Stop);
        await ShouldCountAsync((DeadLetterStatus.Pending, 3));
    }

    private async Task ShouldCountAsync(params (DeadLetterStatus Status, long Count)[] counts) =>
        (await Store.CountAsync(Stop)).ByStatus.Select(c => (c.Key, c.Value)).ShouldBe(counts, ignoreOrder: true);

    [Fact]
    public async Task A_new_store_deletes_by_default() => (await Store.KeepsByDefaultAsync(Stop)).ShouldBeFalse();
}
