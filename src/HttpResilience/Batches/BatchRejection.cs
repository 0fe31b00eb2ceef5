namespace HttpResilience;

/// <summary>A record was turned away, for a reason that has nothing to do with it, and may be tried again without doing anything twice.</summary>
/// <param name="Authority">Who turned it away.</param>
/// <param name="RetryAfter">When it may be tried again; null when that was not said.</param>
internal sealed record BatchRejection(string Authority, TimeSpan? RetryAfter)
{
    /// <summary>The integration is paused: what holds for this record holds for all.</summary>
    internal static bool IsPause(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is IntegrationPausedException)
                return true;
        }

        return false;
    }

    /// <returns>Null when it was not turned away, or something that it has sent would be done twice.</returns>
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
