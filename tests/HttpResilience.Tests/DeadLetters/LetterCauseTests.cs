using System.Collections.ObjectModel;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>Letters of one cause are one group, whatever ids and numbers are in them.</summary>
public sealed class LetterCauseTests
{
    private static DeadLetter Letter { get; } = new()
    {
        Id = Guid.CreateVersion7(),
        ClientName = "invoices",
        Method = "POST",
        Uri = new("https://api.example.com/v1/invoices"),
        FailureClass = FailureClass.Validation,
        StopReason = StopReason.NotRetryable,
        StatusCode = 422,
        ErrorTitle = "The vatId is not valid",
        FirstFailedAt = DateTimeOffset.UnixEpoch,
        LastFailedAt = DateTimeOffset.UnixEpoch,
        Status = DeadLetterStatus.RequiresReview,
        DueAt = DateTimeOffset.UnixEpoch,
    };

    [Theory]
    [InlineData("/v1/invoices", "/v1/invoices")]
    [InlineData("/v1/invoices/20417", "/v1/invoices/{id}")]
    [InlineData("/v1/invoices/20417/lines/3", "/v1/invoices/{id}/lines/3")]
    [InlineData("/orders/0b0e1e4c-8b0e-4f0e-9a58-7a3c2f0f7d11", "/orders/{id}")]
    [InlineData("/orders/a7", "/orders/a7")]
    [InlineData("/orders/a77", "/orders/{id}")]
    [InlineData("/orders/abcdefghijklmnopqrs", "/orders/abcdefghijklmnopqrs")]
    [InlineData("/orders/abcdefghijklmnopqrst", "/orders/{id}")]
    [InlineData("/orders/x?id=20417", "/orders/x")]
    [InlineData("/", "/")]
    public void A_route_has_no_ids_and_no_query(string path, string route) =>
        (Letter with { Uri = new($"https://api.example.com{path}") }).Route.ShouldBe(route);

    [Fact]
    public void The_tag_of_a_template_is_the_route() => (Letter with
    {
        Uri = new("https://api.example.com/v1/invoices/20417"),
        Tags = new Dictionary<string, string> { ["url.template"] = "/v1/invoices/{number}" },
    }).Route.ShouldBe("/v1/invoices/{number}");

    [Theory]
    [InlineData("The vatId is not valid", "The vatId is not valid")]
    [InlineData("Invoice 20417 exists", "Invoice # exists")]
    [InlineData("Invoice  20417\t exists \r\nsecond line", "Invoice # exists")]
    [InlineData("\n Invoice 20417", "Invoice #")]
    [InlineData("Order 0b0e1e4c-8b0e-4f0e-9a58-7a3c2f0f7d11 is closed", "Order # is closed")]
    [InlineData("anna.smith+x@example.com is not known", "# is not known")]
    [InlineData("Expired at 2030-01-02T03:04:05.678Z", "Expired at #")]
    [InlineData("Expired at 2030-01-02 03:04", "Expired at #")]
    [InlineData("Expired on 02/01/2030", "Expired on #")]
    [InlineData("Total 1,204.50 differs from -3", "Total # differs from #")]
    [InlineData("Trace deadbeef0 ended", "Trace # ended")]
    [InlineData("Defaced facade", "Defaced facade")]
    [InlineData("Customer 'Meyer 7' is blocked", "Customer # is blocked")]
    [InlineData("Customer 'Meyer' is blocked", "Customer 'Meyer' is blocked")]
    [InlineData("Customer \"A1\" is blocked", "Customer # is blocked")]
    [InlineData("Customer «A1» is blocked", "Customer # is blocked")]
    [InlineData("Don't send it", "Don't send it")]
    [InlineData("Grüße 5", "Grüße #")]
    public void A_title_has_a_mark_where_letters_differ(string title, string normalised) =>
        (Letter with { ErrorTitle = title }).Title.ShouldBe(normalised);

    [Theory]
    [InlineData(422, null, null, "Unprocessable Entity")]
    [InlineData(499, null, "  ", "Status 499")]
    [InlineData(null, "HttpRequestException", null, "Http Request")]
    [InlineData(null, "System.Net.Sockets.SocketException", null, "Socket")]
    [InlineData(null, null, null, "No reason is known")]
    public void Without_a_reason_the_status_or_the_exception_is_the_title(int? status, string? type, string? title, string expected) =>
        (Letter with { StatusCode = status, ErrorType = type, ErrorTitle = title }).Title.ShouldBe(expected);

    [Fact]
    public void A_long_title_ends_after_200_characters() =>
        (Letter with { ErrorTitle = new string('x', 1_000_000) }).Title.ShouldBe(new string('x', 200));

    public static TheoryData<string, DeadLetter> Others => new()
    {
        { "client", Letter with { ClientName = "orders" } },
        { "method", Letter with { Method = "PUT" } },
        { "route", Letter with { Uri = new("https://api.example.com/v1/credits") } },
        { "class", Letter with { FailureClass = FailureClass.Conflict } },
        { "status", Letter with { StatusCode = 400 } },
        { "exception", Letter with { StatusCode = null, ErrorType = "IOException" } },
        { "title", Letter with { ErrorTitle = "The amount is not valid" } },
    };

    [Theory, MemberData(nameof(Others))]
    public void What_a_cause_is_made_of_makes_another_group(string what, DeadLetter other) =>
        other.Fingerprint.ShouldNotBe(Letter.Fingerprint, what);

    [Fact]
    public void What_differs_from_letter_to_letter_does_not()
    {
        var other = Letter with
        {
            Id = Guid.CreateVersion7(),
            Uri = new("https://other.example.com:8443/v1/invoices?id=7"),
            Tenant = "comp1",
            Tags = new Dictionary<string, string> { ["row"] = "7" },
            IdempotencyKey = "k",
            Status = DeadLetterStatus.Pending,
            LastFailedAt = DateTimeOffset.UnixEpoch.AddDays(1),
            Attempts = 7,
        };

        other.Fingerprint.ShouldBe(Letter.Fingerprint);
        Letter.Fingerprint.Length.ShouldBe(24);
    }

    [Fact]
    public void A_part_does_not_run_into_the_next() =>
        (Letter with { ClientName = "a", Method = "bc" }).Fingerprint.ShouldNotBe(
            (Letter with { ClientName = "ab", Method = "c" }).Fingerprint);

    [Fact]
    public void The_fingerprint_stays_what_it_is_so_that_stored_ones_count() =>
        Letter.Fingerprint.ShouldBe("1a2d95e80f67fdf50ffe3f31");

    [Fact]
    public void A_kept_fingerprint_counts_until_the_letter_fails_for_another_reason()
    {
        var kept = Letter with { Fingerprint = "kept" };

        (kept with { Version = 7, Status = DeadLetterStatus.Resolved }).Fingerprint.ShouldBe("kept");
        (kept with { Status = DeadLetterStatus.Replayed, StatusCode = 201 }).Fingerprint.ShouldBe("kept");
        (kept with { ErrorTitle = "Another" }).Fingerprint.ShouldBe((Letter with { ErrorTitle = "Another" }).Fingerprint);
        (kept with { StatusCode = 503 }).Fingerprint.ShouldNotBe("kept");
        (kept with { FailureClass = FailureClass.Transient }).Fingerprint.ShouldNotBe("kept");
        (kept with { ErrorType = "IOException" }).Fingerprint.ShouldNotBe("kept");
        (kept with { Uri = new("https://api.example.com/v1/credits") }).Fingerprint.ShouldNotBe("kept");
        (kept with { Method = "PUT" }).Fingerprint.ShouldNotBe("kept");
        (kept with { Tags = new Dictionary<string, string>() }).Fingerprint.ShouldBe(Letter.Fingerprint);
        (kept == Letter with { Fingerprint = null }).ShouldBeTrue();
    }

    [Fact]
    public void Ten_thousand_letters_of_twelve_causes_are_twelve_groups()
    {
        int seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);

        var groups = Enumerable.Range(0, 10_000).Select(i => OfCause(i % 12, random).Fingerprint).ToHashSet();

        groups.Count.ShouldBe(12);
    }

    private static DeadLetter OfCause(int cause, Random random)
    {
        string id = cause % 2 == 0 ? $"{random.Next(10, int.MaxValue)}" : $"{Guid.NewGuid()}";
        string title = (cause % 4) switch
        {
            0 => $"Invoice {id} exists already, see {Guid.NewGuid():N}1",
            1 => $"'{id}' is not known to customer{random.Next()}@example.com",
            2 => $"Amount {random.NextDouble() * 1e6:N2} differs at {DateTimeOffset.UnixEpoch.AddSeconds(random.Next()):O}",
            _ => $"Row {id} of batch \"{random.Next(1, 99)}\" is not valid\r\nsee {id}",
        };
        return Letter with
        {
            Id = Guid.CreateVersion7(),
            Method = cause < 6 ? "POST" : "PUT",
            Uri = new($"https://api.example.com/v1/{(cause % 3 == 0 ? "invoices" : cause % 3 == 1 ? "credits" : "orders")}/{id}/lines"),
            ErrorTitle = title,
            Tags = ReadOnlyDictionary<string, string>.Empty,
        };
    }
}
