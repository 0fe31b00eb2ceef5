using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests;

/// <summary>Two servers of one API, over real sockets.</summary>
public sealed class EndpointFailoverTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reads_from_many_threads_do_not_notice_that_the_first_server_goes_away_and_comes_back()
    {
        var first = await FaultServer.StartAsync(Ok(), cancellationToken: Stop);
        await using var second = await FaultServer.StartAsync(Ok(), cancellationToken: Stop);
        await using var services = Services([first.Uri, second.Uri], o => o.Logging.Level = Microsoft.Extensions.Logging.LogLevel.None);
        var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("api");
        int failed = 0;

        await LoadAsync(client, 200, () => failed++);
        int before = second.RequestCount;
        await first.DisposeAsync();
        await LoadAsync(client, 2000, () => failed++);

        failed.ShouldBe(0);
        before.ShouldBe(0);
        second.RequestCount.ShouldBe(2000);
    }

    [Fact]
    public async Task A_keyed_post_reaches_the_second_server_under_the_key_that_the_first_has_read()
    {
        await using var first = await FaultServer.StartAsync(new FaultScript().Reset(), cancellationToken: Stop);
        await using var second = await FaultServer.StartAsync(new FaultScript().Status(201), cancellationToken: Stop);
        await using var services = Services([first.Uri, second.Uri], _ => { });
        var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("api");

        using var response = await client.PostAsync(
            "invoices", new StringContent("{}"), Stop);

        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        first.Requests.Single().IdempotencyKey.ShouldBe(second.Requests.Single().IdempotencyKey);
        second.Requests.Single().Headers["Host"].ShouldBe(second.Uri.Authority);
        response.RequestMessage!.RequestUri!.Port.ShouldBe(second.Uri.Port);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_silent_server_is_left_after_the_attempt_timeout(bool async)
    {
        await using var first = await FaultServer.StartAsync(new FaultScript().NeverAnswers(), cancellationToken: Stop);
        await using var second = await FaultServer.StartAsync(Ok(), cancellationToken: Stop);
        await using var services = Services([first.Uri, second.Uri], o => o.AttemptTimeout.Timeout = TimeSpan.FromMilliseconds(300));
        var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("api");
        using var request = new HttpRequestMessage(HttpMethod.Get, "invoices");

        using var response = async
            ? await client.SendAsync(request, Stop)
            : client.Send(request, Stop);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.GetHttpCall()!.Attempts.Count.ShouldBe(2);
    }

    private static FaultScript Ok() => new(keepsRequests: false);

    private static ServiceProvider Services(Uri[] endpoints, Action<HttpResilienceOptions> configure)
    {
        var services = new ServiceCollection();
        services.AddResilientHttpClient("api", o =>
        {
            o.BaseAddress = endpoints[0];
            o.Endpoints.Uris = [.. endpoints.Select(uri => uri.ToString())];
            configure(o);
        });
        return services.BuildServiceProvider();
    }

    private static Task LoadAsync(HttpClient client, int calls, Action failed) => Parallel.ForEachAsync(
        Enumerable.Range(0, calls), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (call, token) =>
        {
            using var response = await client.GetAsync($"invoices/{call}", token);
            if (response.StatusCode is not HttpStatusCode.OK)
                lock (client)
                    failed();
        });
}
