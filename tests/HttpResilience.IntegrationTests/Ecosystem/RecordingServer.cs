using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Hosting;

namespace HttpResilience.IntegrationTests.Ecosystem;

/// <summary>A server that answers with the steps of <see cref="Reply"/>; the last one repeats.</summary>
internal interface IRecordingServer : IAsyncDisposable
{
    Uri Uri { get; }

    int Count { get; }

    IReadOnlyList<ReceivedRequest> Requests { get; }

    /// <summary>Makes the primary handler of a client; null for real sockets.</summary>
    Func<HttpMessageHandler>? Primary { get; }
}

internal sealed class SocketServer(KestrelServer server) : IRecordingServer
{
    public Uri Uri => server.Uri;

    public int Count => server.Count;

    public IReadOnlyList<ReceivedRequest> Requests => server.Requests;

    public Func<HttpMessageHandler>? Primary => null;

    public ValueTask DisposeAsync() => server.DisposeAsync();
}

/// <summary>A <see cref="TestServer"/>, as WebApplicationFactory has: without sockets.</summary>
internal sealed class InProcessServer : IRecordingServer
{
    private readonly ConcurrentQueue<ReceivedRequest> _requests = new();
    private readonly IHost _host;
    private int _count;

    private InProcessServer(RequestDelegate[] steps) => _host = new HostBuilder().ConfigureWebHost(web => web.UseTestServer().Configure(
        app => app.Run(async context =>
        {
            context.Items[Reply.RecorderKey] = _requests;
            await steps[Math.Min(Interlocked.Increment(ref _count), steps.Length) - 1](context);
            // A step that ends with its request would be a response here.
            context.RequestAborted.ThrowIfCancellationRequested();
        }))).Build();

    public Uri Uri => _host.GetTestServer().BaseAddress;

    public int Count => Volatile.Read(ref _count);

    public IReadOnlyList<ReceivedRequest> Requests => [.. _requests];

    public Func<HttpMessageHandler>? Primary => () => _host.GetTestServer().CreateHandler();

    internal static async Task<InProcessServer> StartAsync(RequestDelegate[] steps)
    {
        var server = new InProcessServer(steps);
        await server._host.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(TestContext.Current.CancellationToken);
        _host.Dispose();
    }
}
