using System.Net;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>A host stops while its calls wait for their next attempt: each has a letter when it has stopped.</summary>
[Collection("Crashes on SQLite")]
public sealed class StoppedHostTests : IAsyncDisposable
{
    private const int Calls = 200;
    private const string Name = "orders";

    private readonly SqliteTestDatabase _database = new();

    [Fact]
    public async Task Calls_that_wait_for_a_Retry_After_are_letters_that_the_next_host_sends_under_their_keys()
    {
        bool isUp = false;
        int arrived = 0;
        var isFull = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await KestrelServer.StartAsync(async context =>
        {
            if (Volatile.Read(ref isUp))
            {
                await Reply.Ok()(context);
                return;
            }

            // The first answer pauses the host: a call that comes later is not sent.
            if (Interlocked.Increment(ref arrived) == Calls)
                isFull.SetResult();
            await isFull.Task;
            await Reply.With(503, "busy", ("Retry-After", "60"))(context);
        });
        using var host = await StartAsync(server, o => o.DeadLetter.Enabled = true);
        // Nobody waits for them, as for calls that a program has started and left.
        Task<HttpResponseMessage>[] calls = [.. Enumerable.Range(0, Calls).Select(i => PostAsync(host, i))];
        await WaitForAsync(host, calls, Calls);

        await host.StopAsync(TestContext.Current.CancellationToken);

        (await CountAsync(DeadLetterStatus.Pending)).ShouldBe(Calls);
        foreach (var call in calls)
        {
            var exception = await Should.ThrowAsync<RejectedException>(() => call);
            exception.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            exception.RetryAfter!.Value.ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromSeconds(90));
            exception.GetHttpCall()!.StopReason.ShouldBe(StopReason.HostStopping);
            exception.GetHttpCall()!.DeadLetterId.ShouldNotBeNull();
        }

        string?[] keys = [.. server.Requests.Select(r => r.Key)];
        keys.Distinct().Count().ShouldBe(Calls);
        Volatile.Write(ref isUp, true);
        using var next = await StartAsync(server, o => o.DeadLetter.Enabled = true);
        var review = next.Services.GetRequiredService<IDeadLetterReview>();
        foreach (var letter in await review.ListAsync(new() { Limit = 1_000 }, TestContext.Current.CancellationToken))
            (await review.SendAsync(letter.Id, "test", TestContext.Current.CancellationToken)).ShouldNotBeNull();
        server.Requests.Skip(Calls).Select(r => r.Key).Order().ShouldBe(keys.Order());
        (await CountAsync(DeadLetterStatus.Replayed)).ShouldBe(Calls);
    }

    [Fact]
    public async Task So_are_those_of_a_worker_whose_token_the_host_cancels()
    {
        await using var server = await KestrelServer.StartAsync(Reply.With(503, "busy", ("Retry-After", "60")));
        var worker = new Worker(10);
        using var host = await StartAsync(server, o => o.DeadLetter.Enabled = true, services =>
            services.AddSingleton<IHostedService>(provider => worker.Using(provider)));
        await Eventually.BeAsync(() => Waiting(host) == 10);

        await host.StopAsync(TestContext.Current.CancellationToken);

        (await CountAsync(DeadLetterStatus.Pending)).ShouldBe(10);
        worker.Failures.ShouldAllBe(e => e is OperationCanceledException);
    }

    [Fact]
    public async Task So_are_calls_that_wait_for_a_pause_of_their_host_and_have_not_been_sent()
    {
        await using var server = await KestrelServer.StartAsync(Reply.With(429, "slow", ("Retry-After", "60")));
        using var host = await StartAsync(server, o => o.DeadLetter.Enabled = true);
        var first = PostAsync(host, 0);
        await WaitForAsync(host, [first], 1);
        Task<HttpResponseMessage>[] others = [.. Enumerable.Range(1, 5).Select(i => PostAsync(host, i))];
        await WaitForAsync(host, others, 6);

        await host.StopAsync(TestContext.Current.CancellationToken);

        server.Count.ShouldBe(1);
        (await CountAsync(DeadLetterStatus.Pending)).ShouldBe(6);
    }

    [Fact]
    public async Task So_are_calls_that_block_their_thread()
    {
        await using var server = await KestrelServer.StartAsync(Reply.With(503, "busy", ("Retry-After", "60")));
        using var host = await StartAsync(server, o => o.DeadLetter.Enabled = true);
        var client = ClientOf(host);
        var call = Task.Factory.StartNew(
            () => client.Send(Request(0)), TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await WaitForAsync(host, [call], 1);

        await host.StopAsync(TestContext.Current.CancellationToken);

        await Should.ThrowAsync<RejectedException>(() => call);
        (await CountAsync(DeadLetterStatus.Pending)).ShouldBe(1);
    }

    [Fact]
    public async Task A_call_that_fails_while_the_host_stops_does_not_wait_any_more()
    {
        var isAsked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await KestrelServer.StartAsync(async context =>
        {
            isAsked.SetResult();
            await answers.Task;
            await Reply.With(503, "busy", ("Retry-After", "60"))(context);
        });
        using var host = await StartAsync(server, o => o.DeadLetter.Enabled = true);
        var call = PostAsync(host, 0);
        await isAsked.Task;

        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        answers.SetResult();

        await Should.ThrowAsync<RejectedException>(() => call);
        await host.StopAsync(TestContext.Current.CancellationToken);
        (await CountAsync(DeadLetterStatus.Pending)).ShouldBe(1);
    }

    [Fact]
    public async Task So_are_calls_that_wait_for_a_place_within_the_limit_of_the_client()
    {
        var isAsked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await KestrelServer.StartAsync(context =>
        {
            isAsked.TrySetResult();
            return Reply.Silence(context);
        });
        using var host = await StartAsync(server, o =>
        {
            o.DeadLetter.Enabled = true;
            o.RateLimiter = new() { DefaultRateLimiterOptions = new() { PermitLimit = 1, QueueLimit = 10 } };
        });
        using var leaves = new CancellationTokenSource();
        var first = ClientOf(host).SendAsync(Request(0), leaves.Token);
        await isAsked.Task;
        Task<HttpResponseMessage>[] queued = [.. Enumerable.Range(1, 3).Select(i => PostAsync(host, i))];

        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        foreach (var call in queued)
            (await Should.ThrowAsync<RateLimitedException>(() => call)).GetHttpCall()!.DeadLetterId.ShouldNotBeNull();
        server.Count.ShouldBe(1);
        await leaves.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => first);
        await host.StopAsync(TestContext.Current.CancellationToken);
        (await CountAsync(DeadLetterStatus.Pending)).ShouldBe(3);
    }

    [Fact]
    public async Task A_call_without_a_letter_goes_on_waiting()
    {
        int requests = 0;
        await using var server = await KestrelServer.StartAsync(context => Interlocked.Increment(ref requests) == 1
            ? Reply.With(503, "busy", ("Retry-After", "2"))(context) : Reply.Ok()(context));
        using var host = await StartAsync(server, o => o.DeadLetter.Enabled = false);
        var call = PostAsync(host, 0);
        await Eventually.BeAsync(() => Volatile.Read(ref requests) == 1);

        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        (await call).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private static HttpRequestMessage Request(int i) =>
        new(HttpMethod.Post, "orders") { Content = new StringContent($"order {i}") };

    private static HttpClient ClientOf(IHost host) => host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(Name);

    private static Task<HttpResponseMessage> PostAsync(IHost host, int i) =>
        ClientOf(host).SendAsync(Request(i), TestContext.Current.CancellationToken);

    private static int Waiting(IHost host) => WaitingCalls.Of(host.Services.GetRequiredKeyedService<Client>(Name)).Count;

    private static async Task WaitForAsync(IHost host, Task<HttpResponseMessage>[] calls, int count)
    {
        await Eventually.BeAsync(() => Waiting(host) == count || calls.Any(c => c.IsCompleted));
        calls.ShouldAllBe(c => !c.IsCompleted);
    }

    private async Task<int> CountAsync(DeadLetterStatus status) =>
        (int)(await _database.Open().DeadLetters.CountAsync(TestContext.Current.CancellationToken))[status];

    private async Task<IHost> StartAsync(
        KestrelServer server, Action<HttpResilienceOptions> configure, Action<IServiceCollection>? services = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.Debug);
        _database.AddTo(builder.Services);
        builder.Services.AddResilientHttpClient(Name, options =>
        {
            options.BaseAddress = server.Uri;
            options.CircuitBreaker.FailureThreshold = int.MaxValue;
            options.CircuitBreaker.FailureRatio = null;
            options.Retry.Budget.RetryRatio = null;
            configure(options);
        });
        services?.Invoke(builder.Services);
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    private sealed class Worker(int calls) : BackgroundService
    {
        private IServiceProvider? _services;

        internal List<Exception> Failures { get; } = [];

        internal Worker Using(IServiceProvider services)
        {
            _services = services;
            return this;
        }

        protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
            Task.WhenAll(Enumerable.Range(0, calls).Select(async i =>
            {
                var client = _services!.GetRequiredService<IHttpClientFactory>().CreateClient(Name);
                var failure = await Should.ThrowAsync<Exception>(() => client.SendAsync(Request(i), stoppingToken));
                lock (Failures)
                    Failures.Add(failure);
            }));
    }
}
