namespace HttpResilience;

/// <summary>Starts a call from its request and the scopes around it.</summary>
internal static class CallStart
{
    private static readonly CallSlot<HttpCallScope> Scope = new();

    extension(HttpCall)
    {
        /// <param name="observers">Those of the container of the client; null when it has none.</param>
        /// <param name="httpClientName">The name of the client in the factory, when it is not that of its settings.</param>
        /// <param name="hasOptions">Whether the request may have options that the application has set, or a replay.</param>
        internal static HttpCall Open(
            HttpRequestMessage request, ResiliencePolicy policy, CallObservers? observers, string? httpClientName = null,
            bool hasOptions = true)
        {
            // Most calls have neither options nor a scope.
            var call = hasOptions || HttpCallScope.IsInFlow
                ? OpenWithSettings(request, policy, observers, httpClientName)
                : new HttpCall(policy, settings: null, keyIsOfRequest: false);
            request.Options.Set(HttpCall.Key, call);
            return call;
        }

        private static HttpCall OpenWithSettings(
            HttpRequestMessage request, ResiliencePolicy policy, CallObservers? observers, string? httpClientName)
        {
            request.Options.TryGetValue(HttpCallScopeOptions.Key, out var ofRequest);
            bool isReplayed = request.Options.TryGetValue(ReplayedCall.Key, out var replay);
            var scoped = new ScopedRequest(request, policy.ClientName, httpClientName ?? policy.ClientName);
            // A replay has the settings of the original call; scopes of the code that starts the replay do not apply.
            if (isReplayed)
                HttpCallScope.Suspend();
            var scope = HttpCallScope.Around(scoped);
            var ofScope = scope?.SettingsFor(scoped);
            var settings = HttpCallScopeOptions.Merge(ofScope, ofRequest);
            var call = new HttpCall(policy, settings, keyIsOfRequest: ofRequest?.IdempotencyKey is not null);
            if (isReplayed)
            {
                (call.Replay, call.MayHaveBeenProcessed) = (replay, replay!.MayHaveBeenProcessed);
                call.IdempotencyKey = replay.IdempotencyKey;
            }

            if (scope is not null)
                Enter(scope, ofScope, call, scoped, observers);
            return call;
        }

        private static void Enter(
            HttpCallScope scope, HttpCallScopeOptions? settings, HttpCall call, in ScopedRequest request, CallObservers? observers)
        {
            if (settings?.IdempotencyKey is { } key)
                call.ScopeOfKey = scope.OwnerOf(key, request);
            call.IsCollected = scope.Notify(call, request, observers);
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
