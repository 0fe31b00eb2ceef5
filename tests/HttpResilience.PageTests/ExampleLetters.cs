using System.Text;
using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.PageTests;

/// <summary>Letters as a shop has them.</summary>
internal static class ExampleLetters
{
    internal static DeadLetter Invoice(int number, DateTimeOffset? failedAt = null, string tenant = "north-example")
    {
        var at = failedAt ?? DateTimeOffset.UtcNow.AddMinutes(-2);
        return Letters.Plain(at, status: DeadLetterStatus.RequiresReview) with
        {
            Id = Guid.CreateVersion7(at.AddMilliseconds(number % 1000)),
            Uri = new("https://api.billing.example/v1/invoices"),
            FailureClass = FailureClass.Validation,
            StopReason = StopReason.NotRetryable,
            StatusCode = 422,
            ErrorTitle = "The field “vatId” is not a valid VAT number",
            ErrorDetail = "“XX 999 99” has 7 characters, 11 are needed.",
            SuggestedAction = "Fix the data and resubmit",
            Tenant = tenant,
            Tags = new Dictionary<string, string>
            {
                ["document"] = $"Invoice {number}",
                ["docType"] = "invoice",
                ["rowNumber"] = $"{number - 20300}",
            },
            Headers = [new("Content-Type", "application/json"), new("Idempotency-Key", $"key-{number}")],
            IdempotencyKey = $"key-{number}",
            IdempotencyHeaderName = "Idempotency-Key",
            LeftOut = ["Authorization"],
            Body = Encoding.UTF8.GetBytes(
                $$"""{"number":"{{number}}","customer":"Example Trading","vatId":"XX 999 99","currency":"EUR","lines":"""
                + """[{"text":"Sample goods","quantity":3,"price":"12.50"}],"total":"37.50"}"""),
            Attempts = 1,
            FirstFailedAt = at,
            LastFailedAt = at,
        };
    }

    internal static DeadLetter Outage(int number, DateTimeOffset? failedAt = null)
    {
        var at = failedAt ?? DateTimeOffset.UtcNow.AddMinutes(-18);
        return Letters.Plain(DateTimeOffset.UtcNow.AddMinutes(1), client: "customers") with
        {
            Id = Guid.CreateVersion7(at.AddMilliseconds(number % 1000)),
            Method = "PUT",
            Uri = new($"https://crm.example/contacts/{number}"),
            ErrorType = "System.Net.Http.HttpRequestException",
            ErrorTitle = "No answer: the connection was refused",
            Body = Encoding.UTF8.GetBytes($$"""{"contact":{{number}}}"""),
            Headers = [new("Content-Type", "application/json")],
            IdempotencyKey = $"contact-{number}",
            Attempts = 4,
            FirstFailedAt = at,
            LastFailedAt = at,
        };
    }

    internal static DeadLetter Uncertain(int number) => Letters.Plain(client: "shipping", status: DeadLetterStatus.RequiresReview) with
    {
        Uri = new("https://ship.example/labels"),
        MayHaveBeenProcessed = true,
        ErrorTitle = "Timeout after 30 s; it may have been processed",
        SuggestedAction = "Check there first: sending may do it twice",
        Tags = new Dictionary<string, string> { ["document"] = $"Label {number}" },
        Body = Encoding.UTF8.GetBytes("""{"to":"west"}"""),
        Headers = [new("Content-Type", "application/json")],
        FirstFailedAt = DateTimeOffset.UtcNow.AddHours(-13),
        LastFailedAt = DateTimeOffset.UtcNow.AddHours(-13),
    };

    internal static async Task AddAsync(this PageHost host, params IEnumerable<DeadLetter> letters)
    {
        foreach (var letter in letters)
            await host.Letters.AddAsync(letter, TestContext.Current.CancellationToken);
    }
}
