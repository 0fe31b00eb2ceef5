namespace HttpResilience;

/// <summary>
/// Finds out whether a request that may have been processed was: looks for what it would have made. Makes it safe to repeat a POST to an
/// API that knows no idempotency keys.
/// </summary>
/// <remarks>
/// Register it as a singleton, for one client under its name (<c>AddKeyedSingleton&lt;IReconciler, T&gt;("invoices")</c>) or for all
/// clients (<c>AddSingleton</c>). It is asked before a request is repeated whose method is not idempotent (RFC 9110 §9.2.2), that may have
/// been processed, and that no key protects. Repeating is as safe as the search is good: what the API shows only seconds after it has made
/// it is made twice unless <c>Retry:Delay</c> is longer than that.
/// </remarks>
public interface IReconciler
{
    /// <summary>
    /// Looks for what the request would have made, by something that is the application's own: an order number, a reference.
    /// </summary>
    /// <param name="httpCall">The call, with its tenant and tags and the attempts so far.</param>
    /// <param name="request">The request as the application made it.</param>
    /// <param name="cancellationToken">Ends when the caller cancels, after <c>AttemptTimeout</c>, and at the deadline of the call.</param>
    /// <returns>
    /// Found: a response like the one that the request would have got; it becomes the answer to the call. Null: it is certain that there is
    /// nothing, the request is sent again.
    /// </returns>
    /// <exception cref="Exception">
    /// It could not be found out. The request is not repeated; the caller gets the exception inside an <see cref="HttpRequestException"/>.
    /// </exception>
    ValueTask<HttpResponseMessage?> FindAsync(HttpCall httpCall, HttpRequestMessage request, CancellationToken cancellationToken);
}
