using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Clients;

/// <summary>
/// The chain stands outside the handlers of all clients, and among those of its own client where the application put it, whatever was
/// registered first.
/// </summary>
public sealed class ChainPlacementTests
{
    private readonly ServiceCollection _services = [];

    [Theory, InlineData("before"), InlineData("after"), InlineData("between"), InlineData("all options")]
    public void Handlers_of_all_clients_are_inside_the_chain(string order)
    {
        if (order is "before" or "between")
            AddToAllClients("discovery");
        _services.AddHttpClient("orders").AddHttpMessageHandler(() => new Named("outside")).AddResilience()
            .AddHttpMessageHandler(() => new Named("inside"));
        if (order is "after")
            AddToAllClients("discovery");
        if (order is "between" or "after")
            AddToAllClients("token");
        if (order is "before")
            AddToAllClients("token");
        if (order is "all options")
        {
            // As it was done before .NET 8.
            foreach (string name in (string[])["discovery", "token"])
            {
                _services.ConfigureAll<HttpClientFactoryOptions>(
                    o => o.HttpMessageHandlerBuilderActions.Add(b => b.AdditionalHandlers.Add(new Named(name))));
            }
        }

        Built().ShouldBe(["outside", "chain", "discovery", "token", "inside"], ignoreOrder: order is "all options");
        Built()[..2].ShouldBe(["outside", "chain"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void The_chain_takes_the_place_of_a_microsoft_handler_of_all_clients(bool hasFilters)
    {
        AddToAllClients("header");
        _services.ConfigureHttpClientDefaults(defaults => defaults.AddHttpMessageHandler(() => new ResilienceHandler()));
        AddToAllClients("discovery");
        _services.AddResilientHttpClient("orders").AddHttpMessageHandler(() => new ResilienceHandler())
            .AddHttpMessageHandler(() => new Named("inside"));
        if (!hasFilters)
            _services.RemoveAll<IHttpMessageHandlerBuilderFilter>();

        Built().ShouldBe(["chain", nameof(AttemptContextHandler), "header", "discovery", nameof(ResilienceHandler), "inside"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void The_chain_of_all_clients_stands_outside_their_other_handlers(bool last)
    {
        if (!last)
            _services.ConfigureHttpClientDefaults(defaults => defaults.AddResilience());
        _services.ConfigureHttpClientDefaults(defaults => defaults.AddHttpMessageHandler(() => new ResilienceHandler()));
        AddToAllClients("discovery");
        _services.AddHttpClient("orders").AddHttpMessageHandler(() => new Named("own"));
        if (last)
            _services.ConfigureHttpClientDefaults(defaults => defaults.AddResilience());

        Built().ShouldBe(["chain", "discovery", "own"]);
    }

    [Fact]
    public void A_handler_that_the_application_inserts_first_stays_first()
    {
        AddToAllClients("discovery");
        _services.AddResilientHttpClient("orders")
            .ConfigureAdditionalHttpMessageHandlers((handlers, _) => handlers.Insert(0, new Named("first")));

        Built().ShouldBe(["first", "chain", "discovery"]);
    }

    [Fact]
    public void A_client_that_clears_its_handlers_has_none_of_all_clients()
    {
        AddToAllClients("discovery");
        _services.AddHttpClient("orders").ConfigureAdditionalHttpMessageHandlers((handlers, _) => handlers.Clear()).AddResilience();

        Built().ShouldBe(["chain"]);
    }

    [Fact]
    public void A_client_whose_options_are_cleared_has_what_came_after()
    {
        AddToAllClients("discovery");
        _services.AddHttpClient("orders");
        _services.Configure<HttpClientFactoryOptions>("orders", o => o.HttpMessageHandlerBuilderActions.Clear());
        _services.AddHttpClient("orders").AddHttpMessageHandler(() => new Named("outside")).AddResilience();

        Built().ShouldBe(["outside", "chain"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void A_client_that_calls_AddResilience_itself_has_the_chain_there_also_when_all_clients_have_it(bool first)
    {
        if (first)
            _services.ConfigureHttpClientDefaults(defaults => defaults.AddResilience());
        _services.AddHttpClient("orders").AddHttpMessageHandler(() => new Named("outside")).AddResilience()
            .AddHttpMessageHandler(() => new Named("inside"));
        if (!first)
            _services.ConfigureHttpClientDefaults(defaults => defaults.AddResilience());
        AddToAllClients("discovery");

        Built().ShouldBe(["outside", "chain", "discovery", "inside"]);
    }

    [Fact]
    public void An_action_that_is_inserted_first_is_of_its_client_and_first()
    {
        AddToAllClients("discovery");
        _services.AddHttpClient("orders").AddHttpMessageHandler(() => new Named("outside")).AddResilience();
        AddToAllClients("token");
        _services.Configure<HttpClientFactoryOptions>(
            "orders", o => o.HttpMessageHandlerBuilderActions.Insert(0, b => b.AdditionalHandlers.Add(new Named("first"))));

        Built().ShouldBe(["first", "outside", "chain", "discovery", "token"]);
    }

    [Fact]
    public void An_action_that_is_inserted_first_for_all_clients_is_inside()
    {
        _services.AddHttpClient("orders").AddHttpMessageHandler(() => new Named("outside")).AddResilience();
        _services.ConfigureAll<HttpClientFactoryOptions>(
            o => o.HttpMessageHandlerBuilderActions.Insert(0, b => b.AdditionalHandlers.Add(new Named("first"))));

        Built().ShouldBe(["outside", "chain", "first"]);
    }

    [Fact]
    public void Options_that_need_a_service_are_of_their_client()
    {
        _services.AddHttpClient("orders");
        _services.AddOptions<HttpClientFactoryOptions>("orders").Configure<TimeProvider>(
            (o, _) => o.HttpMessageHandlerBuilderActions.Add(b => b.AdditionalHandlers.Add(new Named("outside"))));
        _services.AddHttpClient("orders").AddResilience();

        Built().ShouldBe(["outside", "chain"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void A_class_that_configures_clients_runs_once_for_each_and_for_no_other(bool last)
    {
        var configure = new ConfiguresKnownClients("orders");
        if (!last)
            _services.AddSingleton<IConfigureOptions<HttpClientFactoryOptions>>(configure);
        _services.AddHttpClient("orders").AddHttpMessageHandler(() => new Named("outside")).AddResilience();
        if (last)
            _services.AddSingleton<IConfigureOptions<HttpClientFactoryOptions>>(configure);

        Built().ShouldBe(["outside", "chain", "known"]);
        configure.Names.ShouldBe(["orders"]);
    }

    [Fact]
    public void A_delegate_that_configures_the_options_of_a_client_runs_once()
    {
        int runs = 0;
        _services.AddResilientHttpClient("orders");
        _services.Configure<HttpClientFactoryOptions>("orders", _ => runs++);
        _services.ConfigureAll<HttpClientFactoryOptions>(_ => runs++);

        Built();
        runs.ShouldBe(2);
    }

    private void AddToAllClients(string name) =>
        _services.ConfigureHttpClientDefaults(defaults => defaults.AddHttpMessageHandler(() => new Named(name)));

    private string[] Built()
    {
        using var services = _services.BuildServiceProvider();
        var handlers = Chain.BuildHandlers(services, "orders").AdditionalHandlers.Where(h => h is not CallScopeHandler)
            .Select(h => h is ChainHandler ? "chain" : h is Named named ? named.Name : h.GetType().Name).ToArray();
        handlers.Count(h => h == "chain").ShouldBe(4);
        return [.. handlers.Distinct()];
    }

    private sealed class ConfiguresKnownClients(string known) : IConfigureNamedOptions<HttpClientFactoryOptions>
    {
        internal List<string?> Names { get; } = [];

        public void Configure(HttpClientFactoryOptions options) => Configure(string.Empty, options);

        public void Configure(string? name, HttpClientFactoryOptions options)
        {
            Names.Add(name);
            if (name != known)
                throw new KeyNotFoundException($"There is no client {name}.");
            options.HttpMessageHandlerBuilderActions.Add(b => b.AdditionalHandlers.Add(new Named("known")));
        }
    }

    private sealed class Named(string name) : DelegatingHandler
    {
        internal string Name => name;
    }
}
