namespace HttpResilience.Tests.Time;

public sealed class AmbientContextTests
{
    private static readonly AsyncLocal<string?> Local = new();

    [Fact]
    public async Task Nothing_flows_into_work_that_starts_without_it_and_the_caller_keeps_it()
    {
        Local.Value = "caller";
        Task<string?> without;

        using (AmbientContext.Suppress())
            without = Task.Run(() => Local.Value);

        (await without).ShouldBeNull();
        (await Task.Run(() => Local.Value)).ShouldBe("caller");
    }

    [Fact]
    public async Task A_caller_who_has_suppressed_the_flow_goes_on_without_it()
    {
        Local.Value = "caller";
        Task<string?> first, second;

        using (ExecutionContext.SuppressFlow())
        {
            using (AmbientContext.Suppress())
                first = Task.Run(() => Local.Value);
            second = Task.Run(() => Local.Value);
        }

        (await Task.WhenAll(first, second)).ShouldBe([null, null]);
    }

    [Fact]
    public async Task A_lease_is_renewed_outside_the_call_that_took_it()
    {
        var time = new ManualTimeProvider();
        var renewed = new TaskCompletionSource<string?>();
        Local.Value = "caller";

        await using var lease = new Lease(DateTimeOffset.MaxValue, TimeSpan.FromSeconds(10), time, () =>
        {
            renewed.TrySetResult(Local.Value);
            return Task.FromResult(true);
        }, _ => { });
        using (ExecutionContext.SuppressFlow())
            await Task.CompletedTask;
        time.Advance(TimeSpan.FromSeconds(10));

        (await renewed.Task).ShouldBeNull();
    }
}
