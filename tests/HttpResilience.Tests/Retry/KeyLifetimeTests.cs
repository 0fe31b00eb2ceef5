namespace HttpResilience.Tests.Retry;

/// <summary>Waits are 1, 2 and 4 seconds.</summary>
public sealed class KeyLifetimeTests
{
    [Theory]
    [InlineData("00:00:04", 3, StopReason.Succeeded)]
    [InlineData("00:00:03", 2, StopReason.KeyExpired)]
    [InlineData("00:00:01", 1, StopReason.KeyExpired)]
    [InlineData(null, 3, StopReason.Succeeded)]
    public async Task A_post_is_repeated_while_the_server_knows_its_key(string? lifetime, int attempts, StopReason stopReason)
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Idempotency:KeyLifetime"] = lifetime ?? "" });
        chain.Server.Script(Replies.Status(500), Replies.Status(500), Replies.Status(201));

        using var response = await chain.PostAsync();

        (chain.Server.Requests.Count, response.GetHttpCall()!.StopReason).ShouldBe((attempts, stopReason));
        ((int)response.StatusCode).ShouldBe(stopReason is StopReason.Succeeded ? 201 : 500);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_time_that_attempts_take_counts(bool async)
    {
        using var chain = new Chain(o => o.Idempotency.KeyLifetime = TimeSpan.FromSeconds(10));
        chain.Server.Script(Replies.After(TimeSpan.FromSeconds(9), Replies.Status(500)), Replies.Status(201));

        using var response = await chain.PostAsync(async);

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.KeyExpired);
        response.GetHttpCall()!.FailureClass.ShouldBe(FailureClass.ServerError);
        chain.Logs.Call["StopReason"].ShouldBe("KeyExpired");
    }

    [Fact]
    public async Task A_failure_that_was_not_processed_does_not_hide_one_before_it_that_may_have_been()
    {
        using var chain = new Chain(o => o.Idempotency.KeyLifetime = TimeSpan.FromSeconds(10));
        chain.Server.Script(Replies.Status(500), Replies.Status(429, ("Retry-After", "9")), Replies.Status(201));

        using var response = await chain.PostAsync();

        ((int)response.StatusCode).ShouldBe(429);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.KeyExpired);
    }

    [Fact]
    public async Task A_request_that_was_never_processed_is_retried_under_a_key_of_any_age()
    {
        using var chain = new Chain(o => o.Idempotency.KeyLifetime = TimeSpan.FromSeconds(10));
        chain.Server.Script(Replies.Status(429, ("Retry-After", "9")), Replies.Status(429, ("Retry-After", "9")), Replies.Status(201));

        (await chain.PostAsync()).Dispose();

        chain.Server.Requests.Count.ShouldBe(3);
    }

    /// <summary>
    /// The wait for the second attempt takes one second; meanwhile another call learns that the host wants to be left alone for twenty.
    /// </summary>
    [Theory, InlineData(10, 1, StopReason.RateLimited), InlineData(60, 2, StopReason.Succeeded)]
    public async Task A_pause_of_the_host_does_not_hold_a_retry_until_its_key_has_expired(
        int lifetimeSeconds, int attempts, StopReason stopReason)
    {
        using var chain = new Chain(o => o.Idempotency.KeyLifetime = TimeSpan.FromSeconds(lifetimeSeconds));
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(Replies.Status(500), Replies.Status(429, ("Retry-After", "20")), Replies.Status(201));

        var sending = chain.PostAsync();
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();
        chain.Clock.SkipsWaits = true;
        chain.Clock.Advance(TimeSpan.FromSeconds(1));

        HttpCall call;
        try
        {
            using var response = await sending;
            call = response.GetHttpCall()!;
        }
        catch (RateLimitedException e)
        {
            call = e.GetHttpCall()!;
        }

        (call.Attempts.Count, call.StopReason).ShouldBe((attempts, stopReason));
        chain.Server.Requests.Count.ShouldBe(attempts + 1);
    }

    [Fact]
    public async Task A_put_has_no_key_that_could_expire()
    {
        using var chain = new Chain(o => o.Idempotency.KeyLifetime = TimeSpan.FromSeconds(1));
        chain.Server.Script(Replies.Status(500), Replies.Status(200));

        (await chain.SendAsync(true, new(HttpMethod.Put, "invoices/1"))).Dispose();

        chain.Server.Requests.Count.ShouldBe(2);
    }

    [Theory, InlineData("00:00:00.999"), InlineData("366.00:00:00"), InlineData("-1"), InlineData("soon")]
    public void A_lifetime_out_of_range_is_refused_with_its_path(string lifetime)
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Idempotency:KeyLifetime"] = lifetime });

        Should.Throw<Microsoft.Extensions.Options.OptionsValidationException>(() => chain.Client)
            .Message.ShouldContain("HttpResilience:Clients:api:Idempotency:KeyLifetime");
    }

    [Theory, InlineData("00:00:01", 1), InlineData("365.00:00:00", 365 * 86_400), InlineData("", null)]
    public void A_lifetime_in_range_is_taken(string lifetime, int? seconds)
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Idempotency:KeyLifetime"] = lifetime });

        long end = chain.State.Policy.KeyEndFrom(7);

        end.ShouldBe(seconds is { } s ? 7 + s * chain.Clock.TimestampFrequency : long.MaxValue);
    }

    [Fact]
    public void A_key_lasts_a_day_unless_configured() => new IdempotencyOptions().KeyLifetime.ShouldBe(TimeSpan.FromDays(1));
}
