using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Hedging;

public sealed class HedgingOptionsTests
{
    [Theory]
    [InlineData("Delay", "1.00:00:00.001", "a duration")]
    [InlineData("Delay", "-00:00:01", "a duration")]
    [InlineData("MaxHedgedAttempts", "0", "an integer from 1 to 10")]
    [InlineData("MaxHedgedAttempts", "11", "an integer from 1 to 10")]
    [InlineData("Enabled", "yes", "true or false")]
    public void A_value_out_of_range_is_reported_with_its_path(string key, string value, string expected)
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { [$"Hedging:{key}"] = value });

        var thrown = Should.Throw<OptionsValidationException>(() => chain.State);

        thrown.Failures.ShouldHaveSingleItem().ShouldStartWith($"HttpResilience:Clients:api:Hedging:{key} is '");
        thrown.Failures.Single().ShouldContain($"it must be {expected}");
    }

    [Fact]
    public void A_section_written_for_Microsofts_hedging_handler_binds()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?>
        {
            ["Hedging:Enabled"] = "true",
            ["Hedging:Delay"] = "00:00:02",
            ["Hedging:MaxHedgedAttempts"] = "10",
            ["Hedging:Name"] = "Standard-Hedging",
        });

        chain.State.Policy.Hedging.ShouldNotBeNull();
    }

    [Fact]
    public void The_defaults()
    {
        var options = new HttpResilienceOptions();

        (options.Hedging.Enabled, options.Hedging.Delay, options.Hedging.MaxHedgedAttempts).ShouldBe(
            (false, (TimeSpan?)null, 1));
        (options.Chaos.Enabled, options.Chaos.AllowInProduction, options.Chaos.InjectionRate, options.Chaos.Seed).ShouldBe(
            (false, false, 0.05, null));
        (options.Chaos.Latency.Duration, options.Chaos.Status.StatusCode).ShouldBe((TimeSpan.FromSeconds(5), 503));
    }
}
