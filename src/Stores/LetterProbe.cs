using System.Security.Cryptography;

namespace HttpResilience;

/// <summary>
/// The letter that verifies that the store accepts letters. It is settled, and deleted by the transaction that adds it, so no other
/// process reads, claims or counts it.
/// </summary>
internal static class LetterProbe
{
    /// <summary>Below the 5 s that a health check waits.</summary>
    internal static readonly TimeSpan Timeout = TimeSpan.FromSeconds(4);

    private const string Client = "HttpResilience.Probe";
    private const int Bytes = 4096;

    internal static DeadLetter New(DateTimeOffset now) => new()
    {
        Id = Guid.CreateVersion7(now),
        ClientName = Client,
        Method = "POST",
        Uri = new("https://probe.invalid/"),
        FailureClass = FailureClass.Transient,
        StopReason = StopReason.Cancelled,
        FirstFailedAt = now,
        LastFailedAt = now,
        DueAt = now,
        Status = DeadLetterStatus.Resolved,
        Resolution = new("Probe", null, Client, now),
        // Random, because a database compresses the rest: the body needs the room that it would need as a letter.
        Body = RandomNumberGenerator.GetBytes(Bytes),
    };
}
