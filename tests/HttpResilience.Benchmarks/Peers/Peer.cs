using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Peers;

/// <summary>A package that makes the calls of an <see cref="HttpClient"/> resilient, with the same settings for each.</summary>
internal abstract class Peer
{
    internal static Peer Ours { get; } = new OurPeer();

    internal static Peer Microsoft { get; } = new MicrosoftPeer();

    internal static Peer Polly { get; } = new PollyPeer();

    internal static Peer Refit { get; } = new RefitPeer();

    /// <summary>In the order of the columns.</summary>
    internal static IReadOnlyList<Peer> All { get; } = [Microsoft, Polly, Refit, Ours];

    internal bool IsOurs => this == Ours;

    /// <summary>The package with its version.</summary>
    internal abstract string Name { get; }

    internal virtual bool Has(Feature feature) => true;

    /// <summary>Adds a client, or its handler once more.</summary>
    internal abstract IHttpClientBuilder AddTo(IServiceCollection services, PeerSettings settings);

    /// <summary>Adds a client whose settings come from configuration: its circuit opens after two failures.</summary>
    internal abstract IHttpClientBuilder AddTo(IServiceCollection services, IConfigurationRoot configuration);

    protected static string Versioned(string package, Type type) =>
        $"{package} {type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0]}";
}

/// <summary>Something that a point needs and that not every package has.</summary>
internal enum Feature
{
    Circuit,

    /// <summary>A timeout of its own, beside that of <see cref="HttpClient"/>.</summary>
    Timeout,

    /// <summary>Settings that come from configuration.</summary>
    Configuration,
}
