namespace HttpResilience;

/// <summary>
/// Brings a request up to date that did not fit the state of its resource (409, RFC 9110 §15.5.10): fetches the current state and changes
/// the request accordingly, which is then sent again.
/// </summary>
/// <remarks>
/// Register it as a singleton, for one client under its name (<c>AddKeyedSingleton&lt;IConflictResolver, T&gt;("invoices")</c>) or for all
/// clients (<c>AddSingleton</c>). It answers for every failure of class <see cref="FailureClass.Conflict"/>: to have it asked for 412
/// (<c>If-Match</c>) as well, set <c>Retry:Statuses:412:FailureClass</c> to <c>Conflict</c>. A 409 to a
/// keyed call with <c>Retry-After</c>, or after an attempt that may have been processed, is no conflict but says that the first request is
/// still being processed: the request is sent again as it is.
/// </remarks>
public interface IConflictResolver
{
    /// <summary>
    /// Fetches the current state and changes the request: its body, its headers, its URI. The fetch is a call of its own, through any
    /// client.
    /// </summary>
    /// <param name="httpCall">
    /// The call. When its <see cref="HttpCall.MayHaveBeenProcessed"/> is true, the conflict may be with what an earlier attempt of this
    /// very call has done.
    /// </param>
    /// <param name="request">
    /// The request as the application made it. Since the changed request is another operation, a key that the chain made is replaced for
    /// it, unless an earlier attempt may have been processed under it; a key that the application gave stays unless this method replaces
    /// the header.
    /// </param>
    /// <param name="conflict">The response, its body in memory.</param>
    /// <param name="cancellationToken">Ends when the caller cancels, after <c>AttemptTimeout</c>, and at the deadline of the call.</param>
    /// <returns>
    /// True: the request goes out again at once, as one of <c>Retry:MaxRetryAttempts</c>. False: it cannot be resolved, the caller gets the
    /// response.
    /// </returns>
    /// <exception cref="Exception">Whatever it throws reaches the caller inside an <see cref="HttpRequestException"/>.</exception>
    ValueTask<bool> ResolveAsync(
        HttpCall httpCall, HttpRequestMessage request, HttpResponseMessage conflict, CancellationToken cancellationToken);
}
