using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Wire;

/// <summary>
/// A handler inside the chain that catches a failure of the wire and goes on: whatever it ends with, the request may have been processed.
/// </summary>
public sealed class HiddenFailureTests
{
    [Theory]
    [InlineData(Mode.Async, "cut", "sends again, refused"), InlineData(Mode.Sync, "cut", "sends again, refused")]
    [InlineData(Mode.Async, "cut", "calls another host, refused"), InlineData(Mode.Async, "cut", "answers 429")]
    [InlineData(Mode.Async, "cut", "answers 503 with Retry-After"), InlineData(Mode.Async, "given up", "sends again, refused")]
    [InlineData(Mode.Async, "given up", "answers 429"), InlineData(Mode.Async, "cut as a copy", "sends again, refused")]
    public async Task A_post_without_a_key_is_not_repeated(Mode mode, string first, string then)
    {
        await using var server = await KestrelServer.StartAsync(first is "given up" ? Reply.Silence : Reply.Abort);
        await using var client = Create(server, first, then, o => o.Idempotency.Enabled = false);

        var call = await CallAsync(client, mode);

        server.Count.ShouldBe(1);
        (call.StopReason, call.MayHaveBeenProcessed).ShouldBe((StopReason.UnsafeMethod, true));
    }

    [Theory, InlineData("sends again, refused"), InlineData("answers 429")]
    public async Task A_post_with_a_key_is_repeated_under_its_key(string then)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Abort);
        await using var client = Create(server, "cut", then, o => o.Retry.MaxRetryAttempts = 2);

        var call = await CallAsync(client, Mode.Async);

        server.Requests.Select(r => r.Key).ShouldBe([call.IdempotencyKey, call.IdempotencyKey, call.IdempotencyKey]);
        (call.StopReason, call.MayHaveBeenProcessed).ShouldBe((StopReason.AttemptsExhausted, true));
    }

    [Fact]
    public async Task A_post_that_was_refused_each_time_is_not_sent_and_repeated()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = Create(server, "refused", "sends again, refused", o => o.Idempotency.Enabled = false);

        var call = await CallAsync(client, Mode.Async);

        (call.StopReason, call.MayHaveBeenProcessed, server.Count).ShouldBe((StopReason.AttemptsExhausted, false, 0));
    }

    private static ResilientClientUnderTest Create(
        KestrelServer server, string first, string then, Action<HttpResilienceOptions> configure) =>
        new(server.Uri, configure, build: b => b.AddHttpMessageHandler(() => new HidingHandler(first, then)));

    private static async Task<HttpCall> CallAsync(ResilientClientUnderTest client, Mode mode)
    {
        try
        {
            using var response = await client.Client.SendAsync(mode, Sending.Post());
            return response.GetHttpCall()!;
        }
        catch (HttpRequestException e)
        {
            return e.GetHttpCall()!;
        }
    }

    private sealed class HidingHandler(string first, string then) : DelegatingHandler
    {
        private readonly Uri _refusing = new($"http://127.0.0.1:{Ports.Closed()}/");

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                using var given = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                if (first is "given up")
                    given.CancelAfter(TimeSpan.FromMilliseconds(500));
                return await base.SendAsync(FirstOf(request), given.Token);
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                return await ThenAsync(request, cancellationToken);
            }
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return base.Send(FirstOf(request), cancellationToken);
            }
            catch (HttpRequestException)
            {
                request.RequestUri = _refusing;
                return base.Send(request, cancellationToken);
            }
        }

        private HttpRequestMessage FirstOf(HttpRequestMessage request)
        {
            if (first is "refused")
                request.RequestUri = _refusing;
            return first is "cut as a copy" ? new(request.Method, request.RequestUri) { Content = request.Content } : request;
        }

        private async Task<HttpResponseMessage> ThenAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            switch (then)
            {
                case "answers 429":
                    return new(System.Net.HttpStatusCode.TooManyRequests) { RequestMessage = request };
                case "answers 503 with Retry-After":
                    var response = new HttpResponseMessage(System.Net.HttpStatusCode.ServiceUnavailable) { RequestMessage = request };
                    response.Headers.TryAddWithoutValidation("Retry-After", "0.01");
                    return response;
                case "calls another host, refused":
                    using (var other = new HttpClient())
                        return await other.GetAsync(_refusing, cancellationToken);
                default:
                    request.RequestUri = _refusing;
                    return await base.SendAsync(request, cancellationToken);
            }
        }
    }
}
