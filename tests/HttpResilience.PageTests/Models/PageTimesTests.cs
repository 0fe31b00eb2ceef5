namespace HttpResilience.PageTests.Models;

public sealed class PageTimesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 3, 12, 44, TimeSpan.Zero);

    private static readonly PageTimes Utc = new(Now, TimeZoneInfo.Utc);

    [Theory]
    [InlineData(1, "now")]
    [InlineData(20, "20 seconds ago")]
    [InlineData(60, "1 minute ago")]
    [InlineData(125, "2 minutes ago")]
    [InlineData(3600, "1 hour ago")]
    [InlineData(86_399, "23 hours ago")]
    [InlineData(86_400, "27 Nov, 03:12")]
    [InlineData(400 * 86_400, "24 Oct 2025, 03:12")]
    [InlineData(-60, "03:13")]
    [InlineData(-86_400, "29 Nov, 03:12")]
    public void An_age_is_told_in_words_for_a_day(int seconds, string text) => Utc.Ago(Now.AddSeconds(-seconds)).ShouldBe(text);

    [Fact]
    public void A_zone_is_followed_and_named()
    {
        var berlin = new PageTimes(Now, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));
        berlin.Full(Now).ShouldBe("28 Nov 2026, 04:12:44");
        berlin.Second(Now).ShouldBe("04:12:44 UTC+01:00");
        new PageTimes(Now, TimeZoneInfo.FindSystemTimeZoneById("America/St_Johns")).ZoneName.ShouldBe("UTC−03:30");
        Utc.Second(Now).ShouldBe("03:12:44 UTC");
        PageTimes.Machine(Now.ToOffset(TimeSpan.FromHours(5))).ShouldBe("2026-11-28T03:12:44Z");
        PageTimes.Utc(Now.ToOffset(TimeSpan.FromHours(5))).ShouldBe("2026-11-28 03:12:44 UTC");
    }

    [Theory]
    [InlineData(0, "0 letters")]
    [InlineData(1, "1 letter")]
    [InlineData(1204, "1,204 letters")]
    public void Numbers_have_one_spelling(long count, string text) => PageTimes.Count(count, "letter").ShouldBe(text);
}
