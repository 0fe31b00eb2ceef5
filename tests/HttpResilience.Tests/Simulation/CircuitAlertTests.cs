using System.Net;
using HttpResilience.Simulation;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Simulation;

/// <summary>A blip is no alarm: alerts, log and health of an outage, with the defaults and the default rules, in virtual time.</summary>
public sealed class CircuitAlertTests
{
    private static readonly TimeSpan OutageFrom = TimeSpan.FromSeconds(60);

    [Theory, InlineData(2, 10), InlineData(2, 20), InlineData(1, 15), InlineData(4, 20)]
    public void A_blip_is_no_alert_and_one_line_of_information(double seconds, int callsPerSecond)
    {
        var (failed, logs) = Run(seconds, callsPerSecond);

        failed.ShouldBe(0, string.Join('\n', logs.WithId(102).Select(e => e.Message)));
        logs.Entries.Where(e => e.Id.Id is 701 or 702 or 703).ShouldBeEmpty();
        var told = logs.Entries.Where(e => e.Level > LogLevel.Debug && e.Id.Id is > 300 and < 400).ToList();
        told.ShouldAllBe(e => e.Id.Id == 303 && e.Level == LogLevel.Information && Equals(e["Failed"], 0));
        told.Count.ShouldBe(logs.WithId(301).Count == 0 ? 0 : 1);
    }

    [Theory, InlineData(60, 10), InlineData(60, 100), InlineData(20, 20)]
    public void An_outage_is_one_alert_and_one_warning(double seconds, int callsPerSecond)
    {
        var (failed, logs) = Run(seconds, callsPerSecond);

        failed.ShouldBeGreaterThan(0);
        logs.WithId(701).Where(e => !Equals(e["Rule"], AlertRuleType.ErrorBudgetBurn)).ShouldHaveSingleItem();
        logs.Entries.Where(e => e.Level is LogLevel.Warning && e.Id.Id is > 300 and < 400).ShouldHaveSingleItem();
        logs.WithId(303).ShouldHaveSingleItem();
    }

    private static (int Failed, LogCollector Logs) Run(double seconds, int callsPerSecond)
    {
        var (time, logs) = (new VirtualTime(), new LogCollector());
        using var host = new SimulatedHost(time, _ =>
        {
            var since = time.Elapsed - OutageFrom;
            bool isDown = since >= TimeSpan.Zero && since < TimeSpan.FromSeconds(seconds);
            return new(isDown ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK, TimeSpan.FromMilliseconds(50));
        });
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(time).AddLogging(l => l.SetMinimumLevel(LogLevel.Trace).AddProvider(logs));
        services.AddHttpResilienceOperations();
        services.AddResilientHttpClient("api")
            .ConfigureHttpClient(c => c.Timeout = Timeout.InfiniteTimeSpan).SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(() => host);
        using var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("api");
        var watch = provider.GetRequiredService<AlertEvaluator>();
        watch.Begin();
        int failed = 0;
        for (int i = 0; i < 180 * callsPerSecond; i++)
            time.At(i * TimeSpan.FromSeconds(1.0 / callsPerSecond), () => _ = CallAsync());
        for (int i = 0; i < 180; i++)
            time.At(TimeSpan.FromSeconds(i), watch.LookAtList);

        time.Run(TimeSpan.FromSeconds(220));

        return (failed, logs);

        async Task CallAsync()
        {
            try
            {
                using var response = await client.GetAsync(new Uri("https://api.test/"), HttpCompletionOption.ResponseHeadersRead);
                failed += response.IsSuccessStatusCode ? 0 : 1;
            }
            catch (HttpRequestException)
            {
                failed++;
            }
        }
    }
}
