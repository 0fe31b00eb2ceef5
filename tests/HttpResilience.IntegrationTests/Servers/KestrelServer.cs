using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests;

/// <summary>A real server on a free loopback port. What it does is scripted: the first request gets the first step, the last step serves all that follow.</summary>
internal sealed class KestrelServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly RequestDelegate[] _steps;
    private readonly ConcurrentQueue<ReceivedRequest> _requests = new();
    private int _count;
    private int _connections;
    private int _openConnections;

    private KestrelServer(RequestDelegate[] steps, HttpProtocols protocols, X509Certificate2? certificate, int port)
    {
        _steps = steps;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port, listen =>
            {
                listen.Protocols = protocols;
                listen.Use(next => async connection =>
                {
                    Interlocked.Increment(ref _connections);
                    Interlocked.Increment(ref _openConnections);
                    try
                    {
                        await next(connection);
                    }
                    finally
                    {
                        Interlocked.Decrement(ref _openConnections);
                    }
                });
                if (certificate is not null)
                    listen.UseHttps(certificate);
            });
        });
        _app = builder.Build();
        _app.Run(ServeAsync);
    }

    internal Uri Uri => new(_app.Urls.Single());

    /// <summary>How many requests have arrived, those that were not read included.</summary>
    internal int Count => Volatile.Read(ref _count);

    /// <summary>How many connections have been made.</summary>
    internal int Connections => Volatile.Read(ref _connections);

    internal int OpenConnections => Volatile.Read(ref _openConnections);

    /// <summary>What was read by <see cref="Reply"/>'s steps, in order.</summary>
    internal IReadOnlyList<ReceivedRequest> Requests => [.. _requests];

    internal static Task<KestrelServer> StartAsync(params RequestDelegate[] steps) => StartAsync(HttpProtocols.Http1, null, 0, steps);

    internal static Task<KestrelServer> StartHttp2Async(params RequestDelegate[] steps) => StartAsync(HttpProtocols.Http2, null, 0, steps);

    internal static async Task<KestrelServer> StartAsync(HttpProtocols protocols, X509Certificate2? certificate, int port, RequestDelegate[] steps)
    {
        var server = new KestrelServer(steps, protocols, certificate, port);
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        // What a test has left hanging is cut, not waited for.
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        int number = Interlocked.Increment(ref _count) - 1;
        context.Items[Reply.RecorderKey] = _requests;
        await _steps[Math.Min(number, _steps.Length - 1)](context);
    }
}
