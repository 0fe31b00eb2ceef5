using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HttpResilience.Operations;

/// <summary>
/// The health of all integrations: a status, one sentence and some data. Tenants are counted and not named.
/// </summary>
internal sealed class ResilienceHealthCheck(
    IResilientClients clients, IDeadLetterStore? store, IDeadLetterReview? review, TimeProvider time) : IHealthCheck
{
    internal const string Name = "http-resilience";

    private static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(5);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        List<string> unhealthy = [], degraded = [];
        var data = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var client in clients.List().OrderBy(c => c.Name, StringComparer.Ordinal))
        {
            if (client.Get<ErrorBudget>() is not { } counted)
                continue;
            var budget = ErrorBudgets.Describe(counted);
            if (budget.PausedSince is { } since)
                unhealthy.Add(string.Create(CultureInfo.InvariantCulture, $"{client.Name} is paused since {since:u}"));
            if (budget.State is not ErrorBudgetState.Quiet)
                degraded.Add(string.Create(CultureInfo.InvariantCulture,
                    $"{client.Name} has used up {budget.Burn * 100:0} % of its error budget"));
            else if (budget.IsBurning)
                degraded.Add($"{client.Name} burns its error budget too fast");
            var open = client.ObservedHosts.Where(h => client.HasCircuitBreaker && h.CircuitState is not CircuitState.Closed).ToList();
            degraded.AddRange(open.Where(h => h.Tenant is null)
                .Select(h => $"{client.Name}: the circuit of {h.Authority} is {NameOf(h.CircuitState)}"));
            degraded.AddRange(open.Where(h => h.Tenant is not null).GroupBy(h => h.Authority)
                .Select(g => $"{client.Name}: the circuits of {g.Count()} tenants of {g.Key} are not closed"));
            data[client.Name] = DataOf(client, budget);
        }

        Exception? failure = null;
        if (store is not null)
        {
            using var timeout = new CancellationTokenSource(StoreTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            failure = await FailureOfAsync(store, either.Token, cancellationToken).ConfigureAwait(false);
            data["storage"] = failure is null ? "reachable" : "unreachable";
            if (failure is not null)
                unhealthy.Insert(0, "the durable store does not answer");
            else
                degraded.AddRange(await UnreplayedAsync(either.Token, cancellationToken).ConfigureAwait(false));
        }

        string description = unhealthy.Count + degraded.Count == 0 ? "All integrations are well." : Sentence([.. unhealthy, .. degraded]);
        return unhealthy.Count > 0 ? HealthCheckResult.Unhealthy(description, failure, data)
            : degraded.Count > 0 ? HealthCheckResult.Degraded(description, data: data)
            : HealthCheckResult.Healthy(description, data);
    }

    // A store that blocks does not block the check.
    private static Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken either) =>
        Task.Run(() => ask(either), either).WaitAsync(either);

    private static async Task<Exception?> FailureOfAsync(
        IDeadLetterStore asked, CancellationToken either, CancellationToken cancellationToken)
    {
        try
        {
            await AskAsync(asked.CountAsync, either).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return e is OperationCanceledException
                ? new TimeoutException($"The store has not answered in {StoreTimeout.TotalSeconds:0} s.", e) : e;
        }
    }

    private async Task<IEnumerable<string>> UnreplayedAsync(CancellationToken either, CancellationToken cancellationToken)
    {
        if (review is null)
            return [];
        try
        {
            var found = await AskAsync(review.UnreplayedAsync, either).ConfigureAwait(false);
            return found.Select(l => l.ClientName is null
                ? $"no live process replays the dead letters of application {NameOf(l.Application)} "
                    + "(Storage:Application, DeadLetterReplayOptions.Applications)"
                : $"no live process that replays the dead letters of application {NameOf(l.Application)} has their client {l.ClientName}");
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The store has just answered; the next check asks again.
            return [];
        }
    }

    private static string NameOf(string application) => application.Length == 0 ? "(none)" : application;

    private static Dictionary<string, object> DataOf(ObservedClient client, ErrorBudgetStatus budget)
    {
        var data = new Dictionary<string, object>
        {
            ["authorities"] = client.ObservedHosts.Where(h => h.Tenant is null).ToDictionary(h => h.Authority, h => NameOf(h.CircuitState)),
            ["errorBudget"] = budget.State.ToString(),
            ["errorBudgetRemaining"] = Math.Round(budget.Remaining, 4),
        };
        foreach (var (window, rate) in BurnRates.Windows.Zip(budget.BurnRates))
            data[$"burnRate{window.Name}"] = Math.Round(rate.Rate, 2);
        if (budget.PausedSince is { } since)
            data["pausedSince"] = since;
        return data;
    }

    private static string Sentence(List<string> problems)
    {
        string all = string.Join("; ", problems);
        return $"{char.ToUpperInvariant(all[0])}{all[1..]}.";
    }

    private static string NameOf(CircuitState state) => state switch
    {
        CircuitState.Open => "open",
        CircuitState.HalfOpen => "half open",
        CircuitState.Isolated => "isolated",
        _ => "closed",
    };
}
