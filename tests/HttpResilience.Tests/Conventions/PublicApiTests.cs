using System.Runtime.CompilerServices;

namespace HttpResilience.Tests.Conventions;

public sealed class PublicApiTests
{
    /// <summary>What users build on changes only when somebody says so here.</summary>
    [Fact]
    public void The_public_api_is_the_approved_one()
    {
        string file = Path.Combine(AppContext.BaseDirectory, "Conventions", "PublicApi.txt");
        string approved = File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "";

        string received = PublicApi.Of(typeof(HttpCall).Assembly);

        if (received == approved)
            return;
        string receivedFile = Path.Combine(AppContext.BaseDirectory, "PublicApi.received.txt");
        File.WriteAllText(receivedFile, received);
        string[] before = approved.Split('\n');
        string[] after = received.Split('\n');
        Assert.Fail($"""
            The public API of HttpResilience has changed.
            Gone:
            {string.Join('\n', before.Except(after))}
            New:
            {string.Join('\n', after.Except(before))}

            When that is what you want, accept it:
            cp {receivedFile} {ApprovedInSource()}
            """);
    }

    private static string ApprovedInSource([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "PublicApi.txt");
}
