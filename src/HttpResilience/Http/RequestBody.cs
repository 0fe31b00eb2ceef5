using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Json;

namespace HttpResilience;

/// <summary>
/// Tells contents that are values, and write the same body any number of times, from contents whose body is recorded
/// (<see cref="ReplayableContent"/>).
/// </summary>
internal static class RequestBody
{
    /// <summary>The content writes the same body each time. A type that the application derives may write anything.</summary>
    internal static bool IsValue(HttpContent? content) => IsValueByType(content) || IsBuffered(content);

    private static bool IsValueByType(HttpContent? content) => IsAtHand(content) || content switch
    {
        MultipartContent parts when IsExactly(parts, typeof(MultipartFormDataContent), typeof(MultipartContent)) =>
            parts.All(IsValueByType),
        StreamContent => IsSeekable(content),
        _ => false,
    };

    /// <summary>Neither code of the application nor a stream, either of which may block, is needed to read the body.</summary>
    internal static bool IsAtHand(HttpContent? content) => IsInMemory(content) || content switch
    {
        // A length that the application has set may be wrong.
        JsonContent { Headers.ContentLength: null } json => RepeatableJson.IsValue(json),
        MultipartContent parts when IsExactly(parts, typeof(MultipartFormDataContent), typeof(MultipartContent)) => parts.All(IsAtHand),
        _ => false,
    };

    /// <summary>The body is in memory: no code of the application runs when it is read.</summary>
    internal static bool IsInMemory(HttpContent? content) => content switch
    {
        null => true,
        ByteArrayContent => IsExactly(content, typeof(StringContent), typeof(ByteArrayContent), typeof(FormUrlEncodedContent)),
        ReadOnlyMemoryContent => content.GetType() == typeof(ReadOnlyMemoryContent),
        _ => false,
    };

    /// <summary>The body is a stream that can be read again from its start.</summary>
    internal static bool IsSeekable(HttpContent content) =>
        content is StreamContent stream && stream.GetType() == typeof(StreamContent) && CanRewind(stream);

    /// <summary>
    /// The platform has the body in memory, because the application or one of its handlers has read it. Not for a part of another body, to
    /// which the question would add a <c>Content-Length</c>.
    /// </summary>
    internal static bool IsBuffered([NotNullWhen(true)] HttpContent? content)
    {
        try
        {
            if (content is not { Headers.ContentLength: > 0 })
                return false;
            // A body that is not buffered, and longer than the limit, is refused before the content is asked for it.
            var load = content.LoadIntoBufferAsync(maxBufferSize: 0);
            return load.Exception is null && load.IsCompletedSuccessfully;
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or IOException)
        {
            // It is disposed, or a stream cannot tell its length.
            return false;
        }
    }

    /// <summary>The body, not the connection, is the reason why an attempt has failed.</summary>
    /// <param name="timedOut">The attempt was stopped by its timer.</param>
    internal static bool HasFailed(HttpContent? content, bool timedOut) => content switch
    {
        OwnedContent owned => owned.HasFailed || (timedOut && owned.IsSlow),
        _ => HasWrongLength(content),
    };

    /// <summary>Bytes of the body were written in an attempt that has failed because of the body.</summary>
    internal static bool WasWritten(HttpContent? content) => content is not OwnedContent { WasWritten: false };

    /// <summary>A content that can be written only once has begun to write the body and has not ended.</summary>
    internal static bool IsBeingWritten(HttpContent? content) => content is ReplayableContent { IsBeingWritten: true };

    /// <summary>Waits for the rest of a body that is being written.</summary>
    /// <returns>False when it cannot be sent again: it is too long, its content failed, or the deadline of the call has passed.</returns>
    internal static ValueTask<bool> TryRecordAsync(HttpContent? content, bool async, CancellationToken cancellationToken) =>
        ((ReplayableContent)content!).TryRecordAsync(async, cancellationToken);

    /// <summary>The content must know when the head of a response has arrived.</summary>
    internal static bool AwaitsResponse(HttpContent? content) => content is ReplayableContent or SeekableContent;

    /// <summary>The head of a response has arrived. Waits until a stream of the caller has been sent.</summary>
    internal static ValueTask OnResponseAsync(HttpContent? content, bool async, CancellationToken cancellationToken)
    {
        (content as ReplayableContent)?.OnResponse();
        return content is SeekableContent { Sent: { IsCompleted: false } sent } ? WaitAsync(sent, async, cancellationToken) : default;
    }

    /// <summary>The whole body, after the call has ended.</summary>
    /// <returns>Null when it is longer than <paramref name="maxBytes"/>, or parts of it are lost.</returns>
    internal static async ValueTask<byte[]?> ReadAllAsync(
        HttpContent content, int maxBytes, TimeSpan timeout, TimeProvider time, bool async)
    {
        if (content is ReplayableContent recorded && !IsBuffered(recorded))
            return await recorded.ReadAllAsync(maxBytes, timeout, async).ConfigureAwait(false);
        if (content.Headers.ContentLength > maxBytes)
            return null;

        // A body in memory needs no timeout.
        using var cancellation = IsInMemory(content) ? null : new CancellationTokenSource(timeout, time);
        try
        {
            await KeepAsync(content, maxBytes, async, cancellation?.Token ?? CancellationToken.None).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ConfigurationLimitExceeded)
        {
            return null;
        }

        // Buffered in memory now: reading does not block.
        byte[] body = content.ReadAsByteArrayAsync(CancellationToken.None).GetAwaiter().GetResult();
        return body.Length <= maxBytes ? body : null;
    }

    /// <summary>Buffers a value, off the synchronization context of a caller that may be blocked.</summary>
    /// <exception cref="HttpRequestException">
    /// It is longer than <paramref name="maxBytes"/> (<see cref="HttpRequestError.ConfigurationLimitExceeded"/>), or could not be read.
    /// </exception>
    private static async ValueTask KeepAsync(HttpContent content, int maxBytes, bool async, CancellationToken cancellationToken)
    {
        bool isFree = SynchronizationContext.Current is null && TaskScheduler.Current == TaskScheduler.Default;
        Task load = isFree && (async || IsInMemory(content)) ? content.LoadIntoBufferAsync(maxBytes, cancellationToken)
            : Task.Run(() => content.LoadIntoBufferAsync(maxBytes, cancellationToken), CancellationToken.None);
        await WaitAsync(load, async, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits for code of the application that may ignore the token; what it ends with later is observed.</summary>
    internal static async ValueTask WaitAsync(Task task, bool async, CancellationToken cancellationToken)
    {
        if (!task.IsCompleted)
        {
            _ = task.ContinueWith(
                static ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }

        Task waited = task.WaitAsync(cancellationToken);
        if (async)
            await waited.ConfigureAwait(false);
        else
            waited.GetAwaiter().GetResult();
    }

    /// <summary>Makes the body writable by several requests at the same time: it must be in memory.</summary>
    /// <returns>False when it cannot be sent a second time, or is longer than <paramref name="maxBytes"/>.</returns>
    internal static async ValueTask<bool> TryShareAsync(HttpContent content, int maxBytes, CancellationToken cancellationToken)
    {
        if (content is ReplayableContent recorded)
            return await recorded.TryRecordAsync(async: true, cancellationToken).ConfigureAwait(false);
        if (IsInMemory(content))
            return true;
        if (content.Headers.ContentLength > maxBytes)
            return false;

        try
        {
            await KeepAsync(content, maxBytes, async: true, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ConfigurationLimitExceeded)
        {
            return false;
        }
    }

    private static bool IsExactly(HttpContent content, params ReadOnlySpan<Type> types) => types.Contains(content.GetType());

    /// <summary>
    /// The stream of a content that has one already, or makes it at once; how it was read first decides how it can be read again.
    /// </summary>
    internal static Stream StreamOf(HttpContent content)
    {
        try
        {
            return content.ReadAsStream();
        }
        catch (HttpRequestException)
        {
            return content.ReadAsStreamAsync(CancellationToken.None).GetAwaiter().GetResult();
        }
    }

    /// <summary>
    /// The platform refuses to send another length than the announced one. A body in memory has it when the application sets the field.
    /// </summary>
    internal static bool HasWrongLength(HttpContent? content)
    {
        try
        {
            return content is not null && IsInMemory(content)
                && content.Headers.ContentLength is { } length && length != StreamOf(content).Length;
        }
        catch (ObjectDisposedException)
        {
            // The body, or the stream that a handler has read it from.
            return false;
        }
    }

    // StreamContent rewinds its stream before each send but the first. ReadAsStream returns a view of the stream.
    private static bool CanRewind(StreamContent content)
    {
        try
        {
            var stream = StreamOf(content);
            if (!stream.CanSeek)
                return false;
            stream.Position = stream.Position;
            return stream.Length >= 0;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The stream says that it can seek, and cannot. The failure belongs to the attempt, if the body cannot be read either.
            return false;
        }
    }
}
