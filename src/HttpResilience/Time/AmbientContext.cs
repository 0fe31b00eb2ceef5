namespace HttpResilience;

/// <summary>
/// The context that flows from a caller into the work that it starts: a transaction, an activity, logging scopes, an HttpCallScope.
/// Work that continues after its first caller serves other callers too, so it starts without this context.
/// </summary>
internal static class AmbientContext
{
    /// <summary>Until the result is disposed, tasks, timers and threads start without the context of the caller.</summary>
    /// <example><code>using (AmbientContext.Suppress()) _work = Task.Run(WorkAsync);</code></example>
    internal static Suppression Suppress() => new(ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow());

    /// <param name="flow">Null when the caller has suppressed the flow itself.</param>
    internal readonly struct Suppression(AsyncFlowControl? flow) : IDisposable
    {
        public void Dispose() => flow?.Undo();
    }
}
