using Polly;

namespace HttpResilience;

/// <summary>The properties of the call that a Polly pipeline added with <c>AddPollyHandler</c> can read from its context.</summary>
public static class HttpResilienceContext
{
    /// <summary>
    /// The request, under <c>Resilience.Http.RequestMessage</c>: the name that Microsoft.Extensions.Http.Resilience uses too, so that what
    /// was written for it works here.
    /// </summary>
    public static readonly ResiliencePropertyKey<HttpRequestMessage> RequestKey = new("Resilience.Http.RequestMessage");

    /// <summary>The call, under <c>HttpResilience.HttpCall</c>. Not set when the client has no chain.</summary>
    public static readonly ResiliencePropertyKey<HttpCall> CallKey = new("HttpResilience.HttpCall");

    extension(ResilienceContext context)
    {
        /// <summary>The request that the pipeline sends; null when it was not added with <c>AddPollyHandler</c>.</summary>
        public HttpRequestMessage? GetHttpRequest() => context.Properties.TryGetValue(RequestKey, out var request) ? request : null;

        /// <summary>
        /// The call that the request belongs to: its key, tenant, tags and earlier attempts; null when the client has no chain.
        /// </summary>
        public HttpCall? GetHttpCall() => context.Properties.TryGetValue(CallKey, out var call) ? call : null;
    }
}
