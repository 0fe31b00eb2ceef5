namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Dead letters for tests, and their comparison.</summary>
internal static class Letters
{
    internal static readonly DateTimeOffset FailedAt = new(2030, 1, 2, 3, 4, 5, 678, 912, TimeSpan.Zero);

    /// <summary>The application of the stores of the tests.</summary>
    internal static string Application { get; } = System.Reflection.Assembly.GetEntryAssembly()!.GetName().Name!;

    internal static DeadLetter Plain(DateTimeOffset? dueAt = null, string client = "billing", string host = "api.example.com",
        DeadLetterStatus status = DeadLetterStatus.Pending) => new()
        {
            Id = Guid.CreateVersion7(),
            Application = Application,
            ClientName = client,
            Method = "POST",
            Uri = new($"https://{host}/invoices"),
            FailureClass = FailureClass.Transient,
            StopReason = StopReason.AttemptsExhausted,
            FirstFailedAt = FailedAt,
            LastFailedAt = FailedAt,
            Status = status,
            DueAt = dueAt ?? FailedAt,
        };

    /// <summary>A claim of everything due of a client.</summary>
    internal static DeadLetterClaim ClaimOf(string client) => new()
    {
        Clients = [client],
        Now = DateTimeOffset.UtcNow,
        LeaseUntil = DateTimeOffset.UtcNow.AddSeconds(30),
        Limit = 100,
    };

    internal static DeadLetter Full() => Plain() with
    {
        Uri = new("https://api.example.com:8443/invoices/%2F7?q=a%20b&c=%C3%A9"),
        Headers = [new("Content-Type", "application/json"), new("X-Twice", "one"), new("X-Twice", "two"), new("x-empty", "")],
        LeftOut = ["Authorization", "?sig", "X-Grüße"],
        ProtectedWith = "0b0e1e4c-8b0e-4f0e-9a58-7a3c2f0f7d11",
        Body = new byte[] { 0, 255, 13, 10, 0, 128 },
        OriginalUri = "https://api.example.com:8443/x/../invoices/%2F7?q=a%20b&c=%C3%A9",
        HttpVersion = new(2, 0),
        HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        IdempotencyKey = "key-1",
        IdempotencyHeaderName = "X-Request-Id",
        Tenant = "tenant-1",
        Tags = new Dictionary<string, string> { ["rowNumber"] = "17", [""] = "", ["é"] = "ü" },
        FailureClass = FailureClass.ServerError,
        StopReason = StopReason.DeadlineWouldPass,
        MayHaveBeenProcessed = true,
        StatusCode = 500,
        ErrorType = "System.Net.Http.HttpRequestException",
        ErrorTitle = "title",
        ErrorDetail = "detail",
        Attempts = 4,
        LastFailedAt = FailedAt.AddMinutes(1),
        Replays = 2,
        Takeovers = 1,
        Status = DeadLetterStatus.Resolved,
        DueAt = FailedAt.AddHours(1),
        SuggestedAction = "look at it",
        Resolution = new("credited", "by hand", "me@example.com", FailedAt.AddDays(1)),
        Replaces = Guid.CreateVersion7(),
        ReplacedBy = Guid.NewGuid(),
        Version = 3,
    };

    internal static void ShouldBeThatOf(this DeadLetter? stored, DeadLetter letter)
    {
        stored.ShouldNotBeNull();
        (stored with { Headers = letter.Headers, LeftOut = letter.LeftOut, Tags = letter.Tags, Body = letter.Body, History = null })
            .ShouldBe(letter with { History = null });
        stored.History.ShouldBe(letter.History);
        stored.Uri.AbsoluteUri.ShouldBe(letter.Uri.AbsoluteUri);
        stored.Headers.ShouldBe(letter.Headers);
        stored.LeftOut.ShouldBe(letter.LeftOut);
        stored.Tags.ShouldBe(letter.Tags, ignoreOrder: true);
        stored.Body.HasValue.ShouldBe(letter.Body.HasValue);
        stored.Body.GetValueOrDefault().Span.SequenceEqual(letter.Body.GetValueOrDefault().Span).ShouldBeTrue();
    }

    internal static DeadLetterClaim Claim(DateTimeOffset now, int limit = 10, params IReadOnlyCollection<string> clients) =>
        new() { Clients = clients.Count == 0 ? ["billing"] : clients, Now = now, LeaseUntil = now.AddSeconds(30), Limit = limit };
}
