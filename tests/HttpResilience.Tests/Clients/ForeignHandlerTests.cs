using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Clients
{
    /// <summary>
    /// Microsoft's handler, which <c>ConfigureHttpClientDefaults</c> may have put on every client, as .NET Aspire's service defaults do.
    /// </summary>
    public sealed class ForeignHandlerTests
    {
        [Theory, InlineData(true), InlineData(false)]
        public async Task The_foreign_handler_is_removed_with_one_line(bool before)
        {
            void AddDefaults(IServiceCollection services) =>
                services.ConfigureHttpClientDefaults(defaults => defaults.AddHttpMessageHandler(() => new ResilienceHandler()));
            using var chain = before
                ? new Chain(services: AddDefaults)
                : new Chain(client: b => b.AddHttpMessageHandler(() => new ResilienceHandler()));
            chain.Server.Script(Replies.Status(503), Replies.Status(200));

            (await chain.GetAsync()).Dispose();
            (await chain.GetAsync()).Dispose();

            chain.Server.Requests.Count.ShouldBe(3);
            chain.Server.Requests.ShouldAllBe(s => !s.Headers.ContainsKey("X-Microsoft"));
            var line = chain.Logs.WithId(404).ShouldHaveSingleItem();
            (line.Level, line["ClientName"]).ShouldBe((LogLevel.Information, Chain.Name));
        }

        // The factory builds handlers anew every two minutes.
        [Fact]
        public void The_line_is_written_once_for_a_client()
        {
            using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new ResilienceHandler()));

            for (int i = 0; i < 5; i++)
                Chain.BuildHandlers(chain.Services).AdditionalHandlers.ShouldNotContain(h => h is ResilienceHandler);

            chain.Logs.WithId(404).Count.ShouldBe(1);
        }

        // AddStandardResilienceHandler leaves the deadline to its handler (dotnet/extensions#5363), which is not there any more.
        [Fact]
        public void The_infinite_timeout_that_comes_with_it_goes_with_it()
        {
            using var chain = new Chain(services: s => s.ConfigureHttpClientDefaults(defaults => defaults
                .AddHttpMessageHandler(() => new ResilienceHandler())
                .ConfigureHttpClient(c => c.Timeout = Timeout.InfiniteTimeSpan)));

            chain.Client.Timeout.ShouldBe(TimeSpan.FromSeconds(101));
        }

        [Fact]
        public void A_timeout_that_is_the_applications_own_stays()
        {
            using var chain = new Chain(client: b => b
                .AddHttpMessageHandler(() => new ResilienceHandler()).ConfigureHttpClient(c => c.Timeout = TimeSpan.FromSeconds(7)));

            chain.Client.Timeout.ShouldBe(TimeSpan.FromSeconds(7));
        }

        [Fact]
        public void The_foreign_handler_stays_on_a_client_without_the_chain()
        {
            using var chain = new Chain(services: s => s.AddHttpClient("other").AddHttpMessageHandler(() => new ResilienceHandler()));

            Chain.BuildHandlers(chain.Services, "other").AdditionalHandlers.ShouldContain(h => h is ResilienceHandler);
        }

        [Fact]
        public async Task A_client_without_it_has_no_such_line()
        {
            using var chain = new Chain();

            (await chain.GetAsync()).Dispose();

            chain.Logs.WithId(404).ShouldBeEmpty();
        }
    }
}

namespace Microsoft.Extensions.Http.Resilience
{
    internal sealed class ResilienceHandler : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Add("X-Microsoft", "1");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
