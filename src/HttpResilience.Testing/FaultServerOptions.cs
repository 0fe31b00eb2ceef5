using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace HttpResilience.Testing;

/// <summary>How a <see cref="FaultServer"/> listens.</summary>
public sealed class FaultServerOptions
{
    /// <summary>The loopback port. Default: 0, a free one.</summary>
    public int Port { get; init; }

    /// <summary>Which versions of HTTP it speaks. Default: HTTP/1.1, which alone has raw bytes and halves of heads and bodies.</summary>
    public HttpProtocols Protocols { get; init; } = HttpProtocols.Http1;

    /// <summary>The certificate for https. Default: none, plain http.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>
    /// Connections stay open between requests. Default: false, because <see cref="SocketsHttpHandler"/> by itself repeats a request that
    /// finds its kept connection gone, so that one attempt would use up two outcomes.
    /// </summary>
    public bool KeepsConnections { get; init; }
}
