using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>One request to the API, and its answer.</summary>
/// <param name="context">The request.</param>
/// <param name="by">The person who changes something; empty for who reads.</param>
/// <param name="operators">Whether a person may change something.</param>
/// <param name="options">Who may see what.</param>
internal sealed class ApiCall(HttpContext context, string by, OperateCheck operators, HttpResilienceApiOptions options) : IDisposable
{
    /// <summary>What is read has this long; a change has as long as it needs.</summary>
    internal static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(2);

    private CancellationTokenSource? _over, _reading;

    internal HttpContext Context => context;

    internal string By => by;

    internal OperateCheck Operators => operators;

    internal HttpResilienceApiOptions Options => options;

    /// <summary>The client is gone.</summary>
    internal CancellationToken Aborted => context.RequestAborted;

    /// <summary>The client is gone, or <see cref="ReadTimeout"/> since the first read is over: the store gives up.</summary>
    internal CancellationToken Reading
    {
        get
        {
            _over ??= new(ReadTimeout, Time);
            _reading ??= CancellationTokenSource.CreateLinkedTokenSource(_over.Token, context.RequestAborted);
            return _reading.Token;
        }
    }

    internal TimeProvider Time => context.RequestServices.GetService<TimeProvider>() ?? TimeProvider.System;

    internal DateTimeOffset Now => Time.GetUtcNow();

    internal IDeadLetterReview Review => context.RequestServices.GetService<IDeadLetterReview>() ?? throw ApiProblemException.Of(
        StatusCodes.Status503ServiceUnavailable, "This application keeps no letters.",
        "builder.Services.AddHttpResilienceStorage(storage => storage.UseSqlite(\"Data Source=resilience.db\")) turns it on.");

    /// <summary>The id in the address.</summary>
    internal Guid LetterId => Guid.TryParseExact(context.Request.RouteValues["id"] as string, "D", out var id) ? id
        : throw ApiProblemException.NotFound("There is no such letter.", "The id of a letter is a UUID.");

    internal IEnumerable<KeyValuePair<string, string>> QueryWords =>
        context.Request.Query.SelectMany(word => word.Value.Select(value => KeyValuePair.Create(word.Key, value ?? "")));

    /// <summary>The filter of the address.</summary>
    /// <param name="others">The words that mean something else.</param>
    internal LetterFilter Filter(params ReadOnlySpan<string> others) => LetterFilter.Parse(QueryWords, Now, others);

    /// <summary>A number of the address.</summary>
    internal int Number(string name, int least, int most, int byDefault)
    {
        var values = context.Request.Query[name];
        if (values.All(string.IsNullOrEmpty))
            return byDefault;
        return values is [var text] && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number >= least && number <= most
            ? number : throw ApiProblemException.NotValid(name, $"It is a number from {least} to {most}.");
    }

    /// <summary>The JSON of the request; of an empty body <c>{}</c>.</summary>
    internal async Task<T> ReadAsync<T>(JsonTypeInfo<T> type)
    {
        byte[] json = await ReadBodyAsync().ConfigureAwait(false);
        try
        {
            return JsonSerializer.Deserialize(json.AsSpan().IsEmpty ? "{}"u8 : json, type)
                ?? throw ApiProblemException.NotValid("$", "It is an object, not null.");
        }
        catch (JsonException e)
        {
            string path = e.Path is { Length: > 2 } known && known.StartsWith("$.", StringComparison.Ordinal) ? known[2..] : "$";
            string where = e.LineNumber is { } line
                ? string.Create(CultureInfo.InvariantCulture, $" Line {line + 1}, byte {e.BytePositionInLine + 1}.") : "";
            throw ApiProblemException.NotValid(
                path.Length <= 100 ? path : path[..100],
                $"It is not JSON, has another type than described, or a name that is not known or given twice.{where}");
        }
    }

    private async Task<byte[]> ReadBodyAsync()
    {
        if (context.Request.ContentLength > PostRules.MaxBodyBytes)
            throw TooLarge();
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = PostRules.MaxBodyBytes;
        using var body = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        while (await context.Request.Body.ReadAsync(buffer, Aborted).ConfigureAwait(false) is > 0 and var read)
        {
            if (body.Length + read > PostRules.MaxBodyBytes)
                throw TooLarge();
            body.Write(buffer.AsSpan(0, read));
        }

        return body.ToArray();
    }

    public void Dispose()
    {
        _reading?.Dispose();
        _over?.Dispose();
    }

    private static ApiProblemException TooLarge() => ApiProblemException.Of(
        StatusCodes.Status413PayloadTooLarge, "The request is too large.", "It has at most 1 MiB.");

    /// <summary>The version that the person has seen, from the body or <c>If-Match</c>.</summary>
    internal long ExpectedVersion(long? ofBody)
    {
        const string Field = "expectedVersion";
        var match = context.Request.Headers.IfMatch;
        if (match.Count == 0)
            return ofBody ?? throw ApiProblemException.NotValid(
                Field, "The version of the letter that you have seen is needed: here, or as If-Match: \"7\".");
        // A weak tag never matches (RFC 9110 §13.1.1).
        if (match is not [['"', .. var text, '"']]
            || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long version))
            throw ApiProblemException.NotValid("If-Match", "It is the ETag of the letter, such as \"7\".");
        return ofBody is null || ofBody == version ? version
            : throw ApiProblemException.NotValid(Field, "It differs from If-Match.");
    }

    internal static string ETagOf(DeadLetter letter) => string.Create(CultureInfo.InvariantCulture, $"\"{letter.Version}\"");

    /// <summary>200 with a letter.</summary>
    internal Task WriteAsync(DeadLetter letter)
    {
        context.Response.Headers.ETag = ETagOf(letter);
        return WriteAsync(LetterModel.Of(letter), OperatorJson.Default.LetterModel);
    }

    /// <summary>200 with JSON.</summary>
    internal Task WriteAsync<T>(T value, JsonTypeInfo<T> type) => WriteAsync(
        context, StatusCodes.Status200OK, "application/json; charset=utf-8", JsonSerializer.SerializeToUtf8Bytes(value, type));

    internal static Task WriteAsync(HttpContext context, ProblemModel problem) => WriteAsync(
        context, problem.Status, "application/problem+json; charset=utf-8",
        JsonSerializer.SerializeToUtf8Bytes(problem, OperatorJson.Default.ProblemModel));

    internal static Task WriteAsync(HttpContext context, int status, string contentType, ReadOnlyMemory<byte> body)
    {
        var response = context.Response;
        (response.StatusCode, response.ContentType, response.ContentLength) = (status, contentType, body.Length);
        // The names of methods are case-sensitive (RFC 9110 §9.1), and the server sends a body to all others.
        return context.Request.Method == HttpMethods.Head ? Task.CompletedTask
            : response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
