using System.Net;
using System.Net.Sockets;

namespace HttpResilience.IntegrationTests;

internal static class Ports
{
    /// <summary>A loopback port that nobody listens on.</summary>
    internal static int Closed()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
