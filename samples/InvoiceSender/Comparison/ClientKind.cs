namespace InvoiceSender;

/// <summary>The registrations that are compared; everything else is the same.</summary>
internal enum ClientKind
{
    Bare,

    /// <summary>Microsoft.Extensions.Http.Resilience.</summary>
    Standard,

    Resilient,
}

internal static class ClientKindExtensions
{
    extension(ClientKind client)
    {
        public string Title => client switch
        {
            ClientKind.Bare => "bare HttpClient",
            ClientKind.Standard => "Microsoft's standard handler",
            _ => "HttpResilience",
        };
    }
}
