namespace HttpResilience.Peers;

/// <summary>One thing that a resilience handler must do right over real sockets.</summary>
/// <param name="Number">The number of the point, or the kind of fault it belongs to.</param>
/// <param name="Sentence">The right behaviour.</param>
/// <param name="Microsoft">The known behaviour of Microsoft.Extensions.Http.Resilience, in the version that the projects reference.</param>
/// <param name="Ours">The right result.</param>
/// <param name="SeeAsync">Sends through a client of the peer and says what was seen.</param>
internal sealed record Point(string Number, string Sentence, string Microsoft, string Ours, Func<Peer, Task<Seen>> SeeAsync);

/// <summary>The result of a point for one peer.</summary>
/// <param name="Fact">The same in every run.</param>
/// <param name="Measure">A number that differs from run to run or from machine to machine; null for none.</param>
internal readonly record struct Seen(string Fact, string? Measure = null)
{
    public static implicit operator Seen(string fact) => new(fact);

    public override string ToString() => Measure is null ? Fact : $"{Fact} ({Measure})";
}
