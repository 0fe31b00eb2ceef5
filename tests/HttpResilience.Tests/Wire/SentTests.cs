using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;

namespace HttpResilience.Tests.Wire;

public sealed class SentTests
{
    public static TheoryData<string> Chains =>
        ["default", "handler inside", "handler inside, no filters", "fallback", "replaced primary handler"];

    [Theory, MemberData(nameof(Chains))]
    public async Task A_request_that_reaches_the_primary_handler_was_sent(string kind)
    {
        using var chain = Create(kind);

        using var response = await chain.GetAsync();

        response.GetHttpCall()!.WasSent.ShouldBeTrue();
    }

    [Theory, InlineData(true, true), InlineData(true, false), InlineData(false, true), InlineData(false, false)]
    public async Task A_request_that_a_handler_inside_the_chain_fails_was_not_sent(bool async, bool hasFilters)
    {
        using var chain = Create(hasFilters ? "handler inside" : "handler inside, no filters", new HttpRequestException("no token"));

        var exception = await Should.ThrowAsync<HttpRequestException>(() => chain.PostAsync(async));

        exception.GetHttpCall()!.WasSent.ShouldBeFalse();
        chain.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Each_attempt_starts_as_not_sent()
    {
        int sent = 0;
        using var chain = new Chain(client: c => c.AddHttpMessageHandler(() => new Gate(() => sent++ == 0 ? null : new IOException())));
        chain.Server.Status(503);

        var exception = await Should.ThrowAsync<IOException>(() => chain.GetAsync());

        exception.GetHttpCall()!.WasSent.ShouldBeFalse();
        chain.Server.Requests.Count.ShouldBe(1);
    }

    private static Chain Create(string kind, Exception? failure = null) => new(
        o => o.Fallback.Enabled = kind is "fallback",
        client =>
        {
            if (kind.StartsWith("handler inside", StringComparison.Ordinal))
                client.AddHttpMessageHandler(() => new Gate(() => failure));
            if (kind is "replaced primary handler")
                client.AddHttpMessageHandler(() => new Gate(() => null)).Services
                    .PostConfigure<HttpClientFactoryOptions>(Chain.Name, o => o.HttpMessageHandlerBuilderActions.Add(
                        b => b.PrimaryHandler = new Answering()));
        },
        services =>
        {
            if (kind is "handler inside, no filters")
                services.RemoveAll<IHttpMessageHandlerBuilderFilter>();
        });

    private sealed class Gate(Func<Exception?> failure) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            failure() is { } e ? throw e : base.SendAsync(request, cancellationToken);

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            failure() is { } e ? throw e : base.Send(request, cancellationToken);
    }

    private sealed class Answering : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage { RequestMessage = request });
    }
}
