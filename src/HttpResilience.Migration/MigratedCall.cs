using Polly;

namespace HttpResilience.Migration;

/// <summary>A call of a migrated client, for the delegates that its standard handler had.</summary>
/// <param name="context">The context of the call.</param>
/// <param name="outer">The call around it.</param>
internal sealed class MigratedCall(ResilienceContext context, MigratedCall? outer)
{
    private static readonly AsyncLocal<MigratedCall?> Ambient = new();

    private int _requests;

    internal static MigratedCall? Current => Ambient.Value;

    internal ResilienceContext Context => context;

    /// <summary>The timeout of the attempts that a delegate has given; null when none has.</summary>
    internal TimeSpan? AttemptTimeout { get; set; }

    /// <summary>The timeout of the call that a delegate has given; null when none has.</summary>
    internal TimeSpan? TotalTimeout { get; set; }

    internal static MigratedCall Begin(ResilienceContext context) => Ambient.Value = new(context, Ambient.Value);

    /// <summary>
    /// The context of the call that is under way, or else one of its own; not returned to its pool, because a delegate may outlive both.
    /// </summary>
    internal static ResilienceContext ContextOf(HttpRequestMessage? request)
    {
        if (Current is { } call)
            return call.Context;
        var context = ResilienceContextPool.Shared.Get();
        context.SetRequestMessage(request);
        return context;
    }

    internal void End() => Ambient.Value = outer;

    /// <summary>Counts a request that is sent.</summary>
    /// <returns>How many were sent before.</returns>
    internal int NextRequest() => Interlocked.Increment(ref _requests) - 1;
}
