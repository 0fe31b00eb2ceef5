namespace HttpResilience;

/// <summary>The endpoints that a call has tried.</summary>
/// <param name="Method">The method of the request.</param>
/// <param name="Asked">The URI of the request, as the application gave it.</param>
/// <param name="BasePath">The path of the client's base address; null when it has none at the host of the URI.</param>
/// <param name="Uri">The one that it was sent to last.</param>
/// <param name="Last">The endpoint that it tried last; -1 for none.</param>
/// <param name="Tried">All of them, as bits.</param>
internal sealed record EndpointTries(HttpMethod Method, Uri Asked, string? BasePath, Uri Uri, int Last, int Tried)
{
    internal bool Has(int index) => (Tried & (1 << index)) != 0;
}

/// <summary>The part of a call that belongs to the endpoints of its API.</summary>
internal static class EndpointCall
{
    private static readonly CallSlot<EndpointTries> Tries = new();

    extension(HttpCall call)
    {
        /// <summary>Null when the call goes where its URI says.</summary>
        internal EndpointTries? EndpointTries
        {
            get => call.Slots is null ? null : Tries.Get(call);
            set => Tries.Set(call, value);
        }

        /// <summary>The URI that the application gave for one that was sent to an endpoint; any other URI as it is.</summary>
        internal Uri AskedFor(Uri sent)
        {
            if (call.EndpointTries is not { } tries)
                return sent;
            foreach (var endpoint in call.Policy.Endpoints!.All)
            {
                if (EndpointRules.UriAt(endpoint, tries.Asked, tries.BasePath) == sent)
                    return tries.Asked;
            }

            return sent;
        }

        /// <summary>Gives one of several parallel requests an endpoint of its own.</summary>
        internal void DetachEndpoint() => Tries.Detach(call);
    }
}
