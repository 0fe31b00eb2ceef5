namespace HttpResilience;

/// <summary>The body of a response.</summary>
internal static class ResponseBody
{
    /// <summary>The longest body that a store or a cache keeps.</summary>
    internal const int MaxStoredBytes = 1024 * 1024;

    /// <summary>Buffers the body, so that a broken or stalled body fails its attempt.</summary>
    internal static async ValueTask ReadAsync(HttpResponseMessage response, long maxBytes, bool async, CancellationToken cancellationToken)
    {
        Task load = response.Content.LoadIntoBufferAsync(maxBytes, cancellationToken);
        if (async)
            await load.ConfigureAwait(false);
        else
            load.GetAwaiter().GetResult();
    }
}
