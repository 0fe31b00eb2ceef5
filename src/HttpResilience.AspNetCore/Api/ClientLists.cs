using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>The clients of this instance.</summary>
internal static class ClientLists
{
    internal static Task ClientsAsync(ApiCall call)
    {
        var clients = call.Context.RequestServices.GetService<IResilientClients>()?.List() ?? [];
        // As this instance last read the store: what it knows of its own circuits does not need it.
        var holds = call.Context.RequestServices.GetService<CircuitHolds>()?.HeldHere ?? [];
        var list = new ClientList(
            $"{Environment.MachineName}:{Environment.ProcessId}",
            [.. clients.OrderBy(c => c.Name, StringComparer.Ordinal).Select(c => ClientModel.Of(c, holds))]);
        return call.WriteAsync(list, OperatorJson.Default.ClientList);
    }
}
