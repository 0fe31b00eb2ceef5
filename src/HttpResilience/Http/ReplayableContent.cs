using System.Net;

namespace HttpResilience;

/// <summary>
/// The content of every attempt of a request whose own content can be written only once. The original writes once, into a
/// <see cref="BodyRecord"/>, when the first attempt asks for the body; each attempt sends the record.
/// </summary>
/// <remarks>
/// The original is application code. It runs off the caller's synchronization context, in which a caller may be blocked, is cancelled at
/// the deadline of the call, and its exception is always observed.
/// </remarks>
internal sealed class ReplayableContent : OwnedContent
{
    // The timer of the attempt comes first, so that the attempt ends by its timeout and not by an exception of its body.
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(24);

    private readonly BodyRecord _record;
    private readonly TimeProvider _time;
    private readonly long _deadline;
    private readonly CancellationToken _caller;
    private readonly Lock _gate = new();
    private CancellationTokenSource? _writing;
    private ITimer? _timer;
    private CancellationTokenRegistration _callerCancels;
    private bool _isDone;

    /// <param name="deadline">The timestamp at which the call is over; <see cref="long.MaxValue"/> for never.</param>
    /// <param name="caller">The caller's token.</param>
    internal ReplayableContent(
        HttpContent original, int maxBytes, ReplayMemory memory, long maxBytesInFlight, TimeProvider time, long deadline,
        CancellationToken caller)
        : base(original)
    {
        (_time, _deadline, _caller) = (time, deadline, caller);
        _record = new(maxBytes, memory, maxBytesInFlight, KnownLength);
    }

    /// <summary>The whole body can be sent: it has not been asked for yet, or is recorded as far as it was written.</summary>
    internal bool IsReplayable => _record.IsReadable;

    internal override bool HasFailed => _record.LastReader is { HasContentFailed: true };

    internal override bool IsSlow => _record.LastReader is { IsWaiting: true };

    internal override bool WasWritten => _record.LastReader is { Position: > 0 };

    /// <summary>The content has begun to write the body and has not ended.</summary>
    internal bool IsBeingWritten => Volatile.Read(ref _writing) is not null && !Volatile.Read(ref _isDone);

    /// <summary>
    /// The head of a response has arrived. A body that is still being written is one side of a conversation, as of a streaming gRPC call:
    /// it goes on without the deadline of the call, and recording stops.
    /// </summary>
    internal void OnResponse()
    {
        if (!IsBeingWritten)
            return;
        _record.BecomeStream();
        Release(Timeout.InfiniteTimeSpan);
    }

    /// <summary>Writes the rest of the record, and all of it when no attempt has asked for the body yet.</summary>
    /// <returns>False when the body is too long, its content failed, or the call is over.</returns>
    internal ValueTask<bool> TryRecordAsync(bool async, CancellationToken cancellationToken)
    {
        Start(context: null);
        return _record.IsWholeAsync(async, cancellationToken);
    }

    /// <summary>Writes the record before anything is sent.</summary>
    /// <returns>False when the body is too long.</returns>
    /// <exception cref="TaskCanceledException">The deadline of the call has passed; with a <see cref="TimeoutException"/>.</exception>
    internal async ValueTask<bool> RecordAsync(bool async, CancellationToken cancellationToken)
    {
        bool isWhole = await TryRecordAsync(async, cancellationToken).ConfigureAwait(false);
        if (!isWhole)
            _record.ThrowIfFailed();
        return isWhole;
    }

    /// <summary>A copy of the whole body; null when it is not recorded in full.</summary>
    internal byte[]? Recorded => _record.ToArray(int.MaxValue);

    /// <summary>Writes the whole body to a stream that does not block.</summary>
    /// <returns>False when it is not recorded in full.</returns>
    internal bool TryCopyRecordTo(Stream destination) => _record.TryCopyTo(destination);

    /// <summary>
    /// All of the body, written within <paramref name="timeout"/>: the call is over, so neither its token nor its deadline applies.
    /// </summary>
    /// <returns>Null when it is longer than <paramref name="maxBytes"/>, or parts of it are lost.</returns>
    internal async ValueTask<byte[]?> ReadAllAsync(int maxBytes, TimeSpan timeout, bool async)
    {
        Start(context: null, timeout);
        if (IsBeingWritten)
            Release(timeout);
        await _record.IsWholeAsync(async, CancellationToken.None).ConfigureAwait(false);
        return _record.ToArray(maxBytes);
    }

    internal override void End()
    {
        bool isStream = _record.End();
        CancellationTokenSource? writing;
        lock (_gate)
        {
            writing = _isDone || isStream ? null : _writing;
            // A request that comes too late does not start the content.
            _isDone |= _writing is null;
        }

        if (writing is not null)
            Observe(writing.CancelAsync());
        base.End();
    }

    internal override bool TryReset()
    {
        _record.ForgetReader();
        return IsReplayable;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Start(context);
        return _record.CopyToAsync(stream, async: true, cancellationToken).AsTask();
    }

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Start(context);
        _record.CopyToAsync(stream, async: false, cancellationToken).AsTask().GetAwaiter().GetResult();
    }

    private void Start(TransportContext? context, TimeSpan? timeout = null)
    {
        CancellationTokenSource writing;
        lock (_gate)
        {
            if (_writing is not null || _isDone)
                return;
            var left = timeout ?? (_deadline == long.MaxValue ? Longest : _time.TimeUntil(_deadline) + Margin);
            _writing = writing = new();
            _timer = _time.CreateTimer(
                static content => ((ReplayableContent)content!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Set(left < TimeSpan.Zero ? TimeSpan.Zero : left < Longest ? left : Longest);
            if (timeout is null)
                _callerCancels = _caller.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), writing);
        }

        _ = Task.Run(() => WriteAsync(writing, context), CancellationToken.None);
    }

    private async Task WriteAsync(CancellationTokenSource writing, TransportContext? context)
    {
        // The content may ignore its token.
        var stopped = writing.Token.UnsafeRegister(static content => ((ReplayableContent)content!).Stop(), this);
        try
        {
            await Original.CopyToAsync(new RecordingStream(_record), context, writing.Token).ConfigureAwait(false);
            _record.Complete();
        }
        catch (Exception e)
        {
            _record.Fail(e, isOfContent: !writing.IsCancellationRequested);
        }
        finally
        {
            stopped.Unregister();
            CancellationTokenRegistration caller;
            lock (_gate)
                (_isDone, caller) = (true, _callerCancels);
            // The source has nothing to dispose, and another thread may be about to cancel it.
            caller.Unregister();
            _timer!.Dispose();
        }
    }

    private void Stop() => _record.Fail(_caller.IsCancellationRequested
        ? new OperationCanceledException(_caller)
        : new TaskCanceledException(
            "The deadline of the call has passed before the request body was written.", new TimeoutException("The body was not written.")));

    /// <summary>Neither the caller nor the deadline of the call ends the writing any more.</summary>
    private void Release(TimeSpan timeout)
    {
        CancellationTokenRegistration caller;
        lock (_gate)
            caller = _callerCancels;
        caller.Unregister();
        Set(timeout);
    }

    private void Set(TimeSpan timeout) => _timer!.Change(timeout, Timeout.InfiniteTimeSpan);

    private void OnTimer() => Observe(_writing!.CancelAsync());

    private static void Observe(Task task) => _ = task.ContinueWith(
        static ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
