using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.Testing;

/// <summary>Creates responses and writes them to the wire.</summary>
internal static class Answers
{
    internal static HttpResponseMessage Text(int status, string body, ReadOnlySpan<(string Name, string Value)> headers)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        if (body.Length > 0)
            content.Headers.ContentType = new("text/plain", "utf-8");
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = content };
        foreach (var (name, value) in headers)
        {
            if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))
                content.Headers.Remove(name);
            if (!response.Headers.TryAddWithoutValidation(name, value))
                content.Headers.TryAddWithoutValidation(name, value);
        }

        return response;
    }

    internal static (string, string)[] RetryAfter(TimeSpan? delay) =>
        delay is { } d
            ? [("Retry-After", ((decimal)d.Ticks / TimeSpan.TicksPerSecond).ToString("0.#######", CultureInfo.InvariantCulture))]
            : [];

    internal static (string, string)[] RetryAfter(DateTimeOffset now, DateTimeOffset date) =>
        [("Date", now.ToString("R", CultureInfo.InvariantCulture)), ("Retry-After", date.ToString("R", CultureInfo.InvariantCulture))];

    internal static async Task WriteAsync(HttpResponseMessage response, HttpContext context)
    {
        context.Response.StatusCode = (int)response.StatusCode;
        foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
            context.Response.Headers.Append(name, values.ToArray());
        // 1xx, 204 and 304 have no body (RFC 9110 §6.4.1).
        if ((int)response.StatusCode is < 200 or 204 or 304)
            return;
        context.Response.ContentLength ??= response.Content.Headers.ContentLength;
        await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
    }
}
