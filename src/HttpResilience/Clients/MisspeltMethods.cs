namespace HttpResilience;

/// <summary>Methods in the settings that are almost a registered one. A method of the API's own is valid.</summary>
internal static class MisspeltMethods
{
    internal static IEnumerable<string> In(HttpResilienceOptions options) =>
        In("Idempotency:Methods", options.Idempotency.Methods, options)
            .Concat(In("DeadLetter:Methods", options.DeadLetter.Methods, options))
            .Concat(In("Retry:Methods", options.Retry.Methods ?? [], options))
            .Concat(In("Retry:IdempotentMethods", options.Retry.IdempotentMethods, options));

    /// <summary>The problem of a method; null when it is registered, or is like none that is.</summary>
    internal static string? ProblemOf(string method) =>
        !HttpMethods.Names.Contains(method, StringComparer.OrdinalIgnoreCase)
            && Spelling.Similar(method, HttpMethods.Names) is { } similar
            ? $"is {OptionPath.Show(method)}, which is no registered HTTP method; did you mean {similar}?" : null;

    private static IEnumerable<string> In(string key, IEnumerable<string> methods, HttpResilienceOptions options) => methods.Index()
        .Select(m => (m.Index, Problem: ProblemOf(m.Item)))
        .Where(m => m.Problem is not null)
        .Select(m => $"{options.PathOf(key)}:{m.Index} {m.Problem}");
}
