using System.Net.Http.Json;

namespace HttpResilience;

/// <summary>Whether a request body can be sent a second time, and what can be done so that it can.</summary>
internal static class RequestBody
{
    /// <summary>The content can be written any number of times as it is.</summary>
    internal static bool IsReplayable(HttpContent? content) => content switch
    {
        null or ByteArrayContent or ReadOnlyMemoryContent => true,
        // Serialized anew each time, which a sequence that is read as it comes does not bear.
        JsonContent json => json.Value is not IAsyncEnumerable<object> && !IsAsyncEnumerable(json.ObjectType),
        MultipartContent parts => parts.All(IsReplayable),
        // Costs nothing: StreamContent hands out a view of the stream, and rewinds a seekable one itself before each send.
        StreamContent stream => stream.ReadAsStream().CanSeek,
        _ => false,
    };

    // A sequence of structs is no sequence of objects.
    private static bool IsAsyncEnumerable(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>);

    /// <summary>Keeps the body in memory when its length is known and not above <paramref name="maxBytes"/>.</summary>
    /// <returns>Whether it can be sent a second time now.</returns>
    internal static async ValueTask<bool> TryKeepAsync(HttpContent content, int maxBytes, bool async, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength is not { } length || length > maxBytes)
            return false;

        await KeepAsync(content, maxBytes, async, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Keeps the body in memory.</summary>
    /// <exception cref="HttpRequestException">
    /// It is longer than <paramref name="maxBytes"/> (<see cref="HttpRequestError.ConfigurationLimitExceeded"/>), or could not be read.
    /// </exception>
    internal static async ValueTask KeepAsync(HttpContent content, int maxBytes, bool async, CancellationToken cancellationToken)
    {
        // Content of the application may want to go on in the context of the very thread that waits for it here.
        bool isFree = async || (SynchronizationContext.Current is null && TaskScheduler.Current == TaskScheduler.Default);
        Task load = isFree ? content.LoadIntoBufferAsync(maxBytes, cancellationToken)
            : Task.Run(() => content.LoadIntoBufferAsync(maxBytes, cancellationToken), CancellationToken.None);
        // Content of the application may not heed the token.
        Task loaded = load.WaitAsync(cancellationToken);
        if (async)
            await loaded.ConfigureAwait(false);
        else
            loaded.GetAwaiter().GetResult();
    }

    /// <summary>Sees to it that several requests can write the body at the same time: it has to lie in memory.</summary>
    /// <returns>False when it cannot be sent a second time, or is longer than <paramref name="maxBytes"/>.</returns>
    internal static async ValueTask<bool> TryShareAsync(HttpContent content, int maxBytes, CancellationToken cancellationToken)
    {
        if (content is ByteArrayContent or ReadOnlyMemoryContent)
            return true;
        if (!IsReplayable(content) || content.Headers.ContentLength is not null)
            return await TryKeepAsync(content, maxBytes, async: true, cancellationToken).ConfigureAwait(false);

        try
        {
            await content.LoadIntoBufferAsync(maxBytes, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ConfigurationLimitExceeded)
        {
            return false;
        }
    }
}
