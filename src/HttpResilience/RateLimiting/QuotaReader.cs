using System.Net.Http.Headers;

namespace HttpResilience;

/// <summary>
/// Reads the quotas of a response: those of <c>RateLimit</c>, of an API that is known, and of fields that the user named.
/// </summary>
internal sealed record QuotaReader(QuotaVendor? Vendor, IReadOnlyList<QuotaFields> Fields)
{
    private const int MaxReports = 32;
    private const int MaxPart = 64;

    // A reset in minutes, read against a Date in seconds.
    private static readonly TimeSpan Rounding = TimeSpan.FromMinutes(1);

    /// <summary>The quotas that a response reports.</summary>
    /// <param name="now">The reference time when the response has no <c>Date</c>.</param>
    internal List<QuotaReport> Read(HttpResponseHeaders headers, DateTimeOffset now)
    {
        List<QuotaReport> reports = [];
        var raw = headers.NonValidated;
        if (raw.Count == 0)
            return reports;
        var sentAt = RetryAfter.SentAt(raw, now);
        RateLimitField.AddTo(reports, raw, RateLimitField.Name, sentAt, MaxReports);
        if (Vendor is { } vendor)
        {
            foreach (var quota in vendor.Quotas)
                Add(reports, raw, quota, sentAt);
            foreach (string list in vendor.Lists)
                RateLimitField.AddTo(reports, raw, list, sentAt, MaxReports);
            if (vendor.ListWindow is { } window)
                WithWindow(reports, window, vendor.Quotas);
        }

        foreach (var quota in Fields)
            Add(reports, raw, quota, sentAt);
        return reports;
    }

    /// <summary>The quotas of <c>RateLimit</c> alone.</summary>
    /// <inheritdoc cref="Read"/>
    internal static List<QuotaReport> ReadStandard(HttpResponseHeaders headers, DateTimeOffset now)
    {
        List<QuotaReport> reports = [];
        var raw = headers.NonValidated;
        if (raw.Count > 0 && raw.Contains(RateLimitField.Name))
            RateLimitField.AddTo(reports, raw, RateLimitField.Name, RetryAfter.SentAt(raw, now), MaxReports);
        return reports;
    }

    /// <summary>The longest reset that is believed, whatever <c>Retry:MaxRetryAfter</c> is; null without one.</summary>
    internal TimeSpan? Longest { get; } = (Vendor?.Quotas ?? []).Concat(Fields)
        .Select(q => q.Longest > q.Window ? q.Longest : q.Window).Append(Vendor?.ListWindow).Max() + Rounding;

    /// <summary>A response that rejects a request for a limit, though its status is not 429.</summary>
    internal bool Rejects(int status, HttpResponseHeaders headers)
    {
        foreach (var rejection in Vendor?.Rejections ?? [])
        {
            if (rejection.Status == status && headers.NonValidated.TryGetValues(rejection.Field, out var values)
                && (rejection.Value is not { } value || NameOf(values.ToString()).Equals(value, StringComparison.OrdinalIgnoreCase)))
                return true;
        }

        return false;
    }

    // "ThrottlingException:http://internal.amazon.com/coral/com.amazon.coral.availability/".
    private static ReadOnlySpan<char> NameOf(ReadOnlySpan<char> value) =>
        (value.IndexOf(':') is var end and >= 0 ? value[..end] : value).Trim(" \t");

    private static void WithWindow(List<QuotaReport> reports, TimeSpan window, IReadOnlyList<QuotaFields> ofFields)
    {
        for (int i = 0; i < reports.Count; i++)
        {
            if (!ofFields.Any(q => q.Remaining == reports[i].Name))
                reports[i] = reports[i] with { Window = reports[i].Window ?? window, CostVaries = true };
        }
    }

    private static void Add(List<QuotaReport> reports, HttpHeadersNonValidated headers, QuotaFields fields, DateTimeOffset now)
    {
        if (reports.Count >= MaxReports || Single(headers, fields.Remaining) is not { } text)
            return;
        var (remaining, limit) = RemainingOf(text);
        if (remaining is null)
            return;
        if (fields.Limit is { } limitField && Single(headers, limitField) is { } limitText)
            limit ??= DelayNotation.Number(limitText);
        reports.Add(new(fields.Remaining, remaining.Value)
        {
            Limit = limit ?? fields.FixedLimit,
            Reset = fields.Reset is { } reset && Single(headers, reset) is { } resetText
                ? QuotaNotations.Read(resetText, fields.Notation, now) ?? TimeSpan.Zero : null,
            Part = PartOf(headers, fields),
            Window = WindowOf(headers, fields, now),
            Kind = fields.Kind,
            IsOfHost = fields.IsOfHost,
            CostVaries = fields.CostVaries,
        });
    }

    // "17", or used/limit: "32/40".
    private static (decimal? Remaining, decimal? Limit) RemainingOf(ReadOnlySpan<char> text)
    {
        int slash = text.IndexOf('/');
        if (slash < 0)
            return (DelayNotation.Number(text), null);
        return DelayNotation.Number(text[..slash]) is { } used && DelayNotation.Number(text[(slash + 1)..]) is { } limit
            ? (Math.Max(0, limit - used), limit) : (null, null);
    }

    private static string? PartOf(HttpHeadersNonValidated headers, QuotaFields fields) =>
        fields.PartField is { } field && Single(headers, field)?.Trim() is { Length: > 0 and <= MaxPart } part ? part : fields.Part;

    private static TimeSpan? WindowOf(HttpHeadersNonValidated headers, QuotaFields fields, DateTimeOffset now) =>
        fields.WindowField is { } field && Single(headers, field) is { } text
            && DelayNotation.Milliseconds(text, now) is { } window && window > TimeSpan.Zero ? window : fields.Window;

    // Of several lines it is not known which one counts.
    private static string? Single(HttpHeadersNonValidated headers, string name) =>
        headers.TryGetValues(name, out var values) && values.Count == 1 ? values.ToString() : null;
}

/// <summary>The notations of a reset.</summary>
internal static class QuotaNotations
{
    /// <summary>The time until the reset.</summary>
    /// <param name="first">The notation that is tried first; the others are recognised.</param>
    /// <returns>Null when it has passed or cannot be read.</returns>
    internal static TimeSpan? Read(ReadOnlySpan<char> text, QuotaOptions.ResetNotation? first, DateTimeOffset now) =>
        // Only a number from now on can be read in two ways.
        (first is QuotaOptions.ResetNotation.Milliseconds ? DelayNotation.Milliseconds(text, now) : null) ?? DelayNotation.Any(text, now);
}
