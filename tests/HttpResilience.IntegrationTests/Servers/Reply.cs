using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace HttpResilience.IntegrationTests;

/// <summary>
/// Steps of a <see cref="KestrelServer"/>. All but <see cref="WithoutReading"/> read the whole request before they answer.
/// </summary>
internal static class Reply
{
    internal static readonly object RecorderKey = new();

    /// <summary>Answers.</summary>
    internal static RequestDelegate With(int status, string body = "", params (string Name, string Value)[] headers) => async context =>
    {
        await ReadAsync(context);
        await WriteAsync(context, status, body, headers);
    };

    internal static RequestDelegate Ok(string body = "ok") => With(200, body);

    /// <summary>503 with a body.</summary>
    internal static RequestDelegate Unavailable => With(503, "busy");

    /// <summary>Answers before reading the request body.</summary>
    internal static RequestDelegate WithoutReading(int status, string body = "") => context => WriteAsync(context, status, body, []);

    /// <summary>Answers with a body of this length in which each byte is the low byte of its position.</summary>
    internal static RequestDelegate Bytes(int status, long count, bool chunked = false) => async context =>
    {
        await ReadAsync(context);
        context.Response.StatusCode = status;
        if (!chunked)
            context.Response.ContentLength = count;
        byte[] block = new byte[64 * 1024];
        for (long sent = 0; sent < count; sent += block.Length)
        {
            Fill(block, sent);
            await context.Response.Body.WriteAsync(block.AsMemory(0, (int)Math.Min(block.Length, count - sent)), context.RequestAborted);
        }
    };

    /// <summary>Reads the request and cuts the connection, so that the client does not know that it was processed.</summary>
    internal static RequestDelegate Abort => async context =>
    {
        await ReadAsync(context);
        context.Abort();
    };

    /// <summary>Reads the request and never answers.</summary>
    internal static RequestDelegate Silence => async context =>
    {
        await ReadAsync(context);
        await UntilAbortedAsync(context);
    };

    /// <summary>Sends the head and the given part of the body, then stalls.</summary>
    internal static RequestDelegate Stall(int status, string begin = "", long? length = null) => async context =>
    {
        await ReadAsync(context);
        context.Response.StatusCode = status;
        context.Response.ContentLength = length;
        await context.Response.WriteAsync(begin, context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await UntilAbortedAsync(context);
    };

    internal static RequestDelegate Reset(int http2Error) => async context =>
    {
        await ReadAsync(context);
        context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(http2Error);
    };

    internal static async Task<ReceivedRequest> ReadAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var request = new ReceivedRequest(
            context.Request.Method,
            context.Request.Path + context.Request.QueryString,
            context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray(),
            context.Connection.Id);
        ((ConcurrentQueue<ReceivedRequest>)context.Items[RecorderKey]!).Enqueue(request);
        return request;
    }

    internal static void Fill(Span<byte> block, long position)
    {
        for (int i = 0; i < block.Length; i++)
            block[i] = (byte)(position + i);
    }

    private static async Task WriteAsync(HttpContext context, int status, string body, (string Name, string Value)[] headers)
    {
        context.Response.StatusCode = status;
        foreach (var (name, value) in headers)
            context.Response.Headers[name] = value;
        if (body.Length > 0)
            await context.Response.WriteAsync(body, context.RequestAborted);
    }

    private static async Task UntilAbortedAsync(HttpContext context)
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = context.RequestAborted.Register(aborted.SetResult);
        await aborted.Task;
    }
}
