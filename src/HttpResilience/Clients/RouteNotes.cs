namespace HttpResilience;

/// <summary>What is odd but valid in the routes of a client; reported as warnings.</summary>
internal static class RouteNotes
{
    private const string Total = "TotalRequestTimeout:Timeout";
    private const string Attempt = "AttemptTimeout:Timeout";

    internal static IEnumerable<string> In(HttpResilienceOptions options) => options.InRoutes.SelectMany(OfRoute);

    internal static string Show(object? value) => value is null ? "null" : OptionPath.Show(value).Trim('\'');

    private static IEnumerable<string> OfRoute(HttpResilienceOptions route)
    {
        string path = route.Path.Of(null);
        if (route.Pattern!.Method is { } method)
        {
            string? registered = HttpMethods.Names.FirstOrDefault(m => m.Equals(method, StringComparison.OrdinalIgnoreCase));
            if (registered is not null && registered != method)
                yield return $"{path}: methods are written in upper case (RFC 9110 §9.1); read as {registered}";
            else if (MisspeltMethods.ProblemOf(method) is { } problem)
                yield return $"{path}: the method {problem}";
        }

        if (ProblemOfTotal(route) is { } total)
            yield return total;
        foreach (string note in IneffectiveSettings.In(route))
            yield return note;
        // Those of the client are in its own notes.
        foreach (string note in MisspeltMethods.In(route).Except(MisspeltMethods.In(route.OfClient!)))
            yield return note;
    }

    // Who gives a route more time may not know that one attempt still ends early.
    private static string? ProblemOfTotal(HttpResilienceOptions route)
    {
        var (total, attempt) = (route.TotalRequestTimeout.Timeout, route.AttemptTimeout.Timeout);
        bool isLonger = total is null || total > route.OfClient!.TotalRequestTimeout.Timeout;
        return isLonger && attempt is not null && !(attempt >= total)
            && route.SourceOf(Total, total) > OptionSource.BuiltIn && route.SourceOf(Attempt, attempt) == OptionSource.BuiltIn
            ? $"{route.Path.Of(Total)} is {OptionPath.Show(total)}, and one attempt still ends after {OptionPath.Show(attempt)}; to change "
                + $"or confirm that, set {route.Path.Of(Attempt)}"
            : null;
    }
}
