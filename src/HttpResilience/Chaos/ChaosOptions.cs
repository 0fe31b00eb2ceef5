using Microsoft.Extensions.Hosting;

namespace HttpResilience;

/// <summary>
/// Faults that are injected into attempts on purpose, to see in staging how the application handles them. Section <c>Chaos</c>. Latency,
/// faults and statuses are chosen at random, independently of each other.
/// </summary>
public sealed class ChaosOptions
{
    /// <summary>
    /// Whether anything is injected. Default false. In the Production environment <see cref="AllowInProduction"/> must be true as well.
    /// </summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// Must also be true in the Production environment, because real calls are affected; without it the host does not start. Default false.
    /// </summary>
    public bool AllowInProduction { get; set; }

    /// <summary>The share of attempts hit, for kinds without their own rate. 0 to 1; default 0.05.</summary>
    public double InjectionRate { get; set; } = 0.05;

    /// <summary>
    /// The random seed, so that a run can be repeated: the same seed hits the same attempts in a row. Null (another each time), or any
    /// integer; default null.
    /// </summary>
    public int? Seed { get; set; }

    /// <summary>Attempts that are held up before they are sent.</summary>
    public ChaosLatencyOptions Latency { get; } = new();

    /// <summary>Attempts that fail as if the connection had been cut.</summary>
    public ChaosFaultOptions Fault { get; } = new();

    /// <summary>Attempts that are answered with an error without being sent.</summary>
    public ChaosStatusOptions Status { get; } = new();

    internal static OptionKeys<ChaosOptions> Keys => new OptionKeys<ChaosOptions>()
        .Boolean(nameof(Enabled), o => o.Enabled, (o, v) => o.Enabled = v)
        .Boolean(nameof(AllowInProduction), o => o.AllowInProduction, (o, v) => o.AllowInProduction = v)
        .Number(nameof(InjectionRate), o => o.InjectionRate, (o, v) => o.InjectionRate = v, 0, 1)
        .OptionalInteger(nameof(Seed), o => o.Seed, (o, v) => o.Seed = v, int.MinValue, int.MaxValue)
        .Section(
            nameof(Latency), o => o.Latency, ChaosLatencyOptions.Keys, o => o.InjectionRate = 0, "Chaos:Latency:InjectionRate: 0")
        .Section(
            nameof(Fault), o => o.Fault, ChaosFaultOptions.Keys, o => o.InjectionRate = 0, "Chaos:Fault:InjectionRate: 0")
        .Section(
            nameof(Status), o => o.Status, ChaosStatusOptions.Keys, o => o.InjectionRate = 0, "Chaos:Status:InjectionRate: 0");

    /// <summary>
    /// The problem in this environment; null when there is none. A host without an environment is not treated as Production.
    /// </summary>
    /// <param name="path">The configuration path of the client's options.</param>
    internal static string? ProblemIn(IHostEnvironment? environment, HttpResilienceOptions options, OptionPath path)
    {
        if (options.Chaos is not { Enabled: true, AllowInProduction: false } || environment?.IsProduction() is not true)
            return null;

        var chaos = path.Below(nameof(HttpResilienceOptions.Chaos));
        return $"{chaos.Of(nameof(Enabled))} is 'True' in the {environment.EnvironmentName} environment, where it would hit real calls; "
            + $"set it to false, or, when that is what you want, {chaos.Of(nameof(AllowInProduction))} to true as well.";
    }
}

/// <summary>Attempts that are held up. Section <c>Chaos:Latency</c>.</summary>
public sealed class ChaosLatencyOptions
{
    /// <summary>The share of attempts hit. Null (as <c>Chaos:InjectionRate</c>), or 0 (none) to 1 (all); default null.</summary>
    public double? InjectionRate { get; set; }

    /// <summary>How long they are held up. 0 to 1 day; default 5 s.</summary>
    public TimeSpan Duration { get; set; } = TimeSpan.FromSeconds(5);

    internal static OptionKeys<ChaosLatencyOptions> Keys => new OptionKeys<ChaosLatencyOptions>()
        .OptionalNumber(nameof(InjectionRate), o => o.InjectionRate, (o, v) => o.InjectionRate = v, 0, 1)
        .Duration(nameof(Duration), o => o.Duration, (o, v) => o.Duration = v, TimeSpan.Zero, TimeSpan.FromDays(1));
}

/// <summary>Attempts that fail with an <see cref="HttpRequestException"/>. Section <c>Chaos:Fault</c>.</summary>
public sealed class ChaosFaultOptions
{
    /// <summary>The share of attempts hit. Null (as <c>Chaos:InjectionRate</c>), or 0 (none) to 1 (all); default null.</summary>
    public double? InjectionRate { get; set; }

    internal static OptionKeys<ChaosFaultOptions> Keys => new OptionKeys<ChaosFaultOptions>()
        .OptionalNumber(nameof(InjectionRate), o => o.InjectionRate, (o, v) => o.InjectionRate = v, 0, 1);
}

/// <summary>Attempts that are answered with an error. Section <c>Chaos:Status</c>.</summary>
public sealed class ChaosStatusOptions
{
    /// <summary>The share of attempts hit. Null (as <c>Chaos:InjectionRate</c>), or 0 (none) to 1 (all); default null.</summary>
    public double? InjectionRate { get; set; }

    /// <summary>The status of the answer. 400 to 599; default 503.</summary>
    public int StatusCode { get; set; } = 503;

    internal static OptionKeys<ChaosStatusOptions> Keys => new OptionKeys<ChaosStatusOptions>()
        .OptionalNumber(nameof(InjectionRate), o => o.InjectionRate, (o, v) => o.InjectionRate = v, 0, 1)
        .Integer(nameof(StatusCode), o => o.StatusCode, (o, v) => o.StatusCode = v, 400, 599);
}
