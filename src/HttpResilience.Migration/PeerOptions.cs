using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;

namespace HttpResilience.Migration;

/// <summary>Reads the options of a standard handler as they are in force.</summary>
internal static class PeerOptions
{
    private const string Package = "Microsoft.Extensions.Http.Resilience";
    private const string Accessor = $"{Package}.Internal.PipelineKeyProviderHelper, {Package}";
    private const string ByAuthority = "ByAuthorityPipelineKeyProvider";

    internal static PeerSettings Read(IServiceProvider services, MigratedClient client)
    {
        string name = client.OptionsName;
        var settings = client.IsHedging
            ? PeerSettings.From(services.GetRequiredService<IOptionsMonitor<HttpStandardHedgingResilienceOptions>>().Get(name))
            : PeerSettings.From(services.GetRequiredService<IOptionsMonitor<HttpStandardResilienceOptions>>().Get(name));
        var key = GetPipelineKeyProvider(null, services, client.SelectedPipeline);
        bool isByAuthority = key?.Target?.GetType().Name == ByAuthority;
        MigratedClient[] same = [.. services.GetServices<MigratedClient>()
            .Where(c => c.Name == client.Name && c.IsReported == client.IsReported)];
        settings = settings with
        {
            Key = isByAuthority ? null : key,
            IsByAuthority = isByAuthority,
            IsTwice = same.Count(c => c.IsHedging == client.IsHedging) > 1,
            IsBesideOther = same.Any(c => c.IsHedging != client.IsHedging),
        };
        return client.RoutingName is not { } routing ? settings : settings with
        {
            Ordered = [.. services.GetRequiredService<IOptionsMonitor<OrderedGroupsRoutingOptions>>().Get(routing).Groups],
            Weighted = [.. services.GetRequiredService<IOptionsMonitor<WeightedGroupsRoutingOptions>>().Get(routing).Groups],
        };
    }

    /// <summary>Calls back when one of the options has changed.</summary>
    internal static IDisposable OnChange(IServiceProvider services, MigratedClient client, Action changed)
    {
        if (!client.IsHedging)
            return Watch<HttpStandardResilienceOptions>(services, client.OptionsName, changed);
        List<IDisposable> watches = [Watch<HttpStandardHedgingResilienceOptions>(services, client.OptionsName, changed)];
        if (client.RoutingName is { } routing)
        {
            watches.Add(Watch<OrderedGroupsRoutingOptions>(services, routing, changed));
            watches.Add(Watch<WeightedGroupsRoutingOptions>(services, routing, changed));
        }

        return new Watches(watches);
    }

    private static IDisposable Watch<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions>(
        IServiceProvider services, string name, Action changed) =>
        services.GetRequiredService<IOptionsMonitor<TOptions>>().OnChange((_, which) =>
        {
            if (which == name)
                changed();
        })!;

    // The package has no public way to read what SelectPipelineBy was given.
    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = nameof(GetPipelineKeyProvider))]
    private static extern Func<HttpRequestMessage, string>? GetPipelineKeyProvider(
        [UnsafeAccessorType(Accessor)] object? type, IServiceProvider provider, string pipelineName);

    private sealed class Watches(List<IDisposable> watches) : IDisposable
    {
        public void Dispose() => watches.ForEach(w => w.Dispose());
    }
}
