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

/// <summary>An API on a bad day, over real sockets: plays a <see cref="FaultScript"/> on a loopback port.</summary>
/// <example><code>
/// await using var server = await FaultServer.StartAsync(new FaultScript().Status(503).Reset().Status(201));
/// </code></example>
public sealed class FaultServer : IAsyncDisposable
{
    // For a delegate of the script that does not heed its token.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly UnderWay _underWay = new();
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

    /// <summary>Where it listens, by address: <c>http://127.0.0.1:port/</c>.</summary>
    public Uri Uri { get; private set; }

    /// <summary>What has come in, in order of arrival: <see cref="FaultScript.Requests"/>.</summary>
    public IReadOnlyList<SentRequest> Requests => _script.Requests;

    /// <summary>How many requests have come in, those included that are still being read.</summary>
    public int RequestCount => _script.Count;

    /// <summary>How many connections have been made.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>How many connections are open now.</summary>
    public int OpenConnections => Volatile.Read(ref _openConnections);

    /// <summary>Starts a server.</summary>
    /// <param name="script">What it does; may be added to later.</param>
    /// <param name="options">How it listens. Default: plain HTTP/1.1 on a free port.</param>
    /// <param name="cancellationToken">Ends the start, not the server.</param>
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

        // What a test has left hanging is cut, not waited for.
        using var now = new CancellationTokenSource();
        await now.CancelAsync().ConfigureAwait(false);
        await app.StopAsync(now.Token).ConfigureAwait(false);
        await app.DisposeAsync().ConfigureAwait(false);
        // Kestrel does not wait for what it has cut. Nothing comes into the record any more after this.
        await _underWay.UntilNoneAsync().WaitAsync(StopTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Listens again, on the same port.</summary>
    /// <exception cref="IOException">Somebody else has taken the port meanwhile.</exception>
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

    /// <summary>Cuts all connections and listens no more.</summary>
    public async ValueTask DisposeAsync() => await GoDownAsync().ConfigureAwait(false);

    private WebApplication Build()
    {
        // Empty: no environment variable or settings file of the machine may move the server off the loopback.
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
        using (_underWay.Begin())
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
            // The client has gone: there is nobody left to tell.
            context.Abort();
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            // The script itself has failed; whoever looks at the response shall see how.
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
            // Also what came of a request that breaks off.
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

    /// <summary>Ctrl+C is the test runner's.</summary>
    private sealed class SilentLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
