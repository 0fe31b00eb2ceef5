using System.Reflection;

namespace HttpResilience.Operations;

/// <summary>Which version of the application runs, and which ran before it, so that what is new can be told from what is not.</summary>
/// <param name="version">Read when it is first needed: the validation at start reports what is wrong with the configuration.</param>
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
    /// The version that the application gives itself (<see cref="AlertOptions.DeploymentVersion"/>), else that of the program: its
    /// informational version, without what names the commit.
    /// </summary>
    internal static string VersionOf(string? given)
    {
        var program = Assembly.GetEntryAssembly();
        return !string.IsNullOrWhiteSpace(given) ? given.Trim()
            : Shorten(program?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion)
                ?? program?.GetName().Version?.ToString() ?? "unknown";
    }

    /// <summary>What follows the plus is the build, not the version (Semantic Versioning §10).</summary>
    internal static string? Shorten(string? version) => version?.Split('+')[0] is { Length: > 0 } shortened ? shortened : null;

    /// <summary>Takes what the store knows.</summary>
    /// <param name="versions">All that have run, the one that started last first.</param>
    internal void Learn(IReadOnlyList<DeployedVersion> versions)
    {
        Volatile.Write(ref _this, versions.FirstOrDefault(v => v.Version == Version));
        Volatile.Write(ref _before, versions.FirstOrDefault(v => v.Version != Version));
    }
}
