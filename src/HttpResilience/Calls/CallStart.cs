namespace HttpResilience;

/// <summary>Starts a call from its request and the scopes around it.</summary>
internal static class CallStart
{
    extension(HttpCall)
    {
        /// <param name="observers">Those of the container of the client; null when it has none.</param>
        internal static HttpCall Open(
            HttpRequestMessage request, string clientName, ResiliencePolicy policy, CallObservers? observers)
        {
            request.Options.TryGetValue(HttpCallScopeOptions.Key, out var ofRequest);
            var settings = HttpCallScopeOptions.Merge(HttpCallScope.Current, ofRequest);
            var call = new HttpCall(clientName, policy, settings, keyIsOfRequest: ofRequest?.IdempotencyKey is not null);
            if (request.Options.TryGetValue(ReplayedCall.Key, out var replay))
                (call.Replay, call.MayHaveBeenProcessed) = (replay, replay.MayHaveBeenProcessed);
            request.Options.Set(HttpCall.Key, call);
            call.IsCollected = HttpCallScope.Notify(call, request.Method, observers);
            return call;
        }
    }
}
