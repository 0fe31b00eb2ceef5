using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace HttpResilience.IntegrationTests;

public sealed class CircuitTests
{
    private static readonly TimeSpan Break = TimeSpan.FromMilliseconds(400);

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_closed_port_gets_no_requests_until_a_probe_succeeds(Mode mode)
    {
        int port = Ports.Closed();
        await using var client = Breaking(new Uri($"http://127.0.0.1:{port}/"), TimeSpan.FromSeconds(2));
        for (int failure = 0; failure < 3; failure++)
            (await client.Client.FailAsync<HttpRequestException>(mode, Sending.Get())).HttpRequestError.ShouldBe(
                HttpRequestError.ConnectionError);

        // The host has recovered, but the break is not over.
        await using var server = await KestrelServer.StartAsync(HttpProtocols.Http1, null, port, [Reply.Ok()]);
        for (int call = 0; call < 20; call++)
        {
            var exception = await client.Client.FailAsync<CircuitOpenException>(mode, Sending.Post());
            exception.Authority.ShouldBe($"http://127.0.0.1:{port}");
            exception.RetryAfter!.Value.ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromSeconds(2));
            exception.GetHttpCall().ShouldHaveEnded(0, FailureClass.Transient, StopReason.CircuitOpen);
        }

        server.Connections.ShouldBe(0);
        await Eventually.BeAsync(() => IsOver(client, port));
        using var probe = await client.Client.SendAsync(mode, Sending.Get());
        using var next = await client.Client.SendAsync(mode, Sending.Get());

        probe.ShouldHaveSucceeded(attempts: 1);
        next.ShouldHaveSucceeded(attempts: 1);
        server.Count.ShouldBe(2);
        client.Log.Lines.Where(l => l.Category == typeof(CircuitBreakerHandler).FullName).Select(l => l.EventId).ShouldBe([301, 302, 303]);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_call_that_opens_the_circuit_makes_no_further_attempt(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable);
        await using var client = Breaking(server.Uri, TimeSpan.FromMinutes(1), retries: 10);

        var exception = await client.Client.FailAsync<CircuitOpenException>(mode, Sending.Get());

        exception.GetHttpCall().ShouldHaveEnded(3, FailureClass.Transient, StopReason.CircuitOpen);
        server.Count.ShouldBe(3);
    }

    [Fact]
    public async Task One_of_fifty_concurrent_calls_is_the_probe()
    {
        var release = new TaskCompletionSource();
        await using var server = await KestrelServer.StartAsync(
            Reply.Unavailable,
            Reply.Unavailable,
            Reply.Unavailable,
            async context =>
            {
                await release.Task;
                await Reply.Ok()(context);
            });
        await using var client = Breaking(server.Uri, Break);
        await OpenAsync(client);
        await Eventually.BeAsync(() => IsOver(client, server.Uri.Port));

        int rejected = 0;
        var calls = Enumerable.Range(0, 50).Select(async _ =>
        {
            try
            {
                using var response = await client.Client.SendAsync(Mode.Async, Sending.Get());
                return response.StatusCode;
            }
            catch (CircuitOpenException)
            {
                if (Interlocked.Increment(ref rejected) == 49)
                    release.SetResult();
                return HttpStatusCode.Unused;
            }
        }).ToArray();
        var statuses = await Task.WhenAll(calls);

        statuses.Count(s => s is HttpStatusCode.OK).ShouldBe(1);
        server.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_cancelled_probe_neither_closes_the_circuit_nor_blocks_the_next_probe()
    {
        using var caller = new CancellationTokenSource();
        await using var server = await KestrelServer.StartAsync(
            Reply.Unavailable,
            Reply.Unavailable,
            Reply.Unavailable,
            async context =>
            {
                await caller.CancelAsync();
                await Reply.Silence(context);
            },
            Reply.Unavailable,
            Reply.Ok());
        await using var client = Breaking(server.Uri, Break);
        await OpenAsync(client);
        await Eventually.BeAsync(() => IsOver(client, server.Uri.Port));

        await client.Client.FailAsync<TaskCanceledException>(Mode.Async, Sending.Get(), caller: caller.Token);
        client.State.Hosts.GetOrAdd(new(new HttpAuthority(server.Uri), null), client.State.Policy.MaxHosts, 0)
            .Circuit.State.ShouldBe(CircuitState.HalfOpen);
        using var probe = await client.Client.SendAsync(Mode.Async, Sending.Get());

        probe.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        await client.Client.FailAsync<CircuitOpenException>(Mode.Async, Sending.Get());
        server.Count.ShouldBe(5);
    }

    [Fact]
    public async Task A_failing_host_does_not_open_the_circuit_of_another()
    {
        await using var bad = await KestrelServer.StartAsync(Reply.Unavailable);
        await using var good = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = Breaking(bad.Uri, TimeSpan.FromMinutes(1));
        await OpenAsync(client);

        using var response = await client.Client.SendAsync(Mode.Async, new HttpRequestMessage(HttpMethod.Get, good.Uri));

        response.ShouldHaveSucceeded(attempts: 1);
        await client.Client.FailAsync<CircuitOpenException>(Mode.Async, Sending.Get());
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task An_open_circuit_survives_handler_rotation_of_the_factory(bool keepsClient)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable);
        await using var client = Breaking(server.Uri, TimeSpan.FromMinutes(1), handlerLifetime: TimeSpan.FromSeconds(1));
        var handlers = client.Get<IHttpMessageHandlerFactory>();
        var before = handlers.CreateHandler(ResilientClientUnderTest.Name);
        await OpenAsync(client);

        await Eventually.BeAsync(() => !ReferenceEquals(before, handlers.CreateHandler(ResilientClientUnderTest.Name)));
        using var fresh = client.CreateClient();

        await (keepsClient ? client.Client : fresh).FailAsync<CircuitOpenException>(Mode.Async, Sending.Get());
        server.Count.ShouldBe(3);
    }

    private static ResilientClientUnderTest Breaking(Uri uri, TimeSpan breakDuration, int retries = 0, TimeSpan? handlerLifetime = null) =>
        new(
            uri,
            options =>
            {
                options.Retry.MaxRetryAttempts = retries;
                options.CircuitBreaker.UseClassic().FailureThreshold = 3;
                options.CircuitBreaker.BreakDuration = breakDuration;
            },
            build: b =>
            {
                if (handlerLifetime is { } lifetime)
                    Microsoft.Extensions.DependencyInjection.HttpClientBuilderExtensions.SetHandlerLifetime(b, lifetime);
            });

    private static async Task OpenAsync(ResilientClientUnderTest client)
    {
        for (int failure = 0; failure < 3; failure++)
            (await client.Client.SendAsync(Mode.Async, Sending.Get())).Dispose();
    }

    private static bool IsOver(ResilientClientUnderTest client, int port)
    {
        var key = new HostKey(new HttpAuthority(new Uri($"http://127.0.0.1:{port}/")), null);
        var circuit = client.State.Hosts.GetOrAdd(key, client.State.Policy.MaxHosts, 0).Circuit;
        return circuit.OpenUntil <= TimeProvider.System.GetTimestamp();
    }
}
