namespace HttpResilience;

/// <summary>The part of a call that belongs to its retries.</summary>
internal static class RetryCall
{
    private static readonly CallSlot<RequestSnapshot?> Resolved = new();

    extension(HttpCall call)
    {
        /// <summary>The request after its conflict was resolved; null when it is as the application made it.</summary>
        internal RequestSnapshot? Revised
        {
            get => Resolved.Get(call);
            set => Resolved.Set(call, value);
        }
    }
}
