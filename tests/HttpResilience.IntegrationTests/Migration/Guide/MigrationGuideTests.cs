using System.Globalization;
using System.Text.RegularExpressions;
using HttpResilience.Migration;
using HttpResilience.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;
using Polly;
using Polly.Extensions.Http;
using Polly.RateLimiting;
using Polly.Retry;
using Refit;

namespace HttpResilience.IntegrationTests.Migration.Guide;

/// <summary>docs/migration.md: its code is what is compiled here, and its tables are those of the packages.</summary>
public sealed partial class MigrationGuideTests
{
    private const string Folder = "tests/HttpResilience.IntegrationTests/Migration/Guide";

    private static readonly string Page = Repository.Read("docs/migration.md").ReplaceLineEndings("\n");

    [Fact]
    public void All_code_of_the_page_is_compiled_here_word_for_word()
    {
        string[] compiled = [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, Folder), "*.cs").SelectMany(SnippetsIn)];

        string[] shown = [.. Fence().Matches(Page).Select(m => m.Groups[1].Value)];

        compiled.Length.ShouldBeGreaterThan(12);
        shown.ShouldBe(compiled, ignoreOrder: true);
    }

    [Fact]
    public void The_table_of_defaults_has_the_values_of_the_packages() => TableOf("defaults").ShouldBe(Defaults());

    [Fact]
    public void The_table_of_differences_has_the_rows_of_the_report()
    {
        var standard = new HttpStandardResilienceOptions
        {
            Retry = { DelayGenerator = _ => new(TimeSpan.Zero), OnRetry = _ => default },
            AttemptTimeout = { TimeoutGenerator = _ => new(TimeSpan.Zero) },
        };
        var hedging = PeerSettings.From(new HttpStandardHedgingResilienceOptions()) with
        {
            Weighted = [new() { Endpoints = { new(), new() } }, new()],
            IsBesideAll = true,
            IsTwice = true,
        };
        var rows = MigrationReport.RowsOf(PeerSettings.From(standard)).Concat(MigrationReport.RowsOf(hedging)).DistinctBy(r => r.Option);

        TableOf("differences").ShouldBe(rows.Select(r => $"| {r.Option} | {r.Microsoft} | {r.HttpResilience} |"));
    }

    [Fact]
    public void The_table_of_errors_names_every_option_that_cannot_be_kept()
    {
        var circuit = new HttpCircuitBreakerStrategyOptions
        {
            BreakDurationGenerator = _ => new(TimeSpan.Zero),
            ManualControl = new(),
            StateProvider = new(),
        };
        var standard = new HttpStandardResilienceOptions { CircuitBreaker = circuit, Retry = { Randomizer = () => 0 } };
        var hedging = new HttpStandardHedgingResilienceOptions
        {
            Hedging = { ActionGenerator = _ => null, DelayGenerator = _ => new(TimeSpan.Zero) },
        };
        var decided = new HttpStandardResilienceOptions
        {
            Retry = { ShouldHandle = _ => new(false), DelayGenerator = _ => new(TimeSpan.Zero) },
            CircuitBreaker = { ShouldHandle = _ => new(false) },
            AttemptTimeout = { OnTimeout = _ => default },
        };
        UriEndpointGroup two = new() { Endpoints = { new(), new() } };
        var problems = UnsupportedOptions.In(PeerSettings.From(standard)).Concat(UnsupportedOptions.In(
            PeerSettings.From(hedging) with { Ordered = [two, two], Weighted = [new()], IsBesideOther = true })).Concat(
            UnsupportedOptions.BesideClassifier(PeerSettings.From(decided)));

        // An option, and after a colon the way.
        TableOf("errors").Select(row => row.Split(" | ")[0].Trim('|', ' ', '`')).ShouldBe(
            problems.Select(p => p.Split(':', ',')[0]), ignoreOrder: true);
    }

    [Theory]
    [InlineData(nameof(FromMicrosoft.After), 6), InlineData(nameof(FromMicrosoft.Without), 6), InlineData(nameof(FromPolly.AfterOf7), 4)]
    [InlineData(nameof(FromPolly.AfterOf8), 6)]
    public async Task Code_of_the_page_repeats_as_it_says(string name, int requests)
    {
        var time = new ManualTimeProvider { SkipsWaits = true };
        var api = new FaultScript(time).Status(503);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Configuration["Partner:Resilience:Retry:MaxRetryAttempts"] = "1";
        Action<HostApplicationBuilder> register = name switch
        {
            nameof(FromMicrosoft.After) => FromMicrosoft.After,
            nameof(FromMicrosoft.Without) => FromMicrosoft.Without,
            nameof(FromPolly.AfterOf7) => FromPolly.AfterOf7,
            _ => FromPolly.AfterOf8,
        };
        register(builder);
        builder.Services.PostConfigureAll<HttpResilienceOptions>(o =>
            (o.CircuitBreaker.BreakDuration, o.TotalRequestTimeout.Timeout) = (null, TimeSpan.FromHours(1)));
        builder.Services.ConfigureHttpClientDefaults(all => all.ConfigurePrimaryHttpMessageHandler(() => api));
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        int status = await host.Services.GetRequiredService<OrderClient>().GetAsync();

        (status, api.RequestCount).ShouldBe((503, requests));
    }

    [Fact]
    public async Task Waits_of_the_policy_stay()
    {
        var time = new ManualTimeProvider { SkipsWaits = true };
        var api = new FaultScript(time).Status(503).Times(3).Status(200);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(time);
        FromPolly.AfterOf7(builder);
        builder.Services.ConfigureHttpClientDefaults(all => all.ConfigurePrimaryHttpMessageHandler(() => api));
        using var host = builder.Build();

        (await host.Services.GetRequiredService<OrderClient>().GetAsync()).ShouldBe(200);

        // 2, 4 and 8 seconds, as in the code before.
        api.Requests.Select(r => r.SentAfter.TotalSeconds).ShouldBe([0, 2, 6, 14]);
    }

    [Fact]
    public async Task The_table_of_Polly_7_says_which_statuses_its_policy_handles()
    {
        var repeated = await RepeatedAsync(_ => new PolicyHttpMessageHandler(
            HttpPolicyExtensions.HandleTransientHttpError().RetryAsync(1)));

        repeated.ShouldBe([408, .. Enumerable.Range(500, 100)]);
        Page.ShouldContain("`HandleTransientHttpError()`: 5xx, 408, `HttpRequestException`");
    }

    [Fact]
    public async Task The_table_of_Refit_says_which_statuses_its_handler_repeats()
    {
        int[] repeated = await RepeatedAsync(time => new HttpRetryHandler(new HttpRetryOptions { TimeProvider = time }));

        repeated.ShouldBe([408, 429, 500, 502, 503, 504]);
        Page.ShouldContain($"| {string.Join(", ", repeated)}, `HttpRequestException` |");
    }

    [Theory]
    [InlineData("GET", 4), InlineData("HEAD", 4), InlineData("OPTIONS", 4), InlineData("TRACE", 4)]
    [InlineData("POST", 1), InlineData("PUT", 1), InlineData("PATCH", 1), InlineData("DELETE", 1)]
    public async Task The_table_of_Refit_says_which_methods_its_handler_repeats(string method, int requests)
    {
        var time = new ManualTimeProvider { SkipsWaits = true };
        var api = new FaultScript(time).Status(503);
        using var client = new HttpClient(new HttpRetryHandler(new HttpRetryOptions { TimeProvider = time }) { InnerHandler = api });

        (await client.SendAsync(new(new(method), "https://api.example.com"), TestContext.Current.CancellationToken)).Dispose();

        api.RequestCount.ShouldBe(requests);
        Page.ShouldContain("| GET, HEAD, OPTIONS, TRACE; all methods with `RetryUnsafeMethods` |");
    }

    [Theory, InlineData(30, 2), InlineData(31, 1)]
    public async Task The_table_of_Refit_says_that_a_hint_above_MaxDelay_returns_the_response(int seconds, int requests)
    {
        var time = new ManualTimeProvider { SkipsWaits = true };
        var api = new FaultScript(time).Status(503, retryAfter: TimeSpan.FromSeconds(seconds)).Status(200);
        using var client = new HttpClient(new HttpRetryHandler(new HttpRetryOptions { TimeProvider = time }) { InnerHandler = api });

        (await client.GetAsync(new Uri("https://api.example.com"), TestContext.Current.CancellationToken)).Dispose();

        api.RequestCount.ShouldBe(requests);
    }

    /// <summary>The statuses after which a handler sends the request again.</summary>
    private static async Task<int[]> RepeatedAsync(Func<TimeProvider, DelegatingHandler> create)
    {
        List<int> repeated = [];
        for (int status = 200; status < 600; status++)
        {
            var time = new ManualTimeProvider { SkipsWaits = true };
            var api = new FaultScript(time).Status(status).Status(200);
            var handler = create(time);
            handler.InnerHandler = api;
            using var client = new HttpClient(handler);
            (await client.GetAsync(new Uri("https://api.example.com"), TestContext.Current.CancellationToken)).Dispose();
            if (api.RequestCount > 1)
                repeated.Add(status);
        }

        return [.. repeated];
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"^( *)// <([\w-]+)>\n(.*?)^ *// </\2>", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Snippet();

    private static IEnumerable<string> SnippetsIn(string file)
    {
        foreach (Match snippet in Snippet().Matches(File.ReadAllText(file).ReplaceLineEndings("\n")))
        {
            int indent = snippet.Groups[1].Length;
            yield return string.Concat(snippet.Groups[3].Value.TrimEnd('\n').Split('\n')
                .Select(l => (l.Length > indent ? l[indent..] : l) + '\n'));
        }
    }

    private static string[] TableOf(string name)
    {
        string table = Page.Split($"<!-- {name} -->\n")[1].Split($"<!-- /{name} -->")[0];
        return [.. table.Split('\n').Where(l => l.StartsWith('|')).Skip(2)];
    }

    private static IEnumerable<string> Defaults()
    {
        var microsoft = new HttpStandardResilienceOptions();
        var hedging = new HttpStandardHedgingResilienceOptions();
        var (retry, circuit, polly) = (new RetryStrategyOptions(), microsoft.CircuitBreaker, PollyDefaults.Circuit);
        var refit = new HttpRetryOptions();
        var ours = new HttpResilienceOptions();
        var switched = Switched(standard: true);
        var limit = microsoft.RateLimiter.DefaultRateLimiterOptions;
        var ofPolly = new RateLimiterStrategyOptions().DefaultRateLimiterOptions;

        return
        [
            Row("TotalRequestTimeout", Text(microsoft.TotalRequestTimeout.Timeout), "–", "–",
                Text(ours.TotalRequestTimeout.Timeout), Text(switched.TotalRequestTimeout.Timeout)),
            Row("AttemptTimeout", Text(microsoft.AttemptTimeout.Timeout), Text(PollyDefaults.Timeout.Timeout), "–",
                Text(ours.AttemptTimeout.Timeout), Text(switched.AttemptTimeout.Timeout)),
            Row("Retry:MaxRetryAttempts", microsoft.Retry.MaxRetryAttempts, retry.MaxRetryAttempts, refit.MaxRetries,
                ours.Retry.MaxRetryAttempts, switched.Retry.MaxRetryAttempts),
            Row("Retry:BackoffType", microsoft.Retry.BackoffType, retry.BackoffType, BackoffType.Exponential,
                ours.Retry.BackoffType, switched.Retry.BackoffType),
            Row("Retry:Delay", Text(microsoft.Retry.Delay), Text(retry.Delay), Text(refit.BaseDelay),
                Text(ours.Retry.Delay), Text(switched.Retry.Delay)),
            Row("Retry:MaxDelay", Text(microsoft.Retry.MaxDelay), Text(retry.MaxDelay), Text(refit.MaxDelay),
                Text(ours.Retry.MaxDelay), Text(switched.Retry.MaxDelay)),
            Row("Retry:UseJitter", microsoft.Retry.UseJitter, retry.UseJitter, refit.UseJitter,
                ours.Retry.UseJitter, switched.Retry.UseJitter),
            Row("Retry:ShouldRetryAfterHeader", microsoft.Retry.ShouldRetryAfterHeader, retry.DelayGenerator is not null,
                refit.DelayProvider is not null, ours.Retry.ShouldRetryAfterHeader, switched.Retry.ShouldRetryAfterHeader),
            Row("Retry:MaxRetryAfter", "–", "–", Text(refit.MaxDelay),
                Text(ours.Retry.MaxRetryAfter), Text(switched.Retry.MaxRetryAfter)),
            Row("POST is repeated", "yes", "yes", refit.RetryUnsafeMethods, ours.Retry.UnsafeMethods, switched.Retry.UnsafeMethods),
            Row("CircuitBreaker:FailureThreshold", "–", "–", "–",
                ours.CircuitBreaker.FailureThreshold, switched.CircuitBreaker.FailureThreshold),
            Row("CircuitBreaker:FailureRatio", circuit.FailureRatio, polly.FailureRatio, "–",
                ours.CircuitBreaker.FailureRatio, switched.CircuitBreaker.FailureRatio),
            Row("CircuitBreaker:MinimumThroughput", circuit.MinimumThroughput, polly.MinimumThroughput, "–",
                ours.CircuitBreaker.MinimumThroughput, switched.CircuitBreaker.MinimumThroughput),
            Row("CircuitBreaker:SamplingDuration", Text(circuit.SamplingDuration), Text(polly.SamplingDuration), "–",
                Text(ours.CircuitBreaker.SamplingDuration), Text(switched.CircuitBreaker.SamplingDuration)),
            Row("CircuitBreaker:BreakDuration", Text(circuit.BreakDuration), Text(polly.BreakDuration), "–",
                Text(ours.CircuitBreaker.BreakDuration), Text(switched.CircuitBreaker.BreakDuration)),
            Row("RateLimiter: PermitLimit", limit.PermitLimit, ofPolly.PermitLimit, "–",
                Limit(ours), Limit(switched)),
            Row("Hedging:Delay", Text(hedging.Hedging.Delay), Text(PollyDefaults.Hedging.Delay), "–",
                ours.Hedging.Delay is null ? "learned" : "", Text(Switched(standard: false).Hedging.Delay)),
            Row("Hedging:MaxHedgedAttempts", hedging.Hedging.MaxHedgedAttempts, PollyDefaults.Hedging.MaxHedgedAttempts, "–",
                ours.Hedging.MaxHedgedAttempts, Switched(standard: false).Hedging.MaxHedgedAttempts),
        ];
    }

    private static string Limit(HttpResilienceOptions options) =>
        options.RateLimiter?.DefaultRateLimiterOptions is { } limit ? $"{limit.PermitLimit}" : "none";

    /// <summary>The options of a client whose handler has the defaults of Microsoft, after the switch.</summary>
    private static HttpResilienceOptions Switched(bool standard)
    {
        var services = new ServiceCollection();
        var client = services.AddHttpClient("orders");
        _ = standard ? client.AddStandardResilienceHandler().UseHttpResilience() : client.AddStandardHedgingHandler().UseHttpResilience();
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptionsMonitor<HttpResilienceOptions>>().Get("orders");
    }

    private static string Row(string option, params object?[] values) =>
        $"| `{option}` | {string.Join(" | ", values.Select(Cell))} |";

    private static string Cell(object? value) => value switch
    {
        null => "none",
        true => "yes",
        false => "no",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => $"{value}",
    };

    private static string Text(TimeSpan? time) =>
        time is { } value ? string.Create(CultureInfo.InvariantCulture, $"{value.TotalSeconds:0.###} s") : "none";
}
