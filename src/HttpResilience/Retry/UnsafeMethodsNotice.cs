using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Logs once for a client on which condition it repeats calls that are not idempotent: no response shows whether an API honours idempotency
/// keys.
/// </summary>
internal static partial class UnsafeMethodsNotice
{
    internal static void Log(Client client, ILogger logger)
    {
        string ground = (client.Policy.Retry.UnsafeMethods, client.Policy.Idempotency) switch
        {
            (UnsafeMethods.Always, _) => "always",
            (UnsafeMethods.Never, _) or (_, null) => "only when they were not sent or not processed",
            (_, { } keys) => $"because {string.Join(" and ", keys.Methods)} carry {keys.HeaderName}, which the API must honour",
        };
        UnsafeCalls(logger, client.Name, ground);
    }

    [LoggerMessage(401, LogLevel.Information, "{ClientName}: calls that are not idempotent are repeated {Ground}")]
    private static partial void UnsafeCalls(ILogger logger, string clientName, string ground);
}
