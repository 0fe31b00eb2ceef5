namespace HttpResilience.IntegrationTests.Telemetry;

/// <summary>A receiver of OTLP over HTTP with protobuf bodies (opentelemetry-proto 1.x) on a loopback port.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly KestrelServer _server;

    private OtlpReceiver(KestrelServer server) => _server = server;

    internal Uri Metrics => new(_server.Uri, "v1/metrics");

    internal Uri Traces => new(_server.Uri, "v1/traces");

    /// <summary>Every data point received.</summary>
    internal IReadOnlyList<OtlpPoint> Points =>
    [
        .. from scope in Scopes("/v1/metrics")
        from metric in scope.Messages(2)
        from data in Kinds.SelectMany(metric.Messages)
        from point in data.Messages(1)
        let isHistogram = metric.Has(Histogram)
        select new OtlpPoint(
            scope.Messages(1).Single().Text(1), metric.Text(1), metric.Text(3), Attributes(point, isHistogram ? 9 : 7),
            isHistogram ? point.Number(4) : point.Number(6), isHistogram ? point.Double(5) : point.Number(6)),
    ];

    internal IReadOnlyList<OtlpSpan> Spans =>
    [
        .. from scope in Scopes("/v1/traces")
        from span in scope.Messages(2)
        select new OtlpSpan(
            scope.Messages(1).Single().Text(1), span.Text(5), (int)span.Number(6), span.Hex(1), span.Hex(2), span.Hex(4), span.Number(7),
            span.Number(8),
            Attributes(span, 9), [.. span.Messages(13).Select(link => link.Hex(2))],
            (int)(span.Messages(15).SingleOrDefault()?.Number(3) ?? 0)),
    ];

    private const int Gauge = 5;
    private const int Sum = 7;
    private const int Histogram = 9;

    private static readonly int[] Kinds = [Gauge, Sum, Histogram];

    internal static async Task<OtlpReceiver> StartAsync() => new(await KestrelServer.StartAsync(Reply.With(200)));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private IEnumerable<ProtobufMessage> Scopes(string target) =>
        from request in _server.Requests
        where request.Target == target && request.Headers["Content-Type"] == "application/x-protobuf"
        from resource in new ProtobufMessage(request.Body).Messages(1)
        from scope in resource.Messages(2)
        select scope;

    private static Dictionary<string, string> Attributes(ProtobufMessage message, int field) => message.Messages(field).ToDictionary(
        attribute => attribute.Text(1),
        attribute => attribute.Messages(2).Single() is var value && value.Has(3) ? value.Number(3).ToString(null, null) : value.Text(1));
}

/// <summary>One data point of a metric.</summary>
/// <param name="Count">The number of measurements of a histogram; else the value.</param>
/// <param name="Sum">The sum of the measurements of a histogram; else the value.</param>
internal sealed record OtlpPoint(
    string Scope, string Metric, string Unit, IReadOnlyDictionary<string, string> Tags, long Count, double Sum);

/// <summary>One span; times are nanoseconds since 1970.</summary>
/// <param name="Kind">1 internal, 3 client.</param>
/// <param name="Links">The ids of the linked spans.</param>
/// <param name="Status">0 unset, 2 error.</param>
internal sealed record OtlpSpan(
    string Scope, string Name, int Kind, string TraceId, string Id, string ParentId, long Start, long End,
    IReadOnlyDictionary<string, string> Tags,
    IReadOnlyList<string> Links, int Status);
