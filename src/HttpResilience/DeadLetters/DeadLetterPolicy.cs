using System.Collections.Frozen;

namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="DeadLetterOptions"/>.</summary>
internal sealed class DeadLetterPolicy(DeadLetterOptions options)
{
    private readonly FrozenSet<string> _methods = options.Methods.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    private readonly FrozenSet<HttpAuthority> _allowed = options.AllowedAuthorities.Select(a => new HttpAuthority(new Uri(a)))
        .ToFrozenSet();

    internal int MaxReplays { get; } = options.MaxReplays;

    internal DeadLetterOptions.CancelledCalls KeepCancelled { get; } = options.KeepCancelled;

    internal int MaxBodyBytes { get; } = options.MaxBodyBytes;

    /// <summary>Whether letters are encrypted in the store: they may then hold what is otherwise left out.</summary>
    internal bool Protect { get; } = options.Protect;

    private readonly bool _retentionIsSet = options.RetentionIsSet;
    private readonly TimeSpan? _retention = options.Retention;

    /// <summary>The age at which settled letters are deleted; null to keep them.</summary>
    /// <param name="keepsByDefault">The store is from before letters were deleted.</param>
    internal TimeSpan? RetentionIn(bool keepsByDefault) => _retentionIsSet || !keepsByDefault ? _retention : null;

    internal bool AppliesTo(HttpMethod method) => _methods.Contains(method.Method);

    /// <param name="baseAddress">The base address of the client that would send it.</param>
    internal bool MayGoTo(Uri uri, Uri? baseAddress)
    {
        var authority = new HttpAuthority(uri);
        return (baseAddress is not null && new HttpAuthority(baseAddress).Equals(authority)) || _allowed.Contains(authority);
    }

    internal static DeadLetterPolicy? From(DeadLetterOptions options) => options.Enabled ? new(options) : null;
}
