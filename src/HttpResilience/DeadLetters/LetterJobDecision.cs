using System.Buffers.Binary;

namespace HttpResilience;

/// <summary>What a job does next: its progress in, the number of letters to take or its end out.</summary>
/// <param name="Take">How many letters to make due now; 0 for none.</param>
/// <param name="State">The state from now on.</param>
/// <param name="StopReason">Why it stops; null when it does not.</param>
internal readonly record struct LetterJobDecision(int Take, LetterJobState State, string? StopReason = null)
{
    /// <summary>Letters are made due for this time only, so that the rest stays as it is when the job is stopped.</summary>
    internal static readonly TimeSpan Ahead = TimeSpan.FromSeconds(10);

    /// <summary>How many of the letters that were sent last decide whether it goes on.</summary>
    internal const int Judged = 20;

    // A commit of more would hold up those of other letters.
    private const int AtOnce = 200;

    /// <param name="isExhausted">There is no further letter.</param>
    internal static LetterJobDecision Of(LetterJob job, LetterJobProgress progress, bool isExhausted)
    {
        int refused = progress.Recent.Count(accepted => !accepted);
        if (job.Request is { Action: LetterJobAction.Replay, StopRatio: { } ratio } && refused > ratio * Judged)
            return new(0, LetterJobState.Stopped, $"{refused} of the last {progress.Recent.Count} letters were not accepted");
        int left = job.Request.MaxLetters is { } max ? max - job.Taken : int.MaxValue;
        if (isExhausted || left <= 0)
            return new(0, progress.Waiting == 0 ? LetterJobState.Completed : LetterJobState.Running);
        int room = job.Request.Action is not LetterJobAction.Replay ? AtOnce
            : (int)Math.Max(0, Math.Max(1, Math.Ceiling(job.Request.PerSecond * Ahead.TotalSeconds)) - progress.Waiting);
        return new(Math.Min(Math.Min(room, left), AtOnce), LetterJobState.Running);
    }

    /// <summary>
    /// The letter may have been processed, and neither its method nor a key that the API still knows keeps it from being processed twice.
    /// </summary>
    internal static bool IsUncertain(DeadLetter letter) => letter.MayHaveBeenProcessed && !IsRepeatable(letter.Method)
        && (letter.IdempotencyKey is null || letter.StopReason is HttpResilience.StopReason.KeyExpired);

    /// <summary>Idempotent methods of HTTP, whose names are case-sensitive (RFC 9110 §9.1).</summary>
    internal static bool IsRepeatable(string method) => method is "GET" or "HEAD" or "OPTIONS" or "TRACE" or "PUT" or "DELETE";

    /// <summary>The next greater id.</summary>
    internal static Guid After(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt128BigEndian(bytes, BinaryPrimitives.ReadUInt128BigEndian(bytes) + 1);
        return new(bytes, bigEndian: true);
    }
}
