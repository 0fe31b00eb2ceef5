using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Simulation;

/// <summary>The result of a soak run.</summary>
/// <param name="KeptConnections">Connections in the pool: open at the server after the last call.</param>
/// <param name="LeakedConnections">Connections open at the server after the client was disposed.</param>
/// <param name="FirstUnobserved">The first unobserved exception; null when there is none.</param>
/// <param name="HeapBefore">The heap size after the first part of the calls, in bytes.</param>
internal sealed record SoakReport(
    int Calls, int Succeeded, int Requests, int Connections, int KeptConnections, int LeakedConnections, long Responses,
    long LeakedResponses,
    long Timers, long TimersBefore, long TimersAfter, int UnobservedExceptions, long HeapBefore, long HeapAfter,
    string? FirstUnobserved)
{
    /// <summary>The heap grew by no more than caches and the garbage collector account for.</summary>
    internal bool HeapIsFlat => HeapAfter <= HeapBefore * 1.1 + 1_000_000;

    /// <summary>No timer leaked: timers are pooled, one per call in flight.</summary>
    internal bool TimersAreKept => TimersAfter <= TimersBefore + SoakRun.Threads && TimersAfter <= 4 * SoakRun.Threads;

    internal bool IsClean =>
        this is { LeakedConnections: 0, LeakedResponses: 0, UnobservedExceptions: 0, HeapIsFlat: true, TimersAreKept: true }
        && KeptConnections <= SoakRun.MaxConnections;
}

/// <summary>Two threads make calls of every kind to a server with every fault over real sockets; then leaks are counted.</summary>
internal sealed class SoakRun(int seed) : IAsyncDisposable
{
    internal const int Threads = 2;
    internal const int MaxConnections = 8;

    private static readonly TimeSpan AttemptTimeout = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(30);

    private readonly CountingTimeProvider _time = new();
    private readonly ResponseCounter _responses = new();
    private readonly SocketsHttpHandler _sockets = new() { MaxConnectionsPerServer = MaxConnections };
    private FaultServer? _server;
    private ServiceProvider? _services;
    private HttpClient? _client;
    private int _calls;
    private int _succeeded;

    /// <param name="isInFirstPart">Whether the first part continues, given the number of calls of the thread; heap and
    /// timers are first measured after it.</param>
    /// <param name="goesOn">Whether the second part continues, given the number of calls of the thread.</param>
    internal async Task<SoakReport> RunAsync(Func<int, bool> isInFirstPart, Func<int, bool> goesOn)
    {
        int unobserved = 0;
        string? first = null;
        void Note(object? sender, UnobservedTaskExceptionEventArgs e)
        {
            Interlocked.Increment(ref unobserved);
            Interlocked.CompareExchange(ref first, e.Exception.ToString(), null);
        }

        // What ran in the process before is not part of the run.
        _ = Heap();
        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            _server = await FaultServer.StartAsync(FaultMix.NewScript(seed), new() { KeepsConnections = true }).ConfigureAwait(false);
            _client = NewClient(_server.Uri);

            await CallAsync(seed, isInFirstPart).ConfigureAwait(false);
            long heapBefore = Heap();
            long timersBefore = _time.Alive;
            await CallAsync(seed + 1, goesOn).ConfigureAwait(false);
            await UntilAsync(() => _server.OpenConnections <= MaxConnections).ConfigureAwait(false);
            int kept = _server.OpenConnections;
            long heapAfter = Heap();
            long timersAfter = _time.Alive;

            _client.Dispose();
            _sockets.Dispose();
            await UntilAsync(() => _server.OpenConnections == 0).ConfigureAwait(false);
            Heap();
            return new(_calls, _succeeded, _server.RequestCount, _server.Connections, kept, _server.OpenConnections, _responses.Made,
                _responses.Alive,
                _time.Made, timersBefore, timersAfter, unobserved, heapBefore, heapAfter, first);
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _sockets.Dispose();
        if (_services is not null)
            await _services.DisposeAsync().ConfigureAwait(false);
        if (_server is not null)
            await _server.DisposeAsync().ConfigureAwait(false);
    }

    private HttpClient NewClient(Uri server)
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(_time).AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace));
        services.AddResilientHttpClient("soak", options =>
        {
            options.BaseAddress = server;
            options.AttemptTimeout.Timeout = AttemptTimeout;
            options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(1);
            options.Retry.Delay = TimeSpan.FromMilliseconds(5);
            options.Retry.Budget.RetryRatio = null;
            // Low enough that the circuit opens now and then.
            options.CircuitBreaker.FailureThreshold = 8;
            options.CircuitBreaker.BreakDuration = TimeSpan.FromMilliseconds(5);
            options.CircuitBreaker.MaxBreakDuration = TimeSpan.FromMilliseconds(10);
            options.CircuitBreaker.FailureRatio = null;
        }).AddHttpMessageHandler(_responses.NewHandler)
            .ConfigurePrimaryHttpMessageHandler(() => _sockets).SetHandlerLifetime(Timeout.InfiniteTimeSpan);
        _services = services.BuildServiceProvider();
        return _services.GetRequiredService<IHttpClientFactory>().CreateClient("soak");
    }

    private Task CallAsync(int seedOfThreads, Func<int, bool> goesOn) =>
        Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            var random = new Random(seedOfThreads * 1000 + thread);
            for (int calls = 0; goesOn(calls); calls++)
            {
                bool succeeded = await TryCallAsync(random).ConfigureAwait(false);
                Interlocked.Increment(ref _calls);
                if (succeeded)
                    Interlocked.Increment(ref _succeeded);
            }
        })));

    private async Task<bool> TryCallAsync(Random random)
    {
        // Long enough for most calls; one call in ten is cancelled early at a random time.
        using var caller =
            new CancellationTokenSource(random.Next(10) == 0 ? TimeSpan.FromMilliseconds(random.Next(30)) : 3 * AttemptTimeout);
        using var request = random.Next(2) == 0 ? new HttpRequestMessage(HttpMethod.Get, "/invoices/17") : new(HttpMethod.Post, "/invoices")
        {
            Content = new ByteArrayContent(new byte[random.Next(4) == 0 ? 200_000 : 100]),
        };
        var completion = (HttpCompletionOption)random.Next(2);
        bool reads = random.Next(4) > 0;
        try
        {
            using var response = random.Next(5) == 0
                ? _client!.Send(request, completion, caller.Token)
                : await _client!.SendAsync(request, completion, caller.Token).ConfigureAwait(false);
            if (completion is HttpCompletionOption.ResponseHeadersRead && reads)
            {
                using var reading = CancellationTokenSource.CreateLinkedTokenSource(caller.Token);
                reading.CancelAfter(AttemptTimeout);
                await response.Content.ReadAsByteArrayAsync(reading.Token).ConfigureAwait(false);
            }

            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
        {
            return false;
        }
    }

    private static long Heap()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        long begin = TimeProvider.System.GetTimestamp();
        while (!isSo() && TimeProvider.System.GetElapsedTime(begin) < WaitTimeout)
            await Task.Delay(20).ConfigureAwait(false);
    }
}
