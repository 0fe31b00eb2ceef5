using System.Runtime.CompilerServices;

namespace HttpResilience.Tests.Conventions;

public sealed class PublicApiTests
{
    /// <summary>What users build on changes only when somebody says so here.</summary>
    [Theory, InlineData(typeof(HttpCall), "PublicApi.txt"), InlineData(typeof(FaultScript), "PublicApi.Testing.txt")]
    [InlineData(typeof(Alert), "PublicApi.Operations.txt")]
    [InlineData(typeof(SqliteStorageExtensions), "PublicApi.Sqlite.txt"), InlineData(typeof(PostgreSqlStorageExtensions), "PublicApi.PostgreSql.txt")]
    public void The_public_api_is_the_approved_one(Type typeInAssembly, string fileName)
    {
        string file = Path.Combine(AppContext.BaseDirectory, "Conventions", fileName);
        string approved = File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "";

        string received = PublicApi.Of(typeInAssembly.Assembly);

        if (received == approved)
            return;
        string receivedFile = Path.Combine(AppContext.BaseDirectory, Path.ChangeExtension(fileName, ".received.txt"));
        File.WriteAllText(receivedFile, received);
        string[] before = approved.Split('\n');
        string[] after = received.Split('\n');
        Assert.Fail($"""
            The public API of {typeInAssembly.Assembly.GetName().Name} has changed.
            Gone:
            {string.Join('\n', before.Except(after))}
            New:
            {string.Join('\n', after.Except(before))}

            When that is what you want, accept it:
            cp {receivedFile} {ApprovedInSource(fileName)}
            """);
    }

    private static string ApprovedInSource(string fileName, [CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, fileName);
}
