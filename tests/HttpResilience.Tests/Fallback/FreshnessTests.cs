using System.Globalization;

namespace HttpResilience.Tests.Fallback;

/// <summary>RFC 9111 §4.2.1 and §4.2.3.</summary>
public sealed class FreshnessTests
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 2, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    // Nothing said: as old as it was long on its way.
    [InlineData(null, null, 0, 0)]
    [InlineData(null, null, 3, 3)]
    // Date: the clocks tell (apparent age), or the way does, whichever says more.
    [InlineData(-10, null, 0, 10)]
    [InlineData(-10, null, 3, 10)]
    [InlineData(-10, null, 30, 30)]
    [InlineData(+10, null, 3, 3)]
    // Age: what a cache on the way says, and the way since.
    [InlineData(null, "5", 3, 8)]
    [InlineData(-10, "5", 3, 10)]
    [InlineData(-10, "20", 3, 23)]
    [InlineData(null, "5, 20", 0, 5)]
    [InlineData(null, "20, 5", 0, 20)]
    [InlineData(null, "5, x", 0, 5)]
    [InlineData(-10, "-1", 3, 10)]
    [InlineData(null, " 5 ", 0, 5)]
    public void The_initial_age_is_what_the_clocks_or_the_caches_say(int? date, string? age, int delay, int expected)
    {
        var fields = Fields(("Date", date is { } d ? Date(d) : null), ("Age", age));

        Freshness.Of(fields, Noon, TimeSpan.FromSeconds(delay)).InitialAge.ShouldBe(TimeSpan.FromSeconds(expected));
    }

    [Theory, InlineData("-5"), InlineData("-1"), InlineData("x"), InlineData("x, 5"), InlineData("1.5"), InlineData(""), InlineData(", 5")]
    public void An_age_that_cannot_be_read_is_ignored(string age) =>
        Freshness.Of(Fields(("Age", age)), Noon, TimeSpan.FromSeconds(3)).InitialAge.ShouldBe(TimeSpan.FromSeconds(3));

    [Fact]
    public void Of_several_fields_with_ages_the_first_counts() =>
        Freshness.Of(Fields(("Age", "7"), ("Age", "4000")), Noon, TimeSpan.Zero).InitialAge.ShouldBe(TimeSpan.FromSeconds(7));

    [Theory]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT", null, int.MaxValue)]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", int.MaxValue)]
    [InlineData("Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", 0)]
    public void The_lifetime_has_a_limit(string expires, string? date, int expected)
    {
        foreach (var now in (DateTimeOffset[])[Noon, DateTimeOffset.MinValue, DateTimeOffset.MaxValue])
        {
            var freshness = Freshness.Of(Fields(("Expires", expires), ("Date", date)), now, TimeSpan.MaxValue);
            if (now == Noon)
                freshness.Lifetime.ShouldBe(TimeSpan.FromSeconds(expected));
            freshness.InitialAge.ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(int.MaxValue));
            Freshness.EndOf(now, freshness.Lifetime).ShouldBeGreaterThanOrEqualTo(now);
        }
    }

    [Fact]
    public void The_longest_age_still_counts() =>
        Freshness.Of(Fields(("Age", "99999999999999")), Noon, TimeSpan.Zero).InitialAge.ShouldBe(TimeSpan.FromSeconds(int.MaxValue));

    [Theory]
    [InlineData("max-age=60", null, null, 60)]
    [InlineData("max-age=60", -10, 3600, 60)]
    [InlineData("max-age=0", null, 3600, 0)]
    [InlineData("max-age=x", null, 3600, 0)]
    [InlineData("s-maxage=60", null, null, 0)]
    [InlineData(null, null, 3600, 3600)]
    // From the server's own clock to the server's own clock.
    [InlineData(null, -10, 3600, 3610)]
    [InlineData(null, 10, 3600, 3590)]
    [InlineData(null, null, -3600, 0)]
    [InlineData(null, null, null, 0)]
    public void The_lifetime_is_max_age_or_else_expires(string? cacheControl, int? date, int? expires, int expected)
    {
        var fields = Fields(("Cache-Control", cacheControl), ("Date", date is { } d ? Date(d) : null),
            ("Expires", expires is { } e ? Date(e) : null), ("Last-Modified", Date(-100_000)));

        Freshness.Of(fields, Noon, TimeSpan.Zero).Lifetime.ShouldBe(TimeSpan.FromSeconds(expected));
    }

    [Theory, InlineData("0"), InlineData("-1"), InlineData("tomorrow"), InlineData("")]
    public void An_invalid_date_has_expired(string expires) =>
        Freshness.Of(Fields(("Expires", expires)), Noon, TimeSpan.Zero).Lifetime.ShouldBe(TimeSpan.Zero);

    [Fact]
    public void Of_several_the_first_to_come_counts()
    {
        Freshness.Of(Fields(("Expires", Date(60)), ("Expires", Date(10))), Noon, TimeSpan.Zero).Lifetime.ShouldBe(TimeSpan.FromSeconds(10));
        Freshness.Of(Fields(("Expires", Date(60)), ("Expires", "0")), Noon, TimeSpan.Zero).Lifetime.ShouldBe(TimeSpan.Zero);
        Freshness.Of(Fields(("Date", Date(-5)), ("Date", Date(-50))), Noon, TimeSpan.Zero).InitialAge.ShouldBe(TimeSpan.FromSeconds(50));
    }

    [Theory]
    [InlineData(null, null, 100)]
    [InlineData(30, null, 30)]
    [InlineData(null, 40, 40)]
    [InlineData(30, 40, 30)]
    [InlineData(40, 30, 30)]
    [InlineData(3000, 3000, 100)]
    [InlineData(0, null, 0)]
    [InlineData(null, 0, 0)]
    public void Response_and_request_can_shorten_the_time_and_not_lengthen_it(int? response, int? request, int expected) =>
        Freshness.StaleFor(TimeSpan.FromSeconds(100), StaleIfError(response), StaleIfError(request)).ShouldBe(
            TimeSpan.FromSeconds(expected));

    private static CacheControl StaleIfError(int? seconds) => CacheControl.Parse(seconds is null ? "" : $"stale-if-error={seconds}");

    private static string Date(int seconds) => Noon.AddSeconds(seconds).ToString("R", CultureInfo.InvariantCulture);

    private static ResponseFields Fields(params (string Name, string? Value)[] fields) =>
        new([.. fields.Where(f => f.Value is not null).Select(f => KeyValuePair.Create(f.Name.ToLowerInvariant(), f.Value!))]);
}
