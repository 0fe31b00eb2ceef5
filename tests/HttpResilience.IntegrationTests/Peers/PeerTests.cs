using HttpResilience.Benchmarks;
using HttpResilience.IntegrationTests.Samples;
using HttpResilience.Peers;

namespace HttpResilience.IntegrationTests.Peers;

/// <summary>
/// The known behaviour of other packages, and the right one of the chain, with the same faults over real sockets. Runs alone, because one
/// point measures the heap of the whole process.
/// </summary>
[Collection(nameof(Alone))]
public sealed class PeerTests
{
    // The behaviour of others is known, but a busy machine may end a call of theirs by a timeout before the point is reached.
    private const int TriesOfOthers = 3;

    public static IEnumerable<ITheoryDataRow> All =>
        Points.All.Select((point, i) => new TheoryDataRow<int>(i) { TestDisplayName = $"{point.Number}: {point.Sentence}" });

    [Theory, MemberData(nameof(All))]
    public async Task Ours_is_right_and_the_behaviour_of_the_others_is_known(int index)
    {
        var point = Points.All[index];

        foreach (var peer in Peer.All)
        {
            var seen = await point.SeeAsync(peer);
            for (int i = 1; i < TriesOfOthers && !peer.IsOurs && seen.Fact != point.Known.Of(peer); i++)
                seen = await point.SeeAsync(peer);
            TestContext.Current.TestOutputHelper!.WriteLine($"{point.Sentence} | {peer.Name} | {seen}");
            seen.Fact.ShouldBe(point.Known.Of(peer), peer.Name);
        }
    }

    [Fact]
    public void The_page_has_the_row_of_each_point_and_the_versions_of_the_packages()
    {
        var page = new MarkedPage(File.ReadAllText(Path.Combine(SampleProgram.Repository, "docs", "comparison.md")));

        PeerTable.RowsOf(page).ShouldBe(
            PeerTable.Known, "dotnet run -c Release --project tests/HttpResilience.Benchmarks -- comparison --only points");
    }
}
