using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Moq;
using Moq.Protected;

namespace HttpResilience.IntegrationTests.Ecosystem;

/// <summary>A handler that Moq makes, as the tests of applications have it.</summary>
public sealed class MockTests
{
    private static readonly Uri Orders = new("https://api.test/orders");

    [Fact]
    public async Task A_mock_that_makes_a_response_for_each_request_is_repeated()
    {
        int requests = 0;
        var mock = new Mock<HttpMessageHandler>();
        Setup(mock).ReturnsAsync(() => new(++requests < 3 ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK)
        {
            Content = new StringContent("the body"),
        });
        await using var services = Services(mock);

        using var response = await Create(services).GetAsync(Orders, TestContext.Current.CancellationToken);

        (await response.TextAsync()).ShouldBe("the body");
        mock.Protected().Verify("SendAsync", Times.Exactly(3), ItExpr.IsAny<HttpRequestMessage>(), ItExpr.IsAny<CancellationToken>());
    }

    [Fact]
    public async Task A_mock_that_returns_one_response_gets_a_message_that_says_so()
    {
        var mock = new Mock<HttpMessageHandler>();
        var busy = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { Content = new StringContent("busy") };
        Setup(mock).ReturnsAsync(busy);
        await using var services = Services(mock);

        var thrown = await Should.ThrowAsync<InvalidOperationException>(
            () => Create(services).PostAsync(Orders, new StringContent("{}"), TestContext.Current.CancellationToken));

        thrown.Message.ShouldStartWith(
            "The handler that answered POST https://api.test returned the same response object for two attempts; the response to the first "
            + "is disposed before the second is sent. A mock must create a new HttpResponseMessage");
    }

    [Fact]
    public async Task A_mock_that_returns_one_response_to_one_attempt_is_as_without_the_chain()
    {
        var mock = new Mock<HttpMessageHandler>();
        Setup(mock).ReturnsAsync(new HttpResponseMessage { Content = new StringContent("the body") });
        await using var services = Services(mock);

        for (int i = 0; i < 2; i++)
            (await (await Create(services).GetAsync(Orders, TestContext.Current.CancellationToken)).TextAsync()).ShouldBe("the body");
    }

    private static Moq.Language.Flow.ISetup<HttpMessageHandler, Task<HttpResponseMessage>> Setup(Mock<HttpMessageHandler> mock) =>
        mock.Protected().Setup<Task<HttpResponseMessage>>(
            "SendAsync", ItExpr.IsAny<HttpRequestMessage>(), ItExpr.IsAny<CancellationToken>());

    private static HttpClient Create(IServiceProvider services) =>
        services.GetRequiredService<IHttpClientFactory>().CreateClient("orders");

    private static ServiceProvider Services(Mock<HttpMessageHandler> mock)
    {
        var services = new ServiceCollection();
        services.AddResilientHttpClient("orders", o => o.Retry.Delay = TimeSpan.FromMilliseconds(1))
            .ConfigurePrimaryHttpMessageHandler(() => mock.Object);
        return services.BuildServiceProvider();
    }
}
