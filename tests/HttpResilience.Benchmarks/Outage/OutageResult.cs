namespace HttpResilience.Simulation;

/// <summary>What the host saw, and what became of the calls.</summary>
internal sealed class OutageResult(OutageSimulation simulation)
{
    // Calls that began last may go on until their deadline.
    private readonly int[] _requests = new int[(int)simulation.Length.TotalSeconds + 120];
    private readonly List<(TimeSpan BeganAt, Task<bool> Succeeded)> _calls = [];

    /// <summary>Requests that came to the host in each second while calls were made.</summary>
    internal IReadOnlyList<int> LoadPerSecond => _requests[..(int)simulation.Length.TotalSeconds];

    internal int Calls => _calls.Count;

    /// <summary>Mean load during the outage, as a multiple of the normal one.</summary>
    internal double LoadInOutage => DuringOutage.Average() / simulation.NormalLoad;

    /// <summary>Load in the worst second of the outage, as a multiple of the normal one.</summary>
    internal double PeakInOutage => DuringOutage.Max() / simulation.NormalLoad;

    /// <summary>Load in the worst second after the outage, as a multiple of the normal one.</summary>
    internal double PeakAfterOutage => _requests[(int)simulation.OutageEnd.TotalSeconds..].Max() / simulation.NormalLoad;

    internal int RequestsInOutage => DuringOutage.Sum();

    /// <summary>Calls that began while the host was down and failed.</summary>
    internal int FailedInOutage => Failed(from: simulation.OutageFrom, to: simulation.OutageEnd);

    /// <summary>Calls that began when the host was well again and failed nevertheless.</summary>
    internal int FailedAfterOutage => Failed(from: simulation.OutageEnd, to: TimeSpan.MaxValue);

    internal int FailedBeforeOutage => Failed(from: TimeSpan.Zero, to: simulation.OutageFrom);

    private int[] DuringOutage => _requests[(int)simulation.OutageFrom.TotalSeconds..(int)simulation.OutageEnd.TotalSeconds];

    internal void CountRequest(TimeSpan at) => _requests[(int)at.TotalSeconds]++;

    internal void CountCall(TimeSpan beganAt, Task<bool> succeeded) => _calls.Add((beganAt, succeeded));

    // When the simulation is over every call has ended: what is not completed then is a fault of the simulation.
    private int Failed(TimeSpan from, TimeSpan to) => _calls.Count(c => c.BeganAt >= from && c.BeganAt < to
        && !(c.Succeeded.IsCompleted ? c.Succeeded.GetAwaiter().GetResult() : throw new InvalidOperationException("A call has not ended.")));
}
