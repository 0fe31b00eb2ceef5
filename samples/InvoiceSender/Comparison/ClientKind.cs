namespace InvoiceSender;

/// <summary>The two registrations that are compared; everything else is the same.</summary>
internal enum ClientKind { Bare, Resilient }

internal static class ClientKindExtensions
{
    extension(ClientKind client)
    {
        public string Title => client is ClientKind.Bare ? "bare HttpClient" : "HttpResilience";
    }
}
