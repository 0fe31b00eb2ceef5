using System.Diagnostics;
using HttpResilience.Tests;

namespace HttpResilience.IntegrationTests.Tool;

/// <summary>How a run of the tool ended.</summary>
internal sealed record ToolRun(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Error}";
}

/// <summary>The tool as a program, in a directory of its own, without a terminal.</summary>
internal sealed class ToolProgram : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private static readonly string[] Inherited =
    [
        "HTTP_RESILIENCE_STORE", "HTTP_RESILIENCE_TOKEN", "DOTNET_ENVIRONMENT", "ASPNETCORE_ENVIRONMENT", "COLUMNS", "EDITOR", "VISUAL",
    ];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("http-resilience-tool-");

    /// <summary>The connection string or the file of the store; null for none.</summary>
    internal string? Store { get; init; }

    /// <summary>The columns of the output. Default: as it comes.</summary>
    internal int? Columns { get; init; }

    internal string? Editor { get; init; }

    internal string? Token { get; init; }

    /// <summary>Defines the command in a script.</summary>
    internal static string ForBash => $"http-resilience() {{ '{Host}' '{Assembly()}' \"$@\"; }}";

    internal string PathOf(string file) => Path.Combine(_directory.FullName, file);

    internal string Write(string file, string text)
    {
        File.WriteAllText(PathOf(file), text);
        return file;
    }

    internal Task<ToolRun> RunAsync(params string[] arguments) => StartAsync(Host, [Assembly(), .. arguments], "");

    internal Task<ToolRun> InBashAsync(string script) => StartAsync("bash", [PathOf(script)], "");

    /// <summary>Runs it on a terminal, where this is typed.</summary>
    internal Task<ToolRun> OnTerminalAsync(string typed, params string[] arguments) =>
        StartAsync("script", TerminalOf(arguments), typed + "\n");

    private static string[] TerminalOf(string[] arguments) =>
        ["-qec", string.Join(' ', ((string[])[Host, Assembly(), .. arguments]).Select(a => $"'{a}'")), "/dev/null"];

    /// <summary>
    /// Runs it on a terminal, where it is interrupted when it has printed one text, and answered when it has printed another.
    /// </summary>
    /// <returns>What it printed.</returns>
    internal async Task<string> InterruptAsync(string[] arguments, string until, string question, string answer)
    {
        var start = Start("script", TerminalOf(arguments));
        using var process = Process.Start(start)!;
        using var hang = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        hang.CancelAfter(Hang);
        try
        {
            var printed = new System.Text.StringBuilder();
            await ReadUntilAsync(until);
            await TypeAsync("\u0003");
            await ReadUntilAsync(question);
            await TypeAsync($"{answer}\n");
            printed.Append(await process.StandardOutput.ReadToEndAsync(hang.Token));
            await process.WaitForExitAsync(hang.Token);
            return printed.ToString();

            async Task ReadUntilAsync(string text)
            {
                char[] some = new char[1024];
                while (!printed.ToString().Contains(text, StringComparison.Ordinal))
                {
                    int read = await process.StandardOutput.ReadAsync(some, hang.Token);
                    read.ShouldBeGreaterThan(0, printed.ToString());
                    printed.Append(some, 0, read);
                }
            }

            async Task TypeAsync(string text)
            {
                await process.StandardInput.WriteAsync(text.AsMemory(), hang.Token);
                await process.StandardInput.FlushAsync(hang.Token);
            }
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>The run ends with this code.</summary>
    internal async Task<ToolRun> ExpectAsync(int exitCode, params string[] arguments)
    {
        var run = await RunAsync(arguments);
        run.ExitCode.ShouldBe(exitCode, run.ToString());
        return run;
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static string Host => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    // The output directory of the tool has the same configuration and framework as that of the tests.
    private static string Assembly()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(
            Repository.Root, "src", "HttpResilience.Tool", "bin", output.Parent!.Name, output.Name, "HttpResilience.Tool.dll");
    }

    private ProcessStartInfo Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = _directory.FullName,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in Inherited)
            start.Environment.Remove(name);
        if (Store is not null)
            start.Environment["HTTP_RESILIENCE_STORE"] = Store;
        if (Columns is { } columns)
            start.Environment["COLUMNS"] = $"{columns}";
        if (Token is not null)
            start.Environment["HTTP_RESILIENCE_TOKEN"] = Token;
        if (Editor is not null)
            start.Environment["EDITOR"] = Editor;
        return start;
    }

    private async Task<ToolRun> StartAsync(string program, IEnumerable<string> arguments, string input)
    {
        using var process = Process.Start(Start(program, arguments))!;
        using var hang = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        hang.CancelAfter(Hang);
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(hang.Token), process.StandardError.ReadToEndAsync(hang.Token));
            await process.StandardInput.WriteAsync(input.AsMemory(), hang.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(hang.Token);
            return new(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}
