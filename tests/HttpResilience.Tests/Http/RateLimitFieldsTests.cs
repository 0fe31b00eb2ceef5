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

    [Theory]
    [InlineData(30, "remaining=0", "reset=30")]
    [InlineData(30, "limit=100, reset=30", "remaining=0")]
    [InlineData(30, "limit=100", "remaining=0", "reset=30")]
    [InlineData(60, "remaining=0, reset=30", "remaining=0, reset=60")]
    [InlineData(60, "remaining=0, reset=60", "remaining=0, reset=30")]
    [InlineData(30, "\"d\";r=0", "\"d\";t=30")]
    [InlineData(30, "\"d\";t=30", "\"d\";r=0")]
    [InlineData(30, "\"a", "b\";r=0;t=30")]
    public void Several_lines_are_one_list(int seconds, params string[] lines) =>
        Of([.. lines.Select(line => ("RateLimit", line))]).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("\"a\";r=0", "\"b\";t=30")]
    [InlineData("remaining=0", "remaining=1", "reset=30")]
    [InlineData("remaining=1", "reset=30")]
    [InlineData("\"d\";r=0", "reset=30")]
    public void Lines_about_different_quotas_are_not_joined(params string[] lines) =>
        Of([.. lines.Select(line => ("RateLimit", line))]).ShouldBeNull();

    [Theory]
    [InlineData(60, 60.0)]
    [InlineData(1.5, 1.5)]
    [InlineData(0, null)]
    [InlineData(-5, null)]
    [InlineData(2_000_000_000.0, null)]
    public void A_reset_of_RateLimit_may_be_the_time_since_1970(double offset, double? seconds)
    {
        string reset = (Noon + offset).ToString(CultureInfo.InvariantCulture);

        Of(("RateLimit", $"\"d\";r=0;t={reset}")).ShouldBe(seconds is { } s ? TimeSpan.FromSeconds(s) : null);
        Of(("RateLimit", $"remaining=0, reset={reset}")).ShouldBe(seconds is { } t ? TimeSpan.FromSeconds(t) : null);
    }

    [Theory]
    [InlineData("\"d\";r=0;t=30;pk=:YQ==:", true)]
    [InlineData("\"d\";pk=:YQ==:;r=0;t=30", true)]
    [InlineData("\"d\";r=0;t=30", false)]
    [InlineData("\"d\";r=0;t=30;pkx=1", false)]
    [InlineData("\"d\";r=0;t=30;pk=:YQ==:, \"e\";r=0;t=5", false)]
    [InlineData("\"d\";r=0;t=30;pk=:YQ==:, \"e\";r=7;t=5", true)]
    [InlineData("\"d\";r=0;t=30, \"e\";r=7;t=5;pk=:YQ==:", false)]
    public void A_quota_with_a_partition_key_is_that_of_a_partition(string value, bool isOfPartition) =>
        ResetOf(isRejected: false, ("RateLimit", value)).ShouldBe(new(TimeSpan.FromSeconds(30), isOfPartition));

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
    [InlineData("0", "99999999999999999999")]
    [InlineData("0", "253402300800")]
    [InlineData("0", "922337203685")]
    [InlineData("0", "4000000000")]
    [InlineData("0", "1772366370")]
    [InlineData("0", "1772366400000")]
    [InlineData("0/40", "30")]
    [InlineData("39/40", "30")]
    [InlineData("40/", "30")]
    [InlineData("/40", "30")]
    [InlineData("0", "2026-03-01")]
    [InlineData("0", "2026-03-01T12:00:30Z; x")]
    [InlineData("0", "2026-03-01T11:59:30Z")]
    [InlineData("0", "2126-03-01T12:00:30Z")]
    [InlineData("0", "0001-01-01T00:00:00+14:00")]
    [InlineData("0", "9999-12-31T23:59:59-14:00")]
    [InlineData("0", "1m0")]
    [InlineData("0", "m")]
    [InlineData("0", "1 m")]
    [InlineData("0", "-1m")]
    [InlineData("0", "1d")]
    [InlineData("0", "99999999999999999999h")]
    [InlineData("0", "9000000000000000000h")]
    public void A_reset_beside_something_left_or_in_no_number_of_seconds_is_ignored(string remaining, string reset)
    {
        Of(("X-RateLimit-Remaining", remaining), ("X-RateLimit-Reset", reset)).ShouldBeNull();
        Of(("RateLimit-Remaining", remaining), ("RateLimit-Reset", reset)).ShouldBeNull();
    }

    /// <summary>RFC 9110 §5.3: an intermediary may join the lines of each quota.</summary>
    [Theory]
    [InlineData("0, 5", "30, 60", 30)]
    [InlineData("5, 0", "30, 60", 60)]
    [InlineData("0, 0, 1", "30, 60, 90", 60)]
    [InlineData("0, 40/40", "2026-03-01T12:00:30Z, 1m0s", 60)]
    [InlineData("0, 0", "30, soon", 30)]
    [InlineData("5, 1", "30, 60", null)]
    [InlineData("0", "30, 60", null)]
    [InlineData("0, 0", "30", null)]
    public void Joined_lines_belong_together_in_their_order(string remaining, string reset, int? seconds)
    {
        Of(("X-RateLimit-Remaining", remaining), ("X-RateLimit-Reset", reset)).ShouldBe(seconds is { } s ? TimeSpan.FromSeconds(s) : null);
        Of(("ratelimit-remaining", remaining), ("ratelimit-reset", reset)).ShouldBe(seconds is { } t ? TimeSpan.FromSeconds(t) : null);
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
    [InlineData(5_184_000, 5_184_000)]
    [InlineData(0, null)]
    [InlineData(-30, null)]
    [InlineData(-700_000_000, null)]
    public void A_reset_since_1970_is_a_wait_from_now(int offset, int? seconds) =>
        OfEpoch(Noon + offset).ShouldBe(seconds is { } s ? TimeSpan.FromSeconds(s) : null);

    [Fact]
    public void A_reset_since_1970_may_have_a_fraction() =>
        Of(("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", $"{Noon + 30}.25")).ShouldBe(TimeSpan.FromSeconds(30.25));

    [Fact]
    public void Thirty_years_are_a_wait_and_a_second_more_is_a_time_that_has_passed()
    {
        OfEpoch(1_000_000_000).ShouldBe(TimeSpan.FromSeconds(1_000_000_000));
        OfEpoch(1_000_000_001).ShouldBeNull();
    }

    [Theory]
    [InlineData(253402300799)]
    [InlineData(253402300800)]
    [InlineData(4_294_967_296)]
    public void A_reset_in_more_than_fifty_years_is_a_mistake(long reset)
    {
        OfEpoch(reset).ShouldBeNull();
        OfEpoch(reset, "Mon, 01 Jan 0001 00:00:00 GMT").ShouldBeNull();
        OfEpoch(reset, "Fri, 31 Dec 9999 23:59:59 GMT").ShouldBeNull();
    }

    [Fact]
    public void A_reset_in_nearly_fifty_years_is_read_in_full() =>
        OfEpoch(Now.AddYears(50).ToUnixTimeSeconds()).ShouldBe(Now.AddYears(50) - Now);

    [Theory]
    [InlineData("60")]
    [InlineData("1772366460")]
    [InlineData("1772366460000")]
    [InlineData("2026-03-01T12:01:00Z")]
    [InlineData("2026-03-01T12:01Z")]
    [InlineData("2026-03-01T12:01:00")]
    [InlineData("2026-03-01T12:01:00.000Z")]
    [InlineData("2026-03-01T12:01:00.000000000Z")]
    [InlineData("2026-03-01T14:01:00+02:00")]
    [InlineData("2026-03-01 12:01:00Z")]
    [InlineData("2026-03-01t12:01:00z")]
    [InlineData("1m0s")]
    [InlineData("60s")]
    [InlineData("0h1m")]
    [InlineData("59.5s500ms")]
    [InlineData("59s999ms999us1000ns")]
    [InlineData("60000000\u00b5s")]
    public void Each_notation_is_read_whatever_the_name_of_the_field(string reset)
    {
        (string Remaining, string Reset)[] names =
        [
            ("X-RateLimit-Remaining", "X-RateLimit-Reset"), ("RateLimit-Remaining", "RateLimit-Reset"),
            ("X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"), ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
            ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
            ("X-RateLimit-Remaining", "X-RateLimit-Retry-After"), ("X-RateLimit-Remaining", "X-RateLimit-Reset-After"),
        ];
        foreach (var (remainingName, resetName) in names)
        {
            Of((remainingName, "0"), (resetName, reset)).ShouldBe(TimeSpan.FromMinutes(1), resetName);
            Of((remainingName, "40/40"), (resetName, reset)).ShouldBe(TimeSpan.FromMinutes(1), resetName);
            Of((remainingName, "1"), (resetName, reset)).ShouldBeNull(resetName);
            OfRejected((resetName, reset)).ShouldBe(TimeSpan.FromMinutes(1), resetName);
        }
    }

    [Theory]
    [InlineData("X-RateLimit-Reset-Ms")]
    [InlineData("x-ratelimit-reset-milliseconds")]
    public void A_name_may_say_that_its_unit_is_milliseconds(string name) =>
        OfRejected((name, "1500")).ShouldBe(TimeSpan.FromMilliseconds(1500));

    [Fact]
    public void Of_several_quotas_of_a_vendor_the_longest_that_is_used_up_counts()
    {
        (string, string)[] requests = [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "1m0s")];
        (string, string)[] tokens = [("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0s")];
        (string, string)[] tokensLeft = [("x-ratelimit-remaining-tokens", "150"), ("x-ratelimit-reset-tokens", "6m0s")];

        Of([.. requests, .. tokens]).ShouldBe(TimeSpan.FromMinutes(6));
        Of([.. requests, .. tokensLeft]).ShouldBe(TimeSpan.FromMinutes(1));
        OfRejected([.. requests, .. tokensLeft]).ShouldBe(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Of_several_resets_without_a_count_the_longest_counts() =>
        OfRejected(("X-RateLimit-Reset", "30"), ("X-RateLimit-Reset", "60"), ("X-RateLimit-Reset", "soon"))
            .ShouldBe(TimeSpan.FromMinutes(1));

    [Theory]
    [InlineData("X-RateLimit-Limit", "60")]
    [InlineData("X-Reset", "60")]
    [InlineData("X-RateLimit-Reset", "soon")]
    public void A_rejection_has_no_wait_without_a_reset_that_can_be_read(string name, string value) =>
        OfRejected((name, value)).ShouldBeNull();

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

    private static TimeSpan? Of(params (string Name, string Value)[] headers) => ResetOf(isRejected: false, headers)?.Wait;

    private static TimeSpan? OfRejected(params (string Name, string Value)[] headers) => ResetOf(isRejected: true, headers)?.Wait;

    private static QuotaReset? ResetOf(bool isRejected, params (string Name, string Value)[] headers)
    {
        using var response = new HttpResponseMessage();
        foreach (var (name, value) in headers)
            response.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        return RateLimitFields.Of(response.Headers, Now, isRejected);
    }
}
