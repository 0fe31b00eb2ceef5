using Microsoft.Extensions.Http;

namespace HttpResilience;

/// <summary>
/// Handlers of Microsoft.Extensions.Http.Resilience and Microsoft.Extensions.Http.Polly, which repeat requests as the chain does. They are
/// known by name, as the core refers to neither package.
/// </summary>
internal static class PeerHandlers
{
    private const string MicrosoftPackage = "Microsoft.Extensions.Http.Resilience";
    private const string PollyPackage = "Microsoft.Extensions.Http.Polly";
    private const string MicrosoftHandler = $"{MicrosoftPackage}.ResilienceHandler";
    private const string PollyHandler = "Microsoft.Extensions.Http.PolicyHttpMessageHandler";

    /// <summary>Whether the process uses one of the packages.</summary>
    internal static bool AreInUse =>
        AppDomain.CurrentDomain.GetAssemblies().Any(a => a.GetName().Name is MicrosoftPackage or PollyPackage);

    internal static bool IsMicrosoftResilience(HttpMessageHandler handler) => Is(handler, MicrosoftHandler);

    /// <summary>Whether a handler of Microsoft.Extensions.Http.Resilience is among some, or inside the primary one.</summary>
    internal static bool HaveMicrosoftResilience(IEnumerable<HttpMessageHandler> handlers, HttpMessageHandler? primary) =>
        handlers.Concat(InsideOf(primary)).Any(IsMicrosoftResilience);

    /// <summary>Whether an action that configures a client belongs to Microsoft.Extensions.Http.Resilience.</summary>
    internal static bool IsMicrosoftAction(Action<HttpClient> action) =>
        action.Target?.GetType().Assembly.GetName().Name == MicrosoftPackage;

    /// <summary>The calls that may have put the handlers of the packages on a client; empty when there are none.</summary>
    internal static IReadOnlyList<string> CallsOf(HttpMessageHandlerBuilder builder)
    {
        HttpMessageHandler[] all = [.. builder.AdditionalHandlers, .. InsideOf(builder.PrimaryHandler)];
        List<string> calls = [];
        if (all.Any(IsMicrosoftResilience))
            calls.Add("AddResilienceHandler (AddStandardResilienceHandler, AddStandardHedgingHandler)");
        if (all.Any(h => Is(h, PollyHandler)))
            calls.Add("AddPolicyHandler (AddTransientHttpErrorPolicy)");
        return calls;
    }

    // A primary handler may itself consist of several.
    private static IEnumerable<HttpMessageHandler> InsideOf(HttpMessageHandler? handler)
    {
        for (; handler is not null; handler = (handler as DelegatingHandler)?.InnerHandler)
            yield return handler;
    }

    private static bool Is(HttpMessageHandler handler, string fullName)
    {
        for (var type = handler.GetType(); type is not null; type = type.BaseType)
        {
            if (type.FullName == fullName)
                return true;
        }

        return false;
    }
}
