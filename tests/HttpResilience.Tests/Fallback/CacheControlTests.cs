namespace HttpResilience.Tests.Fallback;

/// <summary>
/// Directives as RFC 9111 §5.2 and RFC 5861 §4 have them; what cannot be read lets nothing through that it might have been meant to stop.
/// </summary>
public sealed class CacheControlTests
{
    [Theory]
    [InlineData("max-age=60", 60)]
    [InlineData("MAX-AGE=60", 60)]
    [InlineData("max-age=\"60\"", 60)]
    [InlineData(" public ,\tmax-age = 60 ,, x=\"a,b\"", 60)]
    [InlineData("max-age=60, max-age=10", 10)]
    [InlineData("max-age=10, max-age=60", 10)]
    [InlineData("max-age=60, max-age=x", 0)]
    [InlineData("max-age=99999999999999999999999", int.MaxValue)]
    [InlineData("max-age=2147483648", int.MaxValue)]
    [InlineData("max-age", 0)]
    [InlineData("max-age=", 0)]
    [InlineData("max-age=-1", 0)]
    [InlineData("max-age=1.5", 0)]
    [InlineData("max-age=+5", 0)]
    [InlineData("max-age=\"", null)]
    [InlineData("s-maxage=60", null)]
    [InlineData("", null)]
    public void Max_age_is_whole_seconds(string field, int? seconds) =>
        CacheControl.Parse(field).MaxAge.ShouldBe(seconds is { } s ? TimeSpan.FromSeconds(s) : null);

    [Fact]
    public void The_fields_of_all_lines_count()
    {
        var all = CacheControl.Parse("max-age=60", "stale-if-error=30, No-Cache", "must-revalidate,only-if-cached , min-fresh=5");

        all.ShouldBe(CacheControl.Parse("max-age=60, stale-if-error=30, no-cache, must-revalidate, only-if-cached, min-fresh=5"));
        (all.MaxAge, all.StaleIfError, all.MinFresh).ShouldBe(
            (TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(5)));
        (all.NoCache, all.MustRevalidate, all.NoStore).ShouldBe((true, true, false));
    }

    [Theory]
    [InlineData("no-store")]
    [InlineData("NO-STORE")]
    [InlineData("max-age=60, no-store")]
    [InlineData("no-store=\"x\"")]
    [InlineData("x=\"\\\"\", no-store")]
    // Not well formed: it may be hidden in there.
    [InlineData("max-age=60; no-store")]
    [InlineData("x=\"60, no-store")]
    [InlineData("x=\"60\\\", no-store")]
    [InlineData("max age=60")]
    [InlineData("=60")]
    [InlineData("é")]
    [InlineData("\0")]
    public void No_store_is_said_and_so_is_what_cannot_be_read(string field) => CacheControl.Parse(field).NoStore.ShouldBeTrue();

    [Theory]
    [InlineData("x=\"no-store\"")]
    [InlineData("x=\"a, no-store\"")]
    [InlineData("x-no-store, no-storeage")]
    [InlineData(",,, ,")]
    [InlineData("private, public, no-transform, immutable")]
    public void A_directive_that_only_resembles_it_is_not_no_store(string field) => CacheControl.Parse(field).ShouldBe(default);

    [Fact]
    public void A_field_to_refresh_that_cannot_be_read_asks_for_more_than_any_response_has() =>
        CacheControl.Parse("min-fresh=x").MinFresh.ShouldBe(TimeSpan.MaxValue);

    [Fact]
    public void Anything_can_be_parsed()
    {
        int seed = Random.Shared.Next();
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        var random = new Random(seed);
        string[] pieces = ["no-store",
            "max-age", "stale-if-error", "=", "\"", "\\", ",", " ", "\t", "60", "99999999999999999999", ";", "\0", "\uD800", "é", "-"];
        for (int i = 0; i < 20_000; i++)
        {
            string field = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => pieces[random.Next(pieces.Length)]));

            var parsed = CacheControl.Parse(field);

            (parsed.MaxAge < TimeSpan.Zero || parsed.StaleIfError < TimeSpan.Zero).ShouldBeFalse(field);
        }
    }
}
