using System.Net;
using System.Net.Sockets;

namespace HttpResilience.IntegrationTests;

internal static class Ports
{
    /// <summary>A closed loopback port.</summary>
    internal static int Closed()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
