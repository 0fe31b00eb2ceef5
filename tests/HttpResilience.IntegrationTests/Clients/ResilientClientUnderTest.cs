using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests;

/// <summary>
/// A client with the chain from the real factory over the real <see cref="SocketsHttpHandler"/>. By default waits are 10 ms
/// without jitter and the circuit stays closed.
/// </summary>
internal sealed class ResilientClientUnderTest : IAsyncDisposable
{
    internal const string Name = "test";

    /// <summary>A call that takes longer than this is considered to hang.</summary>
    internal static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private readonly ServiceProvider _services;

    internal ResilientClientUnderTest(
        Uri? baseAddress = null, Action<HttpResilienceOptions>? configure = null, Action<SocketsHttpHandler>? sockets = null,
        Action<IHttpClientBuilder>? build = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
        var builder = services.AddResilientHttpClient(Name, options =>
        {
            options.BaseAddress = baseAddress;
            options.Retry.Delay = TimeSpan.FromMilliseconds(10);
            options.Retry.BackoffType = BackoffType.Constant;
            options.Retry.UseJitter = false;
            options.CircuitBreaker.FailureThreshold = int.MaxValue;
            options.CircuitBreaker.FailureRatio = null;
            options.Retry.Budget.RetryRatio = null;
            configure?.Invoke(options);
        });
        builder.UseSocketsHttpHandler((handler, _) =>
        {
            handler.UseProxy = false;
            handler.UseCookies = false;
            sockets?.Invoke(handler);
        });
        build?.Invoke(builder);
        _services = services.BuildServiceProvider();
        Client = CreateClient();
    }

    internal HttpClient Client { get; }

    internal LogCollector Log { get; } = new();

    internal Client State => _services.GetRequiredKeyedService<Client>(Name);

    internal T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    internal HttpClient CreateClient() => Get<IHttpClientFactory>().CreateClient(Name);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _services.DisposeAsync();
    }
}
