using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HttpResilience.Operations;

/// <summary>
/// The health of all integrations: a status, one sentence and some data. Tenants are counted and not named.
/// </summary>
/// <param name="probe">Null when there is no durable storage.</param>
internal sealed class ResilienceHealthCheck(
    IResilientClients clients, StoreProbe? probe, IDeadLetterReview? review, TimeProvider time) : IHealthCheck
{
    internal const string Name = "http-resilience";

    private static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Adds the check under a name, unless there is one.</summary>
    internal static IHealthChecksBuilder AddTo(
        IHealthChecksBuilder builder, string name, HealthStatus? failureStatus, IEnumerable<string>? tags)
    {
        var services = builder.Services;
        var added = new HealthCheckName(name);
        if (services.Any(d => added.Equals(d.ImplementationInstance)))
            return builder;
        services.AddSingleton(added);
        // One for all names: they share its probe.
        services.TryAddSingleton(Of);
        return builder.Add(new(name, provider => provider.GetRequiredService<ResilienceHealthCheck>(), failureStatus, tags));
    }

    private static ResilienceHealthCheck Of(IServiceProvider services)
    {
        var time = services.GetRequiredService<TimeProvider>();
        var probe = services.GetService<IDeadLetterStore>() is { } store ? new StoreProbe(store, time) : null;
        return new(services.GetRequiredService<IResilientClients>(), probe, services.GetService<IDeadLetterReview>(), time);
    }

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        List<string> unhealthy = [], degraded = [];
        var data = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var client in clients.List().OrderBy(c => c.Name, StringComparer.Ordinal))
            Add(client, unhealthy, degraded, data);

        Exception? failure = null;
        if (probe is not null)
        {
            failure = await probe.FailureAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            data["storage"] = failure is null ? "reachable" : "unreachable";
            if (failure is not null)
                unhealthy.Insert(0, $"dead letters cannot be stored: {Reason(failure)}");
            else
                degraded.AddRange(await WaitingLettersAsync(cancellationToken).ConfigureAwait(false));
        }

        // Client names stay as they are written: the sentence may begin with one.
        string description = unhealthy.Count + degraded.Count == 0 ? "All integrations are well."
            : $"{string.Join("; ", [.. unhealthy, .. degraded])}.";
        return unhealthy.Count > 0 ? new(context.Registration?.FailureStatus ?? HealthStatus.Unhealthy, description, failure, data)
            : degraded.Count > 0 ? HealthCheckResult.Degraded(description, data: data)
            : HealthCheckResult.Healthy(description, data);
    }

    private static void Add(ObservedClient client, List<string> unhealthy, List<string> degraded, Dictionary<string, object> data)
    {
        if (client.Get<ErrorBudget>() is not { } counted)
            return;
        var budget = ErrorBudgets.Describe(counted);
        if (budget.PausedSince is { } since)
            unhealthy.Add(string.Create(CultureInfo.InvariantCulture,
                $"{client.Name} is paused by {(budget.PausedBy is null ? "its error budget" : "an operator")} since {since:u}"));
        if (budget.State is not ErrorBudgetState.Quiet)
            degraded.Add($"{client.Name} has used up {BudgetShare.Show(budget.Burn, "its error budget")}");
        else if (budget.IsBurning)
            degraded.Add($"{client.Name} burns its error budget too fast");
        var open = client.ObservedHosts
            .Where(h => client.HasOutage(h) || (client.HasCircuitBreaker && h.CircuitState is CircuitState.Isolated)).ToList();
        degraded.AddRange(open.Where(h => h.Tenant is null)
            .Select(h => $"{client.Name}: the circuit of {h.Authority} is {NameOf(h.CircuitState)}"));
        degraded.AddRange(open.Where(h => h.Tenant is not null).GroupBy(h => h.Authority)
            .Select(g => $"{client.Name}: the circuits of {g.Count()} tenants of {g.Key} are not closed"));
        data[client.Name] = DataOf(client, budget);
    }

    // The message of any other exception may contain the connection string.
    private static string Reason(Exception failure) => failure is HttpResilienceStorageException or TimeoutException
        ? SingleLine.Clean(failure.Message).TrimEnd('.')
        : failure.GetType().Name;

    private async Task<IEnumerable<string>> WaitingLettersAsync(CancellationToken cancellationToken)
    {
        if (review is null)
            return [];
        using var timeout = new CancellationTokenSource(StoreTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            // A store that blocks does not block the check.
            var found = await Task.Run(() => review.UnreplayedAsync(either.Token), either.Token).WaitAsync(either.Token)
                .ConfigureAwait(false);
            var missing = await Task.Run(() => review.MissingKeysAsync(either.Token), either.Token).WaitAsync(either.Token)
                .ConfigureAwait(false);
            var keys = missing.Select(id => $"key {SingleLine.Clean(id)} of protected dead letters is missing");
            return keys.Concat(found.Select(l => l switch
            {
                { Authority: { } authority } => $"the dead letters of client {l.ClientName} for {authority} are left to another process, "
                    + "and none takes them (DeadLetter:AllowedAuthorities)",
                { ClientName: null } => $"no live process replays the dead letters of application {NameOf(l.Application)} "
                    + "(Storage:Application, DeadLetterReplayOptions.Applications)",
                _ => $"no live process that replays the dead letters of application {NameOf(l.Application)} "
                    + $"has their client {l.ClientName}",
            }));
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The store has just accepted a letter; the next check asks again.
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

    private static string NameOf(CircuitState state) => state switch
    {
        CircuitState.Open => "open",
        CircuitState.HalfOpen => "half open",
        CircuitState.Isolated => "isolated",
        _ => "closed",
    };
}
