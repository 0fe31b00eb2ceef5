using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.PageTests;

/// <summary>
/// An application with the page on a loopback port. Who asks is in a header field, <c>X-User: anna; staff, operators</c>, or in a cookie of
/// that name.
/// </summary>
internal sealed class PageHost : IAsyncDisposable
{
    internal const string Prefix = "/resilience";

    internal const string TokenPath = "/token";

    internal const string Staff = "anna; staff", Operator = "olga; staff, operators", Other = "oskar; staff, operators";

    private readonly WebApplication _app;

    private PageHost(WebApplication app) => _app = app;

    internal IServiceProvider Services => _app.Services;

    internal Uri Address => new(_app.Urls.Single());

    internal string Page(string path = "") => $"{Address.GetLeftPart(UriPartial.Authority)}{Prefix}{(path.Length == 0 ? "" : "/")}{path}";

    internal IDeadLetterStore Letters => Services.GetRequiredService<IDeadLetterStore>();

    /// <summary>An application as the manual has it: staff may see, operators may change.</summary>
    internal static Task<PageHost> StartAsync(
        Action<HttpResilienceStorageBuilder>? storage = null, Action<HttpResiliencePageOptions>? options = null,
        Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? map = null) => StartHostAsync(
        builder =>
        {
            builder.Services.AddHttpResilienceStorage(storage ?? (s => s.UseInMemory()));
            AddPeople(builder.Services);
            builder.Services.AddHttpResiliencePage(o =>
            {
                o.OperatePolicy = "operators";
                o.PostsPerMinute = 10_000;
                o.LetterTitleTags.Add("document");
                options?.Invoke(o);
            });
            configure?.Invoke(builder);
        },
        map ?? (app => app.MapHttpResilience(Prefix).RequireAuthorization("staff")));

    /// <param name="configure">Registers services.</param>
    /// <param name="map">Maps endpoints.</param>
    /// <param name="environment">Default: Production.</param>
    internal static async Task<PageHost> StartHostAsync(
        Action<WebApplicationBuilder> configure, Action<WebApplication> map, string environment = "Production")
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            EnvironmentName = environment,
            ApplicationName = HttpResilience.IntegrationTests.Storage.Letters.Application,
        });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        configure(builder);
        var app = builder.Build();
        map(app);
        // A token as the forms of the page have it, for those who send none of these forms.
        app.MapGet(TokenPath, (HttpContext context, IAntiforgery forms) => forms.GetAndStoreTokens(context).RequestToken).AllowAnonymous();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new(app);
    }

    /// <summary>Who one is, and the policies staff and operators.</summary>
    internal static void AddPeople(IServiceCollection services)
    {
        services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, People>("test", null);
        services.AddAuthorizationBuilder()
            .AddPolicy("staff", p => p.RequireRole("staff")).AddPolicy("operators", p => p.RequireRole("operators"));
    }

    /// <summary>Waits until the instance has written its row, which it does at start.</summary>
    internal async Task WaitForHeartbeatAsync()
    {
        var holds = Services.GetRequiredService<CircuitHolds>();
        while ((await holds.InstancesAsync(TestContext.Current.CancellationToken)).Count == 0)
            await Task.Yield();
    }

    /// <summary>A client without a browser, as one person.</summary>
    internal HttpClient Client(string? person = Operator)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new() })
        {
            BaseAddress = new(Page() + "/"),
        };
        if (person is not null)
            client.DefaultRequestHeaders.Add("X-User", person);
        return client;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private sealed class People(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            string who = Request.Headers["X-User"].ToString() is { Length: > 0 } named ? named
                : WebUtility.UrlDecode(Request.Cookies["X-User"] ?? "");
            if (who.Split(';') is not [var name, var roles])
                return Task.FromResult(AuthenticateResult.NoResult());
            var claims = roles.Split(',').Select(role => new Claim(ClaimTypes.Role, role.Trim()));
            if (name.Length > 0)
                claims = claims.Append(new(ClaimTypes.Name, name));
            return Task.FromResult(AuthenticateResult.Success(new(new(new ClaimsIdentity(claims, "test")), "test")));
        }
    }
}
