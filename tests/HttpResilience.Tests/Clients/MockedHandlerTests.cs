using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Clients;

/// <summary>What a mock of a handler returns for a request without a setup.</summary>
public sealed class MockedHandlerTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_handler_that_returns_no_task_is_named_and_not_asked_again(bool asPrimary)
    {
        var mock = new ReturnsNoTask();
        using var chain = new Chain(client: b => _ = asPrimary
            ? b.ConfigurePrimaryHttpMessageHandler(() => mock) : b.AddHttpMessageHandler(() => new Around(mock)));

        var thrown = await Should.ThrowAsync<InvalidOperationException>(() => chain.PostAsync());

        thrown.Message.ShouldStartWith("A handler of the client returned null instead of a task");
        mock.Calls.ShouldBe(1);
    }

    private sealed class ReturnsNoTask : HttpMessageHandler
    {
        internal int Calls { get; private set; }

        internal Task<HttpResponseMessage> SendAsync()
        {
            Calls++;
            return null!;
        }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            SendAsync();
    }

    private sealed class Around(ReturnsNoTask mock) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            mock.SendAsync();
    }
}
