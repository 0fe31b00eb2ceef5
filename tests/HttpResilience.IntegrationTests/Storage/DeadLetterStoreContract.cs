namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The contract of <see cref="IDeadLetterStore"/> for storing, finding and updating letters, for every store.</summary>
public abstract class DeadLetterStoreContract : StorageContract
{
    public static TheoryData<string> Texts =>
    [
        "Grüße, 世界, 🎉", "a\r\nb\tc", "'; DROP TABLE dead_letters; --", "\" OR 1=1 --", "%_\\", "$1 @id :id {0}",
        "\u0001\u001f\u007f\u2028", new string('x', 1 << 20),
    ];

    public static TheoryData<DeadLetterStatus> Statuses => [.. Enum.GetValues<DeadLetterStatus>()];

    private IDeadLetterStore Store => field ??= Database.Open().DeadLetters;

    [Fact]
    public async Task A_letter_is_found_as_it_was_added()
    {
        var (full, plain) = (Letters.Full(), Letters.Plain());

        (await Store.AddAsync(full, Stop)).ShouldBeTrue();
        (await Store.AddAsync(plain, Stop)).ShouldBeTrue();

        (await Store.FindAsync(full.Id, Stop)).ShouldBeThatOf(full);
        (await Store.FindAsync(plain.Id, Stop)).ShouldBeThatOf(plain);
    }

    [Theory, MemberData(nameof(Texts))]
    public async Task Every_text_is_stored_unchanged(string text)
    {
        var letter = Letters.Full() with
        {
            ClientName = text,
            Headers = [new("X-Value", text), new(text, "")],
            Tags = new Dictionary<string, string> { [text] = text },
            Tenant = text,
            IdempotencyKey = text,
            ErrorType = text,
            ErrorTitle = text,
            ErrorDetail = text,
            SuggestedAction = text,
            Resolution = new(text, text, text, Letters.FailedAt),
        };

        await Store.AddAsync(letter, Stop);

        (await Store.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
        if (text.Length < 1000)
            (await Store.ListAsync(new() { ClientName = text, Tenant = text }, Stop)).ShouldHaveSingleItem().Id.ShouldBe(letter.Id);
    }

    [Fact]
    public async Task Characters_that_a_database_cannot_store_are_replaced()
    {
        // Not a theory: an attribute argument cannot hold half of a surrogate pair.
        var created = Noon;
        (string, string)[] texts =
            [("a\0b", "a\uFFFDb"), ("a\uD800b", "a\uFFFDb"), ("\uDC00", "\uFFFD"), ("\uD83C\uDF89\0", "\uD83C\uDF89\uFFFD")];
        foreach (var (text, kept) in texts)
        {
            // Ids of one millisecond are unordered, and two of the texts are stored alike.
            created = created.AddSeconds(1);
            var id = Guid.CreateVersion7(created);
            var letter = Letters.Plain(client: text) with { Id = id, Tenant = text, ErrorTitle = text, Tags = Tagged(text) };

            await Store.AddAsync(letter, Stop);

            // JSON can escape NUL, but not half of a surrogate pair.
            (await Store.FindAsync(letter.Id, Stop)).ShouldBeThatOf(
                letter with { ClientName = kept, Tenant = kept, ErrorTitle = kept, Tags = Tagged(text.Contains('\0') ? text : kept) });
            (await Store.ListAsync(new() { Tenant = text, ClientName = text, Limit = 1 }, Stop))
                .ShouldHaveSingleItem().Id.ShouldBe(letter.Id);
            (await Store.ClaimAsync(Letters.Claim(Noon, 10, text), Stop)).ShouldHaveSingleItem().Id.ShouldBe(letter.Id);
        }

        static Dictionary<string, string> Tagged(string value) => new() { ["tag"] = value };
    }

    [Theory, InlineData(0), InlineData(1), InlineData(65_536), InlineData(5_000_001)]
    public async Task A_body_of_any_length_is_stored(int length)
    {
        byte[] body = new byte[length + 2];
        new Random(length).NextBytes(body);
        var letter = Letters.Plain() with { Body = body.AsMemory(1, length) };

        await Store.AddAsync(letter, Stop);

        (await Store.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
    }

    [Fact]
    public async Task A_missing_body_is_not_an_empty_one()
    {
        var missing = Letters.Plain() with { BodyIsMissing = true };

        await Store.AddAsync(missing, Stop);

        (await Store.FindAsync(missing.Id, Stop)).ShouldBeThatOf(missing);
    }

    [Fact]
    public async Task Times_are_stored_in_whole_microseconds_and_in_UTC()
    {
        var finer = Noon.AddTicks(19);
        var letter = Letters.Plain(finer) with
        {
            FirstFailedAt = new DateTimeOffset(2030, 1, 2, 1, 0, 0, TimeSpan.FromHours(-5)),
            LastFailedAt = new DateTimeOffset(1969, 12, 31, 23, 59, 59, TimeSpan.Zero).AddTicks(7),
        };

        await Store.AddAsync(letter, Stop);

        var stored = (await Store.FindAsync(letter.Id, Stop))!;
        stored.DueAt.ShouldBe(Noon.AddTicks(10));
        stored.FirstFailedAt.ShouldBe(new DateTimeOffset(2030, 1, 2, 6, 0, 0, TimeSpan.Zero));
        stored.FirstFailedAt.Offset.ShouldBe(TimeSpan.Zero);
        stored.LastFailedAt.ShouldBe(new DateTimeOffset(1969, 12, 31, 23, 59, 59, TimeSpan.Zero));
    }

    [Fact]
    public async Task The_earliest_and_the_latest_time_are_stored()
    {
        var letter = Letters.Plain(DateTimeOffset.MinValue) with { LastFailedAt = DateTimeOffset.MaxValue };

        await Store.AddAsync(letter, Stop);

        var stored = (await Store.FindAsync(letter.Id, Stop))!;
        stored.DueAt.ShouldBe(DateTimeOffset.MinValue);
        stored.LastFailedAt.ShouldBe(DateTimeOffset.MaxValue, TimeSpan.FromMicroseconds(1));
    }

    [Theory, MemberData(nameof(Statuses))]
    public async Task Every_status_failure_class_and_stop_reason_is_stored(DeadLetterStatus status)
    {
        var letters = Enum.GetValues<FailureClass>().SelectMany(f =>
            Enum.GetValues<StopReason>().Select(r => Letters.Plain(status: status) with { FailureClass = f, StopReason = r })).ToList();

        await Task.WhenAll(letters.Select(l => Store.AddAsync(l, Stop)));

        foreach (var letter in letters)
            (await Store.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
    }

    [Fact]
    public async Task An_existing_letter_is_not_overwritten_by_an_add()
    {
        var letter = Letters.Full();
        await Store.AddAsync(letter, Stop);

        (await Store.AddAsync(Letters.Plain() with { Id = letter.Id }, Stop)).ShouldBeFalse();

        (await Store.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
    }

    [Fact]
    public async Task One_of_many_concurrent_adds_of_the_same_letter_succeeds()
    {
        var letter = Letters.Plain();

        bool[] added = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Store.AddAsync(letter with { Attempts = i }, Stop)));

        added.Count(a => a).ShouldBe(1);
    }

    [Fact]
    public async Task An_unknown_letter_is_null() => (await Store.FindAsync(Guid.CreateVersion7(), Stop)).ShouldBeNull();

    [Fact]
    public async Task All_letters_of_concurrent_adds_are_stored()
    {
        var letters =
            Enumerable.Range(0, 1000).Select(i => Letters.Plain() with { Attempts = i, Body = BitConverter.GetBytes(i) }).ToList();

        (await Task.WhenAll(letters.Select(l => Task.Run(() => Store.AddAsync(l, Stop), Stop)))).ShouldAllBe(added => added);

        foreach (var letter in letters)
            (await Store.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
    }

    [Fact]
    public async Task An_update_stores_the_state_of_a_letter_and_increments_its_version()
    {
        var plain = Letters.Plain();
        await Store.AddAsync(plain, Stop);
        var changed = Changed(plain, Letters.Full());

        (await Store.UpdateAsync(changed, Stop)).ShouldBeTrue();
        (await Store.FindAsync(plain.Id, Stop)).ShouldBeThatOf(changed with { Version = 1 });

        (await Store.UpdateAsync(plain with { Version = 1 }, Stop)).ShouldBeTrue();
        (await Store.FindAsync(plain.Id, Stop)).ShouldBeThatOf(plain with { Version = 2 });
    }

    [Fact]
    public async Task An_update_never_changes_the_request_of_a_letter()
    {
        var full = Letters.Full();
        await Store.AddAsync(full, Stop);
        var other = Letters.Plain();

        (await Store.UpdateAsync(other with { Id = full.Id, Version = full.Version }, Stop)).ShouldBeTrue();

        (await Store.FindAsync(full.Id, Stop)).ShouldBeThatOf(Changed(full, other) with { Version = full.Version + 1 });
    }

    /// <summary>A letter with the id of an existing one.</summary>
    private static DeadLetter Changed(DeadLetter letter, DeadLetter to) => to with
    {
        Id = letter.Id,
        Version = letter.Version,
        Application = letter.Application,
        ClientName = letter.ClientName,
        Method = letter.Method,
        Uri = letter.Uri,
        OriginalUri = letter.OriginalUri,
        HttpVersion = letter.HttpVersion,
        HttpVersionPolicy = letter.HttpVersionPolicy,
        FirstFailedAt = letter.FirstFailedAt,
        IdempotencyKey = letter.IdempotencyKey,
        IdempotencyHeaderName = letter.IdempotencyHeaderName,
        Tenant = letter.Tenant,
        Tags = letter.Tags,
        Replaces = letter.Replaces,
        LeftOut = letter.LeftOut,
        ProtectedWith = letter.ProtectedWith,
        Headers = letter.Headers,
        Body = letter.Body,
        BodyIsMissing = letter.BodyIsMissing,
    };

    [Fact]
    public async Task An_update_of_another_version_does_nothing()
    {
        var letter = Letters.Plain() with { Version = 5 };
        await Store.AddAsync(letter, Stop);

        (await Store.UpdateAsync(letter with { Attempts = 9, Version = 4 }, Stop)).ShouldBeFalse();
        (await Store.UpdateAsync(letter with { Attempts = 9, Version = 6 }, Stop)).ShouldBeFalse();

        (await Store.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
    }

    [Fact]
    public async Task An_update_of_a_deleted_letter_does_nothing()
    {
        var letter = Letters.Plain();

        (await Store.UpdateAsync(letter, Stop)).ShouldBeFalse();

        (await Store.FindAsync(letter.Id, Stop)).ShouldBeNull();
    }

    [Fact]
    public async Task One_of_many_concurrent_updates_of_the_same_version_succeeds()
    {
        var letter = Letters.Plain();
        await Store.AddAsync(letter, Stop);
        IDeadLetterStore[] stores = [Store, Database.Open().DeadLetters];

        bool[] changed = await Task.WhenAll(
            Enumerable.Range(1, 40).Select(i => stores[i % 2].UpdateAsync(letter with { Attempts = i }, Stop)));

        changed.Count(c => c).ShouldBe(1);
        (await Store.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter with { Attempts = 1 + Array.IndexOf(changed, true), Version = 1 });
    }

    [Fact]
    public async Task Concurrent_updates_each_apply_to_their_own_letter_if_its_version_is_the_one_they_are_based_on()
    {
        DeadLetter[] letters = [.. Enumerable.Range(0, 100).Select(_ => Letters.Plain())];
        await Task.WhenAll(letters.Select(l => Store.AddAsync(l, Stop)));

        var changed = await Task.WhenAll(letters.Select((l, i) => Store.UpdateAsync(
            l with { Version = i % 3, ErrorTitle = $"change {i}", StatusCode = i % 2 == 0 ? 500 + i : null }, Stop)));

        foreach (var (i, letter) in letters.Index())
        {
            changed[i].ShouldBe(i % 3 == 0);
            (await Store.FindAsync(letter.Id, Stop)).ShouldBeThatOf(
                i % 3 == 0 ? letter with { Version = 1, ErrorTitle = $"change {i}", StatusCode = i % 2 == 0 ? 500 + i : null } : letter);
        }
    }
}
