namespace HttpResilience.Tests.Idempotency;

/// <summary>What a keyed call does, and what is remembered of it.</summary>
public sealed class ResponseReplayRulesTests
{
    private static readonly Guid Mine = Guid.NewGuid();
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly RememberedRequest Asking = new("api", "key", "hash", Mine, Now, Now.AddSeconds(30));
    private static readonly RememberedResponse Created = new(201, "Created", [], default);

    [Theory]
    [InlineData("hash", true, false, false, false, false, "Send")]
    [InlineData("hash", false, false, true, true, false, "Wait")]
    [InlineData("hash", false, false, false, false, true, "Answer")]
    [InlineData("hash", true, true, true, false, false, "Send")]
    [InlineData("hash", true, true, false, true, false, "Send")]
    [InlineData("hash", true, true, false, false, false, "RejectDoubt")]
    [InlineData("other", true, false, true, true, false, "RejectReuse")]
    [InlineData("other", false, false, true, true, true, "RejectReuse")]
    public void The_state_of_the_key_decides(
        string fingerprint, bool isMine, bool isInDoubt, bool mayBeRepeated, bool canBeFound, bool isDone, string expected)
    {
        var known = new RememberedCall(fingerprint, isMine ? Mine : Guid.NewGuid(), Now, Now, isInDoubt, isDone ? Created : null);

        ResponseReplayRules.Before(known, Asking, mayBeRepeated, canBeFound).ToString().ShouldBe(expected);
    }

    public static TheoryData<int, FailureClass, StopReason, string> Responses
    {
        get
        {
            var data = new TheoryData<int, FailureClass, StopReason, string>();
            foreach (int status in (int[])[200, 201, 202, 204, 206, 299])
                data.Add(status, FailureClass.None, StopReason.Succeeded, "Remember");
            data.Add(200, FailureClass.None, StopReason.Reconciled, "Remember");
            data.Add(200, FailureClass.Permanent, StopReason.NotRetryable, "Forget");
            foreach (int status in (int[])[301, 303, 304, 307])
                data.Add(status, FailureClass.None, StopReason.Succeeded, "LeaveInDoubt");
            foreach (int status in (int[])[400,
                402, 404, 405, 406, 410, 411, 412, 413, 414, 415, 416, 417, 418, 422, 423, 424, 426, 428, 431, 451, 499])
                data.Add(status, FailureClass.Validation, StopReason.NotRetryable, "Remember");
            foreach (int status in (int[])[401, 403, 407, 408, 409, 421, 425, 429])
                data.Add(status, FailureClass.Permanent, StopReason.NotRetryable, "Forget");
            // One that would have been repeated may come out another way next time.
            data.Add(404, FailureClass.NotFound, StopReason.AttemptsExhausted, "Forget");
            data.Add(400, FailureClass.Validation, StopReason.DeadlineWouldPass, "Forget");
            data.Add(400, FailureClass.None, StopReason.Succeeded, "LeaveInDoubt");
            foreach (int status in (int[])[500, 501, 503, 505])
                data.Add(status, FailureClass.ServerError, StopReason.NotRetryable, "Forget");
            return data;
        }
    }

    [Theory, MemberData(nameof(Responses))]
    public void A_response_that_settles_the_call_is_stored(int status, FailureClass failureClass, StopReason stopReason, string expected)
    {
        ResponseReplayRules.After(status, failureClass, stopReason, wasSent: true, mayHaveBeenProcessed: false)
            .ToString().ShouldBe(expected);

        // An earlier attempt may have been processed: what does not settle the call leaves it open.
        ResponseReplayRules.After(status, failureClass, stopReason, wasSent: true, mayHaveBeenProcessed: true).ToString()
            .ShouldBe(expected == "Remember" ? expected : "LeaveInDoubt");
    }

    [Theory]
    [InlineData(FailureClass.Transient, true, "Forget"), InlineData(FailureClass.RateLimited, true, "Forget")]
    [InlineData(FailureClass.Cancelled, true, "LeaveInDoubt"), InlineData(
        FailureClass.Permanent, true, "LeaveInDoubt"), InlineData(FailureClass.None, true, "LeaveInDoubt")]
    [InlineData(FailureClass.Cancelled, false, "Forget"), InlineData(
        FailureClass.Transient, false, "Forget"), InlineData(FailureClass.None, false, "Forget")]
    public void A_call_that_was_certainly_not_processed_is_removed(FailureClass failureClass, bool wasSent, string expected)
    {
        ResponseReplayRules.After(null, failureClass, StopReason.NotRetryable, wasSent, mayHaveBeenProcessed: false)
            .ToString().ShouldBe(expected);
        ResponseReplayRules.After(null, failureClass, StopReason.NotRetryable, wasSent, mayHaveBeenProcessed: true).ShouldBe(
            ResponseReplayOutcome.LeaveInDoubt);
    }
}
