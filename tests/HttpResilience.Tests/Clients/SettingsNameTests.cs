using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Clients;

/// <summary>Settings under a name or a section that is not that of the client in the factory, and clients without the chain.</summary>
public sealed class SettingsNameTests : IDisposable
{
    // As Refit names its clients.
    private const string LongName =
        "Refit.Implementation.Generated+IPartner, Partner, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null";

    private readonly ManualTimeProvider _clock = new() { SkipsWaits = true };
    private readonly FaultScript _server;
    private readonly LogCollector _logs = new();
    private readonly List<IHost> _hosts = [];

    public SettingsNameTests() => _server = new(_clock);

    [Fact]
    public async Task A_name_gives_a_client_settings_and_state_of_its_own()
    {
        var host = await StartAsync(
            s => Serve(s.AddHttpClient(LongName).AddResilience("partner")),
            """{ "HttpResilience": { "Clients": { "partner": { "Retry": { "MaxRetryAttempts": 1, "Delay": "00:00:00" } } } } }""");
        _server.Script(Replies.Status(500));

        using var response = await GetAsync(host, LongName);

        _server.Requests.Count.ShouldBe(2);
        response.GetHttpCall()!.ClientName.ShouldBe("partner");
        _logs.Call["ClientName"].ShouldBe("partner");
        host.Services.GetRequiredService<ICircuits>().List("partner").ShouldHaveSingleItem();
        var clients = host.Services.GetRequiredService<IResilientClients>();
        (clients.Names!.ShouldHaveSingleItem(), clients.List().ShouldHaveSingleItem().Name).ShouldBe(("partner", "partner"));
        _logs.Entries.Where(e => e.Level == LogLevel.Warning && e.Id.Id != 102).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_monitor_knows_a_client_by_both_of_its_names()
    {
        var host = await StartAsync(
            s => s.AddHttpClient(LongName).AddResilience("partner"),
            """{ "HttpResilience": { "Clients": { "partner": { "Retry": { "MaxRetryAttempts": 1 } } } } }""");
        var monitor = host.Services.GetRequiredService<IOptionsMonitor<HttpResilienceOptions>>();

        monitor.Get("partner").Retry.MaxRetryAttempts.ShouldBe(1);
        monitor.Get(LongName).ShouldBeSameAs(monitor.Get("partner"));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Code_counts_before_and_after_the_name(bool codeFirst)
    {
        var host = await StartAsync(s =>
        {
            var builder = s.AddHttpClient(LongName);
            _ = codeFirst
                ? builder.AddResilience(o => o.Retry.MaxRetryAttempts = 7).AddResilience("partner")
                : builder.AddResilience("partner").AddResilience(o => o.Retry.MaxRetryAttempts = 7);
        });

        host.Services.GetRequiredKeyedService<Client>("partner").Policy.Retry.MaxRetryAttempts.ShouldBe(7);
        host.Services.GetRequiredKeyedService<Client>(LongName).ShouldBeSameAs(host.Services.GetRequiredKeyedService<Client>("partner"));
    }

    [Fact]
    public async Task A_typed_client_can_have_a_name_for_its_settings()
    {
        var host = await StartAsync(s => Serve(s.AddResilientHttpClient<Partner>().AddResilience("partner")));
        _server.Script(Replies.Status(200));

        using var response = await host.Services.GetRequiredService<Partner>().Http.GetAsync(
            "https://api.test/", TestContext.Current.CancellationToken);

        response.GetHttpCall()!.ClientName.ShouldBe("partner");
        host.Services.GetServices<ResilientClient>().ShouldAllBe(c => c.Name == "partner");
    }

    [Fact]
    public async Task A_dead_letter_of_the_name_goes_out_through_its_client()
    {
        // The workers of the store begin beside the call: a wait of theirs that is skipped would end its time.
        _clock.SkipsWaits = false;
        var host = await StartAsync(s =>
        {
            s.AddHttpResilienceStorage(storage => storage.UseInMemory());
            Serve(s.AddHttpClient(LongName, c => c.BaseAddress = new("https://api.test/")).AddResilience("partner")
                .AddResilience(o => (o.DeadLetter.Enabled, o.Retry.MaxRetryAttempts, o.TotalRequestTimeout.Timeout) = (true, 0, null))
                .ConfigureHttpClient(c => c.DefaultRequestHeaders.Add("Authorization", "Bearer fresh")));
        });
        _server.Script(Replies.Status(503), Replies.Status(201));
        var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(LongName);
        (await client.PostAsync("invoices", new StringContent("{}"), TestContext.Current.CancellationToken)).Dispose();

        var review = host.Services.GetRequiredService<IDeadLetterReview>();
        var letter = (await review.ListAsync(new(), TestContext.Current.CancellationToken)).ShouldHaveSingleItem();
        letter.ClientName.ShouldBe("partner");
        var after = await review.SendAsync(letter.Id, "alice", TestContext.Current.CancellationToken);

        (after.Status, _server.Requests[^1].Headers["Authorization"]).ShouldBe((DeadLetterStatus.Replayed, "Bearer fresh"));
    }

    [Fact]
    public async Task An_extension_is_registered_under_the_name_of_the_settings()
    {
        var host = await StartAsync(s =>
        {
            s.AddKeyedSingleton<IFailureClassifier, NeverRetries>("partner");
            Serve(s.AddHttpClient(LongName).AddResilience("partner"));
        });
        _server.Script(Replies.Status(503));

        (await GetAsync(host, LongName)).Dispose();

        _server.Requests.Count.ShouldBe(1);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void A_client_with_the_chain_of_all_clients_cannot_share_the_name_of_another(bool first)
    {
        var services = new ServiceCollection();
        if (first)
            services.ConfigureHttpClientDefaults(d => d.AddResilience());
        services.AddHttpClient("a").AddResilience("b");
        services.AddHttpClient("b");
        services.AddHttpClient("c");
        if (!first)
            services.ConfigureHttpClientDefaults(d => d.AddResilience());
        using var provider = services.BuildServiceProvider();
        var factory = provider.GetRequiredService<IHttpClientFactory>();

        Should.Throw<InvalidOperationException>(() => factory.CreateClient("b"))
            .Message.ShouldContain("'a' and 'b' cannot share the name 'b'");
        foreach (string name in (string[])["a", "c", "d"])
            Should.NotThrow(() => factory.CreateClient(name));
    }

    [Fact]
    public void Two_clients_cannot_share_a_name()
    {
        var services = new ServiceCollection();
        services.AddHttpClient("a").AddResilience("partner").AddResilience("partner");

        Should.Throw<InvalidOperationException>(() => services.AddHttpClient("b").AddResilience("partner"))
            .Message.ShouldContain("'a' and 'b' cannot share the name 'partner'");
        Should.Throw<InvalidOperationException>(() => services.AddResilientHttpClient("partner"));
        services.AddResilientHttpClient("c");
        Should.Throw<InvalidOperationException>(() => services.AddHttpClient("d").AddResilience("c"));
        Should.Throw<InvalidOperationException>(() => services.ConfigureHttpClientDefaults(d => d.AddResilience("all")));
        Should.Throw<ArgumentException>(() => services.AddHttpClient("e").AddResilience(" "));
        Should.Throw<ArgumentNullException>(() => ((IHttpClientBuilder)null!).AddResilience("x")).ParamName.ShouldBe("builder");
        Should.Throw<ArgumentNullException>(() => ((IHttpClientBuilder)null!).RemoveResilience()).ParamName.ShouldBe("builder");
        Should.Throw<ArgumentNullException>(() => services.AddHttpClient("f").AddResilience((IConfigurationSection)null!)).ParamName
            .ShouldBe("section");
    }

    [Fact]
    public void A_section_of_its_own_is_read_over_the_defaults_and_under_code()
    {
        var configuration = Configuration("""
            { "HttpResilience": { "Defaults": { "Retry": { "MaxRetryAttempts": 1, "BackoffFactor": 3, "MaxRetryAfter": "00:00:09" } },
                                  "Clients": { "orders": { "Retry": { "BackoffFactor": 4, "MaxRetryAfter": "00:00:08" } } } },
              "Partner": { "Http": { "Retry": { "MaxRetryAfter": "00:00:07", "Delay": "00:00:05" } } } }
            """);
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration);
        services.AddResilientHttpClient("orders", o => o.Retry.Delay = TimeSpan.FromSeconds(6))
            .AddResilience(configuration.GetSection("Partner:Http"));
        using var provider = services.BuildServiceProvider();

        var retry = provider.GetRequiredKeyedService<Client>("orders").Options.Retry;
        (retry.MaxRetryAttempts, retry.BackoffFactor, retry.MaxRetryAfter, retry.Delay).ShouldBe(
            (1, 4, TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(6)));
    }

    [Fact]
    public async Task A_section_of_its_own_has_the_same_checks_with_its_own_paths()
    {
        var configuration = Configuration("""
            { "Partner": { "Retry": { "MaxRetries": 5, "Delay": "24:00:00", "MaxRetryAfter": "2.00:00:00" }, "BaseUrl": "https://api.test/",
                           "TotalRequestTimeout": { "Timeout": "00:00:05" }, "AttemptTimeout": { "Timeout": "00:00:30" } } }
            """);

        var thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(
            s => s.AddResilientHttpClient("orders").AddResilience(configuration.GetSection("Partner"))));

        thrown.Failures.ShouldBe(
        [
            "Partner:BaseUrl is not a known key; did you mean Partner:BaseAddress?",
            "Partner:Retry:MaxRetries is not a known key; did you mean Partner:Retry:MaxRetryAttempts?",
            "Partner:Retry:Delay is '24:00:00'; it must be a duration (d.hh:mm:ss.fff) from 00:00:00 to 1.00:00:00. "
                + "Write '1.00:00:00' for 24 h.",
            "Partner:Retry:MaxRetryAfter is '2.00:00:00'; it must be a duration (d.hh:mm:ss.fff) from 00:00:00 to 1.00:00:00.",
            "Partner:AttemptTimeout:Timeout is '00:00:30'; it must not be longer than Partner:TotalRequestTimeout:Timeout, which is "
                + "'00:00:05'. Leave it out to have attempts end with the total.",
        ], ignoreOrder: true);
    }

    [Fact]
    public async Task A_section_of_another_configuration_is_reloaded_too()
    {
        var other = new ConfigurationBuilder().AddInMemoryCollection([new("Partner:Retry:MaxRetryAttempts", "1")]).Build();
        var host = await StartAsync(s => s.AddResilientHttpClient("orders").AddResilience(other.GetSection("Partner")));
        var client = host.Services.GetRequiredKeyedService<Client>("orders");
        client.Policy.Retry.MaxRetryAttempts.ShouldBe(1);

        other["Partner:Retry:MaxRetryAttempts"] = "2";
        other.Reload();
        client.Policy.Retry.MaxRetryAttempts.ShouldBe(2);

        other["Partner:Retry:MaxRetryAttempts"] = "many";
        other.Reload();
        client.Policy.Retry.MaxRetryAttempts.ShouldBe(2);
        _logs.WithId(403).ShouldHaveSingleItem().Message.ShouldContain("Partner:Retry:MaxRetryAttempts is 'many'");
    }

    [Fact]
    public void A_section_of_the_same_configuration_is_reloaded_once()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Partner:Retry:MaxRetryAttempts", "1")]).Build();
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddLogging(l => l.AddProvider(_logs));
        services.AddResilientHttpClient("orders").AddResilience(configuration.GetSection("Partner"));
        using var provider = services.BuildServiceProvider();
        _ = provider.GetRequiredKeyedService<Client>("orders");

        configuration.Reload();

        _logs.WithId(415).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_section_that_does_not_exist_is_a_warning()
    {
        await StartAsync(s => s.AddResilientHttpClient("orders").AddResilience(Configuration("{}").GetSection("Partnr")));

        _logs.WithId(416).ShouldHaveSingleItem().Message.ShouldBe(
            "orders: section Partnr, which AddResilience names, is missing or empty; the other settings are in force");
    }

    [Fact]
    public async Task A_section_below_HttpResilience_is_not_one_of_a_client_that_is_missing()
    {
        const string Json = """{ "HttpResilience": { "Clients": { "shared": { "Retry": { "MaxRetryAttempts": 1 } } } } }""";
        var host = await StartAsync(s =>
        {
            s.AddResilientHttpClient("a").AddResilience(Configuration(Json).GetSection("HttpResilience:Clients:shared"));
            s.AddResilientHttpClient("b").AddResilience(Configuration(Json).GetSection("HttpResilience:Clients:shared"));
        }, Json);

        _logs.WithId(405).ShouldBeEmpty();
        host.Services.GetRequiredService<IResilientClients>().List().Select(c => c.Chain.Contains("retry 1")).ShouldBe([true, true]);
    }

    [Fact]
    public async Task A_section_for_all_clients_comes_before_that_of_one()
    {
        var configuration = Configuration("""
            { "All": { "Retry": { "MaxRetryAttempts": 1, "BackoffFactor": 4 } }, "One": { "Retry": { "MaxRetryAttempts": 2 } } }
            """);
        var host = await StartAsync(s =>
        {
            s.ConfigureHttpClientDefaults(d => d.AddResilience(configuration.GetSection("All")));
            s.AddHttpClient("orders").AddResilience(configuration.GetSection("One"));
        });

        var retry = host.Services.GetRequiredKeyedService<Client>("orders").Options.Retry;
        (retry.MaxRetryAttempts, retry.BackoffFactor).ShouldBe((2, 4));
        host.Services.GetRequiredKeyedService<Client>("other").Options.Retry.MaxRetryAttempts.ShouldBe(1);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_client_is_taken_out_of_the_defaults(bool defaultsFirst)
    {
        var host = await StartAsync(s =>
        {
            if (defaultsFirst)
                s.ConfigureHttpClientDefaults(d => d.AddResilience());
            Serve(s.AddHttpClient("plain").RemoveResilience());
            Serve(s.AddHttpClient("orders"));
            if (!defaultsFirst)
                s.ConfigureHttpClientDefaults(d => d.AddResilience());
        });
        _server.Script(Replies.Status(500), Replies.Status(200));

        using var plain = await GetAsync(host, "plain");
        using var orders = await GetAsync(host, "orders");

        ((int)plain.StatusCode, plain.GetHttpCall(), (int)orders.StatusCode).ShouldBe((500, null, 200));
        orders.GetHttpCall().ShouldNotBeNull();
        var factory = host.Services.GetRequiredService<IHttpClientFactory>();
        (factory.CreateClient("plain").Timeout, factory.CreateClient("orders").Timeout).ShouldBe(
            (TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(101)));
    }

    [Fact]
    public async Task A_chain_of_the_clients_own_is_removed_and_given_back_by_the_later_call()
    {
        var host = await StartAsync(s =>
        {
            s.AddResilientHttpClient("removed").RemoveResilience();
            s.AddHttpClient("back").RemoveResilience().AddResilience();
            s.AddResilientHttpClient("other");
        });

        host.Services.GetRequiredService<IResilientClients>().Names.ShouldBe(["back", "other"], ignoreOrder: true);
        Chain.BuildHandlers(host.Services, "removed").AdditionalHandlers.ShouldNotContain(h => h is ChainHandler);
        Chain.BuildHandlers(host.Services, "back").AdditionalHandlers.ShouldContain(h => h is ChainHandler);
    }

    [Fact]
    public async Task Removed_from_the_defaults_the_chain_stays_where_a_client_has_its_own()
    {
        var host = await StartAsync(s =>
        {
            s.ConfigureHttpClientDefaults(d => d.AddResilience().RemoveResilience());
            s.AddHttpClient("plain");
            s.AddResilientHttpClient("orders");
        });

        Chain.BuildHandlers(host.Services, "plain").AdditionalHandlers.ShouldNotContain(h => h is ChainHandler);
        Chain.BuildHandlers(host.Services, "orders").AdditionalHandlers.ShouldContain(h => h is ChainHandler);
    }

    [Theory]
    [InlineData("https://api.example.com")]
    [InlineData("a:b")]
    [InlineData("a:b:c")]
    public async Task A_name_with_a_colon_has_its_section_and_no_warning(string name)
    {
        var host = await StartAsync(
            s => s.AddResilientHttpClient(name),
            $$"""{ "HttpResilience": { "Clients": { "{{name}}": { "Retry": { "MaxRetryAttempts": 1 } } } } }""");

        host.Services.GetRequiredKeyedService<Client>(name).Policy.Retry.MaxRetryAttempts.ShouldBe(1);
        _logs.WithId(405).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_client_whose_name_begins_with_that_of_another_is_not_a_key_of_it()
    {
        var host = await StartAsync(
            s =>
            {
                s.AddResilientHttpClient("a");
                s.AddResilientHttpClient("a:b");
            },
            """
            { "HttpResilience": { "Clients": { "a": { "Retry": { "MaxRetryAttempts": 1 } }, "a:b": { "Retry": { "MaxRetryAttempts": 2 } },
                                               "c:d": {} } } }
            """);

        host.Services.GetRequiredKeyedService<Client>("a").Policy.Retry.MaxRetryAttempts.ShouldBe(1);
        host.Services.GetRequiredKeyedService<Client>("a:b").Policy.Retry.MaxRetryAttempts.ShouldBe(2);
        _logs.WithId(405).ShouldHaveSingleItem()["Section"].ShouldBe("HttpResilience:Clients:c");
    }

    public void Dispose()
    {
        _hosts.ForEach(h => h.Dispose());
        _server.Dispose();
        _logs.Dispose();
    }

    private void Serve(IHttpClientBuilder builder) => builder.ConfigurePrimaryHttpMessageHandler(() => _server);

    private static Task<HttpResponseMessage> GetAsync(IHost host, string name) => host.Services.GetRequiredService<IHttpClientFactory>()
        .CreateClient(name).SendAsync(Chain.Get("https://api.test/"), TestContext.Current.CancellationToken);

    private async Task<IHost> StartAsync(Action<IServiceCollection> add, string json = "{}")
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json)));
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(_logs);
        builder.Services.AddSingleton<TimeProvider>(_clock);
        add(builder.Services);
        var host = builder.Build();
        _hosts.Add(host);
        await host.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    private static IConfiguration Configuration(string json) =>
        new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build();

    private sealed class Partner(HttpClient http)
    {
        public HttpClient Http => http;
    }

    private sealed class NeverRetries : IFailureClassifier
    {
        public FailureClassification Classify(
            HttpCall call, HttpResponseMessage? response, Exception? exception, FailureClassification builtIn) =>
            new(FailureClass.Permanent);
    }
}
