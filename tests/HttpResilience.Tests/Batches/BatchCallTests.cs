using System.Net;
using HttpResilience.Tests.CircuitBreaker;

namespace HttpResilience.Tests.Batches;

/// <summary>The effect of the calls of a record on the batch.</summary>
public sealed class BatchCallTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_record_has_a_scope_of_its_own()
    {
        using var chain = new Chain();

        await IsolatedBatch.RunAsync(Enumerable.Range(1, 3), (r, t) => SendAsync(chain, t), new()
        {
            MaxParallelism = 1,
            Scope = (record, index) =>
                new() { IdempotencyKey = $"comp1:{record}", Tenant = $"comp{record}", Tags = { ["rowNumber"] = index + 2 } },
        }, Stop);

        chain.Server.Requests.Select(s => s.IdempotencyKey).ShouldBe(["comp1:1", "comp1:2", "comp1:3"]);
        chain.Logs.Calls.Select(c => (c["Tenant"], c["rowNumber"], c["recordIndex"])).ShouldBe(
            [("comp1", 2L, 0L), ("comp2", 3L, 1L), ("comp3", 4L, 2L)]);
    }

    [Fact]
    public async Task A_failure_has_the_details_of_the_log_event()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(422, "{\"title\":\"Bad invoice\",\"detail\":\"no such currency\"}", "application/problem+json"));

        var report = await IsolatedBatch.RunAsync([1], (_, t) => SendAsync(chain, t),
            new()
            {
                Scope = (_, _) => new() { IdempotencyKey = "comp1:1", Tenant = "comp1", Tags = { ["rowNumber"] = 5, ["none"] = null } }
            }, Stop);

        var failure = report.Failures.ShouldHaveSingleItem();
        (failure.Error, failure.StatusCode, failure.FailureClass, failure.Attempts).ShouldBe(
            ("Bad invoice: no such currency", 422, FailureClass.Validation, 1));
        (failure.IdempotencyKey, failure.Tenant, failure.ErrorType, failure.DeadLetterId).ShouldBe(
            ("comp1:1", "comp1", "HttpRequestException", null));
        failure.Tags.ShouldBe(new Dictionary<string, string> { ["recordIndex"] = "0", ["rowNumber"] = "5" });
        failure.FailedAt.ShouldBeGreaterThan(DateTimeOffset.UnixEpoch);
        chain.Logs.Call["ErrorBody"].ShouldBe(failure.Error);
    }

    [Fact]
    public async Task A_thrown_exception_is_described_as_in_the_log_event()
    {
        using var chain = new Chain();
        chain.Server.Script(
            Replies.Throws(() => new HttpRequestException(HttpRequestError.SecureConnectionError, "the token secret-1234 is bad")));

        var report = await IsolatedBatch.RunAsync([1], async (_, t) =>
        {
            using var request = Chain.Post();
            request.Headers.Add("Authorization", "Bearer secret-1234");
            await chain.Client.SendAsync(request, t);
        }, new() { MaxParallelism = 1 }, Stop);

        report.Failures.ShouldHaveSingleItem().Error.ShouldBe(chain.Logs.Call["ErrorMessage"]!.ToString());
        report.Failures[0].Error.ShouldBe("the token *** is bad");
    }

    [Fact]
    public async Task Rejected_credentials_stop_the_batch_at_once()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(200), Replies.Status(401));

        var report = await IsolatedBatch.RunAsync(
            Enumerable.Range(0, 100), (_, t) => SendAsync(chain, t), new() { MaxParallelism = 1 }, Stop);

        (report.StopReason, report.Succeeded, report.Failed, report.StoppedBy!.StatusCode).ShouldBe(
            (BatchStopReason.FailureForAll, 1, 1, 401));
        report.ToString().ShouldStartWith("1 succeeded, 1 failed; stopped early at record 1: ");
    }

    [Fact]
    public async Task Rejected_credentials_of_one_tenant_are_its_own_failure_and_those_of_five_tenants_in_a_row_stop_the_batch()
    {
        using var chain = new Chain();
        chain.Server.Script([.. Enumerable.Range(0, 12).Select(i => Replies.Status(i is 5 or 10 ? 200 : 401)), Replies.Status(401)]);

        var report = await IsolatedBatch.RunAsync(Enumerable.Range(0, 100), (_, t) => SendAsync(chain, t),
            new() { MaxParallelism = 1, Scope = (r, _) => new() { Tenant = $"comp{r}" } }, Stop);

        // The first five fail in a row; the sixth would succeed.
        (report.StopReason, report.Succeeded, report.Failed).ShouldBe((BatchStopReason.FailureForAll, 0, 5));
    }

    [Theory, InlineData(200, 4), InlineData(422, 0)]
    public async Task Fewer_than_five_failing_tenants_in_a_row_do_not_stop_the_batch(int fifth, int succeeded)
    {
        using var chain = new Chain();
        chain.Server.Script([.. Enumerable.Range(0, 20).Select(i => Replies.Status(i % 5 == 4 ? fifth : 401))]);

        var report = await IsolatedBatch.RunAsync(Enumerable.Range(0, 20), (_, t) => SendAsync(chain, t),
            new() { MaxParallelism = 1, Scope = (r, _) => new() { Tenant = $"comp{r}" } }, Stop);

        (report.StopReason, report.Succeeded, report.Failed).ShouldBe((BatchStopReason.Completed, succeeded, 20 - succeeded));
    }

    [Fact]
    public async Task Records_rejected_by_an_open_circuit_wait_and_are_tried_again()
    {
        using var chain = new Chain(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (1, 0));
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        var report = await IsolatedBatch.RunAsync(Enumerable.Range(0, 10), (_, t) => SendAsync(chain, t),
            new() { MaxParallelism = 1, RecordTimeout = null, TimeProvider = chain.Clock }, Stop);

        // The first record failed and opened the circuit for 30 s; the others waited.
        (report.StopReason, report.Succeeded, report.Failed).ShouldBe((BatchStopReason.Completed, 9, 1));
        chain.Server.Requests.Count.ShouldBe(10);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Theory, InlineData(60, 1), InlineData(0, 1)]
    public async Task A_circuit_that_stays_open_stops_the_batch(int patience, int sent)
    {
        using var chain = new Chain(o => (
            o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) =
            (1, 0, TimeSpan.FromMinutes(2)));
        chain.Server.Script(Replies.Status(503));

        var report = await IsolatedBatch.RunAsync(Enumerable.Range(0, 10), (_, t) => SendAsync(chain, t),
            new() { MaxParallelism = 1, RecordTimeout = null, TimeProvider = chain.Clock, OutageTimeout = TimeSpan.FromSeconds(patience) },
            Stop);

        (report.StopReason, report.Failed, report.StoppedBy!.ErrorType).ShouldBe(
            (BatchStopReason.FailureForAll, 1 + 5, nameof(CircuitOpenException)));
        chain.Server.Requests.Count.ShouldBe(sent);
    }

    [Theory, InlineData(true, 1.0, 59), InlineData(false, 1.0, 59), InlineData(true, 0.0, 5.9), InlineData(true, null, 59)]
    public async Task The_outage_timeout_starts_at_the_last_record_that_was_not_rejected(bool succeeds, double? retryAfter, double waits)
    {
        var clock = new ManualTimeProvider { SkipsWaits = true };
        int tries = 0;

        var report = await IsolatedBatch.RunAsync(Enumerable.Range(0, 2), (record, _) =>
        {
            if (record == 0)
            {
                clock.Advance(TimeSpan.FromMinutes(5));
                return succeeds ? Task.CompletedTask : throw new FormatException("bad");
            }

            return ++tries < 60
                ? throw new CircuitOpenException("https://api.test", retryAfter is { } seconds ? TimeSpan.FromSeconds(seconds) : null)
                : Task.CompletedTask;
        }, new() { MaxParallelism = 1, RecordTimeout = null, TimeProvider = clock }, Stop);

        (report.StopReason, tries, clock.Elapsed).ShouldBe((BatchStopReason.Completed, 60, TimeSpan.FromSeconds(300 + waits)));
    }

    [Fact]
    public async Task The_open_circuit_of_one_tenant_does_not_delay_the_others()
    {
        using var chain = new Chain(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (2, 0));
        chain.Server.Script(Replies.Status(503), Replies.Status(503), Replies.Status(200));

        var report = await IsolatedBatch.RunAsync(Enumerable.Range(0, 10), (_, t) => SendAsync(chain, t),
            new()
            {
                MaxParallelism = 1,
                RecordTimeout = null,
                TimeProvider = chain.Clock,
                Scope = (r, _) => new() { Tenant = r < 5 ? "bad" : "good" },
            }, Stop);

        (report.StopReason, report.Succeeded, report.Failed, chain.Clock.Elapsed).ShouldBe(
            (BatchStopReason.Completed, 5, 5, TimeSpan.Zero));
    }

    [Fact]
    public async Task A_record_without_a_stable_key_that_may_have_been_processed_is_not_tried_again()
    {
        // The record opens the circuit itself: its call was sent, and a second one would have another key.
        using var chain = new Chain(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (1, 3));
        chain.Server.Script(Replies.Reset(), Replies.Status(200));

        var report = await IsolatedBatch.RunAsync(
            [1], (_, t) => SendAsync(chain, t), new() { RecordTimeout = null, TimeProvider = chain.Clock }, Stop);
        report.Failed.ShouldBe(1);

        using var keyed = new Chain(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (1, 3));
        keyed.Server.Script(Replies.Reset(), Replies.Status(200));
        report = await IsolatedBatch.RunAsync([1], (_, t) => SendAsync(keyed, t),
            new() { RecordTimeout = null, TimeProvider = keyed.Clock, Scope = (_, _) => new() { IdempotencyKey = "comp1:1" } }, Stop);
        (report.Succeeded, keyed.Server.Requests.Count).ShouldBe((1, 2));
        keyed.Server.Requests.ShouldAllBe(s => s.IdempotencyKey == "comp1:1");
    }

    private static async Task SendAsync(Chain chain, CancellationToken token)
    {
        using var request = Chain.Post();
        using var response = await chain.Client.SendAsync(request, token);
        if (response.StatusCode is not HttpStatusCode.OK)
            response.EnsureSuccessStatusCode();
    }
}
