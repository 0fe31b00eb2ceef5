using System.Buffers.Binary;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Ecosystem;

/// <summary>
/// gRPC calls of Grpc.Net.ClientFactory through the chain: a unary call is an ordinary request whose body is pushed; a streaming call is a
/// conversation and is sent once.
/// </summary>
public sealed class GrpcTests
{
    [Theory, InlineData(503), InlineData(429), InlineData(502)]
    public async Task A_unary_call_is_repeated_after_an_http_status(int status)
    {
        await using var server = await KestrelServer.StartHttp2Async(Reply.With(status), Reply.With(status), Grpc.Answer("pong"));
        await using var services = Services(server.Uri);

        string answer = await services.GetRequiredService<EchoClient>().UnaryAsync("ping");

        answer.ShouldBe("pong");
        server.Requests.Count.ShouldBe(3);
        server.Requests.ShouldAllBe(r => r.Body.SequenceEqual(Grpc.Frame("ping")));
        server.Requests.Select(r => r.Key).Distinct().ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(14, 3, StatusCode.OK)]
    [InlineData(8, 3, StatusCode.OK)]
    [InlineData(4, 3, StatusCode.OK)]
    [InlineData(3, 1, StatusCode.InvalidArgument)]
    [InlineData(16, 1, StatusCode.Unauthenticated)]
    public async Task A_unary_call_is_repeated_after_a_status_in_the_head(int code, int requests, StatusCode seen)
    {
        await using var server = await KestrelServer.StartHttp2Async(Grpc.Fail(code), Grpc.Fail(code), Grpc.Answer("pong"));
        await using var services = Services(server.Uri);

        var thrown = await Record.ExceptionAsync(() => services.GetRequiredService<EchoClient>().UnaryAsync("ping"));

        (thrown is RpcException rpc ? rpc.StatusCode : StatusCode.OK).ShouldBe(seen, thrown?.ToString());
        server.Requests.Count.ShouldBe(requests);
    }

    [Theory, InlineData(Chain.Ours), InlineData(Chain.Microsoft)]
    public async Task Each_attempt_has_a_token_of_its_own(Chain chain)
    {
        int tokens = 0;
        await using var server = await KestrelServer.StartHttp2Async(Reply.Unavailable, Grpc.Answer("pong"));
        await using var services = Services(server.Uri, chain, inside: b => b.AddAttemptHandler(
            request => request.Headers.Authorization = new("Bearer", $"{++tokens}")));

        (await services.GetRequiredService<EchoClient>().UnaryAsync("ping")).ShouldBe("pong");

        server.Requests.Select(r => r.Headers["Authorization"]).ShouldBe(["Bearer 1", "Bearer 2"]);
    }

    [Fact]
    public async Task A_429_is_repeated_after_the_time_it_names()
    {
        await using var server = await KestrelServer.StartHttp2Async(Reply.With(429, "", ("Retry-After", "1")), Grpc.Answer("pong"));
        await using var services = Services(server.Uri);
        long startedAt = TimeProvider.System.GetTimestamp();

        (await services.GetRequiredService<EchoClient>().UnaryAsync("ping")).ShouldBe("pong");

        TimeProvider.System.GetElapsedTime(startedAt).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_host_that_never_answers_ends_the_call_at_the_deadline_or_when_the_caller_cancels(bool cancels)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await KestrelServer.StartHttp2Async(context =>
        {
            reached.TrySetResult();
            return Reply.Silence(context);
        });
        await using var services = Services(server.Uri, configure: o =>
            o.TotalRequestTimeout.Timeout = cancels ? ResilientClientUnderTest.Hang : TimeSpan.FromSeconds(1));
        using var caller = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        var calling = services.GetRequiredService<EchoClient>().UnaryAsync("ping", caller.Token);
        await reached.Task.WaitAsync(ResilientClientUnderTest.Hang, TestContext.Current.CancellationToken);
        if (cancels)
            await caller.CancelAsync();

        var thrown = await Should.ThrowAsync<RpcException>(
            () => calling.WaitAsync(ResilientClientUnderTest.Hang, TestContext.Current.CancellationToken));
        thrown.StatusCode.ShouldBe(StatusCode.Cancelled);
        server.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_streaming_call_talks_both_ways_and_is_not_repeated()
    {
        await using var server = await KestrelServer.StartHttp2Async(Grpc.Echo, Grpc.Fail(14, read: false));
        await using var services = Services(server.Uri);
        var client = services.GetRequiredService<EchoClient>();

        using (var call = client.Duplex())
        {
            for (int i = 0; i < 3; i++)
            {
                await call.RequestStream.WriteAsync($"{i}", TestContext.Current.CancellationToken);
                (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken)).ShouldBeTrue();
                call.ResponseStream.Current.ShouldBe($"{i}");
            }

            await call.RequestStream.CompleteAsync();
            (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken)).ShouldBeFalse();
        }

        using var refused = client.Duplex();
        // Fails when it comes after the answer.
        await Record.ExceptionAsync(() => refused.RequestStream.WriteAsync("0", TestContext.Current.CancellationToken));
        (await Should.ThrowAsync<RpcException>(() => refused.ResponseStream.MoveNext(TestContext.Current.CancellationToken)))
            .StatusCode.ShouldBe(StatusCode.Unavailable);
        server.Count.ShouldBe(2);
    }

    private static ServiceProvider Services(
        Uri uri, Chain chain = Chain.Ours, Action<HttpResilienceOptions>? configure = null, Action<IHttpClientBuilder>? inside = null)
    {
        var services = new ServiceCollection();
        var builder = services.AddLogging().AddGrpcClient<EchoClient>(o => o.Address = uri);
        if (chain is Chain.Microsoft)
        {
            builder.AddStandardResilienceHandler(o => o.Retry.Delay = TimeSpan.FromMilliseconds(10));
        }
        else
        {
            builder.AddResilience(o =>
            {
                (o.Retry.Delay, o.CircuitBreaker.FailureThreshold) = (TimeSpan.FromMilliseconds(10), int.MaxValue);
                o.Retry.Budget.RetryRatio = null;
                configure?.Invoke(o);
            });
        }

        inside?.Invoke(builder);
        return services.BuildServiceProvider();
    }

    /// <summary>As generated from a .proto file, with texts for messages.</summary>
    public sealed class EchoClient(CallInvoker invoker)
    {
        private static readonly Marshaller<string> Text = Marshallers.StringMarshaller;
        private static readonly Method<string, string> Unary = new(MethodType.Unary, "test.Echo", "Unary", Text, Text);
        private static readonly Method<string, string> Both = new(MethodType.DuplexStreaming, "test.Echo", "Duplex", Text, Text);

        internal async Task<string> UnaryAsync(string text, CancellationToken? caller = null)
        {
            var options = new CallOptions(
                deadline: DateTime.UtcNow + ResilientClientUnderTest.Hang,
                cancellationToken: caller ?? TestContext.Current.CancellationToken);
            using var call = invoker.AsyncUnaryCall(Unary, null, options, text);
            return await call;
        }

        internal AsyncDuplexStreamingCall<string, string> Duplex() =>
            invoker.AsyncDuplexStreamingCall(Both, null, new(cancellationToken: TestContext.Current.CancellationToken));
    }

    /// <summary>The gRPC protocol over HTTP/2, on the side of the server.</summary>
    private static class Grpc
    {
        internal static RequestDelegate Echo => async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.StartAsync(context.RequestAborted);
            byte[] head = new byte[5];
            while (await context.Request.Body.ReadAtLeastAsync(head, 5, throwOnEndOfStream: false, context.RequestAborted) == 5)
            {
                byte[] message = new byte[BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
                await context.Request.Body.ReadExactlyAsync(message, context.RequestAborted);
                await context.Response.Body.WriteAsync((byte[])[.. head, .. message], context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }

            context.Response.AppendTrailer("grpc-status", "0");
        };

        internal static byte[] Frame(string text)
        {
            byte[] frame = new byte[5 + text.Length];
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), text.Length);
            System.Text.Encoding.ASCII.GetBytes(text, frame.AsSpan(5));
            return frame;
        }

        internal static RequestDelegate Answer(string text) => async context =>
        {
            await Reply.ReadAsync(context);
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(Frame(text), context.RequestAborted);
            context.Response.AppendTrailer("grpc-status", "0");
        };

        internal static RequestDelegate Fail(int code, bool read = true) => async context =>
        {
            if (read)
                await Reply.ReadAsync(context);
            context.Response.ContentType = "application/grpc";
            context.Response.Headers["grpc-status"] = $"{code}";
        };
    }
}
