namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="IdempotencyOptions"/>.</summary>
internal sealed class IdempotencyPolicy(IdempotencyOptions options)
{
    /// <summary>The longest body of a stored response.</summary>
    internal const int MaxRememberedBodyBytes = 1024 * 1024;

    // An array: a linear search over a few methods is faster than hashing.
    private readonly HttpMethod[] _methods = [.. options.Methods.Select(m => new HttpMethod(m))];

    internal string HeaderName { get; } = options.HeaderName;

    internal KeySource KeySource { get; } = options.KeySource;

    internal TimeSpan? RememberFor { get; } = options.RememberFor;

    internal bool Quoted { get; } = options.Quoted;

    internal IEnumerable<string> Methods => _methods.Select(m => m.Method);

    internal bool AppliesTo(HttpMethod method)
    {
        foreach (var keyed in _methods)
        {
            if (keyed == method)
                return true;
        }

        return false;
    }

    internal static IdempotencyPolicy? From(IdempotencyOptions options) => options.Enabled ? new(options) : null;
}
