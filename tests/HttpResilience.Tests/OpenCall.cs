namespace HttpResilience.Tests;

/// <summary>Starts a call of a client without sending it.</summary>
internal static class OpenCall
{
    extension(HttpCall)
    {
        internal static HttpCall Open(HttpRequestMessage request, Client client) =>
            HttpCall.Open(request, client.Policy, client.Observers);
    }
}
