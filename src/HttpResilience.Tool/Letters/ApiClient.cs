using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary>Requests to the JSON API of a running application.</summary>
internal sealed class ApiClient : IDisposable
{
    internal const string Variable = "HTTP_RESILIENCE_TOKEN";

    private const string DefaultPath = "/resilience/api/v1";

    // A redirect leads to a sign-in page, which is no answer, and the token belongs to this host only.
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
    {
        Timeout = TimeSpan.FromSeconds(30),
    };

    /// <param name="url">The application, or the API in it where that has another path.</param>
    /// <param name="headers">Header fields with their values.</param>
    /// <exception cref="ToolException">A header field is not one.</exception>
    internal ApiClient(Uri url, IReadOnlyList<string> headers)
    {
        string path = url.AbsolutePath == "/" ? DefaultPath : url.AbsolutePath.TrimEnd('/');
        _client.BaseAddress = new Uri(url, $"{path}/");
        Shown = url.GetLeftPart(UriPartial.Authority).Split('@')[^1] is var host && host.Contains("://", StringComparison.Ordinal)
            ? host : $"{url.Scheme}://{host}";
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } token)
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Trim());
        foreach (string header in headers)
        {
            // The value may be a secret: it is not shown.
            if (header.Split(':', 2) is not [{ } name, var value] || !HttpToken.IsValid(name.Trim())
                || !_client.DefaultRequestHeaders.TryAddWithoutValidation(name.Trim(), value.Trim()))
                throw new ToolException("--header is not of the form 'Name: value'.", ExitCode.Usage);
        }
    }

    /// <summary>The host.</summary>
    internal string Shown { get; }

    /// <summary>Null for 404.</summary>
    internal async Task<T?> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        using var response = await SendAsync(() => new(HttpMethod.Get, path), cancellationToken).ConfigureAwait(false);
        return response is null ? null : await ReadAsync(response, type, cancellationToken).ConfigureAwait(false);
    }

    internal async Task<byte[]?> GetBytesAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(() => new(HttpMethod.Get, path), cancellationToken).ConfigureAwait(false);
        return response is null ? null : await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
    }

    internal async Task<TResponse?> PostAsync<TRequest, TResponse>(
        string path, TRequest body, JsonTypeInfo<TRequest> type, JsonTypeInfo<TResponse> responseType, CancellationToken cancellationToken)
        where TResponse : class
    {
        using var response = await SendAsync(
            () => new(HttpMethod.Post, path) { Content = JsonContent.Create(body, type) }, cancellationToken).ConfigureAwait(false);
        return response is null ? null : await ReadAsync(response, responseType, cancellationToken).ConfigureAwait(false);
    }

    /// <exception cref="ToolException">Also for 404, with what the application says of it.</exception>
    internal async Task<T> RequireAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        using var response = await SendAsync(() => new(HttpMethod.Get, path), cancellationToken, isRequired: true).ConfigureAwait(false);
        return await ReadAsync(response!, type, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="RequireAsync"/>
    internal async Task<TResponse> RequirePostAsync<TRequest, TResponse>(
        string path, TRequest body, JsonTypeInfo<TRequest> type, JsonTypeInfo<TResponse> responseType, CancellationToken cancellationToken)
        where TResponse : class
    {
        using var response = await SendAsync(
            () => new(HttpMethod.Post, path) { Content = JsonContent.Create(body, type) }, cancellationToken, isRequired: true)
            .ConfigureAwait(false);
        return await ReadAsync(response!, responseType, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage?> SendAsync(
        Func<HttpRequestMessage> create, CancellationToken cancellationToken, bool isRequired = false)
    {
        while (true)
        {
            using var request = create();
            HttpResponseMessage response;
            try
            {
                response = await _client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is HttpRequestException
                || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
            {
                throw new ToolException($"{Shown} does not answer: {e.Message}", ExitCode.StoreAway, e);
            }

            if (response.StatusCode is HttpStatusCode.OK)
                return response;
            using (response)
            {
                if (response.StatusCode is HttpStatusCode.TooManyRequests && response.Headers.RetryAfter?.Delta is { } wait)
                {
                    // It bounds the changes of a person in a minute.
                    await Task.Delay(wait, TimeProvider.System, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                if (response.StatusCode is HttpStatusCode.NotFound && !isRequired)
                    return null;
                throw await FailureOfAsync(response, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<Exception> FailureOfAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var problem = response.Content.Headers.ContentType?.MediaType == "application/problem+json"
            ? await ReadAsync(response, OperatorJson.Default.ProblemModel, cancellationToken).ConfigureAwait(false) : null;
        if (response.StatusCode is HttpStatusCode.Conflict && problem?.Letter is { } letter)
            return new DeadLetterChangedException(ApiLetter.Of(letter));
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict && problem is { Count: null })
            return new ToolException($"{problem.Title} {problem.Detail}".Trim());
        string detail = problem?.Detail ?? problem?.Title ?? response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => $"not signed in; set {Variable} to a token.",
            HttpStatusCode.Redirect or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect => "it leads to another address.",
            _ => "it is not the API of HttpResilience.",
        };
        string errors = problem?.Errors is { Count: > 0 } fields
            ? $" {string.Join(" ", fields.Select(f => $"{f.Key}: {string.Join(" ", f.Value)}"))}" : "";
        return new ToolException(
            $"{Shown} answers {(int)response.StatusCode}: {detail}{errors}",
            response.StatusCode is HttpStatusCode.ServiceUnavailable ? ExitCode.StoreAway : ExitCode.Failed);
    }

    private async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await response.Content.ReadFromJsonAsync(type, cancellationToken).ConfigureAwait(false)
                ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            throw new ToolException($"{Shown} answers with something else than the API of HttpResilience: {e.Message}", innerException: e);
        }
    }
}
