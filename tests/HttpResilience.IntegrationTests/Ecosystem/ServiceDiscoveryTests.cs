using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.IntegrationTests.Ecosystem;

/// <summary>
/// Microsoft.Extensions.ServiceDiscovery, as .NET Aspire's service defaults add it to all clients. It stands inside the chain, so that
/// each attempt may go to another endpoint.
/// </summary>
public sealed class ServiceDiscoveryTests
{
    private const int Calls = 8;

    private static readonly string[][] Orders =
    [
        ["standard", "discovery", "client"], ["standard", "client", "discovery"], ["discovery", "standard", "client"],
        ["discovery", "client", "standard"], ["client", "standard", "discovery"], ["client", "discovery", "standard"],
    ];

    public static IEnumerable<ITheoryDataRow> AllOrders =>
        from i in Enumerable.Range(0, Orders.Length)
        from hasFilters in (bool[])[true, false]
        select new TheoryDataRow<int, bool>(i, hasFilters)
        {
            TestDisplayName = string.Join(", ", Orders[i]) + (hasFilters ? "" : ", no filters"),
        };

    [Theory, MemberData(nameof(AllOrders))]
    public async Task Every_call_succeeds_when_one_of_two_endpoints_is_dead(int order, bool hasFilters)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        using var log = new LogCollector();
        await using var ours = Services(log, server.Uri, services =>
        {
            foreach (string step in Orders[order])
                Add(services, step, s => s.AddResilientHttpClient("orders", Fast));
            if (!hasFilters)
                services.RemoveAll<IHttpMessageHandlerBuilderFilter>();
        });
        await using var microsoft = Services(log, server.Uri, services =>
        {
            foreach (string step in Orders[order])
                Add(services, step, s => s.AddHttpClient("orders"));
        });

        int succeeded = await SucceededAsync(ours);

        succeeded.ShouldBe(Calls, string.Join('\n', log.Lines.Select(l => l.Text)));
        server.Requests.Count.ShouldBe(Calls);
        log.Lines.Count(l => l.EventId == 404).ShouldBe(1);
        log.Lines.ShouldNotContain(l => l.Text.Contains(":-1"));
        // Microsoft's handler stays where it was put: inside service discovery, all attempts of a call go to the same endpoint.
        bool isOutside = Array.IndexOf(Orders[order], "standard") < Array.IndexOf(Orders[order], "discovery");
        int ofMicrosoft = await SucceededAsync(microsoft);
        TestContext.Current.TestOutputHelper!.WriteLine($"HttpResilience {succeeded}, Microsoft {ofMicrosoft} of {Calls}");
        (ofMicrosoft == Calls).ShouldBe(isOutside);
    }

    [Theory]
    [InlineData("https+http://orders", "/v1/orders", "https+http://orders"), InlineData("http://orders", "/v1/orders", "http://orders")]
    [InlineData("https+http://orders/v1", "orders", "https+http://orders")]
    [InlineData("http+https://orders", "v1/orders", "http+https://orders")]
    public async Task A_letter_keeps_the_logical_uri_and_is_replayed_to_whichever_endpoint_is_there(
        string baseAddress, string target, string authority)
    {
        await using var server = await KestrelServer.StartAsync(Reply.With(500), Reply.With(201));
        using var log = new LogCollector();
        await using var services = Services(log, server.Uri, s =>
        {
            s.AddHttpResilienceStorage(storage => storage.UseInMemory());
            s.AddResilientHttpClient("orders", o => (o.DeadLetter.Enabled, o.Retry.MaxRetryAttempts) = (true, 0));
            s.ConfigureHttpClientDefaults(all => all.AddStandardResilienceHandler());
            s.ConfigureHttpClientDefaults(all => all.AddServiceDiscovery());
        }, withDead: false, baseAddress);
        using var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("orders");

        using var failed = await client.PostAsync(target, new StringContent("{}"), TestContext.Current.CancellationToken);

        var call = failed.GetHttpCall()!;
        ((int)failed.StatusCode, call.StopReason).ShouldBe((500, StopReason.AttemptsExhausted));
        var letters = services.GetRequiredService<IDeadLetterStore>();
        var letter = await letters.FindAsync(call.DeadLetterId!.Value, TestContext.Current.CancellationToken);
        (letter!.Uri.OriginalString, letter.Authority).ShouldBe(($"{authority}/v1/orders", authority));
        var review = services.GetRequiredService<IDeadLetterReview>();
        var replayed = await review.SendAsync(letter.Id, "tester", TestContext.Current.CancellationToken);
        replayed.Status.ShouldBe(DeadLetterStatus.Replayed);
        server.Requests.ShouldAllBe(r => r.Target == "/v1/orders");
        server.Requests.Select(r => r.Key).Distinct().ShouldHaveSingleItem();
        log.Lines.ShouldNotContain(l => l.Text.Contains(":-1"));
        services.GetRequiredService<ICircuits>().List("orders").ShouldHaveSingleItem().Authority.ShouldBe(authority);
    }

    [Theory, InlineData("https+http://orders", true), InlineData("http://orders", true), InlineData("http://orders", false)]
    public async Task The_last_good_response_answers_for_all_endpoints(string baseAddress, bool hasCircuit)
    {
        int isDown = 0;
        await using var server = await KestrelServer.StartAsync(
            context => Volatile.Read(ref isDown) == 0 ? Reply.Ok($"{context.Request.Query["user"]}")(context) : Reply.Unavailable(context));
        using var log = new LogCollector();
        await using var services = Services(log, server.Uri, s =>
        {
            s.AddResilientHttpClient("orders", o =>
            {
                (o.Fallback.Enabled, o.Retry.Delay) = (true, TimeSpan.FromMilliseconds(1));
                o.CircuitBreaker.UseClassic();
                if (!hasCircuit)
                    o.CircuitBreaker.BreakDuration = null;
            });
            s.ConfigureHttpClientDefaults(all => all.AddServiceDiscovery());
        }, withDead: true, baseAddress);
        using var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("orders");
        (await client.GetAsync("/orders?user=a", TestContext.Current.CancellationToken)).Dispose();
        (await client.GetAsync("/orders?user=b", TestContext.Current.CancellationToken)).Dispose();
        Volatile.Write(ref isDown, 1);

        for (int i = 0; i < Calls; i++)
        {
            string user = i % 2 == 0 ? "a" : "b";
            using var stale = await client.GetAsync($"/orders?user={user}", TestContext.Current.CancellationToken);
            (stale.GetHttpCall()!.IsStale, await stale.TextAsync()).ShouldBe((true, user));
        }

        int? other = null;
        var rejected = await Record.ExceptionAsync(async () =>
            other = (int)(await client.GetAsync("/orders?user=c", TestContext.Current.CancellationToken)).StatusCode);
        (other, rejected is CircuitOpenException).ShouldBe(hasCircuit ? (null, true) : (503, false));
    }

    [Theory, InlineData("https+http://catalog"), InlineData("http+https://catalog/v1"), InlineData("https+http://_api.catalog")]
    public void A_logical_base_address_is_valid(string baseAddress)
    {
        using var log = new LogCollector();
        using var services = Services(log, new("http://127.0.0.1"), s => s.AddResilientHttpClient("orders"), false, baseAddress);

        using var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("orders");

        client.BaseAddress!.OriginalString.TrimEnd('/').ShouldBe(baseAddress);
    }

    [Theory, InlineData("https+ftp://catalog"), InlineData("https+://catalog"), InlineData("http+http"), InlineData("tcp://catalog")]
    public void Other_schemes_are_not(string baseAddress)
    {
        using var log = new LogCollector();
        using var services = Services(log, new("http://127.0.0.1"), s => s.AddResilientHttpClient("orders"), false, baseAddress);

        Should.Throw<OptionsValidationException>(() => services.GetRequiredService<IHttpClientFactory>().CreateClient("orders"))
            .Message.ShouldStartWith("HttpResilience:Clients:orders:BaseAddress is ");
    }

    private static void Add(IServiceCollection services, string step, Action<IServiceCollection> addClient)
    {
        if (step is "client")
            addClient(services);
        else if (step is "discovery")
            services.ConfigureHttpClientDefaults(defaults => defaults.AddServiceDiscovery());
        else
        {
            services.ConfigureHttpClientDefaults(defaults => defaults.AddStandardResilienceHandler(
                o => o.Retry.Delay = TimeSpan.FromMilliseconds(10)));
        }
    }

    private static void Fast(HttpResilienceOptions options)
    {
        options.BaseAddress = new("http://orders");
        options.Retry.Delay = TimeSpan.FromMilliseconds(10);
    }

    private static async Task<int> SucceededAsync(IServiceProvider services)
    {
        using var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("orders");
        client.BaseAddress = new("http://orders");
        int succeeded = 0;
        for (int i = 0; i < Calls; i++)
        {
            try
            {
                using var response = await client.GetAsync($"/orders/{i}", TestContext.Current.CancellationToken);
                succeeded += response.IsSuccessStatusCode ? 1 : 0;
            }
            catch (HttpRequestException)
            {
            }
        }

        return succeeded;
    }

    private static ServiceProvider Services(
        LogCollector log, Uri alive, Action<IServiceCollection> add, bool withDead = true, string? baseAddress = null)
    {
        var settings = new Dictionary<string, string?> { ["Services:orders:http:1"] = alive.ToString().TrimEnd('/') };
        if (withDead)
            settings["Services:orders:http:0"] = $"http://127.0.0.1:{Ports.Closed()}";
        if (baseAddress is not null)
            settings["HttpResilience:Clients:orders:BaseAddress"] = baseAddress;
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(log)).AddServiceDiscovery();
        add(services);
        return services.BuildServiceProvider();
    }
}
