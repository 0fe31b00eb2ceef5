using System.Net;

namespace HttpResilience.Tests.RequestLogging;

/// <summary>Nothing that comes from a server can begin a line of its own in the log, or colour it.</summary>
public sealed class ForgedLineTests
{
    private const string Forged = "x\r\ninfo: all is well\nnext\u001b[31m\u0085\u2028\u2029\u0000\u007f\u009b\vend";

    public static TheoryData<string> Sources => ["text", "problem", "truncated json", "header", "exception", "tag", "tenant", "template"];

    [Theory, MemberData(nameof(Sources))]
    public async Task Control_characters_cannot_forge_a_line(string source)
    {
        using var chain = new Chain(o => o.Retry.MaxRetryAttempts = 1);
        string json = System.Text.Json.JsonSerializer.Serialize(Forged);
        var request = Chain.Get();
        chain.Server.Script(source switch
        {
            "text" => Replies.Status(503, Forged),
            "problem" => Replies.Status(503, $$"""{"title":{{json}},"detail":{{json}}}""", "application/problem+json"),
            "truncated json" => Replies.Status(503, "{\"title\":\"" + Forged, "application/json"),
            "header" => Replies.With(() =>
            {
                var response = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
                response.Headers.TryAddWithoutValidation("Retry-After", "\u001b[31m1");
                response.Headers.TryAddWithoutValidation("X-Should-Retry", "true\u001b[31m");
                return response;
            }),
            "exception" => Replies.Throws(() => new HttpRequestException(Forged, new IOException(Forged))),
            _ => Replies.Status(503),
        });
        _ = source switch
        {
            "tag" => request.WithTag("rowNumber", Forged),
            "tenant" => request.WithTenant(Forged),
            "template" => request.WithTag("url.template", Forged),
            _ => request,
        };

        await Record.ExceptionAsync(async () => (await chain.SendAsync(true, request)).Dispose());

        chain.Logs.WithId(201).ShouldHaveSingleItem();
        chain.Logs.Calls.ShouldHaveSingleItem();
        foreach (var entry in chain.Logs.Entries)
        {
            string[] texts = [entry.Message, .. entry.Properties.Values.OfType<string>()];
            texts.SelectMany(t => t).Where(c => char.IsControl(c) || c is '\u2028' or '\u2029').ShouldBeEmpty(entry.Message);
        }
    }

    [Fact]
    public async Task The_text_of_the_server_is_still_readable()
    {
        using var chain = new Chain(o => o.Retry.MaxRetryAttempts = 0);
        chain.Server.Script(Replies.Status(503, "one\r\ntwo"));

        (await chain.GetAsync()).Dispose();

        chain.Logs.Call["ErrorBody"].ShouldBe("one  two");
    }
}
