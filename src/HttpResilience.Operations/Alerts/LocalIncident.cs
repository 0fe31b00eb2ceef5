namespace HttpResilience.Operations;

/// <summary>What this process observes of an incident.</summary>
/// <param name="Key">Null when it observes nothing.</param>
/// <param name="Alert">The last alert that it would have sent alone; null for a consequence of another incident.</param>
/// <param name="IsOpen">A rule holds, or has held a moment ago.</param>
/// <param name="WantsReminder">A reminder is due by the evaluation of this process.</param>
/// <param name="CoolDown">The time between reminders.</param>
internal sealed record LocalIncident(IncidentKey? Key, Alert? Alert, bool IsOpen, bool WantsReminder, TimeSpan CoolDown)
{
    internal static LocalIncident None { get; } = new(null, null, IsOpen: false, WantsReminder: false, TimeSpan.Zero);

    /// <summary>After an evaluation.</summary>
    /// <param name="alert">The alert that this process would send alone; null when nothing is new.</param>
    internal LocalIncident After(IncidentKey key, Alert? alert, bool isOpen, TimeSpan coolDown) => !isOpen ? None : new(
        key, alert ?? Alert, IsOpen: true, WantsReminder || alert?.Phase is AlertPhase.Reminder,
        coolDown > TimeSpan.Zero ? coolDown : CoolDown);
}
