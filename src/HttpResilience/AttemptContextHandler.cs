namespace HttpResilience;

/// <summary>
/// Hides the Polly context on a request from what stands inside the chain: a <c>ResilienceHandler</c> of Microsoft takes the token from the
/// context that it finds, and that of a pipeline around the chain, or of the application, does not end with an attempt. Without one it
/// makes its own, with the token of the attempt.
/// </summary>
internal sealed class AttemptContextHandler : DelegatingHandler
{
    private const string Context = "Resilience.Http.ResilienceContext";

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendAsync(request, async: true, cancellationToken);

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendAsync(request, async: false, cancellationToken).GetAwaiter().GetResult();

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, bool async, CancellationToken cancellationToken)
    {
        IDictionary<string, object?> options = request.Options;
        bool isHidden = options.Remove(Context, out object? context);
        try
        {
            return async ? await base.SendAsync(request, cancellationToken).ConfigureAwait(false) : base.Send(request, cancellationToken);
        }
        finally
        {
            if (isHidden)
                options[Context] = context;
        }
    }
}
