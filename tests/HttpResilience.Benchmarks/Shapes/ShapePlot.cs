namespace HttpResilience.Benchmarks;

internal static class ShapePlot
{
    internal static string Draw(int seed) => "";
}
