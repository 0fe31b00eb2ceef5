namespace HttpResilience;

/// <summary>
/// The outermost handler of a client that has handlers outside the chain: a scope applies to the request of its call, not to the requests
/// that those handlers send themselves, such as one for a token.
/// </summary>
internal sealed class CallScopeHandler(string clientName) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var before = HttpCallScope.Enter(request, clientName);
        try
        {
            return base.SendAsync(request, cancellationToken);
        }
        finally
        {
            HttpCallScope.Leave(before);
        }
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var before = HttpCallScope.Enter(request, clientName);
        try
        {
            return base.Send(request, cancellationToken);
        }
        finally
        {
            HttpCallScope.Leave(before);
        }
    }
}
