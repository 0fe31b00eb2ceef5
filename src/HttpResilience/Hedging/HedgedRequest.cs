using System.Net;

namespace HttpResilience;

/// <summary>
/// Copies the request of a call for each attempt that runs at the same time, so that inner handlers may change their own.
/// </summary>
internal static class HedgedRequest
{
    internal static HttpRequestMessage CopyOf(HttpRequestMessage original, HttpCall call)
    {
        var copy = new HttpRequestMessage(original.Method, call.EndpointTries?.Uri ?? original.RequestUri)
        {
            Version = original.Version,
            VersionPolicy = original.VersionPolicy,
            Content = original.Content is { } content ? new SharedContent(content) : null,
        };
        foreach (var (name, values) in original.Headers.NonValidated)
            copy.Headers.TryAddWithoutValidation(name, values);
        foreach (var (key, value) in original.Options)
            ((IDictionary<string, object?>)copy.Options)[key] = value;
        copy.Options.Set(HttpCall.Key, call);
        return copy;
    }

    /// <summary>Gives a response back to the caller's own request, which learns where redirects have led.</summary>
    internal static HttpResponseMessage Answer(HttpRequestMessage original, HttpRequestMessage copy, HttpResponseMessage response)
    {
        (original.Method, original.RequestUri) = (copy.Method, copy.RequestUri);
        response.RequestMessage = original;
        return response;
    }

    /// <summary>
    /// A body in memory with its own header fields: reading and changing those of one object from several threads is not safe.
    /// </summary>
    private sealed class SharedContent(HttpContent original) : WrappedContent(original)
    {
        private readonly HttpContent _original = original;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            _original.CopyToAsync(stream, context, cancellationToken);
    }
}
