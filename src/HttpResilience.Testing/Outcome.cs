using Microsoft.AspNetCore.Http;

namespace HttpResilience.Testing;

/// <summary>
/// The outcome of one request. The same outcome can be played by a <see cref="FaultScript"/>, as a handler, and by
/// a <see cref="FaultServer"/>, over real sockets; a client sees no difference. Outcomes are stateless and can be used any number of times.
/// </summary>
public abstract class Outcome
{
    private protected Outcome()
    {
    }

    /// <summary>Whether the body of the request is read and recorded before the outcome is played.</summary>
    internal virtual bool ReadsBody => true;

    /// <summary>Whether a server can play the outcome.</summary>
    internal virtual bool CanBeServed => true;

    /// <summary>A response.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="body">The body, as <c>text/plain</c> unless <paramref name="headers"/> say otherwise. Default: none.</param>
    /// <param name="retryAfter">
    /// A <c>Retry-After</c> in seconds. A fraction is sent as such: RFC 9110 does not allow one, but some servers send it. Default: none.
    /// </param>
    /// <param name="headers">More header fields.</param>
    public static Outcome Status(int status, string body = "", TimeSpan? retryAfter = null, params (string Name, string Value)[] headers) =>
        new AnswerOutcome((_, _) => Answers.Text(status, body, [.. Answers.RetryAfter(retryAfter), .. headers]));

    /// <summary>A response with a <c>Retry-After</c> as a date, and with the <c>Date</c> of the script's clock.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="retryAfter">The date. It is sent without fractions of a second, which an HTTP-date does not have.</param>
    /// <param name="body">The body. Default: none.</param>
    /// <param name="headers">More header fields.</param>
    public static Outcome Status(int status, DateTimeOffset retryAfter, string body = "", params (string Name, string Value)[] headers) =>
        new AnswerOutcome((_, time) => Answers.Text(status, body, [.. Answers.RetryAfter(time.GetUtcNow(), retryAfter), .. headers]));

    /// <summary>A response with a JSON body.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="json">The body.</param>
    /// <param name="headers">More header fields; a <c>Content-Type</c> replaces <c>application/json</c>.</param>
    public static Outcome Json(int status, string json, params (string Name, string Value)[] headers) =>
        new AnswerOutcome((_, _) => Answers.Text(status, json, [("Content-Type", "application/json"), .. headers]));

    /// <summary>A response created by the test.</summary>
    /// <param name="respond">Called once for each request; the calls can be concurrent.</param>
    public static Outcome Respond(Func<SentRequest, HttpResponseMessage> respond)
    {
        ArgumentNullException.ThrowIfNull(respond);
        return new AnswerOutcome((request, _) => respond(request));
    }

    /// <summary>A connection reset after the request was read: the client cannot know whether it was processed.</summary>
    public static Outcome Reset() => new ResetOutcome();

    /// <summary>No response until the client gives up.</summary>
    public static Outcome NeverAnswers() => new SilentOutcome();

    /// <summary>A truncated response head, after which the connection is closed.</summary>
    public static Outcome HalfHead() => new HalfHeadOutcome();

    /// <summary>A truncated response body, shorter than its <c>Content-Length</c>, after which the connection is closed.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="begin">The part of the body that is sent. Default: empty.</param>
    public static Outcome HalfBody(int status, string begin = "") => new HalfBodyOutcome(status, begin);

    /// <summary>A response body that stalls until the client gives up.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="begin">The part of the body that is sent. Default: empty.</param>
    public static Outcome StalledBody(int status, string begin = "") => new StalledBodyOutcome(status, begin);

    /// <summary>
    /// A refused connection. Only a <see cref="FaultScript"/> can play it for one request; for a server
    /// see <see cref="FaultServer.GoDownAsync"/>.
    /// </summary>
    public static Outcome Refused() => new ThrowOutcome(Failures.Refused);

    /// <summary>A host name that cannot be resolved. Only a <see cref="FaultScript"/> can play it.</summary>
    public static Outcome HostNotFound() => new ThrowOutcome(Failures.HostNotFound);

    /// <summary>An exception. Only a <see cref="FaultScript"/> can play it.</summary>
    /// <param name="exception">Called once for each request.</param>
    public static Outcome Throws(Func<Exception> exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return new ThrowOutcome(exception);
    }

    /// <summary>
    /// An outcome chosen when the request has arrived. The delegate stands for the processing: with <see cref="Reset"/> as its result, the
    /// request was processed and the client does not know it.
    /// </summary>
    /// <param name="decide">Called once for each request; the calls can be concurrent.</param>
    public static Outcome Decide(Func<SentRequest, Outcome> decide)
    {
        ArgumentNullException.ThrowIfNull(decide);
        return new DecideOutcome((request, _) => new(decide(request)));
    }

    /// <inheritdoc cref="Decide(Func{SentRequest, Outcome})"/>
    /// <param name="decide">
    /// Called once for each request; the calls can be concurrent. The token is cancelled when the client gives up.
    /// </param>
    public static Outcome Decide(Func<SentRequest, CancellationToken, ValueTask<Outcome>> decide)
    {
        ArgumentNullException.ThrowIfNull(decide);
        return new DecideOutcome(decide);
    }

    /// <summary>Exactly these bytes, over plain HTTP/1.1. Only a <see cref="FaultServer"/> can play it.</summary>
    /// <param name="bytes">
    /// The bytes as Latin-1 text. If empty, the connection closes without a response;
    /// <see cref="SocketsHttpHandler"/> then repeats a GET by itself.
    /// </param>
    /// <param name="end">The state of the connection afterwards. Default: closed.</param>
    public static Outcome Raw(string bytes, RawEnd end = RawEnd.Close)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        return new RawOutcome(bytes, end);
    }

    /// <summary>
    /// Any processing by ASP.NET Core; the delegate reads the body of the request. Only a <see cref="FaultServer"/> can play it.
    /// </summary>
    /// <param name="serve">Called once for each request; the calls can be concurrent.</param>
    public static Outcome Serve(RequestDelegate serve)
    {
        ArgumentNullException.ThrowIfNull(serve);
        return new ServeOutcome(serve);
    }

    /// <summary>The same outcome, delayed by the script's clock.</summary>
    public Outcome Delayed(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        return new DelayedOutcome(by, this);
    }

    /// <summary>
    /// The same outcome before the body of the request was read: a reset or a response while the client may still be sending.
    /// </summary>
    public Outcome Unread() => new UnreadOutcome(this);

    /// <summary>Plays the outcome as a handler.</summary>
    internal abstract ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken);

    /// <summary>Plays the outcome as a server.</summary>
    internal abstract Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time);
}

/// <summary>The state of the connection after <see cref="Outcome.Raw"/>.</summary>
public enum RawEnd
{
    /// <summary>Closed cleanly (FIN).</summary>
    Close,

    /// <summary>Reset, as by a crash (RST).</summary>
    Reset,

    /// <summary>Left open without further bytes, until the client gives up.</summary>
    Stall,
}
