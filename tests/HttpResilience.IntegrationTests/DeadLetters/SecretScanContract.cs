using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using HttpResilience.IntegrationTests.Storage;
using HttpResilience.Tests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace HttpResilience.IntegrationTests.DeadLetters;

/// <summary>
/// Calls carry a marker in every header field and query parameter that real APIs have for credentials, and the server echoes them in every
/// text of its response. No marker is in the database, a log line of any level, a span, an exception, an alert or the data of the health
/// check. Names and sources: <c>tests/HttpResilience.Tests/Http/SecretNames.tsv</c>.
/// </summary>
public abstract class SecretScanContract : IAsyncLifetime
{
    private const string Client = "payments";
    private const string Marker = "S3CR3TMARKER";
    private const string OfBody = "B0DYMARKER";
    // Kestrel refuses more than 100 header fields.
    private const int PerRequest = 40;

    private static readonly string[] Modes =
        ["text", "json", "cut", "problem", "xml", "html", "escaped", "empty", "redirect", "retry", "abort"];

    private static readonly string[] SecretHeaders = NamesOf("header"), Parameters = NamesOf("parameter"), Harmless = NamesOf("harmless");

    private TestDatabase _database = null!;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected abstract ValueTask<TestDatabase> CreateAsync();

    [Fact]
    public async Task No_marker_is_found_anywhere()
    {
        var seen = new SeenTexts();
        using var spans = seen.ListenToSpans();
        var posted = new ConcurrentQueue<string>();
        await using var receiver = await KestrelServer.StartAsync(async context =>
        {
            posted.Enqueue((await Reply.ReadAsync(context)).Text);
            context.Response.StatusCode = 200;
        });
        await using var api = await KestrelServer.StartAsync(EchoAsync);
        using var host = await StartAsync(api, receiver, seen);
        var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(Client);
        foreach (string mode in Modes)
        {
            foreach (var chunk in SecretHeaders.Select((name, i) => (name, i)).Chunk(PerRequest))
                await CallAsync(client, seen, $"x?mode={mode}", chunk);
            string query = string.Join('&', Parameters.Select((p, i) => $"{p}={Marker}{500 + i}%2Fx"));
            await CallAsync(client, seen, $"x?mode={mode}&{query}", []);
            await CallAsync(client, seen, $"x?mode={mode}", [], HttpMethod.Get);
        }

        var batch = await IsolatedBatch.RunAsync(
            Enumerable.Range(0, Modes.Length), async (i, token) =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, $"x?mode={Modes[i]}&sig={Marker}900");
                request.Headers.TryAddWithoutValidation("X-Api-Key", $"{Marker}901");
                using var response = await client.SendAsync(request, token);
                response.EnsureSuccessStatusCode();
            }, cancellationToken: Token);
        foreach (var failure in batch.Failures)
            seen.Add($"batch failure {failure.Error}");
        seen.Add(batch.ToString());
        await Eventually.BeAsync(() => !posted.IsEmpty);
        foreach (string alert in posted)
            seen.Add(alert);
        var health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token);
        foreach (var (name, entry) in health.Entries)
            seen.Add($"{name} {entry.Description} {entry.Exception} {string.Join(' ', entry.Data)}");
        var letters = await host.Services.GetRequiredService<IDeadLetterReview>().ListAsync(new() { Limit = 1000 }, Token);
        foreach (var letter in letters)
            seen.Add($"{letter with { Body = null }} {string.Join(' ', letter.Headers)} {letter.ErrorTitle} {letter.ErrorDetail}");
        await host.StopAsync(Token);

        letters.Count.ShouldBeGreaterThan(Modes.Length);
        string[] sent = [.. SecretHeaders, .. Parameters.Select(p => "?" + p)];
        sent.Except(letters.SelectMany(l => l.LeftOut), StringComparer.OrdinalIgnoreCase).ShouldBeEmpty("all are listed in letters");
        letters.SelectMany(l => l.LeftOut).Except(sent, StringComparer.OrdinalIgnoreCase).ShouldBeEmpty("nothing else is");
        string database = await DatabaseDump.OfAsync(_database, Token);
        database.ShouldContain("payments");
        Around(database, Marker).ShouldBeNull("in the database");
        seen.Count.ShouldBeGreaterThan(100);
        seen.First(Marker).ShouldBeNull("in a log line, a span, an exception, an alert or the health data");
        seen.First(OfBody).ShouldBeNull("echoed from the body of the request");
    }

    [Fact]
    public async Task Harmless_headers_are_kept_and_replayed()
    {
        var seen = new SeenTexts();
        var received = new ConcurrentQueue<ReceivedRequest>();
        await using var api = await KestrelServer.StartAsync(async context =>
        {
            received.Enqueue(await Reply.ReadAsync(context));
            context.Response.StatusCode = received.Count <= 2 ? 503 : 201;
        });
        using var host = await StartAsync(api, null, seen);
        var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(Client);
        using var request = new HttpRequestMessage(HttpMethod.Post, "x") { Content = new StringContent("invoice 1") };
        string[] names = [.. Harmless.Where(n => !n.StartsWith("Content-", StringComparison.Ordinal) && n != "If-Match")];
        foreach (string name in names)
            request.Headers.TryAddWithoutValidation(name, name == "From" ? "a@b.example" : $"value-of-{name}");

        using var response = await client.SendAsync(request, Token);
        var review = host.Services.GetRequiredService<IDeadLetterReview>();
        var after = await review.SendAsync(response.GetHttpCall()!.DeadLetterId!.Value, "alice", Token);

        after.LeftOut.ShouldBeEmpty();
        after.Status.ShouldBe(DeadLetterStatus.Replayed);
        foreach (string name in names.Append("Content-Type"))
            received.Last().Headers[name].ShouldBe(received.First().Headers[name], name);
        await host.StopAsync(Token);
    }

    public async ValueTask InitializeAsync() => _database = await CreateAsync();

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private static string[] NamesOf(string kind) =>
        [.. Repository.Read("tests/HttpResilience.Tests/Http/SecretNames.tsv").Split('\n').Select(line => line.TrimEnd('\r').Split('\t'))
            .Where(row => row[0] == kind).Select(row => row[1]).Distinct(StringComparer.OrdinalIgnoreCase)];

    private static async Task CallAsync(
        HttpClient client, SeenTexts seen, string uri, IEnumerable<(string Name, int Index)> headers, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Post, uri);
        if (method is null)
        {
            request.Content = new StringContent(
                JsonSerializer.Serialize(new { name = "jane", password = OfBody + "1", card = new { number = OfBody + "22", cvv = 123 } }),
                Encoding.UTF8, "application/json");
        }

        foreach (var (name, index) in headers)
            request.Headers.TryAddWithoutValidation(name, $"{Marker}{index:000}");
        try
        {
            using var response = await client.SendAsync(request, Token);
            seen.Add($"call {response.GetHttpCall()!.Error}");
        }
        catch (HttpRequestException e)
        {
            seen.Add($"exception {e}");
        }
    }

    // Everything that the request had, in every text that a response has.
    private static async Task EchoAsync(HttpContext context)
    {
        var request = await Reply.ReadAsync(context);
        var pairs = context.Request.Headers.Where(h => h.Value.ToString().Contains(Marker, StringComparison.Ordinal))
            .Select(h => (Name: h.Key, Value: h.Value.ToString()))
            .Concat(context.Request.Query.Select(q => (Name: q.Key, Value: q.Value.ToString()))).ToArray();
        string echo = string.Join(", ", pairs.Select(p => p.Value));
        string lines = string.Join('\n', pairs.Select(p => $"{p.Name}: {p.Value}"));
        string mode = context.Request.Query["mode"].ToString();
        string json = JsonSerializer.Serialize(
            new { message = echo, given = pairs.ToDictionary(p => p.Name, p => p.Value), body = request.Text });
        var (status, type, body) = mode switch
        {
            "json" => (400, "application/json", json),
            "cut" => (500, "application/json", json[..(json.Length * 2 / 3)]),
            "problem" => (422, "application/problem+json", JsonSerializer.Serialize(
                new { type = $"https://a.example/?sig={Marker}9", title = $"Bad {echo} {request.Text}", detail = lines })),
            "xml" => (400, "application/xml", $"<e><m>{WebUtilityEncode(lines)}</m><password>{OfBody}1</password></e>"),
            "html" => (502, "text/html", $"<h1>{WebUtilityEncode(lines + request.Text)}</h1>"),
            "escaped" => (400, "text/plain", Uri.EscapeDataString(lines + request.Text)),
            "empty" => (400, "text/plain", ""),
            "redirect" => (307, "text/plain", ""),
            "retry" => (429, "text/plain", lines),
            _ => (400, "text/plain", $"{lines}\u202e{request.Text}"),
        };
        if (mode == "abort")
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = $"Bad {echo}";
        context.Response.Headers["X-Debug"] = echo;
        context.Response.Headers.SetCookie = $"sid={Marker}8; Path=/";
        if (mode == "redirect")
            context.Response.Headers.Location = $"https://127.0.0.1:1/y?sig={Marker}7";
        if (mode == "retry")
            context.Response.Headers.RetryAfter = echo;
        if (mode != "empty")
            await context.Response.WriteAsync(body, context.RequestAborted);
    }

    private static string WebUtilityEncode(string text) => System.Net.WebUtility.HtmlEncode(text);

    private static string? Around(string text, string found) => text.IndexOf(found, StringComparison.OrdinalIgnoreCase) is >= 0 and var at
        ? text[Math.Max(0, at - 200)..Math.Min(text.Length, at + 100)] : null;

    private async Task<IHost> StartAsync(KestrelServer api, KestrelServer? receiver, SeenTexts seen)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(receiver is null ? [] : new Dictionary<string, string?>
        {
            ["HttpResilience:Alerts:Webhooks:0:Url"] = $"{receiver.Uri}hook",
            ["HttpResilience:Alerts:Webhooks:0:Format"] = "Json",
            ["HttpResilience:Alerts:Rules:0:Type"] = "ConsecutiveFailures",
        });
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(seen).AddJsonConsole(o => o.IncludeScopes = true);
        builder.Services.AddSingleton(seen);
        _database.AddTo(builder.Services);
        builder.Services.AddResilientHttpClient(Client, options =>
        {
            options.BaseAddress = api.Uri;
            options.DeadLetter.Enabled = true;
            options.Idempotency.RememberFor = TimeSpan.FromDays(1);
            options.Fallback.Enabled = true;
            options.Retry.MaxRetryAttempts = 1;
            options.Retry.Delay = TimeSpan.FromMilliseconds(1);
            options.Retry.MaxRetryAfter = TimeSpan.FromMilliseconds(1);
            options.CircuitBreaker.BreakDuration = null;
            options.Logging.KeepFactoryLogging = true;
        }).ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        builder.Services.AddHttpResilienceOperations();
        builder.Services.AddHealthChecks().AddHttpResilience();
        var host = builder.Build();
        seen.Json = host.Services.GetServices<ConsoleFormatter>().First(f => f.Name == ConsoleFormatterNames.Json);
        await host.StartAsync(Token);
        return host;
    }

    /// <summary>Every text that the process shows: log lines of all levels with properties, exceptions and scopes, and spans.</summary>
    private sealed class SeenTexts : ILoggerProvider, ISupportExternalScope
    {
        private readonly ConcurrentQueue<string> _texts = new();
        private IExternalScopeProvider? _scopes;

        internal ConsoleFormatter? Json { get; set; }

        internal int Count => _texts.Count;

        public ILogger CreateLogger(string categoryName) => new Logger(categoryName, this);

        public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

        public void Dispose() => GC.SuppressFinalize(this);

        internal void Add(string text) => _texts.Enqueue(text);

        internal string? First(string found) => _texts.Select(text => Around(text, found)).FirstOrDefault(text => text is not null);

        internal ActivityListener ListenToSpans()
        {
            var listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name is "HttpResilience" or "System.Net.Http",
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span => Add(
                    $"span {span.DisplayName} {span.StatusDescription} {string.Join(' ', span.TagObjects)} "
                    + string.Join(' ', span.Events.Select(e => $"{e.Name} {string.Join(' ', e.Tags)}"))),
            };
            ActivitySource.AddActivityListener(listener);
            return listener;
        }

        private sealed class Logger(string category, SeenTexts seen) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => seen._scopes?.Push(state);

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                seen.Add($"{logLevel} {category} {eventId} {formatter(state, exception)} {exception}");
                if (state is IEnumerable<KeyValuePair<string, object?>> properties)
                    seen.Add(string.Join(' ', properties.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Key}={p.Value}"))));
                seen._scopes?.ForEachScope(static (scope, s) => s.Add($"scope {scope}"), seen);
                if (seen.Json is not { } json)
                    return;
                using var console = new StringWriter();
                json.Write(new LogEntry<TState>(logLevel, category, eventId, state, exception, formatter), seen._scopes, console);
                seen.Add(console.ToString());
            }
        }
    }
}
