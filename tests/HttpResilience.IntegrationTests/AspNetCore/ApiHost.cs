using System.Net;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using HttpResilience.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.IntegrationTests.AspNetCore;

/// <summary>An application with the API on a loopback port. Who asks is in a header field: <c>X-User: anna; staff, operators</c>.</summary>
internal sealed class ApiHost : IAsyncDisposable
{
    internal const string Prefix = "/resilience/api/v1";

    internal const string Staff = "anna; staff", Operator = "olga; staff, operators", Other = "oskar; staff, operators";

    private readonly WebApplication _app;
    private readonly HttpClient _client;

    private ApiHost(WebApplication app)
    {
        _app = app;
        _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new(app.Urls.Single()) };
    }

    internal IServiceProvider Services => _app.Services;

    internal Uri Address => _client.BaseAddress!;

    internal LogCollector Log { get; private init; } = null!;

    /// <summary>An application as the manual has it: staff may see, operators may change.</summary>
    internal static Task<ApiHost> StartAsync(AddStorage storage, Action<HttpResilienceApiOptions>? options = null) => StartAsync(
        builder =>
        {
            storage(builder.Services);
            AddPeople(builder.Services);
            builder.Services.AddHttpResilienceApi(o =>
            {
                o.OperatePolicy = "operators";
                o.PostsPerMinute = 10_000;
                options?.Invoke(o);
            });
        },
        app => app.MapHttpResilienceApi().RequireAuthorization("staff"));

    /// <summary>Registers a store.</summary>
    internal delegate void AddStorage(IServiceCollection services);

    /// <param name="configure">Registers services.</param>
    /// <param name="map">Maps endpoints.</param>
    /// <param name="environment">Default: Production.</param>
    internal static async Task<ApiHost> StartAsync(
        Action<WebApplicationBuilder> configure, Action<WebApplication> map, string environment = "Production")
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            EnvironmentName = environment,
            ApplicationName = Storage.Letters.Application,
        });
        var log = new LogCollector();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        configure(builder);
        var app = builder.Build();
        map(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new(app) { Log = log };
    }

    /// <summary>Who one is by X-User, and the policies staff and operators.</summary>
    internal static void AddPeople(IServiceCollection services)
    {
        services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, People>("test", null);
        services.AddAuthorization(o =>
        {
            o.AddPolicy("staff", p => p.RequireRole("staff"));
            o.AddPolicy("operators", p => p.RequireRole("operators"));
        });
    }

    internal Task<ApiAnswer> GetAsync(string path, string? person = Staff, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Get, path, person, null, headers);

    internal Task<ApiAnswer> PostAsync(
        string path, string json = "{}", string? person = Operator, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, person, new StringContent(json, Encoding.UTF8, "application/json"), headers);

    internal async Task<ApiAnswer> SendAsync(
        HttpMethod method, string path, string? person, HttpContent? content, params (string Name, string Value)[] headers)
    {
        string address = path.StartsWith('/') ? path : $"{Prefix}/{path}";
        using var request = new HttpRequestMessage(method, new Uri(address, UriKind.Relative)) { Content = content };
        if (person is not null)
            request.Headers.Add("X-User", person);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        return new(
            response.StatusCode, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken),
            response.Headers.Concat(response.Content.Headers).ToDictionary(
                h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    private sealed class People(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-User"].ToString().Split(';') is not [var name, var roles])
                return Task.FromResult(AuthenticateResult.NoResult());
            var claims = roles.Split(',').Select(role => new Claim(ClaimTypes.Role, role.Trim()));
            if (name.Length > 0)
                claims = claims.Append(new(ClaimTypes.Name, name));
            var person = new ClaimsPrincipal(new ClaimsIdentity(claims, "test"));
            return Task.FromResult(AuthenticateResult.Success(new(person, "test")));
        }
    }
}

/// <summary>What the API answered.</summary>
internal sealed record ApiAnswer(HttpStatusCode Status, byte[] Bytes, IReadOnlyDictionary<string, string> Headers)
{
    internal string Text => Encoding.UTF8.GetString(Bytes);

    internal JsonNode Json => JsonNode.Parse(Bytes)!;

    internal string? this[string name] => Headers.GetValueOrDefault(name);

    internal ApiAnswer ShouldBe(HttpStatusCode status)
    {
        Status.ShouldBe(status, Text);
        return this;
    }

    /// <summary>Problem details of a status.</summary>
    internal JsonNode ShouldBeProblem(HttpStatusCode status)
    {
        ShouldBe(status);
        this["Content-Type"].ShouldBe("application/problem+json; charset=utf-8");
        Json["status"]!.GetValue<int>().ShouldBe((int)status);
        Json["title"]!.GetValue<string>().ShouldNotBeEmpty();
        return Json;
    }
}
