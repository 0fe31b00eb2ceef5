namespace HttpResilience;

/// <summary>
/// The body of a call whose content is a stream or can be written only once. The call owns it, as the content of the request, for as long
/// as it lasts.
/// </summary>
internal static class RecordedBody
{
    private static readonly CallSlot<OwnedContent> Body = new();

    extension(HttpCall call)
    {
        internal bool HasRecordedBody => call.Slots is not null && Body.Get(call) is ReplayableContent;

        /// <summary>Replaces a stream, and a content that can be written only once, by one that can be sent repeatedly.</summary>
        internal void RecordBody(HttpRequestMessage request, Client client, CancellationToken cancellationToken)
        {
            if (RequestBody.IsInMemory(request.Content) || request.Content is not { } content || content is OwnedContent)
                return;
            bool isSeekable = RequestBody.IsSeekable(content);
            if (!isSeekable && RequestBody.IsValue(content))
                return;

            var retry = call.Policy.Retry;
            Body.Get(call)?.End();
            OwnedContent owned = isSeekable ? new SeekableContent((StreamContent)content) : new ReplayableContent(
                content, retry.MaxReplayBodyBytes, client.GetOrAdd(static () => new ReplayMemory()), retry.MaxReplayBytesInFlight,
                client.Time, call.Deadline, cancellationToken);
            Body.Set(call, owned);
            request.Content = owned;
        }

        /// <summary>Gives the request its own content back, and the memory of the record to the pool.</summary>
        internal void EndBody(HttpRequestMessage request)
        {
            if (call.Slots is null || Body.Get(call) is not { } owned)
                return;

            owned.End();
            if (request.Content != owned)
                return;
            try
            {
                request.Content = owned.Original;
            }
            catch (ObjectDisposedException)
            {
                // The caller has disposed the request before the call ended.
            }
        }
    }
}
