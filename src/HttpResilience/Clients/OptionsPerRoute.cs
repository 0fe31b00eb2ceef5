using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>Makes the options of the routes of a client.</summary>
internal static class OptionsPerRoute
{
    extension(HttpResilienceOptions options)
    {
        /// <summary>
        /// The options of each route, made on first use: those of the client as configuration and code have left them, and over them what
        /// Defaults, the client's section and code say of the route. Their problems are added to those of the client.
        /// </summary>
        internal IReadOnlyList<HttpResilienceOptions> InRoutes =>
            options.RoutesMade ??= options.OfClient is null ? Make(options) : [];
    }

    private static List<HttpResilienceOptions> Make(HttpResilienceOptions client)
    {
        List<HttpResilienceOptions> routes = [];
        foreach (var sections in client.RouteSections.ByRoute)
        {
            var route = client.ForRoute(sections.Last().Pattern);
            foreach (var (_, section, source, report) in sections)
                route.Bind(section, source, ReportFor(section, report));
            routes.Add(route);
        }

        foreach (var (text, configure) in client.Routes)
        {
            var path = client.Path.Below(nameof(client.Routes)).Below(text);
            if (!RoutePattern.TryParse(text, out var pattern))
                client.BindingProblems.Add(RoutesKey<HttpResilienceOptions>.ProblemOf(path.Of(null), text));
            else if (configure is null)
                client.BindingProblems.Add($"{path.Of(null)} is null; it must be a delegate that sets the options of the route.");
            else
                Configure(client, routes, pattern, configure);
        }

        return routes;
    }

    private static void Configure(
        HttpResilienceOptions client, List<HttpResilienceOptions> routes, RoutePattern pattern, Action<HttpResilienceOptions> configure)
    {
        var route = routes.Find(r => r.Pattern!.Identity == pattern.Identity);
        if (route is null)
            routes.Add(route = client.ForRoute(pattern));
        configure(route);
        foreach (var (key, value) in route.Differences)
        {
            if (ClientWideSettings.ReasonFor(key, value is null) is { } reason)
                client.BindingProblems.Add($"{route.Path.Of(key)} {reason}. Set {client.Path.Of(key)}.");
        }

        const string Nested = nameof(client.Routes);
        if (route.Routes.Count > 0)
            client.BindingProblems.Add($"{route.Path.Of(Nested)} {ClientWideSettings.ReasonFor(Nested, isNull: false)}.");
    }

    private static OptionReport ReportFor(IConfigurationSection section, OptionReport ofClient) => ofClient with
    {
        Root = section.Path,
        Remark = " In a pattern, write %3A for a colon.",
        Paths = () => HttpResilienceOptions.Keys.Paths.Where(path => ClientWideSettings.ReasonFor(path, isNull: true) is null),
        Refuses = (key, isNull) => ClientWideSettings.ReasonFor(key, isNull) is { } reason
            ? $"{section.Path}:{key} {reason}.{(key == nameof(HttpResilienceOptions.Routes) ? "" : $" Set {ofClient.Root}:{key}.")}" : null,
    };
}
