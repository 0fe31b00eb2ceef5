using System.Diagnostics.Metrics;

namespace HttpResilience;

/// <summary>The instruments of dead letters: their last count, how long they have been due, and the results of replays.</summary>
internal sealed class DeadLetterMeter : IDisposable
{
    private readonly Meter? _own;
    private readonly Counter<long> _replays;
    private readonly Counter<long> _lost;
    private readonly TimeProvider _time;
    private DeadLetterCounts? _counts;

    /// <param name="time">The clock of the container.</param>
    /// <param name="factory">Creates and disposes the meter. Null: this type creates and disposes it.</param>
    public DeadLetterMeter(TimeProvider time, IMeterFactory? factory = null)
    {
        _time = time;
        var meter = factory?.Create(ResilienceMeter.Name, TelemetryTags.Version)
            ?? (_own = new(ResilienceMeter.Name, TelemetryTags.Version));
        _replays = meter.CreateCounter<long>("http.client.resilience.replays", "{replay}", "Replays of dead letters by result.");
        _lost = meter.CreateCounter<long>("http.client.resilience.dead_letters.lost", "{letter}", "Dead letters that could not be stored.");
        meter.CreateObservableGauge("http.client.resilience.dead_letters", ObserveCounts, "{letter}", "Dead letters in the store.");
        meter.CreateObservableGauge(
            "http.client.resilience.dead_letter.lag", ObserveLag, "s", "Time since the oldest due dead letter became due.");
    }

    /// <summary>Records the last count of the replay worker.</summary>
    internal void Counted(DeadLetterCounts counts) => Volatile.Write(ref _counts, counts);

    internal void Replayed(DeadLetter letter)
    {
        if (!_replays.Enabled)
            return;
        var tags = TelemetryTags.Of(letter.ClientName, letter.Uri);
        tags.Add(TelemetryTags.DeadLetterStatus, NameOf(letter.Status));
        _replays.Add(1, tags);
    }

    internal void Lost(string clientName, Uri? uri)
    {
        if (_lost.Enabled)
            _lost.Add(1, TelemetryTags.Of(clientName, uri));
    }

    public void Dispose() => _own?.Dispose();

    private IEnumerable<Measurement<long>> ObserveCounts()
    {
        if (Volatile.Read(ref _counts) is not { } counts)
            yield break;
        foreach (var status in Enum.GetValues<DeadLetterStatus>())
            yield return new(counts[status], new KeyValuePair<string, object?>(TelemetryTags.DeadLetterStatus, NameOf(status)));
    }

    private IEnumerable<Measurement<double>> ObserveLag()
    {
        if (Volatile.Read(ref _counts) is not { } counts)
            yield break;
        var lag = _time.GetUtcNow() - counts.OldestDueAt ?? TimeSpan.Zero;
        yield return new(lag > TimeSpan.Zero ? lag.TotalSeconds : 0);
    }

    private static string NameOf(DeadLetterStatus status) => status switch
    {
        DeadLetterStatus.Pending => "pending",
        DeadLetterStatus.InProgress => "in_progress",
        DeadLetterStatus.RequiresReview => "requires_review",
        DeadLetterStatus.Replayed => "replayed",
        DeadLetterStatus.Resolved => "resolved",
        _ => "resubmitted",
    };
}
