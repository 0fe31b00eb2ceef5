using System.Text.Json;

namespace HttpResilience;

/// <summary>The report of a process as JSON. One of a newer version, or of a manual edit, hides no process.</summary>
/// <param name="UnderWay">How many calls are under way.</param>
/// <param name="Clients">The clients whose circuits reject calls.</param>
/// <param name="Circuits">The circuits.</param>
/// <param name="Others">How many circuits there are besides.</param>
internal sealed record StoredReport(int UnderWay, List<string>? Clients, List<StoredReport.Circuit?>? Circuits, int Others)
{
    private static readonly TimeSpan MaxOpenFor = TimeSpan.FromDays(365);

    internal static StoredReport Of(InstanceReport report) => new(
        report.CallsUnderWay, [.. report.Clients],
        [
            .. report.Circuits.Take(InstanceReport.MaxCircuits).Select(c => new Circuit(
                c.ClientName, c.Authority, c.Tenant, c.State.ToString(),
                c.Since is { } since ? StoredTime.Microseconds(since) : null, (long?)c.OpenFor?.TotalMilliseconds)),
        ], report.OtherCircuits + Math.Max(0, report.Circuits.Count - InstanceReport.MaxCircuits));

    /// <summary>The report; null when there is none, or it cannot be read.</summary>
    internal static InstanceReport? Read(string? json, Func<string, StoredReport?> parse)
    {
        if (json is null)
            return null;
        try
        {
            return parse(json)?.Known();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // A state that this version does not know is counted.
    private InstanceReport Known()
    {
        var circuits = Circuits ?? [];
        ReportedCircuit[] known =
            [.. circuits.Select(c => c?.Known()).OfType<ReportedCircuit>().Take(InstanceReport.MaxCircuits)];
        return new()
        {
            CallsUnderWay = Math.Max(0, UnderWay),
            Clients = [.. (Clients ?? []).OfType<string>()],
            Circuits = known,
            OtherCircuits = (int)Math.Min(int.MaxValue, Math.Max(0, Others) + (long)circuits.Count - known.Length),
        };
    }

    /// <summary>A circuit.</summary>
    internal sealed record Circuit(string? Client, string? Host, string? Tenant, string? State, long? Since, long? OpenMs)
    {
        internal ReportedCircuit? Known() => Client is not null && Host is not null && State is not null
            && StoredText.NamedOrNull<CircuitState>(State) is { } state
            ? new()
            {
                ClientName = Client,
                Authority = Host,
                Tenant = Tenant,
                State = state,
                Since = Since is { } since ? StoredTime.Nearest(since) : null,
                OpenFor = OpenMs is { } left
                    ? TimeSpan.FromMilliseconds(Math.Clamp(left, 0, (long)MaxOpenFor.TotalMilliseconds)) : null,
            }
            : null;
    }
}
