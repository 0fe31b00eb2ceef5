using System.Globalization;

namespace InvoiceSender;

/// <summary>
/// Chooses the fault for a request as a pure function of the seed, the invoice number and how often the API has seen that invoice,
/// so the result does not depend on the order in which requests arrive.
/// </summary>
/// <param name="rejectsReceivers">True: some invoices are rejected on every attempt (<see cref="Fault.ReceiverQuotaExceeded"/>).</param>
internal sealed class FaultPlan(int seed, bool rejectsReceivers = false)
{
    private const int DeckSize = 40;

    // A rate limit affects consecutive requests, so these three faults stay together when the deck is shuffled.
    private static readonly Fault[] Burst = [Fault.RateLimitedForSeconds, Fault.RateLimitedUntilDate, Fault.UnavailableWithRetryAfter];

    private static readonly Fault[][] Faults =
    [
        Burst,
        [Fault.Unavailable],
        [Fault.InternalServerError],
        [Fault.CutBeforeProcessing],
        [Fault.CutAfterProcessing],
        [Fault.CutAfterProcessing],
        [Fault.StallBeforeProcessing],
        [Fault.StallAfterProcessing],
    ];

    /// <remarks>
    /// An invoice meets one fault besides the outage: both handlers make three retries by default, of which the outage may take two before
    /// a circuit opens, so no invoice can run out of attempts by chance.
    /// </remarks>
    public Fault this[string invoiceNumber, int timesSeen] =>
        First(invoiceNumber) is var first && (timesSeen == 0 || first is Fault.ReceiverQuotaExceeded) ? first : Fault.None;

    /// <summary>Consecutive invoice numbers share a shuffled deck that has every fault in it, so every seed produces every fault.</summary>
    private Fault First(string invoiceNumber)
    {
        var series = invoiceNumber.TrimEnd(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
        var number = ulong.TryParse(invoiceNumber.AsSpan(series.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var digits)
            ? digits
            : StableHash(invoiceNumber);

        var random = RandomFor(series, (int)(number / DeckSize % int.MaxValue));
        Fault[][] deck = [.. Faults, [rejectsReceivers ? Fault.ReceiverQuotaExceeded : Fault.None],
            .. Enumerable.Repeat<Fault[]>([Fault.None], DeckSize - Faults.Length - Burst.Length)];
        random.Shuffle(deck);
        return deck.SelectMany(card => card).ElementAt((int)(number % DeckSize));
    }

    private Random RandomFor(string text, int number) => new(unchecked((seed * 397) ^ (int)StableHash(text) ^ (number * 7919)));

    // FNV-1a, because string.GetHashCode differs between processes.
    private static uint StableHash(string text) =>
        text.Aggregate(2166136261u, (hash, character) => unchecked((hash ^ character) * 16777619u));
}
