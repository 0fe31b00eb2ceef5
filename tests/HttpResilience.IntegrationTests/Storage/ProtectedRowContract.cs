using System.Text;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Rows of protected letters as a database tool sees and changes them.</summary>
public abstract class ProtectedRowContract : StorageContract
{
    private readonly string _ring = Directory.CreateTempSubdirectory("key-ring-").FullName;

    /// <summary>Everything that the database has written, as text.</summary>
    private protected abstract Task<string> DumpAsync();

    public static TheoryData<string> Changes =>
    [
        "headers = (SELECT headers FROM dead_letters WHERE tenant = 'other')",
        "body = (SELECT body FROM dead_letters WHERE tenant = 'other')",
        "body = (SELECT body FROM dead_letters WHERE tenant = 'plain')",
        "headers = (SELECT headers FROM dead_letters WHERE tenant = 'other'), "
            + "body = (SELECT body FROM dead_letters WHERE tenant = 'other')",
        "headers = (SELECT headers FROM dead_letters WHERE tenant = 'plain')",
        "headers = (SELECT headers FROM dead_letters WHERE tenant = 'plain'), protected_with = NULL",
        "headers = '[]', protected_with = NULL", "headers = '[]', protected_with = ''", "headers = '[]'",
        "protected_with = NULL", "protected_with = ''", "protected_with = NULL, body = NULL",
        "protected_with = (SELECT protected_with FROM dead_letters WHERE tenant = 'rotated')",
        "protected_with = '00000000-0000-0000-0000-000000000000@tests'",
        "body = NULL", "body = substr(body, 1, 0)", "body = substr(body, 1, 1)", "body = substr(body, 1, length(body) - 1)",
        "body = substr(body, 2)", "body = substr(body, 1, 40)",
        "headers = replace(headers, 'C', 'D')", "headers = substr(headers, 1, length(headers) - 1)",
        "headers = ''", "headers = '{}'", "headers = '{\"protected\":null}'", "headers = '{\"protected\":[]}'",
        "headers = '{\"protected\":[[\":protected\"]]}'", "headers = '{\"protected\":[[\":protected\",\"%%%\"]]}'",
        "headers = '{\"protected\":[[\":protected\",\"\"]]}'", "headers = '{\"protected\":[[\":protected\",\"AAAA\"]]}'",
        "headers = '{\"protected\":[[\"X-A\",\"b\"]]}'", "headers = '[[\":protected\",\"AAAA\"]]'",
        "id = '0195f000-0000-7000-8000-000000000001'",
    ];

    [Theory, MemberData(nameof(Changes))]
    public async Task A_row_that_was_changed_is_set_aside_and_no_other(string change)
    {
        await using var process = new ProtectedProcess(Database, _ring);
        var (changed, other) = (Letter("changed"), Letter("other"));
        DeadLetter[] all = [changed, other, Letter("plain") with { ProtectedWith = null }];
        foreach (var letter in all)
            await process.Letters.AddAsync(letter, Stop);
        var now = DateTimeOffset.UtcNow;
        process.Keys.CreateNewKey(now, now.AddDays(90));
        await using var rotated = new ProtectedProcess(Database, _ring);
        await rotated.Letters.AddAsync(Letter("rotated"), Stop);
        await Database.ScalarAsync($"UPDATE dead_letters SET {change} WHERE tenant = 'changed'");
        var id = change.StartsWith("id = ", StringComparison.Ordinal) ? Guid.Parse(change.Split('\'')[1]) : changed.Id;

        await Should.ThrowAsync<HttpResilienceStorageException>(() => process.Letters.FindAsync(id, Stop));
        (await process.Letters.ListAsync(new() { Limit = 3 }, Stop)).Select(l => l.Tenant).Order()
            .ShouldBe(["other", "plain", "rotated"]);
        var claimed = await process.Letters.ClaimAsync(Letters.Claim(Noon, limit: 10), Stop);

        claimed.Select(l => l.Tenant).Order().ShouldBe(["other", "plain", "rotated"]);
        claimed.Select(l => Encoding.UTF8.GetString(l.Body!.Value.Span)).Order()
            .ShouldBe(["secret of other", "secret of plain", "secret of rotated"]);
        (await Database.ScalarAsync("SELECT status FROM dead_letters WHERE tenant = 'changed'")).ShouldBe("RequiresReview");
        ((string)(await Database.ScalarAsync("SELECT suggested_action FROM dead_letters WHERE tenant = 'changed'"))!)
            .ShouldNotContain("is missing");
        (await process.Letters.MissingKeysAsync(Stop)).ShouldBeEmpty();
        process.Log.Lines.Concat(Database.Log.Lines).ShouldAllBe(l => !l.Text.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("protected_with = '00000000-0000-0000-0000-000000000000@others'"), InlineData("protected_with = 'x'")]
    [InlineData("protected_with = protected_with || 'x'"), InlineData("protected_with = '@'"), InlineData("protected_with = ' '")]
    public async Task A_row_that_names_another_key_waits_for_it(string change)
    {
        await using var process = new ProtectedProcess(Database, _ring);
        await process.Letters.AddAsync(Letter("changed"), Stop);
        await Database.ScalarAsync($"UPDATE dead_letters SET {change}");

        (await process.Letters.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldBeEmpty();

        (await process.Letters.MissingKeysAsync(Stop)).ShouldBe([(await Database.ScalarAsync("SELECT protected_with FROM dead_letters"))!]);
    }

    [Fact]
    public async Task Nothing_of_a_protected_letter_is_in_clear_in_the_database()
    {
        await using var process = new ProtectedProcess(Database, _ring);
        var letter = Letter("tenant") with { OriginalUri = "https://api.example.com/x/../invoices?sig=secret" };
        await process.Letters.AddAsync(letter, Stop);
        var found = (await process.Letters.FindAsync(letter.Id, Stop))!;
        await process.Letters.UpdateAsync(found with { Attempts = 7 }, Stop);
        await process.Letters.CommitAsync(new()
        {
            Changed = [found with { Status = DeadLetterStatus.Resubmitted, Version = 1 }],
            Added = [found with { Id = Guid.CreateVersion7() }],
        }, Stop);

        string dump = await DumpAsync();

        dump.ShouldContain("https://api.example.com/invoices");
        dump.ShouldNotContain("secret");
        dump.ShouldNotContain("X-Customer");
        dump.ToLowerInvariant().ShouldNotContain(Convert.ToHexStringLower("secret"u8));
        dump.ShouldNotContain(Convert.ToBase64String("secret"u8));
    }

    [Fact]
    public async Task A_process_from_before_cannot_read_a_protected_row()
    {
        await using var process = new ProtectedProcess(Database, _ring);
        await process.Letters.AddAsync(Letter("new"), Stop);

        string headers = (string)(await Database.ScalarAsync("SELECT headers FROM dead_letters"))!;

        // As versions 1 and 2 of the schema read it: a row whose header fields are no list is set aside by both.
        Should.Throw<System.Text.Json.JsonException>(() => System.Text.Json.JsonSerializer.Deserialize<List<string[]>>(headers));
    }

    private static DeadLetter Letter(string tenant) => ProtectedLetterContract.Secret() with
    {
        Tenant = tenant,
        Body = Encoding.UTF8.GetBytes($"secret of {tenant}"),
    };

    protected override ValueTask CleanAsync()
    {
        Directory.Delete(_ring, recursive: true);
        return base.CleanAsync();
    }
}

public sealed class SqliteProtectedRowTests : ProtectedRowContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    private protected override async Task<string> DumpAsync()
    {
        string path = ((SqliteTestDatabase)Database).Path;
        var dump = new StringBuilder();
        foreach (string file in new[] { path, $"{path}-wal" }.Where(File.Exists))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            dump.Append(await reader.ReadToEndAsync(Stop));
        }

        return dump.ToString();
    }
}

public sealed class PostgreSqlProtectedRowTests(PostgreSqlServer server) : ProtectedRowContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    private protected override async Task<string> DumpAsync() =>
        (string)(await Database.ScalarAsync("SELECT string_agg(l::text, ' ') FROM dead_letters l"))!;
}
