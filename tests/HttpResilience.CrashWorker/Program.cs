using System.Globalization;
using HttpResilience;
using HttpResilience.CrashWorker;
using HttpResilience.Operations;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

// An ordinary application that the tests kill. It reads "send <number> <key>", "load <seconds> <prefix of the keys>", "batch <count>",
// "replay-all", "job <letters in a second>" and "finish", and writes "ready", "ended <number> <result>", "kept <letter>", "refused",
// "loaded", "at <moment>", "report <stop reason> <succeeded> <failed> <skipped> <indexes of failures>" and "drained".
// It ends at the end of its input, at the latest when the test process ends.
var settings = WorkerSettings.FromJson(args[0]);
// The tests look into the same store, as the same application.
var builder = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = "HttpResilience.IntegrationTests" });
builder.Logging.AddProvider(new Output());
builder.Services.AddSingleton<TimeProvider>(new FastTime(settings.Epoch, settings.Speed, settings.Ahead));
builder.Services.AddHttpResilienceStorage(storage =>
{
    _ = settings.IsPostgreSql ? storage.UsePostgreSql(settings.ConnectionString) : storage.UseSqlite(settings.ConnectionString);
    if (settings.KeyRing is not null)
        storage.ProtectWithDataProtection();
});
if (settings.KeyRing is { } ring)
    builder.Services.AddDataProtection().SetApplicationName("orders").PersistKeysToFileSystem(new(ring));
var letters = builder.Services.Last(d => d.ServiceType == typeof(IDeadLetterStore)).ImplementationFactory!;
builder.Services.Replace(ServiceDescriptor.Singleton<IDeadLetterStore>(
    services => new HaltingStore((IDeadLetterStore)letters(services), settings.HaltsAt)));
builder.Services.AddResilientHttpClient(WorkerSettings.Client, options =>
{
    options.BaseAddress = settings.Api;
    options.DeadLetter.Enabled = settings.KeepsLetters;
    options.DeadLetter.Protect = settings.KeyRing is not null;
    options.DeadLetter.MaxReplays = int.MaxValue;
    options.Idempotency.KeyLifetime = TimeSpan.FromDays(365);
    options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(30);
    options.AttemptTimeout.Timeout = TimeSpan.FromSeconds(10);
    options.Retry.MaxRetryAttempts = 1;
    options.Retry.Delay = TimeSpan.FromMilliseconds(200);
    // Calls fail at once, so that letters come as fast as they can.
    (options.CircuitBreaker.MaxWait, options.CircuitBreaker.FailureDuration, options.CircuitBreaker.FailureRatio) = (null, null, 0.1);
    options.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(2);
    options.CircuitBreaker.MaxBreakDuration = TimeSpan.FromSeconds(5);
}).AddHttpMessageHandler(() => new WorkerNameHandler(settings));
if (settings.Alerts is { } webhook)
{
    builder.Services.AddHttpResilienceOperations().Configure<AlertOptions>(
        alerts => alerts.Webhooks.Add(new() { Url = webhook, Format = AlertWebhookFormat.Json }));
}

if (settings.Replays)
    builder.Services.AddDeadLetterReplay();

using var host = builder.Build();
await host.StartAsync();
Output.WriteLine("ready");

using var places = new SemaphoreSlim(settings.MaxConcurrency);
List<Task> sending = [];
while (await Console.In.ReadLineAsync() is { } line)
{
    switch (line.Split(' '))
    {
        case ["send", var number, var key]:
            sending.Add(Task.Run(() => SendAsync(number, key)));
            break;
        case ["load", var seconds, var prefix]:
            await LoadAsync(TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture)), prefix);
            break;
        case ["batch", var count]:
            await RunBatchAsync(int.Parse(count, CultureInfo.InvariantCulture));
            break;
        case ["replay-all"]:
            int replayed = await host.Services.GetRequiredService<IDeadLetterReview>().ReplayManyAsync(new(), 10_000, settings.Name);
            Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"due {replayed}"));
            break;
        case ["job", var perSecond]:
            var job = await host.Services.GetRequiredService<LetterJobs>().StartAsync(new()
            {
                Action = LetterJobAction.Replay,
                Query = new() { ClientName = WorkerSettings.Client },
                PerSecond = double.Parse(perSecond, CultureInfo.InvariantCulture),
                By = settings.Name,
            });
            Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"job {job.Id} of {job.Total}"));
            break;
        case ["finish"]:
            await Task.WhenAll(sending);
            var store = host.Services.GetRequiredService<IDeadLetterStore>();
            while (await store.CountAsync(default) is var counts
                && counts[DeadLetterStatus.Pending] + counts[DeadLetterStatus.InProgress] > 0)
                await Task.Delay(50);
            Output.WriteLine("drained");
            break;
        default:
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Unknown command '{line}'."));
    }
}

await host.StopAsync();

async Task SendAsync(string number, string key)
{
    await places.WaitAsync();
    var call = await CallAsync(number, key);
    Output.WriteLine(
        $"ended {number} {(call is { FailureClass: FailureClass.None } ? "done" : call?.DeadLetterId is not null ? "kept" : "refused")}");
    places.Release();
}

async Task LoadAsync(TimeSpan duration, string prefix)
{
    long began = TimeProvider.System.GetTimestamp();
    int last = 0;
    await Task.WhenAll(Enumerable.Range(0, settings.MaxConcurrency).Select(_ => Task.Run(async () =>
    {
        while (TimeProvider.System.GetElapsedTime(began) < duration)
        {
            int number = Interlocked.Increment(ref last);
            var call = await CallAsync(number.ToString(CultureInfo.InvariantCulture), $"{prefix}:{number}");
            Output.WriteLine(call?.DeadLetterId is { } letter ? $"kept {letter}" : "refused");
            await Task.Delay(10);
        }
    })));
    Output.WriteLine("loaded");
}

async Task<HttpCall?> CallAsync(string number, string key)
{
    using var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(WorkerSettings.Client);
    client.Timeout = settings.ClientTimeout ?? client.Timeout;
    using var request = new HttpRequestMessage(HttpMethod.Post, "orders") { Content = new StringContent(number) }.WithIdempotencyKey(key);
    try
    {
        using var response = await client.SendAsync(request);
        return response.GetHttpCall();
    }
    catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
    {
        return e.GetHttpCall();
    }
}

async Task RunBatchAsync(int count)
{
    using var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(WorkerSettings.Client);
    var report = await IsolatedBatch.RunAsync(
        Enumerable.Range(0, count),
        async (number, token) =>
        {
            using var response = await client.PostAsync(new Uri("orders", UriKind.Relative), new StringContent($"{number}"), token);
            response.EnsureSuccessStatusCode();
        },
        new()
        {
            MaxParallelism = 16,
            Scope = (number, _) => new() { IdempotencyKey = $"b:{number}" },
            Checkpoint = new(host.Services.GetRequiredService<ICheckpointStore>(), "orders", CheckpointMode.AdvanceAndDeadLetter),
            TimeProvider = host.Services.GetRequiredService<TimeProvider>(),
        });
    Output.WriteLine($"report {report.StopReason} {report.Succeeded} {report.Failed} {report.Skipped} "
        + $"{string.Join(',', report.Failures.Select(f => f.Index))}");
}

/// <summary>Sets the worker header on every attempt, including replays of letters of other processes.</summary>
internal sealed class WorkerNameHandler(WorkerSettings settings) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // As a bug in native code would, or want of memory.
        if (settings.DiesOf is { } key && request.Headers.TryGetValues("Idempotency-Key", out var keys) && keys.Contains(key))
            System.Diagnostics.Process.GetCurrentProcess().Kill();
        request.Headers.Remove(WorkerSettings.WorkerHeader);
        request.Headers.Add(WorkerSettings.WorkerHeader, settings.Name);
        return base.SendAsync(request, cancellationToken);
    }
}
