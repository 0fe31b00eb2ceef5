using System.Buffers;

namespace HttpResilience;

/// <summary>A response body that has to be read before a deadline.</summary>
/// <param name="original">The body.</param>
/// <param name="deadline">A timestamp of <paramref name="time"/>.</param>
/// <param name="timedOut">The exception of a reader that is late; its argument is the failure of the read, or null.</param>
internal sealed class DeadlineContent(HttpContent original, TimeProvider time, long deadline, Func<Exception?, Exception> timedOut)
    : StreamedContent(original, new DeadlineStream(original, time, deadline, timedOut))
{
    private sealed class DeadlineStream : ForwardStream
    {
        private readonly HttpContent _content;
        private readonly TimeProvider _time;
        private readonly long _deadline;
        private readonly Func<Exception?, Exception> _timedOut;
        private readonly CancellationTokenSource _over;
        private Stream? _inner;

        internal DeadlineStream(HttpContent content, TimeProvider time, long deadline, Func<Exception?, Exception> timedOut)
        {
            (_content, _time, _deadline, _timedOut) = (content, time, deadline, timedOut);
            double left = Math.Max(0, Math.Ceiling(time.TimeUntil(deadline).TotalMilliseconds));
            _over = new(left < int.MaxValue ? TimeSpan.FromMilliseconds(left) : Timeout.InfiniteTimeSpan, time);
        }

        private bool HasPassed => _over.IsCancellationRequested || _time.GetTimestamp() >= _deadline;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (HasPassed)
                throw _timedOut(null);
            var linked = cancellationToken.CanBeCanceled
                ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _over.Token) : null;
            try
            {
                var token = linked?.Token ?? _over.Token;
                _inner ??= await _content.ReadAsStreamAsync(token).ConfigureAwait(false);
                return await _inner.ReadAsync(buffer, token).ConfigureAwait(false);
            }
            catch (Exception e) when (HasPassed)
            {
                throw _timedOut(e);
            }
            catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
            {
                throw new TaskCanceledException(e.Message, e, cancellationToken);
            }
            finally
            {
                linked?.Dispose();
            }
        }

        // A blocking read of a connection cannot be cancelled.
        public override int Read(Span<byte> buffer)
        {
            byte[] read = ArrayPool<byte>.Shared.Rent(buffer.Length);
            int length = ReadAsync(read.AsMemory(0, buffer.Length), CancellationToken.None).AsTask().GetAwaiter().GetResult();
            read.AsSpan(0, length).CopyTo(buffer);
            ArrayPool<byte>.Shared.Return(read);
            return length;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _over.Dispose();
                _content.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
