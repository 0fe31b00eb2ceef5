using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>Where a client logs: to the logger factory registered under its name, else to that of the container.</summary>
internal static class ClientLoggers
{
    internal static ILogger<T> LoggerFor<T>(this IServiceProvider services, string? clientName) =>
        (services.GetKeyedService<ILoggerFactory>(clientName ?? "") ?? services.GetRequiredService<ILoggerFactory>()).CreateLogger<T>();
}
