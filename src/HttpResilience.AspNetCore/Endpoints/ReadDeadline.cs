using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>The time that all reads of one page have together.</summary>
internal sealed class ReadDeadline : IDisposable
{
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _either;

    internal ReadDeadline(PageCall call, TimeSpan time)
    {
        _timeout = new(time, call.Context.RequestServices.GetService<TimeProvider>() ?? TimeProvider.System);
        _either = CancellationTokenSource.CreateLinkedTokenSource(call.Aborted, _timeout.Token);
    }

    internal CancellationToken Token => _either.Token;

    public void Dispose()
    {
        _either.Dispose();
        _timeout.Dispose();
    }
}
