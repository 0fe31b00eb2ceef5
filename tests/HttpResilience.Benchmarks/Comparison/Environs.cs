using System.Globalization;
using System.Runtime.InteropServices;

namespace HttpResilience.Benchmarks;

/// <summary>Where a part was measured.</summary>
internal static class Environs
{
    internal static string Line() => string.Create(
        CultureInfo.InvariantCulture,
        $"{RuntimeInformation.FrameworkDescription}, {OS}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores.");

    private static string OS => OperatingSystem.IsLinux() ? "Linux" : RuntimeInformation.OSDescription;
}
