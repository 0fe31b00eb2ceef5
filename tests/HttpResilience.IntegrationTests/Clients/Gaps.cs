using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests;

/// <summary>A handler inside the chain that measures the time from the end of an attempt to the start of the next.</summary>
internal sealed class Gaps
{
    private readonly List<TimeSpan> _gaps = [];
    private long _ended;

    internal TimeSpan Single() => _gaps.ShouldHaveSingleItem();

    internal void MeasureOn(IHttpClientBuilder builder) => builder.AddHttpMessageHandler(() => new Handler(this));

    private void Begin()
    {
        if (_ended != 0)
            _gaps.Add(Stopwatch.GetElapsedTime(_ended));
    }

    private void End() => _ended = Stopwatch.GetTimestamp();

    private sealed class Handler(Gaps gaps) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            gaps.Begin();
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            finally
            {
                gaps.End();
            }
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            gaps.Begin();
            try
            {
                return base.Send(request, cancellationToken);
            }
            finally
            {
                gaps.End();
            }
        }
    }
}
