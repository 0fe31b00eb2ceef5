using System.Globalization;
using System.Net.Http.Headers;

namespace HttpResilience.Tests.Http;

/// <summary>RFC 9110 §5.6.7: three forms, and the rule of fifty years for the one that has two digits for the year.</summary>
public sealed class HttpDateTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z")]
    [InlineData("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z")]
    [InlineData("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z")]
    [InlineData("Wed Nov 16 08:49:37 1994", "1994-11-16T08:49:37Z")]
    [InlineData("Wednesday, 16-Nov-94 08:49:37 GMT", "1994-11-16T08:49:37Z")]
    [InlineData("Thu, 29 Feb 2024 23:59:59 GMT", "2024-02-29T23:59:59Z")]
    [InlineData("Thursday, 29-Feb-24 23:59:59 GMT", "2024-02-29T23:59:59Z")]
    [InlineData("Thu Feb 29 23:59:59 2024", "2024-02-29T23:59:59Z")]
    public void The_three_forms_are_read(string text, string expected)
    {
        HttpDate.TryParse(text, Now, out var date).ShouldBeTrue();
        date.ShouldBe(DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture));
        date.Offset.ShouldBe(TimeSpan.Zero);
    }

    [Theory]
    [InlineData("Sun, 06 Nov 1994 08:49:37 UTC", 0)]
    [InlineData("Sun, 06 Nov 1994 08:49:37 +0000", 0)]
    [InlineData("Sun, 06 Nov 1994 08:49:37 -0000", 0)]
    [InlineData("Sun, 06 Nov 1994 08:49:37 +00:00", 0)]
    [InlineData("Sun, 06 Nov 1994 10:49:37 +0200", 0)]
    [InlineData("Sun, 06 Nov 1994 03:49:37 -0500", 0)]
    [InlineData("Sun, 06 Nov 1994 08:49:37", 0)]
    [InlineData("Sun, 6 Nov 1994 08:49:37 GMT", 0)]
    [InlineData("Sun, 6 Nov 1994 8:49:37 UTC", 0)]
    [InlineData("Sun,06 Nov 1994 08:49:37 GMT", 0)]
    [InlineData("06 Nov 1994 08:49:37 GMT", 0)]
    [InlineData("6 Nov 1994 08:49:37", 0)]
    [InlineData("Sun, 06 Nov 94 08:49:37 GMT", 0)]
    [InlineData("Sun, 06 Nov 94 08:49:37 +0000", 0)]
    [InlineData("Sunday, 6-Nov-94 08:49:37 UTC", 0)]
    [InlineData("Sunday, 06-Nov-94 08:49:37", 0)]
    [InlineData("Sunday, 06-Nov-94 10:49:37 +0200", 0)]
    [InlineData("Sun Nov 6 08:49:37 1994", 0)]
    [InlineData("sun, 06 nov 1994 08:49:37 GMT", 0)]
    [InlineData("Mon, 06 Nov 1994 08:49:37 GMT", 0)]
    [InlineData("Sun, 06 Nov 1994 23:59:60 GMT", 54623)]
    [InlineData("Sunday, 06-Nov-94 23:59:60 GMT", 54623)]
    [InlineData("Sun Nov  6 23:59:60 1994", 54623)]
    [InlineData("Sun, 6 Nov 1994 23:59:60 +0000", 54623)]
    public void The_variants_that_servers_write_are_read(string text, int secondsLater)
    {
        HttpDate.TryParse(text, Now, out var date).ShouldBeTrue();
        date.ShouldBe(new DateTimeOffset(1994, 11, 6, 8, 49, 37, TimeSpan.Zero).AddSeconds(secondsLater));
    }

    [Fact]
    public void Whatever_the_platform_reads_is_read()
    {
        string[] days = ["Sun, ", "Sunday, ", "Sun ", "", "Mon, "];
        string[] dates = ["6 Nov 2033 ", "06 Nov 2033 ", "06 Nov 33 ", "6-Nov-33 ", "06-Nov-33 ", "06-Nov-2033 ", "Nov 6 ", "Nov  6 ",
            "2033-11-06 "];
        string[] times = ["08:49:37", "8:49:37", "8:9:7", "08:49", "24:00:00"];
        string[] zones = ["", " GMT", " UTC", " +0000", " -0000", " +02:00", " 2033", " Z", " CET", " gmt", "GMT"];
        int read = 0;
        foreach (string text in from day in days from date in dates from time in times from zone in zones select day + date + time + zone)
        {
            if (!RetryConditionHeaderValue.TryParse(text, out var platform) || platform.Date is not { } expected)
                continue;
            HttpDate.TryParse(text, Now, out var date).ShouldBeTrue(text);
            date.ShouldBe(expected, text);
            read++;
        }

        read.ShouldBeGreaterThan(100);
    }

    [Fact]
    public void Every_day_of_four_years_is_read_in_every_form()
    {
        for (var day = new DateTimeOffset(2023, 1, 1, 1, 2, 3, TimeSpan.Zero); day.Year < 2027; day = day.AddDays(1))
        {
            string asctime = $"{day.ToString("ddd MMM", CultureInfo.InvariantCulture)} {day.Day,2} "
                + $"{day.ToString("HH:mm:ss yyyy", CultureInfo.InvariantCulture)}";
            string[] forms = [day.ToString("R", CultureInfo.InvariantCulture),
                day.ToString("dddd, dd-MMM-yy HH:mm:ss 'GMT'", CultureInfo.InvariantCulture), asctime];
            foreach (string form in forms)
            {
                HttpDate.TryParse(form, Now, out var date).ShouldBeTrue(form);
                date.ShouldBe(day, form);
            }
        }
    }

    [Theory]
    [InlineData("2026-03-01", "01-Mar-26", 2026)]
    [InlineData("2026-03-01", "01-Mar-00", 2000)]
    [InlineData("2026-03-01", "01-Jan-75", 2075)]
    [InlineData("2026-03-01", "28-Feb-76", 2076)]
    [InlineData("2026-03-01", "02-Mar-76", 1976)]
    [InlineData("2026-03-01", "01-Jan-77", 1977)]
    [InlineData("2026-03-01", "01-Jan-99", 1999)]
    [InlineData("1999-12-31", "01-Jan-00", 2000)]
    [InlineData("1999-12-31", "01-Jan-49", 2049)]
    [InlineData("1999-12-31", "01-Jan-50", 1950)]
    [InlineData("2080-06-01", "01-Jan-05", 2105)]
    [InlineData("2080-06-01", "01-Jan-30", 2130)]
    [InlineData("2080-06-01", "02-Jun-30", 2030)]
    [InlineData("2080-06-01", "01-Jan-31", 2031)]
    [InlineData("0500-06-01", "01-Jan-05", 505)]
    [InlineData("9949-03-01", "01-Mar-99", 9999)]
    [InlineData("9949-03-01", "02-Mar-99", 9899)]
    public void A_year_more_than_fifty_years_ahead_is_a_past_one(string now, string date, int year)
    {
        HttpDate.TryParse($"Monday, {date} 00:00:00 GMT", DateTimeOffset.Parse(
            now + "T00:00:00Z", CultureInfo.InvariantCulture), out var read).ShouldBeTrue();
        read.Year.ShouldBe(year);
    }

    [Fact]
    public void No_two_digits_are_more_than_fifty_years_ahead_or_a_hundred_behind()
    {
        for (int thisYear = 1970; thisYear < 2170; thisYear++)
        {
            var now = new DateTimeOffset(thisYear, 7, 1, 0, 0, 0, TimeSpan.Zero);
            for (int twoDigits = 0; twoDigits < 100; twoDigits++)
            {
                HttpDate.TryParse($"Monday, 01-Jul-{twoDigits:00} 00:00:00 GMT", now, out var date).ShouldBeTrue();
                (date.Year % 100).ShouldBe(twoDigits);
                date.Year.ShouldBeInRange(thisYear - 49, thisYear + 50);
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("Sun,")]
    [InlineData("Sun, 06 Nov 1994 08:49:37 GMT GMT")]
    [InlineData("Sun, 31 Nov 1994 08:49:37 GMT")]
    [InlineData("Sun, 06 Foo 1994 08:49:37 GMT")]
    [InlineData("Sun, 06 Nov 1994 24:49:37 GMT")]
    [InlineData("Sun, 06 Nov 10000 08:49:37 GMT")]
    [InlineData("Sun, 06 Nov 0000 08:49:37 GMT")]
    [InlineData("Sunday, 31-Nov-94 08:49:37 GMT")]
    [InlineData("Sunday, 06-Nov-1994 08:49:37 GMT")]
    [InlineData("Sunday, 06-Nov-+4 08:49:37 GMT")]
    [InlineData("Sunday, 06-Nov-9 08:49:37 GMT")]
    [InlineData("Sun Nov  6 08:49:37 94")]
    [InlineData("Sun Nov 06 08:49:37 1994 GMT")]
    [InlineData("1994-11-06T08:49:37Z")]
    [InlineData("784111777")]
    [InlineData("Sun, 06 Nov 1994 08:49:37 CET")]
    [InlineData("Sun, 06 Nov 1994 08:49:37 gmt")]
    [InlineData("Sun, 06 Nov 1994 08:49:37 0000")]
    [InlineData("Sun, 06 Nov 1994 08:49:37 +2500")]
    [InlineData("Sun, 06 Nov 1994 08:49:60 GMT")]
    [InlineData("Sun, 06 Nov 1994 23:59:61 GMT")]
    [InlineData("Sun, 06 Nov 1994 23:59:600 GMT")]
    [InlineData("Sun, 06 Nov 1994 23:59:60 23:59:60 GMT")]
    [InlineData("Fri, 31 Dec 9999 23:59:60 GMT")]
    [InlineData("1, 06 Nov 1994 08:49:37 GMT")]
    [InlineData(", 06 Nov 1994 08:49:37 GMT")]
    [InlineData("Sun, Sun, 06 Nov 1994 08:49:37 GMT")]
    [InlineData("Nov 6 08:49:37 1994")]
    [InlineData("Sun Nov")]
    [InlineData("06 Nov 1994")]
    [InlineData("08:49:37")]
    [InlineData("06/11/1994 08:49:37")]
    public void Everything_else_is_refused(string text) => HttpDate.TryParse(text, Now, out _).ShouldBeFalse();

    [Theory, InlineData(40, true), InlineData(41, false)]
    public void Spaces_after_the_weekday_count_towards_the_longest_date(int length, bool isRead) =>
        HttpDate.TryParse("Sun," + "06 Nov 1994 08:49:37 GMT".PadLeft(length - 4), Now, out _).ShouldBe(isRead);

    [Fact]
    public void A_value_longer_than_any_date_is_refused_without_a_look() =>
        HttpDate.TryParse("Sun, " + new string(' ', 1 << 20) + "06 Nov 1994 08:49:37 GMT", Now, out _).ShouldBeFalse();

    [Fact]
    public void No_clock_makes_it_throw()
    {
        int[] years = [1, 2, 49, 50, 51, 99, 100, 101, 9899, 9900, 9949, 9950, 9951, 9998, 9999];
        foreach (int year in years)
        {
            for (int twoDigits = 0; twoDigits < 100; twoDigits++)
            {
                string text = $"Monday, 01-Jul-{twoDigits:00} 00:00:00 GMT";
                var now = new DateTimeOffset(year, 7, 1, 0, 0, 0, TimeSpan.Zero);
                if (Should.NotThrow(
                    () => HttpDate.TryParse(text, now, out var date) ? date : (DateTimeOffset?)null, $"{text} in {year}") is { } read)
                    (read.Year % 100, read.Year <= year + 50).ShouldBe((twoDigits, true), $"{text} in {year}");
            }
        }
    }
}
