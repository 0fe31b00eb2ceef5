using System.Reflection;

namespace HttpResilience.Operations;

/// <summary>The running version of the application and the one before it, so that new failures can be recognised.</summary>
/// <param name="version">Read on first use, after the validation at start has reported invalid configuration.</param>
internal sealed class Deployment(Lazy<string> version)
{
    private DeployedVersion? _this;
    private DeployedVersion? _before;

    internal string Version => version.Value;

    /// <summary>When this version first started; null when that is not known.</summary>
    internal DateTimeOffset? Since => Volatile.Read(ref _this)?.FirstSeenAt;

    /// <summary>The other version that started last; null when none is known.</summary>
    internal DeployedVersion? Before => Volatile.Read(ref _before);

    /// <summary>
    /// The configured version (<see cref="AlertOptions.DeploymentVersion"/>), else that of the program: its informational version, without
    /// the commit.
    /// </summary>
    internal static string VersionOf(string? given)
    {
        var program = Assembly.GetEntryAssembly();
        return !string.IsNullOrWhiteSpace(given) ? given.Trim()
            : Shorten(program?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion)
                ?? program?.GetName().Version?.ToString() ?? "unknown";
    }

    /// <summary>The part after the plus is the build, not the version (Semantic Versioning §10).</summary>
    internal static string? Shorten(string? version) => version?.Split('+')[0] is { Length: > 0 } shortened ? shortened : null;

    /// <summary>Takes over the stored versions.</summary>
    /// <param name="versions">All versions that have run, the latest start first.</param>
    internal void Learn(IReadOnlyList<DeployedVersion> versions)
    {
        Volatile.Write(ref _this, versions.FirstOrDefault(v => v.Version == Version));
        Volatile.Write(ref _before, versions.FirstOrDefault(v => v.Version != Version));
    }
}
