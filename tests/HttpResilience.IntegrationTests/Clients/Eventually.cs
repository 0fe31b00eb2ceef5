namespace HttpResilience.IntegrationTests;

internal static class Eventually
{
    /// <summary>Waits, for what only the clock or another process can bring about, until it is so; fails when it does not become so.</summary>
    internal static async Task BeAsync(Func<bool> isSo)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(ResilientClientUnderTest.Hang);
        while (!isSo())
            await Task.Delay(10, limit.Token);
    }
}
