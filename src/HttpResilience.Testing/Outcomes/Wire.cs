using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.Testing;

/// <summary>Writes to the socket below Kestrel.</summary>
internal static class Wire
{
    internal static async Task UntilGivenUpAsync(HttpContext context) =>
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>Sends bytes directly to the socket, before Kestrel has sent any, and ends the connection.</summary>
    internal static async Task SendAsync(HttpContext context, ReadOnlyMemory<byte> bytes, RawEnd end)
    {
        if (context.Request.IsHttps || !HttpProtocol.IsHttp11(context.Request.Protocol)
            || context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
            throw new InvalidOperationException("Raw bytes and truncated responses work over plain HTTP/1.1 only.");

        await socket.SendAsync(bytes, SocketFlags.None, context.RequestAborted).ConfigureAwait(false);
        if (end is RawEnd.Reset)
        {
            context.Abort();
            return;
        }

        // The client closes its side when it has seen the end; closing at once could discard bytes that were sent.
        if (end is RawEnd.Close)
            socket.Shutdown(SocketShutdown.Send);
        await UntilGivenUpAsync(context).ConfigureAwait(false);
    }
}
