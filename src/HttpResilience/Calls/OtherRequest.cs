namespace HttpResilience;

/// <summary>What a request that a handler of the application sends on the way of a call is to that call.</summary>
internal enum OtherRequest
{
    /// <summary>For a purpose of its own, or without effect.</summary>
    None,

    /// <summary>It may be a copy that the handler has sent elsewhere. It is not, when the handler then sends the request itself.</summary>
    MayBeCopy,

    /// <summary>A copy of the request of the call: the same method, with the same content or path.</summary>
    Copy,
}

/// <summary>Tells copies of a request from requests for a purpose of their own.</summary>
internal static class OtherRequestKind
{
    internal static OtherRequest Of(HttpRequestMessage other, HttpRequestMessage request)
    {
        if (other.Method != request.Method)
            return OtherRequest.None;
        bool sharesContent = other.Content is not null && ReferenceEquals(other.Content, request.Content);
        if (sharesContent || PathOf(other) == PathOf(request))
            return OtherRequest.Copy;
        return request.Method.IsSafe ? OtherRequest.None : OtherRequest.MayBeCopy;
    }

    private static string? PathOf(HttpRequestMessage request) =>
        request.RequestUri is { IsAbsoluteUri: true } uri ? uri.AbsolutePath : request.RequestUri?.OriginalString;
}
