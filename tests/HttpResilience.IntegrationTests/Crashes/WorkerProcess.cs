using System.Collections.Concurrent;
using System.Diagnostics;
using HttpResilience.CrashWorker;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>A process of tests/HttpResilience.CrashWorker. It ends at the latest with this process, which closes its input.</summary>
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

    /// <summary>The lines written so far; complete after its end.</summary>
    internal IReadOnlyList<string> Lines => [.. _lines];

    /// <param name="heapMiB">The limit of its managed heap.</param>
    /// <param name="executable">The path of a worker of another version.</param>
    internal static WorkerProcess Start(WorkerSettings settings, int? heapMiB = null, string? executable = null)
    {
        var start = new ProcessStartInfo(executable ?? Executable, [settings.ToJson()])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // The process is too short-lived to benefit from profile-guided optimization.
            Environment = { ["DOTNET_TieredPGO"] = "0" },
        };
        if (heapMiB is { } limit)
            start.Environment["DOTNET_GCHeapHardLimit"] = $"{limit * 1024L * 1024:X}";
        return new(Process.Start(start)!);
    }

    internal void Tell(string line)
    {
        try
        {
            _process.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // The process has ended; the wait for its response reports that.
        }
    }

    /// <summary>Waits for a line.</summary>
    internal async Task UntilAsync(string line, TimeSpan? atMost = null)
    {
        long began = Stopwatch.GetTimestamp();
        while (!_lines.Contains(line))
        {
            if (_reading.IsCompleted && !_lines.Contains(line))
                Assert.Fail($"The worker ended without '{line}', after: {string.Join('\n', Lines.TakeLast(20))}\n{await _errors}");
            if (Stopwatch.GetElapsedTime(began) > (atMost ?? ResilientClientUnderTest.Hang))
                Assert.Fail($"The worker did not write '{line}', but: {string.Join('\n', Lines.TakeLast(20))}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until a line was written a number of times, or the timeout has passed.</summary>
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

    /// <summary>Sends a signal to the process.</summary>
    /// <param name="signal">Its name, such as <c>STOP</c>.</param>
    internal async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        kill.ExitCode.ShouldBe(0);
    }

    /// <summary>Kills the process with SIGKILL.</summary>
    internal async Task KillAsync()
    {
        _process.Kill();
        await EndedAsync();
    }

    /// <summary>Stops the process like a host.</summary>
    internal async Task StopAsync()
    {
        _process.StandardInput.Close();
        await EndedAsync();
        _process.ExitCode.ShouldBe(0, await _errors);
    }

    /// <summary>Waits for its end.</summary>
    internal async Task EndedAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(ResilientClientUnderTest.Hang);
        // Lines written before the end may still be in the pipe.
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
