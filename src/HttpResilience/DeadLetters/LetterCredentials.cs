using System.Collections.Frozen;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Finds the secrets of a request that its replay would not have: letters are stored without secrets, and only <c>ConfigureHttpClient</c>
/// and handlers add them again. Not so the request itself, or the constructor of a typed client.
/// </summary>
internal sealed partial class LetterCredentials(Client client, IHttpClientFactory clients, ILogger logger)
{
    private FrozenSet<string>? _configured;
    private bool _headerIsLogged;
    private bool _parameterIsLogged;

    internal static LetterCredentials Of(Client client, IHttpClientFactory clients, ILogger logger) =>
        client.GetOrAdd(() => new LetterCredentials(client, clients, logger));

    /// <summary>Logs the first request with such a header field, and the first with such a query parameter.</summary>
    internal void Check(HttpRequestMessage request, HttpCall call)
    {
        if (!Volatile.Read(ref _headerIsLogged))
            CheckHeaders(request, call);
        if (call.Policy.DeadLetter is { Protect: false } && !Volatile.Read(ref _parameterIsLogged)
            && LeftOutRules.HasParameter(request.RequestUri, call.Policy.Logging.Redaction.Names))
            CheckParameters(request, call);
    }

    /// <summary>
    /// What a letter leaves out (<see cref="DeadLetter.LeftOut"/>), and the first of it that its replay would lack; null when it lacks
    /// nothing. Secret header fields are never stored. A protected letter keeps the query parameters that no handler of the client adds
    /// again; the others would be sent twice.
    /// </summary>
    internal (IReadOnlyList<string> LeftOut, string? Lacks) LeftOutOf(
        in RequestSnapshot original, HttpRequestMessage request, HttpCall call)
    {
        var secrets = DeadLetterRequest.SecretsOf(original, call);
        bool isProtected = call.Policy.DeadLetter is { Protect: true };
        string? lacks = secrets.FirstOrDefault(item => LeftOutRules.IsParameter(item, out string name)
            ? !isProtected && IsLostParameter(name, request) : IsLostHeader(name, request));
        return isProtected
            ? ([.. secrets.Where(item => !LeftOutRules.IsParameter(item, out string name) || !IsLostParameter(name, request))], lacks)
            : (secrets, lacks);
    }

    private void CheckHeaders(HttpRequestMessage request, HttpCall call)
    {
        foreach (var (name, _) in request.Headers.NonValidated)
        {
            if (call.Policy.Logging.Redaction.IsSecret(name) && !IsKey(name, call) && IsLostHeader(name, request)
                && !Interlocked.Exchange(ref _headerIsLogged, true))
                CredentialsAreLost(logger, client.Name, name);
        }
    }

    private void CheckParameters(HttpRequestMessage request, HttpCall call)
    {
        foreach (string name in LeftOutRules.ParametersIn(request.RequestUri, call.Policy.Logging.Redaction.Names))
        {
            if (IsLostParameter(name, request) && !Interlocked.Exchange(ref _parameterIsLogged, true))
                ParameterIsLost(logger, client.Name, Redaction.Clean(name));
        }
    }

    private bool IsLostHeader(string name, HttpRequestMessage request)
    {
        _configured ??= clients.CreateClient(client.HttpClientName).DefaultRequestHeaders.NonValidated.Select(h => h.Key)
            .ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        return !_configured.Contains(name) && (!request.Options.TryGetValue(SendingClient.Key, out var sending) || sending.HasHeader(name));
    }

    // Without a handler outside the chain, only the request itself had it.
    private static bool IsLostParameter(string name, HttpRequestMessage request) =>
        !request.Options.TryGetValue(SendingClient.Key, out var sending) || sending.Uri is not { } uri
            || LeftOutRules.HasParameter(uri, name);

    // Such as X-Request-Key: the key is stored with its letter.
    private static bool IsKey(string name, HttpCall call) =>
        call.IdempotencyKey is not null && name.Equals(call.Policy.Idempotency?.HeaderName, StringComparison.OrdinalIgnoreCase);

    [LoggerMessage(503, LogLevel.Warning,
        "{ClientName}: header {Header} was set on a request or in the constructor of a typed client; dead letters are stored without it. "
        + "Set credentials by ConfigureHttpClient or a handler, or they cannot be replayed")]
    private static partial void CredentialsAreLost(ILogger logger, string clientName, string header);

    [LoggerMessage(504, LogLevel.Warning,
        "{ClientName}: query parameter {Parameter} was set on a request; dead letters are stored without it, as it carries a secret. Add "
        + "it by a handler, or they cannot be replayed; or set DeadLetter:Protect")]
    private static partial void ParameterIsLost(ILogger logger, string clientName, string parameter);
}
