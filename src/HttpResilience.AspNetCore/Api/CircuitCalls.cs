using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>The circuits of all instances; hosts are held back and let through.</summary>
internal static class CircuitCalls
{
    private const string Client = "client", Host = "host", Tenant = "tenant", Note = "note";
    private const int MaxTenant = 500, MaxNote = 1000;

    internal static async Task ListAsync(ApiCall call)
    {
        if (call.QueryWords.FirstOrDefault(word => word.Key is not (Client or Host)).Key is { } unknown)
            throw ApiProblemException.NotValid(unknown, "There is no such word. Known: client, host.");
        string? client = call.Context.Request.Query[Client], host = call.Context.Request.Query[Host];
        var list = await CircuitList.LoadAsync(
            Of(call), string.IsNullOrEmpty(client) ? null : client, string.IsNullOrEmpty(host) ? null : AuthorityOf(host).Name,
            call.Now, call.Reading).ConfigureAwait(false);
        await call.WriteAsync(list, OperatorJson.Default.CircuitList).ConfigureAwait(false);
    }

    internal static Task HoldAsync(ApiCall call) => ChangeAsync(call, (holds, request, host) => holds.HoldBackAsync(
        request.Client!, host, call.By, request.Note, request.Tenant, call.Aborted));

    internal static Task ReleaseAsync(ApiCall call) => ChangeAsync(call, (holds, request, host) => holds.LetThroughAsync(
        request.Client!, host, call.By, request.Note, request.Tenant, call.Aborted));

    private static async Task ChangeAsync(ApiCall call, Func<CircuitHolds, CircuitRequest, Uri, Task<CircuitHold>> change)
    {
        var request = await call.ReadAsync(OperatorJson.Default.CircuitRequest).ConfigureAwait(false);
        if (string.IsNullOrWhiteSpace(request.Client))
            throw ApiProblemException.NotValid(Client, "The name of a client is needed.");
        var host = AuthorityOf(request.Host ?? "").Uri;
        if (request.Tenant?.Length > MaxTenant
            || request.Tenant?.EnumerateRunes().Any(r => Rune.IsControl(r) || r == Rune.ReplacementChar) is true)
            throw ApiProblemException.NotValid(Tenant, $"It has at most {MaxTenant} characters, and none that cannot be seen.");
        if (request.Note?.Length > MaxNote)
            throw ApiProblemException.NotValid(Note, $"It has at most {MaxNote} characters.");
        CircuitHold made;
        try
        {
            made = await change(Of(call), request, host).ConfigureAwait(false);
        }
        catch (KeyNotFoundException e)
        {
            throw ApiProblemException.NotValid(Client, e.Message);
        }

        await call.WriteAsync(
            await CircuitList.LoadAsync(Of(call), made, call.Now, call.Aborted).ConfigureAwait(false), OperatorJson.Default.CircuitModel)
            .ConfigureAwait(false);
    }

    private static (string Name, Uri Uri) AuthorityOf(string host) =>
        LetterFilter.AuthorityOf(host) is { } name && Uri.TryCreate(name, UriKind.Absolute, out var uri) ? (name, uri)
            : throw ApiProblemException.NotValid(Host, "It is a host, such as api.example.com (https) or http://api.example.com:8080.");

    private static CircuitHolds Of(ApiCall call)
    {
        // Says how to turn it on when the application keeps no letters.
        _ = call.Review;
        return call.Context.RequestServices.GetRequiredService<CircuitHolds>();
    }
}
