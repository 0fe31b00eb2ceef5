using HttpResilience;

namespace InvoiceSender;

/// <summary>A store of dead letters that is there already, in a host with the client that sends them again.</summary>
internal sealed class LetterStore : IAsyncDisposable
{
    private readonly FlakyApi? _api;
    private readonly IHost _host;

    private LetterStore(FlakyApi? api, IHost host) => (_api, _host) = (api, host);

    public IDeadLetterReview Review => _host.Services.GetRequiredService<IDeadLetterReview>();

    /// <summary>What the sample's own API has; null when it has no part in this.</summary>
    public IReadOnlyDictionary<(string Company, string Number), int>? Stored => _api?.Stored;

    /// <summary>To look at letters only: nothing is sent.</summary>
    public static LetterStore Open(LetterOptions options, HostFactory createHost)
    {
        if (!File.Exists(options.Store))
            throw new CommandException($"There is no store of dead letters at {options.Store}. To make one, send invoices: {Self.Command("--dead-letters", options.Store)}");

        return new(null, createHost(ClientKind.Resilient, null, options.Store, null, options.ConfigureLogging));
    }

    /// <summary>To send letters, to the API that is named or to the sample's own, which has a good day now.</summary>
    public static async Task<LetterStore> OpenToSendAsync(LetterOptions options, HostFactory createHost, CancellationToken cancellationToken)
    {
        await Open(options, createHost).DisposeAsync();
        if (options.Api is null && !File.Exists(LedgerFile.PathFor(options.Store)))
            throw new CommandException($"The letters in {options.Store} are not for the sample's own API. Say where they go with --api URL.");

        var api = options.Api is null ? await FlakyApi.StartAsync(null, options.Store, cancellationToken) : null;
        return new(api, createHost(ClientKind.Resilient, options.Api ?? api!.Address, options.Store, null, options.ConfigureLogging));
    }

    public async ValueTask DisposeAsync()
    {
        await ((IAsyncDisposable)_host).DisposeAsync();
        if (_api is not null) await _api.DisposeAsync();
    }
}
