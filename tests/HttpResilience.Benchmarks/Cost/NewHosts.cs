using System.Net;

namespace HttpResilience.Benchmarks;

/// <summary>Calls to many hosts, answered at once.</summary>
internal static class NewHosts
{
    /// <summary>Addresses that are parsed already: a <see cref="Uri"/> parses lazily, and that is no cost of a client.</summary>
    internal static Uri[] Make(int count) => [.. Enumerable.Range(0, count).Select(i =>
    {
        var uri = new Uri($"https://tenant{i}.example.com/v1/invoices");
        _ = uri.IdnHost;
        return uri;
    })];

    internal static Clients Clients() => new(() => new Stub(suspends: false, HttpStatusCode.OK), new() { ByAuthority = true });

    internal static void Call(HttpClient client, Uri uri)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        var call = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
        using var response = call.IsCompleted ? call.GetAwaiter().GetResult()
            : throw new InvalidOperationException("A call goes on on another thread.");
    }
}
