using Microsoft.AspNetCore.Http;

namespace HttpResilience.Testing;

/// <summary>
/// A primary handler that simulates an API: it plays one scripted outcome for each request, in order, and repeats the last one. Give it to
/// a client with <c>ConfigurePrimaryHttpMessageHandler(() => script)</c>, or to a <see cref="FaultServer"/>, which plays it over real
/// sockets. It records the requests. A script without outcomes responds 200.
/// </summary>
/// <remarks>
/// All members are thread-safe. Disposing does nothing, so that handler rotation does not affect the script.
/// </remarks>
/// <example><code>
/// var api = new FaultScript().Status(503, retryAfter: TimeSpan.FromSeconds(1)).Reset().NeverAnswers().Status(201);
/// </code></example>
/// <param name="time">The clock for delays, dates and the record. Default: the system clock.</param>
/// <param name="keepsRequests">False counts the requests without recording them, for endless runs. Default: true.</param>
public sealed class FaultScript(TimeProvider? time = null, bool keepsRequests = true) : HttpMessageHandler
{
    private readonly Script _script = new(time ?? TimeProvider.System, keepsRequests);

    /// <summary>The recorded requests, in order of arrival.</summary>
    public IReadOnlyList<SentRequest> Requests => _script.Requests;

    /// <summary>The number of requests that have arrived, including those that are still being read.</summary>
    public int RequestCount => _script.Count;

    /// <summary>
    /// The calls of which <see cref="Requests"/> are the attempts, in order of their first attempt. Empty when a <see cref="FaultServer"/>
    /// plays the script, because a server sees only the request on the wire.
    /// </summary>
    public IReadOnlyList<HttpCall> Calls => [.. Requests.Select(r => r.Call).OfType<HttpCall>().Distinct()];

    internal Script Script => _script;

    /// <summary>Adds an outcome.</summary>
    public FaultScript Then(Outcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        _script.Add(outcome);
        return this;
    }

    /// <summary>
    /// Replaces all outcomes, for an API that changes in the middle of a test: the next request gets the first of these. The recorded
    /// requests are kept.
    /// </summary>
    public FaultScript Replace(params Outcome[] outcomes)
    {
        ArgumentNullException.ThrowIfNull(outcomes);
        if (Array.IndexOf(outcomes, null) >= 0)
            throw new ArgumentException("An outcome is null.", nameof(outcomes));
        _script.Replace(outcomes);
        return this;
    }

    /// <inheritdoc cref="Outcome.Status(int, string, TimeSpan?, ValueTuple{string, string}[])"/>
    public FaultScript Status(int status, string body = "", TimeSpan? retryAfter = null, params (string Name, string Value)[] headers) =>
        Then(Outcome.Status(status, body, retryAfter, headers));

    /// <inheritdoc cref="Outcome.Status(int, DateTimeOffset, string, ValueTuple{string, string}[])"/>
    public FaultScript Status(int status, DateTimeOffset retryAfter, string body = "", params (string Name, string Value)[] headers) =>
        Then(Outcome.Status(status, retryAfter, body, headers));

    /// <inheritdoc cref="Outcome.Json"/>
    public FaultScript Json(int status, string json, params (string Name, string Value)[] headers) =>
        Then(Outcome.Json(status, json, headers));

    /// <inheritdoc cref="Outcome.Respond"/>
    public FaultScript Respond(Func<SentRequest, HttpResponseMessage> respond) => Then(Outcome.Respond(respond));

    /// <inheritdoc cref="Outcome.Reset"/>
    public FaultScript Reset() => Then(Outcome.Reset());

    /// <inheritdoc cref="Outcome.NeverAnswers"/>
    public FaultScript NeverAnswers() => Then(Outcome.NeverAnswers());

    /// <inheritdoc cref="Outcome.HalfHead"/>
    public FaultScript HalfHead() => Then(Outcome.HalfHead());

    /// <inheritdoc cref="Outcome.HalfBody"/>
    public FaultScript HalfBody(int status, string begin = "") => Then(Outcome.HalfBody(status, begin));

    /// <inheritdoc cref="Outcome.StalledBody"/>
    public FaultScript StalledBody(int status, string begin = "") => Then(Outcome.StalledBody(status, begin));

    /// <inheritdoc cref="Outcome.Refused"/>
    public FaultScript Refused() => Then(Outcome.Refused());

    /// <inheritdoc cref="Outcome.HostNotFound"/>
    public FaultScript HostNotFound() => Then(Outcome.HostNotFound());

    /// <inheritdoc cref="Outcome.Throws"/>
    public FaultScript Throws(Func<Exception> exception) => Then(Outcome.Throws(exception));

    /// <inheritdoc cref="Outcome.Decide(Func{SentRequest, Outcome})"/>
    public FaultScript Decide(Func<SentRequest, Outcome> decide) => Then(Outcome.Decide(decide));

    /// <inheritdoc cref="Outcome.Decide(Func{SentRequest, CancellationToken, ValueTask{Outcome}})"/>
    public FaultScript Decide(Func<SentRequest, CancellationToken, ValueTask<Outcome>> decide) => Then(Outcome.Decide(decide));

    /// <inheritdoc cref="Outcome.Raw"/>
    public FaultScript Raw(string bytes, RawEnd end = RawEnd.Close) => Then(Outcome.Raw(bytes, end));

    /// <inheritdoc cref="Outcome.Serve"/>
    public FaultScript Serve(RequestDelegate serve) => Then(Outcome.Serve(serve));

    /// <summary>
    /// Resets every request for the given duration of the script's clock, starting with the first request that reaches this outcome; the
    /// script continues with the first request after that. As the last outcome the outage never ends.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="duration"/> is not positive.</exception>
    public FaultScript OutageFor(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero);
        return Then(new OutageOutcome(duration));
    }

    /// <summary>Delays the last outcome: <c>Status(200).Delayed(...)</c>.</summary>
    /// <exception cref="InvalidOperationException">The script is empty, or its last outcome is an outage.</exception>
    public FaultScript Delayed(TimeSpan by)
    {
        _script.ChangeLast(o => o is OutageOutcome ? throw new InvalidOperationException("An outage cannot be delayed.") : o.Delayed(by));
        return this;
    }

    /// <summary>Plays the last outcome before the body of the request was read: <c>Reset().Unread()</c>.</summary>
    /// <exception cref="InvalidOperationException">The script is empty, or its last outcome is an outage.</exception>
    public FaultScript Unread()
    {
        _script.ChangeLast(
            o => o is OutageOutcome
                ? throw new InvalidOperationException("An outage cannot be played before the body was read.")
                : o.Unread());
        return this;
    }

    /// <summary>Plays the last outcome the given number of times in total: <c>Status(503).Times(3)</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is below 1.</exception>
    /// <exception cref="InvalidOperationException">The script is empty.</exception>
    public FaultScript Times(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        _script.RepeatLast(count);
        return this;
    }

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        var arrival = _script.Arrive();
        // A real response never arrives on the stack of its caller.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var body = new MemoryStream();
        if (arrival.Outcome.ReadsBody && request.Content is not null)
            await request.Content.CopyToAsync(body, cancellationToken).ConfigureAwait(false);
        return await PlayAsync(arrival, request, body, async: true, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        var arrival = _script.Arrive();
        using var body = new MemoryStream();
        if (arrival.Outcome.ReadsBody)
            request.Content?.CopyTo(body, null, cancellationToken);
        return PlayAsync(arrival, request, body, async: false, cancellationToken).AsTask().GetAwaiter().GetResult();
    }

    private async ValueTask<HttpResponseMessage> PlayAsync(
        Arrival arrival, HttpRequestMessage request, MemoryStream body, bool async, CancellationToken cancellationToken)
    {
        var sent = Snapshot(arrival, request, body.ToArray());
        _script.Record(arrival, sent);
        var response = await arrival.Outcome.RespondAsync(sent, new Stage(_script.Time, async), cancellationToken).ConfigureAwait(false);
        response.RequestMessage ??= request;
        return response;
    }

    private static SentRequest Snapshot(Arrival arrival, HttpRequestMessage request, byte[] body)
    {
        var headers = request.Headers.NonValidated.Concat(request.Content?.Headers.NonValidated ?? [])
            .ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        // The call of a request is available only through its response.
        using var asked = new HttpResponseMessage { RequestMessage = request };
        var uri = request.RequestUri ?? throw new InvalidOperationException("The request has no URI.");
        return new(arrival, request.Method, uri, headers, body, asked.GetHttpCall());
    }
}
