namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The contract of <see cref="IDeadLetterStore"/> for groups of letters with one cause, for every store.</summary>
public abstract class DeadLetterGroupContract : StorageContract
{
    private IDeadLetterStore Store => field ??= Database.Open().DeadLetters;

    [Fact]
    public async Task Open_letters_of_one_cause_are_one_group_with_its_counts_and_times()
    {
        DeadLetter[] letters =
        [
            Of("Invoice 17 exists", Noon.AddMinutes(1)), Of("Invoice 18 exists", Noon.AddMinutes(3), DeadLetterStatus.RequiresReview),
            Of("Invoice 19 exists", Noon.AddMinutes(2), DeadLetterStatus.RequiresReview),
            Of("Invoice 20 exists", Noon.AddMinutes(9), DeadLetterStatus.InProgress),
            Of("Invoice 21 exists", Noon.AddMinutes(99), DeadLetterStatus.Replayed),
            Of("Invoice 22 exists", Noon.AddMinutes(99), DeadLetterStatus.Resolved),
            Of("Invoice 23 exists", Noon.AddMinutes(99), DeadLetterStatus.Resubmitted),
        ];
        foreach (var letter in letters)
            await Store.AddAsync(letter, Stop);

        var group = (await Store.GroupsAsync(new(), 10, Stop)).ShouldHaveSingleItem();

        (group.Fingerprint, group.Pending, group.InProgress, group.RequiresReview, group.Count)
            .ShouldBe((letters[0].Fingerprint, 1, 1, 2, 4));
        (group.FirstFailedAt, group.LastFailedAt).ShouldBe((Noon, Noon.AddMinutes(9)));
        (group.Newest.Id, group.Newest.Title, group.Newest.Body).ShouldBe((letters[..4].Max(l => l.Id), "Invoice # exists", null));
    }

    [Fact]
    public async Task Groups_come_with_the_latest_failure_first_and_no_more_than_are_asked_for()
    {
        foreach (var (title, minute) in new[] { ("a", 5), ("b", 7), ("c", 6), ("a", 1) })
            await Store.AddAsync(Of(title, Noon.AddMinutes(minute)), Stop);

        (await Titles(10)).ShouldBe(["b", "c", "a"]);
        (await Titles(2)).ShouldBe(["b", "c"]);
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => Store.GroupsAsync(new(), 0, Stop));

        async Task<IEnumerable<string>> Titles(int limit) => (await Store.GroupsAsync(new(), limit, Stop)).Select(g => g.Newest.Title);
    }

    [Fact]
    public async Task A_letter_is_in_the_group_of_its_last_failure()
    {
        var letter = Of("a", Noon);
        await Store.AddAsync(letter, Stop);
        await Store.AddAsync(Of("b", Noon), Stop);

        (await Store.UpdateAsync(letter with { ErrorTitle = "b", LastFailedAt = Noon.AddMinutes(1) }, Stop)).ShouldBeTrue();

        var group = (await Store.GroupsAsync(new(), 10, Stop)).ShouldHaveSingleItem();
        (group.Newest.Title, group.Count, group.LastFailedAt).ShouldBe(("b", 2, Noon.AddMinutes(1)));
    }

    [Fact]
    public async Task A_letter_that_was_accepted_stays_in_its_group()
    {
        var letter = Of("a", Noon) with { StatusCode = 422, Tags = new Dictionary<string, string> { ["row"] = "7" } };
        await Store.AddAsync(letter, Stop);
        var stored = (await Store.FindAsync(letter.Id, Stop))!;

        await Store.UpdateAsync(stored with { Status = DeadLetterStatus.Replayed, StatusCode = 201 }, Stop);

        (await Store.ListAsync(new() { Fingerprint = letter.Fingerprint }, Stop)).ShouldHaveSingleItem().StatusCode.ShouldBe(201);
    }

    [Fact]
    public async Task A_group_ends_when_none_of_its_letters_is_open()
    {
        var letter = Of("a", Noon);
        await Store.AddAsync(letter, Stop);

        await Store.UpdateAsync(letter with { Status = DeadLetterStatus.Resolved }, Stop);

        (await Store.GroupsAsync(new(), 10, Stop)).ShouldBeEmpty();
        (await Store.ListAsync(new() { Fingerprint = letter.Fingerprint }, Stop)).ShouldHaveSingleItem();
    }

    public static TheoryData<string> Filters =>
        ["client", "authority", "tenant", "application", "tag", "class", "since", "until", "method", "status code", "text", "fingerprint"];

    [Theory, MemberData(nameof(Filters))]
    public async Task Only_matching_letters_are_counted_and_listed(string filter)
    {
        var own = Of("Reason A", Noon) with { Tenant = "a", Tags = new Dictionary<string, string> { ["batch"] = "7" }, StatusCode = 422 };
        var (other, query) = filter switch
        {
            "client" => (own with { ClientName = "other" }, new DeadLetterQuery { ClientName = "billing" }),
            "authority" => (own with { Uri = new("https://b.example.com/invoices") }, new() { Authority = "https://api.example.com" }),
            "tenant" => (own with { Tenant = "b" }, new() { Tenant = "a" }),
            "application" => (own with { Application = "other" }, new() { Application = Letters.Application }),
            "tag" => (own with { Tags = new Dictionary<string, string> { ["batch"] = "8" } }, new() { Tag = new("batch", "7") }),
            "class" => (own with { FailureClass = FailureClass.Conflict }, new() { FailureClass = FailureClass.Transient }),
            "since" => (own with { FirstFailedAt = Noon.AddDays(-1) }, new() { Since = Noon }),
            "until" => (own with { FirstFailedAt = Noon.AddDays(1) }, new() { Until = Noon.AddMinutes(1) }),
            "method" => (own with { Method = "PUT" }, new() { Method = "POST" }),
            "status code" => (own with { StatusCode = 400 }, new() { StatusCode = 422 }),
            "text" => (own with { ErrorTitle = "Reason B" }, new() { Text = "rEASON a" }),
            _ => (own with { ErrorTitle = "Reason B" }, new DeadLetterQuery { Fingerprint = own.Fingerprint }),
        };
        await Store.AddAsync(own, Stop);
        await Store.AddAsync(other with { Id = Guid.CreateVersion7() }, Stop);

        var group = (await Store.GroupsAsync(query with { Status = DeadLetterStatus.Resolved }, 10, Stop)).ShouldHaveSingleItem();
        (group.Fingerprint, group.Count, group.Newest.Id).ShouldBe((own.Fingerprint, 1, own.Id));
        (await Store.ListAsync(query, Stop)).ShouldHaveSingleItem().Id.ShouldBe(own.Id);
        (await Store.GroupsAsync(new(), 10, Stop)).Sum(g => g.Count).ShouldBe(2);
    }

    [Theory]
    [InlineData("ünGÜLtig", true)]
    [InlineData("UNGüLTIG", false)]
    [InlineData("100%", true)]
    [InlineData("1_0", false)]
    [InlineData("in the detail", true)]
    [InlineData("' OR 1=1 --", false)]
    [InlineData("\\", true)]
    public async Task A_text_is_found_in_title_and_detail_and_the_case_of_A_to_Z_does_not_matter(string text, bool isFound)
    {
        await Store.AddAsync(Of("ungÜltig: 100% ünGÜLtig \\", Noon) with { ErrorDetail = "More In The Detail" }, Stop);

        (await Store.ListAsync(new() { Text = text }, Stop)).Count.ShouldBe(isFound ? 1 : 0);
    }

    [Fact]
    public async Task Ten_thousand_letters_of_twelve_causes_are_twelve_groups()
    {
        var letters = Enumerable.Range(0, 10_000).Select(i => Of(
            (i % 4) switch
            {
                0 => $"Invoice {i} exists, see {Guid.NewGuid()}",
                1 => $"'{i}' is not known to customer{i}@example.com",
                2 => $"Amount {i}.50 differs at {Noon.AddSeconds(i):O}",
                _ => $"Row {i} is not valid",
            },
            Noon.AddSeconds(i)) with
        {
            Uri = new($"https://api.example.com/{(i % 3 == 0 ? "invoices" : i % 3 == 1 ? "credits" : "orders")}/{i + 10}"),
        }).ToList();
        foreach (var some in letters.Chunk(1000))
            await Task.WhenAll(some.Select(l => Store.AddAsync(l, Stop)));

        var groups = await Store.GroupsAsync(new(), 100, Stop);

        groups.Count.ShouldBe(12);
        groups.Sum(g => g.Count).ShouldBe(10_000);
        groups.ShouldAllBe(g => g.Count == letters.Count(l => l.Fingerprint == g.Fingerprint));
    }

    [Fact]
    public async Task A_client_that_gives_each_letter_another_title_does_not_flood_the_list()
    {
        var random = new Random(1);
        var flood = Enumerable.Range(0, 1000).Select(i => Of(
            $"{string.Concat(Enumerable.Range(0, 12).Select(_ => (char)('a' + random.Next(26))))} {(char)('a' + (i % 26))}",
            Noon.AddSeconds(i), i % 2 == 0 ? DeadLetterStatus.Pending : DeadLetterStatus.RequiresReview) with
        {
            Uri = new($"https://api.example.com/invoices/{i + 10}"),
            FirstFailedAt = Noon.AddSeconds(-i),
        }).ToList();
        DeadLetter[] beside =
        [
            Of("One", Noon.AddDays(-1)) with { Uri = new("https://api.example.com/orders") },
            Of("One", Noon.AddDays(-1)) with { ClientName = "other" }, Of("One", Noon.AddDays(-1)) with { Method = "PUT" },
            Of("One", Noon.AddDays(-1)) with { StatusCode = 422 }, Of("One", Noon.AddDays(-1)) with { ErrorType = "Odd" },
            Of("One", Noon.AddDays(-1)) with { FailureClass = FailureClass.Conflict },
        ];
        foreach (var some in flood.Concat(beside).Chunk(200))
            await Task.WhenAll(some.Select(l => Store.AddAsync(l, Stop)));

        var groups = await Store.GroupsAsync(new(), 1000, Stop);

        groups.Count.ShouldBe(200 + 1 + beside.Length);
        groups.Sum(g => g.Count).ShouldBe(1000 + beside.Length);
        var other = groups.Where(g => g.OtherReasons > 0).ShouldHaveSingleItem();
        (other.Fingerprint, other.OtherReasons, other.Pending, other.RequiresReview, other.InProgress).ShouldBe(("", 800, 400, 400, 0));
        (other.FirstFailedAt, other.LastFailedAt, other.Newest.Body).ShouldBe((Noon.AddSeconds(-799), Noon.AddSeconds(799), null));
        other.Newest.Id.ShouldBe(flood[..800].Max(l => l.Id));
        groups.Take(200).Select(g => g.Fingerprint).ShouldBe(flood[800..].Select(l => l.Fingerprint).Reverse());
        groups[200].ShouldBe(other);
        groups.Skip(201).Select(g => g.Fingerprint).ShouldBe(beside.Select(l => l.Fingerprint), ignoreOrder: true);
        (await Store.GroupsAsync(new(), 5, Stop)).Count.ShouldBe(5);
        var limited = await Store.GroupsAsync(new(), 200, Stop);
        limited.Count.ShouldBe(200);
        limited.ShouldContain(other);
        limited.Select(g => g.Fingerprint).Intersect(beside.Select(l => l.Fingerprint)).Count().ShouldBe(beside.Length);
    }

    [Fact]
    public async Task A_new_store_has_nothing_to_complete()
    {
        await Store.AddAsync(Of("a", Noon), Stop);

        (await Store.CompleteAsync(Stop)).ShouldBe(0);
    }

    private static DeadLetter Of(string title, DateTimeOffset lastFailedAt, DeadLetterStatus status = DeadLetterStatus.Pending) =>
        Letters.Plain(Noon, status: status) with
        {
            ErrorTitle = title,
            FirstFailedAt = Noon,
            LastFailedAt = lastFailedAt,
            Body = new byte[] { 1, 2, 3 },
        };
}
