namespace HttpResilience;

/// <summary>
/// The recorded body of a call whose content can be written only once. Its record is the content of the request for as long as the call
/// lasts.
/// </summary>
internal static class RecordedBody
{
    private static readonly CallSlot<ReplayableContent> Body = new();

    extension(HttpCall call)
    {
        internal bool HasRecordedBody => call.Slots is not null && Body.Get(call) is not null;

        /// <summary>Replaces a content that can be written only once by its record.</summary>
        internal void RecordBody(HttpRequestMessage request, Client client, CancellationToken cancellationToken)
        {
            if (request.Content is not { } content || RequestBody.IsValue(content) || content is ReplayableContent)
                return;

            var retry = call.Policy.Retry;
            Body.Get(call)?.End();
            var recorded = new ReplayableContent(
                content, retry.MaxReplayBodyBytes, client.GetOrAdd(static () => new ReplayMemory()), retry.MaxReplayBytesInFlight,
                client.Time, call.Deadline, cancellationToken);
            Body.Set(call, recorded);
            request.Content = recorded;
        }

        /// <summary>Gives the request its own content back, and the memory of the record to the pool.</summary>
        internal void EndBody(HttpRequestMessage request)
        {
            if (call.Slots is null || Body.Get(call) is not { } recorded)
                return;

            recorded.End();
            if (request.Content == recorded)
                request.Content = recorded.Original;
        }
    }
}
