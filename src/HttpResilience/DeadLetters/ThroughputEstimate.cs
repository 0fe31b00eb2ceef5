namespace HttpResilience;

/// <summary>How long a host takes for a letter, and how many letters may therefore wait in hand for it.</summary>
/// <param name="Average">From its turn until its answer, in timestamp ticks, of the last few; 0 when none has been sent.</param>
internal readonly record struct ThroughputEstimate(long Average)
{
    /// <summary>A letter in hand is kept from other workers, and a body takes memory.</summary>
    internal const int MaxAhead = 256;

    internal ThroughputEstimate With(long took) => new(Average == 0 ? Math.Max(1, took) : Math.Max(1, Average + (took - Average) / 4));

    /// <summary>As many as are sent in half a second, and at least as many as are sent at once.</summary>
    /// <param name="places">How many are sent at once.</param>
    /// <param name="frequency">Timestamp ticks of a second.</param>
    internal int Ahead(int places, long frequency) => Average == 0 ? places : (int)Math.Clamp(places * (frequency / 2) / Average, places, Math.Max(places, MaxAhead));
}
