using Microsoft.AspNetCore.Http;

namespace HttpResilience.AspNetCore;

/// <summary>One request to the page.</summary>
/// <param name="api">The same for the JSON API: who, what store, which letter.</param>
/// <param name="options">The options of the page.</param>
/// <param name="form">The fields of the form that was posted; empty for a GET.</param>
/// <param name="mayOperate">The person may change something.</param>
internal sealed class PageCall(ApiCall api, HttpResiliencePageOptions options, IFormCollection form, bool mayOperate) : IDisposable
{
    internal ApiCall Api => api;

    internal HttpResiliencePageOptions Options => options;

    internal HttpContext Context => api.Context;

    internal string By => api.By;

    internal bool MayOperate => mayOperate;

    internal CancellationToken Aborted => api.Aborted;

    /// <inheritdoc cref="ApiCall.Reading"/>
    internal CancellationToken Reading => api.Reading;

    /// <summary>What is read; null when the store does not answer in time, for a page that shows the rest.</summary>
    internal async Task<T?> TryReadAsync<T>(Func<CancellationToken, Task<T>> read)
        where T : class
    {
        try
        {
            return await read(Reading).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpResilienceStorageException or OperationCanceledException && !Aborted.IsCancellationRequested)
        {
            return null;
        }
    }

    internal DateTimeOffset Now => api.Now;

    internal IFormCollection Form => form;

    /// <summary>A field of the form; empty when it is not there.</summary>
    internal string Field(string name) => form[name] is [var value, ..] ? value ?? "" : "";

    public void Dispose() => api.Dispose();

    internal string Route(string name) => Context.Request.RouteValues[name] as string ?? "";

    internal string Query(string name) => Context.Request.Query[name] is [var value, ..] ? value ?? "" : "";

    /// <summary>The version of the letter that the form was made for.</summary>
    internal long Version => long.TryParse(
        Field("version"), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long version)
        ? version : throw ApiProblemException.NotValid("version", "The form has no version. Open the page again.");
}
