using System.Globalization;
using System.Runtime.InteropServices;

namespace HttpResilience.Benchmarks;

/// <summary>Where a part was measured.</summary>
internal static class Environs
{
    internal static string Line()
    {
        string system = OperatingSystem.IsLinux() ? "Linux" : RuntimeInformation.OSDescription;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{RuntimeInformation.FrameworkDescription}, {system}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores.");
    }
}
