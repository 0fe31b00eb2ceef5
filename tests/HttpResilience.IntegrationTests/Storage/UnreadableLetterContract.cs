using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Rows written by a newer version or a manual edit delay no other letter.</summary>
public abstract class UnreadableLetterContract : StorageContract
{
    // The SQL that damages the row, and the SQL that repairs it.
    public static TheoryData<string, string> Damages => new()
    {
        { "failure_class = 'Newer'", "failure_class = 'Transient'" },
        { "stop_reason = 'Newer'", "stop_reason = 'AttemptsExhausted'" },
        { "tags = '{broken'", "tags = '{}'" },
        { "headers = 'null'", "headers = '[]'" },
        { "headers = '[[\"Accept\"]]'", "headers = '[]'" },
        { "uri = 'nowhere'", "uri = 'https://api.example.com/invoices'" },
        { "resolution_action = 'credited'", "resolution_action = NULL" },
        { "failure_class = '3'", "failure_class = 'Transient'" },
        { "stop_reason = ' AttemptsExhausted'", "stop_reason = 'AttemptsExhausted'" },
        { "headers = '[[null,\"a\"]]'", "headers = '[]'" },
        { "headers = '[null]'", "headers = '[]'" },
        { "headers = '{}'", "headers = '[]'" },
        { "tags = '{\"a\":null}'", "tags = '{}'" },
        { "attempts = -1", "attempts = 0" },
        { "replays = -2147483648", "replays = 0" },
        { "takeovers = -1", "takeovers = 0" },
        { "attempts = 2147483647", "attempts = 0" },
        { "replays = 2147483647", "replays = 0" },
        { "takeovers = 1000000001", "takeovers = 0" },
        // What is claimed by one host would be sent to the other.
        { "authority = 'https://other.example.com'", "authority = 'https://api.example.com'" },
        { "authority = ''", "authority = 'https://api.example.com'" },
        { "uri = 'https://other.example.com/invoices'", "uri = 'https://api.example.com/invoices'" },
        { "uri = 'http://api.example.com/invoices'", "uri = 'https://api.example.com/invoices'" },
        { "uri = 'https://api.example.com:8443/invoices'", "uri = 'https://api.example.com/invoices'" },
        { "uri = '/invoices'", "uri = 'https://api.example.com/invoices'" },
    };

    [Theory, MemberData(nameof(Damages))]
    public async Task An_unreadable_row_requires_review_and_delays_no_other(string damage, string repair)
    {
        var store = Database.Open().DeadLetters;
        DeadLetter[] letters = [Letters.Plain(Noon.AddMinutes(-3)), Letters.Plain(Noon.AddMinutes(-2)), Letters.Plain(Noon.AddMinutes(-1))];
        foreach (var letter in letters)
            await store.AddAsync(letter, Stop);
        var damaged = letters[1];
        await SetAsync(damaged, damage);

        (await store.ClaimAsync(Letters.Claim(Noon), Stop)).Select(l => l.Id).ShouldBe([letters[0].Id, letters[2].Id]);

        (await Database.ScalarAsync($"SELECT status FROM dead_letters WHERE id = '{damaged.Id}' AND {damage}")).ShouldBe("RequiresReview");
        ((string)(await Database.ScalarAsync($"SELECT suggested_action FROM dead_letters WHERE id = '{damaged.Id}'"))!)
            .ShouldContain("can read this row");
        var logged = Database.Log.Lines.Single(l => l.EventId == 3);
        (logged.Level, logged["Id"]).ShouldBe((LogLevel.Error, damaged.Id.ToString()));
        (await store.CountAsync(Stop)).ByStatus.ShouldBe(
            new Dictionary<DeadLetterStatus, long> { [DeadLetterStatus.InProgress] = 2, [DeadLetterStatus.RequiresReview] = 1 },
            ignoreOrder: true);
        (await store.ClaimAsync(Letters.Claim(Noon.AddHours(1)), Stop)).Count.ShouldBe(2);

        // A repaired row is a normal letter again.
        await SetAsync(damaged, repair);
        (await store.FindAsync(damaged.Id, Stop))!.Status.ShouldBe(DeadLetterStatus.RequiresReview);
    }

    [Theory, MemberData(nameof(Damages))]
    public async Task An_unreadable_row_is_left_out_of_lists_and_named_in_the_error_of_a_find(string damage, string repair)
    {
        var store = Database.Open().DeadLetters;
        DeadLetter[] letters =
            [.. Enumerable.Range(0, 4).Select(i => Letters.Plain() with { Id = Guid.CreateVersion7(Noon.AddSeconds(i)) })];
        foreach (var letter in letters)
            await store.AddAsync(letter, Stop);
        await SetAsync(letters[1], damage);
        await SetAsync(letters[3], damage);

        // The page is still full, because a page below the limit is the last one.
        (await store.ListAsync(new() { Limit = 2 }, Stop)).Select(l => l.Id).ShouldBe([letters[2].Id, letters[0].Id]);
        (await store.ListAsync(new() { Limit = 10 }, Stop)).Select(l => l.Id).ShouldBe([letters[2].Id, letters[0].Id]);
        (await store.ListAsync(new() { Limit = 2, Before = letters[2].Id }, Stop)).Select(l => l.Id).ShouldBe([letters[0].Id]);
        Database.Log.Lines.Where(l => l.EventId == 4).Select(l => l["Id"]).Distinct().ShouldBe(
            [letters[3].Id.ToString(), letters[1].Id.ToString()]);
        var failure = await Should.ThrowAsync<HttpResilienceStorageException>(() => store.FindAsync(letters[1].Id, Stop));
        failure.Message.ShouldStartWith($"Dead letter {letters[1].Id} cannot be read: ");
        (await store.FindAsync(letters[0].Id, Stop)).ShouldNotBeNull();

        await SetAsync(letters[1], repair);
        (await store.FindAsync(letters[1].Id, Stop)).ShouldBeThatOf(letters[1]);
    }

    // A row for which the claim itself fails.
    [Theory]
    [InlineData("version = 9223372036854775807"), InlineData("version = 9223372036854775806")]
    [InlineData("version = -9223372036854775808")]
    [InlineData("takeovers = 2147483647, status = 'InProgress'"), InlineData("replays = 2147483647, status = 'InProgress'")]
    public async Task A_row_whose_numbers_overflow_requires_review_and_delays_no_other(string change)
    {
        var store = Database.Open().DeadLetters;
        var odd = Letters.Plain(Noon.AddMinutes(-30));
        DeadLetter[] letters = [odd, .. Enumerable.Range(0, 50).Select(i => Letters.Plain(Noon.AddSeconds(i - 60)))];
        foreach (var letter in letters)
            await store.AddAsync(letter, Stop);
        await SetAsync(odd, change);

        var claimed = await store.ClaimAsync(Letters.Claim(Noon, 100), Stop);

        claimed.Select(l => l.Id).ShouldBe(letters[1..].Select(l => l.Id));
        claimed.ShouldAllBe(l => l.Version == 1 && l.DueAt == Noon.AddSeconds(30));
        (await Database.ScalarAsync($"SELECT status FROM dead_letters WHERE id = '{odd.Id}'")).ShouldBe("RequiresReview");
        Database.Log.Lines.Single(l => l.EventId == 3)["Id"].ShouldBe(odd.Id.ToString());
        var only = Letters.Claim(Noon.AddHours(1), 100) with { Only = new("billing", "https://api.example.com") };
        (await store.ClaimAsync(only, Stop)).Count.ShouldBe(50);
    }

    [Theory]
    [InlineData("http://[fe80::1%25eth0]:8080/x"), InlineData("http://[::FFFF:1.2.3.4]/"), InlineData("https://b\u00fccher.example/x")]
    [InlineData("https+http://catalog/x"), InlineData("HTTP://API.Example.com:80/"), InlineData("http://a_b.example./")]
    [InlineData("http://0x7f.1/")]
    public async Task The_row_of_a_host_in_any_notation_is_readable(string uri)
    {
        var store = Database.Open().DeadLetters;
        var letter = Letters.Plain() with { Uri = new(uri) };
        await store.AddAsync(letter, Stop);

        (await store.FindAsync(letter.Id, Stop)).ShouldNotBeNull().Authority.ShouldBe(letter.Authority);
        (await store.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_row_that_cannot_be_changed_at_all_delays_no_other()
    {
        var store = Database.Open().DeadLetters;
        DeadLetter[] letters =
        [
            Letters.Plain(Noon.AddMinutes(-4)) with { Tenant = "fixed" }, Letters.Plain(Noon.AddMinutes(-3)),
            Letters.Plain(Noon.AddMinutes(-2)) with { Tenant = "fixed" }, Letters.Plain(Noon.AddMinutes(-1)), Letters.Plain(Noon),
        ];
        foreach (var letter in letters)
            await store.AddAsync(letter, Stop);
        await SetAsync(letters[3], "tags = '{broken'");
        await Database.ScalarAsync(KeepsFixedRows);

        (await store.ClaimAsync(Letters.Claim(Noon), Stop)).Select(l => l.Id).ShouldBe([letters[1].Id, letters[4].Id]);

        (await Database.ScalarAsync($"SELECT status FROM dead_letters WHERE id = '{letters[3].Id}'")).ShouldBe("RequiresReview");
        (await store.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(2);
    }

    /// <summary>Creates a trigger that rejects each change of the rows of tenant <c>fixed</c>.</summary>
    protected abstract string KeepsFixedRows { get; }

    [Theory]
    [InlineData("due_at"), InlineData("first_failed_at"), InlineData("last_failed_at")]
    public async Task A_row_with_a_time_beyond_the_calendar_stops_nothing(string column)
    {
        var store = Database.Open().DeadLetters;
        DeadLetter[] letters = [Letters.Plain(Noon.AddMinutes(-2)), Letters.Plain(Noon.AddMinutes(-1))];
        foreach (var time in TimesBeyondTheCalendar)
        {
            foreach (var letter in letters)
                await store.AddAsync(letter, Stop);
            await SetAsync(letters[0], $"{column} = {time}");

            (await store.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(2);
            (await store.ListAsync(new(), Stop)).ShouldContain(l => l.Id == letters[1].Id);
            (await store.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldContain(l => l.Id == letters[1].Id);
            (await store.CountAsync(Stop)).OldestDueAt?.ShouldBeLessThan(DateTimeOffset.MaxValue);
            (await store.BacklogAsync(Stop)).ShouldHaveSingleItem();
            await Database.ScalarAsync("DELETE FROM dead_letters");
        }
    }

    /// <summary>Literals of the earliest and the latest times that a column can hold.</summary>
    protected abstract IReadOnlyList<string> TimesBeyondTheCalendar { get; }

    [Theory]
    [InlineData("Escalated"), InlineData("3"), InlineData(" Pending"), InlineData("pending"), InlineData("Pending,Replayed")]
    [InlineData("")]
    public async Task A_letter_with_an_unknown_status_is_neither_claimed_nor_counted(string status)
    {
        var store = Database.Open().DeadLetters;
        DeadLetter[] letters = [Letters.Plain(), Letters.Plain()];
        foreach (var letter in letters)
            await store.AddAsync(letter, Stop);
        await SetAsync(letters[0], $"status = '{status}'");

        (await store.CountAsync(Stop)).ByStatus.ShouldBe(new Dictionary<DeadLetterStatus, long> { [DeadLetterStatus.Pending] = 1 });
        (await store.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldHaveSingleItem().Id.ShouldBe(letters[1].Id);
        (await store.ListAsync(new(), Stop)).ShouldHaveSingleItem().Id.ShouldBe(letters[1].Id);
    }

    private async Task SetAsync(DeadLetter letter, string change) =>
        await Database.ScalarAsync($"UPDATE dead_letters SET {change} WHERE id = '{letter.Id}'");
}

public sealed class SqliteUnreadableLetterTests : UnreadableLetterContract
{
    // SQLite undoes the statement itself for ABORT, and nothing for FAIL.
    protected override string KeepsFixedRows =>
        "CREATE TRIGGER keep BEFORE UPDATE ON dead_letters WHEN NEW.tenant = 'fixed' BEGIN SELECT RAISE(FAIL, 'no'); END";

    [Theory]
    [InlineData("upper(id)"), InlineData("'{' || id || '}'"), InlineData("replace(id, '-', '')"), InlineData("'zzz'"), InlineData("''")]
    public async Task A_row_whose_id_has_another_form_is_not_sent_again_and_again(string id)
    {
        var store = Database.Open().DeadLetters;
        DeadLetter[] letters = [Letters.Plain(Noon.AddMinutes(-2)), Letters.Plain(Noon.AddMinutes(-1))];
        foreach (var letter in letters)
            await store.AddAsync(letter, Stop);
        await Database.ScalarAsync($"UPDATE dead_letters SET id = {id} WHERE id = '{letters[0].Id}'");

        (await store.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldHaveSingleItem().Id.ShouldBe(letters[1].Id);
        (await store.ClaimAsync(Letters.Claim(Noon.AddHours(1)), Stop)).ShouldHaveSingleItem().Id.ShouldBe(letters[1].Id);

        (await Database.ScalarAsync($"SELECT status FROM dead_letters WHERE id <> '{letters[1].Id}'")).ShouldBe("RequiresReview");
        // A page below the limit would be the last one.
        (await store.ListAsync(new() { Limit = 1 }, Stop)).ShouldHaveSingleItem().Id.ShouldBe(letters[1].Id);
    }

    protected override IReadOnlyList<string> TimesBeyondTheCalendar =>
        ["-9223372036854775808", "-62135596800000001", "253402300800000000", "9223372036854775807"];

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlUnreadableLetterTests(PostgreSqlServer server) : UnreadableLetterContract
{
    protected override string KeepsFixedRows => """
        CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN IF NEW.tenant = 'fixed' THEN RAISE EXCEPTION 'no' USING ERRCODE = '54000'; END IF; RETURN NEW; END $$;
        CREATE TRIGGER keep BEFORE UPDATE ON dead_letters FOR EACH ROW EXECUTE FUNCTION keep()
        """;

    protected override IReadOnlyList<string> TimesBeyondTheCalendar =>
        ["'-infinity'", "'4713-01-01 00:00:00Z BC'", "'10000-01-01 00:00:00Z'", "'infinity'"];

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
