using System.Collections.Frozen;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Finds the secret header fields of a request that its replay would not have: letters are stored without secrets, and only
/// <c>ConfigureHttpClient</c> and handlers add them again. Not so the request itself, or the constructor of a typed client.
/// </summary>
internal sealed partial class LetterCredentials(Client client, IHttpClientFactory clients, ILogger logger)
{
    private FrozenSet<string>? _configured;
    private bool _isLogged;

    internal static LetterCredentials Of(Client client, IHttpClientFactory clients, ILogger logger) =>
        client.GetOrAdd(() => new LetterCredentials(client, clients, logger));

    /// <summary>Logs the first request with such a field.</summary>
    internal void Check(HttpRequestMessage request, HttpCall call)
    {
        if (Volatile.Read(ref _isLogged))
            return;
        foreach (var (name, _) in request.Headers.NonValidated)
        {
            if (IsLost(name, request, call) && !Interlocked.Exchange(ref _isLogged, true))
                CredentialsAreLost(logger, client.Name, name);
        }
    }

    internal bool AreLost(HttpRequestMessage request, in RequestSnapshot original, HttpCall call)
    {
        foreach (var (name, _) in original.Headers)
        {
            if (IsLost(name, request, call))
                return true;
        }

        return false;
    }

    private bool IsLost(string name, HttpRequestMessage request, HttpCall call)
    {
        if (!call.Policy.Logging.Redaction.IsSecret(name) || IsKey(name, call))
            return false;
        _configured ??= clients.CreateClient(client.HttpClientName).DefaultRequestHeaders.NonValidated.Select(h => h.Key)
            .ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        return !_configured.Contains(name) && (!request.Options.TryGetValue(SendingClient.Key, out var sending) || sending.HasHeader(name));
    }

    // Such as X-Request-Key: the key is stored with its letter.
    private static bool IsKey(string name, HttpCall call) =>
        call.IdempotencyKey is not null && name.Equals(call.Policy.Idempotency?.HeaderName, StringComparison.OrdinalIgnoreCase);

    [LoggerMessage(503, LogLevel.Warning,
        "{ClientName}: header {Header} was set on a request or in the constructor of a typed client; dead letters are stored without it. "
        + "Set credentials by ConfigureHttpClient or a handler, or they cannot be replayed")]
    private static partial void CredentialsAreLost(ILogger logger, string clientName, string header);
}
