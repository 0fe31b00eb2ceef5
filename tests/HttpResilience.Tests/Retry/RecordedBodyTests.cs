using System.Net;
using System.Net.Http.Json;
using HttpResilience.Tests.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Retry;

/// <summary>Calls whose body can be written only once: the first attempt writes it, every other one sends what was recorded.</summary>
public sealed class RecordedBodyTests
{
    private static readonly string[] OneRow = ["a"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData(true), InlineData(false)]
    public async Task Json_of_an_iterator_is_the_same_on_every_attempt_and_in_the_letter(bool async)
    {
        var store = new InMemoryStorage();
        using var chain = new Chain(o => o.DeadLetter.Enabled = true, services: s => s.AddSingleton<IDeadLetterStore>(store.DeadLetters));
        chain.Server.Script(Replies.Status(503), Replies.Reset(), Replies.Status(503));

        (await chain.SendAsync(async, Chain.Post(JsonContent.Create(Rows("a", "b"))))).Dispose();

        chain.Server.Requests.Select(s => (s.Text, s.IdempotencyKey)).Distinct().ShouldHaveSingleItem().Text.ShouldBe("[\"a\",\"b\"]");
        chain.Server.Requests.Count.ShouldBe(4);
        var letter = (await store.DeadLetters.ListAsync(new(), Stop)).ShouldHaveSingleItem();
        System.Text.Encoding.UTF8.GetString(letter.Body!.Value.Span).ShouldBe("[\"a\",\"b\"]");
    }

    [Theory, InlineData("ab", 3), InlineData("abcd", 3), InlineData("", 1), InlineData("abc", 0)]
    public async Task A_content_of_another_length_than_its_own_is_sent_once_and_no_letter_has_its_body(string written, int length)
    {
        var store = new InMemoryStorage();
        using var chain = new Chain(
            o => o.DeadLetter.Enabled = true, b => b.AddHttpMessageHandler(() => new Wire(async (request, token) =>
            {
                await request.Content!.CopyToAsync(Stream.Null, token);
                return new(HttpStatusCode.ServiceUnavailable);
            })),
            s => s.AddSingleton<IDeadLetterStore>(store.DeadLetters));
        var content = new PushedContent((stream, token) => stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(written), token).AsTask());
        content.Headers.ContentLength = length;

        var exception = await Should.ThrowAsync<HttpRequestException>(() => chain.SendAsync(true, Chain.Post(content)));

        var call = exception.GetHttpCall()!;
        (call.Attempts.Count, call.StopReason).ShouldBe((1, StopReason.BodyNotReplayable));
        (await store.DeadLetters.ListAsync(new(), Stop)).ShouldHaveSingleItem().BodyIsMissing.ShouldBeTrue();
    }

    [Fact]
    public async Task A_letter_has_the_body_that_no_attempt_has_asked_for()
    {
        var store = new InMemoryStorage();
        using var chain = new Chain(
            o => o.DeadLetter.Enabled = true, b => b.AddHttpMessageHandler(() => new Wire((_, _) => throw Refused())),
            s => s.AddSingleton<IDeadLetterStore>(store.DeadLetters));

        await Should.ThrowAsync<HttpRequestException>(() => chain.SendAsync(true, Chain.Post(JsonContent.Create(Rows("a")))));

        var letter = (await store.DeadLetters.ListAsync(new(), Stop)).ShouldHaveSingleItem();
        System.Text.Encoding.UTF8.GetString(letter.Body!.Value.Span).ShouldBe("[\"a\"]");
        letter.MayHaveBeenProcessed.ShouldBeFalse();
    }

    [Fact]
    public async Task A_letter_has_the_whole_body_of_a_request_that_broke_in_the_middle_of_it()
    {
        var store = new InMemoryStorage();
        var rest = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var chain = new Chain(
            o => (o.DeadLetter.Enabled, o.Idempotency.Enabled) = (true, false), b => b.AddHttpMessageHandler(() => new Wire(
                async (request, token) =>
                {
                    await Should.ThrowAsync<HttpRequestException>(() => request.Content!.CopyToAsync(new BreakingStream(2), token));
                    throw new HttpRequestException("Broken.", new IOException("Connection reset"));
                })),
            s => s.AddSingleton<IDeadLetterStore>(store.DeadLetters));

        var sending = chain.SendAsync(true, Chain.Post(new PushedContent(async (stream, token) =>
        {
            await stream.WriteAsync("first"u8.ToArray(), token);
            await rest.Task;
            await stream.WriteAsync("second"u8.ToArray(), token);
        })));
        rest.SetResult();
        await Should.ThrowAsync<HttpRequestException>(() => sending);

        var letter = (await store.DeadLetters.ListAsync(new(), Stop)).ShouldHaveSingleItem();
        System.Text.Encoding.UTF8.GetString(letter.Body!.Value.Span).ShouldBe("firstsecond");
    }

    [Theory]
    [InlineData(true, "none"), InlineData(false, "none")]
    [InlineData(true, "content"), InlineData(false, "content")]
    [InlineData(true, "scope"), InlineData(false, "scope")]
    public async Task A_source_that_stalls_ends_with_the_deadline_also_without_a_client(bool throughInvoker, string key)
    {
        using var chain = new Chain(o =>
        {
            o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(1);
            o.Idempotency.KeySource = key == "content" ? KeySource.Content : KeySource.Random;
        });
        using var scope = key == "scope" ? HttpCallScope.Begin(new() { IdempotencyKey = "mine" }) : null;
        using var invoker = new HttpMessageInvoker(
            chain.Services.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(Chain.Name), disposeHandler: false);
        var stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var later = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var request = Chain.Post(new PushedContent(async (stream, _) =>
        {
            await stream.WriteAsync(new byte[3], CancellationToken.None);
            stalled.SetResult();
            // Without the token, as contents often wait.
            await later.Task;
        }, length: 10));
        request.RequestUri = new("https://api.test/invoices");
        chain.Clock.SkipsWaits = false;

        var sending = throughInvoker ? invoker.SendAsync(request, CancellationToken.None) : chain.SendAsync(true, request);
        await stalled.Task.WaitAsync(Stop);
        chain.Clock.Advance(TimeSpan.FromSeconds(1.02));
        var thrown = await Record.ExceptionAsync(() => sending.WaitAsync(TimeSpan.FromSeconds(60), Stop));

        thrown.ShouldBeOfType<TaskCanceledException>().InnerException.ShouldBeOfType<TimeoutException>();
        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass).ShouldBe((StopReason.DeadlinePassed, FailureClass.Transient));
        call.Attempts.Count.ShouldBe(key == "none" ? 1 : 0);
        later.SetResult();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_source_that_fails_after_its_caller_has_gone_is_observed(bool fingerprinted)
    {
        const string Marker = "The source failed after its caller had gone.";
        int unobserved = 0;
        void Count(object? sender, UnobservedTaskExceptionEventArgs e)
        {
            if (e.Exception.ToString().Contains(Marker, StringComparison.Ordinal))
                Interlocked.Increment(ref unobserved);
        }

        TaskScheduler.UnobservedTaskException += Count;
        try
        {
            await CancelAsync(fingerprinted, Marker);
            for (int i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Count;
        }

        unobserved.ShouldBe(0);
    }

    private static async Task CancelAsync(bool fingerprinted, string marker)
    {
        using var chain = new Chain(o => o.Idempotency.KeySource = fingerprinted ? KeySource.Content : KeySource.Random);
        using var caller = new CancellationTokenSource();
        var stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var later = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sending = chain.SendAsync(true, Chain.Post(new PushedContent(async (_, _) =>
        {
            try
            {
                stalled.SetResult();
                await later.Task;
                throw new InvalidOperationException(marker);
            }
            finally
            {
                ended.SetResult();
            }
        }, length: 10)), caller.Token);

        await stalled.Task.WaitAsync(Stop);
        await caller.CancelAsync();
        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.Cancelled);
        later.SetResult();
        await ended.Task.WaitAsync(Stop);
    }

    [Theory, InlineData(503, StopReason.BodyNotReplayable), InlineData(200, StopReason.Succeeded)]
    public async Task A_body_that_is_being_written_when_the_head_arrives_is_not_repeated(int status, StopReason reason)
    {
        var head = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sent = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        int requests = 0;
        using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new Wire((request, token) =>
        {
            requests++;
            _ = ReadAsync(request.Content!, sent);
            return Task.FromResult(new HttpResponseMessage((HttpStatusCode)status));
        })));

        using var response = await chain.SendAsync(true, Chain.Post(new PushedContent(async (stream, token) =>
        {
            await stream.WriteAsync("question"u8.ToArray(), token);
            await head.Task;
            await stream.WriteAsync("answer"u8.ToArray(), token);
        })));
        head.SetResult();

        response.GetHttpCall()!.StopReason.ShouldBe(reason);
        requests.ShouldBe(1);
        (await sent.Task.WaitAsync(Stop)).ShouldBe("questionanswer");

        static async Task ReadAsync(HttpContent content, TaskCompletionSource<string> sent)
        {
            using var wire = new MemoryStream();
            await content.CopyToAsync(wire, CancellationToken.None);
            sent.SetResult(System.Text.Encoding.ASCII.GetString(wire.ToArray()));
        }
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_remembers_and_compares_a_body_that_can_be_read_only_once(bool async)
    {
        var store = new InMemoryStorage();
        using var chain = new Chain(o => o.Idempotency.RememberFor = TimeSpan.FromDays(1),
            services: s => s.AddSingleton<IIdempotencyStore>(store.IdempotencyKeys));
        HttpRequestMessage Request(string row) => Chain.Post(JsonContent.Create(Rows(row))).WithIdempotencyKey("mine");

        (await chain.SendAsync(async, Request("a"))).Dispose();
        using var second = await chain.SendAsync(async, Request("a"));

        second.GetHttpCall()!.IsReplayed.ShouldBeTrue();
        chain.Server.Requests.ShouldHaveSingleItem().Text.ShouldBe("[\"a\"]");
        await Assert.ThrowsAsync<IdempotencyKeyReusedException>(() => chain.SendAsync(async, Request("b")));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_same_rows_have_the_same_key_made_from_content(bool async)
    {
        using var chain = new Chain(o => o.Idempotency.KeySource = KeySource.Content);

        foreach (var body in new HttpContent[]
            { JsonContent.Create(Rows("a")), JsonContent.Create(OneRow), JsonContent.Create(Rows("b")) })
            (await chain.SendAsync(async, Chain.Post(body))).Dispose();

        var keys = chain.Server.Requests.Select(r => r.IdempotencyKey).ToArray();
        (keys[0] == keys[1], keys[0] == keys[2]).ShouldBe((true, false));
        chain.Server.Requests.Select(r => r.Text).ShouldBe(["[\"a\"]", "[\"a\"]", "[\"b\"]"]);
    }

    [Fact]
    public async Task After_the_call_the_request_has_its_own_content_and_the_memory_is_free()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503), Replies.Status(200));
        var content = JsonContent.Create(Rows("a"));
        using var request = Chain.Post(content);

        using var response = await chain.SendAsync(true, request);

        request.Content.ShouldBeSameAs(content);
        response.RequestMessage!.Content.ShouldBeSameAs(content);
        chain.State.Get<ReplayMemory>()!.InFlight.ShouldBe(0);
    }

    [Theory, InlineData(100, 1), InlineData(1_000_000, 2)]
    public async Task Bodies_beyond_the_memory_of_the_client_are_sent_once(int bytes, int requests)
    {
        using var chain = new Chain(o => o.Retry.MaxReplayBytesInFlight = bytes);
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        (await chain.SendAsync(true, Chain.Post(JsonContent.Create(Rows("a"))))).Dispose();

        chain.Server.Requests.Select(r => r.Text).ShouldBe(Enumerable.Repeat("[\"a\"]", requests));
    }

    private static HttpRequestException Refused() => new(HttpRequestError.ConnectionError, "Connection refused");

    private static IEnumerable<string> Rows(params string[] rows)
    {
        var left = new Queue<string>(rows);
        return Read();

        IEnumerable<string> Read()
        {
            while (left.TryDequeue(out string? row))
                yield return row;
        }
    }

    private sealed class Wire(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            send(request, cancellationToken);
    }

    private sealed class BreakingStream(int after) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            Length + buffer.Length > after ? throw new IOException("Connection reset") : base.WriteAsync(buffer, cancellationToken);
    }
}
