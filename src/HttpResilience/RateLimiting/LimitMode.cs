namespace HttpResilience;

/// <summary>What a limit does when it is reached.</summary>
public enum LimitMode
{
    /// <summary>It rejects, delays or stops.</summary>
    Enforce,

    /// <summary>
    /// It lets everything pass, and reports to log and metrics what it would have rejected, delayed or stopped: for trying settings on real
    /// calls.
    /// </summary>
    Observe,
}
