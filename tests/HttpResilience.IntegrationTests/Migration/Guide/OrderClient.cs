namespace HttpResilience.IntegrationTests.Migration.Guide;

/// <summary>A typed client.</summary>
internal sealed class OrderClient(HttpClient http)
{
    internal async Task<int> GetAsync()
    {
        using var response = await http.GetAsync("https://api.example.com/orders/1");
        return (int)response.StatusCode;
    }
}
