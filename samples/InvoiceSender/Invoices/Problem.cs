namespace InvoiceSender;

/// <summary>Problem details (RFC 9457) with the validation errors of each field.</summary>
internal sealed record Problem
{
    public const string ContentType = "application/problem+json";

    public string? Title { get; init; }
    public int? Status { get; init; }
    public string? Detail { get; init; }
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }
}
