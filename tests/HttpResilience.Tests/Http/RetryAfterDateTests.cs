namespace HttpResilience.Tests.Http;

/// <summary>Dates in <c>Retry-After</c>, and the clock that they are read against.</summary>
public sealed class RetryAfterDateTests
{
    private const string Noon = "Sun, 01 Mar 2026 12:00:00 GMT";

    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("Sun, 01 Mar 2026 12:00:30 GMT")]
    [InlineData("Sunday, 01-Mar-26 12:00:30 GMT")]
    [InlineData("Sun Mar  1 12:00:30 2026")]
    [InlineData("  Sun, 01 Mar 2026 12:00:30 GMT\t")]
    [InlineData("Sun, 01 Mar 2026 12:00:30 UTC")]
    [InlineData("Sun, 1 Mar 2026 12:00:30 +0000")]
    [InlineData("Sun, 01 Mar 2026 12:00:30")]
    public void A_date_in_each_of_the_three_forms_is_a_wait_from_now(string date) => Of(date).ShouldBe(TimeSpan.FromSeconds(30));

    [Theory]
    [InlineData(Noon)]
    [InlineData("Sun, 01 Mar 2026 11:59:59 GMT")]
    [InlineData("Sunday, 06-Nov-94 08:49:37 GMT")]
    [InlineData("Sun Nov  6 08:49:37 1994")]
    [InlineData("Mon, 01 Jan 0001 00:00:00 GMT")]
    public void A_date_that_has_passed_is_zero(string date) => Of(date).ShouldBe(TimeSpan.Zero);

    [Fact]
    public void A_date_in_sixty_days_is_read_in_full() => Of("Thu, 30 Apr 2026 12:00:00 GMT").ShouldBe(TimeSpan.FromDays(60));

    [Fact]
    public void A_date_in_nearly_fifty_years_is_read_in_full() =>
        Of("Sun, 01 Mar 2076 12:00:00 GMT").ShouldBe(new DateTimeOffset(2076, 3, 1, 12, 0, 0, TimeSpan.Zero) - Now);

    /// <summary>As a time since 1970 is.</summary>
    [Theory]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT")]
    [InlineData("Sun Mar  1 12:00:30 2086")]
    [InlineData("Thu, 01 Jan 2099 00:00:00 +0000")]
    public void A_date_more_than_fifty_years_ahead_is_a_mistake(string date) => Of(date).ShouldBeNull();

    [Theory]
    [InlineData("2026-03-01T12:00:30Z")]
    [InlineData("Sun, 01 Mar 2026 12:00:30 CET")]
    [InlineData("Sun, 32 Mar 2026 12:00:30 GMT")]
    [InlineData("Sun, 01 Mar 2026 25:00:30 GMT")]
    [InlineData("Sun, 01 Mar 2026 12:00:30 GMT\0")]
    [InlineData("Sun, 01 Mar 2026 12:00:30 GMT; a=b")]
    public void A_date_in_no_form_of_HTTP_is_ignored(string date) => Of(date).ShouldBeNull();

    [Theory]
    [InlineData("Wed, 01 Jan 2020 00:00:00 GMT", "Wed, 01 Jan 2020 00:00:45 GMT")]
    [InlineData("Tue, 01 Jan 2036 00:00:00 GMT", "Tue, 01 Jan 2036 00:00:45 GMT")]
    [InlineData("Wednesday, 01-Jan-20 00:00:00 GMT", "Wed Jan  1 00:00:45 2020")]
    [InlineData("Wed, 1 Jan 2020 00:00:00 UTC", "Wed, 01 Jan 2020 00:00:45 +0000")]
    [InlineData("Wed, 01 Jan 2020 00:00:00", "Wed, 1 Jan 2020 0:00:45")]
    [InlineData("Tue, 31 Dec 2019 23:59:60 GMT", "Wed, 01 Jan 2020 00:00:45 GMT")]
    public void A_clock_of_ours_that_is_wrong_does_not_matter(string sent, string retryAfter) =>
        Of(retryAfter, sent).ShouldBe(TimeSpan.FromSeconds(45));

    [Fact]
    public void The_Date_of_the_response_makes_a_date_that_is_future_to_us_a_past_one() =>
        Of("Sun, 01 Mar 2026 12:00:30 GMT", "Sun, 01 Mar 2026 12:01:00 GMT").ShouldBe(TimeSpan.Zero);

    [Theory]
    [InlineData("yesterday")]
    [InlineData("")]
    [InlineData("2026-03-01T12:01:00Z")]
    public void A_Date_that_cannot_be_read_leaves_our_own_clock(string sent) =>
        Of("Sun, 01 Mar 2026 12:00:30 GMT", sent).ShouldBe(TimeSpan.FromSeconds(30));

    [Fact]
    public void Two_Dates_leave_our_own_clock() =>
        Of("Sun, 01 Mar 2026 12:00:30 GMT", Noon, "Sun, 01 Mar 2026 12:00:10 GMT").ShouldBe(TimeSpan.FromSeconds(30));

    [Fact]
    public void The_Date_has_no_say_in_a_number_of_seconds() =>
        Of("30", "Tue, 01 Jan 2036 00:00:00 GMT").ShouldBe(TimeSpan.FromSeconds(30));

    [Fact]
    public void Two_digits_of_a_year_are_read_in_the_century_of_the_response() =>
        Of("Thursday, 01-Jan-99 00:01:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT").ShouldBe(TimeSpan.FromMinutes(1));

    [Theory]
    [InlineData("Sunday, 06-Nov-94 08:49:37 GMT", "Fri, 31 Dec 9999 23:59:59 GMT")]
    [InlineData("Sunday, 06-Nov-49 08:49:37 GMT", "Fri, 31 Dec 9960 23:59:59 GMT")]
    [InlineData("Sunday, 06-Nov-94 08:49:37 GMT", "Mon, 01 Jan 0001 00:00:00 GMT")]
    public void A_bogus_Date_at_the_end_of_time_does_not_throw(string retryAfter, string sent) =>
        Of(retryAfter, sent).ShouldBeOneOf(null, TimeSpan.Zero);

    private static TimeSpan? Of(string retryAfter, params string[] sent)
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("Retry-After", retryAfter).ShouldBeTrue();
        response.Headers.TryAddWithoutValidation("Date", sent).ShouldBeTrue();
        return RetryAfter.Of(response.Headers, Now);
    }
}
