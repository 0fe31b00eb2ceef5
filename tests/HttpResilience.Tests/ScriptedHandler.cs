using System.Text;

namespace HttpResilience.Tests;

/// <summary>Stands where the wire would begin: replies by the script, and remembers what was sent. The last reply of the script repeats.</summary>
internal sealed class ScriptedHandler(ManualTimeProvider clock) : HttpMessageHandler
{
    private readonly Lock _gate = new();
    private readonly List<SentRequest> _sent = [];
    private Reply[] _script = [Replies.Status(200)];
    private int _next;

    /// <summary>One for each attempt that reached the wire.</summary>
    public IReadOnlyList<SentRequest> Sent
    {
        get
        {
            lock (_gate)
                return [.. _sent];
        }
    }

    public void Script(params Reply[] replies)
    {
        lock (_gate)
            (_script, _next) = (replies, 0);
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string? body = request.Content is null ? null : await ReadAsync(request.Content, cancellationToken);
        // The wire never answers on the caller's stack.
        await Task.Yield();
        return await Next(request, body)(clock, true, cancellationToken);
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var body = new MemoryStream();
        request.Content?.CopyTo(body, null, cancellationToken);
        return Next(request, request.Content is null ? null : ToText(body))(clock, false, cancellationToken).GetAwaiter().GetResult();
    }

    // As the wire does: writes the content out, and does not keep it.
    private static async Task<string> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        await content.CopyToAsync(body, cancellationToken);
        return ToText(body);
    }

    private static string ToText(MemoryStream body) => Encoding.UTF8.GetString(body.ToArray());

    private Reply Next(HttpRequestMessage request, string? body)
    {
        var headers = request.Headers.NonValidated.Concat(request.Content?.Headers.NonValidated ?? [])
            .ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        lock (_gate)
        {
            _sent.Add(new(clock.Elapsed, request.Method.Method, request.RequestUri!, headers, body));
            return _script[Math.Min(_next++, _script.Length - 1)];
        }
    }
}

/// <summary>One attempt as it went out.</summary>
/// <param name="At">Since the start of the clock.</param>
/// <param name="Headers">Values of one name are joined with ", ".</param>
internal sealed record SentRequest(TimeSpan At, string Method, Uri Uri, IReadOnlyDictionary<string, string> Headers, string? Body)
{
    public string? IdempotencyKey => Headers.GetValueOrDefault("Idempotency-Key");
}
