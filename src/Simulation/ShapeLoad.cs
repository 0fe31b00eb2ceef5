using System.Globalization;

namespace HttpResilience.Simulation;

/// <summary>Clients with state of their own that call one host at random times.</summary>
internal sealed record ShapeLoad(int Clients, int CallRate)
{
    internal static ShapeLoad Many { get; } = new(100, 10);

    internal static IReadOnlyList<ShapeLoad> All { get; } = [Many, new(1, 10), new(1, 1_000)];

    /// <summary>Requests per second when nothing fails.</summary>
    internal double Normal => Clients * CallRate;

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Clients} × {CallRate:N0}");
}
