namespace HttpResilience.Tests.Http;

/// <summary>A content as the chain sends it.</summary>
internal static class Recorded
{
    internal static HttpContent Of(HttpContent content, int maxBytes = 1024) =>
        content is ReplayableContent || RequestBody.IsValue(content) ? content : Always(content, maxBytes);

    internal static ReplayableContent Always(
        HttpContent content, int maxBytes = 1024, ReplayMemory? memory = null, long maxInFlight = long.MaxValue, TimeProvider? time = null,
        long deadline = long.MaxValue, CancellationToken? caller = null) =>
        new(content, maxBytes, memory ?? new(), maxInFlight, time ?? TimeProvider.System, deadline, caller ?? CancellationToken.None);
}
