namespace HttpResilience.IntegrationTests;

internal static class Eventually
{
    /// <summary>
    /// Polls until the condition holds and fails after a timeout; for conditions that depend on the clock or another process.
    /// </summary>
    internal static Task BeAsync(Func<bool> isSo) => BeAsync(() => Task.FromResult(isSo()));

    /// <inheritdoc cref="BeAsync(Func{bool})"/>
    internal static async Task BeAsync(Func<Task<bool>> isSo)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(ResilientClientUnderTest.Hang);
        while (!await isSo())
            await Task.Delay(10, limit.Token);
    }
}
