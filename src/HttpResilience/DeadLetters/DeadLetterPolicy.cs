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

    internal bool AppliesTo(HttpMethod method) => _methods.Contains(method.Method);

    /// <param name="baseAddress">The base address of the client that would send it.</param>
    internal bool MayGoTo(Uri uri, Uri? baseAddress)
    {
        var authority = new HttpAuthority(uri);
        return (baseAddress is not null && new HttpAuthority(baseAddress).Equals(authority)) || _allowed.Contains(authority);
    }

    internal static DeadLetterPolicy? From(DeadLetterOptions options) => options.Enabled ? new(options) : null;
}
