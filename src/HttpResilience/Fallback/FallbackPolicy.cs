namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="FallbackOptions"/>.</summary>
internal sealed class FallbackPolicy(FallbackOptions options)
{
    internal TimeSpan StaleIfError { get; } = options.StaleIfError;

    internal int MaxBytes { get; } = options.MaxBytes;

    /// <summary>One response shall not push out all others.</summary>
    internal int MaxBodyBytes { get; } = Math.Min(ResponseCopy.MaxBodyBytes, options.MaxBytes / 4);

    internal bool CredentialsAreShared { get; } = options.CredentialsAreShared;

    internal static FallbackPolicy? From(FallbackOptions options) => options.Enabled ? new(options) : null;
}
