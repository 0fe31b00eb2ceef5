using HttpResilience.Tests.Fallback;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;

namespace HttpResilience.Tests.Clients;

/// <summary>
/// An application that has removed the filters of the factory, the usual way to silence its log: nothing of the chain depends on them.
/// </summary>
public sealed class WithoutFiltersTests
{
    [Theory, InlineData("removed after"), InlineData("removed before"), InlineData("removed, and one of its own added")]
    public async Task The_chain_is_complete(string filters)
    {
        int seen = 0;
        using var chain = FallbackChain.Open(
            client: b => b.AddHttpMessageHandler(() => new Header()),
            services: services =>
            {
                if (filters is "removed before")
                    services.AddResilientHttpClient("later");
                services.RemoveAll<IHttpMessageHandlerBuilderFilter>();
                if (filters is "removed, and one of its own added")
                    services.AddSingleton<IHttpMessageHandlerBuilderFilter>(new Filter(() => seen++));
                if (filters is "removed before")
                    services.AddResilientHttpClient("last");
            });
        chain.Server.Script(FallbackChain.Good(), Replies.Status(503));

        (await chain.GetAsync()).Dispose();

        (await chain.StaleAsync()).ShouldBe("good");
        chain.Logs.Entries.ShouldNotContain(e => e.Category.StartsWith("System.Net.Http.HttpClient", StringComparison.Ordinal));
        seen.ShouldBe(filters.EndsWith("added", StringComparison.Ordinal) ? 1 : 0);
    }

    [Fact]
    public void The_spans_of_attempts_are_counted()
    {
        var services = new ServiceCollection();
        services.AddResilientHttpClient(Chain.Name);
        services.RemoveAll<IHttpMessageHandlerBuilderFilter>();
        using var provider = services.BuildServiceProvider();

        Chain.BuildHandlers(provider).PrimaryHandler.ShouldBeOfType<SocketsHttpHandler>().ActivityHeadersPropagator
            .ShouldBeOfType<ResendCountPropagator>();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_keyed_client_has_the_chain(bool hasFilters)
    {
        using var chain = new Chain(client: b => b.AddAsKeyed(), services: services =>
        {
            if (!hasFilters)
                services.RemoveAll<IHttpMessageHandlerBuilderFilter>();
        });
        chain.Server.Script(Replies.Status(503), Replies.Status(200));
        using var scope = chain.Services.CreateScope();

        using var response = await scope.ServiceProvider.GetRequiredKeyedService<HttpClient>(Chain.Name)
            .SendAsync(Chain.Post(), TestContext.Current.CancellationToken);

        response.GetHttpCall()!.Attempts.Count.ShouldBe(2);
    }

    private sealed class Header : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Add("X-User", "1");
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class Filter(Action seen) : IHttpMessageHandlerBuilderFilter
    {
        public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
        {
            next(builder);
            seen();
        };
    }
}
