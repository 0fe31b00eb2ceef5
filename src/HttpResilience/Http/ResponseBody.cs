namespace HttpResilience;

/// <summary>The body of a response that an attempt got.</summary>
internal static class ResponseBody
{
    private static readonly Type Empty = new HttpResponseMessage().Content.GetType();
    private static Type? _lastOfPlatform;

    /// <summary>
    /// Whether the body may use the token that its request was sent with, as long as the response is open. The contents of the platform
    /// do not: they end with their connection or are values; only a stream content may have a stream of the application.
    /// </summary>
    internal static bool MayUseToken(HttpResponseMessage response)
    {
        var content = response.Content;
        var type = content.GetType();
        if (type == _lastOfPlatform)
            return false;
        if (type.Assembly != typeof(HttpContent).Assembly || content is StreamContent or MultipartContent || OperatingSystem.IsBrowser())
            return true;
        _lastOfPlatform = type;
        return false;
    }

    /// <summary>Whether a response or its content is the disposed object of the previous attempt.</summary>
    internal static bool IsShared(HttpResponseMessage response, HttpResponseMessage disposed) =>
        response == disposed || (response.Content is { } content && content.GetType() != Empty && content == disposed.Content);

    /// <summary>The exception for a shared response.</summary>
    internal static InvalidOperationException ReturnedTwice(HttpRequestMessage request) => new(
        $"The handler that answered {request.Method} {HttpAuthority.NameOf(request)} returned the same response object for two attempts; "
        + "the response to the first is disposed before the second is sent. A mock must create a new HttpResponseMessage and content "
        + "for each request.");

    /// <summary>Buffers a response body, so that a broken or stalled body fails its attempt.</summary>
    internal static async ValueTask ReadAsync(HttpResponseMessage response, long maxBytes, bool async, CancellationToken cancellationToken)
    {
        Task load = response.Content.LoadIntoBufferAsync(maxBytes, cancellationToken);
        if (async)
            await load.ConfigureAwait(false);
        else
            load.GetAwaiter().GetResult();
    }

    /// <summary>The head of a response that is closed, with an empty body.</summary>
    internal static HttpResponseMessage HeadOf(HttpResponseMessage closed)
    {
        var head = new HttpResponseMessage(closed.StatusCode)
        {
            ReasonPhrase = closed.ReasonPhrase,
            RequestMessage = closed.RequestMessage,
            Version = closed.Version,
        };
        foreach (var (name, values) in closed.Headers.NonValidated)
            head.Headers.TryAddWithoutValidation(name, values);
        return head;
    }
}
