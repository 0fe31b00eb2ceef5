using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace HttpResilience;

/// <summary>What this process reports of its clients.</summary>
internal sealed class InstanceReports(IServiceProvider services, CallsUnderWay calls)
{
    // What it writes every 10 seconds stays small: what is beyond is only counted.
    private const int MaxClients = 500, MaxNames = 500;

    internal static void AddTo(IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<CallObserver, CallsUnderWay>());
        services.TryAddSingleton(provider => new InstanceReports(
            provider, provider.GetServices<CallObserver>().OfType<CallsUnderWay>().First()));
    }

    internal InstanceReport Make()
    {
        // A process without clients may have storage, for the review.
        if (services.GetService(typeof(IResilientClients)) is not ResilientClients clients)
            return new() { CallsUnderWay = calls.Count };
        Client[] made = [.. clients];
        // Those that are known by name and not made yet have circuits, as far as is known.
        var names = made.Where(c => c.HasCircuitBreaker).Select(c => c.Name)
            .Concat((clients.Names ?? []).Except(made.Select(c => c.Name)));
        ReportedCircuit[] circuits = [.. made.Where(c => c.HasCircuitBreaker).SelectMany(Circuits.Report)];
        ReportedCircuit[] reported =
        [
            .. circuits.Where(c => c.ClientName.Length + c.Authority.Length + c.Tenant?.Length is not > MaxNames)
                .OrderBy(c => SharedCircuit.RankOf(c.State)).ThenBy(c => c.ClientName, StringComparer.Ordinal)
                .ThenBy(c => c.Authority, StringComparer.Ordinal).ThenBy(c => c.Tenant, StringComparer.Ordinal)
                .Take(InstanceReport.MaxCircuits),
        ];
        return new()
        {
            CallsUnderWay = calls.Count,
            Clients = [.. names.Distinct().Order(StringComparer.Ordinal).Take(MaxClients)],
            Circuits = reported,
            OtherCircuits = circuits.Length - reported.Length,
        };
    }
}
