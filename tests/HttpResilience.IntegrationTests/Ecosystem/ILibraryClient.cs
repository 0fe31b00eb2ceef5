namespace HttpResilience.IntegrationTests.Ecosystem;

/// <summary>A client library, as an application uses it. A call that has no response throws the library's exception.</summary>
internal interface ILibraryClient : IDisposable
{
    Task<LibraryResponse> GetAsync(CancellationToken cancellationToken);

    Task<LibraryResponse> PostJsonAsync(Order order, CancellationToken cancellationToken);

    /// <summary>Posts a stream that can be read once, where the library takes such a stream.</summary>
    Task<LibraryResponse> PostStreamAsync(Stream stream, CancellationToken cancellationToken);
}

internal sealed record LibraryResponse(int Status, string Body);

public sealed record Order(int Number, string[] Lines);
