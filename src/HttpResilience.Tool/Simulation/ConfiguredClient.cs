using System.Globalization;
using System.Net.Mime;
using System.Text;
using HttpResilience.Simulation;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tool;

/// <summary>A client with the settings of a configuration, for a simulation.</summary>
/// <param name="name">Its name in the configuration.</param>
/// <param name="settings">The configuration.</param>
/// <param name="method">The method of its calls.</param>
/// <param name="uri">Their address; relative to the base address of the client.</param>
internal sealed class ConfiguredClient(string name, IConfiguration settings, HttpMethod method, Uri uri)
{
    private static readonly HttpMethod[] WithoutBody = [HttpMethod.Get, HttpMethod.Head, HttpMethod.Delete, HttpMethod.Options];

    private int _calls;

    internal Func<Task<bool>> Create(SimulatedClients clients, VirtualTime time, int seed, TripCounter trips)
    {
        var client = clients.WithChain(
            seed,
            add: services =>
            {
                services.AddSingleton(settings);
                services.AddSingleton<CallObserver>(new ChainTrips(trips));
                // With it, the sections of the package are no errors.
                services.AddKeyedSingleton<CallObserver>(OperationsPackage.Name, new ChainTrips(trips));
            },
            name: name);
        return () => SendAsync(client);
    }

    private async Task<bool> SendAsync(HttpClient client)
    {
        using var request = new HttpRequestMessage(method, uri);
        if (!WithoutBody.Contains(method))
        {
            string body = string.Create(CultureInfo.InvariantCulture, $$"""{"number":{{_calls++}}}""");
            request.Content = new StringContent(body, Encoding.UTF8, MediaTypeNames.Application.Json);
        }

        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }
}
