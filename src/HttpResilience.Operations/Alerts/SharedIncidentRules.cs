using System.Globalization;

namespace HttpResilience.Operations;

/// <summary>
/// Decides what a process writes to the row of an incident that it shares with the other processes of the application, and whether it then
/// sends the alert in it. The process that writes first has the right to send. The right is a lease: if the process ends before the alert
/// is sent, another one takes it over. The incident ends when no live process observes it.
/// </summary>
internal static class SharedIncidentRules
{
    /// <summary>How long a process has the right to send an alert without renewing it.</summary>
    internal static readonly TimeSpan LeaseLength = TimeSpan.FromMinutes(1);

    /// <summary>
    /// An observation is refreshed every <see cref="RefreshInterval"/>; this long after the last one, the process has ended.
    /// </summary>
    internal static readonly TimeSpan SightingTimeout = TimeSpan.FromMinutes(1);

    internal static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(20);

    // The cause may be observed a moment later.
    private static readonly TimeSpan FollowDelay = TimeSpan.FromMinutes(1);

    // The processes observe a problem a few seconds apart, and so are their cool-downs.
    private const double CoolDownTolerance = 0.9;

    /// <param name="key">The incident.</param>
    /// <param name="shared">The row; null when there is none.</param>
    /// <param name="local">What this process observes.</param>
    /// <param name="self">This process.</param>
    /// <param name="isSending">This process is sending the alert of the row.</param>
    /// <param name="trustedSince">
    /// The time since which the store has answered this process: what the row says of other processes may be as old, because they could not
    /// write either.
    /// </param>
    internal static SharedStep Next(
        string key, SharedIncident? shared, LocalIncident local, Guid self, bool isSending, DateTimeOffset now, DateTimeOffset trustedSince)
    {
        if (shared is not { IsOpen: true })
            return local.Alert is { } begun ? SharedStep.Send(Begin(key, shared, begun, self, now), self, now) : default;
        var seen = Observed(shared, local, self, now);
        if (shared.SentAt is null)
            return Unsent(shared, seen, self, isSending, now, trustedSince);
        if (local.IsOpen)
        {
            return Reminder(shared.Alert, shared.SentAt.Value, local, now) is { } reminder
                ? SharedStep.Send(seen with { Alert = reminder }, self, now) : Changed(shared, seen);
        }

        bool othersObserve = seen.SeenBy.Values.Any(at => now - Later(at, trustedSince) < SightingTimeout);
        return othersObserve ? Changed(shared, seen)
            : SharedStep.Send(seen with { Alert = End(shared.Alert, now), SeenBy = SharedIncident.NoSightings }, self, now);
    }

    /// <summary>
    /// Whether an incident of this process is a consequence of one that other processes observe, and is notified with that one: a process
    /// has the failures of the others in its budgets before calls of its own have failed.
    /// </summary>
    /// <param name="begun">The alert of a topic that has causes.</param>
    /// <param name="causes">The incidents of those topics and the client.</param>
    internal static bool Follows(Alert begun, IEnumerable<SharedIncident> causes, DateTimeOffset now) =>
        now - begun.At < FollowDelay || causes.Any(cause => cause.IsOpen
            ? begun.Severity <= cause.Alert.Severity || now - cause.Alert.StartedAt < Incident.FollowTimeout
            : now - cause.SentAt < IncidentTracker.Aftermath);

    /// <summary>The end of an incident, by its last alert.</summary>
    internal static Alert End(Alert last, DateTimeOffset now)
    {
        var lasted = now - last.StartedAt;
        return last with
        {
            Phase = AlertPhase.Ended,
            At = now,
            Count = last.Count + 1,
            Detail = string.Create(CultureInfo.InvariantCulture,
                $"It is over after {Durations.Show(lasted > TimeSpan.Zero ? lasted : TimeSpan.Zero)}. "
                    + $"Rules that held: {string.Join(", ", last.Rules)}"),
        };
    }

    /// <summary>The next notification of an incident that another process may have begun.</summary>
    /// <returns>Null when none is due.</returns>
    internal static Alert? Reminder(Alert last, DateTimeOffset sentAt, LocalIncident local, DateTimeOffset now)
    {
        if (local.Alert is not { } alert)
            return null;
        bool isRaised = alert.Severity > last.Severity;
        return !isRaised && !(local.WantsReminder && now - sentAt >= local.CoolDown * CoolDownTolerance) ? null : alert with
        {
            Id = last.Id,
            Rule = last.Rule,
            Rules = [.. last.Rules.Union(alert.Rules)],
            Severity = isRaised ? alert.Severity : last.Severity,
            StartedAt = last.StartedAt,
            Phase = AlertPhase.Reminder,
            At = now,
            Count = last.Count + 1,
        };
    }

    private static SharedIncident Begin(string key, SharedIncident? before, Alert alert, Guid self, DateTimeOffset now) => new(
        key, before?.Version ?? 0, alert with
        {
            // The same incident may have been ended by another process, which could not know that it holds here.
            Id = before?.Alert.Id == alert.Id ? Guid.CreateVersion7(now) : alert.Id,
            Phase = AlertPhase.Started,
            Count = 1,
        }, Sender: self, LeaseUntil: now, SentAt: null, new Dictionary<Guid, DateTimeOffset> { [self] = now });

    // The alert is sent by the process that has the lease, or else by this one.
    private static SharedStep Unsent(
        SharedIncident shared, SharedIncident seen, Guid self, bool isSending, DateTimeOffset now, DateTimeOffset trustedSince)
    {
        if (shared.Sender != self)
            return Later(shared.LeaseUntil, trustedSince + LeaseLength) > now ? Changed(shared, seen) : SharedStep.Send(seen, self, now);
        if (!isSending)
            return SharedStep.Send(seen, self, now);
        return shared.LeaseUntil - now < LeaseLength - RefreshInterval ? new(seen with { LeaseUntil = now + LeaseLength }, Sends: false)
            : Changed(shared, seen);
    }

    private static SharedIncident Observed(SharedIncident shared, LocalIncident local, Guid self, DateTimeOffset now)
    {
        bool isKnown = shared.SeenBy.TryGetValue(self, out var at);
        if (local.IsOpen && shared.Alert.Phase is not AlertPhase.Ended)
        {
            return isKnown && now - at < RefreshInterval ? shared
                : shared with { SeenBy = new Dictionary<Guid, DateTimeOffset>(shared.SeenBy) { [self] = now } };
        }

        return !isKnown ? shared
            : shared with { SeenBy = shared.SeenBy.Where(s => s.Key != self).ToDictionary(s => s.Key, s => s.Value) };
    }

    private static SharedStep Changed(SharedIncident before, SharedIncident after) =>
        ReferenceEquals(before, after) ? default : new(after, Sends: false);

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}

/// <summary>What to do next.</summary>
/// <param name="Write">The row to write if it has not changed; null for nothing.</param>
/// <param name="Sends">Whether its alert is then sent.</param>
internal readonly record struct SharedStep(SharedIncident? Write, bool Sends)
{
    /// <summary>Takes the right to send the alert of the row.</summary>
    internal static SharedStep Send(SharedIncident row, Guid self, DateTimeOffset now) => new(
        row with { Sender = self, LeaseUntil = now + SharedIncidentRules.LeaseLength, SentAt = null }, Sends: true);
}
