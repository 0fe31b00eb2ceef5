using Microsoft.AspNetCore.Http;

namespace HttpResilience.Testing;

/// <summary>
/// What becomes of one request. The same outcome can be played by a <see cref="FaultScript"/>, as a handler, and
/// by a <see cref="FaultServer"/>, over real sockets; a client cannot tell the two apart. Outcomes hold no
/// state: one may be used any number of times.
/// </summary>
public abstract class Outcome
{
    private protected Outcome()
    {
    }

    /// <summary>The request's body is read, and recorded, before the outcome is played.</summary>
    internal virtual bool ReadsBody => true;

    /// <summary>A server can do it.</summary>
    internal virtual bool CanBeServed => true;

    /// <summary>An answer.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="body">The body, as <c>text/plain</c> unless <paramref name="headers"/> say otherwise. Default: none.</param>
    /// <param name="retryAfter">
    /// A <c>Retry-After</c> in seconds. A fraction is sent as such: RFC 9110 does not allow one, but some servers send it. Default: none.
    /// </param>
    /// <param name="headers">More header fields.</param>
    public static Outcome Status(int status, string body = "", TimeSpan? retryAfter = null, params (string Name, string Value)[] headers) =>
        new AnswerOutcome((_, _) => Answers.Text(status, body, [.. Answers.RetryAfter(retryAfter), .. headers]));

    /// <summary>An answer with a <c>Retry-After</c> that is a date, and the <c>Date</c> that the script's clock shows.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="retryAfter">Sent without its fraction of a second, which an HTTP-date cannot say.</param>
    /// <param name="body">The body. Default: none.</param>
    /// <param name="headers">More header fields.</param>
    public static Outcome Status(int status, DateTimeOffset retryAfter, string body = "", params (string Name, string Value)[] headers) =>
        new AnswerOutcome((_, time) => Answers.Text(status, body, [.. Answers.RetryAfter(time.GetUtcNow(), retryAfter), .. headers]));

    /// <summary>An answer with a JSON body.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="json">The body.</param>
    /// <param name="headers">More header fields; a <c>Content-Type</c> replaces <c>application/json</c>.</param>
    public static Outcome Json(int status, string json, params (string Name, string Value)[] headers) =>
        new AnswerOutcome((_, _) => Answers.Text(status, json, [("Content-Type", "application/json"), .. headers]));

    /// <summary>An answer of the test's own making.</summary>
    /// <param name="respond">Called once for each request, also from several threads at once.</param>
    public static Outcome Respond(Func<SentRequest, HttpResponseMessage> respond)
    {
        ArgumentNullException.ThrowIfNull(respond);
        return new AnswerOutcome((request, _) => respond(request));
    }

    /// <summary>The connection is reset after the request was read: the client cannot know whether it was processed.</summary>
    public static Outcome Reset() => new ResetOutcome();

    /// <summary>No answer at all, until the client gives up.</summary>
    public static Outcome NeverAnswers() => new SilentOutcome();

    /// <summary>The head of the response breaks off and the connection is closed.</summary>
    public static Outcome HalfHead() => new HalfHeadOutcome();

    /// <summary>The body of the response breaks off, short of its announced length, and the connection is closed.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="begin">What is sent of the body. Default: nothing.</param>
    public static Outcome HalfBody(int status, string begin = "") => new HalfBodyOutcome(status, begin);

    /// <summary>The body of the response begins and stalls, until the client gives up.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="begin">What is sent of the body. Default: nothing.</param>
    public static Outcome StalledBody(int status, string begin = "") => new StalledBodyOutcome(status, begin);

    /// <summary>
    /// No connection: refused. Only a <see cref="FaultScript"/> can do that to one request; for a server
    /// see <see cref="FaultServer.GoDownAsync"/>.
    /// </summary>
    public static Outcome Refused() => new ThrowOutcome(Failures.Refused);

    /// <summary>No connection: the name of the host is not known. Only a <see cref="FaultScript"/> can do that.</summary>
    public static Outcome HostNotFound() => new ThrowOutcome(Failures.HostNotFound);

    /// <summary>An exception. Only a <see cref="FaultScript"/> can do that.</summary>
    /// <param name="exception">Called once for each request.</param>
    public static Outcome Throws(Func<Exception> exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return new ThrowOutcome(exception);
    }

    /// <summary>
    /// Decides when the request is there. What the delegate does is the processing: a server that has done it and returns
    /// <see cref="Reset"/> has processed a request whose fate the client does not know.
    /// </summary>
    /// <param name="decide">Called once for each request, also from several threads at once.</param>
    public static Outcome Decide(Func<SentRequest, Outcome> decide)
    {
        ArgumentNullException.ThrowIfNull(decide);
        return new DecideOutcome((request, _) => new(decide(request)));
    }

    /// <inheritdoc cref="Decide(Func{SentRequest, Outcome})"/>
    /// <param name="decide">Called once for each request, also at the same time. The token is cancelled when the client gives up.</param>
    public static Outcome Decide(Func<SentRequest, CancellationToken, ValueTask<Outcome>> decide)
    {
        ArgumentNullException.ThrowIfNull(decide);
        return new DecideOutcome(decide);
    }

    /// <summary>These very bytes, over plain HTTP/1.1. Only a <see cref="FaultServer"/> can do that.</summary>
    /// <param name="bytes">
    /// Latin-1. If empty, the connection closes without a response; <see cref="SocketsHttpHandler"/> then repeats a GET by itself.
    /// </param>
    /// <param name="end">What happens to the connection then. Default: closed.</param>
    public static Outcome Raw(string bytes, RawEnd end = RawEnd.Close)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        return new RawOutcome(bytes, end);
    }

    /// <summary>
    /// Whatever ASP.NET Core can do with a request, whose body is left to the delegate. Only a <see cref="FaultServer"/> can do that.
    /// </summary>
    /// <param name="serve">Called once for each request, also from several threads at once.</param>
    public static Outcome Serve(RequestDelegate serve)
    {
        ArgumentNullException.ThrowIfNull(serve);
        return new ServeOutcome(serve);
    }

    /// <summary>The same, this much later by the script's clock.</summary>
    public Outcome Delayed(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        return new DelayedOutcome(by, this);
    }

    /// <summary>
    /// The same, before anything of the request's body was read: a reset or an answer that comes while the client may still be sending.
    /// </summary>
    public Outcome Unread() => new UnreadOutcome(this);

    /// <summary>Plays the outcome as a handler.</summary>
    internal abstract ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken);

    /// <summary>Plays the outcome as a server.</summary>
    internal abstract Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time);
}

/// <summary>What happens to the connection after <see cref="Outcome.Raw"/>.</summary>
public enum RawEnd
{
    /// <summary>It is closed as by a program that ends well (FIN).</summary>
    Close,

    /// <summary>It is reset as by a program that crashes (RST).</summary>
    Reset,

    /// <summary>Nothing more comes, until the client gives up.</summary>
    Stall,
}
