using System.Net;
using System.Net.Sockets;
using System.Text;

namespace HttpResilience.IntegrationTests;

/// <summary>A script looks the same to a client as its primary handler and on a server.</summary>
public sealed class ScriptAndServerTests
{
    private static readonly Dictionary<string, Func<FaultScript>> Scripts = new()
    {
        ["a status"] = () => new FaultScript().Status(404),
        ["a status without a body of its own"] = () => new FaultScript().Status(204),
        ["a body"] = () => new FaultScript().Status(503, "höchste Last"),
        ["Retry-After in seconds"] = () => new FaultScript().Status(429, retryAfter: TimeSpan.FromSeconds(2)),
        ["Retry-After in fractions"] = () => new FaultScript().Status(429, retryAfter: TimeSpan.FromMilliseconds(1500)),
        ["Retry-After as a date"] =
            () => new FaultScript(new ManualTimeProvider()).Status(429, ManualTimeProvider.DefaultStart.AddSeconds(30)),
        ["headers"] = () => new FaultScript().Status(
            200, "<a/>", null, ("Content-Type", "application/xml"), ("X-A", "1"), ("X-A", "2"), ("Content-Language", "de")),
        ["JSON"] = () => new FaultScript().Json(201, """{"id":1}"""),
        ["JSON of another type"] = () => new FaultScript().Json(422, "{}", ("Content-Type", "application/problem+json")),
        ["a response of the test's own"] =
            () => new FaultScript().Respond(r => new(HttpStatusCode.Accepted) { Content = new StringContent($"{r.Method} {r.Text}") }),
        ["no script"] = () => new FaultScript(),
        ["a reset"] = () => new FaultScript().Reset(),
        ["a reset, unread"] = () => new FaultScript().Reset().Unread(),
        ["a delayed reset"] = () => new FaultScript(new ManualTimeProvider { SkipsWaits = true }).Reset().Delayed(TimeSpan.FromSeconds(3)),
        ["an outage"] = () => new FaultScript().OutageFor(TimeSpan.FromHours(1)),
        ["half a head"] = () => new FaultScript().HalfHead(),
        ["half a body"] = () => new FaultScript().HalfBody(200, "the begin"),
        ["no body at all"] = () => new FaultScript().HalfBody(503),
        ["decided"] = () => new FaultScript().Decide(r => Outcome.Status(r.Text == "the body" && r.Uri.Query == "?a=b%20c" ? 201 : 400)),
        ["decided later"] = () => new FaultScript().Decide(async (r, _) =>
        {
            await Task.Yield();
            return Outcome.Reset();
        }),
    };

    public static TheoryData<string, Mode> All => [.. Scripts.Keys.SelectMany(s => new[] { (s, Mode.Async), (s, Mode.Sync) })];

    [Theory, MemberData(nameof(All))]
    public async Task A_script_looks_the_same_to_a_client_as_handler_and_as_server(string script, Mode mode)
    {
        string played = await SendAsync(new HttpClient(Scripts[script]()), new("http://127.0.0.1/"), mode);

        await using var server = await FaultServer.StartAsync(Scripts[script](), cancellationToken: TestContext.Current.CancellationToken);
        string served = await SendAsync(new HttpClient(new SocketsHttpHandler { UseProxy = false }), server.Uri, mode);

        played.ShouldBe(served);
        server.RequestCount.ShouldBe(1);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_refused_connection_of_a_script_looks_like_a_closed_port(Mode mode)
    {
        string played = await SendAsync(new HttpClient(new FaultScript().Refused()), new("http://127.0.0.1/"), mode);

        played.ShouldBe(
            await SendAsync(new HttpClient(new SocketsHttpHandler { UseProxy = false }), new($"http://127.0.0.1:{Ports.Closed()}/"), mode));
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task An_unknown_host_of_a_script_looks_like_the_platforms(Mode mode)
    {
        string played = await SendAsync(new HttpClient(new FaultScript().HostNotFound()), new("http://nobody.invalid/"), mode);
        string real = await SendAsync(new HttpClient(new SocketsHttpHandler { UseProxy = false }), new("http://nobody.invalid/"), mode);

        // The error code of the resolver depends on whether a name server is reachable.
        played.ShouldStartWith("HttpRequestException NameResolutionError");
        real.ShouldStartWith("HttpRequestException NameResolutionError");
    }

    private static async Task<string> SendAsync(HttpClient client, Uri address, Mode mode)
    {
        using (client)
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Post, new Uri(address, "invoices?a=b%20c"))
            { Content = new StringContent("the body") };
            try
            {
                using var response = await client.SendAsync(mode, request);
                return await DescribeAsync(response);
            }
            catch (HttpRequestException e)
            {
                return Describe(e);
            }
        }
    }

    private static async Task<string> DescribeAsync(HttpResponseMessage response)
    {
        var text = new StringBuilder($"{(int)response.StatusCode}\n");
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers)
            .Where(h => IsOfScript(h.Key, response)).OrderBy(h => h.Key))
            text.Append($"{name}: {string.Join(", ", values)}\n");
        response.RequestMessage!.RequestUri!.AbsolutePath.ShouldBe("/invoices");
        return text.Append(await response.TextAsync()).ToString();
    }

    private static bool IsOfScript(string header, HttpResponseMessage response) => header switch
    {
        // Each connection of the server serves one request.
        "Connection" => false,
        // Kestrel adds a Date header to every response.
        "Date" => response.Headers.RetryAfter?.Date is not null,
        // HttpClient adds an empty content to a response without a body.
        "Content-Length" => (int)response.StatusCode != 204,
        _ => true,
    };

    private static string Describe(Exception e) => e switch
    {
        HttpRequestException { InnerException: { } inner } http =>
            $"HttpRequestException {http.HttpRequestError} {http.Message.Split('(')[0]}\n{Describe(inner)}",
        // The message of the platform has the number of missing bytes in one of the two cases only.
        HttpIOException io => $"HttpIOException {io.HttpRequestError} {io.Message.Split([',', '.'])[0]}",
        SocketException socket => $"SocketException {socket.SocketErrorCode}",
        { InnerException: { } inner } => $"{e.GetType().Name} {e.Message}\n{Describe(inner)}",
        _ => $"{e.GetType().Name} {e.Message}",
    };
}
