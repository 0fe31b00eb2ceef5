namespace HttpResilience;

/// <summary>The host stops while the call waits for its next attempt.</summary>
/// <param name="authority">Scheme, host and port of the host that the call was for.</param>
/// <param name="retryAfter">The rest of the wait.</param>
/// <param name="lastAttempt">Null when the call has waited for a pause of the host to end, and nothing was sent.</param>
/// <param name="innerException">The cancelled wait.</param>
internal sealed class HostStoppingException(
    string? authority, TimeSpan retryAfter, HttpAttempt? lastAttempt, Exception innerException)
    : RejectedException(retryAfter, innerException, lastAttempt?.StatusCode)
{
    public override string? Authority => authority;

    internal override StopReason StopReason => StopReason.HostStopping;

    internal override FailureClass FailureClass => lastAttempt?.FailureClass ?? FailureClass.RateLimited;

    private protected override string Describe() => $"The application stops while a call to {authority} waits.";
}
