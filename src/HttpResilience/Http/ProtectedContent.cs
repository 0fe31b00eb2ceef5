using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;

namespace HttpResilience;

/// <summary>Members of the platform's contents that have no public form: what a body is written from, also after it was disposed.</summary>
internal static class ProtectedContent
{
    /// <returns>How the value of the content is serialized; null when this version of the platform does not say.</returns>
    internal static JsonTypeInfo? TypeInfoOf(JsonContent content)
    {
        try
        {
            return TypeInfo(content);
        }
        catch (MissingFieldException)
        {
            return null;
        }
    }

    /// <summary>The bytes of a content in memory, which stay when it is disposed.</summary>
    internal static byte[]? BytesOf(HttpContent content)
    {
        using var stream = content switch
        {
            ByteArrayContent bytes => Read(bytes, CancellationToken.None),
            ReadOnlyMemoryContent memory => Read(memory, CancellationToken.None),
            _ => null,
        };
        if (stream is null)
            return null;

        byte[] body = new byte[stream.Length];
        stream.ReadExactly(body);
        return body;
    }

    /// <summary>The position in its stream at which a content begins.</summary>
    internal static long StartOf(StreamContent content, Stream stream) =>
        ComputeLength(content, out long length) ? stream.Length - length : 0;

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_typeInfo")]
    private static extern ref JsonTypeInfo TypeInfo(JsonContent content);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "CreateContentReadStream")]
    private static extern Stream Read(ByteArrayContent content, CancellationToken cancellationToken);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "CreateContentReadStream")]
    private static extern Stream Read(ReadOnlyMemoryContent content, CancellationToken cancellationToken);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "TryComputeLength")]
    private static extern bool ComputeLength(StreamContent content, out long length);
}
