namespace HttpResilience;

/// <summary>
/// Sends the attempts of a client's calls to the endpoints of its API; <see cref="EndpointRules"/> decides about their order.
/// </summary>
internal sealed class EndpointRouting(Client client)
{
    // The fractional parts of its multiples are spread as evenly as can be: after any number of calls each endpoint has its share.
    private const double GoldenRatio = 0.6180339887498949;

    private uint _calls;

    internal static EndpointRouting Of(Client client) => client.GetOrAdd(() => new EndpointRouting(client));

    /// <summary>Begins a call to the API; a call to any other host goes where its URI says.</summary>
    /// <returns>Whether it goes to one of the endpoints.</returns>
    internal bool Begin(HttpCall call, HttpMethod method, Uri? asked)
    {
        if (call.Policy.Endpoints is not { } policy || asked is null || !HttpAuthority.IsHttp(asked))
            return false;
        var authority = new HttpAuthority(asked);
        if ((BasePathAt(authority, call.Policy) ?? policy.PathAt(authority)) is not { } basePath)
            return false;
        call.EndpointTries = new(method, asked, basePath, asked, Last: -1, Tried: 0);
        return true;
    }

    /// <summary>
    /// Chooses the endpoint of an attempt: the first one that is available, else the one that will be first. The call has its host then,
    /// and the tickets of a host that is available.
    /// </summary>
    /// <param name="admit">Takes the tickets of the call's host; false when a circuit holds the attempt back.</param>
    /// <returns>Whether it does not know the key of the attempt before.</returns>
    internal bool Choose(HttpCall call, bool isIdempotent, long now, Func<HttpCall, long, bool> admit)
    {
        var (policy, tries) = (call.Policy.Endpoints!, call.EndpointTries!);
        bool stays = tries.Last >= 0 && !EndpointRules.MayMove(policy, isIdempotent, call.MayHaveBeenProcessed);
        int index = stays ? tries.Last : Available(policy, call, tries, now, admit);
        if (stays)
            FindHost(call, tries, policy.All[index]);
        Send(call, tries, index);
        return !policy.SharesKeys && tries.Last >= 0 && tries.Last != index;
    }

    /// <summary>Chooses an endpoint that the call has not tried, for a request beside others, if there is one that is available.</summary>
    /// <param name="branch">The request's own view of the call.</param>
    internal void ChooseBeside(HttpCall call, HttpCall branch, long now, Func<HttpCall, long, bool> admit)
    {
        var (policy, tries) = (call.Policy.Endpoints!, call.EndpointTries!);
        branch.DetachEndpoint();
        int index = Available(policy, branch, tries, now, admit);
        if (tries.Has(index))
            return;
        Send(branch, tries, index);
        call.EndpointTries = tries with { Tried = branch.EndpointTries!.Tried };
    }

    /// <summary>Whether the call may go on at another endpoint now.</summary>
    /// <param name="mayHaveBeenProcessed">An attempt of it, this or an earlier one, may have been processed.</param>
    /// <param name="untried">Only at one that it has not tried.</param>
    internal bool HasOther(HttpCall call, bool isIdempotent, bool mayHaveBeenProcessed, bool untried, long now)
    {
        if (call.EndpointTries is not { Last: >= 0 } tries || call.Policy.Endpoints is not { } policy
            || !EndpointRules.MayMove(policy, isIdempotent, mayHaveBeenProcessed))
            return false;
        for (int index = 0; index < policy.All.Length; index++)
        {
            bool isOther = untried ? !tries.Has(index) : index != tries.Last;
            if (isOther && client.Hosts.AvailableAt(call, policy.All[index].Authority, now) <= now)
                return true;
        }

        return false;
    }

    /// <summary>Takes over the endpoint of the request beside others whose result is that of the attempt.</summary>
    internal static void Join(HttpCall call, HttpCall branch)
    {
        if (branch.EndpointTries is { } chosen)
            call.EndpointTries = chosen with { Tried = call.EndpointTries!.Tried };
    }

    private static void Send(HttpCall call, EndpointTries tries, int index)
    {
        var endpoint = call.Policy.Endpoints!.All[index];
        call.EndpointTries = tries with
        {
            Uri = EndpointRules.UriAt(endpoint, tries.Asked, tries.BasePath),
            Last = index,
            Tried = tries.Tried | (1 << index),
        };
        call.Endpoint = endpoint.Uri;
    }

    private int Available(EndpointsPolicy policy, HttpCall call, EndpointTries tries, long now, Func<HttpCall, long, bool> admit)
    {
        Span<int> order = stackalloc int[policy.All.Length];
        double position = policy.Mode is EndpointMode.Weighted ? Interlocked.Increment(ref _calls) * GoldenRatio % 1 : 0;
        EndpointRules.Order(policy, tries.Tried, tries.Last, position, order);
        var (soonest, at) = (order[0], long.MaxValue);
        foreach (int index in order)
        {
            long available = client.Hosts.AvailableAt(call, policy.All[index].Authority, now);
            if (available <= now)
            {
                FindHost(call, tries, policy.All[index]);
                if (admit(call, now))
                    return index;
            }

            if (available < at)
                (soonest, at) = (index, available);
        }

        FindHost(call, tries, policy.All[soonest]);
        return soonest;
    }

    private void FindHost(HttpCall call, EndpointTries tries, Endpoint endpoint) =>
        client.Hosts.FindFor(call, tries.Method, EndpointRules.UriAt(endpoint, tries.Asked, tries.BasePath));

    // Null for a host that is not the client's.
    private string? BasePathAt(HttpAuthority authority, ResiliencePolicy policy) =>
        policy.BaseAddress is { } own && new HttpAuthority(own).Equals(authority)
            ? own.AbsolutePath : BaseAddresses.Of(client).PathAt(authority);
}
