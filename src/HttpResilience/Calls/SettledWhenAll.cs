namespace HttpResilience;

/// <summary>
/// Makes several calls at once of which each may fail by itself: for a page that shows what there is, and says of the rest that it is not to be had just now.
/// </summary>
/// <example><code>
/// var (invoices, customer) = await Settled.WhenAll(ct => billing.GetInvoicesAsync(id, ct), ct => crm.GetCustomerAsync(id, ct), cancellationToken);
/// page.Customer = customer.Match(c => c.Name, _ => "temporarily unavailable");
/// </code></example>
public static class Settled
{
    /// <summary>Begins all calls at once, and waits for all. One that fails, however it does, takes no other along.</summary>
    /// <param name="calls">What is done. Each is given a token that <paramref name="cancellationToken"/> cancels.</param>
    /// <param name="cancellationToken">Cancels all of them.</param>
    /// <returns>What became of each, in the same order.</returns>
    /// <exception cref="OperationCanceledException">The caller has cancelled before all had ended.</exception>
    public static async Task<IReadOnlyList<Settled<T>>> WhenAll<T>(IEnumerable<Func<CancellationToken, Task<T>>> calls, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(calls);
        return await Task.WhenAll(calls.Select(call => SettleAsync(call, cancellationToken)).ToList()).ConfigureAwait(false);
    }

    /// <inheritdoc cref="WhenAll{T}(IEnumerable{Func{CancellationToken, Task{T}}}, CancellationToken)"/>
    public static async Task<(Settled<T1>, Settled<T2>)> WhenAll<T1, T2>(
        Func<CancellationToken, Task<T1>> first, Func<CancellationToken, Task<T2>> second,
        CancellationToken cancellationToken = default)
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
        var (s1, s2, s3) = (SettleAsync(first, cancellationToken), SettleAsync(second, cancellationToken), SettleAsync(third, cancellationToken));
        await Task.WhenAll(s1, s2, s3).ConfigureAwait(false);
        return (await s1.ConfigureAwait(false), await s2.ConfigureAwait(false), await s3.ConfigureAwait(false));
    }

    /// <inheritdoc cref="WhenAll{T}(IEnumerable{Func{CancellationToken, Task{T}}}, CancellationToken)"/>
    public static async Task<(Settled<T1>, Settled<T2>, Settled<T3>, Settled<T4>)> WhenAll<T1, T2, T3, T4>(
        Func<CancellationToken, Task<T1>> first, Func<CancellationToken, Task<T2>> second, Func<CancellationToken, Task<T3>> third, Func<CancellationToken, Task<T4>> fourth,
        CancellationToken cancellationToken = default)
    {
        var (s1, s2, s3, s4) = (SettleAsync(first, cancellationToken), SettleAsync(second, cancellationToken), SettleAsync(third, cancellationToken), SettleAsync(fourth, cancellationToken));
        await Task.WhenAll(s1, s2, s3, s4).ConfigureAwait(false);
        return (await s1.ConfigureAwait(false), await s2.ConfigureAwait(false), await s3.ConfigureAwait(false), await s4.ConfigureAwait(false));
    }

    /// <inheritdoc cref="WhenAll{T}(IEnumerable{Func{CancellationToken, Task{T}}}, CancellationToken)"/>
    public static async Task<(Settled<T1>, Settled<T2>, Settled<T3>, Settled<T4>, Settled<T5>)> WhenAll<T1, T2, T3, T4, T5>(
        Func<CancellationToken, Task<T1>> first, Func<CancellationToken, Task<T2>> second, Func<CancellationToken, Task<T3>> third, Func<CancellationToken, Task<T4>> fourth, Func<CancellationToken, Task<T5>> fifth,
        CancellationToken cancellationToken = default)
    {
        var (s1, s2, s3, s4, s5) = (SettleAsync(first, cancellationToken), SettleAsync(second, cancellationToken), SettleAsync(third, cancellationToken), SettleAsync(fourth, cancellationToken), SettleAsync(fifth, cancellationToken));
        await Task.WhenAll(s1, s2, s3, s4, s5).ConfigureAwait(false);
        return (await s1.ConfigureAwait(false), await s2.ConfigureAwait(false), await s3.ConfigureAwait(false), await s4.ConfigureAwait(false), await s5.ConfigureAwait(false));
    }

    /// <inheritdoc cref="WhenAll{T}(IEnumerable{Func{CancellationToken, Task{T}}}, CancellationToken)"/>
    public static async Task<(Settled<T1>, Settled<T2>, Settled<T3>, Settled<T4>, Settled<T5>, Settled<T6>)> WhenAll<T1, T2, T3, T4, T5, T6>(
        Func<CancellationToken, Task<T1>> first, Func<CancellationToken, Task<T2>> second, Func<CancellationToken, Task<T3>> third, Func<CancellationToken, Task<T4>> fourth, Func<CancellationToken, Task<T5>> fifth, Func<CancellationToken, Task<T6>> sixth,
        CancellationToken cancellationToken = default)
    {
        var (s1, s2, s3, s4, s5, s6) = (SettleAsync(first, cancellationToken), SettleAsync(second, cancellationToken), SettleAsync(third, cancellationToken), SettleAsync(fourth, cancellationToken), SettleAsync(fifth, cancellationToken), SettleAsync(sixth, cancellationToken));
        await Task.WhenAll(s1, s2, s3, s4, s5, s6).ConfigureAwait(false);
        return (await s1.ConfigureAwait(false), await s2.ConfigureAwait(false), await s3.ConfigureAwait(false), await s4.ConfigureAwait(false), await s5.ConfigureAwait(false), await s6.ConfigureAwait(false));
    }

    /// <inheritdoc cref="WhenAll{T}(IEnumerable{Func{CancellationToken, Task{T}}}, CancellationToken)"/>
    public static async Task<(Settled<T1>, Settled<T2>, Settled<T3>, Settled<T4>, Settled<T5>, Settled<T6>, Settled<T7>)> WhenAll<T1, T2, T3, T4, T5, T6, T7>(
        Func<CancellationToken, Task<T1>> first, Func<CancellationToken, Task<T2>> second, Func<CancellationToken, Task<T3>> third, Func<CancellationToken, Task<T4>> fourth, Func<CancellationToken, Task<T5>> fifth, Func<CancellationToken, Task<T6>> sixth, Func<CancellationToken, Task<T7>> seventh,
        CancellationToken cancellationToken = default)
    {
        var (s1, s2, s3, s4, s5, s6, s7) = (SettleAsync(first, cancellationToken), SettleAsync(second, cancellationToken), SettleAsync(third, cancellationToken), SettleAsync(fourth, cancellationToken), SettleAsync(fifth, cancellationToken), SettleAsync(sixth, cancellationToken), SettleAsync(seventh, cancellationToken));
        await Task.WhenAll(s1, s2, s3, s4, s5, s6, s7).ConfigureAwait(false);
        return (await s1.ConfigureAwait(false), await s2.ConfigureAwait(false), await s3.ConfigureAwait(false), await s4.ConfigureAwait(false), await s5.ConfigureAwait(false), await s6.ConfigureAwait(false), await s7.ConfigureAwait(false));
    }

    /// <inheritdoc cref="WhenAll{T}(IEnumerable{Func{CancellationToken, Task{T}}}, CancellationToken)"/>
    public static async Task<(Settled<T1>, Settled<T2>, Settled<T3>, Settled<T4>, Settled<T5>, Settled<T6>, Settled<T7>, Settled<T8>)> WhenAll<T1, T2, T3, T4, T5, T6, T7, T8>(
        Func<CancellationToken, Task<T1>> first, Func<CancellationToken, Task<T2>> second, Func<CancellationToken, Task<T3>> third, Func<CancellationToken, Task<T4>> fourth, Func<CancellationToken, Task<T5>> fifth, Func<CancellationToken, Task<T6>> sixth, Func<CancellationToken, Task<T7>> seventh, Func<CancellationToken, Task<T8>> eighth,
        CancellationToken cancellationToken = default)
    {
        var (s1, s2, s3, s4, s5, s6, s7, s8) = (SettleAsync(first, cancellationToken), SettleAsync(second, cancellationToken), SettleAsync(third, cancellationToken), SettleAsync(fourth, cancellationToken), SettleAsync(fifth, cancellationToken), SettleAsync(sixth, cancellationToken), SettleAsync(seventh, cancellationToken), SettleAsync(eighth, cancellationToken));
        await Task.WhenAll(s1, s2, s3, s4, s5, s6, s7, s8).ConfigureAwait(false);
        return (await s1.ConfigureAwait(false), await s2.ConfigureAwait(false), await s3.ConfigureAwait(false), await s4.ConfigureAwait(false), await s5.ConfigureAwait(false), await s6.ConfigureAwait(false), await s7.ConfigureAwait(false), await s8.ConfigureAwait(false));
    }

    private static Task<Settled<T>> SettleAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        return RunAsync(call, cancellationToken);
    }

    private static async Task<Settled<T>> RunAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var calls = new CallCollector();
        using var scope = HttpCallScope.Begin(new(), calls);
        try
        {
            var value = await call(cancellationToken).ConfigureAwait(false);
            return calls.HasStale ? new(value, isStale: true, calls.LastFailed) : new(value, isStale: false, call: null);
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException("The caller has cancelled.", e, cancellationToken);
        }
        catch (Exception e)
        {
            return new(e, e.GetHttpCall() ?? calls.LastFailed);
        }
    }
}
