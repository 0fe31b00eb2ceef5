namespace HttpResilience;

/// <summary>The part of a call that shows how far the request of its current attempt came, and whether a server answered it.</summary>
internal static class WireCall
{
    private static readonly CallFlag AtCircuit = new();
    private static readonly CallFlag Sent = new();
    private static readonly CallFlag SentEarlier = new();
    private static readonly CallFlag Captured = new();
    private static readonly CallFlag Watched = new();
    private static readonly CallFlag Answered = new();
    private static readonly CallFlag AnswerMayBeEffect = new();
    private static readonly CallFlag AnswerIsFailure = new();
    private static readonly CallFlag AnsweredEarlier = new();
    private static readonly CallFlag OtherSeen = new();
    private static readonly CallFlag OtherSent = new();
    private static readonly CallFlag OtherMayBeEffect = new();
    private static readonly CallFlag Redirected = new();
    private static readonly CallFlag Unsendable = new();
    private static readonly CallSlot<Uri> OtherAuthority = new();

    private static readonly int OfAttempt = CallFlag.Mask(
        AtCircuit, Sent, Watched, Answered, AnswerMayBeEffect, AnswerIsFailure, AnsweredEarlier, OtherSeen, OtherSent, OtherMayBeEffect,
        Redirected, Unsendable);

    private static readonly int OfOtherRequests = CallFlag.Mask(AnsweredEarlier, OtherSeen, OtherSent, OtherMayBeEffect);

    extension(HttpCall call)
    {
        /// <summary>
        /// The request of the current attempt has reached the circuit. False: a handler of the application failed before that, or answered.
        /// </summary>
        internal bool ReachedCircuit
        {
            get => AtCircuit.IsSet(call);
            set => AtCircuit.Set(call, value);
        }

        /// <summary>
        /// The request of the current attempt has reached the innermost stage. False: a stage or a handler of the application failed before
        /// that, so the server has received nothing of this attempt.
        /// </summary>
        internal bool WasSent
        {
            get => Sent.IsSet(call) || OtherSent.IsSet(call);
            set => Sent.Set(call, value);
        }

        /// <summary>The innermost stage has received a request in the current attempt: that of the call, or one of a handler.</summary>
        internal bool WasSeenAtWire => call.WasSent || OtherSeen.IsSet(call);

        /// <summary>An attempt of the call was sent, this one or an earlier one.</summary>
        internal bool WasEverSent => call.WasSent || SentEarlier.IsSet(call);

        /// <summary>The innermost stage captures the request for a feature.</summary>
        internal bool IsCaptured
        {
            get => Captured.IsSet(call);
            set => Captured.Set(call, value);
        }

        /// <summary>
        /// The authority that a redirect of the current attempt led to, when it is another one than was asked: the failure is its own.
        /// </summary>
        internal Uri? RedirectedTo => Redirected.IsSet(call) ? OtherAuthority.Get(call) : null;

        /// <summary>Begins an attempt, of which nothing is known yet.</summary>
        internal void ResetWire()
        {
            if (call.WasSent)
                SentEarlier.Set(call, true);
            call.Flags &= ~OfAttempt;
        }

        /// <summary>A handler of the application passes the request on to the innermost stage.</summary>
        internal void EnterWire()
        {
            Watched.Set(call, true);
            // What was sent before was for a purpose of its own, such as a token.
            OtherSent.Set(call, false);
            OtherMayBeEffect.Set(call, false);
            call.EnterAgain();
        }

        private void EnterAgain()
        {
            if (!Answered.IsSet(call))
                return;
            // The handler sends again: the earlier response is no longer the result of the attempt.
            Answered.Set(call, false);
            if (AnswerMayBeEffect.IsSet(call))
                AnsweredEarlier.Set(call, true);
        }

        /// <summary>The innermost stage got a response, and gives it to a handler of the application.</summary>
        internal void Answer(HttpResponseMessage response)
        {
            var result = Of(response, call.Time.GetUtcNow());
            Answered.Set(call, true);
            AnswerMayBeEffect.Set(call, MayBeEffect(result));
            AnswerIsFailure.Set(call, result.CircuitOutcome is CircuitOutcome.Failure);
        }

        /// <summary>The response has come through all handlers of the application.</summary>
        /// <param name="request">The message, which redirects change.</param>
        /// <param name="method">Its method before it was sent.</param>
        /// <param name="uri">Its URI before it was sent.</param>
        internal void Receive(HttpResponseMessage response, HttpRequestMessage request, HttpMethod method, Uri? uri)
        {
            if ((int)response.StatusCode >= 400)
                call.ReceiveFailure(response, request, method, uri);
            Answered.Set(call, false);
        }

        // A handler of the application may give another response than that of the request: its own, or that of another request.
        private void ReceiveFailure(HttpResponseMessage response, HttpRequestMessage request, HttpMethod method, Uri? uri)
        {
            if (Answered.IsSet(call) && AnswerMayBeEffect.IsSet(call) && !MayBeEffect(Of(response, call.Time.GetUtcNow())))
                AnsweredEarlier.Set(call, true);
            var sent = response.RequestMessage ?? request;
            if (!Watched.IsSet(call) || sent != request)
                call.Compare(sent, method, uri);
        }

        /// <summary>The attempt ended with an exception.</summary>
        /// <inheritdoc cref="Receive"/>
        internal void Fail(Exception exception, HttpRequestMessage request, HttpMethod method, Uri? uri)
        {
            if (!Watched.IsSet(call) && call.WasSent)
                call.Inspect(exception, request, method, uri);
        }

        /// <summary>A handler of the application sends a request without the call, on the way of the call.</summary>
        /// <param name="other">The request that it sends.</param>
        /// <param name="request">The request of the call.</param>
        internal OtherRequest EnterOther(HttpRequestMessage other, HttpRequestMessage request)
        {
            var kind = OtherRequestKind.Of(other, request);
            OtherSeen.Set(call, true);
            if (kind is OtherRequest.Copy)
            {
                call.EnterAgain();
                Sent.Set(call, true);
            }
            else if (kind is OtherRequest.MayBeCopy)
                OtherSent.Set(call, true);
            return kind;
        }

        /// <summary>The other request got a response.</summary>
        internal void AnswerOther(OtherRequest kind, HttpResponseMessage response)
        {
            if (kind is OtherRequest.Copy)
                call.Answer(response);
            else if (kind is OtherRequest.MayBeCopy && MayBeEffect(Of(response, call.Time.GetUtcNow())))
                OtherMayBeEffect.Set(call, true);
        }

        /// <summary>The other request failed.</summary>
        /// <inheritdoc cref="Receive"/>
        internal void FailOther(OtherRequest kind, Exception exception, HttpRequestMessage request, HttpMethod method, Uri? uri)
        {
            if (kind is OtherRequest.Copy)
                call.FailWire(exception, request, method, uri);
            else if (kind is OtherRequest.MayBeCopy && FailureClassifier.MayHaveBeenProcessed(exception))
                OtherMayBeEffect.Set(call, true);
        }

        /// <summary>
        /// The innermost stage failed, and gives the exception to a handler of the application. When the server may have processed the
        /// request, that holds for the attempt however the handler goes on.
        /// </summary>
        /// <inheritdoc cref="Receive"/>
        internal void FailWire(Exception exception, HttpRequestMessage request, HttpMethod method, Uri? uri)
        {
            call.Inspect(exception, request, method, uri);
            if (FailureClassifier.MayHaveBeenProcessed(exception))
                AnsweredEarlier.Set(call, true);
        }

        /// <summary>Sees what the primary handler did to a request before it failed.</summary>
        /// <inheritdoc cref="Receive"/>
        internal void Inspect(Exception exception, HttpRequestMessage request, HttpMethod method, Uri? uri)
        {
            call.Compare(request, method, uri);
            if (UnsendableHeader.Explains(exception, request))
                Unsendable.Set(call, true);
        }

        /// <summary>Sees whether redirects have changed the method or the authority of a request.</summary>
        /// <inheritdoc cref="Receive"/>
        internal void Compare(HttpRequestMessage request, HttpMethod method, Uri? uri)
        {
            if (ReferenceEquals(request.RequestUri, uri) || uri is not { IsAbsoluteUri: true }
                || request.RequestUri is not { IsAbsoluteUri: true } target)
                return;
            bool isOtherAuthority = !new HttpAuthority(target).Equals(new HttpAuthority(uri));
            if (!isOtherAuthority && request.Method == method)
                return;
            Redirected.Set(call, true);
            OtherAuthority.Set(call, isOtherAuthority ? target : null);
        }

        /// <summary>The facts about the attempt, which has failed.</summary>
        /// <param name="exception">Null when it ended with a response.</param>
        internal AttemptFacts FactsOf(Exception? exception)
        {
            // A handler that throws an exception for the status of the response passes the response on.
            bool isOfResponse = exception is HttpRequestException { StatusCode: not null };
            bool failedAfterAnswer = exception is not null && Answered.IsSet(call);
            return new(
                WasSent: exception is null || call.WasSent,
                WasAnswered: Redirected.IsSet(call) || AnsweredEarlier.IsSet(call) || OtherMayBeEffect.IsSet(call)
                    || (failedAfterAnswer && !(isOfResponse && !AnswerMayBeEffect.IsSet(call))),
                IsOfAnotherHost: call.RedirectedTo is not null || (exception is not null && OtherMayBeEffect.IsSet(call))
                    || (failedAfterAnswer && !(isOfResponse && AnswerIsFailure.IsSet(call))))
            {
                IsUnsendable = Unsendable.IsSet(call),
            };
        }

        /// <summary>Takes over what is known of the parallel request whose result is that of the attempt.</summary>
        internal void JoinWire(HttpCall branch)
        {
            bool wasSent = call.WasSent;
            call.Flags = (call.Flags & ~(OfAttempt & ~OfOtherRequests)) | (branch.Flags & OfAttempt);
            call.WasSent |= wasSent;
            if (branch.RedirectedTo is { } target)
                OtherAuthority.Set(call, target);
        }
    }

    private static AttemptResult Of(HttpResponseMessage response, DateTimeOffset now)
    {
        int status = (int)response.StatusCode;
        bool hasRetryAfter = status >= 400 && RetryAfter.Of(response.Headers, now) is not null;
        return FailureClassifier.Of(status, hasRetryAfter, keyed: false);
    }

    // The response shows that the request was processed, or may have been.
    private static bool MayBeEffect(in AttemptResult result) => result.IsSuccess || result.IsAmbiguous;
}
