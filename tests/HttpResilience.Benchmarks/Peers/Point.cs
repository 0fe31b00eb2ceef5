namespace HttpResilience.Peers;

/// <summary>One thing that a resilience handler must do right over real sockets.</summary>
/// <param name="Number">The number of the point, or the kind of fault it belongs to.</param>
/// <param name="Sentence">The right behaviour.</param>
/// <param name="Known">The known behaviour of each package, in the versions that the projects reference.</param>
/// <param name="SeenWith">Sends through a client of the peer and says what was seen.</param>
internal sealed record Point(string Number, string Sentence, Known Known, Func<Peer, Task<Seen>> SeenWith)
{
    /// <summary>A package without this feature is not asked.</summary>
    internal Feature? Needs { get; init; }

    internal Task<Seen> SeeAsync(Peer peer) => Needs is { } feature && !peer.Has(feature)
        ? Task.FromResult<Seen>($"no {feature.ToString().ToLowerInvariant()}") : SeenWith(peer);
}

/// <param name="Microsoft">Of Microsoft.Extensions.Http.Resilience.</param>
/// <param name="Polly">Of Polly alone.</param>
/// <param name="Refit">Of Refit's retry handler.</param>
/// <param name="Ours">The right result.</param>
internal sealed record Known(string Microsoft, string Polly, string Refit, string Ours)
{
    internal string Of(Peer peer) =>
        peer.IsOurs ? Ours : peer == Peer.Microsoft ? Microsoft : peer == Peer.Polly ? Polly : Refit;
}

/// <summary>The result of a point for one peer.</summary>
/// <param name="Fact">The same in every run.</param>
/// <param name="Measure">A number that differs from run to run or from machine to machine; null for none.</param>
internal readonly record struct Seen(string Fact, string? Measure = null)
{
    public static implicit operator Seen(string fact) => new(fact);

    public override string ToString() => Measure is null ? Fact : $"{Fact} ({Measure})";
}
