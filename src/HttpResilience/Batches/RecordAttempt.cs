namespace HttpResilience;

/// <summary>One try to work on a record: what is said about its calls, and what calls it made.</summary>
internal sealed class RecordAttempt
{
    internal CallCollector Calls { get; } = new();

    /// <summary>Null when what the application says could not be had.</summary>
    internal HttpCallScopeOptions? Scope { get; set; }
}
