using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>The clients of this instance.</summary>
internal static class ClientLists
{
    internal static Task ClientsAsync(ApiCall call)
    {
        var clients = call.Context.RequestServices.GetService<IResilientClients>()?.List() ?? [];
        var list = new ClientList(
            $"{Environment.MachineName}:{Environment.ProcessId}",
            [.. clients.OrderBy(c => c.Name, StringComparer.Ordinal).Select(ClientModel.Of)]);
        return call.WriteAsync(list, OperatorJson.Default.ClientList);
    }
}
