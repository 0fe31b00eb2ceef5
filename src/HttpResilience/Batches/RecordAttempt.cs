namespace HttpResilience;

/// <summary>One attempt to process a record: the scope of its calls, and the calls it made.</summary>
internal sealed class RecordAttempt
{
    internal CallCollector Calls { get; } = new();

    /// <summary>Null when the application failed to give it.</summary>
    internal HttpCallScopeOptions? Scope { get; set; }
}
