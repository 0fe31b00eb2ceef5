using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;

namespace HttpResilience.Benchmarks;

/// <summary><c>allocations</c>: what an asynchronous GET allocates, by type, with a bare client and with the default chain.</summary>
internal static partial class AllocationCommand
{
    private const int Calls = 2_000_000;

    internal static int Run()
    {
        using var clients = new Clients(() => new Stub(suspends: true, HttpStatusCode.OK), new());
        Profile[] profiles =
        [
            Profile.Of(new(clients.Create(CostPeer.Bare), RequestKind.Get, inFlight: 1)),
            Profile.Of(new(clients.Create(CostPeer.Ours), RequestKind.Get, inFlight: 1)),
            Profile.Of(new(clients.Create(CostPeer.Ours), RequestKind.Get, inFlight: 100)),
        ];
        Console.WriteLine("| type, B per call | size | bare | ours | ours, 100 in flight |");
        Console.WriteLine("|---|--:|--:|--:|--:|");
        foreach (string type in profiles.SelectMany(p => p.Types.Keys).Distinct().OrderByDescending(t => profiles.Max(p => p.BytesOf(t))))
        {
            // What comes to less than a byte is none of the call's own: the thread also counts and waits for the compiler.
            if (profiles.Max(p => p.BytesOf(type)) >= 1)
                Line(type, Text($"{profiles.Max(p => p.SizeOf(type)):0}"), p => p.BytesOf(type));
        }

        Line("all", "", p => p.BytesPerCall);
        return 0;

        void Line(string name, string size, Func<Profile, double> bytes) =>
            Console.WriteLine(Text($"| {name} | {size} | {string.Join(" | ", profiles.Select(p => Text($"{bytes(p):0}")))} |"));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <param name="BytesPerCall">Measured exactly.</param>
    /// <param name="Types">The samples of the calls.</param>
    private sealed record Profile(double BytesPerCall, IReadOnlyDictionary<string, AllocationSampler.Allocated> Types)
    {
        private int Samples { get; } = Types.Values.Sum(t => t.Samples);

        internal double BytesOf(string type) => Types.TryGetValue(type, out var found) ? BytesPerCall * found.Samples / Samples : 0;

        internal double SizeOf(string type) => Types.TryGetValue(type, out var found) ? (double)found.Bytes / found.Samples : 0;

        internal static Profile Of(Load load)
        {
            load.Run(Calls / 20);
            using var sampler = new AllocationSampler { Thread = GetThreadId() };
            sampler.Begin();
            var cost = Cost.OfThread(Calls, () => load.Run(Calls));
            sampler.End();
            return new(cost.Bytes, sampler.Types);
        }

        private static long GetThreadId() => OperatingSystem.IsLinux() ? GetLinuxThreadId()
            : throw new PlatformNotSupportedException("The samples of the calls are found by their Linux thread.");
    }

    [DllImport("libc", EntryPoint = "gettid")]
    private static extern int GetLinuxThreadId();
}
