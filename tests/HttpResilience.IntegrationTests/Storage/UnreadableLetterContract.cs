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

    [Fact]
    public async Task A_letter_with_an_unknown_status_is_neither_claimed_nor_counted()
    {
        var store = Database.Open().DeadLetters;
        DeadLetter[] letters = [Letters.Plain(), Letters.Plain()];
        foreach (var letter in letters)
            await store.AddAsync(letter, Stop);
        await SetAsync(letters[0], "status = 'Escalated'");

        (await store.CountAsync(Stop)).ByStatus.ShouldBe(new Dictionary<DeadLetterStatus, long> { [DeadLetterStatus.Pending] = 1 });
        (await store.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldHaveSingleItem().Id.ShouldBe(letters[1].Id);
        (await store.ListAsync(new(), Stop)).ShouldHaveSingleItem().Id.ShouldBe(letters[1].Id);
    }

    private async Task SetAsync(DeadLetter letter, string change) =>
        await Database.ScalarAsync($"UPDATE dead_letters SET {change} WHERE id = '{letter.Id}'");
}

public sealed class SqliteUnreadableLetterTests : UnreadableLetterContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlUnreadableLetterTests(PostgreSqlServer server) : UnreadableLetterContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
