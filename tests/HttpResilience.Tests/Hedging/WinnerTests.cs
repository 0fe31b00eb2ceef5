namespace HttpResilience.Tests.Hedging;

/// <summary>Which result ends the race, and which lets another request join it.</summary>
public sealed class WinnerTests
{
    [Theory]
    [InlineData(200, true, true)]
    [InlineData(200, false, true)]
    [InlineData(304, true, true)]
    [InlineData(404, true, true)]
    [InlineData(422, true, true)]
    [InlineData(501, true, true)]
    // The request that overtook another one is told what that one has done.
    [InlineData(404, false, false)]
    [InlineData(409, false, false)]
    [InlineData(412, false, false)]
    [InlineData(500, true, false)]
    [InlineData(503, true, false)]
    [InlineData(429, true, false)]
    [InlineData(503, false, false)]
    public void Success_wins_always_and_a_final_no_only_for_a_method_that_changes_nothing(int status, bool safe, bool wins) =>
        HedgingDecision.Wins(FailureClassifier.Of(status, hasRetryAfter: false, keyed: true), safe).ShouldBe(wins);

    [Fact]
    public void An_exception_never_wins()
    {
        Exception[] exceptions =
            [new HttpRequestException(), new CircuitOpenException("", null), new RateLimitedException(""), new InvalidOperationException()];
        foreach (var exception in exceptions)
            HedgingDecision.Wins(FailureClassifier.Classify(exception, timedOut: false, cancelled: false), safe: true)
                .ShouldBeFalse(exception.GetType().Name);
    }

    [Fact]
    public void After_a_rejection_or_a_final_failure_nothing_follows()
    {
        Exception[] exceptions = [new CircuitOpenException("", null), new RateLimitedException(""), new InvalidOperationException()];
        foreach (var exception in exceptions)
            HedgingDecision.MayFollow(FailureClassifier.Classify(exception, timedOut: false, cancelled: false))
                .ShouldBeFalse(exception.GetType().Name);
        HedgingDecision.MayFollow(FailureClassifier.Classify(new IOException(), timedOut: false, cancelled: false)).ShouldBeTrue();
        HedgingDecision.MayFollow(FailureClassifier.Classify(new OperationCanceledException(), timedOut: false, cancelled: true))
            .ShouldBeFalse();
    }

    [Theory, InlineData("true", 404, false, true), InlineData("false", 503, true, false)]
    public void The_servers_own_word_beats_the_status(string shouldRetry, int status, bool wins, bool mayFollow)
    {
        using var response = HedgedChain.Status(status);
        response.Headers.TryAddWithoutValidation("X-Should-Retry", shouldRetry);

        var result = FailureClassifier.Classify(response, keyed: false, DateTimeOffset.UnixEpoch);

        (HedgingDecision.Wins(result, safe: true), HedgingDecision.MayFollow(result)).ShouldBe((wins, mayFollow));
    }

    [Fact]
    public async Task A_conflict_with_the_request_beside_it_is_not_the_answer_to_a_write()
    {
        using var chain = HedgedChain.Create();
        var first = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.WhenNotCancelled(first), Replies.Status(409));

        var sending = chain.PostAsync();
        await chain.PassDelayAsync();
        await chain.SentAsync(2);
        first.SetResult(HedgedChain.Status(201));
        using var response = await sending;

        ((int)response.StatusCode).ShouldBe(201);
        response.GetHttpCall()!.Attempts.Select(a => (int?)a.StatusCode).ShouldBe([409, 201]);
    }

    [Fact]
    public async Task A_conflict_alone_is_the_answer_at_once()
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(Replies.Status(409), Replies.Status(201));

        using var response = await chain.PostAsync();

        ((int)response.StatusCode).ShouldBe(409);
        chain.Server.Requests.ShouldHaveSingleItem();
    }
}
