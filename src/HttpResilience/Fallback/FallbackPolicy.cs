namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="FallbackOptions"/>.</summary>
internal sealed class FallbackPolicy(FallbackOptions options)
{
    internal TimeSpan StaleIfError { get; } = options.StaleIfError;

    internal int MaxBytes { get; } = options.MaxBytes;

    /// <summary>A quarter of all at most, so that one response does not evict every other.</summary>
    internal int MaxBodyBytes { get; } = Math.Min(IdempotencyPolicy.MaxRememberedBodyBytes, options.MaxBytes / 4);

    internal bool CredentialsAreShared { get; } = options.CredentialsAreShared;

    internal static FallbackPolicy? From(FallbackOptions options) => options.Enabled ? new(options) : null;
}
