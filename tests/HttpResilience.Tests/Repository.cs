namespace HttpResilience.Tests;

/// <summary>The files of the repository. By the place of the test's assembly, as the paths of a deterministic build lead nowhere.</summary>
internal static class Repository
{
    internal static string Root { get; } = FindRoot();

    internal static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static string FindRoot()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "HttpResilience.sln")))
            root = Path.GetDirectoryName(root)
                ?? throw new InvalidOperationException($"No HttpResilience.sln above {AppContext.BaseDirectory}");
        return root;
    }
}
