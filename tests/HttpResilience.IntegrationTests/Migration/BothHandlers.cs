using System.Globalization;
using HttpResilience.Simulation;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Migration;

/// <summary>
/// Runs the same application three times, each time against a scripted API in virtual time: with Microsoft's handler, with the report of
/// what would differ, and with the chain in the place of the handler.
/// </summary>
internal static class BothHandlers
{
    private static readonly TimeSpan Length = TimeSpan.FromHours(8);

    /// <summary>Runs in virtual time, on one thread.</summary>
    /// <param name="register">
    /// Registers the clients, as the application does, and passes each handler to <c>Switch</c> of the <see cref="App"/>.
    /// </param>
    /// <param name="script">What the API does.</param>
    /// <param name="use">Makes the calls.</param>
    /// <param name="isRandom">Each run is another one.</param>
    internal static BothRuns Run(
        Action<App> register, Action<ScriptedApi> script, Func<AppRun, Task> use, bool isRandom = false)
    {
        var context = SynchronizationContext.Current;
        // It would take what follows an await to another thread.
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return new([.. Enum.GetValues<AppStage>().Select(stage => Run(stage, register, script, use))], isRandom);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>
    /// Runs with a clock that skips waits, on any thread: Microsoft's circuit notifies, and its limiter releases, on the thread pool.
    /// </summary>
    /// <inheritdoc cref="Run(Action{App}, Action{ScriptedApi}, Func{AppRun, Task}, bool)"/>
    internal static async Task<BothRuns> RunAsync(Action<App> register, Action<ScriptedApi> script, Func<AppRun, Task> use)
    {
        List<AppRun> runs = [];
        foreach (var stage in Enum.GetValues<AppStage>())
        {
            var run = new AppRun(stage, new ManualTimeProvider { SkipsWaits = true }, register, script);
            await run.RunAsync(use).WaitAsync(TestContext.Current.CancellationToken);
            runs.Add(run);
        }

        return new([.. runs], isRandom: false);
    }

    private static AppRun Run(AppStage stage, Action<App> register, Action<ScriptedApi> script, Func<AppRun, Task> use)
    {
        var time = new VirtualTime();
        var run = new AppRun(stage, time, register, script);
        var running = run.RunAsync(use);
        time.Run(Length);
        running.IsCompleted.ShouldBeTrue($"{stage}: a call did not end.");
        running.GetAwaiter().GetResult();
        return run;
    }
}

/// <summary>What both handlers did.</summary>
internal sealed class BothRuns
{
    internal BothRuns(AppRun[] runs, bool isRandom)
    {
        (Microsoft, Ours) = (runs[0], runs[2]);
        Report = string.Join('\n', runs[1].Log.Lines.Where(l => l.EventId == 802).Select(l => l.Text));
        Report.ShouldNotBeEmpty();
        if (!isRandom)
            runs[1].Seen.ShouldBe(Microsoft.Seen, "The report changes nothing.");
    }

    /// <summary>The run with Microsoft's handler.</summary>
    internal AppRun Microsoft { get; }

    /// <summary>The run with the chain in its place.</summary>
    internal AppRun Ours { get; }

    /// <summary>What the report said before.</summary>
    internal string Report { get; }

    /// <summary>Both handlers did this.</summary>
    internal void ShouldBoth(string requests, string ends, string called = "")
    {
        Microsoft.Seen.ShouldBe(new(requests, ends, called));
        Ours.Seen.ShouldBe(Microsoft.Seen);
    }

    /// <summary>The report has a row about an option.</summary>
    internal void ShouldReport(string option, string microsoft, string ours)
    {
        string[][] rows = [.. Report.Split('\n').Select(l => l.Split(" | ", StringSplitOptions.TrimEntries)).Where(c => c.Length == 3)];
        rows.Any(row => row[0] == option && row[1].Contains(microsoft) && row[2].Contains(ours)).ShouldBeTrue(
            $"No row {option} | {microsoft} | {ours} in {Report}");
    }
}

/// <summary>How far an application has gone with its migration.</summary>
internal enum AppStage
{
    Microsoft,
    Report,
    Ours,
}

/// <summary>The registration of an application.</summary>
internal sealed class App(
    IServiceCollection services, IConfigurationRoot configuration, ScriptedApi api, AppStage stage, Action<string> called)
{
    internal IServiceCollection Services => services;

    internal IConfigurationRoot Configuration => configuration;

    /// <summary>The primary handler of all clients that set none themselves.</summary>
    internal ScriptedApi Api => api;

    /// <summary>Puts the chain in the place of the handler, or reports what would differ.</summary>
    internal void Switch(IHttpStandardResiliencePipelineBuilder handler, Action<HttpResilienceOptions>? configure = null)
    {
        if (stage is not AppStage.Microsoft)
            handler.UseHttpResilience(configure, report: stage is AppStage.Report);
    }

    /// <inheritdoc cref="Switch(IHttpStandardResiliencePipelineBuilder, Action{HttpResilienceOptions})"/>
    internal void Switch(IStandardHedgingHandlerBuilder handler, Action<HttpResilienceOptions>? configure = null)
    {
        if (stage is not AppStage.Microsoft)
            handler.UseHttpResilience(configure, report: stage is AppStage.Report);
    }

    /// <summary>Counts a call of one of the application's delegates.</summary>
    internal ValueTask Count(string name)
    {
        called(name);
        return ValueTask.CompletedTask;
    }
}

/// <summary>One run of the application, and what the API and the callers saw.</summary>
internal sealed class AppRun
{
    private readonly TimeProvider _time;
    private readonly ServiceProvider _services;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, int> _called = new(StringComparer.Ordinal);
    private readonly List<string> _ends = [];
    private readonly List<Exception> _exceptions = [];

    internal AppRun(AppStage stage, TimeProvider time, Action<App> register, Action<ScriptedApi> script)
    {
        (_time, Api) = (time, new(time));
        script(Api);
        Configuration = new ConfigurationBuilder().AddInMemoryCollection().Build();
        var services = new ServiceCollection();
        services.AddSingleton(time).AddSingleton<IConfiguration>(Configuration);
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
        register(new(services, Configuration, Api, stage, Count));
        services.ConfigureHttpClientDefaults(all => all.SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(() => Api));
        _services = services.BuildServiceProvider();
    }

    internal ScriptedApi Api { get; }

    internal IConfigurationRoot Configuration { get; }

    internal LogCollector Log { get; } = new();

    internal Seen Seen { get; private set; } = new("", "");

    /// <summary>What the calls threw.</summary>
    internal IReadOnlyList<Exception> Exceptions => _exceptions;

    /// <summary>The different keys of the requests.</summary>
    internal IReadOnlyList<string> Keys => [.. Api.Requests.Select(r => r.IdempotencyKey).OfType<string>().Distinct()];

    internal HttpClient Client(string name) => _services.GetRequiredService<IHttpClientFactory>().CreateClient(name);

    internal T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    internal Task WaitAsync(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), _time);

    /// <summary>Sends, and records how the call ended, and when.</summary>
    internal Task SendAsync(string client, HttpMethod method, string uri = "https://api.example.com/orders") =>
        SendAsync(client, new HttpRequestMessage(method, uri));

    /// <inheritdoc cref="SendAsync(string, HttpMethod, string)"/>
    internal Task SendAsync(string client, HttpRequestMessage request)
    {
        if (request.Method == HttpMethod.Post)
            request.Content ??= new StringContent("{}");
        return EndAsync(async () =>
        {
            using var response = await Client(client).SendAsync(request);
            return (int)response.StatusCode;
        });
    }

    /// <summary>Records how a call of a typed client ended, and when.</summary>
    internal async Task EndAsync(Func<Task<int>> call)
    {
        string end;
        Exception? exception = null;
        try
        {
            end = $"{await call()}";
        }
        catch (Exception e)
        {
            (end, exception) = (KindOf(e), e);
        }

        lock (_gate)
        {
            _ends.Add($"{end} at {Seconds(Api.Elapsed)} s");
            if (exception is not null)
                _exceptions.Add(exception);
        }
    }

    /// <summary>Starts the application, makes the calls, and stops it.</summary>
    internal async Task RunAsync(Func<AppRun, Task> use)
    {
        await using (_services)
        {
            foreach (var service in _services.GetServices<IHostedService>())
                await service.StartAsync(CancellationToken.None);
            await use(this);
            foreach (var service in _services.GetServices<IHostedService>())
                await service.StopAsync(CancellationToken.None);
        }

        Seen = new(
            string.Join(", ", Api.Requests.Select(Describe)), string.Join(", ", _ends),
            string.Join(", ", _called.Select(c => $"{c.Key} {c.Value}")));
    }

    private void Count(string name)
    {
        lock (_gate)
            _called[name] = _called.GetValueOrDefault(name) + 1;
    }

    // Both packages have exceptions of their own for the same end; by name, as Polly's are in two assemblies.
    private static string KindOf(Exception exception) => exception.GetType().Name switch
    {
        "TimeoutRejectedException" => "timeout",
        nameof(TaskCanceledException) when exception.InnerException is TimeoutException => "timeout",
        "BrokenCircuitException" or nameof(CircuitOpenException) => "circuit open",
        "RateLimiterRejectedException" or nameof(RateLimitedException) => "limit",
        var name => name,
    };

    private static string Describe(ScriptedApi.Arrival request) =>
        (request.Uri.Host == "api.example.com" ? "" : $"{request.Uri.Host} ") + Seconds(request.At);

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
}

/// <summary>What is the same for an application whichever handler it has.</summary>
/// <param name="Requests">When the API got a request, in seconds, with its host where it has several.</param>
/// <param name="Ends">How each call ended, and when.</param>
/// <param name="Called">Which delegates were called, and how often.</param>
internal sealed record Seen(string Requests, string Ends, string Called = "");
