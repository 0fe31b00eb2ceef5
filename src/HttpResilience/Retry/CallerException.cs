using System.Runtime.ExceptionServices;

namespace HttpResilience;

/// <summary>The exception that a call ends with, in the shape that <see cref="HttpClient"/> gives to timeouts and cancellations.</summary>
internal static class CallerException
{
    /// <summary>The exception for the caller; rethrows an exception that stays as it is, so that its stack trace is kept.</summary>
    internal static Exception Of(Exception exception, Client client, HttpCall call, CancellationToken cancellationToken)
    {
        if (call.AttemptTimedOut)
        {
            string message = call.StopReason is StopReason.DeadlinePassed
                ? $"The call was cancelled because {client.Deadline.NameOf(call)} of client '{client.Name}' has passed."
                : $"The attempt was cancelled because AttemptTimeout ({call.Policy.AttemptTimeout}) of client '{client.Name}' has passed.";
            return new TaskCanceledException(message, new TimeoutException(message, exception));
        }

        if (call.FailureClass is FailureClass.Cancelled
            && (exception as OperationCanceledException)?.CancellationToken != cancellationToken)
            return new TaskCanceledException("The call was cancelled by its caller.", exception, cancellationToken);
        ExceptionDispatchInfo.Throw(exception);
        return exception;
    }

    /// <summary>The exception of a call whose own failure opened the circuit before its next attempt.</summary>
    internal static CircuitOpenException CircuitOpen(Client client, HttpCall call, long now, Exception? cause)
    {
        var host = call.TenantHost?.Circuit.IsOpenAt(now) is true ? call.TenantHost! : call.Host!;
        TimeSpan? left = host.Circuit.State is CircuitState.Open ? client.Time.GetElapsedTime(now, host.Circuit.OpenUntil) : null;
        return new(host.Key.Authority.ToString(), left > TimeSpan.Zero ? left : null, host.Key.Tenant, cause, call.LastAttempt?.StatusCode);
    }
}
