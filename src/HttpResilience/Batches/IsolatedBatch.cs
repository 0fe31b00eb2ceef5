namespace HttpResilience;

/// <summary>
/// Works through records of which one that is bad never stops the others: each in a scope of its own (<see cref="HttpCallScope"/>), some at once, with a report of
/// what failed and why. Sources of any length are read as they are worked on, and never held in memory.
/// </summary>
/// <remarks>
/// An action tells by an exception that its record has failed. It may be called again for a record that a host has turned away, when nothing it has sent would be done twice, and in
/// a later run for one that a kill interrupted: give unsafe calls a key of the record's own (<see cref="BatchOptions{T}.Scope"/>), so that what is sent twice is done once.
/// </remarks>
public static class IsolatedBatch
{
    /// <summary>Works through the records.</summary>
    /// <param name="source">The records. Read by one thread.</param>
    /// <param name="action">What is done with each. Its token ends with the batch's, and when the record has taken too long.</param>
    /// <param name="options">How. Default: as <see cref="BatchOptions{T}"/> has it.</param>
    /// <param name="cancellationToken">Stops the batch: no further record is begun, those under way are cancelled and have 10 s to end, what is done is kept.</param>
    /// <returns>What became of it. A batch that stopped early has a <see cref="BatchReport.StopReason"/> that says so.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="BatchInProgressException">Another run has the batch.</exception>
    /// <exception cref="HttpResilienceStorageException">It could not be kept how far the batch is; nothing further was begun.</exception>
    public static Task<BatchReport> RunAsync<T>(
        IAsyncEnumerable<T> source, Func<T, CancellationToken, Task> action, BatchOptions<T>? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(action);
        return RunAsync(source, action, Validated(options), null, cancellationToken);
    }

    /// <inheritdoc cref="RunAsync{T}(IAsyncEnumerable{T}, Func{T, CancellationToken, Task}, BatchOptions{T}?, CancellationToken)"/>
    public static Task<BatchReport> RunAsync<T>(
        IEnumerable<T> source, Func<T, CancellationToken, Task> action, BatchOptions<T>? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(action);
        long? total = source.TryGetNonEnumeratedCount(out int count) ? count : null;
        return RunAsync(source.ToAsyncEnumerable(), action, Validated(options), total, cancellationToken);
    }

    /// <summary>Works through the records and gives what came of each, in the order of the source.</summary>
    /// <param name="source">The records. Read by one thread, and not further ahead than a few times <see cref="BatchOptions{T}.MaxParallelism"/>.</param>
    /// <param name="action">What is done with each.</param>
    /// <param name="options">How. Default: as <see cref="BatchOptions{T}"/> has it.</param>
    /// <param name="cancellationToken">Stops the batch.</param>
    /// <returns>One result for each record, in constant memory.</returns>
    /// <exception cref="ArgumentException">The options have a checkpoint: what is kept as done before its result is read would be lost by a kill. Use <c>RunAsync</c>.</exception>
    /// <exception cref="BatchStoppedException">While it is read: the batch has stopped before its end.</exception>
    /// <inheritdoc cref="RunAsync{T}(IAsyncEnumerable{T}, Func{T, CancellationToken, Task}, BatchOptions{T}?, CancellationToken)" path="/exception"/>
    public static IAsyncEnumerable<BatchResult<T, TResult>> StreamAsync<T, TResult>(
        IAsyncEnumerable<T> source, Func<T, CancellationToken, Task<TResult>> action, BatchOptions<T>? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(action);
        return new BatchStream<T, TResult>(action, WithoutCheckpoint(Validated(options)), null).RunAsync(source, cancellationToken);
    }

    /// <inheritdoc cref="StreamAsync{T, TResult}(IAsyncEnumerable{T}, Func{T, CancellationToken, Task{TResult}}, BatchOptions{T}?, CancellationToken)"/>
    public static IAsyncEnumerable<BatchResult<T, TResult>> StreamAsync<T, TResult>(
        IEnumerable<T> source, Func<T, CancellationToken, Task<TResult>> action, BatchOptions<T>? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(action);
        long? total = source.TryGetNonEnumeratedCount(out int count) ? count : null;
        return new BatchStream<T, TResult>(action, WithoutCheckpoint(Validated(options)), total).RunAsync(source.ToAsyncEnumerable(), cancellationToken);
    }

    private static async Task<BatchReport> RunAsync<T>(
        IAsyncEnumerable<T> source, Func<T, CancellationToken, Task> action, BatchOptions<T> options, long? total, CancellationToken cancellationToken)
    {
        using var run = new BatchRun<T>((record, _, _) => new(new BatchStep(token => action(record, token), static _ => { })), options, total);
        return await run.RunAsync(source, cancellationToken).ConfigureAwait(false);
    }

    private static BatchOptions<T> WithoutCheckpoint<T>(BatchOptions<T> options) => options.Checkpoint is null ? options
        : throw new ArgumentException("A batch whose results are read has no checkpoint: a record would be kept as done before its result is read. Use RunAsync.", nameof(options));

    private static BatchOptions<T> Validated<T>(BatchOptions<T>? options)
    {
        options ??= new();
        options.Validate();
        return options;
    }
}
