using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using HttpResilience.AspNetCore.Pages;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.AspNetCore;

/// <summary>What every request to the page goes through, and how it fails.</summary>
internal sealed class PagePipeline : IDisposable
{
    private const string ContentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly object BaseKey = new();

    private readonly AccessGuard _guard;
    private readonly HttpResiliencePageOptions _options;
    private readonly OperateCheck _operators;
    private readonly PostLimiter _limiter;
    private readonly IAntiforgery _antiforgery;
    private readonly IHostEnvironment _environment;
    private readonly ApiEvents _events;

    public PagePipeline(
        AccessGuard guard, IOptions<HttpResiliencePageOptions> options, IAntiforgery antiforgery, IHostEnvironment environment,
        ILoggerFactory loggers)
    {
        (_guard, _options, _antiforgery, _environment) = (guard, options.Value, antiforgery, environment);
        _operators = new(_options.OperatePolicy, _options.Who);
        _limiter = new(_options.PostsPerMinute);
        _events = new(loggers.CreateLogger(ApiEvents.LogCategory));
    }

    /// <summary>The path below which the page is, with that of the host before it; without a slash at its end.</summary>
    internal static string BaseOf(HttpContext context) => context.Items[BaseKey] as string ?? "";

    /// <param name="context">The request.</param>
    /// <param name="path">The pattern of its address below the prefix; null when there is no such address.</param>
    /// <param name="operations">What that address can do.</param>
    internal async Task RunAsync(HttpContext context, string? path, IReadOnlyList<PageOperation> operations)
    {
        context.Items[BaseKey] = FindBase(context, path ?? context.Request.RouteValues["path"] as string ?? "");
        SetHeaders(context.Response);
        var call = new PageCall(new(context, "", _operators, _options), _options, FormCollection.Empty, mayOperate: false);
        PageAnswer answer;
        try
        {
            (call, answer) = await AnswerAsync(context, call, operations).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The reader is gone and gets no answer.
            return;
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            answer = ProblemPages.Of(e, context.Request.Path, _events);
        }

        using (call)
            await WriteAsync(call, answer).ConfigureAwait(false);
    }

    public void Dispose() => _limiter.Dispose();

    // The prefix is what is before the address; the host may have mapped the page in a group with a prefix of its own.
    private static string FindBase(HttpContext context, string path)
    {
        string full = "/" + (context.Request.Path.Value ?? "").Trim('/');
        for (int segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries).Length; segments > 0; segments--)
            full = full[..Math.Max(0, full.LastIndexOf('/'))];
        return context.Request.PathBase.Add(full.TrimEnd('/')).ToUriComponent();
    }

    private static void SetHeaders(HttpResponse response)
    {
        var headers = response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = ContentPolicy;
        // Exactly so: with no-store alone antiforgery writes a Warning at each page.
        headers.CacheControl = "no-cache, no-store";
        headers.Pragma = "no-cache";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        // With it a host that is a Blazor application would merge the page into its own document.
        response.OnStarting(static state =>
        {
            ((HttpResponse)state).Headers.Remove("blazor-enhanced-nav");
            return Task.CompletedTask;
        }, response);
    }

    private async Task<(PageCall, PageAnswer)> AnswerAsync(HttpContext context, PageCall call, IReadOnlyList<PageOperation> operations)
    {
        if (!await _guard.MayPassAsync(context).ConfigureAwait(false))
            return (call, ProblemPages.NotSetUp);
        var (name, refusal) = await _operators.AskAsync(context).ConfigureAwait(false);
        call = new(new(context, "", _operators, _options), _options, FormCollection.Empty, mayOperate: name is not null);
        try
        {
            if (operations.Count == 0)
                throw ApiProblemException.NotFound("There is no such page.");
            string method = HttpMethods.IsHead(context.Request.Method) ? HttpMethods.Get : context.Request.Method;
            if (operations.FirstOrDefault(o => o.Method == method) is not { } operation)
            {
                context.Response.Headers.Allow = string.Join(", ", operations.Select(o => o.Method));
                throw ApiProblemException.Of(StatusCodes.Status405MethodNotAllowed, "This address has no such method.");
            }

            if (HttpMethods.IsGet(method))
                return (call, await operation.AnswerAsync(call).ConfigureAwait(false));
            var form = await AdmitPostAsync(context, name, refusal).ConfigureAwait(false);
            call = new(new(context, name!, _operators, _options), _options, form, mayOperate: true);
            // What changes nothing, or takes something back, is never too much.
            if (!PostRules.StopsOrTakesBack(context.Request.Path.Value ?? "") && call.Field("do") != "check")
                ThrowIfTooMany(context, name!);
            if (!await _antiforgery.IsRequestValidAsync(context).ConfigureAwait(false))
                return (call, PressOnceMorePage.Answer(call));
            var answer = await operation.AnswerAsync(call).ConfigureAwait(false);
            if (answer is PageAnswer.SeeOther)
            {
                if (call.Route("name") is { Length: > 0 } client)
                    _events.DoneTo(name!, operation.Path, client);
                else
                    _events.Done(name!, operation.Path, Guid.TryParse(call.Route("id"), out var id) ? id : null);
            }

            return (call, answer);
        }
        catch (Exception e) when (e is not OperationCanceledException || !context.RequestAborted.IsCancellationRequested)
        {
            return (call, ProblemPages.Of(e, context.Request.Path, _events, call.Form.Count > 0 ? RepeatedForm.Of(call) : null));
        }
    }

    private void ThrowIfTooMany(HttpContext context, string name)
    {
        if (_limiter.WaitOf(name) is not { } wait)
            return;
        context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        throw ApiProblemException.Of(
            StatusCodes.Status429TooManyRequests, "Too many changes in a short time.", $"{_options.PostsPerMinute} a minute are allowed.");
    }

    /// <returns>The fields of the form.</returns>
    private async Task<IFormCollection> AdmitPostAsync(HttpContext context, string? name, string? refusal)
    {
        if (PostRules.IsCrossSite(context.Request))
            throw ApiProblemException.Of(StatusCodes.Status403Forbidden, "Another site sent this request.");
        if (name is null)
            throw ApiProblemException.Of(
                StatusCodes.Status403Forbidden, "You may not change anything.",
                _options.Contact is { Length: > 0 } contact ? $"{refusal} Contact: {contact}." : refusal);
        if (!context.Request.HasFormContentType)
            throw ApiProblemException.Of(StatusCodes.Status415UnsupportedMediaType, "The request is no form.");
        if (context.Request.ContentLength > PostRules.MaxBodyBytes)
            throw TooLarge();
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = PostRules.MaxBodyBytes;
        try
        {
            // One million bytes in one field at most, and few fields.
            var limits = new FormOptions
            {
                ValueLengthLimit = PostRules.MaxBodyBytes,
                MultipartBodyLengthLimit = PostRules.MaxBodyBytes,
                ValueCountLimit = 200,
                BufferBody = false,
            };
            context.Features.Set<IFormFeature>(new FormFeature(context.Request, limits));
            return await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw TooLarge();
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw ApiProblemException.Of(StatusCodes.Status400BadRequest, "The form cannot be read.");
        }
    }

    private static ApiProblemException TooLarge() => ApiProblemException.Of(
        StatusCodes.Status413PayloadTooLarge, "The request is too large.", "It has at most 1 MiB.");

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "AddHttpResiliencePage says so to its caller.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "AddHttpResiliencePage says so to its caller.")]
    private async Task WriteAsync(PageCall call, PageAnswer answer)
    {
        var context = call.Context;
        switch (answer)
        {
            case PageAnswer.Page page:
                context.Response.StatusCode = page.Status;
                var view = new PageView(FrameOf(call, page), page.Content, page.Title, page.Section) { IsLive = page.IsLive };
                var result = new RazorComponentResult(page.Component, new Dictionary<string, object?> { ["Model"] = view })
                {
                    PreventStreamingRendering = true,
                    StatusCode = page.Status,
                };
                await result.ExecuteAsync(context).ConfigureAwait(false);
                break;
            case PageAnswer.SeeOther other:
                context.Response.StatusCode = StatusCodes.Status303SeeOther;
                string root = BaseOf(context);
                context.Response.Headers.Location = other.Path.Length == 0 ? (root.Length == 0 ? "/" : root) : $"{root}/{other.Path}";
                break;
        }
    }

    private PageFrame FrameOf(PageCall call, PageAnswer.Page page)
    {
        var request = call.Context.Request;
        // Also sets the cookie, which must be done before the page is written.
        var tokens = call.MayOperate ? _antiforgery.GetAndStoreTokens(call.Context) : null;
        string root = BaseOf(call.Context);
        string here = request.PathBase.Add(request.Path).ToUriComponent();
        here = here.Length > root.Length ? here[(root.Length + 1)..] : "";
        return new()
        {
            Base = root,
            Application = _options.Title ?? _environment.ApplicationName,
            Environment = _environment.EnvironmentName,
            Person = call.Context.User.Identity?.Name,
            MayOperate = call.MayOperate,
            Times = new(call.Now, PageCookies.ZoneOf(request)),
            Theme = PageCookies.ThemeOf(request),
            WantsUtc = PageCookies.WantsUtc(request),
            Token = tokens?.RequestToken,
            TokenField = tokens?.FormFieldName,
            Here = HttpMethods.IsGet(request.Method) ? here + request.QueryString.ToUriComponent() : "",
            Message = page.Message ?? PageMessages.Of(call.Query("did")),
            MessageIsError = page.MessageIsError,
        };
    }
}
