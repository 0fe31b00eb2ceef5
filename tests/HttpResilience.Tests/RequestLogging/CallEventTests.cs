using System.Diagnostics;
using HttpResilience.Tests.CircuitBreaker;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.RequestLogging;

/// <summary>One event per call, when it ends.</summary>
public sealed class CallEventTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task Four_failed_attempts_write_one_line_at_information_or_above(bool async)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503));
        _ = chain.Client;
        int before = chain.Logs.Entries.Count;

        (await chain.GetAsync(async)).Dispose();

        chain.Server.Requests.Count.ShouldBe(4);
        var line = chain.Logs.Entries.Skip(before).Where(e => e.Level >= LogLevel.Information).ShouldHaveSingleItem();
        (line.Id.Id, line.Level, line["Attempts"]).ShouldBe((102, LogLevel.Warning, 4));
        chain.Logs.WithId(201).Select(e => (e.Level, e["Attempt"], e["Outcome"], e["DelayMs"])).ShouldBe(
        [
            (LogLevel.Debug, 1, "503", 1000L), (LogLevel.Debug, 2, "503", 2000L), (LogLevel.Debug, 3, "503", 4000L),
        ]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_success_has_every_property_and_one_readable_line(bool async)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503), Replies.After(TimeSpan.FromMilliseconds(12.34), Replies.Status(201)));
        using var activity = new Activity("the application's").Start();

        (await chain.SendAsync(async,
            Chain.Post().WithIdempotencyKey("mine").WithTenant("comp1").WithTag("docType", "invoice").WithTag("rowNumber", 5))).Dispose();

        var line = chain.Logs.Call;
        (line.Id.Id, line.Id.Name, line.Level).ShouldBe((101, "CallSucceeded", LogLevel.Information));
        line.Category.ShouldBe("HttpResilience.RequestLoggingHandler");
        line.Properties.Where(p => p.Key != "{OriginalFormat}").ShouldBe(
        [
            new("ClientName", "api"), new("Method", "POST"), new("Authority", "https://api.test"), new("Path", "/invoices"),
            new("StatusCode", 201),
            new("StopReason", "Succeeded"), new("Attempts", 2), new("ElapsedMs", 1012.3), new("IdempotencyKey", "mine"),
            new("Tenant", "comp1"),
            new("TraceId", activity.TraceId.ToString()), new("docType", "invoice"), new("rowNumber", 5),
        ], ignoreOrder: true);
        line.Message.ShouldBe("api POST https://api.test/invoices: 201 in 1012.3 ms, 2 attempts");
    }

    [Fact]
    public async Task A_failure_tells_its_class_why_it_stopped_and_what_the_server_said()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(422, """{"title":"Invalid","detail":"VAT is missing"}""", "application/problem+json"));

        (await chain.GetAsync()).Dispose();

        var line = chain.Logs.Call;
        line.Level.ShouldBe(LogLevel.Warning);
        (line["StatusCode"], line["FailureClass"], line["StopReason"], line["ErrorBody"]).ShouldBe(
            (422, "Validation", "NotRetryable", "Invalid: VAT is missing"));
        line.Message.ShouldBe(
            "api GET https://api.test/invoices/1: 422 in 0 ms, 1 attempt, Validation, NotRetryable: Invalid: VAT is missing");
    }

    [Fact]
    public async Task An_exception_is_logged_by_type_and_message_and_has_no_status()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503), Replies.ConnectionRefused());

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => chain.GetAsync());

        var line = chain.Logs.Call;
        (line.Level, line["ErrorType"], line["ErrorMessage"], line["Attempts"]).ShouldBe(
            (LogLevel.Warning, "HttpRequestException", "Connection refused", 4));
        line["StatusCode"].ShouldBeNull();
        line["StopReason"].ShouldBe("AttemptsExhausted");
        line.Message.ShouldEndWith("HttpRequestException in 7000 ms, 4 attempts, Transient, AttemptsExhausted: Connection refused");
    }

    [Fact]
    public async Task An_open_circuit_is_logged_too()
    {
        using var chain = new Chain(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (1, 0));
        chain.Server.Script(Replies.Status(503));
        (await chain.GetAsync()).Dispose();

        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());

        var line = chain.Logs.Calls[^1];
        (line.Level, line["StopReason"], line["ErrorType"], line["Attempts"]).ShouldBe(
            (LogLevel.Warning, "CircuitOpen", "CircuitOpenException", 0));
    }

    [Theory]
    [InlineData("Debug", 200, LogLevel.Debug), InlineData("Debug", 404, LogLevel.Warning), InlineData("Critical", 200, LogLevel.Critical)]
    public async Task The_level_of_a_success_can_be_chosen(string level, int status, LogLevel expected)
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Logging:Level"] = level });
        chain.Server.Script(Replies.Status(status));

        (await chain.GetAsync()).Dispose();

        chain.Logs.Call.Level.ShouldBe(expected);
    }

    [Fact]
    public async Task The_level_of_a_retry_can_be_chosen()
    {
        using var chain = new Chain(o => o.Logging.RetryLevel = LogLevel.Information);
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        (await chain.GetAsync()).Dispose();

        var retry = chain.Logs.WithId(201).ShouldHaveSingleItem();
        retry.Level.ShouldBe(LogLevel.Information);
        retry.Message.ShouldBe("api GET https://api.test/invoices/1: attempt 1 got 503, next in 1000 ms");
    }

    [Fact]
    public async Task A_call_that_its_caller_left_is_no_warning()
    {
        using var chain = new Chain();
        using var caller = new CancellationTokenSource();
        chain.Server.Script(Replies.Throws(() =>
        {
            caller.Cancel();
            return new OperationCanceledException();
        }));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chain.SendAsync(true, Chain.Get(), caller.Token));

        (chain.Logs.Call.Level, chain.Logs.Call["FailureClass"]).ShouldBe((LogLevel.Information, "Cancelled"));
    }

    [Fact]
    public async Task A_template_stands_for_the_path()
    {
        using var chain = new Chain();

        (await chain.SendAsync(true, Chain.Get("companies/7/invoices/1").WithTag("url.template", "/companies/{id}/invoices/{number}")))
            .Dispose();

        chain.Logs.Call["Path"].ShouldBe("/companies/{id}/invoices/{number}");
        chain.Logs.Call.Message.ShouldContain("https://api.test/companies/{id}/invoices/{number}: 200");
    }

    // Two properties of one name make JSON that some sinks refuse.
    [Fact]
    public async Task A_tag_that_has_the_name_of_a_property_stands_beside_it()
    {
        using var chain = new Chain();

        (await chain.SendAsync(true, Chain.Get().WithTag("Method", "fax").WithTag("StatusCode", 7).WithTag("{OriginalFormat}", "forged")))
            .Dispose();

        var line = chain.Logs.Call;
        (line["Method"], line["StatusCode"]).ShouldBe(("GET", 200));
        (line["tag.Method"], line["tag.StatusCode"], line["tag.{OriginalFormat}"]).ShouldBe(("fax", 7, "forged"));
    }

    [Fact]
    public async Task Without_an_activity_there_is_no_trace_id()
    {
        using var chain = new Chain();
        Activity.Current = null;

        (await chain.GetAsync()).Dispose();

        chain.Logs.Call.Properties.Keys.ShouldNotContain("TraceId");
        chain.Logs.Call.Properties.Keys.ShouldNotContain("Tenant");
        chain.Logs.Call.Properties.Keys.ShouldNotContain("IdempotencyKey");
    }
}
