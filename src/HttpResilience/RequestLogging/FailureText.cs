namespace HttpResilience;

/// <summary>
/// The request of a call in a scope that failed, or was redirected: its secrets must not be in texts that the application makes of it.
/// </summary>
internal static class FailureText
{
    private static readonly CallSlot<HttpRequestMessage> Slot = new();

    extension(HttpCall call)
    {
        /// <summary>Null for a call with a successful status, and outside a scope.</summary>
        internal HttpRequestMessage? FailedRequest
        {
            get => Slot.Get(call);
            set => Slot.Set(call, value);
        }

        /// <summary>The message of an exception that the application made of the failed call.</summary>
        internal string Scrub(Exception exception) => call.Policy.Logging.Redaction.Scrub(exception, call.FailedRequest);
    }
}
