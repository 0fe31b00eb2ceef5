using System.Collections.ObjectModel;
using System.Text.Json;

namespace HttpResilience.Operations;

/// <summary>The row of an incident that the processes of an application share.</summary>
/// <param name="Version">The version that was read; 0 for a new row.</param>
/// <param name="Alert">The alert that was sent last, or is to be sent.</param>
/// <param name="Sender">The process that has the right to send it, or has sent it.</param>
/// <param name="SentAt">When it was sent; null while it is not.</param>
/// <param name="SeenBy">The processes that observe the problem.</param>
internal sealed record SharedIncident(
    string Key, long Version, Alert Alert, Guid Sender, DateTimeOffset LeaseUntil, DateTimeOffset? SentAt,
    IReadOnlyDictionary<Guid, DateTimeOffset> SeenBy)
{
    internal static readonly IReadOnlyDictionary<Guid, DateTimeOffset> NoSightings = ReadOnlyDictionary<Guid, DateTimeOffset>.Empty;

    /// <summary>Its end was not sent yet.</summary>
    internal bool IsOpen => Alert.Phase is not AlertPhase.Ended || SentAt is null;

    internal bool Is(Alert alert) => Alert.Id == alert.Id && Alert.Count == alert.Count;

    internal static SharedIncident Of(StorageIncident row)
    {
        var alert = Read(row.Alert);
        return new(
            row.Key, row.Version, alert ?? Unreadable, row.Sender, row.LeaseUntil, alert is null ? row.ChangedAt : row.SentAt, row.SeenBy);
    }

    internal StorageIncident Row(DateTimeOffset now) => new()
    {
        Key = Key,
        Version = Version,
        Alert = JsonSerializer.Serialize(Alert, AlertJson.Default.Alert),
        Sender = Sender,
        LeaseUntil = LeaseUntil,
        SentAt = SentAt,
        SeenBy = SeenBy,
        ChangedAt = now,
    };

    // The row may come from a newer version or a manual edit: as one that has ended, it is replaced by the next incident.
    private static Alert Unreadable { get; } = new()
    {
        Id = default,
        Rule = default,
        Rules = [],
        Phase = AlertPhase.Ended,
        Severity = default,
        Title = "",
        Detail = "",
        StartedAt = default,
        At = default,
        Count = 0,
    };

    /// <summary>The alert of a row; null when it cannot be read.</summary>
    internal static Alert? Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, AlertJson.Default.Alert);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            return null;
        }
    }
}
