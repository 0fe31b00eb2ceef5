using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Ecosystem;

/// <summary>Whose handler is on the client.</summary>
public enum Chain
{
    Ours,
    Microsoft,
}

/// <summary>
/// The facts that hold for a client library through the chain as they do for a bare <see cref="HttpClient"/>, over real sockets. Where
/// Microsoft's standard handler does the same, it runs in the same test.
/// </summary>
public abstract class ClientLibraryContract : IAsyncLifetime
{
    private const string Name = "orders";

    private readonly LogCollector _log = new();
    private readonly List<IAsyncDisposable> _opened = [];

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The library may make requests of its own accord after a failure, unless it is told not to.</summary>
    private protected virtual IHttpClientBuilder Add(IServiceCollection services, string name) => services.AddHttpClient(name);

    /// <summary>Puts what belongs to the library inside the chain.</summary>
    private protected virtual void AddInside(IHttpClientBuilder builder)
    {
    }

    private protected virtual IServiceProvider Build(IServiceCollection services) => services.BuildServiceProvider();

    private protected virtual async Task<IRecordingServer> StartAsync(params RequestDelegate[] steps) =>
        new SocketServer(await KestrelServer.StartAsync(steps));

    private protected virtual ILibraryClient Open(IServiceProvider services, string name) =>
        Open(services.GetRequiredService<IHttpClientFactory>().CreateClient(name));

    private protected abstract ILibraryClient Open(HttpClient http);

    [Theory, InlineData(Chain.Ours), InlineData(Chain.Microsoft)]
    public async Task A_get_is_answered(Chain chain)
    {
        var server = await ServerAsync(Reply.Ok("the order"));
        using var client = Open(Services(chain, server), Name);

        (await client.GetAsync(Token)).ShouldBe(new(200, "the order"));

        server.Requests.ShouldHaveSingleItem().Target.ShouldBe("/orders");
    }

    [Theory, InlineData(Chain.Ours), InlineData(Chain.Microsoft)]
    public async Task Json_is_posted_again_after_a_503(Chain chain)
    {
        var server = await ServerAsync(Reply.Unavailable, Reply.With(200, "made"));
        using var client = Open(Services(chain, server), Name);

        (await client.PostJsonAsync(new(1, ["a", "b"]), Token)).ShouldBe(new(200, "made"));

        server.Requests.Count.ShouldBe(2);
        server.Requests.ShouldAllBe(r => r.Text.Equals("{\"number\":1,\"lines\":[\"a\",\"b\"]}", StringComparison.OrdinalIgnoreCase));
        if (chain is Chain.Ours)
            server.Requests.Select(r => r.Key).Distinct().ShouldHaveSingleItem().ShouldNotBeNull();
    }

    [Fact]
    public async Task A_stream_is_posted_again_after_a_503()
    {
        var server = await ServerAsync(Reply.Unavailable, Reply.With(200, "made"));
        using var client = Open(Services(Chain.Ours, server), Name);
        await using var stream = OneWayStream("number,net\n1,100");

        (await client.PostStreamAsync(stream, Token)).ShouldBe(new(200, "made"));

        server.Requests.Count.ShouldBe(2);
        server.Requests[0].Text.ShouldContain("number,net\n1,100");
        server.Requests[1].Body.ShouldBe(server.Requests[0].Body);
        server.Requests.Select(r => r.Key).Distinct().ShouldHaveSingleItem().ShouldNotBeNull();
    }

    [Theory, InlineData(Chain.Ours), InlineData(Chain.Microsoft)]
    public async Task A_429_is_repeated_after_the_time_it_names(Chain chain)
    {
        var server = await ServerAsync(Reply.With(429, "", ("Retry-After", "1")), Reply.Ok());
        using var client = Open(Services(chain, server), Name);
        long startedAt = TimeProvider.System.GetTimestamp();

        (await client.GetAsync(Token)).Status.ShouldBe(200);

        // Polly's delay may end a timer tick early.
        var early = TimeSpan.FromMilliseconds(chain is Chain.Microsoft ? 20 : 0);
        TimeProvider.System.GetElapsedTime(startedAt).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1) - early);
        server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_last_response_of_an_outage_is_returned()
    {
        var server = await ServerAsync(Reply.Unavailable);
        using var client = Open(Services(Chain.Ours, server), Name);

        (await client.GetAsync(Token)).ShouldBe(new(503, "busy"));

        server.Requests.Count.ShouldBe(4);
        StopReasons().ShouldBe([StopReason.AttemptsExhausted]);
    }

    [Theory, InlineData(Chain.Ours), InlineData(Chain.Microsoft)]
    public async Task A_host_that_never_answers_ends_the_call_at_its_deadline(Chain chain)
    {
        var server = await ServerAsync(Reply.Silence);
        using var client = Open(Services(chain, server, total: TimeSpan.FromSeconds(1)), Name);

        var thrown = await Record.ExceptionAsync(() => client.GetAsync(Token).WaitAsync(ResilientClientUnderTest.Hang, Token));

        Causes(thrown).ShouldContain(e => e is TimeoutException || e.GetType().Name == "TimeoutRejectedException", thrown?.ToString());
        server.Count.ShouldBe(1);
        if (chain is Chain.Ours)
            StopReasons().ShouldBe([StopReason.DeadlinePassed]);
    }

    [Theory, InlineData(Chain.Ours), InlineData(Chain.Microsoft)]
    public async Task The_caller_can_cancel(Chain chain)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = await ServerAsync(context =>
        {
            reached.TrySetResult();
            return Reply.Silence(context);
        });
        using var client = Open(Services(chain, server), Name);
        using var caller = CancellationTokenSource.CreateLinkedTokenSource(Token);

        var calling = client.GetAsync(caller.Token);
        await reached.Task.WaitAsync(ResilientClientUnderTest.Hang, Token);
        await caller.CancelAsync();

        var thrown = await Record.ExceptionAsync(() => calling.WaitAsync(ResilientClientUnderTest.Hang, Token));
        Causes(thrown).ShouldContain(e => e is OperationCanceledException, thrown?.ToString());
        Causes(thrown).ShouldNotContain(e => e is TimeoutException);
        server.Count.ShouldBe(1);
        if (chain is Chain.Ours)
            StopReasons().ShouldBe([StopReason.Cancelled]);
    }

    [Theory, InlineData(Chain.Ours), InlineData(Chain.Microsoft)]
    public async Task Each_attempt_has_a_token_of_its_own(Chain chain)
    {
        int tokens = 0;
        var server = await ServerAsync(Reply.Unavailable, Reply.Ok());
        using var client = Open(
            Services(chain, server, b => b.AddAttemptHandler(
                request => request.Headers.Authorization = new("Bearer", $"{Interlocked.Increment(ref tokens)}"))),
            Name);

        (await client.GetAsync(Token)).Status.ShouldBe(200);

        server.Requests.Select(r => r.Headers["Authorization"]).ShouldBe(["Bearer 1", "Bearer 2"]);
    }

    [Fact]
    public async Task Two_clients_share_nothing()
    {
        var down = await ServerAsync(Reply.Unavailable);
        var up = await ServerAsync(Reply.Ok());
        var services = new ServiceCollection();
        AddChain(services, Chain.Ours, Name, down, o => o.CircuitBreaker.UseClassic().FailureThreshold = 1);
        AddChain(services, Chain.Ours, "payments", up, o => o.Retry.MaxRetryAttempts = 0);
        var provider = Build(services);
        _opened.Add(new Opened(provider));
        using var orders = Open(provider, Name);
        using var payments = Open(provider, "payments");

        await Record.ExceptionAsync(() => orders.GetAsync(Token));
        var thrown = await Record.ExceptionAsync(() => orders.GetAsync(Token));

        Causes(thrown).ShouldContain(e => e is CircuitOpenException, thrown?.ToString());
        (await payments.PostJsonAsync(new(1, []), Token)).Status.ShouldBe(200);
        var circuits = provider.GetRequiredService<ICircuits>();
        circuits.List(Name).ShouldHaveSingleItem().State.ShouldBe(CircuitState.Open);
        circuits.List("payments").ShouldAllBe(c => c.State == CircuitState.Closed);
    }

    [Theory, InlineData(Chain.Ours), InlineData(Chain.Microsoft)]
    public async Task A_client_that_is_disposed_leaves_the_handlers_to_the_next(Chain chain)
    {
        var server = await ServerAsync(Reply.Ok());
        var services = Services(chain, server);

        for (int i = 0; i < 3; i++)
        {
            using var client = Open(services, Name);
            (await client.GetAsync(Token)).Status.ShouldBe(200);
        }

        server.Requests.Count.ShouldBe(3);
    }

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        foreach (var opened in Enumerable.Reverse(_opened))
            await opened.DisposeAsync();
        _log.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A stream that cannot seek.</summary>
    private static GZipStream OneWayStream(string text)
    {
        var zipped = new MemoryStream();
        using (var zip = new GZipStream(zipped, CompressionMode.Compress, leaveOpen: true))
            zip.Write(System.Text.Encoding.UTF8.GetBytes(text));
        zipped.Position = 0;
        return new(zipped, CompressionMode.Decompress);
    }

    private static IEnumerable<Exception> Causes(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
            yield return exception;
    }

    private IEnumerable<StopReason> StopReasons() => _log.Calls.Select(l => Enum.Parse<StopReason>($"{l["StopReason"]}"));

    private async Task<IRecordingServer> ServerAsync(params RequestDelegate[] steps)
    {
        var server = await StartAsync(steps);
        _opened.Add(server);
        return server;
    }

    private IServiceProvider Services(
        Chain chain, IRecordingServer server, Action<IHttpClientBuilder>? inside = null, TimeSpan? total = null)
    {
        var services = new ServiceCollection();
        var builder = AddChain(
            services, chain, Name, server, o => o.TotalRequestTimeout.Timeout = total ?? o.TotalRequestTimeout.Timeout, total);
        inside?.Invoke(builder);
        var provider = Build(services);
        _opened.Add(new Opened(provider));
        return provider;
    }

    private IHttpClientBuilder AddChain(
        IServiceCollection services, Chain chain, string name, IRecordingServer server, Action<HttpResilienceOptions> configure,
        TimeSpan? total = null)
    {
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Information).AddProvider(_log));
        var builder = Add(services, name).ConfigureHttpClient(c => c.BaseAddress = server.Uri);
        if (server.Primary is { } primary)
            builder.ConfigurePrimaryHttpMessageHandler(primary);
        if (chain is Chain.Microsoft)
        {
            builder.AddStandardResilienceHandler(o =>
            {
                o.Retry.Delay = TimeSpan.FromMilliseconds(10);
                o.TotalRequestTimeout.Timeout = total ?? TimeSpan.FromMinutes(2);
                o.AttemptTimeout.Timeout = total is { } t ? t - TimeSpan.FromMilliseconds(1) : TimeSpan.FromMinutes(1);
                o.Retry.MaxRetryAttempts = total is null ? 3 : 1;
                o.Retry.ShouldHandle = total is null ? o.Retry.ShouldHandle : _ => ValueTask.FromResult(false);
                o.CircuitBreaker.SamplingDuration = TimeSpan.FromMinutes(2);
            });
        }
        else
        {
            builder.AddResilience(o =>
            {
                o.Retry.Delay = TimeSpan.FromMilliseconds(10);
                configure(o);
            });
        }

        AddInside(builder);
        return builder;
    }

    private sealed class Opened(IServiceProvider services) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => services is IAsyncDisposable disposable ? disposable.DisposeAsync() : default;
    }
}
