using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Clients;

/// <summary>What happens when the host starts.</summary>
public sealed class StartTests
{
    private const string Client = "HttpResilience:Clients:invoices";

    [Fact]
    public async Task All_problems_are_reported_at_once_with_path_value_and_allowed_range()
    {
        var problems = await ProblemsAsync(
            s => s.AddResilientHttpClient("invoices"),
            ("HttpResilience:Defaults:AttemptTimeout:Timeout", "soon"),
            ($"{Client}:Retry:MaxRetryAttempts", "-1"),
            ($"{Client}:Retry:MaxRetryAttemps", "2"),
            ($"{Client}:Retri:Delay", "00:00:01"),
            ($"{Client}:Retry:BackoffType", "Quadratic"),
            ($"{Client}:CircuitBreaker:FailureRatio", "1.5"),
            ($"{Client}:Logging:KeepFactoryLogging", "maybe"),
            ($"{Client}:BaseAddress", "/v1"),
            ("HttpResilience:Client:x", "1"));

        problems.ShouldBe(
        [
            "HttpResilience:Defaults:AttemptTimeout:Timeout is 'soon'; it must be a duration (d.hh:mm:ss.fff) from 00:00:00.0010000 to "
                + "1.00:00:00, or null to switch it off.",
            $"{Client}:Retry:MaxRetryAttempts is '-1'; it must be an integer of 0 or more.",
            $"{Client}:Retry:MaxRetryAttemps is not a known key; did you mean {Client}:Retry:MaxRetryAttempts?",
            $"{Client}:Retri is not a known key; did you mean {Client}:Retry?",
            $"{Client}:Retry:BackoffType is 'Quadratic'; it must be one of Constant, Linear, Exponential.",
            $"{Client}:CircuitBreaker:FailureRatio is '1.5'; it must be a number from 0 to 1, or null.",
            $"{Client}:Logging:KeepFactoryLogging is 'maybe'; it must be true or false.",
            $"{Client}:BaseAddress is '/v1'; it must be an absolute http or https URI, or null.",
            "HttpResilience:Client is not a known key; did you mean HttpResilience:Clients?",
        ], ignoreOrder: true);
    }

    [Fact]
    public async Task Null_in_code_is_reported_where_a_list_or_a_section_belongs()
    {
        var problems = await ProblemsAsync(s => s.AddResilientHttpClient("invoices", o =>
        {
            o.Idempotency.Methods = null!;
            o.DeadLetter.Methods = null!;
            o.DeadLetter.AllowedAuthorities = null!;
            o.Retry.Methods = null;
            o.Retry.Statuses[503] = null!;
            o.Logging.RedactedHeaders = ["X-Key", null!];
        }));

        problems.ShouldBe(
        [
            $"{Client}:Idempotency:Methods is null; it must be a list, each item an HTTP token (RFC 9110 §5.6.2).",
            $"{Client}:DeadLetter:Methods is null; it must be a list, each item an HTTP token (RFC 9110 §5.6.2).",
            $"{Client}:DeadLetter:AllowedAuthorities is null; it must be a list, each item scheme, host and port, such as "
                + "https://api.example.com.",
            $"{Client}:Retry:Statuses:503 is null; it must be a section with keys such as MaxRetryAttempts.",
            $"{Client}:Logging:RedactedHeaders:1 is null; it must be an HTTP token (RFC 9110 §5.6.2).",
        ], ignoreOrder: true);
    }

    [Fact]
    public async Task Values_set_in_code_are_validated_too()
    {
        var problems = await ProblemsAsync(s => s.AddResilientHttpClient("invoices", o =>
        {
            o.Retry.MaxRetryAttempts = -1;
            o.Idempotency.HeaderName = "no header";
            o.Idempotency.Methods = ["GO PLACES"];
            o.Retry.Statuses[200] = new();
            o.BaseAddress = new("ftp://example.com");
        }));

        problems.ShouldBe(
        [
            $"{Client}:Retry:MaxRetryAttempts is '-1'; it must be an integer of 0 or more.",
            $"{Client}:Idempotency:HeaderName is 'no header'; it must be an HTTP field name (RFC 9110 §5.6.2) of a request.",
            $"{Client}:Idempotency:Methods:0 is 'GO PLACES'; it must be an HTTP token (RFC 9110 §5.6.2).",
            $"{Client}:Retry:Statuses:200 is not a key here; a key of Statuses must be an HTTP status from 400 to 599.",
            $"{Client}:BaseAddress is 'ftp://example.com/'; it must be an absolute http or https URI, or null.",
        ], ignoreOrder: true);
    }

    [Fact]
    public async Task A_value_out_of_range_is_reported_where_it_was_set()
    {
        var problems = await ProblemsAsync(
            s => s.AddResilientHttpClient("invoices"), ("HttpResilience:Defaults:Retry:MaxRetryAfter", "2.00:00:00"));

        problems.ShouldHaveSingleItem().ShouldStartWith("HttpResilience:Defaults:Retry:MaxRetryAfter is '2.00:00:00';");
    }

    [Fact]
    public async Task The_problems_of_all_clients_are_reported()
    {
        var problems = await ProblemsAsync(
            s =>
            {
                s.AddResilientHttpClient("invoices");
                s.AddResilientHttpClient("payments");
            },
            ($"{Client}:Retry:MaxRetryAttempts", "many"),
            ("HttpResilience:Clients:payments:Retry:MaxRetryAttempts", "few"));

        problems.Count.ShouldBe(2);
        problems.ShouldContain(p => p.StartsWith($"{Client}:Retry:MaxRetryAttempts is 'many'", StringComparison.Ordinal));
        problems.ShouldContain(
            p => p.StartsWith("HttpResilience:Clients:payments:Retry:MaxRetryAttempts is 'few'", StringComparison.Ordinal));
    }

    public static TheoryData<string, string?> Invalid => new()
    {
        { "TotalRequestTimeout:Timeout", "00:00:00" },
        { "TotalRequestTimeout:Timeout", "2.00:00:00" },
        { "TotalRequestTimeout", "00:00:05" },
        { "AttemptTimeout:Timeout", "-00:00:01" }, { "AttemptTimeout:Timeout:Seconds", "5" },
        { "Retry:MaxRetryAttempts", "2147483648" },
        { "Retry:MaxRetryAttempts", "3.0" },
        { "Retry:MaxRetryAttempts", "" },
        { "Retry:BackoffType", "7" },
        { "Retry:Delay", "-00:00:01" },
        { "Retry:Delay", "1.00:00:01" },
        { "Retry:Delay", null },
        { "Retry:MaxDelay", "x" },
        { "Retry:BackoffFactor", "0.9" },
        { "Retry:BackoffFactor", "NaN" },
        { "Retry:BackoffFactor", "11" },
        { "Retry:UseJitter", "yes" },
        { "Retry:Jitter:Mode", "Wild" },
        { "Retry:Jitter:Factor", "1.1" },
        { "Retry:Jitter:Maximum", "-00:00:01" },
        { "Retry:ShouldRetryAfterHeader", "" },
        { "Retry:MaxRetryAfter", "1.00:00:01" },
        { "Retry:UnsafeMethods", "Sometimes" },
        { "Retry:MaxReplayBodyBytes", "-1" }, { "Retry:IncludeResponseBody", "1" }, { "Retry:Statuses:teapot:MaxRetryAttempts", "1" },
        { "Retry:Statuses:399:MaxRetryAttempts", "1" },
        { "Retry:Statuses:600:MaxRetryAttempts", "1" },
        { "Retry:Statuses:503:MaxRetryAttempts", "-1" },
        { "Retry:Statuses:503:DelayMultiplier", "-1" }, { "Retry:Statuses:503:Delay", "x" }, { "Retry:Statuses:503:Dellay", "00:00:01" },
        { "CircuitBreaker:FailureThreshold", "0" }, { "CircuitBreaker:FailureRatio", "-0.1" }, { "CircuitBreaker:MinimumThroughput", "0" },
        { "CircuitBreaker:SamplingDuration", "00:00:00.009" },
        { "CircuitBreaker:BreakDuration", "00:00:00" },
        { "CircuitBreaker:MaxBreakDuration", "2.00:00:00" },
        { "CircuitBreaker:FailureDuration", "-00:00:01" }, { "CircuitBreaker:MaxWait", "00:00:00" },
        { "CircuitBreaker:MaxWaiting", "-1" }, { "CircuitBreaker:Mode", "Off" },
        { "CircuitBreaker:HalfOpenProbes", "0" }, { "CircuitBreaker:SuccessThreshold", "0" }, { "CircuitBreaker:MaxCircuits", "0" },
        { "Retry:Budget:RetryRatio", "-1" }, { "Retry:Budget:SamplingDuration", "00:00:00" }, { "Retry:Budget:MinimumThroughput", "-1" },
        { "CircuitBreaker:SlowCallDuration", "00:00:00" },
        { "CircuitBreaker:SlowCallRatio", "1.1" },
        { "CircuitBreaker:Isolation", "Everybody" },
        { "RateLimiter:DefaultRateLimiterOptions:PermitLimit", "0" }, { "RateLimiter:DefaultRateLimiterOptions:QueueLimit", "-1" },
        { "Idempotency:KeySource", "Thin air" },
        { "Idempotency:KeyLifetime", "00:00:00" },
        { "Idempotency:Enabled", "x" },
        { "Idempotency:HeaderName", "" },
        { "Idempotency:HeaderName", "a b" },
        { "Idempotency:Methods:0", "" },
        { "Idempotency:Methods", "POST" }, { "Idempotency:Quoted", "x" },
        { "Logging:Level", "Loud" },
        { "Logging:RetryLevel", "Quiet" },
        { "Logging:ErrorBodyBytes", "65537" },
        { "Logging:ErrorBodyBytes", "-1" },
        { "Logging:RedactedHeaders:0", "a b" }, { "Logging:AllowedQueryParameters:0", " " },
        { "BaseAddress", "https//x" }, { "BaseAddress", "ftp://x" }, { "Unknown", "1" }, { "retry:unknown", "1" },
    };

    [Theory, MemberData(nameof(Invalid))]
    public async Task An_invalid_value_keeps_the_host_from_starting(string key, string? value)
    {
        var problems = await ProblemsAsync(s => s.AddResilientHttpClient("invoices"), ($"{Client}:{key}", value));

        problems.ShouldHaveSingleItem().ShouldStartWith(
            $"{Client}:{key.Split(":Seconds")[0].Split(":MaxRetryAttempts")[0]}", Case.Insensitive);
    }

    [Fact]
    public async Task A_section_for_a_client_that_is_not_there_is_a_warning()
    {
        using var logs = new LogCollector();
        using var host = Host(
            logs, s => s.AddResilientHttpClient("invoices"), ("HttpResilience:Clients:invoice:Retry:MaxRetryAttempts", "2"));

        await host.StartAsync(TestContext.Current.CancellationToken);

        var warning = logs.WithId(405).ShouldHaveSingleItem();
        (warning.Level, warning["Section"], warning["Nearest"]).ShouldBe((LogLevel.Warning, "HttpResilience:Clients:invoice", "invoices"));
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(UnsafeMethods.WhenKeyed, true, "because POST and PATCH carry Idempotency-Key, which the API must honour")]
    [InlineData(UnsafeMethods.WhenKeyed, false, "only when they were not sent or not processed")]
    [InlineData(UnsafeMethods.Never, true, "only when they were not sent or not processed")]
    [InlineData(UnsafeMethods.Always, false, "always")]
    public async Task One_line_per_client_says_on_what_ground_unsafe_calls_are_retried(
        UnsafeMethods unsafeMethods, bool keyed, string ground)
    {
        using var logs = new LogCollector();
        using var host = Host(logs, s =>
        {
            s.AddResilientHttpClient("invoices", o => (o.Retry.UnsafeMethods, o.Idempotency.Enabled) = (unsafeMethods, keyed));
            s.AddResilientHttpClient("payments");
            s.AddResilientHttpClient("payments");
        });

        await host.StartAsync(TestContext.Current.CancellationToken);
        host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("invoices").Dispose();

        logs.WithId(401).Select(e => e["ClientName"]).ShouldBe(["invoices", "payments"]);
        (logs.WithId(401)[0].Level, logs.WithId(401)[0].Message).ShouldBe(
            (LogLevel.Information, $"invoices: calls that are not idempotent are repeated {ground}"));
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    private static async Task<IReadOnlyList<string>> ProblemsAsync(
        Action<IServiceCollection> add, params (string Key, string? Value)[] settings)
    {
        using var logs = new LogCollector();
        using var host = Host(logs, add, settings);

        var thrown = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync(TestContext.Current.CancellationToken));

        return ProblemsOf(thrown);
    }

    internal static IReadOnlyList<string> ProblemsOf(Exception thrown) => thrown is AggregateException all
        ? [.. all.InnerExceptions.Cast<OptionsValidationException>().SelectMany(e => e.Failures)]
        : [.. thrown.ShouldBeOfType<OptionsValidationException>().Failures];

    internal static IHost Host(LogCollector logs, Action<IServiceCollection> add, params (string Key, string? Value)[] settings)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, s.Value)));
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(logs);
        add(builder.Services);
        return builder.Build();
    }
}
