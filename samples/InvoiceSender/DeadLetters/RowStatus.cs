using System.Globalization;
using HttpResilience;

namespace InvoiceSender;

/// <summary>The text of the status column.</summary>
internal static class RowStatus
{
    public const string NotSent = "not sent yet";

    /// <summary>The run was killed before it stored the receipt.</summary>
    public const string SentBeforeKill = "sent; run without --resume to get its id";

    private const string Sent = "sent, ";
    private const string Settled = "settled: ";

    public static string Of(Receipt receipt) => $"{Sent}id {receipt.Id}";

    /// <param name="letter">Null: not looked up, or not stored.</param>
    public static string Of(BatchFailure failure, DeadLetter? letter) => letter?.Status switch
    {
        null when failure.DeadLetterId is null => $"not sent: {failure.Error}",
        null when failure.FailureClass is FailureClass.Transient or FailureClass.RateLimited => "waiting for replay",
        null or DeadLetterStatus.RequiresReview => $"needs correction: {failure.Error}",
        DeadLetterStatus.Pending or DeadLetterStatus.InProgress =>
            string.Create(CultureInfo.InvariantCulture, $"waiting for replay, due {letter.DueAt.LocalDateTime:yyyy-MM-dd HH:mm}"),
        _ => Of(letter),
    };

    public static bool IsSettled(string status) =>
        status.StartsWith(Sent, StringComparison.Ordinal) || status.StartsWith(Settled, StringComparison.Ordinal);

    /// <param name="letter">A closed letter.</param>
    public static string Of(DeadLetter letter) => letter.Status is DeadLetterStatus.Replayed
        ? $"{Sent}as dead letter {letter.Id}"
        : $"{Settled}{letter.Resolution?.Action}, by {letter.Resolution?.By}";
}
