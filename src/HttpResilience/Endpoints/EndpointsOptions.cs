namespace HttpResilience;

/// <summary>
/// The endpoints of an API that has several, such as one for each region. Section <c>Endpoints</c>. Each has a circuit, a pause and a limit
/// of its own; an attempt after a failure goes to another one without a wait, and so does a hedged request.
/// </summary>
/// <remarks>
/// The application, its log and its dead letters keep the URI that it asked for: its scheme, host and port, and the path of
/// <c>BaseAddress</c>, are those of the endpoint while an attempt is sent. Only requests to the client's base address or to one of the
/// endpoints are sent to an endpoint; a request to any other host goes where its URI says.
/// </remarks>
public sealed class EndpointsOptions
{
    internal const int MaxUris = 30;

    /// <summary>How a call finds its endpoint. Default <see cref="EndpointMode.Ordered"/>.</summary>
    public EndpointMode Mode { get; set; }

    /// <summary>
    /// Whether an idempotency key that one endpoint has seen is known to the others, because they share their data. Default true. False: a
    /// call that one endpoint may have processed stays with it, and one that goes to another endpoint gets a new key there.
    /// </summary>
    public bool SharesKeys { get; set; } = true;

    /// <summary>
    /// All endpoints, each an absolute http or https URI; its path takes the place of that of <c>BaseAddress</c>. At most 30. The address
    /// of the client itself is one of them only if it is in the list. Default empty: requests go where their URI says.
    /// </summary>
    public IList<string> Uris { get; set; } = [];

    /// <summary>
    /// For <see cref="EndpointMode.Weighted"/>, the weight of each of <see cref="Uris"/>, in their order: 1 to 1,000,000. Default empty:
    /// all the same.
    /// </summary>
    public IList<int> Weights { get; set; } = [];

    internal static OptionKeys<EndpointsOptions> Keys => new OptionKeys<EndpointsOptions>()
        .Choice(nameof(Mode), o => o.Mode, (o, v) => o.Mode = v)
        .Boolean(nameof(SharesKeys), o => o.SharesKeys, (o, v) => o.SharesKeys = v)
        .Uris(nameof(Uris), o => o.Uris, (o, v) => o.Uris = v)
        .Integers(nameof(Weights), o => o.Weights, (o, v) => o.Weights = v, 1, 1_000_000);

    /// <summary>What is wrong with the lists together.</summary>
    internal string? ProblemOfLists(OptionPath path)
    {
        var here = path.Below("Endpoints");
        if (Uris is null || Weights is null || !Uris.All(HttpAuthority.IsBaseAddress))
            return null;
        if (Uris.Count > MaxUris)
            return $"{here.Of(nameof(Uris))} has {Uris.Count} items; it must have at most {MaxUris}.";
        if (Uris.GroupBy(uri => new Uri($"{uri.TrimEnd('/')}/")).FirstOrDefault(uris => uris.Count() > 1) is { Key: var twice })
            return $"{here.Of(nameof(Uris))} has {OptionPath.Show(twice)} twice. Name it once; Weights say how much it gets.";
        if (Weights.Count > 0 && Weights.Count != Uris.Count)
        {
            return $"{here.Of(nameof(Weights))} must have as many items as {here.Of(nameof(Uris))}, which are {Uris.Count}, or none; "
                + $"it has {Weights.Count}.";
        }

        return Weights.Count > 0 && Mode is EndpointMode.Ordered
            ? $"{here.Of(nameof(Weights))} is for {here.Of(nameof(Mode))}: Weighted; it is Ordered. Leave out the weights, or write "
                + "Weighted."
            : null;
    }
}
