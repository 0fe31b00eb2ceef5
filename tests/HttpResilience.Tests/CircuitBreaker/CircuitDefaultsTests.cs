using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>
/// The built-in defaults, as the documentation of <c>appsettings.json</c> states them, and what the policy makes of the options.
/// </summary>
public sealed class CircuitDefaultsTests
{
    [Fact]
    public void The_options_start_with_the_documented_defaults()
    {
        var options = new CircuitBreakerOptions();

        options.FailureThreshold.ShouldBe(5);
        options.FailureDuration.ShouldBe(TimeSpan.FromSeconds(1));
        options.FailureRatio.ShouldBe(0.9);
        options.MinimumThroughput.ShouldBe(100);
        options.SamplingDuration.ShouldBe(TimeSpan.FromSeconds(30));
        options.BreakDuration.ShouldBe(TimeSpan.FromSeconds(1));
        options.MaxBreakDuration.ShouldBe(TimeSpan.FromSeconds(10));
        options.MaxWait.ShouldBe(TimeSpan.FromSeconds(5));
        options.MaxWaiting.ShouldBe(100);
        options.Mode.ShouldBe(CircuitMode.Enforce);
        options.HalfOpenProbes.ShouldBe(1);
        options.SuccessThreshold.ShouldBe(1);
        options.MaxCircuits.ShouldBe(10_000);
    }

    [Theory]
    [InlineData("CHANGELOG.md", "MaxWait", true), InlineData("docs/circuits.md", "MaxWait", true)]
    [InlineData("docs/circuits.md", "FailureThreshold", false)]
    public void The_settings_on_the_pages_are_the_classic_circuit_and_the_defaults(string page, string firstKey, bool isClassic)
    {
        string settings = Regex.Match(Repository.Read(page), $$"""
            "CircuitBreaker": \{\s*"{{firstKey}}[^}]*\}
            """).Value;
        string document = $$$"""
            { "HttpResilience": { "Clients": { "api": { {{{settings}}} } } } }
            """;
        using var logs = new LogCollector();
        using var services = new ServiceCollection().AddLogging(l => l.AddProvider(logs))
            .AddSingleton<IConfiguration>(
                new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(document))).Build())
            .AddResilientHttpClient("api").Services.BuildServiceProvider();

        var policy = services.GetRequiredKeyedService<Client>("api").Policy.CircuitBreaker;

        var expected = new CircuitBreakerOptions();
        policy.ShouldBe(CircuitPolicy.From(isClassic ? expected.UseClassic() : expected, TimeProvider.System.TimestampFrequency));
        logs.Entries.ShouldNotContain(e => e.Level >= LogLevel.Warning);
    }

    [Fact]
    public void The_option_table_of_the_README_states_every_default()
    {
        string[][] rows =
        [
            .. Repository.Read("README.md").Split('\n').Where(line => line.StartsWith("| `CircuitBreaker:", StringComparison.Ordinal))
                .Select(line => line.Split('|')),
        ];
        string[] Cells(int column) => [.. rows.SelectMany(row => row[column].Split(',')).Select(cell => cell.Trim(' ', '`'))];
        var defaults = HttpResilienceOptions.Keys.ValuesOf(new())
            .Where(v => v.Path.StartsWith("CircuitBreaker:", StringComparison.Ordinal));

        Cells(1).Zip(Cells(2), (key, value) => $"{key.Split(':')[^1]}: {value}").ShouldBe(
            defaults.Select(v => $"{v.Path.Split(':')[1]}: {Show(v.Value)}"), ignoreOrder: true);

        static string Show(object? value) => value switch
        {
            null => "null",
            TimeSpan time => time.ToString(time.Milliseconds == 0 ? @"hh\:mm\:ss" : @"hh\:mm\:ss\.fff", null),
            _ => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value}"),
        };
    }

    [Fact]
    public void The_policy_takes_every_option_over_in_ticks_of_the_clock()
    {
        var options = new CircuitBreakerOptions
        {
            FailureThreshold = 2,
            FailureDuration = TimeSpan.FromSeconds(1.5),
            FailureRatio = 0.3,
            MinimumThroughput = 4,
            SamplingDuration = TimeSpan.FromSeconds(50),
            BreakDuration = TimeSpan.FromSeconds(6),
            MaxBreakDuration = TimeSpan.FromSeconds(7),
            MaxWait = TimeSpan.FromSeconds(8),
            MaxWaiting = 11,
            Mode = CircuitMode.Observe,
            HalfOpenProbes = 8,
            SuccessThreshold = 9,
            SlowCallDuration = TimeSpan.FromSeconds(3),
            SlowCallRatio = 0.4,
            Isolation = CircuitIsolation.Authority,
            MaxCircuits = 10,
        };

        CircuitPolicy.From(options, frequency: 1_000_000).ShouldBe(new CircuitPolicy
        {
            FailureThreshold = 2,
            FailureDuration = 1_500_000,
            FailureRatio = 0.3,
            MinimumThroughput = 4,
            SamplingDuration = TimeSpan.FromSeconds(50),
            BucketLength = 5_000_000,
            BreakDuration = 6_000_000,
            MaxBreakDuration = 7_000_000,
            MaxWait = 8_000_000,
            MaxWaiting = 11,
            OnlyObserves = true,
            ProbePatience = 1_000_000,
            SuccessStep = 1_000,
            HalfOpenProbes = 8,
            SuccessThreshold = 9,
            SlowCallDuration = 3_000_000,
            SlowCallRatio = 0.4,
            Isolation = CircuitIsolation.Authority,
        });
    }

    [Fact]
    public void Durations_are_converted_without_loss()
    {
        for (int milliseconds = 1; milliseconds < 10_000; milliseconds++)
        {
            var policy = CircuitPolicies.Of(o => o.BreakDuration = TimeSpan.FromMilliseconds(milliseconds));
            policy.BreakDuration.ShouldBe(milliseconds);
        }

        CircuitPolicy.From(new() { BreakDuration = TimeSpan.FromTicks(1) }, CircuitPolicies.Frequency)!.BreakDuration.ShouldBe(1);
        CircuitPolicy.From(
            new() { BreakDuration = TimeSpan.FromDays(1) }, frequency: 1_000_000_000)!.BreakDuration.ShouldBe(86_400_000_000_000);
    }

    [Fact]
    public void A_sampling_duration_finer_than_the_clock_still_has_ten_parts() =>
        CircuitPolicies.Of(o => o.SamplingDuration = TimeSpan.FromMilliseconds(5)).BucketLength.ShouldBe(1);

    [Fact]
    public void Without_a_break_or_without_a_rule_there_is_no_circuit()
    {
        CircuitPolicy.From(new() { BreakDuration = null }, CircuitPolicies.Frequency).ShouldBeNull();
        CircuitPolicy.From(new() { FailureThreshold = null, FailureRatio = null }, CircuitPolicies.Frequency).ShouldBeNull();
        CircuitPolicy.From(new() { FailureThreshold = null }, CircuitPolicies.Frequency).ShouldNotBeNull();
        CircuitPolicy.From(new() { FailureRatio = null }, CircuitPolicies.Frequency).ShouldNotBeNull();
    }
}
