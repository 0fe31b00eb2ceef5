using System.Net;

namespace HttpResilience;

/// <summary>
/// Sends a letter through the second pipeline of its client. Every address of it passes the same gate: its own, and those that redirects
/// lead to.
/// </summary>
/// <param name="client">The client of the letter.</param>
/// <param name="httpClient">Its second pipeline.</param>
internal sealed class ReplayAttempt(Client client, HttpClient httpClient, IServiceProvider services)
{
    private readonly TimeProvider _time = client.Time;
    private HttpRequestMessage? _request;

    // The key of the request that was redirected, which the chain made where the letter has none: the target gets the same one.
    private string? _key;

    /// <summary>Sends a letter, and follows redirects that ask for the same request elsewhere.</summary>
    /// <returns>The letter as it is to be stored; not sent when <see cref="DeadLetterDecision.BeforeReplay"/> has a reason.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled: the request may have been processed.</exception>
    internal async Task<DeadLetter> SendAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        if (DeadLetterDecision.OfRow(letter) is { } unfit)
            return ReplayResult.NotSent(letter, unfit);
        if (Gate(letter, letter.Uri) is { } reason)
            return ReplayResult.NotSent(letter, reason);
        if (LetterUri.AsSent(letter) is not { } uri)
            return ReplayResult.NotSent(letter, DeadLetterDecision.NotItsOwnUri);
        if (LackingUnchecked(letter) is { } lacking)
            return ReplayResult.NotSent(letter, DeadLetterDecision.Lacks(lacking));

        for (int followed = 0; ; followed++)
        {
            var (result, target) = await SendAsync(letter, uri, followed, cancellationToken).ConfigureAwait(false);
            if (target is null)
                return result;
            (letter, uri) = (result, target);
        }
    }

    /// <returns>The letter, and the address of a redirect that is to be followed; null when the letter is to be stored.</returns>
    private async Task<(DeadLetter Letter, Uri? Target)> SendAsync(
        DeadLetter letter, Uri uri, int followed, CancellationToken cancellationToken)
    {
        var keyed = _key is null ? letter : letter with { IdempotencyKey = _key };
        using var request = DeadLetterRequest.ToRequest(keyed, PolicyOf(letter), uri);
        _request = request;
        request.Version = letter.HttpVersion ?? httpClient.DefaultRequestVersion;
        request.VersionPolicy = letter.HttpVersionPolicy ?? httpClient.DefaultVersionPolicy;
        try
        {
            using var response = await httpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
                .ConfigureAwait(false);
            var call = response.GetHttpCall()
                ?? throw new InvalidOperationException($"Client '{letter.ClientName}' has no resilience chain.");
            if (MissingIn(request) is { } missing)
                return (ReplayResult.NotSent(letter, DeadLetterDecision.Lacks(missing)), null);
            if (call.FailureClass is FailureClass.None)
            {
                return ReplayRedirect.StatusOf(response, letter.Method) is { } status
                    ? Redirect(letter, call, status, ReplayRedirect.TargetOf(response, uri), followed)
                    : (ReplayResult.Accepted(letter, call, _time.GetUtcNow()), null);
            }

            var failure = await LetterFailure.OfAsync(
                response, request, call, client.Get<AttemptClassifier>()!, _time, async: true, cancellationToken).ConfigureAwait(false);
            return (ReplayResult.Failed(letter, client, call, failure, hasResponse: true, _time.GetUtcNow()), null);
        }
        catch (Exception) when (MissingIn(request) is not null)
        {
            return (ReplayResult.NotSent(letter, DeadLetterDecision.Lacks(MissingIn(request)!)), null);
        }
        catch (Exception e)
            when (e.GetHttpCall() is { FailureClass: not FailureClass.Cancelled } && !cancellationToken.IsCancellationRequested)
        {
            var call = e.GetHttpCall()!;
            var failure = LetterFailure.Of(e, request, call);
            return (ReplayResult.Failed(letter, client, call, failure, hasResponse: false, _time.GetUtcNow()), null);
        }
    }

    /// <summary>An exception of a handler outside the chain, for the log: without the secrets of the request.</summary>
    internal Exception Loggable(DeadLetter letter, Exception exception) =>
        PolicyOf(letter).Logging.Redaction.Loggable(exception, _request);

    // As that of a call with the same request.
    private ResiliencePolicy PolicyOf(DeadLetter letter) =>
        client.Policy.For(new HttpMethod(letter.Method), letter.Uri, httpClient.BaseAddress);

    // Without the second pipeline, only the default headers of the client are known to be added.
    private string? LackingUnchecked(DeadLetter letter) => ReplayPipeline.Of(client, services).ChecksCompleteness ? null
        : letter.LeftOut.FirstOrDefault(item => LeftOutRules.IsParameter(item, out string name)
            || !LeftOutRules.HasHeader(httpClient.DefaultRequestHeaders.NonValidated, name));

    private static string? MissingIn(HttpRequestMessage request) =>
        request.Options.TryGetValue(ReplayedCall.Key, out var replay) ? replay.Missing : null;

    private (DeadLetter Letter, Uri? Target) Redirect(DeadLetter letter, HttpCall call, HttpStatusCode status, Uri? target, int followed)
    {
        var following = ReplayResult.Following(letter, call);
        _key = call.IdempotencyKey;
        if ((ReplayRedirect.Review(status, target, followed) ?? Gate(following, target!)) is not { } reason)
            return (following, target);
        bool isProcessed = !ReplayRedirect.KeepsRequest(status);
        return (ReplayResult.Redirected(letter, call, reason, isProcessed, target, _time.GetUtcNow()), null);
    }

    private DeadLetterDecision? Gate(DeadLetter letter, Uri uri) => DeadLetterDecision.BeforeReplay(
        letter, ReplayResult.FateOf(client, PolicyOf(letter), letter),
        ReplayResult.MayGoThere(client, uri, httpClient.BaseAddress, services),
        PolicyOf(letter).KeyHasExpired(_time.GetUtcNow() - letter.FirstFailedAt));
}
