namespace HttpResilience;

/// <summary>Starts a call from its request and the scopes around it.</summary>
internal static class CallStart
{
    private static readonly CallSlot<HttpCallScope> Scope = new();

    extension(HttpCall)
    {
        /// <param name="observers">Those of the container of the client; null when it has none.</param>
        internal static HttpCall Open(
            HttpRequestMessage request, string clientName, ResiliencePolicy policy, CallObservers? observers)
        {
            request.Options.TryGetValue(HttpCallScopeOptions.Key, out var ofRequest);
            var scope = HttpCallScope.Current;
            var ofScope = scope?.SettingsFor(clientName);
            var settings = HttpCallScopeOptions.Merge(ofScope, ofRequest);
            var call = new HttpCall(clientName, policy, settings, keyIsOfRequest: ofRequest?.IdempotencyKey is not null);
            if (request.Options.TryGetValue(ReplayedCall.Key, out var replay))
            {
                (call.Replay, call.MayHaveBeenProcessed) = (replay, replay.MayHaveBeenProcessed);
                call.IdempotencyKey = replay.IdempotencyKey;
            }

            request.Options.Set(HttpCall.Key, call);
            if (scope is not null)
                Enter(scope, ofScope, call, request, observers);
            return call;
        }

        private static void Enter(
            HttpCallScope scope, HttpCallScopeOptions? settings, HttpCall call, HttpRequestMessage request, CallObservers? observers)
        {
            if (settings?.IdempotencyKey is { } key)
                call.ScopeOfKey = scope.OwnerOf(key);
            call.IsCollected = scope.Notify(call, request.Method, observers);
            HttpCallScope.Suspend();
        }
    }

    extension(HttpCall call)
    {
        /// <summary>The scope whose key is for the call; null when no scope has a key for it.</summary>
        internal HttpCallScope? ScopeOfKey
        {
            get => Scope.Get(call);
            set => Scope.Set(call, value!);
        }

        /// <summary>The key of the scope, if it is for calls of this client; it applies to unsafe methods only.</summary>
        internal string? TakeKeyOfScope() =>
            call.Slots is not null && call.ScopeOfKey is { } scope && scope.BindKey(call.ClientName) ? scope.Key : null;
    }
}
