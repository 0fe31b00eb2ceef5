using System.Collections.Concurrent;
using System.Diagnostics;
using HttpResilience.CrashWorker;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>A process of tests/HttpResilience.CrashWorker. It ends with this one at the latest: then its input ends.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private static readonly string Executable = Path.Combine(
        AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "HttpResilience.CrashWorker.exe" : "HttpResilience.CrashWorker");

    private readonly ConcurrentQueue<string> _lines = new();
    private readonly Process _process;
    private readonly Task _reading;
    private readonly Task<string> _errors;

    private WorkerProcess(Process process)
    {
        _process = process;
        _reading = ReadAsync();
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>What it has said; after its end, all that it has said.</summary>
    internal IReadOnlyList<string> Lines => [.. _lines];

    internal static WorkerProcess Start(WorkerSettings settings) => new(Process.Start(new ProcessStartInfo(Executable, [settings.ToJson()])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        // It lives too short for anything better to be compiled.
        Environment = { ["DOTNET_TieredPGO"] = "0" },
    })!);

    internal void Tell(string line)
    {
        try
        {
            _process.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has gone: whoever waits for its answer is told so.
        }
    }

    /// <summary>Waits until it has said so.</summary>
    internal async Task UntilAsync(string line, TimeSpan? atMost = null)
    {
        long began = Stopwatch.GetTimestamp();
        while (!_lines.Contains(line))
        {
            if (_reading.IsCompleted && !_lines.Contains(line))
                Assert.Fail($"The worker has ended without '{line}', after: {string.Join('\n', Lines.TakeLast(20))}\n{await _errors}");
            if (Stopwatch.GetElapsedTime(began) > (atMost ?? ResilientClientUnderTest.Hang))
                Assert.Fail($"The worker does not come to '{line}', but only to: {string.Join('\n', Lines.TakeLast(20))}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until it has said something so often, but not longer than that.</summary>
    internal async Task<bool> HasSaidAsync(string begin, int times, TimeSpan atMost)
    {
        long began = Stopwatch.GetTimestamp();
        while (_lines.Count(l => l.StartsWith(begin, StringComparison.Ordinal)) < times)
        {
            if (_reading.IsCompleted || Stopwatch.GetElapsedTime(began) > atMost)
                return false;
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        return true;
    }

    /// <summary>Ends it in the middle of whatever it does, with SIGKILL.</summary>
    internal async Task KillAsync()
    {
        _process.Kill();
        await EndedAsync();
    }

    /// <summary>Ends it as a host ends.</summary>
    internal async Task StopAsync()
    {
        _process.StandardInput.Close();
        await EndedAsync();
        _process.ExitCode.ShouldBe(0, await _errors);
    }

    private async Task EndedAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(ResilientClientUnderTest.Hang);
        // What it said before the end still lies in the pipe.
        await _reading.WaitAsync(ResilientClientUnderTest.Hang);
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
            _lines.Enqueue(line);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }
}
