using Microsoft.Extensions.Http.Resilience;

namespace HttpResilience.Migration;

/// <summary>What the chain cannot take over, each with the option and the way.</summary>
internal static class UnsupportedOptions
{
    internal static IEnumerable<string> In(PeerSettings settings)
    {
        string circuit = $"{settings.EndpointPrefix}CircuitBreaker";
        if (settings.CircuitBreaker.BreakDurationGenerator is not null)
        {
            yield return $"{circuit}.BreakDurationGenerator: set BreakDuration, the first break, and MaxBreakDuration, up to which breaks "
                + "double";
        }

        if (settings.CircuitBreaker.ManualControl is not null)
            yield return $"{circuit}.ManualControl: use ICircuits.Isolate and ICircuits.Close";
        if (settings.CircuitBreaker.StateProvider is not null)
            yield return $"{circuit}.StateProvider: use ICircuits.List";
        if (settings.Retry is { } retry && !Equals(retry.Randomizer, PeerDefaults.Standard.Retry.Randomizer))
            yield return "Retry.Randomizer: leave it out; Retry:Jitter says how waits are spread";
        if (settings.Hedging is { DelayGenerator: not null })
            yield return "Hedging.DelayGenerator: set Hedging:Delay, or null to learn it from the answers of each host";
        if (settings.Hedging?.ActionGenerator is { } action
            && action.Method.DeclaringType?.Assembly != typeof(HttpStandardHedgingResilienceOptions).Assembly)
            yield return "Hedging.ActionGenerator: list the endpoints in Endpoints:Uris, or change the request in a DelegatingHandler";
        if (settings.Ordered.Count > 1 && settings.Ordered.Any(g => g.Endpoints.Count > 1))
        {
            yield return "ConfigureOrderedGroups with several endpoints in one of several groups, because Endpoints is one list, ordered "
                + "or weighted: give each group one endpoint, or configure weighted groups";
        }

        if (settings.IsBesideOther)
        {
            yield return "AddStandardHedgingHandler beside AddStandardResilienceHandler on one client, because the chain stands once: keep "
                + "one of them; HttpResilience:Clients:<name> has both Retry and Hedging";
        }

        if (settings is { Ordered.Count: > 0, Weighted.Count: > 0 })
            yield return "ConfigureOrderedGroups beside ConfigureWeightedGroups: keep one of them";
    }

    /// <summary>What is not asked where the application has a classifier of its own for the client.</summary>
    internal static IEnumerable<string> BesideClassifier(PeerSettings settings)
    {
        (string Option, bool IsSet)[] delegates =
        [
            ("Retry.ShouldHandle", settings.Retry is { } retry && !PeerDefaults.Retries(retry)),
            ("Retry.DelayGenerator", settings.Retry is { } delayed && !PeerDefaults.Delays(delayed)),
            ("Hedging.ShouldHandle", settings.Hedging is { } hedging && !PeerDefaults.Hedges(hedging)),
            ($"{settings.EndpointPrefix}CircuitBreaker.ShouldHandle", !PeerDefaults.Counts(settings.CircuitBreaker)),
            ($"{settings.AttemptOption}.OnTimeout", settings.Attempt.OnTimeout is not null),
        ];
        string[] lost = [.. delegates.Where(d => d.IsSet).Select(d => d.Option)];
        if (lost.Length > 0)
        {
            yield return $"{string.Join(" and ", lost)} beside an IFailureClassifier of the application, which decides alone: move them "
                + "there, or remove it";
        }
    }
}
