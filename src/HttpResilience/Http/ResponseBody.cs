namespace HttpResilience;

/// <summary>Reads a response body whole, so that one that breaks off or stalls fails the attempt it belongs to.</summary>
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
