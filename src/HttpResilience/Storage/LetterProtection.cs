using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience;

/// <summary>Puts the protection of letters before their store, as the clients of a container ask for it.</summary>
internal static class LetterProtection
{
    internal static IDeadLetterStore StoreOf(IServiceProvider services) => new ProtectedDeadLetterStore(
        services.GetRequiredService<IHttpResilienceStorage>().DeadLetters, services.GetService<ILetterProtector>(),
        name => services.GetService<IResilientClients>() is ResilientClients clients
            && clients.Any(c => c.Name == name && c.Policy.ClientDeadLetter?.Protect is true),
        services.GetService<ILogger<ProtectedDeadLetterStore>>() ?? NullLogger<ProtectedDeadLetterStore>.Instance);
}
