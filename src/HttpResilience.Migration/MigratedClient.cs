namespace HttpResilience.Migration;

/// <summary>A client whose handlers of Microsoft.Extensions.Http.Resilience the chain replaces, or would replace.</summary>
/// <param name="Name">Its name in <see cref="IHttpClientFactory"/>; null for all clients, by <c>ConfigureHttpClientDefaults</c>.</param>
/// <param name="OptionsName">The name of its options.</param>
/// <param name="IsHedging">They are those of <c>AddStandardHedgingHandler</c>.</param>
/// <param name="RoutingName">The name of its groups of endpoints; null when it does not hedge.</param>
/// <param name="IsReported">Only what would differ is reported.</param>
internal sealed record MigratedClient(string? Name, string OptionsName, bool IsHedging, string? RoutingName, bool IsReported)
{
    /// <summary>The name of the pipeline that <c>SelectPipelineBy</c> selects.</summary>
    internal string SelectedPipeline => IsHedging ? $"{Name}-standard-hedging-endpoint" : OptionsName;

    /// <summary>The registration of a client: its own, else that of all clients.</summary>
    internal static MigratedClient? Find(IEnumerable<MigratedClient> clients, string name)
    {
        MigratedClient[] switched = [.. clients.Where(c => !c.IsReported)];
        return switched.LastOrDefault(c => c.Name == name) ?? switched.LastOrDefault(c => c.Name is null);
    }
}
