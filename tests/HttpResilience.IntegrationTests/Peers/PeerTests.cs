using HttpResilience.IntegrationTests.Samples;
using HttpResilience.Peers;

namespace HttpResilience.IntegrationTests.Peers;

/// <summary>
/// The known misbehaviours of Microsoft.Extensions.Http.Resilience, on the real package and on the chain, over real sockets. Runs alone,
/// because one point measures the heap of the whole process.
/// </summary>
[Collection(nameof(Alone))]
public sealed class PeerTests
{
    // Microsoft's known behaviour is on record, but a busy machine may end a call of theirs by a timeout before the point is reached.
    private const int MicrosoftTries = 3;

    public static IEnumerable<ITheoryDataRow> All =>
        Points.All.Select((point, i) => new TheoryDataRow<int>(i) { TestDisplayName = $"{point.Number}: {point.Sentence}" });

    [Theory, MemberData(nameof(All))]
    public async Task Ours_is_right_and_the_behaviour_of_the_peer_is_known(int index)
    {
        var point = Points.All[index];

        var ours = await point.SeeAsync(Peer.Ours);
        var microsoft = await point.SeeAsync(Peer.Microsoft);
        for (int i = 1; i < MicrosoftTries && microsoft.Fact != point.Microsoft; i++)
            microsoft = await point.SeeAsync(Peer.Microsoft);

        TestContext.Current.TestOutputHelper!.WriteLine($"{point.Sentence} | {microsoft} | {ours}");
        ours.Fact.ShouldBe(point.Ours);
        microsoft.Fact.ShouldBe(point.Microsoft);
    }

    [Fact]
    public void The_page_has_the_row_of_each_point()
    {
        string page = File.ReadAllText(Path.Combine(SampleProgram.Repository, "docs", "compared.md"));

        PeerTable.RowsOf(page).ShouldBe(
            Points.All.Select(p => new[] { p.Number, p.Sentence, p.Microsoft, p.Ours }),
            "dotnet run -c Release --project tests/HttpResilience.Benchmarks -- points");
    }
}
