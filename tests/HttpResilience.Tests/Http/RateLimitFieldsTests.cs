using System.Globalization;

namespace HttpResilience.Tests.Http;

/// <summary>
/// The fields that tell when a quota that is used up is filled again: <c>RateLimit</c>, and the two kinds of <c>RateLimit-Reset</c>.
/// </summary>
public sealed class RateLimitFieldsTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly long Noon = Now.ToUnixTimeSeconds();

    [Theory]
    [InlineData("\"default\";r=0;t=30", 30)]
    [InlineData("default;r=0;t=30", 30)]
    [InlineData("\"default\";t=30;r=0", 30)]
    [InlineData("\"default\"; r=0; t=30", 30)]
    [InlineData("  \"default\" ;r=0 ;t=30\t", 30)]
    [InlineData("\"default\";r=0;t=0", 0)]
    [InlineData("\"default\";r=0;t=2.5", 2.5)]
    [InlineData("\"default\";r=0;t=30;pk=:c2VjcmV0Oz09:", 30)]
    [InlineData("\"a;r=5,b\";r=0;t=30", 30)]
    [InlineData("\"a\\\";r=5\";r=0;t=30", 30)]
    [InlineData("\"default\";r=9;t=90;r=0;t=30", 30)]
    [InlineData("\"a\\\\\";r=0;t=30", 30)]
    [InlineData("\"burst\";r=0;t=5,\"daily\";r=0;t=30", 30)]
    [InlineData("\"burst\";r=0;t=30, \"daily\";r=0;t=5", 30)]
    [InlineData("\"burst\";r=0;t=30, \"daily\";r=12;t=9000", 30)]
    [InlineData("\"daily\";r=12;t=9000, \"burst\";r=0;t=30", 30)]
    [InlineData("nonsense, \"burst\";r=0;t=30,,;", 30)]
    [InlineData("\"burst\";r=0;t=soon, \"daily\";r=0;t=30", 30)]
    [InlineData("limit=100, remaining=0, reset=30", 30)]
    [InlineData("reset=30,remaining=0", 30)]
    [InlineData("limit=100;w=60, remaining=0, reset=30;c=\"a,b\"", 30)]
    public void A_quota_of_RateLimit_that_is_used_up_is_a_wait(string value, double seconds) =>
        Of(("RateLimit", value)).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("\"default\";r=50;t=30")]
    [InlineData("\"default\";r=0.5;t=30")]
    [InlineData("\"default\";r=0")]
    [InlineData("\"default\";t=30")]
    [InlineData("limit=100, remaining=1, reset=30")]
    [InlineData("limit=100, remaining=0")]
    [InlineData("limit=100, reset=30")]
    [InlineData("\"default\";r=0;r=5;t=30")]
    public void A_quota_of_RateLimit_that_is_not_used_up_or_names_no_time_is_no_wait(string value) =>
        Of(("RateLimit", value)).ShouldBeNull();

    [Theory]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("0")]
    [InlineData(";r=0;t=30")]
    [InlineData("r=0;t=30")]
    [InlineData("\"default;r=0;t=30")]
    [InlineData("\"default\";r=0;t=-30")]
    [InlineData("\"default\";r=-0;t=30")]
    [InlineData("\"default\";R=0;T=30")]
    [InlineData("\"default\";r=\"0\";t=\"30\"")]
    [InlineData("\"default\";r=0;t=30s")]
    [InlineData("\"default\";r=0;t=30\0")]
    [InlineData("\"default\";r=0;t=99999999999999999999")]
    [InlineData("\"default\";r=0;t=30;t=x")]
    [InlineData("\"default\"\";r=0;t=30")]
    [InlineData("\"default\\\";r=0;t=30")]
    [InlineData("\"\\")]
    [InlineData("\"daily\";r=0, \"burst\";t=30")]
    [InlineData("limit=100, remaining=-1, reset=30")]
    [InlineData("limit=100, remaining=0, reset=soon")]
    public void A_RateLimit_that_cannot_be_read_is_ignored(string value) => Of(("RateLimit", value)).ShouldBeNull();

    [Fact]
    public void Of_several_lines_of_RateLimit_the_longest_valid_counts() =>
        Of(("RateLimit", "\"a\";r=0;t=5"), ("RateLimit", "\"b\";r=0;t=30"), ("RateLimit", "\"c\";r=1;t=60"), ("RateLimit", "x"))
            .ShouldBe(TimeSpan.FromSeconds(30));

    [Fact]
    public void The_old_form_is_read_line_by_line() => Of(("RateLimit", "remaining=0"), ("RateLimit", "reset=30")).ShouldBeNull();

    [Theory]
    [InlineData("0", "30", 30)]
    [InlineData("0", "0", 0)]
    [InlineData(" 0\t", " 2.5 ", 2.5)]
    [InlineData("0.0", "30", 30)]
    [InlineData("0", "1000000000", 1e9)]
    public void A_reset_beside_nothing_left_is_a_wait_in_seconds(string remaining, string reset, double seconds)
    {
        Of(("X-RateLimit-Remaining", remaining), ("X-RateLimit-Reset", reset)).ShouldBe(TimeSpan.FromSeconds(seconds));
        Of(("RateLimit-Remaining", remaining), ("RateLimit-Reset", reset)).ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Theory]
    [InlineData("1", "30")]
    [InlineData("0.5", "30")]
    [InlineData("-1", "30")]
    [InlineData("", "30")]
    [InlineData("none", "30")]
    [InlineData("0", "")]
    [InlineData("0", "-30")]
    [InlineData("0", "soon")]
    [InlineData("0", "30\0")]
    [InlineData("0", "Sun, 01 Mar 2026 12:00:30 GMT")]
    [InlineData("0", "99999999999999999999")]
    [InlineData("0", "253402300800")]
    [InlineData("0", "922337203685")]
    [InlineData("0", "1772366430000")]
    public void A_reset_beside_something_left_or_in_no_number_of_seconds_is_ignored(string remaining, string reset)
    {
        Of(("X-RateLimit-Remaining", remaining), ("X-RateLimit-Reset", reset)).ShouldBeNull();
        Of(("RateLimit-Remaining", remaining), ("RateLimit-Reset", reset)).ShouldBeNull();
    }

    [Fact]
    public void A_reset_alone_is_ignored()
    {
        Of(("X-RateLimit-Reset", "30")).ShouldBeNull();
        Of(("RateLimit-Reset", "30")).ShouldBeNull();
        Of(("X-RateLimit-Remaining", "0")).ShouldBeNull();
        Of(("RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "30")).ShouldBeNull();
    }

    [Theory]
    [InlineData(30, 30)]
    [InlineData(0, 0)]
    [InlineData(-30, 0)]
    [InlineData(-700_000_000, 0)]
    [InlineData(5_184_000, 5_184_000)]
    public void A_reset_since_1970_is_a_wait_from_now(int offset, int seconds) =>
        OfEpoch(Noon + offset).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Fact]
    public void A_reset_since_1970_may_have_a_fraction() =>
        Of(("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", $"{Noon + 30}.25")).ShouldBe(TimeSpan.FromSeconds(30.25));

    [Fact]
    public void Thirty_years_are_a_wait_and_a_second_more_is_a_time_that_has_passed()
    {
        OfEpoch(1_000_000_000).ShouldBe(TimeSpan.FromSeconds(1_000_000_000));
        OfEpoch(1_000_000_001).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void The_last_reset_there_is_does_not_overflow()
    {
        OfEpoch(253402300799).ShouldBe(DateTimeOffset.FromUnixTimeSeconds(253402300799) - Now);
        OfEpoch(253402300799, "Mon, 01 Jan 0001 00:00:00 GMT").ShouldNotBeNull();
        Of(("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "253402300799.9999999")).ShouldBe(DateTimeOffset.MaxValue - Now);
        Of(("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "253402300800")).ShouldBeNull();
    }

    [Theory]
    [InlineData("Sun, 01 Mar 2026 17:00:00 GMT", 5 * 3600)]
    [InlineData("Sunday, 01-Mar-26 07:00:00 GMT", -5 * 3600)]
    public void A_reset_since_1970_is_read_by_the_servers_clock(string date, int offset) =>
        OfEpoch(Noon + offset + 45, date).ShouldBe(TimeSpan.FromSeconds(45));

    [Fact]
    public void The_Date_has_no_say_in_a_number_of_seconds() =>
        Of(("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "30"), ("Date", "Tue, 01 Jan 2036 00:00:00 GMT"))
            .ShouldBe(TimeSpan.FromSeconds(30));

    [Fact]
    public void Of_several_quotas_the_longest_that_is_used_up_counts()
    {
        Of(("X-RateLimit-Remaining", "0"), ("X-RateLimit-Remaining", "7"), ("X-RateLimit-Reset", "30"), ("X-RateLimit-Reset", "9000"))
            .ShouldBe(TimeSpan.FromSeconds(30));
        Of(("X-RateLimit-Remaining", "0"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "30"), ("X-RateLimit-Reset", "60"))
            .ShouldBe(TimeSpan.FromSeconds(60));
        Of(("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "30"), ("X-RateLimit-Reset", "60")).ShouldBeNull();
    }

    [Theory]
    [InlineData("\"a\";r=0;t=10", "20", "30", 10)]
    [InlineData(null, "20", "30", 20)]
    [InlineData(null, null, "30", 30)]
    [InlineData("\"a\";r=5;t=10", "20", "30", 20)]
    [InlineData("x", "soon", "30", 30)]
    [InlineData("x", "soon", "later", null)]
    [InlineData("\"a\";r=0;t=0", "20", "30", 0)]
    public void The_first_valid_of_the_three_wins(string? rateLimit, string? xReset, string? reset, int? seconds)
    {
        (string Name, string? Value)[] headers =
        [
            ("RateLimit-Remaining", "0"), ("RateLimit-Reset", reset), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", xReset),
            ("RateLimit", rateLimit),
        ];

        Of([.. headers.Where(h => h.Value is not null).Select(h => (h.Name, h.Value!))]).ShouldBe(
            seconds is { } s ? TimeSpan.FromSeconds(s) : null);
    }

    [Fact]
    public void Names_are_read_in_any_case()
    {
        Of(("ratelimit", "\"a\";r=0;t=3")).ShouldBe(TimeSpan.FromSeconds(3));
        Of(("x-ratelimit-remaining", "0"), ("X-RATELIMIT-RESET", "3")).ShouldBe(TimeSpan.FromSeconds(3));
    }

    [Theory]
    [InlineData('9')]
    [InlineData('"')]
    [InlineData('\\')]
    [InlineData(',')]
    [InlineData(';')]
    [InlineData('=')]
    [InlineData(' ')]
    [InlineData('\0')]
    public void A_megabyte_of_anything_is_ignored(char filler)
    {
        string value = new(filler, 1 << 20);

        Of(("RateLimit", value)).ShouldBeNull();
        Of(("RateLimit", $"\"a\";r=0;t={value}x")).ShouldBeNull();
        Of(("RateLimit", $"\"{value}")).ShouldBeNull();
        Of(("X-RateLimit-Remaining", value), ("X-RateLimit-Reset", "30")).ShouldBeNull();
        Of(("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", value)).ShouldBeNull();
    }

    [Fact]
    public void No_field_is_no_wait() => Of().ShouldBeNull();

    private static TimeSpan? OfEpoch(long seconds, string? date = null)
    {
        (string, string)[] headers =
            [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", seconds.ToString(CultureInfo.InvariantCulture))];
        return Of(date is null ? headers : [.. headers, ("Date", date)]);
    }

    private static TimeSpan? Of(params (string Name, string Value)[] headers)
    {
        using var response = new HttpResponseMessage();
        foreach (var (name, value) in headers)
            response.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        return RateLimitFields.Of(response.Headers, Now);
    }
}
