namespace HttpResilience;

/// <summary>Buffers a response body, so that a broken or stalled body fails its attempt.</summary>
internal static class ResponseBody
{
    internal static async ValueTask ReadAsync(HttpResponseMessage response, long maxBytes, bool async, CancellationToken cancellationToken)
    {
        Task load = response.Content.LoadIntoBufferAsync(maxBytes, cancellationToken);
        if (async)
            await load.ConfigureAwait(false);
        else
            load.GetAwaiter().GetResult();
    }
}
