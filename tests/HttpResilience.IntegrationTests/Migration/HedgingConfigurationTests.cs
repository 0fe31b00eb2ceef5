using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace HttpResilience.IntegrationTests.Migration;

/// <summary>Hedging as public projects set it, under both handlers.</summary>
public sealed class HedgingConfigurationTests
{
    [Fact]
    public void A_slow_host_gets_a_second_request_after_the_delay()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("quotes").AddStandardHedgingHandler().Configure(options =>
            {
                options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(15);
                options.Hedging.MaxHedgedAttempts = 2;
                options.Hedging.Delay = TimeSpan.FromMilliseconds(500);
                options.Hedging.OnHedging = _ => app.Count("OnHedging");
            })),
            api => api.Status(200, after: 3).Status(200, after: 0.2).Status(200),
            async run =>
            {
                await run.SendAsync("quotes", HttpMethod.Get);
                await run.SendAsync("quotes", HttpMethod.Get);
            });

        both.ShouldBoth("0, 0.5, 0.7", "200 at 0.7 s, 200 at 0.7 s", "OnHedging 1");
    }

    [Fact]
    public void A_failure_gets_a_second_request_at_once()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("quotes").AddStandardHedgingHandler().Configure(options =>
                options.Hedging.MaxHedgedAttempts = 3)),
            api => api.Status(503).Reset().Status(500).Status(200),
            run => run.SendAsync("quotes", HttpMethod.Get));

        both.ShouldBoth("0, 0, 0, 0", "200 at 0 s");
    }

    [Fact]
    public void The_next_group_is_the_region_to_go_to()
    {
        var both = BothHandlers.Run(
            app =>
            {
                var client = app.Services.AddHttpClient("regions", c => c.BaseAddress = new("https://one.example.com"));
                app.Switch(client.AddStandardHedgingHandler(routing => routing.ConfigureOrderedGroups(options =>
                {
                    foreach (string region in (string[])["one", "two", "three"])
                    {
                        options.Groups.Add(new UriEndpointGroup
                        {
                            Endpoints = [new WeightedUriEndpoint { Uri = new($"https://{region}.example.com") }],
                        });
                    }
                })).Configure(options => options.Hedging.MaxHedgedAttempts = 2));
            },
            api => api.Status(200).Decide(request => request.RequestUri!.Host switch
            {
                "one.example.com" => ScriptedApi.Silence,
                "two.example.com" => ScriptedApi.Answer(503),
                _ => null,
            }),
            run => run.SendAsync("regions", new(HttpMethod.Get, new Uri("/orders/1", UriKind.Relative))));

        both.ShouldBoth("one.example.com 0, two.example.com 2, three.example.com 2", "200 at 2 s");
        both.ShouldReport("Endpoints", "for every request", "for requests to the client's BaseAddress or to an endpoint");
    }

    [Fact]
    public void Each_group_gets_one_request_of_a_call()
    {
        var both = BothHandlers.Run(
            app =>
            {
                var client = app.Services.AddHttpClient("regions", c => c.BaseAddress = new("https://one.example.com"));
                app.Switch(client.AddStandardHedgingHandler(routing => routing.ConfigureOrderedGroups(options =>
                {
                    options.Groups.Add(new UriEndpointGroup { Endpoints = { new() { Uri = new("https://one.example.com") } } });
                    options.Groups.Add(new UriEndpointGroup { Endpoints = { new() { Uri = new("https://two.example.com") } } });
                })).Configure(options => options.Hedging.MaxHedgedAttempts = 4));
            },
            api => api.Status(503),
            run => run.SendAsync("regions", new(HttpMethod.Get, new Uri("/orders/1", UriKind.Relative))));

        both.ShouldBoth("one.example.com 0, two.example.com 0", "503 at 0 s");
    }

    [Fact]
    public void A_share_of_the_calls_goes_to_the_experiment()
    {
        const int Calls = 400;
        var both = BothHandlers.Run(
            app =>
            {
                var client = app.Services.AddHttpClient("shares", c => c.BaseAddress = new("https://stable.example.com"));
                app.Switch(client.AddStandardHedgingHandler(routing => routing.ConfigureWeightedGroups(options =>
                {
                    options.SelectionMode = WeightedGroupSelectionMode.InitialAttempt;
                    options.Groups.Add(Group("stable", 75));
                    options.Groups.Add(Group("experiment", 25));
                })));
            },
            api => api.Status(200).Decide(
                request => request.RequestUri!.Host == "experiment.example.com" ? ScriptedApi.Answer(500) : null),
            async run =>
            {
                for (int i = 0; i < Calls; i++)
                {
                    await run.SendAsync("shares", new(HttpMethod.Get, new Uri("/orders/1", UriKind.Relative)));
                    await run.WaitAsync(60);
                }
            },
            isRandom: true);

        foreach (var run in (AppRun[])[both.Microsoft, both.Ours])
        {
            run.Seen.Ends.Split(", ").ShouldAllBe(end => end.StartsWith("200 at "));
            // Five standard deviations.
            run.Api.Requests.Count(r => r.Uri.Host == "experiment.example.com").ShouldBeInRange(56, 144);
            run.Api.Requests.Count(r => r.Uri.Host == "stable.example.com").ShouldBe(Calls);
        }

        static WeightedUriEndpointGroup Group(string host, int weight) => new()
        {
            Weight = weight,
            Endpoints = [new WeightedUriEndpoint { Uri = new($"https://{host}.example.com") }],
        };
    }

    [Fact]
    public void A_group_of_three_endpoints_shares_the_calls_out_evenly()
    {
        const int Calls = 300;
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("ab", c => c.BaseAddress = new("https://a.example.com"))
                .AddStandardHedgingHandler(routing => routing.ConfigureWeightedGroups(options =>
                {
                    options.SelectionMode = WeightedGroupSelectionMode.EveryAttempt;
                    options.Groups.Add(new WeightedUriEndpointGroup
                    {
                        Endpoints =
                        {
                            new() { Uri = new("https://a.example.com/api"), Weight = 33 },
                            new() { Uri = new("https://b.example.com/api"), Weight = 33 },
                            new() { Uri = new("https://c.example.com/api"), Weight = 33 },
                        },
                    });
                }))),
            api => api.Status(200).Times(Calls).Status(503).Status(200),
            async run =>
            {
                for (int i = 0; i < Calls + 1; i++)
                    await run.SendAsync("ab", new(HttpMethod.Get, new Uri("/orders/1", UriKind.Relative)));
            },
            isRandom: true);

        foreach (var run in (AppRun[])[both.Microsoft, both.Ours])
        {
            run.Api.Requests.ShouldAllBe(r => r.Uri.AbsolutePath == "/orders/1");
            foreach (var host in run.Api.Requests.GroupBy(r => r.Uri.Host))
                host.Count().ShouldBeInRange(59, 141);
            // The only group has had its request.
            run.Api.Requests.Count.ShouldBe(Calls + 1);
            run.Seen.Ends.ShouldEndWith("503 at 0 s");
        }
    }

    [Fact]
    public void Only_reads_are_hedged()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("market").AddStandardHedgingHandler().Configure(options =>
            {
                options.Hedging.Delay = TimeSpan.FromSeconds(1);
                var isTransient = options.Hedging.ShouldHandle;
                options.Hedging.ShouldHandle = arguments => arguments.Context.GetRequestMessage()?.Method == HttpMethod.Get
                    ? isTransient(arguments) : PredicateResult.False();
            })),
            api => api.Status(503).Status(200).Status(503),
            async run =>
            {
                await run.SendAsync("market", HttpMethod.Get);
                await run.SendAsync("market", HttpMethod.Put);
            });

        both.ShouldBoth("0, 0, 0", "200 at 0 s, 503 at 0 s");
    }

    [Fact]
    public void A_limited_request_is_hedged_by_Microsoft_only()
    {
        var both = BothHandlers.Run(
            app => app.Switch(app.Services.AddHttpClient("quotes").AddStandardHedgingHandler()),
            api => api.Status(429, retryAfter: 5).Status(200),
            run => run.SendAsync("quotes", HttpMethod.Get));

        both.Microsoft.Seen.ShouldBe(new("0, 0", "200 at 0 s"));
        both.Ours.Seen.ShouldBe(new("0", "429 at 0 s"));
        both.ShouldReport("Hedging after a failure", "any failure", "not after 429 or a Retry-After");
    }
}
