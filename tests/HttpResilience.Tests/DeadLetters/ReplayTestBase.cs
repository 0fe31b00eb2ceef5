using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>The replay worker on an in-memory store and a manual clock.</summary>
public abstract class ReplayTestBase : IAsyncDisposable
{
    private protected static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private Chain? _chain;

    private protected TestStorage Store { get; } = new();

    private protected Chain OpenChain => _chain!;

    private protected DeadLetterReplayWorker? Worker { get; private set; }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Worker is not null)
            await Worker.StopAsync(new CancellationToken(canceled: true));
        _chain?.Dispose();
    }

    private protected static async Task<HttpResponseMessage> Answer(
        TaskCompletionSource begun, TaskCompletionSource answer, CancellationToken cancellationToken)
    {
        begun.TrySetResult();
        await answer.Task.WaitAsync(cancellationToken);
        return new(System.Net.HttpStatusCode.OK);
    }

    private protected Chain Open(
        Action<HttpResilienceOptions>? options = null, Action<DeadLetterReplayOptions>? replay = null,
        Action<IServiceCollection>? services = null)
    {
        _chain = new(o =>
        {
            (o.DeadLetter.Enabled, o.Retry.MaxRetryAttempts, o.CircuitBreaker.FailureRatio) = (true, 0, null);
            options?.Invoke(o);
        }, c => c.AddHttpMessageHandler(() => new AddsCredentials()), s =>
        {
            s.AddSingleton<IDeadLetterStore>(Store.DeadLetters).AddDeadLetterReplay(replay);
            services?.Invoke(s);
        });
        _chain.Clock.SkipsWaits = false;
        _ = _chain.State;
        return _chain;
    }

    private protected Task<bool> AddAsync(DeadLetter letter) => Store.DeadLetters.AddAsync(letter, CancellationToken.None);

    private protected DeadLetter Letter() => new()
    {
        Id = Guid.CreateVersion7(),
        ClientName = Chain.Name,
        Method = "POST",
        Uri = new("https://api.test/invoices"),
        Body = "{}"u8.ToArray(),
        IdempotencyKey = "key-1",
        FailureClass = FailureClass.Transient,
        StopReason = StopReason.AttemptsExhausted,
        Attempts = 4,
        FirstFailedAt = _chain!.Clock.GetUtcNow(),
        LastFailedAt = _chain.Clock.GetUtcNow(),
        Status = DeadLetterStatus.Pending,
        DueAt = _chain.Clock.GetUtcNow(),
    };

    private protected async Task StartAsync()
    {
        Worker = _chain!.Services.GetRequiredService<DeadLetterReplayWorker>();
        await Worker.StartAsync(CancellationToken.None);
    }

    private protected Task UntilAsync(DeadLetter letter, DeadLetterStatus status) => EventuallyAsync(
        () => Store.Letters.Single(l => l.Id == letter.Id) is var now && now.Status == status && now.Version > letter.Version);

    private protected Task ClaimsAsync(int count) => EventuallyAsync(() => Store.Claims.Count >= count);

    // Other threads do the work, so the condition is polled until it holds.
    private protected static async Task EventuallyAsync(Func<bool> condition)
    {
        using var hang = new CancellationTokenSource(Hang);
        while (!condition())
            await Task.Delay(1, hang.Token);
    }

    private sealed class AddsCredentials : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer fresh");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
