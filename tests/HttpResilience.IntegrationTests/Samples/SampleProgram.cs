using System.Diagnostics;

namespace HttpResilience.IntegrationTests.Samples;

/// <summary>Runs the sample as a separate process in a temporary directory.</summary>
internal sealed class SampleProgram : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("invoice-sender-");

    internal string PathOf(string file) => Path.Combine(_directory.FullName, file);

    internal Task<Result> RunAsync(string arguments, params (string Name, string? Value)[] environment) =>
        RunAsync(arguments, Task.Delay(Timeout.Infinite), environment);

    /// <param name="kill">When it completes, the program is killed (SIGKILL).</param>
    internal async Task<Result> RunAsync(string arguments, Task kill, params (string Name, string? Value)[] environment)
    {
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", $"\"{Assembly()}\" {arguments}")
        {
            WorkingDirectory = _directory.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var hang = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        hang.CancelAfter(Hang);
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(hang.Token), process.StandardError.ReadToEndAsync(hang.Token));
            var exited = process.WaitForExitAsync(hang.Token);
            if (await Task.WhenAny(exited, kill) == kill)
                process.Kill();
            await exited;
            return new(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    public void Dispose() => _directory.Delete(recursive: true);

    internal static string Repository { get; } = FindRepository();

    // The sample's output directory has the same configuration and framework as that of the tests.
    private static string Assembly()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(Repository, "samples", "InvoiceSender", "bin", output.Parent!.Name, output.Name, "InvoiceSender.dll");
    }

    private static string FindRepository()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "HttpResilience.sln")))
            directory = Path.GetDirectoryName(directory);
        return directory ?? throw new InvalidOperationException($"No HttpResilience.sln above {AppContext.BaseDirectory}");
    }

    internal sealed record Result(int ExitCode, string Output, string Error);
}
