using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using RichardSzalay.MockHttp;

namespace HttpResilience.Tests.Clients;

/// <summary>What the chain sets on the client and where the application's own settings and handlers stand.</summary>
public sealed class HttpClientDefaultsTests
{
    private readonly ServiceCollection _services = [];

    [Theory, InlineData("00:00:20", 21), InlineData("1.00:00:00", 86_401)]
    public void The_timeout_of_the_client_is_a_backstop_a_little_behind_the_deadline(string total, double seconds)
    {
        _services.AddResilientHttpClient("invoices", o => o.TotalRequestTimeout.Timeout = TimeSpan.Parse(total, null));

        Create().Timeout.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public void Without_a_deadline_there_is_no_backstop()
    {
        _services.AddResilientHttpClient("invoices", o => o.TotalRequestTimeout.Timeout = null);

        Create().Timeout.ShouldBe(Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public void A_timeout_that_the_application_set_before_wins()
    {
        _services.AddHttpClient("invoices", c => c.Timeout = TimeSpan.FromSeconds(7)).AddResilience();

        Create().Timeout.ShouldBe(TimeSpan.FromSeconds(7));
    }

    [Fact]
    public void A_timeout_that_the_application_sets_after_wins()
    {
        _services.AddResilientHttpClient("invoices").ConfigureHttpClient(c => c.Timeout = TimeSpan.FromSeconds(7));

        Create().Timeout.ShouldBe(TimeSpan.FromSeconds(7));
    }

    [Fact]
    public void A_timeout_that_the_application_sets_for_all_clients_wins()
    {
        _services.AddResilientHttpClient("invoices");
        _services.ConfigureHttpClientDefaults(defaults => defaults.ConfigureHttpClient(c => c.Timeout = Timeout.InfiniteTimeSpan));

        Create().Timeout.ShouldBe(Timeout.InfiniteTimeSpan);
    }

    [Theory]
    [InlineData("https://api.example.com", "https://api.example.com/")]
    [InlineData("https://api.example.com/v1", "https://api.example.com/v1/")]
    [InlineData("https://api.example.com/v1/", "https://api.example.com/v1/")]
    [InlineData("http://api.example.com:8080/a%20b", "http://api.example.com:8080/a%20b/")]
    public void The_base_address_ends_with_a_slash(string configured, string expected)
    {
        _services.AddResilientHttpClient("invoices", o => o.BaseAddress = new(configured));

        Create().BaseAddress!.AbsoluteUri.ShouldBe(expected);
    }

    [Theory, InlineData("https://api.example.com/v1"), InlineData("https://api.example.com/v1/")]
    public async Task A_relative_uri_starts_below_the_base_address(string configured)
    {
        using var server = new MockHttpMessageHandler();
        server.Expect(HttpMethod.Get, "https://api.example.com/v1/invoices/1").Respond(HttpStatusCode.OK);
        _services.AddResilientHttpClient("invoices", o => o.BaseAddress = new(configured)).ConfigurePrimaryHttpMessageHandler(() => server);

        (await Create().GetAsync(new Uri("invoices/1", UriKind.Relative), TestContext.Current.CancellationToken)).Dispose();

        server.VerifyNoOutstandingExpectation();
    }

    [Fact]
    public void A_base_address_that_the_application_set_wins()
    {
        _services.AddHttpClient("invoices", c => c.BaseAddress = new("https://mine.example.com/v2")).AddResilience(
            o => o.BaseAddress = new("https://api.example.com"));

        Create().BaseAddress!.AbsoluteUri.ShouldBe("https://mine.example.com/v2");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Handlers_of_the_application_run_inside_the_chain_once_for_each_attempt(bool async)
    {
        var seen = new ConcurrentQueue<string?>();
        using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new Notes(seen)));
        chain.Server.Script(Replies.Status(503), Replies.Reset(), Replies.Status(200));

        (await chain.PostAsync(async)).Dispose();

        seen.Count.ShouldBe(3);
        seen.Distinct().ShouldHaveSingleItem().ShouldBe(chain.Server.Requests[0].IdempotencyKey);
    }

    [Fact]
    public async Task Handlers_that_were_there_before_run_outside_the_chain_once_for_each_call()
    {
        var seen = new ConcurrentQueue<string?>();
        var clock = new ManualTimeProvider { SkipsWaits = true };
        using var server = new FaultScript(clock);
        server.Script(Replies.Status(503), Replies.Status(200));
        _services.AddSingleton<TimeProvider>(clock).AddHttpClient("invoices").AddHttpMessageHandler(() => new Notes(seen))
            .ConfigurePrimaryHttpMessageHandler(() => server).AddResilience();

        (await Create().SendAsync(Chain.Post(), TestContext.Current.CancellationToken)).Dispose();

        seen.ShouldBe([null]);
        server.Requests.Count.ShouldBe(2);
    }

    private HttpClient Create()
    {
        var client = _services.BuildServiceProvider().GetRequiredService<IHttpClientFactory>().CreateClient("invoices");
        client.BaseAddress ??= new("https://api.test/");
        return client;
    }

    private sealed class Notes(ConcurrentQueue<string?> seen) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Note(request);
            return base.SendAsync(request, cancellationToken);
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Note(request);
            return base.Send(request, cancellationToken);
        }

        private void Note(HttpRequestMessage request) =>
            seen.Enqueue(request.Headers.TryGetValues("Idempotency-Key", out var keys) ? string.Join(',', keys) : null);
    }
}
