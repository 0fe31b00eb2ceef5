using System.Net.Sockets;

namespace HttpResilience.Testing;

/// <summary>The exceptions of <see cref="SocketsHttpHandler"/>.</summary>
internal static class Failures
{
    private const string WhileSending = "An error occurred while sending the request.";

    internal static HttpRequestException Refused() =>
        new(HttpRequestError.ConnectionError, "Connection refused (api.test:443)", new SocketException((int)SocketError.ConnectionRefused));

    internal static HttpRequestException HostNotFound() =>
        new(HttpRequestError.NameResolutionError, "Name or service not known (api.test:443)",
            new SocketException((int)SocketError.HostNotFound));

    internal static HttpRequestException Reset()
    {
        var reset = new SocketException((int)SocketError.ConnectionReset);
        return new(WhileSending, new IOException($"Unable to read data from the transport connection: {reset.Message}.", reset));
    }

    internal static HttpRequestException ResponseEnded() =>
        new(HttpRequestError.ResponseEnded, WhileSending, BodyEnded());

    internal static HttpIOException BodyEnded() => new(HttpRequestError.ResponseEnded, "The response ended prematurely.");
}
