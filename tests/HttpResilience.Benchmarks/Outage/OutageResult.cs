namespace HttpResilience.Simulation;

/// <summary>The load at the host and the results of the calls.</summary>
internal sealed class OutageResult(OutageSimulation simulation)
{
    // The last calls may run until their deadline.
    private readonly int[] _requests = new int[(int)simulation.Length.TotalSeconds + 120];
    private readonly List<(TimeSpan BeganAt, Task<bool> Succeeded)> _calls = [];

    /// <summary>Requests received by the host in each second while calls were made.</summary>
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

    /// <summary>Calls that began after the outage and failed.</summary>
    internal int FailedAfterOutage => Failed(from: simulation.OutageEnd, to: TimeSpan.MaxValue);

    internal int FailedBeforeOutage => Failed(from: TimeSpan.Zero, to: simulation.OutageFrom);

    private int[] DuringOutage => _requests[(int)simulation.OutageFrom.TotalSeconds..(int)simulation.OutageEnd.TotalSeconds];

    internal void CountRequest(TimeSpan at) => _requests[(int)at.TotalSeconds]++;

    internal void CountCall(TimeSpan beganAt, Task<bool> succeeded) => _calls.Add((beganAt, succeeded));

    // Every call has ended when the simulation is over; an incomplete task is a defect of the simulation.
    private int Failed(TimeSpan from, TimeSpan to) => _calls.Count(c => c.BeganAt >= from && c.BeganAt < to
        && !(c.Succeeded.IsCompleted
            ? c.Succeeded.GetAwaiter().GetResult()
            : throw new InvalidOperationException("A call has not ended.")));
}
