using static HttpResilience.QuotaOptions;

namespace HttpResilience;

/// <summary>The quota fields of APIs, as their public documentation has them. Data only; <see cref="QuotaReader"/> reads by it.</summary>
internal static class QuotaPresets
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    internal static IReadOnlyDictionary<Api, QuotaVendor> All { get; } = new QuotaVendor[]
    {
        new(Api.GitHub, "https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api")
        {
            Quotas =
            [
                new("x-ratelimit-remaining")
                {
                    Limit = "x-ratelimit-limit", Reset = "x-ratelimit-reset", Notation = ResetNotation.EpochSeconds,
                    PartField = "x-ratelimit-resource", Window = Hour,
                },
            ],
            // A primary limit that is exceeded is a 403 or a 429 with a remaining count of 0, a secondary one with Retry-After.
            Rejections = [new(403, "retry-after", null), new(403, "x-ratelimit-remaining", "0")],
        },
        new(Api.Jira, "https://developer.atlassian.com/cloud/jira/platform/rate-limiting/")
        {
            // The burst limit has no reset but on a 429. X-RateLimit-NearLimit is only a warning.
            Quotas =
            [
                new("X-RateLimit-Remaining") { Limit = "X-RateLimit-Limit", Reset = "X-RateLimit-Reset", Notation = ResetNotation.Date },
            ],
            // The quota of points per hour. A request takes one point or more.
            Lists = ["Beta-RateLimit"],
            ListWindow = Hour,
        },
        new(Api.Shopify, "https://shopify.dev/docs/api/admin-rest/usage/rate-limits")
        {
            // 40 requests leak at 2/s, 80 at 4/s, 400 at 20/s: every plan's bucket is empty after 20 s.
            Quotas = [new("X-Shopify-Shop-Api-Call-Limit") { Kind = QuotaKind.Refill, Window = TimeSpan.FromSeconds(20) }],
        },
        new(Api.OpenAI, "https://platform.openai.com/docs/guides/rate-limits")
        {
            // The reset is "the time until the rate limit resets to its initial state".
            Quotas =
            [
                new("x-ratelimit-remaining-requests")
                {
                    Limit = "x-ratelimit-limit-requests", Reset = "x-ratelimit-reset-requests", Notation = ResetNotation.GoDuration,
                    Kind = QuotaKind.Refill, Window = Minute, Longest = Day,
                },
                new("x-ratelimit-remaining-tokens")
                {
                    Limit = "x-ratelimit-limit-tokens", Reset = "x-ratelimit-reset-tokens", Notation = ResetNotation.GoDuration,
                    Kind = QuotaKind.Refill, Window = Minute, Longest = Day, CostVaries = true,
                },
            ],
        },
        new(Api.Anthropic, "https://docs.anthropic.com/en/api/rate-limits")
        {
            // A token bucket; the reset is "the time when the rate limit will be fully replenished".
            Quotas =
            [
                Anthropic("requests") with { CostVaries = false }, Anthropic("tokens"), Anthropic("input-tokens"),
                Anthropic("output-tokens"),
            ],
        },
        new(Api.AWS, "https://docs.aws.amazon.com/general/latest/gr/api-retries.html")
        {
            // A service with the JSON protocol answers 400, and names the error in a field.
            Rejections =
            [
                new(400, "x-amzn-ErrorType", "ThrottlingException"), new(400, "x-amzn-ErrorType", "Throttling"),
                new(400, "x-amzn-ErrorType", "ThrottledException"), new(400, "x-amzn-ErrorType", "TooManyRequestsException"),
                new(400, "x-amzn-ErrorType", "RequestLimitExceeded"), new(400, "x-amzn-ErrorType", "RequestThrottledException"),
                new(400, "x-amzn-ErrorType", "ProvisionedThroughputExceededException"),
            ],
        },
        new(Api.Azure, "https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/request-limits-and-throttling")
        {
            // Token buckets: of 250 reads, 25 more each second; of 200 writes and of 200 deletes, 10 more.
            Quotas =
            [
                Azure("subscription-reads", 250, 10), Azure("subscription-writes", 200, 20), Azure("subscription-deletes", 200, 20),
                Azure("tenant-reads", 250, 10), Azure("tenant-writes", 200, 20), Azure("tenant-deletes", 200, 20),
                Azure("subscription-global-reads", 3750, 10), Azure("subscription-global-writes", 3000, 20),
                Azure("subscription-global-deletes", 3000, 20),
            ],
        },
        new(Api.HubSpot, "https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines")
        {
            Quotas =
            [
                new("X-HubSpot-RateLimit-Remaining")
                {
                    Limit = "X-HubSpot-RateLimit-Max", WindowField = "X-HubSpot-RateLimit-Interval-Milliseconds",
                    Window = TimeSpan.FromSeconds(10), Kind = QuotaKind.Rolling,
                },
                // It ends at midnight in the time zone of the account, which no field has.
                new("X-HubSpot-RateLimit-Daily-Remaining") { Limit = "X-HubSpot-RateLimit-Daily" },
            ],
        },
        new(Api.Xero, "https://developer.xero.com/documentation/guides/oauth2/limits/")
        {
            // X-Rate-Limit-Problem names the limit that a 429, which has Retry-After, exceeded.
            Quotas =
            [
                new("X-MinLimit-Remaining") { FixedLimit = 60, Window = Minute, Kind = QuotaKind.Rolling },
                new("X-DayLimit-Remaining") { FixedLimit = 5000, Window = Day, Kind = QuotaKind.Rolling },
                new("X-AppMinLimit-Remaining") { FixedLimit = 10_000, Window = Minute, Kind = QuotaKind.Rolling, IsOfHost = true },
            ],
        },
        // A 429 has Stripe-Rate-Limited-Reason, Stripe-Should-Retry at most.
        new(Api.Stripe, "https://docs.stripe.com/rate-limits"),
    }.ToDictionary(v => v.Preset);

    private static QuotaFields Anthropic(string of) => new($"anthropic-ratelimit-{of}-remaining")
    {
        Limit = $"anthropic-ratelimit-{of}-limit",
        Reset = $"anthropic-ratelimit-{of}-reset",
        Notation = ResetNotation.Date,
        Kind = QuotaKind.Refill,
        Window = Minute,
        CostVaries = true,
    };

    private static QuotaFields Azure(string of, int limit, int seconds) => new($"x-ms-ratelimit-remaining-{of}")
    {
        FixedLimit = limit,
        Window = TimeSpan.FromSeconds(seconds),
        Kind = QuotaKind.Refill,
        Part = of,
    };
}

/// <summary>What an API documents about its limits.</summary>
/// <param name="Source">The page of its documentation.</param>
internal sealed record QuotaVendor(Api Preset, string Source)
{
    internal IReadOnlyList<QuotaFields> Quotas { get; init; } = [];

    /// <summary>Fields in the form of <c>RateLimit</c>, besides it.</summary>
    internal IReadOnlyList<string> Lists { get; init; } = [];

    /// <summary>The window of their quotas where no policy field has it; null when unknown. A request may take several units.</summary>
    internal TimeSpan? ListWindow { get; init; }

    /// <summary>Responses, other than 429, to a request that exceeded a limit.</summary>
    internal IReadOnlyList<QuotaRejection> Rejections { get; init; } = [];
}

/// <summary>A response to a request that exceeded a limit.</summary>
/// <param name="Value">The value of the field, up to a colon; null for any.</param>
internal sealed record QuotaRejection(int Status, string Field, string? Value);

/// <summary>The fields of one quota.</summary>
/// <param name="Remaining">The field of the units that are left, or of used and limit.</param>
internal sealed record QuotaFields(string Remaining)
{
    /// <summary>The field of the limit.</summary>
    internal string? Limit { get; init; }

    /// <summary>The limit where no field has it.</summary>
    internal decimal? FixedLimit { get; init; }

    /// <summary>The field of the reset.</summary>
    internal string? Reset { get; init; }

    internal ResetNotation? Notation { get; init; }

    /// <summary>The field whose value names the part.</summary>
    internal string? PartField { get; init; }

    /// <summary>The part where no field names it.</summary>
    internal string? Part { get; init; }

    internal TimeSpan? Window { get; init; }

    /// <summary>The field of the length of the window, in milliseconds.</summary>
    internal string? WindowField { get; init; }

    /// <summary>The longest reset that is believed; <see cref="Window"/> when null.</summary>
    internal TimeSpan? Longest { get; init; }

    internal QuotaKind Kind { get; init; }

    /// <inheritdoc cref="QuotaReport.IsOfHost"/>
    internal bool IsOfHost { get; init; }

    /// <inheritdoc cref="QuotaReport.CostVaries"/>
    internal bool CostVaries { get; init; }

    internal static QuotaFields From(Field options) => new(options.Remaining!)
    {
        Limit = options.Limit is { } name && DelayNotation.Number(name) is null ? name : null,
        FixedLimit = options.Limit is { } limit ? DelayNotation.Number(limit) : null,
        Reset = options.Reset,
        Notation = options.Notation,
        PartField = options.Part,
        Window = options.Window,
        Kind = options.Refills ? QuotaKind.Refill : options.Reset is null ? QuotaKind.Rolling : QuotaKind.Window,
    };
}
