using System.Globalization;
using System.Net;

namespace HttpResilience.Benchmarks;

/// <summary>The limits and fields of an API, as its documentation has them (docs/quotas.md has the sources).</summary>
internal sealed record ScriptedApi(QuotaOptions.Api Preset, string Documented)
{
    internal required Func<QuotaLimit[]> Limits { get; init; }

    internal HttpStatusCode Rejection { get; init; } = HttpStatusCode.TooManyRequests;

    /// <summary>Adds the fields of a limit: what is left, the time, the time until its reset.</summary>
    internal required Action<HttpResponseMessage, QuotaLimit, double, DateTimeOffset, TimeSpan> Report { get; init; }

    /// <summary>Adds the fields of a rejection: the time until there is something left.</summary>
    internal required Action<HttpResponseMessage, TimeSpan> Reject { get; init; }

    internal bool HasFields { get; init; } = true;

    /// <summary>How many calls the client makes at once.</summary>
    internal int Workers { get; init; } = 16;

    internal static IReadOnlyList<ScriptedApi> All { get; } =
    [
        new(QuotaOptions.Api.GitHub, "5,000 an hour, windows")
        {
            Limits = () => [new WindowLimit("core", 5000, TimeSpan.FromHours(1))],
            Rejection = HttpStatusCode.Forbidden,
            Report = (response, limit, left, now, reset) =>
            {
                Add(response, "x-ratelimit-limit", limit.Limit);
                Add(response, "x-ratelimit-remaining", left);
                Add(response, "x-ratelimit-used", limit.Limit - left);
                Add(response, "x-ratelimit-reset", (now + reset).ToUnixTimeSeconds());
                Add(response, "x-ratelimit-resource", limit.Name);
            },
            Reject = (_, _) => { },
        },
        new(QuotaOptions.Api.Jira, "10,000 points an hour, windows; 1 to 5 points a call")
        {
            Limits = () => [new WindowLimit("tenant-app-quota", 10_000, TimeSpan.FromHours(1)) { Cost = random => random.Next(1, 6) }],
            Report = (response, limit, left, now, reset) =>
            {
                Add(response, "X-RateLimit-Limit", 350);
                Add(response, "X-RateLimit-Remaining", 349);
                Add(response, "X-RateLimit-NearLimit", left < limit.Limit / 5 ? "true" : "false");
                Add(response, "Beta-RateLimit-Policy", string.Create(
                    CultureInfo.InvariantCulture, $"\"{limit.Name}\";q={limit.Limit};w={limit.Length.TotalSeconds}"));
                Add(response, "Beta-RateLimit", string.Create(
                    CultureInfo.InvariantCulture, $"\"{limit.Name}\";r={left};t={Math.Ceiling(reset.TotalSeconds)}"));
            },
            Reject = (response, wait) =>
            {
                RetryAfter(response, wait);
                Add(response, "RateLimit-Reason", "jira-quota-tenant-based");
            },
        },
        new(QuotaOptions.Api.Shopify, "bucket of 40, leaks 2/s")
        {
            Limits = () => [new BucketLimit("shop", 40, TimeSpan.FromSeconds(20))],
            Report = (response, limit, left, _, _) => Add(response, "X-Shopify-Shop-Api-Call-Limit", string.Create(
                CultureInfo.InvariantCulture, $"{limit.Limit - left}/{limit.Limit}")),
            Reject = (response, _) => Add(response, "Retry-After", "2.0"),
        },
        new(QuotaOptions.Api.OpenAI, "buckets of 500 requests and 150,000 tokens a minute; 200 to 600 tokens a call")
        {
            Limits = () =>
            [
                new BucketLimit("requests", 500, TimeSpan.FromMinutes(1)),
                new BucketLimit("tokens", 150_000, TimeSpan.FromMinutes(1)) { Cost = random => random.Next(200, 601) },
            ],
            Report = (response, limit, left, _, reset) =>
            {
                Add(response, $"x-ratelimit-limit-{limit.Name}", limit.Limit);
                Add(response, $"x-ratelimit-remaining-{limit.Name}", left);
                Add(response, $"x-ratelimit-reset-{limit.Name}", Go(reset));
            },
            Reject = RetryAfter,
        },
        new(QuotaOptions.Api.Anthropic,
            "buckets of 1,000 requests, 450,000 input and 90,000 output tokens a minute; 100 to 600 and 20 to 120 a call")
        {
            Limits = () =>
            [
                new BucketLimit("requests", 1000, TimeSpan.FromMinutes(1)),
                new BucketLimit("input-tokens", 450_000, TimeSpan.FromMinutes(1)) { Cost = random => random.Next(100, 601) },
                new BucketLimit("output-tokens", 90_000, TimeSpan.FromMinutes(1)) { Cost = random => random.Next(20, 121) },
            ],
            Report = (response, limit, left, now, reset) =>
            {
                Add(response, $"anthropic-ratelimit-{limit.Name}-limit", limit.Limit);
                Add(response, $"anthropic-ratelimit-{limit.Name}-remaining", left);
                Add(response, $"anthropic-ratelimit-{limit.Name}-reset",
                    (now + reset).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            },
            Reject = RetryAfter,
        },
        new(QuotaOptions.Api.AWS, "bucket of 100, 20/s; no fields")
        {
            Limits = () => [new BucketLimit("account", 100, TimeSpan.FromSeconds(5))],
            HasFields = false,
            Rejection = HttpStatusCode.BadRequest,
            Report = (_, _, _, _, _) => { },
            Reject = (response, _) => Add(response, "x-amzn-ErrorType", "ThrottlingException:http://internal.amazon.com/coral/"),
        },
        new(QuotaOptions.Api.Azure, "bucket of 250 reads, 25/s")
        {
            Limits = () => [new BucketLimit("subscription-reads", 250, TimeSpan.FromSeconds(10))],
            Report = (response, limit, left, _, _) => Add(response, $"x-ms-ratelimit-remaining-{limit.Name}", left),
            Reject = RetryAfter,
        },
        new(QuotaOptions.Api.HubSpot, "100 in any 10 s, 250,000 a day")
        {
            Limits = () =>
                [new RollingLimit("interval", 100, TimeSpan.FromSeconds(10)), new WindowLimit("day", 250_000, TimeSpan.FromDays(1))],
            Report = (response, limit, left, _, _) =>
            {
                if (limit.Name == "day")
                {
                    Add(response, "X-HubSpot-RateLimit-Daily", limit.Limit);
                    Add(response, "X-HubSpot-RateLimit-Daily-Remaining", left);
                    return;
                }

                Add(response, "X-HubSpot-RateLimit-Max", limit.Limit);
                Add(response, "X-HubSpot-RateLimit-Remaining", left);
                Add(response, "X-HubSpot-RateLimit-Interval-Milliseconds", limit.Length.TotalMilliseconds);
            },
            Reject = (_, _) => { },
        },
        new(QuotaOptions.Api.Xero, "60 in any minute, 5,000 in any 24 h, 10,000 a minute of the app")
        {
            Limits = () =>
            [
                new RollingLimit("X-MinLimit", 60, TimeSpan.FromMinutes(1)), new RollingLimit("X-DayLimit", 5000, TimeSpan.FromDays(1)),
                new RollingLimit("X-AppMinLimit", 10_000, TimeSpan.FromMinutes(1)),
            ],
            // At most 5 calls at once.
            Workers = 4,
            Report = (response, limit, left, _, _) => Add(response, $"{limit.Name}-Remaining", left),
            Reject = (response, wait) =>
            {
                RetryAfter(response, wait);
                Add(response, "X-Rate-Limit-Problem", wait > TimeSpan.FromMinutes(1) ? "day" : "minute");
            },
        },
        new(QuotaOptions.Api.Stripe, "bucket of 100, 100/s; no fields")
        {
            Limits = () => [new BucketLimit("account", 100, TimeSpan.FromSeconds(1))],
            HasFields = false,
            Report = (_, _, _, _, _) => { },
            Reject = (response, _) => Add(response, "Stripe-Rate-Limited-Reason", "global-rate"),
        },
    ];

    private static void RetryAfter(HttpResponseMessage response, TimeSpan wait) =>
        Add(response, "Retry-After", Math.Ceiling(wait.TotalSeconds));

    // As Go writes a duration, rounded up to milliseconds.
    private static string Go(TimeSpan time)
    {
        time = TimeSpan.FromMilliseconds(Math.Ceiling(time.TotalMilliseconds));
        return time < TimeSpan.FromSeconds(1) ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds}ms")
            : time < TimeSpan.FromMinutes(1) ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds}s")
            : string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes}m{time.TotalSeconds % 60:0.###}s");
    }

    private static void Add(HttpResponseMessage response, string name, IFormattable value) =>
        Add(response, name, value.ToString(null, CultureInfo.InvariantCulture));

    private static void Add(HttpResponseMessage response, string name, string value) =>
        response.Headers.TryAddWithoutValidation(name, value);
}
