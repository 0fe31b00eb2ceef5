using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Time;

/// <summary>Cancellation sources are used again by later calls. No call may hear of another's end.</summary>
public sealed class TimerReuseTests
{
    private const int Workers = 8;
    private const int CallsPerWorker = 400;

    [Fact]
    public async Task A_call_that_is_cancelled_or_times_out_ends_no_other()
    {
        int seed = Random.Shared.Next();
        using var chain = new Chain(o => (o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) = (0, null));
        var told = new ConcurrentBag<string>();
        var current = new AsyncLocal<string>();
        chain.Server.Script(async (_, _, token) =>
        {
            // Left behind, as careless handlers do.
            string call = current.Value!;
            token.Register(() => told.Add(call));
            await Task.Yield();
            token.ThrowIfCancellationRequested();
            return new(HttpStatusCode.OK);
        });

        async Task<IEnumerable<string>> WorkAsync(int worker)
        {
            var random = new Random(seed + worker);
            var cancelled = new List<string>();
            for (int i = 0; i < CallsPerWorker; i++)
            {
                string call = $"{worker}/{i}";
                bool cancels = random.Next(3) == 0;
                current.Value = call;
                using var caller = new CancellationTokenSource();
                var sending = chain.SendAsync(true, Chain.Get(), caller.Token);
                if (cancels)
                {
                    cancelled.Add(call);
                    await caller.CancelAsync();
                }

                var thrown = await Record.ExceptionAsync(async () => (await sending).Dispose());
                if (thrown is not null)
                    thrown.ShouldBeAssignableTo<OperationCanceledException>($"seed {seed}")!.CancellationToken.ShouldBe(
                        caller.Token, $"seed {seed}");
                (thrown is null || cancels).ShouldBeTrue($"call {call} ended with {thrown}; seed {seed}");
                // Too late for this call, while others are under way.
                if (random.Next(2) == 0)
                    await caller.CancelAsync();
            }

            return cancelled;
        }

        var cancelled = await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(() => WorkAsync(worker))));

        told.Except(cancelled.SelectMany(c => c)).ShouldBeEmpty($"seed {seed}");
    }

    public static TheoryData<string> Holders =>
        ["handler inside", "handler inside that keeps it", "primary handler", "stream of a primary handler", "handler as primary",
            "reconciler"];

    [Theory, MemberData(nameof(Holders))]
    public async Task The_timeout_of_a_later_call_does_not_end_the_open_response_of_an_earlier_one(string holder)
    {
        Chain chain = null!;
        using var holding = new TokenHolder(() => chain.Server);
        chain = new Chain(
            o =>
            {
                (o.Retry.MaxRetryAttempts, o.AttemptTimeout.Timeout) = (holder is "reconciler" ? 1 : 0, TimeSpan.FromSeconds(10));
                (o.Idempotency.Enabled, o.CircuitBreaker.BreakDuration) = (false, null);
            },
            client =>
            {
                if (holder.StartsWith("handler inside", StringComparison.Ordinal))
                    client.AddHttpMessageHandler(() => holding);
                if (holder is "handler as primary")
                    client.ConfigurePrimaryHttpMessageHandler(holding.AsPrimary);
            },
            services => services.AddSingleton<IReconciler>(holding));
        using var _ = chain;
        chain.Server.Script(
            holder switch
            {
                "primary handler" => (_, _, token) => Task.FromResult(holding.Hold(new TokenContent(), token)),
                "stream of a primary handler" =>
                    (_, _, token) => Task.FromResult(holding.Hold(new StreamContent(new MemoryStream([1])), token)),
                "reconciler" => Replies.Reset(),
                _ => Replies.Status(200),
            },
            Replies.Stalls());
        holding.Keeps = holder is "handler inside that keeps it";

        using var first = await chain.SendAsync(
            true, holder is "reconciler" ? Chain.Post() : Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead);
        holding.Token.CanBeCanceled.ShouldBeTrue();
        var token = holding.Token;
        for (int i = 0; i < 3; i++)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chain.GetAsync());

        token.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task The_time_of_a_call_that_has_ended_ends_no_later_one()
    {
        using var chain = new Chain(o => (o.Retry.MaxRetryAttempts, o.AttemptTimeout.Timeout) = (0, TimeSpan.FromSeconds(10)));
        chain.Server.Script(Replies.After(TimeSpan.FromSeconds(7), Replies.Status(200)));

        for (int i = 0; i < 20; i++)
        {
            using var response = await chain.GetAsync();
            response.GetHttpCall()!.Elapsed.ShouldBe(TimeSpan.FromSeconds(7));
        }

        chain.Server.Script(Replies.Stalls());
        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(() => chain.GetAsync());
        thrown.GetHttpCall()!.Elapsed.ShouldBe(TimeSpan.FromSeconds(10));
    }

    /// <summary>Code of the application that answers with a content which may use the token it was given.</summary>
    private sealed class TokenHolder(Func<HttpMessageHandler> server) : DelegatingHandler, IReconciler
    {
        internal CancellationToken Token { get; private set; }

        /// <summary>Keeps the token, and returns the response as it is.</summary>
        internal bool Keeps { get; set; }

        internal TokenHolder AsPrimary()
        {
            InnerHandler = server();
            return this;
        }

        internal HttpResponseMessage Hold(HttpContent content, CancellationToken token)
        {
            Token = token;
            return new() { Content = content };
        }

        public ValueTask<HttpResponseMessage?> FindAsync(HttpCall call, HttpRequestMessage request, CancellationToken cancellationToken) =>
            new(Hold(new TokenContent(), cancellationToken));

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            return Keeps ? Keep(response, cancellationToken) : Hold(new TokenContent(), cancellationToken);
        }

        private HttpResponseMessage Keep(HttpResponseMessage response, CancellationToken token)
        {
            Token = token;
            return response;
        }
    }

    private sealed class TokenContent : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => Task.CompletedTask;

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
