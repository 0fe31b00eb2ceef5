using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HttpResilience.Storage;

/// <summary>
/// The application that owns the rows of this process where several applications share a store: <c>Storage:Application</c>, by default
/// <see cref="IHostEnvironment.ApplicationName"/>, without a host the name of the entry assembly.
/// </summary>
/// <param name="name">Its name; compared exactly.</param>
public sealed class StorageApplication(string name)
{
    internal const string Key = "Application";

    /// <summary>Its name; compared exactly.</summary>
    public string Name => name;

    internal static StorageApplication Of(IServiceProvider services) =>
        new(
            services.GetService<IConfiguration>()?[$"{OptionPath.Storage}:{Key}"] is { Length: > 0 } configured ? configured
            : services.GetService<IHostEnvironment>()?.ApplicationName is { Length: > 0 } ofHost ? ofHost
            : Assembly.GetEntryAssembly()?.GetName().Name ?? "");
}
