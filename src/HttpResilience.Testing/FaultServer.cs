using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Testing;

/// <summary>A server that simulates an unreliable API: it plays a <see cref="FaultScript"/> on a loopback port over real sockets.</summary>
/// <example><code>
/// await using var server = await FaultServer.StartAsync(new FaultScript().Status(503).Reset().Status(201));
/// </code></example>
public sealed class FaultServer : IAsyncDisposable
{
    // For a delegate of the script that ignores its cancellation token.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly ActiveRequests _activeRequests = new();
    private readonly Script _script;
    private readonly FaultServerOptions _options;
    private WebApplication? _app;
    private int _connections;
    private int _openConnections;

    private FaultServer(Script script, FaultServerOptions options)
    {
        _script = script;
        _options = options;
        Uri = new UriBuilder(options.Certificate is null ? "http" : "https", IPAddress.Loopback.ToString(), options.Port).Uri;
    }

    /// <summary>The base address of the server: <c>http://127.0.0.1:port/</c>.</summary>
    public Uri Uri { get; private set; }

    /// <summary>The recorded requests, in order of arrival: <see cref="FaultScript.Requests"/>.</summary>
    public IReadOnlyList<SentRequest> Requests => _script.Requests;

    /// <summary>The number of requests that have arrived, including those that are still being read.</summary>
    public int RequestCount => _script.Count;

    /// <summary>The number of connections accepted so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>The number of connections that are open now.</summary>
    public int OpenConnections => Volatile.Read(ref _openConnections);

    /// <summary>Starts a server.</summary>
    /// <param name="script">The outcomes; more can be added later.</param>
    /// <param name="options">The port, protocols and certificate. Default: plain HTTP/1.1 on a free port.</param>
    /// <param name="cancellationToken">Cancels the start; it does not stop the server.</param>
    /// <exception cref="ArgumentException">The script has an outcome that only a handler can play.</exception>
    /// <exception cref="IOException">The port is in use.</exception>
    public static async Task<FaultServer> StartAsync(
        FaultScript script, FaultServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(script);
        if (script.Script.Outcomes.Any(o => !o.CanBeServed))
            throw new ArgumentException(ThrowOutcome.NotServed, nameof(script));

        var server = new FaultServer(script.Script, options ?? new());
        await server.ComeBackAsync(cancellationToken).ConfigureAwait(false);
        return server;
    }

    /// <summary>Cuts all connections and refuses new ones until <see cref="ComeBackAsync"/>.</summary>
    public async Task GoDownAsync()
    {
        if (Interlocked.Exchange(ref _app, null) is not { } app)
            return;

        // Pending requests of the test are aborted, not awaited.
        using var now = new CancellationTokenSource();
        await now.CancelAsync().ConfigureAwait(false);
        await app.StopAsync(now.Token).ConfigureAwait(false);
        await app.DisposeAsync().ConfigureAwait(false);
        // Kestrel does not wait for aborted requests; after this wait no further request is recorded.
        await _activeRequests.UntilNoneAsync().WaitAsync(StopTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Starts listening again, on the same port.</summary>
    /// <exception cref="IOException">Another process has taken the port meanwhile.</exception>
    public async Task ComeBackAsync(CancellationToken cancellationToken = default)
    {
        if (_app is not null)
            return;

        var app = Build();
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        Uri = new(app.Urls.Single());
        _app = app;
    }

    /// <summary>Cuts all connections and stops listening.</summary>
    public async ValueTask DisposeAsync() => await GoDownAsync().ConfigureAwait(false);

    private WebApplication Build()
    {
        // An empty builder, so that no environment variable or settings file can bind the server to another address.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, Uri.Port, listen =>
            {
                listen.Protocols = _options.Protocols;
                listen.Use(Count);
                if (_options.Certificate is { } certificate)
                    listen.UseHttps(certificate);
            });
        });
        var app = builder.Build();
        app.Run(ServeAsync);
        return app;
    }

    private ConnectionDelegate Count(ConnectionDelegate next) => async connection =>
    {
        Interlocked.Increment(ref _connections);
        Interlocked.Increment(ref _openConnections);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _openConnections);
        }
    };

    private async Task ServeAsync(HttpContext context)
    {
        using (_activeRequests.Begin())
            await PlayAsync(context).ConfigureAwait(false);
    }

    private async Task PlayAsync(HttpContext context)
    {
        var arrival = _script.Arrive();
        if (!_options.KeepsConnections && HttpProtocol.IsHttp11(context.Request.Protocol))
            context.Response.Headers.Connection = "close";
        try
        {
            var request = await ReadAsync(arrival, context).ConfigureAwait(false);
            await arrival.Outcome.ServeAsync(request, context, _script.Time).ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has disconnected, so the error has no recipient.
            context.Abort();
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            // The script itself has failed; the response shows the error.
            context.Response.Clear();
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            await context.Response.WriteAsync(e.ToString(), context.RequestAborted).ConfigureAwait(false);
        }
    }

    private async Task<SentRequest> ReadAsync(Arrival arrival, HttpContext context)
    {
        using var body = new MemoryStream();
        SentRequest request;
        try
        {
            if (arrival.Outcome.ReadsBody)
                await context.Request.Body.CopyToAsync(body, context.RequestAborted).ConfigureAwait(false);
        }
        finally
        {
            // Includes the received part of an aborted request.
            request = Snapshot(arrival, context, body.ToArray());
            _script.Record(arrival, request);
        }

        return request;
    }

    private static SentRequest Snapshot(Arrival arrival, HttpContext context, byte[] body)
    {
        var request = context.Request;
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var uri = new Uri($"{request.Scheme}://{request.Host}{(target.StartsWith('/') ? target : "/")}");
        var headers = request.Headers.ToDictionary(h => h.Key, h => string.Join(", ", h.Value.ToArray()), StringComparer.OrdinalIgnoreCase);
        return new(arrival, HttpMethod.Parse(request.Method), uri, headers, body, call: null);
    }

    /// <summary>Leaves Ctrl+C to the test runner.</summary>
    private sealed class SilentLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
