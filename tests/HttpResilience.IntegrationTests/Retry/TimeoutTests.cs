using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests;

public sealed class TimeoutTests
{
    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_server_that_does_not_answer_costs_one_attempt(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Silence, Reply.Ok());
        await using var client = new ResilientClientUnderTest(
            server.Uri, options => options.AttemptTimeout.Timeout = TimeSpan.FromMilliseconds(300));

        using var response = await client.Client.SendAsync(mode, Sending.Post());

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
        response.GetHttpCall()!.Attempts[0].FailureClass.ShouldBe(FailureClass.Transient);
        response.GetHttpCall()!.Attempts[0].Elapsed.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(300));
        server.Requests.Select(r => r.Key).Distinct().ShouldHaveSingleItem().ShouldNotBeNull();
        using var next = await client.Client.SendAsync(mode, Sending.Get());
        next.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_server_that_never_answers_ends_as_a_timeout_of_the_attempt(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Silence);
        await using var client = new ResilientClientUnderTest(server.Uri, options =>
        {
            options.AttemptTimeout.Timeout = TimeSpan.FromMilliseconds(50);
            options.Retry.MaxRetryAttempts = 2;
        });

        var exception = await client.Client.FailAsync<TaskCanceledException>(mode, Sending.Get());

        exception.InnerException.ShouldBeOfType<TimeoutException>().Message.ShouldContain("AttemptTimeout");
        exception.GetHttpCall().ShouldHaveEnded(3, FailureClass.Transient, StopReason.AttemptsExhausted);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_post_without_a_key_that_is_not_answered_is_not_sent_again(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Silence, Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri, options =>
        {
            options.AttemptTimeout.Timeout = TimeSpan.FromMilliseconds(100);
            options.Idempotency.Enabled = false;
        });

        var exception = await client.Client.FailAsync<TaskCanceledException>(mode, Sending.Post());

        exception.GetHttpCall().ShouldHaveEnded(1, FailureClass.Transient, StopReason.UnsafeMethod);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task The_deadline_ends_an_attempt_that_has_no_timeout_of_its_own(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Silence);
        await using var client = new ResilientClientUnderTest(server.Uri, options =>
        {
            options.AttemptTimeout.Timeout = null;
            options.TotalRequestTimeout.Timeout = TimeSpan.FromMilliseconds(200);
        });

        var exception = await client.Client.FailAsync<TaskCanceledException>(mode, Sending.Get());

        exception.InnerException.ShouldBeOfType<TimeoutException>().Message.ShouldContain("TotalRequestTimeout");
        exception.GetHttpCall().ShouldHaveEnded(1, FailureClass.Transient, StopReason.DeadlinePassed);
        exception.GetHttpCall()!.Elapsed.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(200));
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_wait_that_would_end_after_the_deadline_is_not_started(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable);
        await using var client = new ResilientClientUnderTest(server.Uri, options =>
        {
            options.Retry.Delay = TimeSpan.FromHours(1);
            options.Retry.MaxDelay = null;
        });

        using var response = await client.Client.SendAsync(mode, Sending.Get());

        response.GetHttpCall().ShouldHaveEnded(1, FailureClass.Transient, StopReason.DeadlineWouldPass);
        (await response.TextAsync()).ShouldBe("busy");
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_connect_timeout_of_the_handler_costs_an_attempt(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        int connects = 0;
        await using var client = new ResilientClientUnderTest(server.Uri, sockets: sockets =>
        {
            sockets.ConnectTimeout = TimeSpan.FromMilliseconds(300);
            sockets.ConnectCallback = async (context, cancellationToken) =>
            {
                if (Interlocked.Increment(ref connects) == 1)
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                return await Connecting.ConnectAsync(context, cancellationToken);
            };
        });

        using var response = await client.Client.SendAsync(mode, Sending.Get());

        response.ShouldHaveSucceeded(attempts: 2);
        response.GetHttpCall()!.Attempts[0].FailureClass.ShouldBe(FailureClass.Transient);
    }

    [Theory]
    [InlineData(Mode.Async, "http"), InlineData(Mode.Sync, "http"), InlineData(Mode.Async, "https"), InlineData(Mode.Sync, "https")]
    public async Task A_connection_that_was_not_established_in_time_has_sent_nothing(Mode mode, string scheme)
    {
        // The handshake of TLS is part of the time to connect.
        await using var silent = new RawServer(connection => connection.UntilGoneAsync());
        await using var client = new ResilientClientUnderTest(
            new($"{scheme}://127.0.0.1:{silent.Port}/"), o => o.Idempotency.Enabled = false, sockets: sockets =>
            {
                sockets.ConnectTimeout = TimeSpan.FromMilliseconds(100);
                if (scheme == "http")
                    sockets.ConnectCallback = async (_, cancellationToken) =>
                    {
                        await Task.Delay(Timeout.Infinite, cancellationToken);
                        return null!;
                    };
            });

        var exception = await client.Client.FailAsync<TaskCanceledException>(mode, Sending.Post());

        exception.GetHttpCall().ShouldHaveEnded(4, FailureClass.Transient, StopReason.AttemptsExhausted);
        exception.GetHttpCall()!.MayHaveBeenProcessed.ShouldBeFalse();
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task The_clients_own_timeout_ends_a_call_when_it_is_the_shorter_one(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Silence);
        await using var client = new ResilientClientUnderTest(
            server.Uri, build: b => b.ConfigureHttpClient(c => c.Timeout = TimeSpan.FromMilliseconds(400)));

        var exception = await client.Client.FailAsync<TaskCanceledException>(mode, Sending.Get());

        exception.InnerException.ShouldBeOfType<TimeoutException>().Message.ShouldNotContain("00:01:40");
        exception.GetHttpCall().ShouldHaveEnded(1, FailureClass.Transient, StopReason.DeadlinePassed);
    }

    [Fact]
    public async Task A_timeout_shortened_by_a_reload_applies_to_the_next_call()
    {
        const string Key = $"HttpResilience:Clients:{ResilientClientUnderTest.Name}:AttemptTimeout:Timeout";
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(Key, "00:10:00")]).Build();
        await using var server = await KestrelServer.StartAsync(Reply.Ok(), Reply.Silence, Reply.Ok());
        await using var client = new ResilientClientUnderTest(
            server.Uri, build: b => b.Services.AddSingleton<IConfiguration>(configuration));
        (await client.Client.SendAsync(Mode.Async, Sending.Get())).Dispose();

        configuration[Key] = "00:00:00.300";
        configuration.Reload();
        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get());

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
        response.GetHttpCall()!.Attempts[0].FailureClass.ShouldBe(FailureClass.Transient);
    }
}
