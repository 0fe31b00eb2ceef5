namespace InvoiceSender;

/// <summary>The result of a run as counted at the server.</summary>
internal sealed record ServerReport
{
    public required int Stored { get; init; }

    /// <summary>Invoices that were sent but neither stored nor rejected as bad data.</summary>
    public required int Lost { get; init; }

    public required int Duplicated { get; init; }

    /// <summary>Invoices that failed for the client but are stored; sending them again without a key would duplicate them.</summary>
    public required int StoredButFailed { get; init; }

    public required int Requests { get; init; }
    public required int RequestsDuringOutage { get; init; }
    public required IReadOnlyDictionary<string, int> Faults { get; init; }

    public static ServerReport Create(FlakyApi server, IReadOnlyCollection<InvoiceOutcome> outcomes)
    {
        var stored = server.Stored;
        InvoiceOutcome[] notRejected = [.. outcomes.Where(outcome => outcome.Result is not InvoiceResult.BadData)];
        return new()
        {
            Stored = stored.Count,
            Lost = notRejected.Count(outcome => !stored.ContainsKey(outcome.Invoice.Id)),
            Duplicated = stored.Values.Count(times => times > 1),
            StoredButFailed = notRejected.Count(
                outcome => outcome.Result is InvoiceResult.Failed && stored.ContainsKey(outcome.Invoice.Id)),
            Requests = server.Requests,
            RequestsDuringOutage = server.RequestsDuringOutage,
            Faults = Enum.GetValues<Fault>().Where(fault => fault is not (Fault.None or Fault.ReceiverQuotaExceeded))
                .ToDictionary(Describe, fault => server.Faults.GetValueOrDefault(fault)),
        };
    }

    private static string Describe(Fault fault) => fault switch
    {
        Fault.Unavailable => "503",
        Fault.UnavailableWithRetryAfter => "503, Retry-After: seconds",
        Fault.RateLimitedForSeconds => "429, Retry-After: seconds",
        Fault.RateLimitedUntilDate => "429, Retry-After: date",
        Fault.InternalServerError => "500",
        Fault.CutBeforeProcessing => "cut before processing",
        Fault.CutAfterProcessing => "cut after processing",
        Fault.StallBeforeProcessing => "stalled before processing",
        Fault.StallAfterProcessing => "stalled after processing",
        _ => fault.ToString(),
    };
}
