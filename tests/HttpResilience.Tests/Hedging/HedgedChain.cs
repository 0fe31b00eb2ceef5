namespace HttpResilience.Tests.Hedging;

/// <summary>A client that hedges after half a second, on a clock that only the test moves.</summary>
internal static class HedgedChain
{
    public static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(500);

    public static Chain Create(
        Action<HttpResilienceOptions>? options = null, Action<Microsoft.Extensions.DependencyInjection.IHttpClientBuilder>? client = null)
    {
        var chain = new Chain(
            o =>
            {
                o.Hedging.Enabled = true;
                options?.Invoke(o);
            },
            client);
        chain.Clock.SkipsWaits = false;
        return chain;
    }

    /// <summary>Waits until so many requests are on their way and the chain waits for the hedging delay, and lets it pass.</summary>
    public static async Task PassDelayAsync(this Chain chain, int sent = 1)
    {
        await chain.SentAsync(sent);
        await chain.Clock.TimerDueInAsync(Delay);
        chain.Clock.Advance(Delay);
    }

    /// <summary>Ends when so many requests have reached the wire.</summary>
    public static Task SentAsync(this Chain chain, int count) => UntilAsync(() => chain.Server.Requests.Count >= count);

    /// <summary>Ends when the chain has heard that the host wants to be left alone.</summary>
    public static Task PausedAsync(this Chain chain) => UntilAsync(() => chain.State.Hosts.All.Any(h => h.Pause is not null));

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>The answer comes when the test gives it, and hears of no cancellation.</summary>
    public static Reply When(TaskCompletionSource<HttpResponseMessage> answer) => (_, _, _) => answer.Task;

    /// <summary>The answer comes when the test gives it, unless the request is cancelled before.</summary>
    public static Reply WhenNotCancelled(TaskCompletionSource<HttpResponseMessage> answer) =>
        (_, _, cancellationToken) => answer.Task.WaitAsync(cancellationToken);

    public static TaskCompletionSource<HttpResponseMessage> Answer() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static HttpResponseMessage Status(int status) => new((System.Net.HttpStatusCode)status);
}
