using System.Runtime.ExceptionServices;

namespace HttpResilience;

/// <summary>The exception that a call ends with, in the shape that <see cref="HttpClient"/> gives to timeouts and cancellations.</summary>
internal static class CallerException
{
    /// <summary>The exception for the caller; rethrows an exception that stays as it is, so that its stack trace is kept.</summary>
    internal static Exception Of(Exception exception, Client client, HttpCall call, CancellationToken cancellationToken)
    {
        if (call.AttemptTimedOut || (call.StopReason is StopReason.DeadlinePassed && exception is OperationCanceledException))
        {
            string attemptTimeout = call.LearnedAttemptTimeout is { } learned ? $"AttemptTimeout:Learn ({learned})"
                : $"AttemptTimeout ({call.AttemptTimeout ?? call.Policy.AttemptTimeout})";
            string message = call.StopReason is StopReason.DeadlinePassed
                ? $"The call was cancelled because {ClientDeadline.NameOf(call)} of client '{client.Name}' has passed."
                : $"The attempt was cancelled because {attemptTimeout} of client '{client.Name}' has passed.";
            return new TaskCanceledException(message, new TimeoutException(message, exception));
        }

        // A cancellation by another token than the caller's stays as it is.
        if (call.FailureClass is FailureClass.Cancelled && cancellationToken.IsCancellationRequested
            && (exception as OperationCanceledException)?.CancellationToken != cancellationToken)
            return new TaskCanceledException("The call was cancelled by its caller.", exception, cancellationToken);
        ExceptionDispatchInfo.Throw(exception);
        return exception;
    }

    /// <summary>Whether the wait between two attempts was cancelled; sets how the call ends.</summary>
    internal static bool EndsWait(HttpCall call, long deadline, CancellationToken cancellationToken)
    {
        if (call.StopReason is not StopReason.None || !cancellationToken.IsCancellationRequested)
            return false;
        call.StopCancelled(call.Time.GetTimestamp(), deadline);
        return true;
    }

    /// <summary>The exception of a call whose own failure opened the circuit before its next attempt.</summary>
    internal static CircuitOpenException CircuitOpen(Client client, HttpCall call, long now, Exception? cause)
    {
        var host = call.TenantHost?.Circuit.IsOpenAt(now) is true ? call.TenantHost! : call.Host!;
        host.Circuit.Outage?.AddFailed();
        TimeSpan? left = host.Circuit.State is CircuitState.Open ? client.Time.GetElapsedTime(now, host.Circuit.OpenUntil) : null;
        return new(host.Key.Authority, left > TimeSpan.Zero ? left : null, host.Key.Tenant, cause, call.LastAttempt?.StatusCode);
    }
}
