using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience;

/// <summary>Sends one letter again, through the client that it is of, and tells what has become of it.</summary>
internal sealed class DeadLetterSender(IServiceProvider services, IHttpClientFactory clients)
{
    /// <summary>Whether the client is one of this process that keeps letters.</summary>
    internal bool Knows(string clientName) =>
        services.GetServices<ResilientClient>().Any(c => c.Name is null || c.Name == clientName)
        && services.GetRequiredKeyedService<ClientState>(clientName).Policy.DeadLetter is not null;

    /// <summary>Sends the letter, unless there is a reason not to.</summary>
    /// <returns>The letter as it is to be kept, of the version that it came with.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled: nothing is known of the request but that it may have been processed.</exception>
    internal async Task<DeadLetter> SendAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        var client = services.GetRequiredKeyedService<ClientState>(letter.ClientName);
        var policy = client.Policy;
        using var httpClient = clients.CreateClient(letter.ClientName);
        var fate = FateOf(client, letter, letter.MayHaveBeenProcessed);
        bool mayGoThere = policy.DeadLetter?.MayGoTo(letter.Uri, httpClient.BaseAddress) is true;
        bool keyExpired = policy.KeyHasExpired(client.Time.GetUtcNow() - letter.FirstFailedAt);
        if (DeadLetterDecision.BeforeReplay(letter, fate, mayGoThere, keyExpired) is { } reason)
            return letter with { Status = reason.Status, SuggestedAction = reason.SuggestedAction };

        using var request = DeadLetterRequest.ToRequest(letter, policy.Logging.Redaction);
        HttpCall? call;
        LetterFailure failure;
        bool hasResponse = false;
        try
        {
            using var response = await httpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            call = response.GetHttpCall() ?? throw new InvalidOperationException($"Client '{letter.ClientName}' has no resilience chain.");
            if (call.FailureClass is FailureClass.None)
                return Replayed(letter, call, client.Time.GetUtcNow());
            hasResponse = true;
            failure = await LetterFailure.OfAsync(
                response, request, call, client.Get<AttemptClassifier>()!, client.Time, async: true, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e.GetHttpCall() is { FailureClass: not FailureClass.Cancelled } && !cancellationToken.IsCancellationRequested)
        {
            call = e.GetHttpCall()!;
            failure = LetterFailure.Of(e, request, call);
        }

        return Failed(client, letter, call, failure, hasResponse);
    }

    private static LetterFate FateOf(ClientState client, DeadLetter letter, bool mayHaveBeenProcessed) => LetterFate.Of(
        client.Policy.Retry, new HttpMethod(letter.Method), letter.IdempotencyKey is not null, mayHaveBeenProcessed, letter.BodyIsMissing,
        client.Get<RegisteredExtensions>()!.Reconciler is not null);

    private static DeadLetter Replayed(DeadLetter letter, HttpCall call, DateTimeOffset now) => letter with
    {
        Status = DeadLetterStatus.Replayed,
        DueAt = now,
        Replays = letter.Replays + 1,
        Attempts = letter.Attempts + call.AttemptCount,
        StatusCode = (int?)call.LastAttempt?.StatusCode,
        StopReason = call.StopReason,
        SuggestedAction = null,
    };

    private static DeadLetter Failed(ClientState client, DeadLetter letter, HttpCall call, in LetterFailure failure, bool hasResponse)
    {
        var now = client.Time.GetUtcNow();
        // What was not sent at all has not used up anything: a circuit or a pause stood in the way.
        int replays = letter.Replays + (call is { AttemptCount: 0, StopReason: StopReason.CircuitOpen or StopReason.RateLimited or StopReason.IntegrationPaused } ? 0 : 1);
        var fate = FateOf(client, letter, call.MayHaveBeenProcessed);
        var decision = DeadLetterDecision.AfterFailure(call.FailureClass, fate, failure.RetryAfter, replays, client.Policy.DeadLetter?.MaxReplays ?? 0);
        return letter with
        {
            Status = decision.Status,
            DueAt = now + decision.Delay,
            SuggestedAction = decision.SuggestedAction,
            Replays = replays,
            Attempts = letter.Attempts + call.AttemptCount,
            LastFailedAt = now,
            FailureClass = call.FailureClass,
            StopReason = call.StopReason,
            MayHaveBeenProcessed = call.MayHaveBeenProcessed,
            StatusCode = hasResponse ? failure.StatusCode : null,
            ErrorType = failure.ErrorType,
            ErrorTitle = failure.Title,
            ErrorDetail = failure.Detail,
            // A person's word holds for the one time that it was given for.
            Resolution = null,
        };
    }
}
