using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Clients
{
    /// <summary>
    /// Microsoft's handler, which <c>ConfigureHttpClientDefaults</c> may have put on every client, as .NET Aspire's service defaults do, or
    /// the application on this one.
    /// </summary>
    public sealed class ForeignHandlerTests
    {
        [Theory, InlineData(true), InlineData(false)]
        public async Task The_handler_of_all_clients_is_replaced_with_one_line(bool hasFilters)
        {
            using var chain = new Chain(services: s =>
            {
                AddToAllClients(s);
                if (!hasFilters)
                    s.RemoveAll<IHttpMessageHandlerBuilderFilter>();
            });
            chain.Server.Script(Replies.Status(503), Replies.Status(200));

            (await chain.GetAsync()).Dispose();
            (await chain.GetAsync()).Dispose();

            chain.Server.Requests.Count.ShouldBe(3);
            chain.Server.Requests.ShouldAllBe(s => !s.Headers.ContainsKey("X-Microsoft"));
            var line = chain.Logs.WithId(404).ShouldHaveSingleItem();
            (line.Level, line["ClientName"]).ShouldBe((LogLevel.Information, Chain.Name));
            chain.Logs.WithId(420).ShouldBeEmpty();
        }

        [Theory, InlineData(true), InlineData(false)]
        public async Task A_handler_that_the_application_put_on_the_client_stays_with_one_warning(bool before)
        {
            using var chain = before
                ? new Chain(services: s => s.AddHttpClient(Chain.Name).AddHttpMessageHandler(() => new ResilienceHandler()))
                : new Chain(client: b => b.AddHttpMessageHandler(() => new ResilienceHandler()));
            chain.Server.Script(Replies.Status(503), Replies.Status(200));

            (await chain.GetAsync()).Dispose();
            (await chain.GetAsync()).Dispose();

            chain.Server.Requests.ShouldAllBe(s => s.Headers.ContainsKey("X-Microsoft"));
            chain.Logs.WithId(404).ShouldBeEmpty();
            var line = chain.Logs.WithId(420).ShouldHaveSingleItem();
            (line.Level, line["ClientName"]).ShouldBe((LogLevel.Warning, Chain.Name));
            line.Message.ShouldContain("AddResilienceHandler");
            line.Message.ShouldContain("AddResilientHttpClient");
        }

        // The factory builds handlers anew every two minutes.
        [Fact]
        public void The_lines_are_written_once_for_a_client()
        {
            using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new DerivedHandler()), services: AddToAllClients);

            for (int i = 0; i < 5; i++)
                Chain.BuildHandlers(chain.Services).AdditionalHandlers.OfType<ResilienceHandler>().ShouldHaveSingleItem()
                    .ShouldBeOfType<DerivedHandler>();

            chain.Logs.WithId(404).Count.ShouldBe(1);
            chain.Logs.WithId(420).Count.ShouldBe(1);
        }

        [Fact]
        public void An_infinite_timeout_that_is_the_applications_own_stays()
        {
            using var chain = new Chain(services: s =>
            {
                AddToAllClients(s);
                s.ConfigureHttpClientDefaults(defaults => defaults.ConfigureHttpClient(c => c.Timeout = Timeout.InfiniteTimeSpan));
            });

            chain.Client.Timeout.ShouldBe(Timeout.InfiniteTimeSpan);
        }

        [Fact]
        public void A_timeout_that_is_the_applications_own_stays()
        {
            using var chain = new Chain(
                client: b => b.ConfigureHttpClient(c => c.Timeout = TimeSpan.FromSeconds(7)), services: AddToAllClients);

            chain.Client.Timeout.ShouldBe(TimeSpan.FromSeconds(7));
        }

        [Fact]
        public void The_foreign_handler_stays_on_a_client_without_the_chain()
        {
            using var chain = new Chain(services: s =>
            {
                AddToAllClients(s);
                s.AddHttpClient("other");
            });

            Chain.BuildHandlers(chain.Services, "other").AdditionalHandlers.ShouldContain(h => h is ResilienceHandler);
        }

        [Fact]
        public async Task A_client_without_it_has_no_such_line()
        {
            using var chain = new Chain();

            (await chain.GetAsync()).Dispose();

            chain.Logs.WithId(404).ShouldBeEmpty();
            chain.Logs.WithId(420).ShouldBeEmpty();
        }

        private static void AddToAllClients(IServiceCollection services) =>
            services.ConfigureHttpClientDefaults(defaults => defaults.AddHttpMessageHandler(() => new ResilienceHandler()));

        private sealed class DerivedHandler : ResilienceHandler;
    }
}

namespace Microsoft.Extensions.Http.Resilience
{
    internal class ResilienceHandler : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.TryAddWithoutValidation("X-Microsoft", "1");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
