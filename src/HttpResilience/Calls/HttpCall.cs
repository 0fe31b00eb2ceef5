using System.Collections.ObjectModel;
using System.Net;

namespace HttpResilience;

/// <summary>
/// What the application asked for once, with all attempts it took: the story that the log event and
/// <c>response.GetHttpCall()</c> tell alike.
/// </summary>
public sealed class HttpCall
{
    internal static readonly HttpRequestOptionsKey<HttpCall> Key = new("HttpResilience.HttpCall");

    private readonly ClientState _client;
    private readonly HttpCallScopeOptions? _settings;
    private readonly bool _keyIsOfRequest;
    // None for the usual call: the one attempt that succeeds is told by the call itself.
    private List<HttpAttempt>? _attempts;
    // Apart: most calls have none of it, and each would carry its size.
    private OptionalState? _rarities;
    private short _onlyStatus;
    private long _endedAt;
    private bool _isBranch;

    private HttpCall(ClientState client, HttpCallScopeOptions? ofScope, HttpCallScopeOptions? ofRequest, DeadLetter? replay)
    {
        _client = client;
        _settings = HttpCallScopeOptions.Merge(ofScope, ofRequest);
        _keyIsOfRequest = ofRequest?.IdempotencyKey is not null;
        Policy = client.Policy;
        StartedAt = client.Time.GetTimestamp();
        if (replay is not null)
            Continue(replay);
    }

    /// <summary>The name of the <see cref="HttpClient"/> in the factory.</summary>
    public string ClientName => _client.Name;

    /// <summary>The idempotency key that every attempt carried; null when there was none.</summary>
    public string? IdempotencyKey { get; internal set; }

    /// <summary>The application's own customer on whose behalf the call was made; null when none was given.</summary>
    public string? Tenant => _settings?.Tenant;

    /// <summary>What the application attached to the call. Every tag is a property of the log event.</summary>
    public IReadOnlyDictionary<string, object?> Tags => _settings is { Tags: var tags } ? tags.AsReadOnly() : ReadOnlyDictionary<string, object?>.Empty;

    /// <summary>
    /// The attempts on the wire, in order. Empty when nothing was sent. Of requests that were sent side by side (<c>Hedging</c>) the one whose answer counts
    /// comes last; those that were still on their way then are <see cref="FailureClass.Cancelled"/>.
    /// </summary>
    public IReadOnlyList<HttpAttempt> Attempts => _attempts is not null ? _attempts.AsReadOnly() : OnlyAttempt is { } attempt ? [attempt] : [];

    /// <summary>Why no further attempt was made.</summary>
    public StopReason StopReason { get; private set; }

    /// <summary>What kind of failure the call ended with; <see cref="FailureClass.None"/> for a success.</summary>
    public FailureClass FailureClass { get; private set; }

    /// <summary>At least one attempt failed in a way that leaves open whether the server acted on it.</summary>
    public bool MayHaveBeenProcessed { get; private set; }

    /// <summary>From the start of the call to its end, waits included; up to now while it runs.</summary>
    public TimeSpan Elapsed => _client.Time.GetElapsedTime(StartedAt, _endedAt != 0 ? _endedAt : _client.Time.GetTimestamp());

    /// <summary>The policy that held when the call began; a reload does not change it.</summary>
    internal ResiliencePolicy Policy { get; }

    internal long StartedAt { get; private set; }

    /// <summary>The timestamp at which the call ended; 0 while it runs.</summary>
    internal long EndedAt => _endedAt;

    /// <summary>The timestamp from which on the API has known the key: that of the first call, when this one goes on with it.</summary>
    internal long KeyStartedAt => _rarities?.KeyFirstUsedAt is { } first ? StartedAt - Policy.ToTimestamp(_client.Time.GetUtcNow() - first) : StartedAt;

    /// <summary>The API may have forgotten the key.</summary>
    internal bool KeyHasExpired => StartedAt >= Policy.KeyEndFrom(KeyStartedAt);

    /// <summary>The key that was set on this very request, whatever its method.</summary>
    internal string? KeyOfRequest => _keyIsOfRequest ? _settings!.IdempotencyKey : null;

    /// <summary>The key for the unsafe call in the scope.</summary>
    internal string? KeyOfScope => _settings?.IdempotencyKey;

    /// <summary>What the caller said about this one call; null when nothing.</summary>
    internal int? MaxRetryAttempts => _settings?.MaxRetryAttempts;

    /// <summary>The dead letter that keeps the failed request; null when it did not fail, or is not kept.</summary>
    public Guid? DeadLetterId
    {
        get => _rarities?.DeadLetterId;
        internal set => Rare.DeadLetterId = value;
    }

    /// <summary>The response is that of an earlier call with the same key (<c>Idempotency:RememberFor</c>); nothing was sent.</summary>
    public bool IsReplayed => StopReason is StopReason.Replayed;

    /// <summary>The response is one that was kept from before: the API could not be asked (<c>Fallback</c>).</summary>
    public bool IsStale
    {
        get => _rarities?.IsStale is true;
        internal set => Rare.IsStale = value;
    }

    /// <summary>
    /// What went wrong, as the log event has it: what the API says (at most <c>Logging:ErrorBodyBytes</c> of it), or the message of the exception; on one line,
    /// secrets of the request struck out. Null for a success, and when nobody has looked because the event is not logged.
    /// </summary>
    public string? Error
    {
        get => _rarities?.Error;
        internal set => Rare.Error = value;
    }

    /// <summary>What a stale response stands in for; none when the response is the API's.</summary>
    internal (int? Status, Exception? Exception) Masked
    {
        get => _rarities?.Masked ?? default;
        set => Rare.Masked = value;
    }

    /// <summary>How long before the deadline the last attempt ends, in ticks of the clock: what comes after it takes time, too.</summary>
    internal long DeadlineReserve
    {
        get => _rarities?.DeadlineReserve ?? 0;
        set => Rare.DeadlineReserve = value;
    }

    /// <summary>A scope hears of the call.</summary>
    internal bool IsCollected => _rarities?.IsCollected is true;

    /// <summary>The dead letter that this call sends again; null when it is a call of the application's.</summary>
    internal DeadLetter? Replay => _rarities?.Replay;

    /// <summary>What the request has become after a conflict; null when it is as the application made it.</summary>
    internal RequestSnapshot? Revised
    {
        get => _rarities?.Revised;
        set => Rare.Revised = value;
    }

    /// <summary>What the request asks for; null when nobody has needed to know.</summary>
    internal RequestFingerprint? Fingerprint
    {
        get => _rarities?.Fingerprint;
        set => Rare.Fingerprint = value;
    }

    /// <summary>The key is not the caller's: the chain has made it.</summary>
    internal bool KeyIsMade { get; set; }

    /// <summary>Another call can come with the same key: it is the caller's, or made of what the request asks for.</summary>
    internal bool HasLastingKey => IdempotencyKey is not null && !(KeyIsMade && Policy.Idempotency is { KeySource: KeySource.Random });

    /// <summary>The body has been read, and can be sent any number of times.</summary>
    internal bool BodyIsKept { get; set; }

    /// <summary>How often the request had been sent when the attempt in hand began; a lot is 255.</summary>
    internal byte ResendCount { get; set; }

    /// <summary>Whether the call has a span of its own has been decided.</summary>
    internal bool IsTraced { get; set; }

    /// <summary>The platform's measurements of the request ask for <see cref="ResendCount"/>.</summary>
    internal bool MetricIsEnriched { get; set; }

    private OptionalState Rare => _rarities ??= new();

    internal int AttemptCount => _attempts is not null ? _attempts.Count : _onlyStatus == 0 ? 0 : 1;

    /// <summary>The status of the last attempt; null when it had no response, or nothing was sent.</summary>
    internal int? LastStatusCode => _attempts is not null ? (int?)_attempts[^1].StatusCode : _onlyStatus == 0 ? null : _onlyStatus;

    internal HttpAttempt? LastAttempt => _attempts is not null ? _attempts[^1] : OnlyAttempt;

    /// <summary>What the client remembers of the host; null when the request has no absolute URI.</summary>
    internal HostState? Host { get; set; }

    /// <summary>What the client remembers of the tenant's part of the host; null when there is no tenant, or it is not kept apart.</summary>
    internal HostState? TenantHost { get; set; }

    internal bool IsCircuitOpenAt(long timestamp) =>
        Policy.CircuitBreaker is not null && (Host?.Circuit.IsOpenAt(timestamp) is true || TenantHost?.Circuit.IsOpenAt(timestamp) is true);

    /// <summary>What the host's circuit gave the attempt in hand.</summary>
    internal int CircuitTicket { get; set; }

    /// <summary>What the tenant's circuit gave the attempt in hand.</summary>
    internal int TenantTicket { get; set; }

    /// <summary>The timer of the attempt in hand. It may have ended the attempt by the chain's own timer. Lets the circuit tell a slow host from a caller that left.</summary>
    internal AttemptTimer? Timer { get; set; }

    /// <summary>The timestamp at which the attempt in hand began.</summary>
    internal long AttemptStartedAt => _isBranch || Timer is null ? StartedAt : Timer.StartedAt;

    internal bool AttemptTimedOut => Timer is { HasExpired: true };

    private HttpAttempt? OnlyAttempt => _onlyStatus == 0 ? null
        : new((HttpStatusCode)_onlyStatus, FailureClass.None, ErrorType: null, _client.Time.GetElapsedTime(StartedAt, _endedAt));

    internal static HttpCall Open(HttpRequestMessage request, ClientState client)
    {
        request.Options.TryGetValue(HttpCallScopeOptions.Key, out var ofRequest);
        request.Options.TryGetValue(DeadLetterRequest.Key, out var replay);
        var call = new HttpCall(client, HttpCallScope.Current, ofRequest, replay);
        request.Options.Set(Key, call);
        if (HttpCallScope.Notify(call, request.Method, client.Observers))
            call.Rare.IsCollected = true;
        return call;
    }

    internal static HttpCall Of(HttpRequestMessage request) => request.Options.TryGetValue(Key, out var call)
        ? call
        : throw new InvalidOperationException("The request did not pass the head of the resilience chain. Add the chain with AddResilientHttpClient or AddResilience.");

    /// <summary>An earlier call has sent the same under the same key, and nobody knows what became of it.</summary>
    internal void ContinueInDoubt(DateTimeOffset keyFirstUsedAt)
    {
        MayHaveBeenProcessed = true;
        if (!(Rare.KeyFirstUsedAt < keyFirstUsedAt))
            Rare.KeyFirstUsedAt = keyFirstUsedAt;
    }

    private void Continue(DeadLetter letter)
    {
        MayHaveBeenProcessed = letter.MayHaveBeenProcessed;
        (Rare.Replay, Rare.KeyFirstUsedAt) = (letter, letter.FirstFailedAt);
    }

    internal void Record(in AttemptResult result, Exception? exception, long startedAt, long endedAt)
    {
        MayHaveBeenProcessed |= result.IsAmbiguous;
        _attempts ??= [];
        _attempts.Add(new((HttpStatusCode?)result.StatusCode, result.FailureClass, exception?.GetType().Name, _client.Time.GetElapsedTime(startedAt, endedAt)));
    }

    /// <summary>
    /// The call as one of several requests sees it that an attempt sends side by side: when it began and what the circuits gave it is its own.
    /// </summary>
    /// <param name="sentBeside">How many of those have been sent already.</param>
    internal HttpCall Branch(long startedAt, int sentBeside)
    {
        var branch = (HttpCall)MemberwiseClone();
        branch.ResendCount = Resend.Count(ResendCount + sentBeside);
        (branch.StartedAt, branch._isBranch) = (startedAt, true);
        (branch.CircuitTicket, branch.TenantTicket) = (CircuitMachine.NoTicket, CircuitMachine.NoTicket);
        return branch;
    }

    /// <summary>What became of this request is what became of the attempt.</summary>
    internal void Join(HttpCall branch) => (CircuitTicket, TenantTicket) = (branch.CircuitTicket, branch.TenantTicket);

    /// <summary>The attempt in hand has succeeded, and with it the call has ended.</summary>
    internal void Succeed(in AttemptResult result, long startedAt, long endedAt)
    {
        StopReason = StopReason.Succeeded;
        _endedAt = endedAt;
        if (_attempts is null && startedAt == StartedAt)
            _onlyStatus = (short)result.StatusCode!.Value;
        else
            Record(result, exception: null, startedAt, endedAt);
    }

    internal void Stop(StopReason reason, FailureClass failureClass)
    {
        StopReason = reason;
        FailureClass = failureClass;
    }

    /// <summary>Ends the call.</summary>
    /// <param name="cancelled">The caller has cancelled it: the reason when no stage gave one. Else it was thrown before anything could be tried.</param>
    internal void End(bool cancelled)
    {
        if (StopReason is StopReason.None)
        {
            if (cancelled)
                Stop(StopReason.Cancelled, FailureClass.Cancelled);
            else
                Stop(StopReason.NotRetryable, FailureClass.Permanent);
        }

        if (_endedAt == 0)
            _endedAt = _client.Time.GetTimestamp();
    }

    private sealed class OptionalState
    {
        internal Guid? DeadLetterId { get; set; }

        internal DeadLetter? Replay { get; set; }

        internal string? Error { get; set; }

        internal bool IsStale { get; set; }

        internal (int? Status, Exception? Exception) Masked { get; set; }

        internal long DeadlineReserve { get; set; }

        internal bool IsCollected { get; set; }

        internal DateTimeOffset? KeyFirstUsedAt { get; set; }

        internal RequestSnapshot? Revised { get; set; }

        internal RequestFingerprint? Fingerprint { get; set; }
    }
}
