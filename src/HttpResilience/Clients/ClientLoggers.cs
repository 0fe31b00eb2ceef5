using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>The logger of a client: from the logger factory registered under its name, else from that of the container.</summary>
internal static class ClientLoggers
{
    extension(IServiceProvider services)
    {
        internal ILogger<T> LoggerFor<T>(string? clientName) => services.FactoryOf(clientName).CreateLogger<T>();

        internal ILogger LoggerFor(string? clientName, string category) => services.FactoryOf(clientName).CreateLogger(category);

        private ILoggerFactory FactoryOf(string? clientName) =>
            services.GetKeyedService<ILoggerFactory>(clientName ?? "") ?? services.GetRequiredService<ILoggerFactory>();
    }
}
