using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.AspNetCore;

/// <summary>What every request to the API goes through, and how it fails.</summary>
internal sealed class ApiPipeline : IDisposable
{
    private readonly AccessGuard _guard;
    private readonly HttpResilienceApiOptions _options;
    private readonly OperateCheck _operators;
    private readonly PostLimiter _limiter;
    private readonly ApiEvents _events;

    public ApiPipeline(AccessGuard guard, IOptions<HttpResilienceApiOptions> options, ILoggerFactory loggers)
    {
        (_guard, _options) = (guard, options.Value);
        _operators = new(_options.OperatePolicy, _options.Who);
        _limiter = new(_options.PostsPerMinute);
        _events = new(loggers.CreateLogger(ApiEvents.LogCategory));
    }

    /// <param name="context">The request.</param>
    /// <param name="operations">What its address can do; empty when there is no such address.</param>
    internal async Task RunAsync(HttpContext context, IReadOnlyList<ApiOperation> operations)
    {
        SetHeaders(context.Response.Headers);
        ProblemModel problem;
        try
        {
            await AnswerAsync(context, operations).ConfigureAwait(false);
            return;
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone and gets no answer.
            return;
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            problem = ProblemOf(e, context.Request.Path);
        }

        context.Response.Headers.Remove("ETag");
        context.Response.Headers.Remove("Content-Disposition");
        await ApiCall.WriteAsync(context, problem).ConfigureAwait(false);
    }

    public void Dispose() => _limiter.Dispose();

    private static void SetHeaders(IHeaderDictionary headers)
    {
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers.CacheControl = "no-cache, no-store";
        headers.Pragma = "no-cache";
        headers["Referrer-Policy"] = "same-origin";
    }

    private async Task AnswerAsync(HttpContext context, IReadOnlyList<ApiOperation> operations)
    {
        if (!await _guard.MayPassAsync(context).ConfigureAwait(false))
            throw ApiProblemException.Of(
                StatusCodes.Status403Forbidden, "The API for operators is not protected, so it answers nobody.", AccessGuard.HowToProtect);
        if (operations.Count == 0)
            throw ApiProblemException.NotFound("There is no such address.", "openapi.json below the prefix has all of them.");
        string method = context.Request.Method == HttpMethods.Head ? HttpMethods.Get : context.Request.Method;
        if (operations.FirstOrDefault(o => o.Method == method) is not { } operation)
        {
            context.Response.Headers.Allow = string.Join(", ", operations.Select(o => o.Method));
            throw ApiProblemException.Of(StatusCodes.Status405MethodNotAllowed, "This address has no such method.");
        }

        string by = HttpMethods.IsGet(method) ? "" : await AdmitPostAsync(context).ConfigureAwait(false);
        using var call = new ApiCall(context, by, _operators, _options);
        await operation.AnswerAsync(call).ConfigureAwait(false);
        if (by.Length > 0 && context.Request.RouteValues["name"] is string name)
            _events.DoneTo(by, operation.Path, name);
        else if (by.Length > 0)
            _events.Done(by, operation.Path, Guid.TryParse(context.Request.RouteValues["id"] as string, out var id) ? id : null);
    }

    /// <returns>The name of the person.</returns>
    private async Task<string> AdmitPostAsync(HttpContext context)
    {
        if (PostRules.IsCrossSite(context.Request))
            throw ApiProblemException.Of(StatusCodes.Status403Forbidden, "Another site sent this request.");
        var (name, refusal) = await _operators.AskAsync(context).ConfigureAwait(false);
        if (name is null)
            throw ApiProblemException.Of(
                StatusCodes.Status403Forbidden, "You may not change anything.",
                _options.Contact is { Length: > 0 } contact ? $"{refusal} Contact: {contact}." : refusal);
        if (!PostRules.StopsOrTakesBack(context.Request.Path.Value ?? "") && _limiter.WaitOf(name) is { } wait)
        {
            context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            throw ApiProblemException.Of(
                StatusCodes.Status429TooManyRequests, "Too many changes in a short time.",
                $"{_options.PostsPerMinute} a minute are allowed.");
        }

        return PostRules.IsJson(context.Request) ? name : throw ApiProblemException.Of(
            StatusCodes.Status415UnsupportedMediaType, "The request is not JSON.", "It needs Content-Type: application/json, in UTF-8.");
    }

    private ProblemModel ProblemOf(Exception exception, string path)
    {
        switch (exception)
        {
            case ApiProblemException e:
                return e.Problem;
            case HttpResilienceStorageException e:
                _events.StoreFailed(e, path);
                return new()
                {
                    Status = StatusCodes.Status503ServiceUnavailable,
                    Title = "The store does not answer.",
                    Detail = e.MayHaveBeenMade ? "The change may have been made nevertheless: look at the letter before you repeat it."
                        : "Nothing was done. The log of the application says why.",
                };
            // The client of another one is still there.
            case OperationCanceledException:
                return new()
                {
                    Status = StatusCodes.Status503ServiceUnavailable,
                    Title = "It could not be read or counted in 2 s. Nothing was done.",
                    Detail = "Try again, or ask for less: with client, group, status or since.",
                };
            case BadHttpRequestException e:
                return new() { Status = e.StatusCode, Title = "The request is not valid." };
            default:
                _events.Failed(exception, path);
                return new()
                {
                    Status = StatusCodes.Status500InternalServerError,
                    Title = "The request failed.",
                    Detail = "The log of the application says why.",
                };
        }
    }
}
