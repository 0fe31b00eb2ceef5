namespace HttpResilience;

/// <summary>Methods in the settings that are almost a registered one. A method of the API's own is valid.</summary>
internal static class MisspeltMethods
{
    internal static IEnumerable<string> In(HttpResilienceOptions options) =>
        In("Idempotency:Methods", options.Idempotency.Methods, options.Path)
            .Concat(In("DeadLetter:Methods", options.DeadLetter.Methods, options.Path))
            .Concat(In("Retry:Methods", options.Retry.Methods ?? [], options.Path))
            .Concat(In("Retry:IdempotentMethods", options.Retry.IdempotentMethods, options.Path));

    private static IEnumerable<string> In(string key, IEnumerable<string> methods, OptionPath path) => methods.Index()
        .Where(m => !HttpMethods.Names.Contains(m.Item, StringComparer.OrdinalIgnoreCase))
        .Select(m => (m.Index, m.Item, Similar: Spelling.Similar(m.Item, HttpMethods.Names)))
        .Where(m => m.Similar is not null)
        .Select(m => $"{path.Of(key)}:{m.Index} is {OptionPath.Show(m.Item)}, which is no registered HTTP method; did you mean "
            + $"{m.Similar}?");
}
