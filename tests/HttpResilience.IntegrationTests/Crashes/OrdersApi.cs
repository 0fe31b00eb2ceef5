using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using HttpResilience.CrashWorker;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>
/// An unreliable API that honours idempotency keys: the first request with a key is processed, a repeated one gets the same response.
/// A request without a key, or with another key, is a new request: it is processed and counted, however often its number has arrived.
/// </summary>
internal sealed class OrdersApi : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Random _random;
    private readonly Dictionary<string, int> _answers = [];
    private readonly Dictionary<int, int> _processed = [];
    private readonly Dictionary<string, int> _underWay = [];
    private readonly ConcurrentQueue<Arrival> _arrivals = new();
    private KestrelServer? _server;
    private int _overlaps;
    private int _mixed;

    private OrdersApi(int seed) => _random = new(seed);

    internal Uri Uri => _server!.Uri;

    /// <summary>Responds 503 and 500, cuts connections before and after processing, and is slow.</summary>
    internal bool IsFaulty { get; set; }

    /// <summary>The fault of every request; null draws one at random.</summary>
    internal Fault? Always { get; set; }

    /// <summary>The numbers that are rejected permanently with 422.</summary>
    internal Func<int, bool> Refuses { get; set; } = _ => false;

    /// <summary>Requests whose keys have this prefix get no fault.</summary>
    internal string? Spares { get; set; }

    /// <summary>The duration of a request without a fault.</summary>
    internal TimeSpan Takes { get; set; }

    internal IReadOnlyList<Arrival> Arrivals => [.. _arrivals];

    /// <summary>How often a request arrived while another with the same key was in flight.</summary>
    internal int Overlaps => Volatile.Read(ref _overlaps);

    /// <summary>How often a key arrived with a different request than the first time.</summary>
    internal int Mixed => Volatile.Read(ref _mixed);

    internal static async Task<OrdersApi> StartAsync(int seed)
    {
        var api = new OrdersApi(seed);
        api._server = await KestrelServer.StartAsync(api.ServeAsync);
        return api;
    }

    internal int Processed(int number)
    {
        lock (_gate)
            return _processed.GetValueOrDefault(number);
    }

    private async Task ServeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        int number = int.Parse(await reader.ReadToEndAsync(), CultureInfo.InvariantCulture);
        string key = context.Request.Headers["Idempotency-Key"].ToString();
        Begin(key, context);
        try
        {
            var (fault, slowness) =
                Spares is { } spared && key.StartsWith(spared, StringComparison.Ordinal) ? (Fault.None, default) : Draw();
            switch (fault)
            {
                case Fault.Busy:
                    context.Response.StatusCode = 503;
                    return;
                case Fault.BusyFor:
                    context.Response.StatusCode = 503;
                    context.Response.Headers["retry-after-ms"] = "400";
                    return;
                case Fault.CutBefore:
                    context.Abort();
                    return;
            }

            if (Takes > TimeSpan.Zero)
                await Task.Delay(Takes);
            if (Refuses(number))
            {
                context.Response.StatusCode = 422;
                return;
            }

            Process(number, key);
            switch (fault)
            {
                case Fault.Broken:
                    context.Response.StatusCode = 500;
                    return;
                case Fault.CutAfter:
                    context.Abort();
                    return;
                case Fault.Slow:
                    await Task.Delay(slowness);
                    break;
            }

            context.Response.StatusCode = 201;
        }
        finally
        {
            lock (_gate)
                _underWay[key]--;
        }
    }

    private void Begin(string key, HttpContext context)
    {
        _arrivals.Enqueue(new(key, context.Request.Headers[WorkerSettings.WorkerHeader].ToString(), Stopwatch.GetTimestamp()));
        lock (_gate)
        {
            if ((_underWay[key] = _underWay.GetValueOrDefault(key) + 1) > 1)
                _overlaps++;
        }
    }

    private (Fault Fault, TimeSpan Slowness) Draw()
    {
        if (!IsFaulty || Always is not null)
            return (IsFaulty ? Always!.Value : Fault.None, default);
        lock (_gate)
        {
            var fault = _random.NextDouble() < 0.7 ? (Fault)_random.Next(1, (int)Fault.Slow + 1) : Fault.None;
            return (fault, TimeSpan.FromMilliseconds(_random.Next(20, 1500)));
        }
    }

    private void Process(int number, string key)
    {
        lock (_gate)
        {
            if (key.Length > 0 && !_answers.TryAdd(key, number))
            {
                if (_answers[key] != number)
                    _mixed++;
                return;
            }

            _processed[number] = _processed.GetValueOrDefault(number) + 1;
        }
    }

    public ValueTask DisposeAsync() => _server!.DisposeAsync();
}

/// <summary>The fault of a request.</summary>
internal enum Fault
{
    None,

    /// <summary>503, not processed.</summary>
    Busy,

    /// <summary>503 with Retry-After, not processed.</summary>
    BusyFor,

    /// <summary>The connection is cut, not processed.</summary>
    CutBefore,

    /// <summary>500, processed.</summary>
    Broken,

    /// <summary>The connection is cut, processed.</summary>
    CutAfter,

    /// <summary>The response is late, processed.</summary>
    Slow,
}

/// <summary>A request that arrived.</summary>
/// <param name="Worker">The process that sent it.</param>
/// <param name="At">The monotonic timestamp of its arrival.</param>
internal readonly record struct Arrival(string Key, string Worker, long At);
