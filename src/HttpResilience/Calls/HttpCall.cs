using System.Collections.ObjectModel;
using System.Net;

namespace HttpResilience;

/// <summary>
/// One call of the application, with all its attempts. The log event of the call and <c>response.GetHttpCall()</c> report the same facts.
/// </summary>
public sealed class HttpCall
{
    internal static readonly HttpRequestOptionsKey<HttpCall> Key = new("HttpResilience.HttpCall");

    private const byte KeyIsOfRequest = 1, IsBranch = 2;

    private static readonly CallSlot<(object? State, int Ticket)> OfTenant = new();
    private static readonly CallSlot<Guid?> LetterId = new();
    private static readonly CallSlot<string> ErrorText = new();
    private static readonly CallSlot<bool> Stale = new();
    private static readonly CallSlot<Uri> EndpointUri = new();
    private static readonly CallSlot<(long ToClose, long ForTurn)?> Waits = new();

    private readonly HttpCallScopeOptions? _settings;
    // Null while the only attempt succeeded; it is derived from the call.
    private List<HttpAttempt>? _attempts;
    private long _endedAt;
    private short _onlyStatus;
    // Bytes, because an enum of its own would make every call 8 bytes larger.
    private byte _stopReason;
    private byte _failureClass;
    private byte _origin;

    /// <param name="settings">The settings from the scope and the request; null when there are none.</param>
    /// <param name="keyIsOfRequest">The idempotency key in <paramref name="settings"/> was set on the request.</param>
    internal HttpCall(ResiliencePolicy policy, HttpCallScopeOptions? settings, bool keyIsOfRequest)
    {
        (Policy, _settings) = (policy, settings);
        _origin = keyIsOfRequest ? KeyIsOfRequest : (byte)0;
        StartedAt = Time.GetTimestamp();
        Deadline = policy.DeadlineFrom(StartedAt, settings?.Timeout);
    }

    /// <summary>The name of the <see cref="HttpClient"/> in the factory.</summary>
    public string ClientName => Policy.ClientName;

    /// <summary>The route whose settings apply to the call, such as <c>POST /exports/*</c>; null for those of the client.</summary>
    public string? Route => Policy.Route;

    /// <summary>The idempotency key sent with every attempt; null when there was none.</summary>
    public string? IdempotencyKey { get; internal set; }

    /// <summary>The application's own customer on whose behalf the call was made; null when none was given.</summary>
    public string? Tenant => _settings?.Tenant;

    /// <summary>The tags the application attached to the call. Every tag is a property of the log event.</summary>
    public IReadOnlyDictionary<string, object?> Tags =>
        _settings?.CurrentTags ?? ReadOnlyDictionary<string, object?>.Empty;

    /// <summary>
    /// The attempts sent, in order; empty when nothing was sent. Of hedged requests (<c>Hedging</c>) the one whose result counts comes
    /// last; those still running at that time have the class <see cref="FailureClass.Cancelled"/>.
    /// </summary>
    public IReadOnlyList<HttpAttempt> Attempts =>
        _attempts is not null ? _attempts.AsReadOnly() : OnlyAttempt is { } attempt ? [attempt] : [];

    /// <summary>Why no further attempt was made.</summary>
    public StopReason StopReason
    {
        get => (StopReason)_stopReason;
        private set => _stopReason = (byte)value;
    }

    /// <summary>The kind of failure the call ended with; <see cref="FailureClass.None"/> for a success.</summary>
    public FailureClass FailureClass
    {
        get => (FailureClass)_failureClass;
        private set => _failureClass = (byte)value;
    }

    /// <summary>At least one attempt failed in a way that does not show whether the server processed it.</summary>
    public bool MayHaveBeenProcessed { get; internal set; }

    /// <summary>Time from the start of the call to its end, including delays; up to now while the call runs.</summary>
    public TimeSpan Elapsed => Time.GetElapsedTime(StartedAt, _endedAt != 0 ? _endedAt : Time.GetTimestamp());

    /// <summary>The dead letter that stores the failed request; null when the call succeeded or the request was not stored.</summary>
    public Guid? DeadLetterId
    {
        get => LetterId.Get(this);
        internal set => LetterId.Set(this, value);
    }

    /// <summary>
    /// The response is the stored response of an earlier call with the same key (<c>Idempotency:RememberFor</c>); nothing was sent.
    /// </summary>
    public bool IsReplayed => StopReason is StopReason.Replayed;

    /// <summary>
    /// How long the call has waited, over all its attempts, for a circuit to close and for its turn afterwards; part of
    /// <see cref="Elapsed"/>.
    /// </summary>
    public TimeSpan CircuitWait => CircuitWaits is { } waits ? Time.GetElapsedTime(0, waits.ToClose + waits.ForTurn) : TimeSpan.Zero;

    /// <summary>How long it has waited for circuits to close and for its turn afterwards, in ticks; null when it has not.</summary>
    internal (long ToClose, long ForTurn)? CircuitWaits
    {
        get => Waits.Get(this);
        set => Waits.Set(this, value);
    }

    /// <summary>The response is a cached one, because the API could not answer (<c>Fallback</c>).</summary>
    public bool IsStale
    {
        get => Stale.Get(this);
        internal set => Stale.Set(this, value);
    }

    /// <summary>
    /// The error as logged: the start of the error body (at most <c>Logging:ErrorBodyBytes</c>) or the message of the exception, on one
    /// line and with the secrets of the request removed. Null for a success, and when the call is not logged.
    /// </summary>
    public string? Error
    {
        get => ErrorText.Get(this);
        internal set => ErrorText.Set(this, value);
    }

    /// <summary>
    /// The base address of the endpoint (<c>Endpoints:Uris</c>) that the last attempt was sent to; null when the call goes where its URI
    /// says.
    /// </summary>
    public Uri? Endpoint
    {
        get => EndpointUri.Get(this);
        internal set => EndpointUri.Set(this, value);
    }

    /// <summary>The policy in force when the call started; a reload does not change it.</summary>
    internal ResiliencePolicy Policy { get; }

    internal TimeProvider Time => Policy.Time;

    internal long StartedAt { get; private set; }

    /// <summary>The timestamp at which the call is over; <see cref="long.MaxValue"/> when it has no deadline.</summary>
    internal long Deadline { get; set; }

    /// <summary>The timestamp at which the call ended; 0 while it runs.</summary>
    internal long EndedAt => _endedAt;

    /// <summary>The key set on the request itself; it applies to every method.</summary>
    internal string? KeyOfRequest => (_origin & KeyIsOfRequest) != 0 ? _settings!.IdempotencyKey : null;

    /// <summary>The caller's limit of retries for this call; null when the policy applies.</summary>
    internal int? MaxRetryAttempts => _settings?.MaxRetryAttempts;

    /// <summary>The caller's timeout for this call; null when the policy applies.</summary>
    internal TimeSpan? Timeout => _settings?.Timeout;

    /// <summary>The caller's timeout for each attempt of this call; null when the policy applies.</summary>
    internal TimeSpan? AttemptTimeout => _settings?.AttemptTimeout;

    /// <summary>A scope collects the calls made inside it, so <see cref="Error"/> is needed even when the call is not logged.</summary>
    internal bool IsCollected { get; set; }

    /// <summary>How often the request had been sent when the current attempt started; at most 255.</summary>
    internal byte ResendCount { get; set; }

    internal int AttemptCount => _attempts is not null ? _attempts.Count : _onlyStatus == 0 ? 0 : 1;

    /// <summary>The status of the last attempt; null when it had no response, or nothing was sent.</summary>
    internal int? LastStatusCode =>
        _attempts is not null ? (int?)_attempts[^1].StatusCode : _onlyStatus == 0 ? null : _onlyStatus;

    internal HttpAttempt? LastAttempt => _attempts is not null ? _attempts[^1] : OnlyAttempt;

    /// <summary>The timer of the current attempt; null between attempts. A branch shares it with its call.</summary>
    internal AttemptTimer? Timer { get; set; }

    internal long AttemptStartedAt => (_origin & IsBranch) != 0 || Timer is null ? StartedAt : Timer.StartedAt;

    /// <summary>The chain's own timer ended the current attempt, not the caller.</summary>
    internal bool AttemptTimedOut => Timer is { HasExpired: true };

    // State of other folders that the success path reads on every call, so it is kept without a look-up. The folder that owns it declares
    // its type.

    internal object? HostState { get; set; }

    /// <summary>The tenant's part of the host, and its ticket: of few calls.</summary>
    internal object? TenantHostState
    {
        get => OfTenant.Get(this).State;
        set => OfTenant.Set(this, (value, 0));
    }

    /// <summary>The ticket of the current attempt in the circuit of the host; 0 for none.</summary>
    internal int CircuitTicket { get; set; }

    /// <summary>The ticket of the current attempt in the circuit of the tenant; 0 for none.</summary>
    internal int TenantTicket
    {
        get => OfTenant.Get(this).Ticket;
        set
        {
            if (TenantHostState is { } state)
                OfTenant.Set(this, (state, value));
        }
    }

    /// <summary>The bits of <c>CallFlag</c>.</summary>
    internal int Flags { get; set; }

    /// <summary>The first entry of the list of <see cref="CallSlot{T}"/>; null for most calls.</summary>
    internal object? Slots { get; set; }

    private HttpAttempt? OnlyAttempt => _onlyStatus == 0 ? null
        : new((HttpStatusCode)_onlyStatus, FailureClass.None, ErrorType: null, Time.GetElapsedTime(StartedAt, _endedAt));

    internal static HttpCall Of(HttpRequestMessage request) => request.Options.TryGetValue(Key, out var call)
        ? call
        : throw new InvalidOperationException(
            "The request did not pass the first handler of the resilience chain. Add it with AddResilientHttpClient or AddResilience.");

    /// <summary>Adds an attempt that ended.</summary>
    internal void Record(in AttemptResult result, Exception? exception, long startedAt, long endedAt)
    {
        MayHaveBeenProcessed |= result.IsAmbiguous;
        _attempts ??= new(2);
        _attempts.Add(new(
            (HttpStatusCode?)result.StatusCode, result.FailureClass, exception?.GetType().Name, Time.GetElapsedTime(startedAt, endedAt)));
    }

    /// <summary>Ends the call with the success of its current attempt.</summary>
    internal void Succeed(in AttemptResult result, long startedAt, long endedAt)
    {
        StopReason = StopReason.Succeeded;
        _endedAt = endedAt;
        if (_attempts is null && startedAt == StartedAt)
            _onlyStatus = (short)result.StatusCode!.Value;
        else
            Record(result, exception: null, startedAt, endedAt);
    }

    /// <summary>Sets how the call ends unless a later stage decides otherwise.</summary>
    internal void Stop(StopReason reason, FailureClass failureClass)
    {
        StopReason = reason;
        FailureClass = failureClass;
    }

    /// <summary>
    /// Sets how a cancelled call ends: past its deadline it has timed out, whichever token was cancelled first; before, its caller
    /// cancelled it.
    /// </summary>
    internal void StopCancelled(long now, long deadline)
    {
        if (now >= deadline)
            Stop(StopReason.DeadlinePassed, FailureClass.Transient);
        else
            Stop(StopReason.Cancelled, FailureClass.Cancelled);
    }

    /// <summary>Ends the call. Without a reason from a stage, an exception came before the first attempt.</summary>
    /// <param name="cancelled">The token of the call is cancelled: the reason when no stage gave one.</param>
    internal void End(bool cancelled)
    {
        if (StopReason is StopReason.None)
        {
            if (cancelled)
                StopCancelled(Time.GetTimestamp(), Deadline);
            else
                Stop(StopReason.NotRetryable, FailureClass.Permanent);
        }

        if (_endedAt == 0)
            _endedAt = Time.GetTimestamp();
    }

    /// <summary>
    /// A copy of the call for one of several requests sent in parallel in one attempt; it has its own start and circuit tickets.
    /// </summary>
    /// <param name="sentBeside">How many of the parallel requests have been sent already.</param>
    internal HttpCall Branch(long startedAt, int sentBeside)
    {
        var branch = (HttpCall)MemberwiseClone();
        branch.CountResends(ResendCount + sentBeside);
        branch.StartedAt = startedAt;
        branch._origin |= IsBranch;
        OfTenant.Detach(branch);
        EndpointUri.Detach(branch);
        // The first request has the turn that the call has waited for.
        (CircuitTicket, TenantTicket) = (0, 0);
        return branch;
    }

    /// <summary>Takes over the host and the circuit tickets of the branch whose result is the result of the attempt.</summary>
    internal void Join(HttpCall branch)
    {
        HostState = branch.HostState;
        if (branch.Endpoint is { } endpoint)
            Endpoint = endpoint;
        if (branch.TenantHostState is { } state)
            TenantHostState = state;
        (CircuitTicket, TenantTicket) = (branch.CircuitTicket, branch.TenantTicket);
    }

    internal void CountResends(int sentBefore) => ResendCount = (byte)Math.Min(sentBefore, byte.MaxValue);
}
