using System.Net;
using HttpResilience.Simulation;

namespace HttpResilience.Tests.Retry;

/// <summary>
/// A host that asks for a short pause again and again, and callers that make their next call when the last has been answered. Virtual time.
/// </summary>
public sealed class RenewedPauseTests
{
    private const int Callers = 20;

    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(30), Length = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(50), Latency = TimeSpan.FromMilliseconds(20);

    // Each second request is refused. Were every call to wait for a pause of its own and for all other callers to go first, one after
    // another, it would be 20 x 70 ms; and a call may be refused its four attempts.
    private static readonly TimeSpan Reasonable = TimeSpan.FromSeconds(4 * 1.4);

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void No_caller_waits_for_long_and_all_get_their_turn(int seed)
    {
        var time = new VirtualTime();
        int requests = 0;
        using var host = new SimulatedHost(time, _ => time.Elapsed < Busy && requests++ % 2 == 1
            ? new(HttpStatusCode.TooManyRequests, Latency, RetryAfter) : new(HttpStatusCode.OK, Latency));
        using var clients = new SimulatedClients(time, host);
        // A wait for the budget would hide that for the pause.
        var client = clients.WithChain(seed, o => o.Retry.Budget.MaxWait = null);
        var longest = TimeSpan.Zero;
        int[] calls = new int[Callers];
        for (int i = 0; i < Callers; i++)
        {
            int caller = i;
            time.At(TimeSpan.FromMilliseconds(i), () => _ = CallAsync(caller));
        }

        time.Run();

        string because = $"seed {seed}, calls {string.Join(' ', calls)}, longest {longest}";
        longest.ShouldBeLessThan(Reasonable, because);
        // Whom the host refuses how often is chance.
        calls.Min().ShouldBeGreaterThan((int)(calls.Average() / 2), because);

        async Task CallAsync(int caller)
        {
            while (time.Elapsed < Length)
            {
                var began = time.Elapsed;
                using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.example.com/v1/invoices/17");
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                longest = time.Elapsed - began > longest ? time.Elapsed - began : longest;
                // Those of the time in which nothing is refused would hide who was held back before.
                if (time.Elapsed < Busy)
                    calls[caller]++;
            }
        }
    }
}
