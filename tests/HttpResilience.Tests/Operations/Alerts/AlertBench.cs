using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Operations.Alerts;

/// <summary>A client on a scripted server; the test decides when its alerts are evaluated and moves the clock.</summary>
internal sealed class AlertBench : IDisposable
{
    internal AlertBench(
        Action<HttpResilienceOptions>? options = null, Action<IServiceCollection>? services = null, Action<AlertOptions>? alerts = null)
    {
        Chain = new(
            o =>
            {
                (o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) = (0, null);
                options?.Invoke(o);
            },
            services: s =>
            {
                s.AddHttpResilienceOperations();
                if (alerts is not null)
                    s.Configure(alerts);
                services?.Invoke(s);
            });
        Watch.Begin();
    }

    internal Chain Chain { get; }

    internal ManualTimeProvider Clock => Chain.Clock;

    internal AlertEvaluator Watch => Chain.Services.GetRequiredService<AlertEvaluator>();

    /// <summary>The notifications so far, as the lines of the log.</summary>
    internal IReadOnlyList<LogEntry> Told => [.. Chain.Logs.Entries.Where(e => e.Id.Id is 701 or 702 or 703)];

    /// <summary>The notifications so far: <c>+</c> for a start, <c>!</c> for a reminder, <c>-</c> for an end.</summary>
    internal string Phases => string.Concat(Told.Select(e => e.Id.Id switch { 701 => '+', 702 => '!', _ => '-' }));

    /// <summary>The notifications so far about a budget, or about everything else.</summary>
    internal string PhasesOf(bool budget) =>
        string.Concat(Told.Where(e => IsOfBudget(e) == budget).Select(e => e.Id.Id switch { 701 => '+', 702 => '!', _ => '-' }));

    internal static bool IsOfBudget(LogEntry told) => (AlertRuleType)told["Rule"]! is AlertRuleType.ErrorBudgetBurn;

    /// <summary>Sends one call for each of these responses, and evaluates the rules.</summary>
    internal async Task CallAsync(params int[] statuses)
    {
        foreach (int status in statuses)
            await CallForAsync(null, status);
    }

    internal async Task CallForAsync(string? tenant, int status)
    {
        Chain.Server.Script(status == 0 ? Replies.ConnectionRefused() : Replies.Status(status));
        using var request = Chain.Get();
        if (tenant is not null)
            request.WithTenant(tenant);
        try
        {
            (await Chain.SendAsync(async: true, request)).Dispose();
        }
        catch (HttpRequestException)
        {
            // The call may fail by design.
        }

        Watch.LookAtList();
    }

    /// <summary>Lets time pass; the rules are evaluated at their usual interval.</summary>
    internal void Wait(TimeSpan time)
    {
        for (var end = Clock.Elapsed + time; Clock.Elapsed < end;)
        {
            Clock.Advance(TimeSpan.FromSeconds(10));
            Watch.LookAtList();
        }
    }

    public void Dispose()
    {
        Watch.StopAsync(CancellationToken.None).GetAwaiter().GetResult();
        Chain.Dispose();
    }
}
