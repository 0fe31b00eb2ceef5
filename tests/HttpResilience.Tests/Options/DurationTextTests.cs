using System.Globalization;

namespace HttpResilience.Tests.Options;

public sealed class DurationTextTests
{
    private static readonly TimeSpan Max = TimeSpan.FromDays(365);

    [Theory]
    [InlineData("00:00:00", 0)]
    [InlineData("00:00:30", 30)]
    [InlineData("0:0:5", 5)]
    [InlineData("23:59:59", 86399)]
    [InlineData("1.00:00:00", 86400)]
    [InlineData("00:00:00.5", 0.5)]
    [InlineData("00:00:00.1234567", 0.1234567)]
    [InlineData("-00:00:01", -1)]
    [InlineData("365.23:59:59", 31622399)]
    public void A_duration_of_days_hours_minutes_and_seconds_is_read(string text, double seconds)
    {
        DurationText.TryParse(text, out var value).ShouldBeTrue();
        value.ShouldBe(TimeSpan.FromSeconds(seconds));
        DurationText.Remedy(text, TimeSpan.MinValue, TimeSpan.MaxValue).ShouldBeNull();
    }

    // What TimeSpan.Parse reads as something else than it looks like, and what it does not read, with the remedy.
    [Theory]
    [InlineData("24:00:00", "write '1.00:00:00' for 24 h, or '24.00:00:00' for 24 d")]
    [InlineData("36:30:00", "write '1.12:30:00' for 36.5 h, or '37.06:00:00' for 37.25 d")]
    [InlineData("100:00:00", "write '4.04:00:00' for 100 h, or '100.00:00:00' for 100 d")]
    [InlineData("10", "write '00:00:10' for 10 s, or '10.00:00:00' for 10 d")]
    [InlineData("1", "write '00:00:01' for 1 s, or '1.00:00:00' for 1 d")]
    [InlineData("0.5", "write '00:00:00.5' for 0.5 s, or '12:00:00' for 0.5 d")]
    [InlineData("500", "write '00:08:20' for 500 s, or '00:00:00.5' for 500 ms")]
    [InlineData("00:30", "write '00:30:00' for 30 min, or '00:00:30' for 30 s")]
    [InlineData("1:30", "write '01:30:00' for 90 min, or '00:01:30' for 90 s")]
    [InlineData("1:00:00:00", "write '1.00:00:00' for 86400 s")]
    [InlineData("00:90:00", "write '01:30:00' for 5400 s")]
    [InlineData("00:00:75.5", "write '00:01:15.5' for 75.5 s")]
    [InlineData("5s", "write '00:00:05' for 5 s")]
    [InlineData("5 SECONDS", "write '00:00:05' for 5 s")]
    [InlineData("250ms", "write '00:00:00.25' for 250 ms")]
    [InlineData("2m", "write '00:02:00' for 2 min")]
    [InlineData("1.5h", "write '01:30:00' for 1.5 h")]
    [InlineData("7 days", "write '7.00:00:00' for 7 d")]
    [InlineData("PT30S", "write '00:00:30' for 30 s")]
    [InlineData("P1DT2H3M4.5S", "write '1.02:03:04.5' for 93784.5 s")]
    [InlineData(" 00:00:05", "write '00:00:05' without spaces")]
    [InlineData("00:00:05\n", "write '00:00:05' without spaces")]
    public void What_looks_like_a_duration_is_refused_with_its_right_spelling(string text, string remedy)
    {
        DurationText.TryParse(text, out _).ShouldBeFalse();
        DurationText.Remedy(text, TimeSpan.Zero, Max).ShouldBe(remedy);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("1,5")]
    [InlineData("P")]
    [InlineData("PT")]
    [InlineData("1.24:00:00")]
    [InlineData("00:00:00.12345678")]
    [InlineData("--00:00:01")]
    [InlineData("+00:00:01")]
    [InlineData("00:00:0５")]
    [InlineData("1:2:3:4:5")]
    [InlineData(":::")]
    [InlineData("99999999999999")]
    [InlineData("1e3")]
    public void What_cannot_be_guessed_has_no_remedy(string? text)
    {
        DurationText.TryParse(text, out _).ShouldBeFalse();
        DurationText.Remedy(text, TimeSpan.Zero, Max).ShouldBeNull();
    }

    [Fact]
    public void A_reading_out_of_the_range_is_no_remedy()
    {
        DurationText.Remedy("30", TimeSpan.FromHours(1), TimeSpan.FromDays(90)).ShouldBe("write '30.00:00:00' for 30 d");
        DurationText.Remedy("30", TimeSpan.Zero, TimeSpan.FromDays(1)).ShouldBe("write '00:00:30' for 30 s");
        DurationText.Remedy("30", TimeSpan.FromMinutes(1), TimeSpan.FromDays(1)).ShouldBeNull();
    }

    [Fact]
    public void Every_duration_is_read_as_the_platform_writes_it()
    {
        var random = new Random(1);
        for (int i = 0; i < 10_000; i++)
        {
            var duration = new TimeSpan(random.NextInt64(TimeSpan.TicksPerDay * 400));
            DurationText.TryParse(duration.ToString("c", CultureInfo.InvariantCulture), out var value).ShouldBeTrue();
            value.ShouldBe(duration);
        }
    }

    [Fact]
    public void Every_remedy_is_a_duration()
    {
        var random = new Random(2);
        const string Letters = "0123456789:.smhdPT -";
        for (int i = 0; i < 50_000; i++)
        {
            string text = new([.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => Letters[random.Next(Letters.Length)])]);
            if (DurationText.Remedy(text, TimeSpan.Zero, Max) is { } remedy)
                DurationText.TryParse(remedy.Split('\'')[1], out _).ShouldBeTrue($"{text}: {remedy}");
        }
    }
}
