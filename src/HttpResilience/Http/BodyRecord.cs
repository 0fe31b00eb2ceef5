using System.Runtime.ExceptionServices;

namespace HttpResilience;

/// <summary>
/// The bytes of a request body, recorded in pooled memory while its content writes them. Each reader reads from the start and follows the
/// writer. A body that exceeds a limit is a stream from then on: its one reader reads the memory of the content itself, and a segment that
/// was read is returned to the pool.
/// </summary>
/// <remarks>
/// Every change happens under the lock. Memory of a segment is read outside it, by a reader that has entered; segments are returned when
/// the last reader has left after the end of the call, or behind the only reader of a stream.
/// </remarks>
internal sealed class BodyRecord(int maxBytes, ReplayMemory memory, long maxBytesInFlight, long? length)
{
    private readonly Lock _gate = new();
    private readonly BodySegments _segments = new(memory, maxBytesInFlight, length);
    private long _written;
    private long _flushedAt;
    private bool _isStream = length > maxBytes;
    private bool _isComplete;
    private bool _isEnded;
    private int _readers;
    private bool _wasRead;
    // The only reader of a stream.
    private Reader? _streamReader;
    private ReadOnlyMemory<byte> _handOff;
    private TaskCompletionSource? _handOffDone;
    private bool _handOffIsTaken;
    private ExceptionDispatchInfo? _failure;
    private bool _failureIsOfContent;
    private Reader? _lastReader;
    private TaskCompletionSource? _changed;

    /// <summary>Another reader would get the same bytes from the start: all of them are recorded or still to come.</summary>
    internal bool IsReadable
    {
        get
        {
            lock (_gate)
                return CanEnter && _failure is null;
        }
    }

    /// <summary>The reader of the latest attempt, which may have left; null when the attempt has not asked for the body.</summary>
    internal Reader? LastReader => Volatile.Read(ref _lastReader);

    private bool CanEnter => !_isEnded && !(_isStream && _wasRead);

    /// <summary>The content has written its last byte. A content that has written another length than its own has failed.</summary>
    internal void Complete()
    {
        lock (_gate)
        {
            if (length is { } expected && _written != expected)
                Fail(new HttpRequestException($"The content wrote {_written} bytes; its Content-Length is {expected}."), isOfContent: true);
            _isComplete = _failure is null;
            Notify();
        }
    }

    /// <summary>The content has failed, or no reader waits for the rest. Readers get what was recorded before the exception.</summary>
    /// <param name="exception">The reason.</param>
    /// <param name="isOfContent">The content has failed by itself.</param>
    internal void Fail(Exception exception, bool isOfContent = false)
    {
        lock (_gate)
        {
            _failureIsOfContent |= isOfContent && _failure is null;
            StopWriter(exception);
        }
    }

    /// <summary>The next attempt has not asked for the body yet.</summary>
    internal void ForgetReader() => Volatile.Write(ref _lastReader, null);

    /// <summary>Recording stops: the body is not read a second time.</summary>
    internal void BecomeStream()
    {
        lock (_gate)
        {
            _isStream |= !_isComplete;
            Notify();
        }
    }

    /// <summary>The call has ended: the memory is returned when no reader uses it any more.</summary>
    /// <returns>Whether a reader still waits for the rest, as that of a stream whose response has begun.</returns>
    internal bool End()
    {
        lock (_gate)
        {
            _isEnded = true;
            if (_readers == 0)
                Free();
            return _isStream && _readers > 0;
        }
    }

    /// <summary>Waits until the body is recorded in full.</summary>
    /// <returns>False when it became a stream or failed.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    internal async ValueTask<bool> IsWholeAsync(bool async, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_isComplete || _isStream || _isEnded || _failure is not null)
                    return _isComplete && !_isStream && !_isEnded;
                changed = Changed();
            }

            await WaitAsync(changed, async, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Throws the exception with which the content ended, if any.</summary>
    internal void ThrowIfFailed()
    {
        ExceptionDispatchInfo? failure;
        lock (_gate)
            failure = _failure;
        failure?.Throw();
    }

    /// <summary>A copy of the bytes; null when they are more than <paramref name="maxLength"/>, or not all recorded.</summary>
    internal byte[]? ToArray(int maxLength)
    {
        lock (_gate)
        {
            return _isComplete && !_isStream && !_isEnded && _segments.Length <= maxLength ? _segments.ToArray() : null;
        }
    }

    /// <summary>Writes all bytes to a stream that does not block.</summary>
    /// <returns>False when not all are recorded.</returns>
    internal bool TryCopyTo(Stream destination)
    {
        lock (_gate)
        {
            if (!_isComplete || _isStream || _isEnded)
                return false;
            _segments.CopyTo(destination);
            return true;
        }
    }

    /// <summary>Writes the body to a stream, as far as it is recorded, then as it comes.</summary>
    internal async ValueTask CopyToAsync(Stream destination, bool async, CancellationToken cancellationToken)
    {
        var reader = Enter();
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (bytes, isFlush, changed) = Next(reader);
                if (!bytes.IsEmpty)
                {
                    if (async)
                        await destination.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
                    else
                        destination.Write(bytes.Span);
                }
                else if (isFlush)
                {
                    if (async)
                        await destination.FlushAsync(cancellationToken).ConfigureAwait(false);
                    else
                        destination.Flush();
                }
                else if (changed is not null)
                    await WaitAsync(changed, async, cancellationToken).ConfigureAwait(false);
                else
                    return;
            }
        }
        finally
        {
            Leave(reader);
        }
    }

    /// <summary>Records bytes of the content.</summary>
    /// <returns>False for a stream: the bytes must be handed to its reader.</returns>
    internal bool TryAppend(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            _failure?.Throw();
            if (bytes.IsEmpty)
                return true;
            if (!_isStream && (bytes.Length > maxBytes - _segments.Length || !_segments.TryGrow(bytes.Length)))
            {
                _isStream = true;
                Notify();
            }

            if (_isStream)
                return false;

            _segments.Add(bytes);
            _written += bytes.Length;
            Notify();
            return true;
        }
    }

    /// <summary>Hands bytes of the content to the reader of the stream, and waits until it has written them.</summary>
    internal async ValueTask HandOffAsync(ReadOnlyMemory<byte> bytes, bool async, CancellationToken cancellationToken)
    {
        TaskCompletionSource done;
        lock (_gate)
        {
            _failure?.Throw();
            if (_handOffDone is not null)
                throw new InvalidOperationException("The content writes twice at the same time.");
            (_handOff, _handOffIsTaken) = (bytes, false);
            _handOffDone = done = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Notify();
        }

        // The memory is the content's own: once a reader has taken it, only the reader ends the wait.
        using var cancelled = cancellationToken.UnsafeRegister(
            static (state, token) => ((BodyRecord)state!).Withdraw(new OperationCanceledException(token)), this);
        if (async)
            await done.Task.ConfigureAwait(false);
        else
            done.Task.GetAwaiter().GetResult();
    }

    /// <summary>The content asks for the bytes written so far to be sent.</summary>
    internal void Flush()
    {
        lock (_gate)
        {
            _failure?.Throw();
            _flushedAt = _written;
            Notify();
        }
    }

    private static Task WaitAsync(Task changed, bool async, CancellationToken cancellationToken)
    {
        if (async)
            return changed.WaitAsync(cancellationToken);
        // Unlike that of WaitAsync, this wait needs no thread of the pool to end.
        changed.Wait(cancellationToken);
        return Task.CompletedTask;
    }

    private Reader Enter()
    {
        lock (_gate)
        {
            if (!CanEnter)
                throw new InvalidOperationException("The request body was already sent and cannot be read again.");
            _wasRead = true;
            _readers++;
            return _lastReader = new();
        }
    }

    private void Leave(Reader reader)
    {
        lock (_gate)
        {
            _readers--;
            // The rest of a stream has no reader any more, as when a connection breaks under the content itself.
            if (_streamReader == reader || (_isStream && _readers == 0))
                StopWriter(Closed(), isLeft: _streamReader == reader);
            if (_isEnded && _readers == 0)
                Free();
        }
    }

    private (ReadOnlyMemory<byte> Bytes, bool IsFlush, Task? Changed) Next(Reader reader)
    {
        lock (_gate)
        {
            if (_isStream && (_streamReader ??= reader) != reader)
                throw new InvalidOperationException("The request body is too long to be sent by two requests at the same time.");
            if (reader.HasHandOff)
                EndHandOff(reader);

            if (_isStream && _readers == 1)
                _segments.FreeBefore(reader);
            var bytes = _segments.Read(reader);
            if (bytes.IsEmpty && _isStream && _handOffDone is not null && !_handOffIsTaken)
            {
                _handOffIsTaken = reader.HasHandOff = true;
                bytes = _handOff;
            }

            reader.Position += bytes.Length;
            // The connection refuses more bytes than the announced ones.
            (reader.IsWaiting, reader.HasContentFailed) = (false, reader.Position > length);
            if (!bytes.IsEmpty)
                return (bytes, false, null);
            if (reader.FlushedAt < _flushedAt && reader.Position >= _flushedAt)
            {
                reader.FlushedAt = _flushedAt;
                return (default, true, null);
            }

            // Stays true when the deadline ends this wait: then the content was the reason.
            reader.IsWaiting = !_isComplete;
            reader.HasContentFailed |= _failure is not null && _failureIsOfContent;
            _failure?.Throw();
            return (default, false, _isComplete ? null : Changed());
        }
    }

    private void EndHandOff(Reader reader)
    {
        _written += _handOff.Length;
        reader.HasHandOff = false;
        var done = _handOffDone!;
        (_handOff, _handOffDone) = (default, null);
        done.SetResult();
    }

    private void Withdraw(Exception exception)
    {
        lock (_gate)
        {
            if (_handOffDone is not { } done || _handOffIsTaken)
                return;
            (_handOff, _handOffDone) = (default, null);
            done.SetException(exception);
        }
    }

    private void StopWriter(Exception exception, bool isLeft = false)
    {
        if (!_isComplete)
            _failure ??= ExceptionDispatchInfo.Capture(exception);
        if (_handOffDone is { } done && (!_handOffIsTaken || isLeft))
        {
            (_handOff, _handOffDone) = (default, null);
            done.SetException(exception);
        }

        Notify();
    }

    private void Free()
    {
        _segments.Free();
        StopWriter(Closed());
    }

    private static IOException Closed() => new("The connection was closed before the whole request body was sent.");

    private Task Changed() => (_changed ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    private void Notify()
    {
        _changed?.SetResult();
        _changed = null;
    }

    /// <summary>The body as one attempt sends it.</summary>
    internal sealed class Reader : BodySegments.Cursor
    {
        /// <summary>It waits, or waited when the attempt ended, for bytes of the content.</summary>
        internal bool IsWaiting { get; set; }

        /// <summary>It ended because the content has failed.</summary>
        internal bool HasContentFailed { get; set; }

        internal long FlushedAt { get; set; }

        internal bool HasHandOff { get; set; }
    }
}
