namespace InvoiceSender;

/// <summary>The result of the command <c>send-letters</c>.</summary>
internal sealed record LetterRunReport
{
    public required string Store { get; init; }
    public bool Interrupted { get; init; }

    /// <summary>The letters that were sent, accepted or not.</summary>
    public required int Sent { get; init; }

    public required int Accepted { get; init; }

    /// <summary>The letters that are sent again later.</summary>
    public required int Waiting { get; init; }

    /// <summary>The letters that need a person.</summary>
    public required int Review { get; init; }

    /// <summary>Those that wait for another API.</summary>
    public required int Elsewhere { get; init; }

    /// <summary>The invoices in the sample's own API; null with --api.</summary>
    public IReadOnlyDictionary<(string Company, string Number), int>? Stored { get; init; }

    public bool IsClean => Accepted == Sent;
}
