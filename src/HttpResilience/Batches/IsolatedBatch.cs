namespace HttpResilience;

/// <summary>
/// Processes records in isolation: a failed record does not stop the others. Each has its own scope (<see cref="HttpCallScope"/>), several
/// run at once, and a report lists the failures. Sources of any length are streamed, not held in memory.
/// </summary>
/// <remarks>
/// A record fails when its action throws. The action may be called again for a rejected record, when nothing it has sent would be repeated,
/// and in a later run for a record that a crash interrupted: give unsafe calls a key per record (<see cref="BatchOptions{T}.Scope"/>), so
/// that a repeated request is processed once.
/// </remarks>
public static class IsolatedBatch
{
    /// <summary>Processes the records.</summary>
    /// <param name="source">The records. Read by one thread.</param>
    /// <param name="action">Processes a record. Its token is cancelled with the batch, and when the record times out.</param>
    /// <param name="options">The options. Default: the defaults of <see cref="BatchOptions{T}"/>.</param>
    /// <param name="cancellationToken">
    /// Stops the batch: no further record is started, records in progress are cancelled and have 10 s to end, and finished records are
    /// stored.
    /// </param>
    /// <returns>The outcome. The <see cref="BatchReport.StopReason"/> tells whether the batch stopped early.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="BatchInProgressException">Another run holds the batch.</exception>
    /// <exception cref="HttpResilienceStorageException">The progress could not be stored; no further record was started.</exception>
    public static Task<BatchReport> RunAsync<T>(
        IAsyncEnumerable<T> source, Func<T, CancellationToken, Task> action, BatchOptions<T>? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(action);
        return RunAsync(source, action, Validated(options), null, cancellationToken);
    }

    /// <inheritdoc cref="RunAsync{T}(IAsyncEnumerable{T}, Func{T, CancellationToken, Task}, BatchOptions{T}?, CancellationToken)"/>
    public static Task<BatchReport> RunAsync<T>(
        IEnumerable<T> source, Func<T, CancellationToken, Task> action, BatchOptions<T>? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(action);
        long? total = source.TryGetNonEnumeratedCount(out int count) ? count : null;
        return RunAsync(source.ToAsyncEnumerable(), action, Validated(options), total, cancellationToken);
    }

    /// <summary>Processes the records and gives the result of each, in the order of the source.</summary>
    /// <param name="source">
    /// The records. Read by one thread, at most a few times <see cref="BatchOptions{T}.MaxParallelism"/> ahead.
    /// </param>
    /// <param name="action">Processes a record.</param>
    /// <param name="options">The options. Default: the defaults of <see cref="BatchOptions{T}"/>.</param>
    /// <param name="cancellationToken">Stops the batch.</param>
    /// <returns>One result per record, in constant memory.</returns>
    /// <exception cref="ArgumentException">
    /// The options have a checkpoint: a crash would lose results that were stored as done and not read yet. Use <c>RunAsync</c>.
    /// </exception>
    /// <exception cref="BatchStoppedException">The batch has stopped before its end; thrown while the results are read.</exception>
    /// <inheritdoc cref="RunAsync{T}(IAsyncEnumerable{T}, Func{T, CancellationToken, Task}, BatchOptions{T}?, CancellationToken)"
    /// path="/exception"/>
    public static IAsyncEnumerable<BatchResult<T, TResult>> StreamAsync<T, TResult>(
        IAsyncEnumerable<T> source, Func<T, CancellationToken, Task<TResult>> action, BatchOptions<T>? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(action);
        return new BatchStream<T, TResult>(action, WithoutCheckpoint(Validated(options)), null).RunAsync(source, cancellationToken);
    }

    /// <inheritdoc
    /// cref="StreamAsync{T, TResult}(IAsyncEnumerable{T}, Func{T, CancellationToken, Task{TResult}}, BatchOptions{T}, CancellationToken)"/>
    public static IAsyncEnumerable<BatchResult<T, TResult>> StreamAsync<T, TResult>(
        IEnumerable<T> source, Func<T, CancellationToken, Task<TResult>> action, BatchOptions<T>? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(action);
        long? total = source.TryGetNonEnumeratedCount(out int count) ? count : null;
        return new BatchStream<T, TResult>(action, WithoutCheckpoint(Validated(options)), total)
            .RunAsync(source.ToAsyncEnumerable(), cancellationToken);
    }

    private static async Task<BatchReport> RunAsync<T>(
        IAsyncEnumerable<T> source, Func<T, CancellationToken, Task> action, BatchOptions<T> options, long? total,
        CancellationToken cancellationToken)
    {
        using var run = new BatchRun<T>(
            (record, _, _) => new(new BatchStep(token => action(record, token), static _ => { })), options, total);
        return await run.RunAsync(source, cancellationToken).ConfigureAwait(false);
    }

    private static BatchOptions<T> WithoutCheckpoint<T>(BatchOptions<T> options) => options.Checkpoint is null ? options
        : throw new ArgumentException(
            "StreamAsync supports no checkpoint: a record would be stored as done before its result is read. Use RunAsync.",
            nameof(options));

    private static BatchOptions<T> Validated<T>(BatchOptions<T>? options)
    {
        options ??= new();
        options.Validate();
        return options;
    }
}
