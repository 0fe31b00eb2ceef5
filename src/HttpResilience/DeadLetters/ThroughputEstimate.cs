namespace HttpResilience;

/// <summary>The time that a host takes for a letter, and the number of letters to claim ahead for it.</summary>
/// <param name="Average">The moving average from the start of a call until its response, in timestamp ticks; 0 before the first.</param>
internal readonly record struct ThroughputEstimate(long Average)
{
    /// <summary>A claimed letter is unavailable to other workers, and its body takes memory.</summary>
    internal const int MaxAhead = 512;

    internal ThroughputEstimate With(long took) => new(Average == 0 ? Math.Max(1, took) : Math.Max(1, Average + (took - Average) / 4));

    /// <summary>The number of letters that are sent in half a second, and at least the number that is sent at once.</summary>
    /// <param name="places">The number that is sent at once.</param>
    /// <param name="frequency">Timestamp ticks per second.</param>
    internal int Ahead(int places, long frequency) => Average == 0 ? places
        : (int)Math.Clamp(places * (frequency / 2) / Average, places, Math.Max(places, MaxAhead));
}
