using System.Runtime.CompilerServices;

namespace HttpResilience.Testing;

/// <summary>Runs the operations of one store, one at a time.</summary>
internal abstract class InMemoryStore<TStore>(InMemoryConnection connection)
{
    protected InMemoryConnection Connection => connection;

    protected InMemoryDatabase Database => connection.Database;

    protected void ThrowIfClosed() => connection.ThrowIfClosed();

    protected Task<T> RunAsync<T>(
        object? argument, Func<T> operation, CancellationToken cancellationToken, [CallerMemberName] string method = "") =>
        StartAsync(argument, () => Run(operation), cancellationToken, method);

    protected Task<T> StartAsync<T>(
        object? argument, Func<Task<T>> operation, CancellationToken cancellationToken, [CallerMemberName] string method = "")
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<T>(cancellationToken);
        return Database.Intercept is { } intercept
            ? InterceptAsync(intercept, new(typeof(TStore), method, argument, cancellationToken), operation)
            : operation();
    }

    private static async Task<T> InterceptAsync<T>(
        Func<InMemoryOperation, Func<Task>, Task> intercept, InMemoryOperation operation, Func<Task<T>> run)
    {
        Task<T>? running = null;
        await intercept(operation, () => running = run()).ConfigureAwait(false);
        return running is null
            ? throw new InvalidOperationException(
                $"{nameof(InMemoryStorage.Intercept)} neither ran {operation.Method} nor threw an exception.")
            : await running.ConfigureAwait(false);
    }

    private Task<T> Run<T>(Func<T> operation)
    {
        try
        {
            lock (Database.Gate)
            {
                connection.ThrowIfClosed();
                return Task.FromResult(operation());
            }
        }
        catch (Exception e)
        {
            return Task.FromException<T>(e);
        }
    }
}
