using System.Collections.Concurrent;
using System.Diagnostics;
using HttpResilience.Tests.Operations.Alerts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience.Tests.Storage;

/// <summary>Background work that starts in one caller's call also serves other callers: it has no context of the first.</summary>
public sealed class BackgroundContextTests : IDisposable
{
    private static readonly AsyncLocal<string?> Local = new();

    private readonly InMemoryStorage _storage = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _seen = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public BackgroundContextTests() => _storage.Intercept = (operation, run) =>
    {
        _seen.GetOrAdd(operation.Method, _ => new()).Enqueue(Context());
        return run();
    };

    [Fact]
    public async Task Services_of_a_host_that_is_started_in_an_activity_run_outside_it()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddHttpResilienceStorage(s => s.UseInMemory(_storage)).AddDeadLetterReplay();
        builder.Services.AddHttpResilienceOperations();
        builder.Services.AddResilientHttpClient("api", o =>
        {
            o.BaseAddress = new("https://api.example.com");
            o.DeadLetter.Enabled = true;
        });
        using var host = builder.Build();
        using var activity = Enter();

        await host.StartAsync(Stop);

        // The worker claims letters, and the keeper of the error budgets announces the version.
        (await FirstAsync(nameof(IDeadLetterStore.ClaimAsync))).ShouldBe("- -");
        (await FirstAsync(nameof(IErrorBudgetStore.StartedAsync))).ShouldBe("- -");
        Context().ShouldBe("caller first");
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_checkpoint_is_saved_outside_the_record_that_ended_first()
    {
        using var activity = Enter();

        await IsolatedBatch.RunAsync(
            Enumerable.Range(0, 10), (_, _) => Task.CompletedTask,
            new() { Checkpoint = new(_storage.Checkpoints, "nightly", CheckpointMode.AdvanceAndDeadLetter) }, cancellationToken: Stop);

        (await FirstAsync(nameof(ICheckpointStore.SaveAsync))).ShouldBe("- -");
    }

    [Fact]
    public async Task A_cached_response_is_stored_outside_the_call_that_received_it()
    {
        using var activity = Enter();
        await using var cache = new DurableFallbackCache(_storage.Fallbacks, TimeProvider.System, NullLoggerFactory.Instance);

        cache.Remove("api", "resource", "variant");

        (await FirstAsync(nameof(IFallbackStore.RemoveAsync))).ShouldBe("- -");
    }

    [Fact]
    public async Task Alerts_are_sent_outside_the_call_that_caused_the_first()
    {
        using var activity = Enter();
        var sink = new Sink();
        using var outbox = new AlertOutbox(
            sink, new("sink", 1, _ => true, (_, _) => Task.FromResult(false)), TimeProvider.System, NullLogger.Instance);

        _ = outbox.Add(AlertOutboxTests.An(1));

        (await sink.Seen.Task).ShouldBe("- -");
    }

    public void Dispose() => _storage.Dispose();

    private static Activity Enter()
    {
        Local.Value = "caller";
        return new Activity("first").Start();
    }

    private static string Context() => $"{Local.Value ?? "-"} {Activity.Current?.OperationName ?? "-"}";

    private async Task<string> FirstAsync(string method)
    {
        string? first;
        while (!_seen.GetOrAdd(method, _ => new()).TryPeek(out first))
            await Task.Delay(5, Stop);
        return first;
    }

    private sealed class Sink : IAlertSink
    {
        internal TaskCompletionSource<string> Seen { get; } = new();

        public Task SendAsync(Alert alert, CancellationToken cancellationToken)
        {
            Seen.TrySetResult(Context());
            return Task.CompletedTask;
        }
    }
}
