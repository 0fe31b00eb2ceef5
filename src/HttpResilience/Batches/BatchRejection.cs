namespace HttpResilience;

/// <summary>A record was rejected for a reason that does not concern it, and may be tried again without repeating anything.</summary>
/// <param name="Authority">The host whose circuit or pause rejected it.</param>
/// <param name="RetryAfter">The wait until the next try; null when it is unknown.</param>
internal sealed record BatchRejection(string Authority, TimeSpan? RetryAfter)
{
    /// <summary>Whether the integration is paused, which affects all records.</summary>
    internal static bool IsPause(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is IntegrationPausedException)
                return true;
        }

        return false;
    }

    /// <returns>Null when it was not rejected, or a request that it has sent would be repeated.</returns>
    internal static BatchRejection? Of(Exception exception, CallCollector calls)
    {
        if (!calls.AreRepeatable)
            return null;
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            // The circuit of one tenant does not concern the records of the others.
            if (e is RejectedException { Authority: { } authority } rejected and not CircuitOpenException { Tenant: not null })
                return new(authority, rejected.RetryAfter);
        }

        return null;
    }
}
