using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace HttpResilience.IntegrationTests;

/// <summary>A <see cref="FaultServer"/> whose outcomes are ASP.NET Core code and whose connections are kept alive.</summary>
internal sealed class KestrelServer : IAsyncDisposable
{
    private readonly ConcurrentQueue<ReceivedRequest> _requests;
    private readonly FaultServer _server;

    private KestrelServer(FaultServer server, ConcurrentQueue<ReceivedRequest> requests) => (_server, _requests) = (server, requests);

    internal Uri Uri => _server.Uri;

    /// <summary>The number of requests received, including unread ones.</summary>
    internal int Count => _server.RequestCount;

    /// <summary>The number of connections accepted.</summary>
    internal int Connections => _server.Connections;

    internal int OpenConnections => _server.OpenConnections;

    /// <summary>The requests read by the steps of <see cref="Reply"/>, in order.</summary>
    internal IReadOnlyList<ReceivedRequest> Requests => [.. _requests];

    internal static Task<KestrelServer> StartAsync(params RequestDelegate[] steps) => StartAsync(HttpProtocols.Http1, null, 0, steps);

    internal static Task<KestrelServer> StartHttp2Async(params RequestDelegate[] steps) => StartAsync(HttpProtocols.Http2, null, 0, steps);

    internal static async Task<KestrelServer> StartAsync(
        HttpProtocols protocols, X509Certificate2? certificate, int port, RequestDelegate[] steps)
    {
        var requests = new ConcurrentQueue<ReceivedRequest>();
        var script = new FaultScript(keepsRequests: false);
        foreach (var step in steps)
        {
            script.Serve(context =>
            {
                context.Items[Reply.RecorderKey] = requests;
                return step(context);
            });
        }

        var options = new FaultServerOptions { Protocols = protocols, Certificate = certificate, Port = port, KeepsConnections = true };
        return new(await FaultServer.StartAsync(script, options, TestContext.Current.CancellationToken), requests);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
