using HttpResilience.Tests.CircuitBreaker;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace HttpResilience.Tests.Polly;

/// <summary>What the chain makes of what a pipeline throws, and the pipeline of what ends the attempt.</summary>
public sealed class PollyExceptionTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task A_timeout_of_Pollys_is_retried_like_any_other_on_the_clock_of_the_container()
    {
        using var chain = new Chain(client: builder => builder.AddPollyHandler("mine", pipeline => pipeline.AddTimeout(Timeout)));
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(Replies.Hangs(), Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.Clock.TimerDueInAsync(Timeout);
        chain.Clock.Advance(Timeout);
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        using var response = await sending;

        response.GetHttpCall()!.Attempts.Select(a => (a.FailureClass, a.ErrorType)).ShouldBe(
            [(FailureClass.Transient, nameof(TimeoutRejectedException)), (FailureClass.None, null)]);
    }

    [Fact]
    public void A_timeout_of_Pollys_is_ambiguous_and_counts()
    {
        var result = FailureClassifier.Classify(new TimeoutRejectedException(), timedOut: false, cancelled: false);

        (result.FailureClass, result.IsRetryable, result.IsAmbiguous, result.CircuitOutcome)
            .ShouldBe((FailureClass.Transient, true, true, CircuitOutcome.Failure));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_circuit_of_Pollys_that_is_open_is_not_retried_and_does_not_count(bool async)
    {
        using var chain = new Chain(o => o.CircuitBreaker.UseClassic().FailureThreshold = 1,
            client: builder => builder.AddPollyHandler("mine", pipeline =>
            {
                var isolated = new CircuitBreakerManualControl(isIsolated: true);
                pipeline.AddCircuitBreaker(new() { ManualControl = isolated });
            }));

        for (int i = 0; i < 2; i++)
        {
            var thrown = await Assert.ThrowsAnyAsync<BrokenCircuitException>(() => chain.GetAsync(async));
            thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.NotRetryable);
            thrown.GetHttpCall()!.FailureClass.ShouldBe(FailureClass.Transient);
        }

        chain.Server.Requests.ShouldBeEmpty();
        chain.Logs.WithId(301).ShouldBeEmpty();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_callers_cancellation_goes_through_the_pipeline(bool async)
    {
        using var chain =
            new Chain(client: builder => builder.AddPollyHandler("mine", pipeline => pipeline.AddTimeout(TimeSpan.FromMinutes(10))));
        chain.Clock.SkipsWaits = false;
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        chain.Server.Script(Replies.Hangs(begun));
        using var caller = new CancellationTokenSource();

        var sending = chain.SendAsync(async, Chain.Get(), caller.Token);
        await begun.Task;
        await caller.CancelAsync();

        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        thrown.CancellationToken.ShouldBe(caller.Token);
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.Cancelled);
    }
}
