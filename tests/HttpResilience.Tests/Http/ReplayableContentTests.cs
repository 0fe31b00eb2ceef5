using System.Text;

namespace HttpResilience.Tests.Http;

/// <summary>One recording of a body: written once by its content, read from the start by each attempt.</summary>
public sealed class ReplayableContentTests
{
    private readonly ReplayMemory _memory = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_content_writes_once_and_every_reader_gets_the_same_bytes(bool async)
    {
        byte[] bytes = RandomBytes(200_000);
        var source = new PushedContent(async (stream, _) =>
        {
            await stream.WriteAsync(bytes.AsMemory(0, 7), Stop);
            stream.Write(bytes.AsSpan(7, 90_000));
            await stream.FlushAsync(Stop);
            await Task.Yield();
            stream.Write(bytes, 90_007, 109_993);
        });
        using var content = Recorded.Always(source, 1_000_000, _memory);

        for (int i = 0; i < 3; i++)
            (await ReadAsync(content, async)).ShouldBe(bytes);

        source.Writes.ShouldBe(1);
        _memory.InFlight.ShouldBeGreaterThanOrEqualTo(bytes.Length);
        content.End();
        _memory.InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task A_content_that_was_not_asked_for_its_bytes_is_untouched()
    {
        var source = new PushedContent((_, _) => Task.CompletedTask);
        using var content = Recorded.Always(source, memory: _memory);

        content.IsReplayable.ShouldBeTrue();
        content.IsBeingWritten.ShouldBeFalse();
        content.End();

        source.Writes.ShouldBe(0);
        content.IsReplayable.ShouldBeFalse();
        await Should.ThrowAsync<InvalidOperationException>(() => ReadAsync(content));
        source.Writes.ShouldBe(0);
    }

    [Fact]
    public async Task A_reader_follows_the_writer()
    {
        var more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var content = Recorded.Always(new PushedContent(async (stream, _) =>
        {
            await stream.WriteAsync("first"u8.ToArray(), Stop);
            await more.Task;
            await stream.WriteAsync("second"u8.ToArray(), Stop);
        }));
        using var wire = new Wire();

        var reading = content.CopyToAsync(wire, Stop);
        await wire.UntilAsync("first");
        reading.IsCompleted.ShouldBeFalse();
        more.SetResult();

        await reading;
        wire.Text.ShouldBe("firstsecond");
    }

    [Fact]
    public async Task A_flush_reaches_the_wire_after_the_bytes_before_it()
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var content = Recorded.Always(new PushedContent(async (stream, _) =>
        {
            await stream.WriteAsync("question"u8.ToArray(), Stop);
            await stream.FlushAsync(Stop);
            await flushed.Task;
        }));
        using var wire = new Wire();

        var reading = content.CopyToAsync(wire, Stop);
        await wire.UntilAsync("question|");
        flushed.SetResult();

        await reading;
    }

    [Fact]
    public async Task When_the_wire_breaks_the_record_is_completed()
    {
        byte[] bytes = RandomBytes(100_000);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var content = Recorded.Always(new PushedContent(async (stream, _) =>
        {
            await stream.WriteAsync(bytes.AsMemory(0, 10), Stop);
            await gate.Task;
            await stream.WriteAsync(bytes.AsMemory(10), Stop);
        }), 1_000_000);

        await Should.ThrowAsync<HttpRequestException>(() => content.CopyToAsync(new Wire { BreaksAfter = 5 }, Stop));
        content.IsBeingWritten.ShouldBeTrue();
        content.IsReplayable.ShouldBeTrue();
        var recording = content.TryRecordAsync(async: true, Stop);
        recording.IsCompleted.ShouldBeFalse();
        gate.SetResult();

        (await recording).ShouldBeTrue();
        (await ReadAsync(content)).ShouldBe(bytes);
    }

    [Theory, InlineData(true, null), InlineData(false, null), InlineData(true, 300_000L)]
    public async Task Above_the_limit_it_is_streamed_once_with_the_back_pressure_of_the_wire(bool async, long? length)
    {
        byte[] bytes = RandomBytes(300_000);
        long written = 0;
        using var content = Recorded.Always(new PushedContent(async (stream, _) =>
        {
            for (int i = 0; i < bytes.Length; i += 10_000)
            {
                if (async)
                    await stream.WriteAsync(bytes.AsMemory(i, 10_000), Stop);
                else
                    stream.Write(bytes.AsSpan(i, 10_000));
                Volatile.Write(ref written, i + 10_000);
            }
        }, length), 50_000, _memory);
        using var wire = new Wire { IsHeld = true };

        var reading = content.CopyToAsync(wire, Stop);
        await wire.UntilHeldAsync();
        (await content.TryRecordAsync(async: true, Stop)).ShouldBeFalse();
        Volatile.Read(ref written).ShouldBeLessThanOrEqualTo(50_000);
        _memory.InFlight.ShouldBeLessThanOrEqualTo(65_536 + 65_536);
        wire.Release();
        await reading;

        wire.Bytes.ShouldBe(bytes);
        content.IsReplayable.ShouldBeFalse();
        _memory.InFlight.ShouldBe(0);
        content.Headers.ContentLength.ShouldBe(length);
    }

    [Fact]
    public async Task A_body_that_exceeds_the_limit_before_anything_is_sent_is_sent_whole()
    {
        byte[] bytes = RandomBytes(300_000);
        using var content = Recorded.Always(new PushedContent((stream, _) => stream.WriteAsync(bytes, Stop).AsTask()), 100_000, _memory);

        (await content.RecordAsync(async: true, Stop)).ShouldBeFalse();

        content.IsReplayable.ShouldBeTrue();
        (await ReadAsync(content)).ShouldBe(bytes);
        content.IsReplayable.ShouldBeFalse();
    }

    [Fact]
    public async Task Bodies_beyond_the_memory_of_the_client_are_streamed()
    {
        byte[] bytes = RandomBytes(60_000);
        HttpContent[] contents =
        [
            .. Enumerable.Range(0, 10).Select(_ => Recorded.Always(
                new PushedContent((stream, _) => stream.WriteAsync(bytes, Stop).AsTask()), 100_000, _memory, maxInFlight: 3 * 65_536)),
        ];

        foreach (ReplayableContent content in contents)
        {
            (await ReadAsync(content)).ShouldBe(bytes);
            _memory.InFlight.ShouldBeLessThanOrEqualTo(3 * 65_536);
        }

        contents.Cast<ReplayableContent>().Select(c => c.IsReplayable).ShouldBe([true, true, true, .. Enumerable.Repeat(false, 7)]);
        foreach (ReplayableContent content in contents)
            content.End();
        _memory.InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task When_the_only_reader_of_a_stream_breaks_the_content_gets_an_exception()
    {
        var ended = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var content = Recorded.Always(new PushedContent(async (stream, _) =>
        {
            try
            {
                while (true)
                    await stream.WriteAsync(new byte[1000], CancellationToken.None);
            }
            catch (Exception e)
            {
                ended.SetResult(e);
                throw;
            }
        }), 0);

        await Should.ThrowAsync<HttpRequestException>(() => content.CopyToAsync(new Wire { BreaksAfter = 5000 }, Stop));

        (await ended.Task.WaitAsync(Stop)).ShouldBeOfType<IOException>();
        content.IsReplayable.ShouldBeFalse();
    }

    [Theory]
    [InlineData(typeof(IOException), typeof(HttpRequestException))]
    [InlineData(typeof(FormatException), typeof(FormatException))]
    [InlineData(typeof(HttpRequestException), typeof(HttpRequestException))]
    [InlineData(typeof(ObjectDisposedException), typeof(HttpRequestException))]
    public async Task An_exception_of_the_content_reaches_the_reader_as_it_would_without_a_record(Type thrown, Type seen)
    {
        PushedContent Failing() => new(async (stream, _) =>
        {
            await stream.WriteAsync("abc"u8.ToArray(), Stop);
            throw thrown == typeof(ObjectDisposedException) ? new ObjectDisposedException("it")
                : (Exception)Activator.CreateInstance(thrown, "broken")!;
        });
        using var content = Recorded.Always(Failing());
        using var wire = new Wire();

        var bare = await Record.ExceptionAsync(() => Failing().CopyToAsync(new Wire(), Stop));
        var recorded = await Record.ExceptionAsync(() => content.CopyToAsync(wire, Stop));

        recorded.ShouldBeOfType(seen);
        (recorded!.GetType(), recorded.Message, recorded.InnerException?.GetType())
            .ShouldBe((bare!.GetType(), bare.Message, bare.InnerException?.GetType()));
        wire.Text.ShouldBe("abc");
        content.IsReplayable.ShouldBeFalse();
    }

    [Fact]
    public async Task A_source_that_stalls_ends_with_the_deadline_of_the_call()
    {
        var clock = new ManualTimeProvider();
        using var content = Recorded.Always(
            new PushedContent((_, _) => Task.Delay(Timeout.Infinite, CancellationToken.None)), time: clock,
            deadline: clock.GetTimestamp() + clock.TimestampFrequency);

        var recording = content.RecordAsync(async: true, Stop).AsTask();
        await clock.TimerDueInAsync(TimeSpan.FromMilliseconds(1020));
        clock.Advance(TimeSpan.FromMilliseconds(1020));

        (await Record.ExceptionAsync(() => recording)).ShouldBeOfType<TaskCanceledException>().InnerException
            .ShouldBeOfType<TimeoutException>();
    }

    [Fact]
    public async Task The_content_is_cancelled_when_the_caller_cancels_and_when_the_call_ends()
    {
        using var caller = new CancellationTokenSource();
        foreach (var end in new Action<ReplayableContent>[] { c => c.End(), _ => caller.Cancel() })
        {
            var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var content = Recorded.Always(new PushedContent(async (_, token) =>
            {
                token.UnsafeRegister(_ => cancelled.SetResult(), null);
                await Task.Delay(Timeout.Infinite, token);
            }), caller: caller.Token);
            var recording = content.TryRecordAsync(async: true, Stop);

            while (!content.IsBeingWritten)
                await Task.Yield();
            end(content);

            (await recording).ShouldBeFalse();
            await cancelled.Task.WaitAsync(Stop);
        }
    }

    [Fact]
    public async Task Memory_is_returned_only_when_the_last_reader_has_left()
    {
        using var content = Recorded.Always(
            new PushedContent((stream, _) => stream.WriteAsync(RandomBytes(5000), Stop).AsTask()), 10_000, _memory);
        using var wire = new Wire { IsHeld = true };

        var reading = content.CopyToAsync(wire, Stop);
        await wire.UntilHeldAsync();
        content.End();
        _memory.InFlight.ShouldBe(8192);
        wire.Release();
        await reading;

        _memory.InFlight.ShouldBe(0);
        wire.Bytes.ShouldBe(RandomBytes(5000));
    }

    [Fact]
    public async Task A_body_that_is_being_written_when_the_response_arrives_is_a_stream()
    {
        var more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var clock = new ManualTimeProvider();
        using var content = Recorded.Always(new PushedContent(async (stream, token) =>
        {
            await stream.WriteAsync("question"u8.ToArray(), token);
            await more.Task;
            await stream.WriteAsync("another"u8.ToArray(), token);
        }), memory: _memory, time: clock, deadline: clock.GetTimestamp() + clock.TimestampFrequency);
        using var wire = new Wire();
        var reading = content.CopyToAsync(wire, Stop);
        await wire.UntilAsync("question");

        content.OnResponse();
        content.End();
        clock.Advance(TimeSpan.FromMinutes(1));

        content.IsReplayable.ShouldBeFalse();
        more.SetResult();
        await reading;
        wire.Text.ShouldBe("questionanother");
        _memory.InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task A_body_that_was_written_when_the_response_arrives_stays()
    {
        using var content = Recorded.Always(new PushedContent((stream, _) => stream.WriteAsync("abc"u8.ToArray(), Stop).AsTask()));

        await ReadAsync(content);
        content.OnResponse();

        content.IsReplayable.ShouldBeTrue();
        (await ReadAsync(content)).ShouldBe("abc"u8.ToArray());
    }

    [Fact]
    public async Task The_header_fields_are_those_of_the_original()
    {
        var source = new PushedContent((_, _) => Task.CompletedTask, 0)
        {
            Headers = { { "Content-Type", "text/csv" }, { "X-Rows", ["1", "2"] } },
        };
        using var content = Recorded.Always(source);

        content.Headers.NonValidated["Content-Type"].ToString().ShouldBe("text/csv");
        content.Headers.NonValidated["X-Rows"].ShouldBe(["1", "2"]);
        content.Headers.ContentLength.ShouldBe(0);
        (await ReadAsync(content)).ShouldBeEmpty();
    }

    private static byte[] RandomBytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    private static async Task<byte[]> ReadAsync(HttpContent content, bool async = true)
    {
        using var wire = new Wire();
        if (async)
            await content.CopyToAsync(wire, Stop);
        else
            await Task.Factory.StartNew(
                () => content.CopyTo(wire, null, Stop), Stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return wire.Bytes;
    }

    /// <summary>A connection: a flush is a bar in its text.</summary>
    private sealed class Wire : MemoryStream
    {
        private readonly Lock _gate = new();
        private readonly StringBuilder _text = new();
        private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private (string Text, TaskCompletionSource Seen)? _awaited;

        internal int BreaksAfter { get; init; } = int.MaxValue;

        internal bool IsHeld { get; init; }

        internal byte[] Bytes => ToArray();

        internal string Text => Encoding.ASCII.GetString(Bytes);

        internal void Release() => _released.SetResult();

        internal Task UntilHeldAsync() => _held.Task.WaitAsync(Stop);

        internal Task UntilAsync(string text)
        {
            lock (_gate)
            {
                _awaited = (text, new(TaskCreationOptions.RunContinuationsAsynchronously));
                Notify();
                return _awaited.Value.Seen.Task.WaitAsync(Stop);
            }
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (IsHeld)
            {
                _held.TrySetResult();
                await _released.Task.WaitAsync(cancellationToken);
            }

            Write(buffer.Span);
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Length + buffer.Length > BreaksAfter)
                throw new IOException("Connection reset by peer");
            base.Write(buffer);
            lock (_gate)
            {
                _text.Append(Encoding.ASCII.GetString(buffer));
                Notify();
            }
        }

        public override Task FlushAsync(CancellationToken cancellationToken)
        {
            lock (_gate)
            {
                _text.Append('|');
                Notify();
            }

            return Task.CompletedTask;
        }

        private void Notify()
        {
            if (_awaited is { } awaited && _text.ToString() == awaited.Text)
                awaited.Seen.TrySetResult();
        }
    }
}
