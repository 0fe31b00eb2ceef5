namespace HttpResilience.Benchmarks;

public enum RequestKind
{
    Get,
    GetWithHeaders,
    Post,
    GetForTenant,
    PostWithoutKey,
}

/// <summary>Makes sequential calls on one or more threads.</summary>
internal static class Load
{
    private static readonly Uri Uri = new("https://api.example.com/v1/invoices/17");

    internal static Task RunAsync(HttpClient client, RequestKind kind, int calls, int threads) => threads == 1
        ? RunAsync(client, kind, calls)
        : Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(() => RunAsync(client, kind, calls / threads))));

    private static async Task RunAsync(HttpClient client, RequestKind kind, int calls)
    {
        for (int i = 0; i < calls; i++)
        {
            using var request = kind switch
            {
                RequestKind.Post => Post(),
                RequestKind.PostWithoutKey => PostWithoutKey(),
                RequestKind.GetForTenant => new HttpRequestMessage(HttpMethod.Get, Uri).WithTenant("comp1"),
                _ => new HttpRequestMessage(HttpMethod.Get, Uri),
            };
            var call = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            while (Stub.LetArrive())
            {
            }

            using var response = await call;
        }
    }

    // The bare client and Polly's client get a key explicitly; the chain makes one.
    private static HttpRequestMessage Post()
    {
        var request = PostWithoutKey();
        request.Headers.TryAddWithoutValidation("Idempotency-Key", Guid.NewGuid().ToString());
        return request;
    }

    private static HttpRequestMessage PostWithoutKey() =>
        new(HttpMethod.Post, Uri) { Content = new StringContent("""{"number":"2026-0017","net":100}""") };
}
