namespace HttpResilience;

/// <summary>
/// The request of the call on whose way code of the application runs: what a handler sends beside it or instead of it, without its call, is
/// found to belong to it.
/// </summary>
internal static class AmbientRequest
{
    private static readonly AsyncLocal<HttpRequestMessage?> Request = new();

    /// <summary>Sets the request for the rest of the calling method, and for what it calls.</summary>
    internal static void Enter(HttpRequestMessage request) => Request.Value = request;

    /// <summary>The request on whose way the current code runs, if it is a call of the client.</summary>
    internal static (HttpRequestMessage Request, HttpCall Call)? Of(string clientName) =>
        Request.Value is { } request && request.Options.TryGetValue(HttpCall.Key, out var call) && call.ClientName == clientName
            ? (request, call) : null;
}
