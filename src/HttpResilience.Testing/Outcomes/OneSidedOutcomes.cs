using System.Text;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.Testing;

internal sealed class ThrowOutcome(Func<Exception> exception) : Outcome
{
    internal const string NotServed = "A server cannot refuse a single connection or throw in its client; "
        + "use the FaultScript as a handler. FaultServer.GoDownAsync refuses all connections.";

    internal override bool CanBeServed => false;

    internal override ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken) =>
        throw exception();

    internal override Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time) =>
        throw new InvalidOperationException(NotServed);
}

internal sealed class RawOutcome(string bytes, RawEnd end) : Outcome
{
    internal override ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("Raw bytes need a FaultServer.");

    internal override Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time) =>
        Wire.SendAsync(context, Encoding.Latin1.GetBytes(bytes), end);
}

internal sealed class ServeOutcome(RequestDelegate serve) : Outcome
{
    internal override bool ReadsBody => false;

    internal override ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("Processing by ASP.NET Core needs a FaultServer.");

    internal override Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time) => serve(context);
}
