using System.Text;

namespace HttpResilience.Benchmarks;

internal enum RequestKind
{
    Get,
    GetForTenant,
    Post,
    PostWithKey,
}

/// <summary>Makes calls on this thread: begins as many as are in flight at once, then lets their responses arrive.</summary>
internal sealed class Load(HttpClient client, RequestKind kind, int inFlight)
{
    private static readonly Uri Uri = new("https://api.example.com/v1/invoices/17");

    private readonly HttpRequestMessage?[] _requests = new HttpRequestMessage?[inFlight];
    private readonly Task<HttpResponseMessage>?[] _calls = new Task<HttpResponseMessage>?[inFlight];

    /// <returns>How many calls got a successful response.</returns>
    /// <exception cref="InvalidOperationException">A call goes on on another thread.</exception>
    internal int Run(int calls)
    {
        int successes = 0;
        for (int begun = 0; begun < calls; begun += inFlight)
        {
            for (int i = 0; i < inFlight; i++)
            {
                var request = Request(kind);
                _requests[i] = request;
                _calls[i] = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
            }

            Stub.LetArrive();
            for (int i = 0; i < inFlight; i++)
            {
                if (!_calls[i]!.IsCompleted)
                    throw new InvalidOperationException("A call goes on on another thread.");
                using (var response = _calls[i]!.GetAwaiter().GetResult())
                    successes += response.IsSuccessStatusCode ? 1 : 0;
                _requests[i]!.Dispose();
                (_calls[i], _requests[i]) = (null, null);
            }
        }

        return successes;
    }

    private static HttpRequestMessage Request(RequestKind kind)
    {
        switch (kind)
        {
            case RequestKind.GetForTenant:
                return new HttpRequestMessage(HttpMethod.Get, Uri).WithTenant("comp1");
            case RequestKind.Post:
                return Post();
            case RequestKind.PostWithKey:
                var request = Post();
                request.Headers.TryAddWithoutValidation("Idempotency-Key", Guid.NewGuid().ToString());
                return request;
            default:
                return new(HttpMethod.Get, Uri);
        }
    }

    private static HttpRequestMessage Post() => new(HttpMethod.Post, Uri)
    {
        Content = new StringContent("""{"number":"2026-0017","net":100}""", Encoding.UTF8, "application/json"),
    };
}
