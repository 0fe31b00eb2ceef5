using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.AspNetCore;

/// <summary>The bytes of a letter's body.</summary>
internal static class LetterBodies
{
    private const int MaxShown = 64 * 1024;

    internal static async Task BodyAsync(ApiCall call)
    {
        var id = call.LetterId;
        await ThrowIfHiddenAsync(call).ConfigureAwait(false);
        var letter = await StoredLetter.FindAsync(call, id).ConfigureAwait(false);
        if (letter.Body is not { } body)
            throw ApiProblemException.NotFound(
                "This letter has no body.",
                letter.KeyIsMissing ? "The key that protects it is missing in this process."
                    : letter.BodyIsMissing ? "It could be read only once, or was too long to keep." : "The request had none.");
        var headers = call.Context.Response.Headers;
        headers.ETag = ApiCall.ETagOf(letter);
        headers.ContentDisposition = $"attachment; filename=\"letter-{id}.bin\"";
        // What the API or the application wrote must not run as a page of this site.
        headers.ContentSecurityPolicy = "sandbox; default-src 'none'; frame-ancestors 'none'";
        await ApiCall.WriteAsync(call.Context, StatusCodes.Status200OK, "application/octet-stream", body).ConfigureAwait(false);
    }

    /// <summary>
    /// What a letter shows of its body: to those who do not get the bytes, JSON with the fields on the redaction list struck out.
    /// </summary>
    internal static async Task<BodyModel> ShownAsync(ApiCall call, DeadLetter letter, BodyModel body)
    {
        bool getsBytes = await WhyHiddenAsync(call).ConfigureAwait(false) is null;
        return body with
        {
            Download = getsBytes,
            Text = getsBytes ? null : ShownTextOf(call, letter),
        };
    }

    /// <summary>JSON with the fields on the redaction list struck out, for who does not get the bytes; null for none.</summary>
    internal static string? ShownTextOf(ApiCall call, DeadLetter letter) =>
        call.Options.ShowBodies is BodyVisibility.Nobody ? null : StruckTextOf(letter);

    private static string? StruckTextOf(DeadLetter letter)
    {
        _ = MediaTypeHeaderValue.TryParse(LetterModel.ContentTypeOf(letter), out var type);
        // What cannot be read as JSON may hold anything anywhere.
        if (letter.Body is not { Length: <= MaxShown } body || !CorrectionRules.IsJson(type?.MediaType ?? "")
            || Charset.Find(type?.CharSet) is not { } encoding)
            return null;
        try
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(encoding.GetString(body.Span).TrimStart('\ufeff'));
            return StruckJson.Of(utf8, SecretNames.IsField) is { } struck ? Encoding.UTF8.GetString(struck) : null;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static async Task ThrowIfHiddenAsync(ApiCall call)
    {
        if (await WhyHiddenAsync(call).ConfigureAwait(false) is { } refusal)
            throw ApiProblemException.Of(StatusCodes.Status403Forbidden, "You may not see the bodies of letters.", refusal);
    }

    /// <summary>Why the person may not see bodies; null when that is allowed.</summary>
    internal static async Task<string?> WhyHiddenAsync(ApiCall call) => call.Options.ShowBodies switch
    {
        BodyVisibility.Everyone => null,
        BodyVisibility.Nobody => "The application shows them to nobody (ShowBodies).",
        _ => (await call.Operators.AskAsync(call.Context).ConfigureAwait(false)).Refusal,
    };
}
