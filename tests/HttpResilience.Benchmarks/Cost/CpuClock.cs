using System.Diagnostics;
using System.Runtime.InteropServices;

namespace HttpResilience.Benchmarks;

/// <summary>The CPU time of this thread in nanoseconds, in which other work does not count. On other systems than Linux: time.</summary>
internal static partial class CpuClock
{
    private const int ThreadCpuTime = 3;

    internal static long Now => OperatingSystem.IsLinux() ? OfThread() : Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency);

    private static long OfThread()
    {
        var time = default(TimeSpec);
        return GetTime(ThreadCpuTime, ref time) == 0
            ? time.Seconds * 1_000_000_000 + time.Nanoseconds
            : throw new InvalidOperationException("The system has no clock of the CPU time of a thread.");
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    private static extern int GetTime(int clock, ref TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        internal nint Seconds;
        internal nint Nanoseconds;
    }
}
