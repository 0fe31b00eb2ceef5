using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.Testing;

/// <summary>What Kestrel does not offer, below it.</summary>
internal static class Wire
{
    internal static async Task UntilGivenUpAsync(HttpContext context) =>
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>Sends these bytes past Kestrel, which has sent nothing yet, and ends the connection.</summary>
    internal static async Task SendAsync(HttpContext context, ReadOnlyMemory<byte> bytes, RawEnd end)
    {
        if (context.Request.IsHttps || !HttpProtocol.IsHttp11(context.Request.Protocol)
            || context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
            throw new InvalidOperationException("Raw bytes, and what breaks off in the middle, go over plain HTTP/1.1 only.");

        await socket.SendAsync(bytes, SocketFlags.None, context.RequestAborted).ConfigureAwait(false);
        if (end is RawEnd.Reset)
        {
            context.Abort();
            return;
        }

        // The client closes its side when it has seen the end. To close here at once could overtake what was sent.
        if (end is RawEnd.Close)
            socket.Shutdown(SocketShutdown.Send);
        await UntilGivenUpAsync(context).ConfigureAwait(false);
    }
}
