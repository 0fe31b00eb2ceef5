using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace HttpResilience.Testing;

/// <summary>The options of a <see cref="FaultServer"/>.</summary>
public sealed class FaultServerOptions
{
    /// <summary>The loopback port. Default: 0, any free port.</summary>
    public int Port { get; init; }

    /// <summary>The HTTP versions. Default: HTTP/1.1, the only one with raw bytes and truncated heads and bodies.</summary>
    public HttpProtocols Protocols { get; init; } = HttpProtocols.Http1;

    /// <summary>The certificate for https. Default: none, for plain http.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>
    /// Keeps connections open between requests. Default: false, because <see cref="SocketsHttpHandler"/> itself repeats a request that
    /// finds its kept connection gone, so that one attempt would use up two outcomes.
    /// </summary>
    public bool KeepsConnections { get; init; }
}
