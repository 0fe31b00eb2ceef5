namespace HttpResilience.Tests.Failures;

/// <summary>A record of internal properties prints as nothing, which makes a failing assertion a riddle.</summary>
internal static class ReadableResult
{
    extension(AttemptResult actual)
    {
        internal void ShouldMean(AttemptResult expected) => InWords(actual).ShouldBe(InWords(expected));
    }

    private static string InWords(AttemptResult r) =>
        $"status {r.StatusCode}, {r.FailureClass}, retryable {r.IsRetryable}, ambiguous {r.IsAmbiguous}, circuit {r.CircuitOutcome}, "
        + $"server says {r.SaidRetry}, wait {r.RetryAfter}";
}
