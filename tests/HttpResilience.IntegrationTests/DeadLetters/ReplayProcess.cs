using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.DeadLetters;

/// <summary>A process that sends, keeps and replays letters, with real sockets, on a database that others may share.</summary>
internal sealed class ReplayProcess : IAsyncDisposable
{
    internal const string Client = "invoices";

    private readonly IHost _host;

    private ReplayProcess(IHost host, LogCollector log) => (_host, Log) = (host, log);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    internal LogCollector Log { get; }

    internal IServiceProvider Services => _host.Services;

    internal IDeadLetterReview Review => Services.GetRequiredService<IDeadLetterReview>();

    internal HttpClient Http => Services.GetRequiredService<IHttpClientFactory>().CreateClient(Client);

    /// <param name="build">The handlers and the HttpClient. Default: those of the factory.</param>
    /// <param name="services">Runs before the client is added.</param>
    internal static async Task<ReplayProcess> StartAsync(
        TestDatabase database, Uri server, Action<HttpResilienceOptions>? configure = null, Action<IHttpClientBuilder>? build = null,
        Action<IServiceCollection>? services = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var log = new LogCollector();
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddProvider(log);
        database.AddTo(builder.Services).AddDeadLetterReplay();
        services?.Invoke(builder.Services);
        var client = builder.Services.AddResilientHttpClient(Client, options =>
        {
            (options.BaseAddress, options.DeadLetter.Enabled, options.Retry.MaxRetryAttempts) = (server, true, 0);
            options.Retry.Delay = TimeSpan.FromMilliseconds(1);
            options.CircuitBreaker.FailureThreshold = int.MaxValue;
            options.CircuitBreaker.FailureRatio = null;
            configure?.Invoke(options);
        }).AddHttpMessageHandler(() => new AddsCredentials());
        build?.Invoke(client);
        var host = builder.Build();
        await host.StartAsync(Token);
        return new(host, log);
    }

    /// <summary>Sends a request that fails.</summary>
    /// <returns>Its letter.</returns>
    internal async Task<DeadLetter> KeepAsync(HttpRequestMessage request)
    {
        using (request)
        {
            Guid? id;
            try
            {
                using var response = await Http.SendAsync(request, Token);
                id = response.GetHttpCall()!.DeadLetterId;
            }
            catch (HttpRequestException e)
            {
                id = e.GetHttpCall()!.DeadLetterId;
            }

            return await FindAsync(id.ShouldNotBeNull());
        }
    }

    // The process under test runs on the clock of the machine.
    private static DateTimeOffset Now => DateTimeOffset.UtcNow;

    /// <summary>A letter as another process left it, due now.</summary>
    internal async Task<DeadLetter> AddAsync(DeadLetter letter)
    {
        letter = letter with { Id = Guid.CreateVersion7(), DueAt = Now };
        (await Services.GetRequiredService<IDeadLetterStore>().AddAsync(letter, Token)).ShouldBeTrue();
        return letter;
    }

    /// <summary>A letter of the first version, due now.</summary>
    internal static DeadLetter LetterTo(Uri uri) => Letters.Plain(client: Client) with
    {
        Uri = uri,
        Headers = [new("Content-Type", "text/plain")],
        Body = "invoice 1"u8.ToArray(),
        IdempotencyKey = "key-1",
        FirstFailedAt = Now,
    };

    /// <summary>Makes a pending letter due, without the decision of a person.</summary>
    internal async Task<DeadLetter> ReplayAsync(DeadLetter letter)
    {
        letter.Status.ShouldBe(DeadLetterStatus.Pending);
        var due = letter with { DueAt = Now };
        (await Services.GetRequiredService<IDeadLetterStore>().UpdateAsync(due, Token)).ShouldBeTrue();
        return await DoneAsync(letter);
    }

    /// <summary>The letter after its replay.</summary>
    internal async Task<DeadLetter> DoneAsync(DeadLetter letter)
    {
        await Eventually.BeAsync(() => FindAsync(letter.Id).GetAwaiter().GetResult() is { Status: not DeadLetterStatus.InProgress } now
            && now.Version > letter.Version + 1);
        return await FindAsync(letter.Id);
    }

    internal async Task<DeadLetter> FindAsync(Guid id) => (await Review.FindAsync(id, Token)).ShouldNotBeNull();

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }

    private sealed class AddsCredentials : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Remove("X-Api-Key");
            request.Headers.Add("X-Api-Key", "secret-of-the-client");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
