using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Fallback;

/// <summary>A chain with the fallback, whose calls are not retried, so that a failure is one reply of the script.</summary>
internal static class FallbackChain
{
    internal static Chain Open(Action<HttpResilienceOptions>? options = null, Action<IHttpClientBuilder>? client = null,
        Action<IServiceCollection>? services = null) => new(
        o =>
        {
            (o.Fallback.Enabled, o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) = (true, 0, null);
            options?.Invoke(o);
        }, client, services);

    /// <summary>A good response.</summary>
    internal static Reply Good(string body = "good", params (string Name, string Value)[] headers) => Replies.With(() =>
    {
        var response = new HttpResponseMessage { Content = new StringContent(body) };
        foreach (var (name, value) in headers)
        {
            if (!response.Headers.TryAddWithoutValidation(name, value))
                response.Content.Headers.TryAddWithoutValidation(name, value);
        }

        return response;
    });

    /// <summary>What a caller gets.</summary>
    /// <returns>The body of a stale response; null when the failure came through.</returns>
    internal static async Task<string?> StaleAsync(this Chain chain, HttpRequestMessage? request = null, bool async = true)
    {
        try
        {
            using var response = await chain.SendAsync(async, request ?? Chain.Get());
            bool isStale = response.GetHttpCall() is { IsStale: true };
            isStale.ShouldBe(response.IsSuccessStatusCode);
            return isStale ? await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken) : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>A good response comes, then the API is down.</summary>
    internal static async Task SeeThenLoseAsync(
        this Chain chain, HttpRequestMessage? request = null, Reply? good = null, Reply? failure = null)
    {
        chain.Server.Script(good ?? Good());
        (await chain.SendAsync(true, request ?? Chain.Get())).Dispose();
        chain.Server.Script(failure ?? Replies.Status(503));
    }
}
