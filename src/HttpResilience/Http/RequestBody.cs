using System.Net.Http.Json;

namespace HttpResilience;

/// <summary>Checks whether a request body can be sent a second time, and buffers it if necessary.</summary>
internal static class RequestBody
{
    /// <summary>Whether the content can be written any number of times without buffering.</summary>
    internal static bool IsReplayable(HttpContent? content) => content switch
    {
        null or ByteArrayContent or ReadOnlyMemoryContent => true,
        // Serialized for each send; an asynchronous sequence can be enumerated only once.
        JsonContent json => json.Value is not IAsyncEnumerable<object> && !IsAsyncEnumerable(json.ObjectType),
        MultipartContent parts => parts.All(IsReplayable),
        // Cheap: ReadAsStream returns a view of the stream, and StreamContent rewinds a seekable stream before each send.
        StreamContent stream => stream.ReadAsStream().CanSeek,
        _ => false,
    };

    // IAsyncEnumerable of a struct is not an IAsyncEnumerable<object>.
    private static bool IsAsyncEnumerable(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>);

    /// <summary>Buffers the body when its length is known and at most <paramref name="maxBytes"/>.</summary>
    /// <returns>Whether it can be sent a second time.</returns>
    internal static async ValueTask<bool> TryKeepAsync(HttpContent content, int maxBytes, bool async, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength is not { } length || length > maxBytes)
            return false;

        await KeepAsync(content, maxBytes, async, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Buffers the body.</summary>
    /// <exception cref="HttpRequestException">
    /// It is longer than <paramref name="maxBytes"/> (<see cref="HttpRequestError.ConfigurationLimitExceeded"/>), or could not be read.
    /// </exception>
    internal static async ValueTask KeepAsync(HttpContent content, int maxBytes, bool async, CancellationToken cancellationToken)
    {
        // Content of the application may resume on the context of the thread that is blocked here.
        bool isFree = async || (SynchronizationContext.Current is null && TaskScheduler.Current == TaskScheduler.Default);
        Task load = isFree ? content.LoadIntoBufferAsync(maxBytes, cancellationToken)
            : Task.Run(() => content.LoadIntoBufferAsync(maxBytes, cancellationToken), CancellationToken.None);
        // Content of the application may ignore the token.
        Task loaded = load.WaitAsync(cancellationToken);
        if (async)
            await loaded.ConfigureAwait(false);
        else
            loaded.GetAwaiter().GetResult();
    }

    /// <summary>Makes the body writable by several requests at the same time: it must be in memory.</summary>
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
