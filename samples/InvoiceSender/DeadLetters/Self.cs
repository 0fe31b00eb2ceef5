namespace InvoiceSender;

/// <summary>The command line of this program, for messages that suggest the next command.</summary>
internal static class Self
{
    public static string Command(string arguments, string store) =>
        $"{Program} {arguments}{(store == SenderCommand.DefaultStore ? "" : $" --store {Quote(store)}")}";

    private static string Program => Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) != "dotnet"
        ? FromHere(path)
        : $"dotnet {FromHere(Environment.GetCommandLineArgs()[0])}";

    private static string FromHere(string path)
    {
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        return Quote(relative.StartsWith("..", StringComparison.Ordinal) ? path
            : relative.Contains(Path.DirectorySeparatorChar) ? relative
            : Path.Combine(".", relative));
    }

    public static string Quote(string text) => text.Contains(' ') ? $"\"{text}\"" : text;
}
