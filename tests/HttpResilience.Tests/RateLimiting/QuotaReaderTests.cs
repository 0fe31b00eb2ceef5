using System.Globalization;
using static HttpResilience.QuotaOptions;

namespace HttpResilience.Tests.RateLimiting;

/// <summary>The fields of the presets, as the documentation of the APIs has them, and those of the user.</summary>
public sealed class QuotaReaderTests
{
    // The Date of every response.
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The fields, and what they say: resets and the time that a quota is closed in seconds.</summary>
    public static TheoryData<string, string, string> Documented => new()
    {
        { "GitHub", "x-ratelimit-limit: 60|x-ratelimit-remaining: 56|x-ratelimit-used: 4|x-ratelimit-reset: 1772366430"
            + "|x-ratelimit-resource: core",
            "x-ratelimit-remaining of core: 56 of 60, reset 30" },
        { "GitHub", "x-ratelimit-limit: 30|x-ratelimit-remaining: 0|x-ratelimit-reset: 1772366430|x-ratelimit-resource: search",
            "x-ratelimit-remaining of search: 0 of 30, reset 30, closed 30" },
        { "Jira", "X-RateLimit-Limit: 350|X-RateLimit-Remaining: 0|X-RateLimit-Reset: 2026-03-01T12:01Z|X-RateLimit-NearLimit: true",
            "X-RateLimit-Remaining: 0 of 350, reset 60, closed 60" },
        { "Jira", "Beta-RateLimit-Policy: \"tenant-app-quota\";q=100100;w=3600|Beta-RateLimit: \"tenant-app-quota\";r=17842;t=2107",
            "\"tenant-app-quota\": 17842 of 100100, reset 2107" },
        { "Jira", "Beta-RateLimit: \"tenant-app-quota\";r=0;t=2788", "\"tenant-app-quota\": 0 of ?, reset 2788, closed 2788" },
        { "Shopify", "X-Shopify-Shop-Api-Call-Limit: 32/40", "X-Shopify-Shop-Api-Call-Limit: 8 of 40" },
        { "Shopify", "X-Shopify-Shop-Api-Call-Limit: 40/40", "X-Shopify-Shop-Api-Call-Limit: 0 of 40, closed 0.5" },
        { "Shopify", "X-Shopify-Shop-Api-Call-Limit: 41/40", "X-Shopify-Shop-Api-Call-Limit: 0 of 40, closed 0.5" },
        { "OpenAI", "x-ratelimit-limit-requests: 60|x-ratelimit-remaining-requests: 59|x-ratelimit-reset-requests: 1s"
            + "|x-ratelimit-limit-tokens: 150000|x-ratelimit-remaining-tokens: 149984|x-ratelimit-reset-tokens: 6m0s",
            "x-ratelimit-remaining-requests: 59 of 60, reset 1; x-ratelimit-remaining-tokens: 149984 of 150000, reset 360" },
        { "OpenAI", "x-ratelimit-limit-requests: 500|x-ratelimit-remaining-requests: 0|x-ratelimit-reset-requests: 120ms",
            "x-ratelimit-remaining-requests: 0 of 500, reset 0.12, closed 0.12" },
        { "Anthropic", "anthropic-ratelimit-requests-limit: 1000|anthropic-ratelimit-requests-remaining: 999"
            + "|anthropic-ratelimit-requests-reset: 2026-03-01T12:00:01Z|anthropic-ratelimit-input-tokens-limit: 80000"
            + "|anthropic-ratelimit-input-tokens-remaining: 0|anthropic-ratelimit-input-tokens-reset: 2026-03-01T12:00:59Z",
            "anthropic-ratelimit-requests-remaining: 999 of 1000, reset 1; "
            + "anthropic-ratelimit-input-tokens-remaining: 0 of 80000, reset 59, closed 59" },
        { "AWS", "x-amzn-RequestId: 1", "" },
        { "Azure", "x-ms-ratelimit-remaining-subscription-reads: 249",
            "x-ms-ratelimit-remaining-subscription-reads of subscription-reads: 249 of 250" },
        { "Azure", "x-ms-ratelimit-remaining-subscription-writes: 0",
            "x-ms-ratelimit-remaining-subscription-writes of subscription-writes: 0 of 200, closed 0.1" },
        { "HubSpot", "X-HubSpot-RateLimit-Daily: 250000|X-HubSpot-RateLimit-Daily-Remaining: 0|X-HubSpot-RateLimit-Max: 190"
            + "|X-HubSpot-RateLimit-Remaining: 0|X-HubSpot-RateLimit-Interval-Milliseconds: 10000",
            "X-HubSpot-RateLimit-Remaining: 0 of 190, closed 10; X-HubSpot-RateLimit-Daily-Remaining: 0 of 250000" },
        { "Xero", "X-MinLimit-Remaining: 59|X-DayLimit-Remaining: 4999|X-AppMinLimit-Remaining: 9999",
            "X-MinLimit-Remaining: 59 of 60; X-DayLimit-Remaining: 4999 of 5000; X-AppMinLimit-Remaining of all: 9999 of 10000" },
        { "Xero", "X-MinLimit-Remaining: 0", "X-MinLimit-Remaining: 0 of 60, closed 60" },
        { "Stripe", "Stripe-Rate-Limited-Reason: global-rate", "" },
        { "", "RateLimit-Policy: \"minute\";q=100;w=60, \"day\";q=1000;w=86400|RateLimit: \"minute\";r=0;t=5, \"day\";r=7;t=99",
            "\"minute\": 0 of 100, reset 5, closed 5; \"day\": 7 of 1000, reset 99" },
        { "", "RateLimit: \"a\";r=0;t=5;pk=:YQ==:", "\"a\" of :YQ==:: 0 of ?, reset 5, closed 5" },
        { "", "RateLimit: limit=100, remaining=0, reset=30", ": 0 of 100, reset 30, closed 30" },
        { "", "X-RateLimit-Remaining: 0|X-RateLimit-Reset: 30", "" },
    };

    [Theory, MemberData(nameof(Documented))]
    public void A_documented_response_is_read(string preset, string fields, string expected) =>
        Describe(Read(preset, fields)).ShouldBe(expected);

    [Theory]
    [InlineData("30", 30), InlineData("2.5", 2.5), InlineData("1772366430", 30), InlineData("1772366430000", 30)]
    [InlineData("2026-03-01T12:00:30Z", 30), InlineData("2026-03-01T13:00:30+01:00", 30), InlineData("2026-03-01T12:01Z", 60)]
    [InlineData("Sun, 01 Mar 2026 12:00:30 GMT", 30), InlineData("Sunday, 01-Mar-26 12:00:30 GMT", 30)]
    [InlineData("6m0s", 360), InlineData("1s", 1), InlineData("120ms", 0.12), InlineData("1h2m3s", 3723)]
    public void Every_notation_is_recognised_whatever_the_preset(string reset, double seconds)
    {
        var wait = TimeSpan.FromSeconds(seconds);

        Read("GitHub", $"x-ratelimit-remaining: 0|x-ratelimit-reset: {reset}").Single().ClosedFor.ShouldBe(wait);
        Read("OpenAI", $"x-ratelimit-remaining-requests: 0|x-ratelimit-reset-requests: {reset}").Single().ClosedFor.ShouldBe(wait);
        foreach (var notation in Enum.GetValues<ResetNotation>().Except([ResetNotation.Milliseconds]))
        {
            Read(new Field { Remaining = "Left", Reset = "Reset", Notation = notation }, $"Left: 0|Reset: {reset}").ClosedFor
                .ShouldBe(wait);
        }
    }

    [Theory, InlineData("1500", 1.5), InlineData("1772366430000", 30), InlineData("6m0s", 360)]
    public void A_number_is_of_milliseconds_when_the_field_is(string reset, double seconds) =>
        Read(new Field { Remaining = "Left", Reset = "Reset", Notation = ResetNotation.Milliseconds }, $"Left: 0|Reset: {reset}").ClosedFor
            .ShouldBe(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("-1"), InlineData("NaN"), InlineData("Infinity"), InlineData(""), InlineData("1e9"), InlineData("0x10")]
    [InlineData("99999999999999999999"), InlineData("\u0661"), InlineData("40/"), InlineData("/40"), InlineData("-1/40"), InlineData("a/b")]
    public void A_remaining_count_that_is_no_number_is_ignored(string remaining) =>
        Read("GitHub", $"x-ratelimit-remaining: {remaining}|x-ratelimit-reset: 30").ShouldBeEmpty();

    [Theory]
    [InlineData("-1"), InlineData("0"), InlineData("99999999999999999999"), InlineData("1"), InlineData("NaN"), InlineData("soon")]
    [InlineData("2026-03-01T11:59:59Z"), InlineData("9999-12-31T23:59:59Z"), InlineData("99999999999h"), InlineData("")]
    public void A_reset_that_has_passed_or_cannot_be_read_pauses_nothing(string reset)
    {
        var closed = Read("GitHub", $"x-ratelimit-remaining: 0|x-ratelimit-reset: {reset}").Single().ClosedFor;

        (closed ?? TimeSpan.Zero).ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Of_several_lines_none_is_believed() =>
        Read("GitHub", "x-ratelimit-remaining: 0|x-ratelimit-remaining: 5|x-ratelimit-reset: 30").ShouldBeEmpty();

    [Fact]
    public void A_response_with_ten_thousand_fields_or_quotas_gives_a_few_reports()
    {
        string fields = string.Join('|', Enumerable.Range(0, 10_000).Select(i => $"x-ratelimit-remaining-{i}: 0"));
        Read("GitHub", fields).ShouldBeEmpty();

        string list = string.Join(", ", Enumerable.Range(0, 10_000).Select(i => $"\"q{i}\";r=0;t={i}"));
        Read("", $"RateLimit: {list}").Count.ShouldBe(32);
    }

    [Theory, InlineData("a\tb"), InlineData("a b"), InlineData("\u00e9")]
    public void The_name_of_a_part_may_be_any_text(string part) =>
        Read("GitHub", $"x-ratelimit-remaining: 5|x-ratelimit-resource: {part}").Single().Part.ShouldBe(part);

    [Fact]
    public void A_long_name_of_a_part_is_none() =>
        Read("GitHub", $"x-ratelimit-remaining: 5|x-ratelimit-resource: {new string('x', 65)}").Single().Part.ShouldBeNull();

    [Fact]
    public void Fields_of_the_user_are_read_beside_a_preset()
    {
        var field = new Field { Remaining = "X-Left", Limit = "100", Window = TimeSpan.FromMinutes(2) };
        var options = new QuotaOptions { Preset = Api.Xero, Fields = [field] };

        Describe(Read(options, "X-MinLimit-Remaining: 3|X-Left: 0"))
            .ShouldBe("X-MinLimit-Remaining: 3 of 60; X-Left: 0 of 100, closed 120");
    }

    [Theory]
    [InlineData("AWS", 400, "x-amzn-ErrorType: ThrottlingException", true)]
    [InlineData("AWS", 400, "x-amzn-ErrorType: ThrottlingException:http://internal.amazon.com/coral/", true)]
    [InlineData("AWS", 400, "x-amzn-ErrorType: ValidationException", false)]
    [InlineData("AWS", 500, "x-amzn-ErrorType: ThrottlingException", false)]
    [InlineData("GitHub", 403, "x-ratelimit-remaining: 0", true)]
    [InlineData("GitHub", 403, "x-ratelimit-remaining: 1", false)]
    [InlineData("GitHub", 403, "retry-after: 60", true)]
    [InlineData("Stripe", 400, "Stripe-Rate-Limited-Reason: global-rate", false)]
    [InlineData("", 400, "x-amzn-ErrorType: ThrottlingException", false)]
    public void A_rejection_with_another_status_is_recognised(string preset, int status, string fields, bool isRejection) =>
        PolicyOf(OptionsOf(preset)).Reader!.Rejects(status, Response(fields).Headers).ShouldBe(isRejection);

    [Fact]
    public void Every_preset_has_the_page_it_was_taken_from()
    {
        QuotaPresets.All.Keys.ShouldBe(Enum.GetValues<Api>(), ignoreOrder: true);
        foreach (var vendor in QuotaPresets.All.Values)
        {
            new Uri(vendor.Source).Scheme.ShouldBe("https");
            File.ReadAllText(Path.Combine(Repository.Root, "docs", "quotas.md")).ShouldContain(vendor.Source);
        }
    }

    private static QuotaOptions OptionsOf(string preset) =>
        new() { Preset = preset.Length == 0 ? null : Enum.Parse<Api>(preset), Pace = true };

    private static QuotaPolicy PolicyOf(QuotaOptions options) => QuotaPolicy.From(options)!;

    private static List<QuotaReport> Read(string preset, string fields) => Read(OptionsOf(preset), fields);

    private static QuotaReport Read(Field field, string fields) => Read(new QuotaOptions { Fields = [field] }, fields).Single();

    private static List<QuotaReport> Read(QuotaOptions options, string fields) =>
        PolicyOf(options).Reader!.Read(Response(fields).Headers, DateTimeOffset.UnixEpoch);

    private static HttpResponseMessage Response(string fields)
    {
        var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("Date", Now.ToString("R", CultureInfo.InvariantCulture));
        foreach (string field in fields.Split('|'))
        {
            int colon = field.IndexOf(':', StringComparison.Ordinal);
            response.Headers.TryAddWithoutValidation(field[..colon], field[(colon + 2)..]);
        }

        return response;
    }

    private static string Describe(List<QuotaReport> reports) => string.Join("; ", reports.Select(r => string.Create(
        CultureInfo.InvariantCulture,
        $"{r.Name}{(r.IsOfHost ? " of all" : "")}{(r.Part is { } part ? $" of {part}" : "")}: {r.Remaining} of "
        + $"{r.Limit?.ToString(CultureInfo.InvariantCulture) ?? "?"}"
        + $"{(r.Reset is { } reset ? $", reset {reset.TotalSeconds}" : "")}"
        + $"{(r.ClosedFor is { } closed ? $", closed {closed.TotalSeconds}" : "")}")));
}
