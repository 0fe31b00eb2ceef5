namespace HttpResilience;

/// <summary>
/// The handler of Microsoft.Extensions.ServiceDiscovery, which sends a request to one of the endpoints of a name. It is known by its own
/// name, as the core does not refer to the package.
/// </summary>
internal static class ServiceDiscovery
{
    private const string Resolver = "Microsoft.Extensions.ServiceDiscovery.Http.ResolvingHttpDelegatingHandler";

    internal static bool IsInside(DelegatingHandler outer)
    {
        for (var handler = outer.InnerHandler; handler is DelegatingHandler inner; handler = inner.InnerHandler)
        {
            if (inner.GetType().FullName == Resolver)
                return true;
        }

        return false;
    }
}
