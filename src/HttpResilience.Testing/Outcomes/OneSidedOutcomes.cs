using System.Text;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.Testing;

internal sealed class ThrowOutcome(Func<Exception> exception) : Outcome
{
    internal const string NotServed = "A server cannot refuse one connection, nor throw in its client: "
        + "that takes a FaultScript as handler. FaultServer.GoDownAsync refuses all.";

    internal override bool CanBeServed => false;

    internal override ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken) =>
        throw exception();

    internal override Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time) =>
        throw new InvalidOperationException(NotServed);
}

internal sealed class RawOutcome(string bytes, RawEnd end) : Outcome
{
    internal override ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("Raw bytes take a FaultServer.");

    internal override Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time) =>
        Wire.SendAsync(context, Encoding.Latin1.GetBytes(bytes), end);
}

internal sealed class ServeOutcome(RequestDelegate serve) : Outcome
{
    internal override bool ReadsBody => false;

    internal override ValueTask<HttpResponseMessage> RespondAsync(SentRequest request, Stage stage, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("What ASP.NET Core does with a request takes a FaultServer.");

    internal override Task ServeAsync(SentRequest request, HttpContext context, TimeProvider time) => serve(context);
}
