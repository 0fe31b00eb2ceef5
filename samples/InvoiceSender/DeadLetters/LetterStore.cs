using HttpResilience;

namespace InvoiceSender;

/// <summary>An existing dead-letter store in a host with the client that replays the letters.</summary>
internal sealed class LetterStore : IAsyncDisposable
{
    private readonly FlakyApi? _api;
    private readonly IHost _host;

    private LetterStore(FlakyApi? api, IHost host) => (_api, _host) = (api, host);

    public IDeadLetterReview Review => _host.Services.GetRequiredService<IDeadLetterReview>();

    /// <summary>The invoices stored by the sample's own API; null when it is not used.</summary>
    public IReadOnlyDictionary<(string Company, string Number), int>? Stored => _api?.Stored;

    /// <summary>Opens the store without an API to send to.</summary>
    public static LetterStore Open(LetterOptions options, HostFactory createHost)
    {
        if (!File.Exists(options.Store))
            throw new CommandException($"There is no dead-letter store at {options.Store}. To create one, send invoices: "
                + $"{Self.Command("--dead-letters", options.Store)}");

        return new(null, createHost(ClientKind.Resilient, isCompared: false, null, options.Store, null, options.ConfigureLogging));
    }

    /// <summary>Opens the store with an API to send to: the one given with --api, or the sample's own without faults.</summary>
    public static async Task<LetterStore> OpenToSendAsync(
        LetterOptions options, HostFactory createHost, CancellationToken cancellationToken)
    {
        await Open(options, createHost).DisposeAsync();
        if (options.Api is null && !File.Exists(LedgerFile.PathFor(options.Store)))
            throw new CommandException(
                $"The letters in {options.Store} are not addressed to the sample's own API. Give the API with --api URL.");

        var api = options.Api is null ? await FlakyApi.StartAsync(null, options.Store, cancellationToken) : null;
        return new(api, createHost(
            ClientKind.Resilient, isCompared: false, options.Api ?? api!.Address, options.Store, null, options.ConfigureLogging));
    }

    public async ValueTask DisposeAsync()
    {
        await ((IAsyncDisposable)_host).DisposeAsync();
        if (_api is not null) await _api.DisposeAsync();
    }
}
