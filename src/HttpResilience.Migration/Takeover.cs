using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;

namespace HttpResilience.Migration;

/// <summary>Registers the chain where a handler of Microsoft.Extensions.Http.Resilience is registered.</summary>
internal sealed class Takeover
{
    private const string Standard = "-standard";

    private readonly IServiceCollection _services;
    private readonly HandlerRegistration _handlers;
    private readonly MigratedClient _client;

    private Takeover(IServiceCollection services, HandlerRegistration handlers, MigratedClient client) =>
        (_services, _handlers, _client) = (services, handlers, client);

    internal static Takeover Of(IHttpStandardResiliencePipelineBuilder builder)
    {
        string pipeline = builder.PipelineName;
        string name = pipeline.EndsWith(Standard, StringComparison.Ordinal) ? pipeline[..^Standard.Length] : pipeline;
        var handlers = HandlerRegistration.FindLast(builder.Services, name, isHedging: false)
            ?? throw NotFound("AddStandardResilienceHandler", name);
        return new(builder.Services, handlers, new(handlers.ClientName, pipeline, IsHedging: false, RoutingName: null, IsReported: false));
    }

    internal static Takeover Of(IStandardHedgingHandlerBuilder builder)
    {
        var handlers = HandlerRegistration.FindLast(builder.Services, builder.Name ?? "", isHedging: true)
            ?? throw NotFound("AddStandardHedgingHandler", builder.Name);
        return new(builder.Services, handlers, new(
            handlers.ClientName, builder.Name ?? "", IsHedging: true, builder.RoutingStrategyBuilder.Name ?? "", IsReported: false));
    }

    internal IHttpClientBuilder Apply(Action<HttpResilienceOptions>? configure, bool report)
    {
        var builder = new ClientBuilder(_client.Name!, _services);
        AddSharedParts();
        _services.AddSingleton(_client with { IsReported = report });
        if (report)
            return builder;

        // First, so that the configuration and the delegates of the application override what is taken over.
        _services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<HttpResilienceOptions>>(
            provider => new ConfigureFromPeer(provider, _client, _services)));
        _services.AddSingleton<IValidateOptions<HttpResilienceOptions>>(provider => new ConfigureFromPeer(provider, _client, _services));
        _services.AddSingleton<IOptionsChangeTokenSource<HttpResilienceOptions>>(provider => new PeerChangeTokenSource(provider, _client));
        AddExtensions();
        _handlers.Replace(_services, () => builder.AddResilience(configure)
            .ConfigureAdditionalHttpMessageHandlers((handlers, _) => PlacePeerHandlers.Mark(handlers)));
        return builder;
    }

    private void AddSharedParts()
    {
        if (_services.Any(d => d.ServiceType == typeof(MigratedClients)))
            return;
        _services.AddSingleton<MigratedClients>();
        _services.AddSingleton<CallObserver, PeerEvents>();
        _services.AddSingleton<IPostConfigureOptions<HttpClientFactoryOptions>, PlacePeerHandlers>();
        _services.AddSingleton<MigrationReporter>();
        _services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<MigrationReporter>());
    }

    // An application that has its own classifier for a client keeps it.
    private void AddExtensions()
    {
        if (_client.Name is { } name)
            _services.TryAddKeyedSingleton<IFailureClassifier, PeerClassifier>(name);
        else
            _services.TryAddSingleton<IFailureClassifier, PeerClassifier>();
    }

    private static InvalidOperationException NotFound(string call, string? name) => new(
        $"UseHttpResilience found no handler of {call} on client '{name}' to replace. Call it once, on what {call} returns.");

    private sealed record ClientBuilder(string Name, IServiceCollection Services) : IHttpClientBuilder;
}
