using System.Net;
using System.Text.RegularExpressions;

namespace HttpResilience.PageTests.Http;

/// <summary>A person who uses the page without a browser: reads its forms, and sends them.</summary>
internal sealed partial class PageClient(PageHost host, string? person = PageHost.Operator) : IDisposable
{
    private readonly HttpClient _client = host.Client(person);

    internal async Task<PageText> GetAsync(string path = "", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Address(path));
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await SendAsync(request);
    }

    /// <summary>Sends a form with the fields, as a browser does, with a token.</summary>
    internal async Task<PageText> PostAsync(
        string path, IEnumerable<(string Name, string Value)> fields, bool withToken = true, params (string Name, string Value)[] headers)
    {
        List<KeyValuePair<string, string>> all = [.. fields.Select(f => KeyValuePair.Create(f.Name, f.Value))];
        if (withToken)
            all.Add(new("__RequestVerificationToken", await TokenAsync()));
        using var request = new HttpRequestMessage(HttpMethod.Post, Address(path)) { Content = new FormUrlEncodedContent(all) };
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "same-origin");
        foreach (var (name, value) in headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await SendAsync(request);
    }

    /// <summary>A token as the forms of the page have it.</summary>
    internal async Task<string> TokenAsync() => (await GetAsync(PageHost.TokenPath)).Html;

    internal async Task<PageText> SendAsync(HttpRequestMessage request)
    {
        using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        return new(
            response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            response.Headers.Concat(response.Content.Headers).ToDictionary(
                h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase));
    }

    public void Dispose() => _client.Dispose();

    private static Uri Address(string path) => path.Length == 0 ? new(PageHost.Prefix, UriKind.Relative) : new(path, UriKind.Relative);
}

/// <summary>An answer of the page.</summary>
internal sealed partial record PageText(HttpStatusCode Status, string Html, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>What a reader sees, without markup.</summary>
    internal string Text => WebUtility.HtmlDecode(Spaces().Replace(Tags().Replace(Hidden().Replace(Html, " "), " "), " ")).Trim();

    internal string? this[string name] => Headers.GetValueOrDefault(name);

    /// <summary>The token of its first form.</summary>
    internal string Token => TokenField().Match(Html) is { Success: true } match ? match.Groups[1].Value : "";

    /// <summary>Where a 303 leads.</summary>
    internal string Location
    {
        get
        {
            Status.ShouldBe(HttpStatusCode.SeeOther, Text);
            return this["Location"]!;
        }
    }

    internal PageText ShouldBe(HttpStatusCode status)
    {
        Status.ShouldBe(status, Text);
        return this;
    }

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tags();

    [GeneratedRegex("<(head|script|style)[^>]*>.*?</\\1>", RegexOptions.Singleline)]
    private static partial Regex Hidden();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex TokenField();
}
