namespace HttpResilience.Testing;

/// <summary>Responses in the form in which every store holds them.</summary>
internal static class InMemoryResponse
{
    internal static RememberedResponse Normalize(RememberedResponse response) => response with
    {
        ReasonPhrase = StoredText.Storable(response.ReasonPhrase),
        Headers = StoredJson.Pairs(StoredJson.Pairs(response.Headers)),
        Body = response.Body.ToArray(),
    };

    internal static FallbackResponse Normalize(FallbackResponse response) => response with
    {
        ReceivedAt = StoredTime.Cut(response.ReceivedAt),
        InitialAge = TimeSpan.FromMicroseconds((long)response.InitialAge.TotalMicroseconds),
        ExpiresAt = StoredTime.Cut(response.ExpiresAt),
        Response = Normalize(response.Response),
    };
}
