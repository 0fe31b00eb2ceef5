using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Wire;

/// <summary>
/// A handler inside the chain that sends through connections of its own: that the innermost stage saw nothing does not mean that nothing
/// was sent.
/// </summary>
public sealed class BypassedWireTests
{
    [Theory]
    [InlineData(Mode.Async, "cut", false, false), InlineData(Mode.Async, "cut", false, true), InlineData(Mode.Async, "cut", true, false)]
    [InlineData(Mode.Sync, "cut", false, true)]
    [InlineData(Mode.Async, "silence", false, false), InlineData(Mode.Async, "silence", true, true)]
    public async Task A_post_without_a_key_is_not_repeated(Mode mode, string failure, bool copies, bool afterSuccess)
    {
        await using var server = await KestrelServer.StartAsync([
            .. afterSuccess ? [Reply.Ok()] : Array.Empty<Microsoft.AspNetCore.Http.RequestDelegate>(),
            failure is "cut" ? Reply.Abort : Reply.Silence]);
        await using var client = Create(server, copies, o =>
        {
            o.Idempotency.Enabled = false;
            o.AttemptTimeout.Timeout = TimeSpan.FromSeconds(failure is "cut" ? 30 : 1);
        });
        if (afterSuccess)
            (await client.Client.SendAsync(Mode.Async, Sending.Get())).Dispose();

        var call = (await client.Client.FailAsync<Exception>(mode, Sending.Post())).GetHttpCall()!;

        server.Requests.Count(r => r.Method == "POST").ShouldBe(1);
        (call.StopReason, call.MayHaveBeenProcessed).ShouldBe((StopReason.UnsafeMethod, true));
    }

    [Fact]
    public async Task A_refused_connection_is_not_sent_all_the_same()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = Create(server, copies: false, o => o.Idempotency.Enabled = false);
        await server.DisposeAsync();

        var call = (await client.Client.FailAsync<HttpRequestException>(Mode.Async, Sending.Post())).GetHttpCall()!;

        call.ShouldHaveEnded(attempts: 4, FailureClass.Transient, StopReason.AttemptsExhausted);
        call.MayHaveBeenProcessed.ShouldBeFalse();
    }

    [Fact]
    public async Task A_host_that_fails_opens_its_circuit_once_the_bypass_is_known()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok(), Reply.Abort);
        await using var client = Create(
            server, copies: false, o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (2, 0));
        (await client.Client.SendAsync(Mode.Async, Sending.Get())).Dispose();
        for (int i = 0; i < 2; i++)
            await client.Client.FailAsync<HttpRequestException>(Mode.Async, Sending.Post());

        await client.Client.FailAsync<CircuitOpenException>(Mode.Async, Sending.Get());
    }

    [Theory, InlineData("cut"), InlineData("silence")]
    public async Task A_handler_that_sends_reads_through_the_chain_and_writes_by_itself_does_not_have_them_repeated(string failure)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok(), failure is "cut" ? Reply.Abort : Reply.Silence);
        await using var client = new ResilientClientUnderTest(
            server.Uri,
            o =>
            {
                o.Idempotency.Enabled = false;
                o.AttemptTimeout.Timeout = TimeSpan.FromSeconds(failure is "cut" ? 30 : 1);
            },
            build: b => b.AddHttpMessageHandler(() => new OwnConnections(copies: true) { Method = HttpMethod.Post }));
        (await client.Client.SendAsync(Mode.Async, Sending.Get())).Dispose();

        var call = (await client.Client.FailAsync<Exception>(Mode.Async, Sending.Post())).GetHttpCall()!;

        server.Count.ShouldBe(2);
        (call.StopReason, call.MayHaveBeenProcessed).ShouldBe((StopReason.UnsafeMethod, true));
    }

    [Fact]
    public async Task A_handler_that_fails_before_sending_leaves_the_request_unsent_once_another_of_its_method_was_sent()
    {
        bool fails = false;
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = new ResilientClientUnderTest(
            server.Uri, o => (o.Idempotency.Enabled, o.CircuitBreaker.UseClassic().FailureThreshold) = (false, 2),
            build: b => b.AddAttemptHandler(_ =>
            {
                if (fails)
                    throw new HttpRequestException("no token", new IOException("cut"));
            }));
        (await client.Client.SendAsync(Mode.Async, Sending.Post())).Dispose();
        fails = true;

        var call = (await client.Client.FailAsync<HttpRequestException>(Mode.Async, Sending.Post())).GetHttpCall()!;

        call.ShouldHaveEnded(attempts: 4, FailureClass.Transient, StopReason.AttemptsExhausted);
        (call.MayHaveBeenProcessed, server.Count).ShouldBe((false, 1));
    }

    private static ResilientClientUnderTest Create(KestrelServer server, bool copies, Action<HttpResilienceOptions> configure) =>
        new(server.Uri, configure, build: b => b.AddHttpMessageHandler(() => new OwnConnections(copies)));

    private sealed class OwnConnections(bool copies) : DelegatingHandler
    {
        private readonly HttpMessageInvoker _own = new(new SocketsHttpHandler { UseProxy = false });

        // Null for all.
        internal HttpMethod? Method { get; init; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            (Method ?? request.Method) == request.Method ? _own.SendAsync(Of(request), cancellationToken)
                : base.SendAsync(request, cancellationToken);

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            _own.Send(Of(request), cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _own.Dispose();
            base.Dispose(disposing);
        }

        private HttpRequestMessage Of(HttpRequestMessage request) =>
            copies ? new(request.Method, request.RequestUri) { Content = request.Content } : request;
    }
}
