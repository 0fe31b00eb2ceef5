namespace HttpResilience;

/// <summary>
/// Makes several calls at the same time, each of which may fail on its own: for a page that shows the parts it has and marks the others as
/// unavailable.
/// </summary>
/// <example><code>
/// var (invoices, customer) = await Settled.WhenAll(ct => billing.GetInvoicesAsync(id, ct), ct => crm.GetCustomerAsync(id, ct),
/// cancellationToken); page.Customer = customer.Match(c => c.Name, _ => "temporarily unavailable");
/// </code></example>
public static class Settled
{
    /// <summary>Starts all calls at once and waits for all of them. A call that fails does not affect the others.</summary>
    /// <param name="calls">The calls. Each receives a token that <paramref name="cancellationToken"/> cancels.</param>
    /// <param name="cancellationToken">Cancels all calls.</param>
    /// <returns>The result of each call, in the same order.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled before all calls ended.</exception>
    public static async Task<IReadOnlyList<Settled<T>>> WhenAll<T>(
        IEnumerable<Func<CancellationToken, Task<T>>> calls, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(calls);
        return await Task.WhenAll(calls.Select(call => SettleAsync(call, cancellationToken)).ToList()).ConfigureAwait(false);
    }

    /// <inheritdoc cref="WhenAll{T}(IEnumerable{Func{CancellationToken, Task{T}}}, CancellationToken)"/>
    public static async Task<(Settled<T1>, Settled<T2>)> WhenAll<T1, T2>(
        Func<CancellationToken, Task<T1>> first, Func<CancellationToken, Task<T2>> second, CancellationToken cancellationToken = default)
    {
        var (s1, s2) = (SettleAsync(first, cancellationToken), SettleAsync(second, cancellationToken));
        await Task.WhenAll(s1, s2).ConfigureAwait(false);
        return (await s1.ConfigureAwait(false), await s2.ConfigureAwait(false));
    }

    /// <inheritdoc cref="WhenAll{T}(IEnumerable{Func{CancellationToken, Task{T}}}, CancellationToken)"/>
    public static async Task<(Settled<T1>, Settled<T2>, Settled<T3>)> WhenAll<T1, T2, T3>(
        Func<CancellationToken, Task<T1>> first, Func<CancellationToken, Task<T2>> second, Func<CancellationToken, Task<T3>> third,
        CancellationToken cancellationToken = default)
    {
        var (s1, s2) = (SettleAsync(first, cancellationToken), SettleAsync(second, cancellationToken));
        var s3 = SettleAsync(third, cancellationToken);
        await Task.WhenAll(s1, s2, s3).ConfigureAwait(false);
        return (await s1.ConfigureAwait(false), await s2.ConfigureAwait(false), await s3.ConfigureAwait(false));
    }

    /// <inheritdoc cref="WhenAll{T}(IEnumerable{Func{CancellationToken, Task{T}}}, CancellationToken)"/>
    public static async Task<(Settled<T1>, Settled<T2>, Settled<T3>, Settled<T4>)> WhenAll<T1, T2, T3, T4>(
        Func<CancellationToken, Task<T1>> first, Func<CancellationToken, Task<T2>> second, Func<CancellationToken, Task<T3>> third,
        Func<CancellationToken, Task<T4>> fourth, CancellationToken cancellationToken = default)
    {
        var (s1, s2) = (SettleAsync(first, cancellationToken), SettleAsync(second, cancellationToken));
        var (s3, s4) = (SettleAsync(third, cancellationToken), SettleAsync(fourth, cancellationToken));
        await Task.WhenAll(s1, s2, s3, s4).ConfigureAwait(false);
        return (
            await s1.ConfigureAwait(false), await s2.ConfigureAwait(false), await s3.ConfigureAwait(false), await s4.ConfigureAwait(false));
    }

    private static Task<Settled<T>> SettleAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        return RunAsync(call, cancellationToken);
    }

    private static async Task<Settled<T>> RunAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var calls = new CallCollector();
        using var scope = HttpCallScope.Begin(new(), calls.Add);
        try
        {
            var value = await call(cancellationToken).ConfigureAwait(false);
            return calls.HasStale ? new(value, isStale: true, calls.LastFailed) : new(value, isStale: false, call: null);
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException("The caller cancelled the calls.", e, cancellationToken);
        }
        catch (Exception e)
        {
            return new(e, e.GetHttpCall() ?? calls.LastFailed);
        }
    }
}
