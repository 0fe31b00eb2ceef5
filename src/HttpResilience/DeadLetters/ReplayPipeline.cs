using System.Runtime.CompilerServices;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// The second pipeline of a client, which replays its letters: the same handlers, limits, circuits and pauses, but its primary handler does
/// not follow redirects. The factory makes it from the configuration of the client, under a name of its own; handlers and filters know it
/// by the name of the client.
/// </summary>
internal sealed partial class ReplayPipeline(Client client, ILogger logger)
{
    internal const string LogCategory = Client.LogCategory;

    private const string Prefix = "HttpResilience.Replay:";

    // The primary handlers of the client's calls. A handler that both pipelines share is not changed, so it may still follow redirects.
    private static readonly ConditionalWeakTable<HttpMessageHandler, object> OfCalls = [];

    private bool _isLogged;
    private bool _isFallback;

    /// <summary>
    /// Replays go through a <see cref="ReplayCompletenessHandler"/>; not so with a factory of the application's own, which makes one
    /// pipeline.
    /// </summary>
    internal bool ChecksCompleteness => !Volatile.Read(ref _isFallback);

    internal static ReplayPipeline Of(Client client, IServiceProvider services) =>
        client.GetOrAdd(() => new ReplayPipeline(client, services.LoggerFor(client.Name, LogCategory)));

    /// <summary>Gives the builder the name of the client.</summary>
    /// <returns>Whether it builds the second pipeline.</returns>
    internal static bool TryRename(HttpMessageHandlerBuilder builder)
    {
        if (builder.Name?.StartsWith(Prefix, StringComparison.Ordinal) is not true)
            return false;
        builder.Name = builder.Name[Prefix.Length..];
        return true;
    }

    /// <summary>Marks the primary handler of the client's calls.</summary>
    internal static void Mark(HttpMessageHandler primary) => OfCalls.TryAdd(Innermost(primary), OfCalls);

    /// <summary>Creates a client that replays letters.</summary>
    internal HttpClient CreateClient(IHttpClientFactory clients)
    {
        try
        {
            if (clients is SendingClientFactory own)
                return own.CreateClient(client.HttpClientName, Prefix + client.HttpClientName);
            WarnOf(clients.GetType().Name);
        }
        catch (Exception e)
        {
            // A handler that is made once can be in one pipeline only.
            WarnOf(Redaction.Clean(e));
        }

        Volatile.Write(ref _isFallback, true);
        return clients.CreateClient(client.HttpClientName);
    }

    /// <summary>
    /// Switches off redirects in the primary handler of the second pipeline, as the replayer decides about them, and lets only complete
    /// requests through.
    /// </summary>
    internal void Complete(HttpMessageHandlerBuilder builder)
    {
        StopRedirects(builder);
        var check = new ReplayCompletenessHandler(client.Name);
        try
        {
            var outer = AroundSender(builder.PrimaryHandler);
            check.InnerHandler = outer?.InnerHandler ?? builder.PrimaryHandler;
            if (outer is null)
                builder.PrimaryHandler = check;
            else
                outer.InnerHandler = check;
        }
        catch (InvalidOperationException)
        {
            // A handler that both pipelines share has sent a request already, and cannot be changed.
            builder.PrimaryHandler = new ReplayCompletenessHandler(client.Name) { InnerHandler = builder.PrimaryHandler };
        }
    }

    private void StopRedirects(HttpMessageHandlerBuilder builder)
    {
        var sender = Innermost(builder.PrimaryHandler);
        if (TryStopRedirects(sender))
            return;

        WarnOf(sender.GetType().Name);
        if (builder.PrimaryHandler is DelegatingHandler { InnerHandler: { } primary } wire and ChainHandler)
            wire.InnerHandler = new RedirectDetector { InnerHandler = primary };
        else
            builder.PrimaryHandler = new RedirectDetector { InnerHandler = builder.PrimaryHandler };
    }

    /// <summary>The handler around the one that sends; null when there is none.</summary>
    private static DelegatingHandler? AroundSender(HttpMessageHandler handler)
    {
        DelegatingHandler? outer = null;
        for (; handler is DelegatingHandler { InnerHandler: { } inner } next; handler = inner)
            outer = next;
        return outer;
    }

    private static HttpMessageHandler Innermost(HttpMessageHandler handler)
    {
        while (handler is DelegatingHandler { InnerHandler: { } inner })
            handler = inner;
        return handler;
    }

    private static bool TryStopRedirects(HttpMessageHandler sender)
    {
        if (OperatingSystem.IsBrowser())
            return false;
        if (sender is SocketsHttpHandler { AllowAutoRedirect: false } or HttpClientHandler { AllowAutoRedirect: false })
            return true;
        if (OfCalls.TryGetValue(sender, out _))
            return false;

        try
        {
            if (sender is SocketsHttpHandler sockets)
                sockets.AllowAutoRedirect = false;
            else if (sender is HttpClientHandler http)
                http.AllowAutoRedirect = false;
            else
                return false;
            return true;
        }
        catch (InvalidOperationException)
        {
            // It has sent requests of others already.
            return false;
        }
    }

    private void WarnOf(string reason)
    {
        if (!Interlocked.Exchange(ref _isLogged, true))
            RedirectsAreFollowed(logger, client.Name, reason);
    }

    [LoggerMessage(421, LogLevel.Warning,
        "{ClientName}: replays of dead letters may follow redirects, to other hosts too ({Reason}); give the client a SocketsHttpHandler "
        + "or HttpClientHandler of its own as primary handler")]
    private static partial void RedirectsAreFollowed(ILogger logger, string clientName, string reason);
}
