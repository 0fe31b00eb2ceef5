namespace HttpResilience;

/// <summary>The part of a call that shows how far the request of its current attempt came.</summary>
internal static class WireCall
{
    private static readonly CallFlag Sent = new();
    private static readonly CallFlag Captured = new();

    extension(HttpCall call)
    {
        /// <summary>
        /// The request of the current attempt has reached the innermost stage. False: a stage or a handler of the application failed before
        /// that, so the server has received nothing of this attempt.
        /// </summary>
        internal bool WasSent
        {
            get => Sent.IsSet(call);
            set => Sent.Set(call, value);
        }

        /// <summary>The innermost stage captures the request for a feature.</summary>
        internal bool IsCaptured
        {
            get => Captured.IsSet(call);
            set => Captured.Set(call, value);
        }

        /// <summary>Nothing of the next attempt is known yet.</summary>
        internal void ResetWire() => call.WasSent = false;
    }
}
